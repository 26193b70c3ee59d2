import JSONText

/// Documents and queries. The embedded node must answer them like the real server of its version.
enum QueryCases {
    /// `id routing source`; `-` means no routing.
    static let documents = #"""
        1 - {"k":"A b","t":"Hello World","n":5,"d":1.5,"b":true,"at":"2024-01-02T03:04:05Z","ip":"10.0.0.1"}
        2 - {"k":"a","t":"hello big world","n":-7,"d":-0.25,"b":false,"at":"2024-01-02","ip":"10.0.1.1"}
        3 r1 {"k":["x","y"],"t":["first value","second one"],"n":[1,2,3],"d":[0,10.5],"at":"2024-02"}
        4 r2 {"k":"db-1.example.com","t":"visit example.com, it's 3.14 or foo_bar-baz a:b","n":9007199254740993}
        5 - {"k":"","t":"","n":0,"d":0,"b":false}
        6 - {"k":null,"t":null,"n":null,"at":null,"o":{"k":"x","n":1}}
        7 - {"o":{"k":["x","z"],"n":2},"tags":[{"k":"host","v":"db-1"},{"k":"env","v":"prod"}]}
        8 - {"o":[{"k":"p","n":3},{"k":"q","n":4}],"tags":{"k":"host","v":"prod"}}
        9 - {"k":"5","t":"the quick brown fox jumps over the lazy dog","n":1500,"at":"2023-12-31T23:59:59.999Z"}
        10 - {"k":"alpha*beta","t":"quick fox","n":42,"at":1704164645000,"b":true,"ip":"192.168.1.7"}
        11 - {"k":"Z","t":"brown quick","n":43,"at":"2024-01-03T00:00:00+02:00","d":3.75,"tags":[]}
        12 - {"k":"straße","t":"Über Straße naïve","n":44,"at":"2025","d":1e3}
        13 - {"k":"a b c","t":"error: disk full (db-1)","n":44,"d":44,"at":"2024-01-02T03:04:05.678Z"}
        14 - {}
        """#

    /// The values of `query` that each version accepts.
    static let queries = #"""
        {"match_all":{}}
        {"match_none":{}}
        {"term":{"k":"a"}}
        {"term":{"k":"A"}}
        {"term":{"k":""}}
        {"term":{"k":"x"}}
        {"term":{"k":{"value":"A b"}}}
        {"term":{"k":{"value":"A b","boost":2.0}}}
        {"term":{"k":5}}
        {"term":{"t":"hello"}}
        {"term":{"t":"Hello"}}
        {"term":{"n":5}}
        {"term":{"n":"5"}}
        {"term":{"n":2}}
        {"term":{"n":9007199254740993}}
        {"term":{"n":9007199254740992}}
        {"term":{"d":1.5}}
        {"term":{"d":10}}
        {"term":{"d":"44"}}
        {"term":{"b":true}}
        {"term":{"b":"false"}}
        {"term":{"at":"2024-01-02"}}
        {"term":{"at":"2024-01-02T03:04:05Z"}}
        {"term":{"at":1704164645000}}
        {"term":{"ip":"10.0.0.1"}}
        {"term":{"nope":"x"}}
        {"term":{"o.k":"x"}}
        {"term":{"tags.k":"host"}}
        {"terms":{"k":["a","x","Z","nope"]}}
        {"terms":{"n":[5,"44",1500]}}
        {"terms":{"t":["fox","world"]}}
        {"terms":{"k":[]}}
        {"terms":{"_id":["1","14"]}}
        {"range":{"n":{"gt":5}}}
        {"range":{"n":{"gte":5,"lt":44}}}
        {"range":{"n":{"gte":"5","lte":"43"}}}
        {"range":{"n":{"from":5,"to":44,"include_upper":false}}}
        {"range":{"n":{}}}
        {"range":{"d":{"gte":0.5}}}
        {"range":{"d":{"gt":0,"lt":10.5}}}
        {"range":{"k":{"gte":"a","lt":"b"}}}
        {"range":{"k":{"gt":"a"}}}
        {"range":{"k":{"lte":"Z"}}}
        {"range":{"t":{"gte":"quick","lt":"w"}}}
        {"range":{"at":{"gte":"2024-01-02"}}}
        {"range":{"at":{"gt":"2024-01-02"}}}
        {"range":{"at":{"lt":"2024-01-02"}}}
        {"range":{"at":{"lte":"2024-01-02"}}}
        {"range":{"at":{"gte":"2024-01-02T03:04:05Z","lte":"2024-01-02T03:04:05.677Z"}}}
        {"range":{"at":{"gte":"2024-01-02||/M","lt":"2024-01-02||+1M/M"}}}
        {"range":{"at":{"gte":1704164645000}}}
        {"range":{"at":{"lte":"2024"}}}
        {"range":{"at":{"gt":"2024-01"}}}
        {"range":{"at":{"lt":"now-1d"}}}
        {"range":{"at":{"gte":"now"}}}
        {"range":{"at":{"gte":"2023-12-31||+1d/d","lt":"2024-01-03||-1s"}}}
        {"range":{"at":{"gte":"2024-01-01","time_zone":"+02:00","lt":"2024-01-03"}}}
        {"range":{"ip":{"gte":"10.0.0.2","lt":"11.0.0.0"}}}
        {"range":{"nope":{"gt":1}}}
        {"prefix":{"k":"a"}}
        {"prefix":{"k":"db-"}}
        {"prefix":{"t":"wor"}}
        {"prefix":{"t":"Wor"}}
        {"prefix":{"k":{"value":"a b"}}}
        {"prefix":{"k":""}}
        {"wildcard":{"k":"a*"}}
        {"wildcard":{"k":"*b"}}
        {"wildcard":{"k":"?"}}
        {"wildcard":{"k":"db-?.*.com"}}
        {"wildcard":{"k":"alpha\\*beta"}}
        {"wildcard":{"t":"wor*"}}
        {"wildcard":{"t":"WOR*"}}
        {"wildcard":{"k":{"value":"*"}}}
        {"exists":{"field":"k"}}
        {"exists":{"field":"t"}}
        {"exists":{"field":"n"}}
        {"exists":{"field":"at"}}
        {"exists":{"field":"b"}}
        {"exists":{"field":"o"}}
        {"exists":{"field":"o.k"}}
        {"exists":{"field":"tags"}}
        {"exists":{"field":"nope"}}
        {"exists":{"field":"_id"}}
        {"missing":{"field":"k"}}
        {"filtered":{"query":{"match_all":{}},"filter":{"exists":{"field":"k"}}}}
        {"filtered":{"filter":{"missing":{"field":"n"}}}}
        {"filtered":{"filter":{"and":[{"term":{"b":true}},{"range":{"n":{"gt":5}}}]}}}
        {"filtered":{"filter":{"or":{"filters":[{"term":{"k":"a"}},{"term":{"n":44}}]}}}}
        {"filtered":{"filter":{"not":{"term":{"b":true}}}}}
        {"filtered":{"filter":{"not":{"filter":{"exists":{"field":"at"}}}}}}
        {"filtered":{"filter":{"bool":{"must":{"exists":{"field":"n"}},"should":[{"term":{"b":true}}]}}}}
        {"filtered":{"filter":{"query":{"match":{"t":"fox"}}}}}
        {"filtered":{"filter":{"match":{"t":"fox"}}}}
        {"filtered":{"filter":{"type":{"value":"doc"}}}}
        {"match":{"_all":"fox"}}
        {"term":{"_all":"44"}}
        {"ids":{"values":["1"],"foo":1}}
        {"filtered":{"filter":{"terms":{"k":["a","Z"],"execution":"bool"}}}}
        {"filtered":{"filter":{"ids":{"values":["1","2"]}}}}
        {"filtered":{"filter":{"nested":{"path":"tags","filter":{"term":{"tags.k":"host"}}}}}}
        {"and":[{"match_all":{}}]}
        {"bool":{}}
        {"bool":{"must":[]}}
        {"bool":{"must":{"term":{"b":true}}}}
        {"bool":{"must":[{"exists":{"field":"n"}}],"must_not":[{"term":{"n":44}}]}}
        {"bool":{"must":[{"range":{"n":{"gte":0}}}],"must_not":[{"term":{"n":44}}]}}
        {"bool":{"must_not":{"match":{"t":"quick"}}}}
        {"bool":{"should":[{"term":{"k":"a"}},{"term":{"n":44}}]}}
        {"bool":{"should":[{"term":{"k":"a"}},{"term":{"n":44}},{"term":{"d":44}}],"minimum_should_match":2}}
        {"bool":{"should":[{"term":{"k":"a"}},{"term":{"n":44}}],"minimum_should_match":"100%"}}
        {"bool":{"should":[{"term":{"k":"a"}},{"term":{"n":44}},{"term":{"d":44}}],"minimum_should_match":"-1"}}
        {"bool":{"should":[{"term":{"k":"a"}},{"term":{"n":44}},{"term":{"d":44}}],"minimum_should_match":"2<-25%"}}
        {"bool":{"must":{"range":{"n":{"gt":0}}},"should":{"term":{"b":true}}}}
        {"bool":{"filter":{"range":{"n":{"gt":0}}},"should":{"term":{"b":true}}}}
        {"bool":{"filter":[{"bool":{"must":[{"range":{"n":{"gt":0}}}],"should":[{"term":{"b":true}}]}}]}}
        {"bool":{"must_not":{"bool":{"must":{"range":{"n":{"gt":0}}},"should":{"term":{"b":true}}}}}}
        {"bool":{"must_not":{"term":{"nope":true}}}}
        {"ids":{"values":["1","3","x"]}}
        {"ids":{"values":["1","3"],"type":"doc"}}
        {"ids":{"values":["1","3"],"type":"other"}}
        {"ids":{"values":["1","3"],"type":["doc","other"]}}
        {"ids":{"values":[]}}
        {"ids":{"values":[1,2]}}
        {"ids":{}}
        {"ids":{"values":"1"}}
        {"type":{"value":"doc"}}
        {"type":{"value":"nope"}}
        {"match":{"t":"hello"}}
        {"match":{"t":"HELLO fox"}}
        {"match":{"t":{"query":"hello big","operator":"and"}}}
        {"match":{"t":{"query":"quick brown fox","minimum_should_match":2}}}
        {"match":{"t":{"query":"quick brown fox","minimum_should_match":"67%"}}}
        {"match":{"t":""}}
        {"match":{"t":{"query":"","zero_terms_query":"all"}}}
        {"match":{"t":"example.com"}}
        {"match":{"t":"it's"}}
        {"match":{"t":"3.14"}}
        {"match":{"t":"foo_bar"}}
        {"match":{"t":"baz"}}
        {"match":{"t":"a:b"}}
        {"match":{"t":"strasse"}}
        {"match":{"t":"ÜBER"}}
        {"match":{"t":"db-1"}}
        {"match":{"t":"db"}}
        {"match":{"k":"A b"}}
        {"match":{"k":"b"}}
        {"match":{"n":"44"}}
        {"match":{"n":44}}
        {"match":{"b":true}}
        {"match":{"at":"2024-01-02"}}
        {"match":{"nope":"x"}}
        {"match":{"n":{"query":"abc","lenient":true}}}
        {"match_phrase":{"t":"quick brown"}}
        {"match_phrase":{"t":"brown quick"}}
        {"match_phrase":{"t":"first value"}}
        {"match_phrase":{"t":"quick fox"}}
        {"match_phrase":{"t":{"query":"quick fox","slop":1}}}
        {"match_phrase":{"k":"A b"}}
        {"match_phrase":{"t":"hello"}}
        {"match_phrase_prefix":{"t":"quick bro"}}
        {"match_phrase_prefix":{"t":"hel"}}
        {"multi_match":{"query":"fox","fields":["t","k"]}}
        {"multi_match":{"query":"x","fields":["t^2","k","o.k"]}}
        {"multi_match":{"query":"hello big","fields":["t","k"],"operator":"and"}}
        {"multi_match":{"query":"hello x","fields":["t","o.*"]}}
        {"multi_match":{"query":"quick brown","fields":["t"],"type":"phrase"}}
        {"constant_score":{"filter":{"term":{"k":"a"}}}}
        {"constant_score":{"filter":{"bool":{"must":{"range":{"n":{"gt":0}}},"should":{"term":{"b":true}}}}}}
        {"nested":{"path":"tags","query":{"term":{"tags.k":"host"}}}}
        {"nested":{"path":"tags","query":{"bool":{"must":[{"term":{"tags.k":"host"}},{"term":{"tags.v":"prod"}}]}}}}
        {"nested":{"path":"tags","query":{"match_all":{}}}}
        {"nested":{"path":"tags","query":{"bool":{"must_not":{"term":{"tags.k":"host"}}}}}}
        {"bool":{"must_not":{"nested":{"path":"tags","query":{"match_all":{}}}}}}
        {"nested":{"path":"tags","query":{"term":{"k":"a"}}}}
        {"term":{"_id":"1"}}
        {"term":{"_type":"doc"}}
        {"term":{"_routing":"r1"}}
        {"exists":{"field":"_routing"}}
        {"term":{"_index":"c-query"}}
        {"query_string":{"query":"k:a"}}
        {"query_string":{"query":"k:A"}}
        {"query_string":{"query":"t:hello AND t:big"}}
        {"query_string":{"query":"t:hello OR n:44"}}
        {"query_string":{"query":"t:hello t:fox"}}
        {"query_string":{"query":"+t:hello -t:big"}}
        {"query_string":{"query":"t:quick AND NOT t:lazy"}}
        {"query_string":{"query":"NOT t:quick"}}
        {"query_string":{"query":"t:(quick AND brown)"}}
        {"query_string":{"query":"t:(quick brown)"}}
        {"query_string":{"query":"t:(quick brown)","default_operator":"AND"}}
        {"query_string":{"query":"t:quick && !t:brown"}}
        {"query_string":{"query":"(t:hello OR t:fox) AND n:[0 TO 100]"}}
        {"query_string":{"query":"t:\"quick brown\""}}
        {"query_string":{"query":"k:\"A b\""}}
        {"query_string":{"query":"t:wor*"}}
        {"query_string":{"query":"t:WOR*"}}
        {"query_string":{"query":"k:db*"}}
        {"query_string":{"query":"k:A*"}}
        {"query_string":{"query":"k:?"}}
        {"query_string":{"query":"n:[5 TO 44]"}}
        {"query_string":{"query":"n:{5 TO 44}"}}
        {"query_string":{"query":"n:>43"}}
        {"query_string":{"query":"n:<=5"}}
        {"query_string":{"query":"n:[1000 TO *]"}}
        {"query_string":{"query":"at:[2024-01-02 TO 2024-01-03]"}}
        {"query_string":{"query":"k:[a TO b}"}}
        {"query_string":{"query":"_exists_:k"}}
        {"query_string":{"query":"_exists_:o"}}
        {"query_string":{"query":"NOT _exists_:n"}}
        {"query_string":{"query":"_missing_:n"}}
        {"query_string":{"query":"*"}}
        {"query_string":{"query":"*:*"}}
        {"query_string":{"query":"k:*"}}
        {"query_string":{"query":"t:hello t:quick AND t:brown"}}
        {"query_string":{"query":"t:hello AND t:big OR t:fox"}}
        {"query_string":{"query":"t:hello OR t:quick AND t:brown","default_operator":"AND"}}
        {"query_string":{"query":"quick fox","fields":["t","k"]}}
        {"query_string":{"query":"quick fox","fields":["t"],"default_operator":"AND"}}
        {"query_string":{"query":"quick fox","default_field":"t"}}
        {"query_string":{"query":"db-1","default_field":"t"}}
        {"query_string":{"query":"k:alpha\\*beta"}}
        {"query_string":{"query":"t:db\\-1"}}
        {"query_string":{"query":"quick^2 fox","default_field":"t"}}
        {"query_string":{"query":"b:true"}}
        {"query_string":{"query":"nope:x"}}
        {"query_string":{"query":"o.k:x"}}
        {"query_string":{"query":"o.\\*:x"}}
        {"query_string":{"query":"hello"}}
        {"query_string":{"query":"44"}}
        {"query_string":{"query":"_id:1"}}
        {"query_string":{"query":""}}
        {"query_string":{"query":"tags.k:host"}}
        {"simple_query_string":{"query":"hello fox","fields":["t"]}}
        {"simple_query_string":{"query":"hello + big","fields":["t"]}}
        {"simple_query_string":{"query":"quick -lazy","fields":["t"],"default_operator":"and"}}
        {"simple_query_string":{"query":"quick | hello","fields":["t"],"default_operator":"and"}}
        {"simple_query_string":{"query":"\"quick brown\"","fields":["t"]}}
        {"simple_query_string":{"query":"wor*","fields":["t"]}}
        {"simple_query_string":{"query":"(quick + brown) | hello","fields":["t"]}}
        {"simple_query_string":{"query":"quick + (brown | big)","fields":["t"]}}
        {"foo":{}}
        {"term":{}}
        {"term":"x"}
        {"term":{"k":["a"]}}
        {"term":{"n":"abc"}}
        {"term":{"b":"zzz"}}
        {"term":{"ip":"zz"}}
        {"term":{"n":1.5}}
        {"match":{"n":"abc"}}
        {"range":{"at":{"gte":"nonsense"}}}
        {"range":{"n":{"gte":"abc"}}}
        {"range":{"n":{"foo":1}}}
        {"range":{"n":5}}
        {"terms":{"k":"a"}}
        {"terms":{}}
        {"terms":{"k":[null]}}
        {"bool":{"foo":[]}}
        {"bool":{"must":"x"}}
        {"query_string":{}}
        {"query_string":{"query":"a AND ("}}
        {"query_string":{"query":"foo bar\""}}
        {"nested":{"path":"nope","query":{"match_all":{}}}}
        {"exists":{}}
        {"match_all":{"x":1}}
        {}
        []
        "x"
        {"prefix":{"n":"5"}}
        {"constant_score":{}}
        {"match":{}}
        {"match":{"t":{"query":"x","foo":1}}}
        {"multi_match":{"query":"x"}}
        """#
}

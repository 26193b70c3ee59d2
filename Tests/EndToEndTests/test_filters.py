"""An alias with a filter on a field that the new index has in another form."""
import json

import pytest

from alone import alone
from binary import DONE, REFUSED
from test_cutover import behind, failed, rollback, rollover
from test_identity import command
from test_verify import applied, verify

TAGS = {"properties": {
    "title": {"type": "keyword"}, "tags": {"properties": {
        "host": {"type": "keyword"}, "env": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
        "disk": {"type": "keyword"}, "port": {"type": "long"}}}}}
# Before 7.0 a filter asks for a `should` also beside a `must`; from 7.0 on it does not.
SHOWN = {"bool": {
    "must": {"term": {"tags.env.raw": "prod"}}, "must_not": [{"prefix": {"tags.host": "old-"}}],
    "should": [{"terms": {"tags.host": ["db-1", "db-2"]}}, {"exists": {"field": "tags.disk"}}]}}
DOCUMENTS = {
    "0": {"env": "prod", "host": "db-1"}, "1": {"env": "prod", "host": "db-3"}, "2": {"env": "test", "host": "db-1"},
    "3": {"env": "prod", "host": ["old-1", "db-2"]}, "4": {"env": "prod", "disk": ""}, "5": {"env": ["x", "prod"],
                                                                                             "host": "db-2"},
    "6": {"env": "prod:x", "host": "db-1"}, "7": {"port": 80, "env": "prod", "disk": None, "host": "db-2"}}


def seen(cluster, name):
    return {hit["_id"] for hit in cluster.scroll(name, {"match_all": {}})}


@pytest.fixture
def make(migrate):
    def make(source, target, shown=SHOWN, others=(), **cutover):
        m = migrate(source, target, partitions=1, mapping=None, index={"transform": [{"keyToValue": "tags"}]})
        entry = m.tree["indices"][0]
        entry.pop("mapping", None)
        m.alias = f"readers-{m.name}"
        m.others = [f"{m.alias}-{other}" for other in others]
        entry["alias"] = [m.alias, *m.others] if others else m.alias
        m.tree["commands"]["application_group"] = f"app-{m.name}"
        m.tree["verify"] = {"settle": "5s", "folder": str(m.crossfade.folder / "verify")}
        m.tree["cutover"] = {"writers": "index", "parity_age": "1h", **cutover}
        m.log.create(m.topic, 1)
        documents = {ident: {"title": ident, "tags": tags} for ident, tags in DOCUMENTS.items()}
        m.log.produce(m.topic, [
            command("InsertMessageCommand", ident, message=document) for ident, document in documents.items()])
        m.source.call("PUT", f"/{m.old}", {
            "settings": {"number_of_shards": 1, "number_of_replicas": 0},
            "mappings": {"incident": TAGS} if m.source.typed else TAGS})
        m.source.bulk(m.old, [("index", ident, {}, json.dumps(document)) for ident, document in documents.items()])
        m.source.refresh(m.old)
        m.source.call("PUT", f"/{m.old}/_alias/{m.alias}", {"filter": shown})
        for other in m.others:
            m.source.call("PUT", f"/{m.old}/_alias/{other}", {})
        m.write_recipe()
        plan = m.init()
        m.rails = {rail["detail"]: rail["verdict"] for rail in plan["rails"] if rail["name"] == "source_filter"}
        m.copy()
        m.replay()
        applied(m)
        follow = m.start("follow")
        m.caught_up(follow)
        verify(m)
        return m
    return make


@pytest.mark.parametrize("source, target, shown", [
    ("es-6.8", "es-8.17", {"0", "4", "5", "7"}), ("os-3", "os-3", {"0", "1", "4", "5", "7"})])
def test_a_filter_on_a_flattened_field_shows_the_same_documents(make, source, target, shown):
    m = make(source, target)
    assert seen(m.source, m.alias) == shown
    (words, verdict), = m.rails.items()
    assert verdict == "ok" and "env:prod" in words and f"On {m.new} it will be" in words, words
    told = rollover(m)
    gate, = [gate for gate in told["gates"] if gate["gate"] == "filter"]
    assert gate["verdict"] == "passed" and f"shows {len(shown)} documents" in gate["text"], gate
    assert seen(m.target, m.alias) == shown and m.new in behind(m)
    # between two clusters the readers go back first
    assert rollback(m, *[] if source == target else ["--readers-moved"])["position"] == "rolled_back"
    assert behind(m) == ({} if source != target else {m.old: {"filter": SHOWN}})
    assert seen(m.source, m.alias) == shown


@pytest.mark.parametrize("source, target", [("es-6.8", "es-8.17"), ("os-3", "os-3")])
def test_several_aliases_of_one_index_are_moved_in_one_request(make, source, target):
    """One has a filter and one has none: each shows on the new side what it showed on the old one."""
    m = make(source, target, others=["all"])
    everything, = m.others
    shown = seen(m.source, m.alias)
    assert len(seen(m.source, everything)) == len(DOCUMENTS) > len(shown) > 0
    told = rollover(m)
    assert {move["alias"] for move in told["aliases"]} == {m.alias, everything}, told
    for alias, documents in ((m.alias, shown), (everything, set(DOCUMENTS))):
        assert seen(m.target, alias) == documents
        assert m.target.call("GET", f"/_alias/{alias}").keys() == {m.new}
    back = [] if source == target else ["--readers-moved"]
    assert rollback(m, *back)["position"] == "rolled_back"
    for alias, documents in ((m.alias, shown), (everything, set(DOCUMENTS))):
        assert seen(m.source, alias) == documents
    assert behind(m) == ({} if back else {m.old: {"filter": SHOWN}})


def test_a_filter_that_cannot_be_said_of_the_new_index(make):
    """Nobody guesses: the plan says why, the gate refuses, and the filter of the recipe must show as many documents."""
    m = make("es-8.17", "es-8.17", {"term": {"tags.port": 80}})
    (words, verdict), = m.rails.items()
    assert verdict == "warn" and "tags.port" in words and "cutover.filters" in words, words
    told = rollover(m, code=REFUSED)
    assert failed(told) == {"filter"} and behind(m).keys() == {m.old}
    for value, code in (("port:81", REFUSED), ("port:80", DONE)):
        m.tree["cutover"]["filters"] = {m.alias: {"term": {"tags.keyToValue": value}}}
        m.write_recipe()
        told = rollover(m, code=code)
    assert seen(m.target, m.alias) == {"7"} and m.new in behind(m)


@pytest.mark.parametrize("first,second,names", [
    ({"routing": "r1"}, {"routing": "r2"}, "several values of search_routing"),
    ({"filter": {"term": {"kind": "x"}}}, {}, "shows 15 documents of the old side, and"),
    ({"filter": {"term": {"kind": "x"}}}, {"filter": {"term": {"kind": "y"}}}, "shows 10 documents of the old side"),
])
def test_old_indices_whose_aliases_show_other_parts(migrate, first, second, names):
    """Two indices become one, and its alias has one routing and one filter: readers would see more, or less."""
    m = alone(migrate, "es-8.17", "es-8.17", cutover={"writers": "index"})
    old = [f"{m.old}-a", f"{m.old}-b"]
    m.source.call("DELETE", f"/{m.old}")
    mapping = {"properties": {"kind": {"type": "keyword"}}}
    m.tree["indices"][0].update({"from": ",".join(old), "mapping": mapping})
    for number, (index, definition) in enumerate(zip(old, (first, second))):
        m.source.call("PUT", f"/{index}", {
            "settings": {"number_of_shards": 2, "number_of_replicas": 0},
            "mappings": mapping})
        lines = [("index", f"{number}-{n}", {"routing": f"r{number + 1}"}, json.dumps({"kind": "xy"[n % 2]}))
                 for n in range(10)]
        m.source.bulk(index, lines)
        m.source.refresh(index)
        m.source.call("PUT", f"/{index}/_alias/{m.alias}", definition or {"is_hidden": False})
    m.write_recipe()
    m.init()
    m.copy()
    verify(m)
    told = rollover(m, code=REFUSED)
    texts = [gate["text"] for gate in told["gates"] if gate["verdict"] == "failed"]
    assert any(names in text for text in texts), texts
    assert set(behind(m)) == set(old)

"""A search cluster over plain REST, any version from 1.7 on."""
import http.client
import json
import threading
import urllib.parse

import texts


class RestError(Exception):
    def __init__(self, status, method, path, body):
        super().__init__(f"{method} {path}: {status} {body[:600]}")
        self.status = status


class Cluster:
    """One connection a thread; answers are parsed with their numbers' text kept only where `exact` says so."""

    def __init__(self, url, timeout=120):
        self.url, self.timeout = url, timeout
        self.address = urllib.parse.urlsplit(url)
        self.local = threading.local()
        self.version = tuple(int(n) for n in self.get("/")["version"]["number"].split(".")[:2])
        self.opensearch = self.get("/")["version"].get("distribution") == "opensearch"

    def request(self, method, path, body=None, kind="application/json"):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        headers = {"Content-Type": kind} if body is not None else {}
        for attempt in (0, 1):
            connection = getattr(self.local, "connection", None)
            if connection is None:
                connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=self.timeout)
                self.local.connection = connection
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (http.client.RemoteDisconnected, ConnectionError):
                # the server may drop an idle connection; all our writes may be repeated
                connection.close()
                self.local.connection = None
                if attempt:
                    raise

    def call(self, method, path, body=None, kind="application/json", exact=False, missing_ok=False):
        status, data = self.request(method, path, body, kind)
        if status == 404 and missing_ok:
            return None
        if status >= 300:
            raise RestError(status, method, path, data.decode(errors="replace"))
        if not data:
            return {}
        return texts.parse(data) if exact else json.loads(data)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    # what the old and the new say differently

    @property
    def typed(self):
        """Whether documents have a type in the path (before 7)."""
        return not self.opensearch and self.version < (7, 0)

    def create(self, index, properties, settings=None, kind="incident", **mapping):
        mapping = {**mapping, "properties": properties}
        body = {"settings": {"number_of_shards": 3, "number_of_replicas": 0, **(settings or {})},
                "mappings": {kind: mapping} if self.typed else mapping}
        return self.call("PUT", f"/{index}", body)

    def mapping(self, index):
        """The properties of an index, without a type wrapper."""
        (answer,) = self.get(f"/{index}/_mapping").values()
        mapping = answer["mappings"]
        if "properties" not in mapping and len(mapping) == 1:
            (mapping,) = mapping.values()
        return mapping

    def bulk(self, index, lines, kind="incident"):
        """`lines`: (action, id, metadata, source text or None). Raises on any failed item but a delete's 404."""
        out = []
        for action, ident, metadata, source in lines:
            head = {"_index": index, "_id": ident, **metadata}
            if self.typed:
                head["_type"] = kind
            out.append(json.dumps({action: head}))
            if source is not None:
                out.append(source)
        if not out:
            return []
        answer = self.call("POST", "/_bulk", "\n".join(out) + "\n", "application/x-ndjson")
        failed = [i for item in answer["items"] for a, i in item.items()
                  if i["status"] >= 300 and not (a == "delete" and i["status"] == 404)]
        if failed:
            raise RestError(failed[0]["status"], "POST", "/_bulk", json.dumps(failed[0]))
        return answer["items"]

    def refresh(self, index):
        self.call("POST", f"/{index}/_refresh")

    def count(self, index, query=None):
        return self.call("POST", f"/{index}/_count", {"query": query or {"match_all": {}}})["count"]

    def operations(self, index):
        """How many writes the index has taken."""
        return self.get(f"/{index}/_stats/indexing")["_all"]["primaries"]["indexing"]["index_total"]

    def scroll(self, index, query, page=2000):
        """Every hit, with `_version`; numbers keep their text."""
        body = {"size": page, "version": True, "query": query, "sort": ["_doc"]}
        answer = self.call("POST", f"/{index}/_search?scroll=2m", body, exact=True)
        while True:
            hits = answer["hits"]["hits"]
            yield from hits
            if not hits:
                break
            again = {"scroll": "2m", "scroll_id": answer["_scroll_id"]}
            answer = self.call("POST", "/_search/scroll", again, exact=True)
        self.call("DELETE", "/_search/scroll", {"scroll_id": [answer["_scroll_id"]]}, missing_ok=True)

    def indices(self):
        """Every index there is, hidden ones too."""
        return set(self.get("/_cluster/state/metadata?filter_path=metadata.indices.*.state").get("metadata", {})
                   .get("indices", {}))

    def contents(self):
        """(index, documents) of everything: what an operation that writes nothing must leave alone."""
        found = self.indices()
        for index in found:
            self.refresh(index)
        return {(index, self.count(index)) for index in found}

"""The application's own indexer: applies commands to the old cluster, in the old schema."""
import texts
from model import DELETE, INDEX, MERGE, Model

BATCH = 5000

# tags stays an object whose keys are not indexed: `dynamic: false`
PROPERTIES = {
    "title": "text", "status": "keyword", "severity": "integer", "opened_at": "long", "cost": "double",
    "host": {"name": "keyword", "address": "keyword"}, "rev": "long",
}


def properties(cluster):
    """The old schema for a version: before 5 there is only `string`."""
    def one(kind):
        if isinstance(kind, dict):
            return {"properties": {name: one(k) for name, k in kind.items()}}
        if not cluster.opensearch and cluster.version < (5, 0) and kind in ("text", "keyword"):
            return {"type": "string", **({"index": "not_analyzed"} if kind == "keyword" else {})}
        return {"type": kind}
    return {**{name: one(kind) for name, kind in PROPERTIES.items()},
            "notes": {"type": "object", "dynamic": False},
            "closed_by": one("keyword"),
            "tags": {"type": "object", "dynamic": False}}


class Indexer:
    def __init__(self, cluster, index, shape="envelope", revision=None, shards=3):
        self.cluster, self.index = cluster, index
        self.model = Model(shape, revision)
        self.dirty = {}
        cluster.create(index, properties(cluster), {"number_of_shards": shards, "refresh_interval": "30s"})

    def apply(self, records, coalesce=40_000):
        """Takes records in order; writes the touched ids after every `coalesce` records."""
        for n, (key, value) in enumerate(records, 1):
            kind, ident = self.model.apply(key, value)
            if kind in (INDEX, MERGE, DELETE):
                self.dirty[ident] = True
            if n % coalesce == 0:
                self.flush()
        self.flush()
        self.cluster.refresh(self.index)

    def flush(self):
        lines = []
        for ident in self.dirty:
            document = self.model.documents.get(ident)
            lines.append(("delete", ident, {}, None) if document is None
                         else ("index", ident, {}, texts.render(document)))
            if len(lines) >= BATCH:
                self.cluster.bulk(self.index, lines)
                lines = []
        self.cluster.bulk(self.index, lines)
        self.dirty.clear()

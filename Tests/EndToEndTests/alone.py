"""A migration without a command topic: what the application writes comes over with copies alone."""
import json

from binary import DONE

ANYTHING = {"dynamic": False, "properties": {"title": {"type": "keyword"}, "rev": {"type": "long"},
                                             "changed": {"type": "date"}}}


def alone(migrate, source, target, index=None, **sections):
    """The recipe names no commands. The old index is there, and empty; `m.alias` is what readers use."""
    m = migrate(source, target, mapping=ANYTHING, index={"transform": [], **(index or {})}, **sections)
    for section in ("commands", "replay", "dead_letters"):
        del m.tree[section]
    m.tree["verify"] = {"settle": "3s", "folder": str(m.crossfade.folder / "verify")}
    m.tree.setdefault("cutover", {}).setdefault("parity_age", "1h")
    m.alias = m.tree["indices"][0].setdefault("alias", f"readers-{m.name}")
    m.kind = "incident" if m.source.typed else "_doc"
    # the old servers take no `dynamic: false` for a whole index of types that are not there yet
    m.source.call("PUT", f"/{m.old}", {
        "settings": {"number_of_shards": 2, "number_of_replicas": 0},
        "mappings": {"incident": old_mapping(m)} if m.source.typed else ANYTHING})
    if source == target:
        m.source.call("POST", "/_aliases", {"actions": [{"add": {"index": m.old, "alias": m.alias}}]})
    m.write_recipe()
    return m


def old_mapping(m):
    text = {"type": "keyword"} if m.source.version >= (5, 0) else {"type": "string", "index": "not_analyzed"}
    return {"dynamic": False, "properties": {"title": text, "rev": {"type": "long"}, "changed": {"type": "date"}}}


def write(m, documents, **metadata):
    """Writes into the old index, as the application does: id -> document."""
    m.source.bulk(m.old, [("index", ident, dict(metadata), json.dumps(document))
                          for ident, document in documents.items()], m.kind)
    m.source.refresh(m.old)


def remove(m, *idents):
    m.source.bulk(m.old, [("delete", ident, {}, None) for ident in idents], m.kind)
    m.source.refresh(m.old)


def held(m):
    """What readers of the new index see: id -> document."""
    m.target.refresh(m.new)
    return {hit["_id"]: hit["_source"] for hit in m.target.scroll(f"{m.new}-crossfade-read", {"match_all": {}})}


def titles(m):
    return {ident: document["title"] for ident, document in held(m).items()}


def verify(m, *more, code=DONE):
    return m.run("verify", *more, seconds=120).expect(code).json


def rollover(m, *more, code=DONE):
    return m.run("rollover", *more, seconds=120).expect(code).json

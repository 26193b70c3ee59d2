"""What the new index must hold, computed from the commands by plain separate code.

`Model` takes records in the order of the log and keeps the documents in the OLD schema, as an application would;
`new_schema` turns one into the new schema.
"""
import copy

import texts

INDEX, MERGE, DELETE, SKIP, REJECT = "index", "merge", "delete", "skip", "reject"
MAX_ID_BYTES = 512


class Envelope:
    """{"command": "...", "id": "...", "message": {...}}"""

    names = {"InsertMessageCommand": INDEX, "UpdateMessageCommand": MERGE, "DeleteMessageCommand": DELETE,
             "PingCommand": SKIP}

    def decode(self, key, value):
        if value is None:
            return REJECT, None, None
        try:
            command = texts.parse(value)
        except ValueError:
            return REJECT, None, None
        if not isinstance(command, dict):
            return REJECT, None, None
        name = command.get("command")
        kind = self.names.get(name, REJECT) if isinstance(name, str) else REJECT
        if kind in (SKIP, REJECT):
            return kind, None, None
        ident = command.get("id")
        if not isinstance(ident, str) or not 1 <= len(ident.encode()) <= MAX_ID_BYTES:
            return REJECT, None, None
        message = command.get("message")
        if kind != DELETE and not isinstance(message, dict):
            return REJECT, None, None
        return kind, ident, message


class Document:
    """The value is the document, the key is its id, null is a delete."""

    def decode(self, key, value):
        if key is None:
            return REJECT, None, None
        if value is None:
            return DELETE, key.decode(), None
        try:
            document = texts.parse(value)
        except ValueError:
            return REJECT, None, None
        return (INDEX, key.decode(), document) if isinstance(document, dict) else (REJECT, None, None)


class Debezium:
    """before/after/op, with or without the schema wrapper, and a tombstone after a delete."""

    def decode(self, key, value):
        if value is None:
            return SKIP, None, None
        try:
            ident, change = texts.parse(key), texts.parse(value)
        except ValueError:
            return REJECT, None, None
        ident = ident.get("payload", ident)
        change = change.get("payload", change)
        (ident,) = ident.values()
        if change.get("op") == "d":
            return DELETE, texts.plain(ident), change.get("before")
        if change.get("op") in ("c", "u", "r"):
            return INDEX, texts.plain(ident), change["after"]
        return REJECT, None, None


SHAPES = {"envelope": Envelope, "document": Document, "debezium": Debezium}


def merge(base, partial):
    """Merges like Elasticsearch's update API: objects recursively, everything else is replaced."""
    for key, value in partial.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = copy.deepcopy(value)


class Model:
    """The documents of the old schema after the commands taken so far.

    `revision`: the field of the document (or of a delete's message) that holds its version; a command whose number
    is not above what the id has seen is stale. Without it the order of the log decides.
    """

    def __init__(self, shape="envelope", revision=None):
        self.decoder = SHAPES[shape]()
        self.revision = revision
        self.documents = {}
        self.last = {}
        self.counts = {INDEX: 0, MERGE: 0, DELETE: 0, SKIP: 0, REJECT: 0, "stale": 0}

    def apply(self, key, value, mark=None):
        """Takes one record; returns (kind, id). `mark` is kept as the coordinate of the id's newest command."""
        kind, ident, document = self.decoder.decode(key, value)
        if ident is not None and self.revision:
            mark = int(texts.plain(document[self.revision]))
            if mark <= self.last.get(ident, -1):
                self.counts["stale"] += 1
                return "stale", ident
        self.counts[kind] += 1
        if ident is None:
            return kind, None
        self.last[ident] = mark
        if kind == DELETE:
            self.documents.pop(ident, None)
        elif kind == INDEX or ident not in self.documents:
            self.documents[ident] = document
        else:
            merge(self.documents[ident], document)
        return kind, ident

    def expected(self, flattened=("tags",)):
        """id -> document of the new schema."""
        return {ident: new_schema(document, flattened) for ident, document in self.documents.items()}


def new_schema(document, flattened=("tags",)):
    out = dict(document)
    for field in flattened:
        if isinstance(out.get(field), dict):
            out[field] = key_to_value(out[field])
    return out


def key_to_value(tags, null="drop", empty="keep"):
    """The result of keyToValue: {"host": "db-1"} -> [{"keyToValue": "host:db-1", "value": "db-1"}]"""
    return [{"keyToValue": f"{key}:{texts.plain(value) if value is not None else ''}",
             "value": None if value is None else texts.plain(value)}
            for key, value in flat(tags, "")
            if not (value is None and null == "drop") and not (value == "" and empty == "drop")]


def flat(value, path):
    """(escaped dotted key, scalar), sorted by key."""
    if isinstance(value, dict):
        for key in sorted(value, key=lambda k: k.encode()):
            escaped = key.replace("\\", "\\\\").replace(":", "\\:")
            yield from flat(value[key], f"{path}.{escaped}" if path else escaped)
    elif isinstance(value, list):
        for item in value:
            yield from flat(item, path)
    else:
        yield path, value

"""Commands as an incident application writes them: (key, value) pairs of bytes, the same for the same seed."""
import random

import texts

STATUSES = ["open", "acknowledged", "in progress", "resolved", "closed"]
WORDS = ("disk cpu memory latency timeout queue replica shard leader certificate expired refused slow full restart "
         "löschen données 磁盘 \U0001f525 \"quoted\" back\\slash new\nline").split(" ")
# texts that a double would spoil
NUMBERS = ["0.10", "1e400", "9223372036854775807", "1.000", "-0.0", "3.141592653589793238462643", "1E5",
           "12345678901234567890"]


class Workload:
    """`commands` records over `ids` ids with tags of `tag_keys` keys, `malformed` of which are rejects.

    `revisions` adds a growing `rev` to every document and delete, and repeats some old inserts late, which must lose.
    """

    def __init__(self, seed, commands, ids, tag_keys=20_000, malformed=0, pings=None, shape="envelope", revisions=False,
                 odd_keys=True, odd_numbers=True):
        self.seed, self.commands, self.ids, self.tag_keys = seed, commands, ids, tag_keys
        self.malformed, self.shape, self.revisions = malformed, shape, revisions
        self.pings = commands // 3000 if pings is None else pings
        self.odd_keys, self.odd_numbers = odd_keys, odd_numbers

    def __iter__(self):
        r = random.Random(self.seed)
        special = r.sample(range(self.commands), self.malformed + self.pings)
        special = {at: n for n, at in enumerate(special)}
        self.alive, self.rev, self.early = set(), {}, {}
        n = 0
        while n < self.commands:
            if n in special and self.shape == "envelope":
                which = special[n]
                yield malformed(which, r) if which < self.malformed else ping(r)
                n += 1
                continue
            for record in self.command(r, f"inc-{r.randrange(self.ids):06d}"):
                yield record
                n += 1
                if n >= self.commands:
                    break

    def command(self, r, ident):
        """One command as one record, or two where a format says so."""
        roll = r.random()
        if ident not in self.alive or roll < 0.35:
            if self.revisions and ident in self.early and roll < 0.05:
                return [self.early[ident]]
            # an update of what is not there makes it (`missing: create`)
            kind = "update" if roll > 0.99 else "insert"
            self.alive.add(ident)
        elif roll < 0.85:
            kind = "update"
        else:
            kind = "delete"
            self.alive.discard(ident)
        document = {"insert": self.document, "update": self.part, "delete": lambda r, i: {}}[kind](r, ident)
        if self.revisions:
            self.rev[ident] = self.rev.get(ident, 0) + r.randrange(1, 5)
            document["rev"] = texts.number(self.rev[ident])
        records = self.formats[self.shape](self, kind, ident, document, r)
        if kind == "insert":
            self.early.setdefault(ident, records[0])
        return records

    def tag(self, r):
        n = r.randrange(self.tag_keys)
        key = f"key_{n:05d}"
        if self.odd_keys and n % 97 == 0:
            key = f"key:{n:05d}" if n % 2 else f"key\\{n:05d}"
        roll = r.random()
        if roll < 0.70:
            value = f"{r.choice(WORDS)}-{r.randrange(1000)}"
        elif roll < 0.80:
            value = texts.number(r.choice(NUMBERS) if self.odd_numbers else r.randrange(100_000))
        elif roll < 0.87:
            value = r.random() < 0.5
        elif roll < 0.92:
            value = [f"v{r.randrange(9)}", f"w{r.randrange(9)}"]
        elif roll < 0.96:
            value = ""
        else:
            value = None
        return key, value

    def tags(self, r, least, most):
        return dict(self.tag(r) for _ in range(r.randint(least, most)))

    def document(self, r, ident):
        document = {
            "title": " ".join(r.choice(WORDS) for _ in range(r.randint(2, 6))),
            "status": r.choice(STATUSES),
            "severity": texts.number(r.randrange(6)),
            "opened_at": texts.number(1_700_000_000_000 + r.randrange(10**10)),
            "cost": texts.number(f"{r.randrange(1000)}.{r.randrange(100):02d}0"),
            "host": {"name": f"db-{r.randrange(500)}", "address": f"10.0.{r.randrange(256)}.{r.randrange(256)}"},
            "tags": self.tags(r, 0, 8),
        }
        if r.random() < 0.3:
            document["notes"] = [{"by": r.choice(WORDS), "at": texts.number(n)} for n in range(r.randint(0, 3))]
        if r.random() < 0.05:
            document["closed_by"] = None
        return document

    def part(self, r, ident):
        part = {}
        if r.random() < 0.6:
            part["status"] = r.choice(STATUSES)
        if r.random() < 0.4:
            part["host"] = {"name": f"db-{r.randrange(500)}"}
        if r.random() < 0.5:
            part["tags"] = self.tags(r, 1, 3)
        if r.random() < 0.2:
            part["notes"] = [{"by": "update", "at": texts.number(r.randrange(100))}]
        part["severity"] = texts.number(r.randrange(6))
        return part

    # the formats

    names = {"insert": "InsertMessageCommand", "update": "UpdateMessageCommand", "delete": "DeleteMessageCommand"}

    def envelope(self, kind, ident, document, r):
        command = {"command": self.names[kind], "id": ident}
        if kind != "delete" or document:
            command["message"] = document
        return [(ident.encode(), texts.render(command).encode())]

    def document_format(self, kind, ident, document, r):
        if kind == "delete":
            return [(ident.encode(), None)]
        return [(ident.encode(), texts.render(document if kind == "insert" else self.document(r, ident)).encode())]

    def debezium(self, kind, ident, document, r):
        whole = self.document(r, ident) if kind != "delete" else None
        change = {"before": None if kind == "insert" else {"id": ident}, "after": whole,
                  "op": {"insert": r.choice("cr"), "update": "u", "delete": "d"}[kind],
                  "source": {"table": "incidents"},
                  "ts_ms": texts.number(1_700_000_000_000)}
        key = {"id": ident}
        if r.random() < 0.5:
            change, key = {"schema": {"type": "struct", "fields": []},
                           "payload": change}, {"schema": {"type": "struct"}, "payload": key}
        key = texts.render(key).encode()
        # one id must land in one partition whichever way its key was written: the record's partition key is the id
        change = (Keyed(key, ident), texts.render(change).encode())
        return [change, (Keyed(key, ident), None)] if kind == "delete" else [change]


Workload.formats = {"envelope": Workload.envelope, "document": Workload.document_format, "debezium": Workload.debezium}


class Keyed(bytes):
    """A record key with another text that chooses the partition."""

    def __new__(cls, key, by):
        self = super().__new__(cls, key)
        self.by = by.encode()
        return self




def ping(r):
    ident = f"ping-{r.randrange(100)}"
    return ident.encode(), texts.render({"command": "PingCommand", "id": ident,
                                         "message": {"n": texts.number(1)}}).encode()


def malformed(n, r):
    """The n-th kind of record that no consumer can take, for an id that exists."""
    ident = f"inc-{r.randrange(1000):06d}"
    insert = '{"command":"InsertMessageCommand","id":"%s","message":%s}'
    kinds = [
        b"this is not JSON",
        (insert % (ident, '{"title":"cut')).encode(),
        b"[1,2,3]",
        b"42",
        b"",
        b'{"command":"InsertMessageCommand","message":{"title":"no id"}}',
        b'{"command":"InsertMessageCommand","id":null,"message":{"title":"null id"}}',
        b'{"command":"InsertMessageCommand","id":{"a":1},"message":{"title":"object id"}}',
        b'{"command":"InsertMessageCommand","id":"","message":{"title":"empty id"}}',
        (insert % ("x" * 513, '{"title":"long id"}')).encode(),
        ('{"command":"ReindexEverythingCommand","id":"%s","message":{}}' % ident).encode(),
        ('{"id":"%s","message":{"title":"no command"}}' % ident).encode(),
        ('{"command":7,"id":"%s","message":{"title":"number command"}}' % ident).encode(),
        (insert % (ident, '"a string"')).encode(),
        (insert % (ident, "[]")).encode(),
        (insert % (ident, "null")).encode(),
        ('{"command":"UpdateMessageCommand","id":"%s"}' % ident).encode(),
        # An id of its own: the target refuses it, unless a later command of the same write replaces it.
        (insert % (f"bytes-{n}", '{"title":"bad \xff\xfe"}')).encode("latin-1"),
        (insert % (ident, '{"title":"twice"}')).encode() * 2,
        (insert % (ident, '{"title":01}')).encode(),
        (insert % (ident, '{"title":NaN}')).encode(),
        b"\x00\x00\x00\x00\x07\x0cavro-ish\x02\x04",
        (insert % (ident, '{"title":"raw \x01 control"}')).encode(),
    ]
    return ident.encode(), kinds[n % len(kinds)]

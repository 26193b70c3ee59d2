"""A seeded HTTP proxy before the target that does what servers and networks do at their worst, and that writes down
what the target really applied.

A rule is a fault with a chance: `proxy.rule("drop", 0.2)`. The first rule whose dice fall decides what is done with a
bulk request; everything else passes through. Its kinds:

    drop       the target applies it, the answer is never sent
    cut        the target applies it, half of the answer is sent
    delay      `seconds` before the target gets it
    lost       the target never gets it, the connection is closed
    status     the target never gets it; answered with `status`
    items      `share` of its items never reach the target; each of them is answered with `status`
    text       the target applies it; the answer is no JSON
    fewer      the target applies it; an item is missing in the answer
    more       the target applies it; an item is answered twice
    unsaid     the target applies it; an item of the answer has no status
    hold       kept until `release()`, then given to the target, whoever still waits for the answer
"""
import json
import random
import threading
import time
import urllib.parse
from collections import Counter

import endtoend  # noqa: F401
from proxy import Proxy

SEEN = "items.*._index,items.*._id,items.*._version,items.*._seq_no,items.*._primary_term,items.*.result"
ERRORS = {429: "es_rejected_execution_exception", 503: "unavailable_shards_exception"}


class Rule:
    def __init__(self, kind, chance=1.0, times=None, **options):
        self.kind, self.chance, self.times, self.options = kind, chance, times, options
        self.asked = 0

    def falls(self, dice):
        """By chance, and for the first time at its third request at the latest: a fault that never came shows
        nothing."""
        self.asked += 1
        return self.times != 0 and (dice.random() < self.chance or self.asked == 3)


class Applied:
    """Every write that the target says it has applied: sending alone does not count."""

    def __init__(self):
        self.lock = threading.Lock()
        self.writes = []

    def take(self, items, body):
        with self.lock:
            for item, kind in zip(items, kinds(body), strict=True):
                for answer in item.values():
                    if answer["status"] < 300:
                        self.writes.append((answer["_index"], answer["_id"], answer.get("_primary_term", 0),
                                            answer["_seq_no"], answer["_version"], kind))

    def of(self, index):
        with self.lock:
            return [write[1:] for write in self.writes if write[0] == index]

    def newest(self, index):
        """Id -> the highest applied version."""
        found = {}
        for ident, _, _, version, _ in self.of(index):
            found[ident] = max(version, found.get(ident, 0))
        return found

    def duplicates(self, index):
        """Writes of a document that came after one of the same or a higher version, in the order of the shard
        (`_primary_term`, `_seq_no`): each (id, version). Not counted: a delete that is read again, which renews its
        tombstone, and a purge, which removes a tombstone at the tombstone's own version."""
        newest, found = {}, []
        for ident, _, _, version, kind in sorted(self.of(index), key=lambda write: (write[1], write[2])):
            before, was = newest.get(ident, (-1, None))
            again = version == before and was == "tombstone" and kind in ("tombstone", "delete")
            if version <= before and not again:
                found.append((ident, version))
            if version >= before:
                newest[ident] = (version, kind)
        return found


def kinds(body):
    """The kind of each item of a bulk request: its action, or `tombstone`."""
    lines = iter(body.rstrip(b"\n").split(b"\n"))
    for line in lines:
        action = next(iter(json.loads(line)))
        source = b"" if action == "delete" else next(lines)
        yield "tombstone" if source.startswith(b'{"crossfade_deleted":true,') else action


class FaultProxy(Proxy):
    def __init__(self, upstream, seed):
        super().__init__(upstream)
        self.random, self.lock = random.Random(seed), threading.Lock()
        self.rules, self.done = [], Counter()
        self.applied = Applied()
        self.released, self.held, self.delivered = threading.Event(), [], 0
        # the client may be killed before the answer
        self.server.handle_error = lambda *_: None

    def rule(self, kind, chance=1.0, times=None, **options):
        self.rules.append(Rule(kind, chance, times, **options))

    def clear(self):
        self.rules = []

    def release(self):
        self.released.set()

    def __exit__(self, *_):
        self.released.set()
        super().__exit__()

    def choose(self, path, body):
        with self.lock:
            for rule in self.rules:
                wanted = rule.options.get("holding")
                if (wanted and not wanted(path, body)) or not rule.falls(self.random):
                    continue
                if rule.times is not None:
                    rule.times -= 1
                self.done[rule.kind] += 1
                return rule, random.Random(self.random.random())
        return None, None

    def handle(self, handler, body):
        split = urllib.parse.urlsplit(handler.path)
        if not split.path.endswith("/_bulk"):
            status, headers, data = handler.ask(body)
            return self.close(handler) if status == 502 and not data else handler.answer(status, headers, data)
        rule, dice = self.choose(split.path, body)
        kind = rule.kind if rule else "pass"
        if kind == "lost":
            return self.close(handler)
        if kind == "status":
            status = rule.options["status"]
            error = {"error": {"type": ERRORS.get(status, "http_exception"), "reason": "by the fault proxy"},
                     "status": status}
            return handler.answer(status, [("Content-Type", "application/json")], json.dumps(error).encode())
        if kind == "delay":
            time.sleep(rule.options["seconds"])
        if kind == "hold":
            self.held.append((split.path, body))
            self.released.wait()
        chosen = set()
        if kind == "items":
            body, chosen, count = without(body, rule.options["share"], dice)
        if body:
            status, headers, data = self.forward(handler, split, body)
            if status == 502 and not data:
                return self.close(handler)
        else:
            status, headers, data = 200, [("Content-Type", "application/json")], b'{"took":0,"errors":true,"items":[]}'
        if chosen and status == 200:
            data = with_errors(data, chosen, count, rule.options["status"])
        if kind == "hold":
            with self.lock:
                self.delivered += 1
        self.finish(handler, kind, (status, headers, data), dice)

    def forward(self, handler, split, body):
        """Asks for more than the client did, writes it down, and returns what the client would have got."""
        query = dict(urllib.parse.parse_qsl(split.query))
        asked = query.get("filter_path")
        if asked is not None:
            query["filter_path"] = f"{asked},{SEEN}"
        status, headers, data = handler.ask(body, f"{split.path}?{urllib.parse.urlencode(query, safe='*,.')}")
        if status == 200:
            answer = json.loads(data)
            self.applied.take(answer["items"], body)
            if asked is not None:
                answer["items"] = [{action: {name: value[name] for name in ("status", "error") if name in value}
                                    for action, value in item.items()} for item in answer["items"]]
                data = render(answer)
        return status, headers, data

    def finish(self, handler, kind, answer, dice):
        status, headers, data = answer
        if kind == "drop":
            return self.close(handler)
        if kind == "cut":
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data[:max(1, len(data) // 2)])
            return self.close(handler)
        if kind == "text":
            data = b"<html><body>upstream said something</body></html>"
        if kind in ("fewer", "more", "unsaid") and status == 200:
            tree = json.loads(data)
            at = dice.randrange(len(tree["items"]))
            if kind == "fewer":
                del tree["items"][at]
            elif kind == "more":
                tree["items"].insert(at, tree["items"][at])
            else:
                (value,) = tree["items"][at].values()
                value.pop("status")
            data = render(tree)
        handler.answer(status, headers, data)

    @staticmethod
    def close(handler):
        handler.close_connection = True
        handler.connection.close()


def render(tree):
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False).encode()


def items_of(body):
    """The items of a bulk body, each as its lines."""
    lines = iter(body.split(b"\n"))
    for head in lines:
        if head:
            (action,) = json.loads(head)
            yield [head] if action == "delete" else [head, next(lines)]


def without(body, share, dice):
    """The body without some of its items; their places and actions; the number of items before."""
    kept, chosen, count = [], {}, 0
    for at, lines in enumerate(items_of(body)):
        count += 1
        if dice.random() < share:
            (chosen[at],) = json.loads(lines[0])
        else:
            kept += lines
    return b"\n".join(kept) + b"\n" if kept else b"", chosen, count


def with_errors(data, chosen, count, status):
    tree = json.loads(data)
    answered = iter(tree["items"])
    error = {"status": status, "error": {"type": ERRORS[status], "reason": "rejected execution by the fault proxy"}}
    tree["items"] = [{chosen[at]: error} if at in chosen else next(answered) for at in range(count)]
    tree["errors"] = True
    return render(tree)

"""Records, documents and answers that are small and would become large: memory stays bounded, each is written or a
dead letter that names the limit, and what comes after them is applied."""
import gzip

from binary import DIFFERS, DONE, FAILED
from indexer import properties
from memory import finish_watched, watch
from proxy import Proxy
from test_memory import BASE

LIMIT = 64
# a document of `document_growth` (docs/recipe.md) in a buffer that doubles, for each of two workers
GROWTH = 2 * 2 * 64
# docs/verify.md
VERIFY = 190
# a tree of the most values, `json_values`
TREE = 1024
ROUNDS = 2
PLAIN = '{"title":"odd"}'


def nested(levels, inside):
    return "[" * levels + inside + "]" * levels


def message(inside):
    """A whole document; the title is what is compared."""
    return '{"title":"odd",' + inside + "}"


def kinds():
    """Kind -> the document's text, and the reason and the limit of the dead letter that it becomes; None: written."""
    ones = ",".join("1" for _ in range(20_000))
    members = ",".join(f'"{n}":1' for n in range(60_000))
    return {
        "names": (message('"tags":1,' * 80_000 + '"tags":{"a":1}'), None, None),
        "key": (message('"tags":{"' + "k" * 2000 + '":{' + members + "}}"), "too_large", "document_growth"),
        "arrays": (message('"tags":{"a":' + nested(900, ones) + "}"), None, None),
        "deep": (message('"notes":{"a":' + nested(1001, "1") + "}"), "too_deep", "json_depth"),
        "dots": (message('"tags":{"' + "a." * 4000 + 'x":1,"a":{"b":1}}'), None, None),
        "trees": (message('"notes":{"a":[' + ",".join("[]" for _ in range(250_000)) + "]}"), None, None),
    }


def produce(m, run):
    """Each kind twice, one after another, a megabyte of headers, and an ordinary record behind them all. Returns
    id -> the record's offset, and the reason and the limit of its dead letter."""
    records = [(f"{kind}-{run}-{n}", *rest, []) for n in range(ROUNDS) for kind, rest in kinds().items()]
    records.append((f"headers-{run}", PLAIN, None, None, [(f"h{n}", b"x" * 20) for n in range(20_000)]))
    records.append((f"{run}" + "long" * 200, PLAIN, "id_too_long", "id_bytes", []))
    records.append((f"after-{run}", PLAIN, None, None, []))
    expected, producer, first = {}, m.log.producer(), m.log.ends(m.topic)[0]
    for offset, (ident, text, reason, limit, headers) in enumerate(records, first):
        value = f'{{"command":"InsertMessageCommand","id":"{ident}","message":{text}}}'
        producer.produce(m.topic, value.encode(), ident.encode(), headers=headers)
        expected[ident] = offset, reason, limit
    producer.finish()
    return expected


def check(m, expected, died):
    """Each is written, or a dead letter whose detail names the limit."""
    m.target.refresh(m.new)
    for ident, (offset, reason, limit) in expected.items():
        if reason is None:
            assert offset not in died, f"{ident} is a dead letter: {died[offset]}"
            found = m.target.get(f"/{m.new}/_doc/{ident}?_source=title")
            assert found["_source"]["title"] == "odd", found
        else:
            assert died[offset][0] == reason and f"(fixed limit {limit})" in died[offset][1], (ident, died.get(offset))


def letters(m):
    """Offset of the record, or id of the copied document -> (reason, detail)."""
    found = {}
    for _, _, key, _, headers, _ in m.log.read(f"{m.topic}-dead"):
        headers = {name: (text or b"").decode() for name, text in headers}
        at = int(headers["crossfade.offset"]) if "crossfade.offset" in headers else key.decode()
        found[at] = headers["crossfade.reason"], headers["crossfade.detail"]
    return found


def bounded(peak, what, most=LIMIT + BASE + GROWTH):
    print(f"{what}: {peak >> 20} MiB")
    assert peak < most << 20, f"{what}: {peak >> 20} MiB with limits.memory of {LIMIT} MiB"


class Bomb(Proxy):
    """Answers with a state document of 32 KB that is 30 MB of small values, once it is armed."""
    armed = False
    small = gzip.compress(b'{"_source":{"a":[' + b"[]," * 10_000_000 + b"[]]}}")

    def handle(self, handler, body):
        status, headers, data = handler.ask(body)
        if self.armed and "/.crossfade-" in handler.path and handler.command == "GET":
            headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
            status, data = 200, self.small
        handler.answer(status, headers, data)


def test_small_things_that_would_grow(migrate):
    m = migrate("es-6.8", "es-8.17", partitions=1, limits={"memory": f"{LIMIT}MiB"}).prepare(indexed=False)
    m.source.create(m.old, properties(m.source))
    # the server itself refuses repeated names
    copied = {kind: rest for kind, rest in kinds().items() if kind != "names"}
    for kind, (text, _, _) in copied.items():
        m.source.bulk(m.old, [("index", f"{kind}-copied-{n}", {}, text) for n in range(ROUNDS)])
    m.source.bulk(m.old, [("index", f"plain-{n}", {}, PLAIN) for n in range(20)])
    m.source.refresh(m.old)
    with Bomb(m.target.url) as proxy:
        m.write_recipe(target={"url": proxy.url})
        m.init()
        first = produce(m, "replayed")
        result, peak = finish_watched(m.start("copy"), 300)
        result.expect(DONE)
        bounded(peak, "copy")
        result, peak = finish_watched(m.start("replay"), 300)
        result.expect(DONE)
        bounded(peak, "replay")
        follow = m.start("follow")
        follow.assigned()
        second = produce(m, "followed")
        bounded(watch(follow, lambda: m.lag() == 0, 300), "follow")
        m.stop(follow)

        died = letters(m)
        check(m, {**first, **second}, died)
        for kind, (_, reason, limit) in copied.items():
            for n in range(ROUNDS):
                ident = f"{kind}-copied-{n}"
                if reason is None:
                    assert ident not in died and m.target.get(f"/{m.new}/_doc/{ident}")["found"], died.get(ident)
                else:
                    assert died[ident][0] == reason and f"(fixed limit {limit})" in died[ident][1], died.get(ident)
        assert len(died) == 2 * (2 * ROUNDS + 1) + 2 * ROUNDS

        listing = m.crossfade.start("dead-letters", "list", m.recipe, "--format", "json")
        result, peak = finish_watched(listing, 300)
        result.expect(DONE)
        bounded(peak, "dead-letters list")
        result, peak = finish_watched(m.start("verify"), 300)
        # nobody wrote the records' documents to the old index
        result.expect(DIFFERS)
        # two readers of the old side, and the early look beside them
        bounded(peak, "verify", VERIFY + GROWTH // 2 * 3)
        for command in ("status", "follow"):
            proxy.armed = True
            result, peak = finish_watched(m.start(command), 300)
            result.expect(FAILED)
            assert "(fixed limit json_values)" in result.err, result
            bounded(peak, command, TREE)

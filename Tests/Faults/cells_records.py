"""Records that are wrong, odd, or all for one document; and dead letters that cannot be written."""
import texts
from binary import FAILED
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from model import DELETE, INDEX, MERGE
from suite import cell
from workload import Workload

INSERT = '{"command":"InsertMessageCommand","id":%s,"message":%s}'


def odd_but_good():
    """Records that look wrong but are right: (key, value)."""
    ids = ["new\nline", "tab\t quote\" back\\slash", "\x01\x1f\x7f control", "x" * 512, "é" * 256, "\U0001f525", " ",
           "../..", "_id", "\ufeff bom"]
    for n, ident in enumerate(ids):
        yield ident.encode(), (INSERT % (texts.render(ident), '{"title":"odd id %d"}' % n)).encode()
    bodies = [
        '{\n  "title": "lines\\nand lines",\r\n\t"tags": {\n "a": 1 }\n}',
        '{"notes":[{"at":9007199254740993},{"at":-9223372036854775809},{"at":18446744073709551616},{"at":1e400}]}',
        '{"title":"\\u0000 nul, \\ud83d\\udd25 pair"}',
        '{"title":"\\/ \\b \\f \\u00e9"}',
        '{"tags":{"":"empty key","a:b":"colon","a\\\\b":"backslash","new\\nline":"x","é":null}}',
        '{}',
        # Half of a surrogate pair: every cluster takes it.
        '{"title":"lone \\ud800 surrogate"}',
    ]
    for n, body in enumerate(bodies):
        ident = f"odd-{n}"
        yield ident.encode(), (INSERT % (texts.render(ident), body)).encode()


def never_good():
    """Further records that nobody can take, beside those of the workload: twice the same key, a control
    character, no UTF-8."""
    insert = INSERT % ('"poison-%d"', "%s")
    yield from (
        (insert % (0, '{"title":"one","title":"two"}')).encode(),
        (insert % (1, '{"title":"a raw \x01 control character"}')).encode(),
        (insert % (2, '{"title":"no utf-8 \xff"}')).encode("latin-1"),
        b'{"command":"InsertMessageCommand","id":"no utf-8 \xc3\x28","message":{}}',
        (insert % (4, '{"severity":"not a number"}')).encode(),
        (insert % (5, '{"severity":9223372036854775808}')).encode(),
        (insert % (6, '{"host":"an object is mapped"}')).encode(),
        (insert % (7, "{" + '"a":{' * 2000 + "}" * 2000 + "}")).encode(),
    )


@cell("poison records, 5 %", short={"commands": 4000}, long={"commands": 250_000})
def poison(make, size):
    """Every kind again and again, and odd but good ones: those are applied, and only the others are dead letters."""
    commands = size["commands"]
    records = list(Workload(make.seed, commands, commands // 4, 1000, malformed=commands // 20))
    bad = list(never_good())
    r = make.random()
    for n in range(len(bad) * 3):
        records.insert(r.randrange(len(records)), (b"poison-%d" % (n % len(bad)), bad[n % len(bad)]))
    odd = list(odd_but_good())
    for record in odd:
        records.insert(r.randrange(len(records)), record)
    m = make(records, copied=0.6)
    # the old indexer's bulk would stop at records that only this target refuses, so there is no source
    m.prepare(indexed=False)
    m.alone()
    m.init()
    m.replay()
    follow = m.start("follow")
    m.rest()
    m.caught_up(follow)
    m.stop(follow)
    truth = m.truth()
    dead = 0
    for n in range(len(bad)):
        if truth.expected.pop(f"poison-{n}", None) is not None:
            dead += 3
            truth.versions.pop(f"poison-{n}")
    m.judge(truth)
    m.letters(truth.model.counts["reject"] + dead)
    m.note(f"{truth.model.counts['reject'] + dead} dead letters, {len(odd)} odd ones landed")


class HotKey:
    """Commands of one document, a few others between them."""

    def __init__(self, seed, commands):
        self.inner, self.commands, self.seed = Workload(seed, commands, 1, 20), commands, seed

    def __iter__(self):
        others = iter(Workload(self.seed + 1, self.commands // 50 + 1, 200, 20))
        for n, record in enumerate(self.inner):
            yield next(others) if n % 50 == 25 else record


@cell("hot key", short={"commands": 10_000}, long={"commands": 1_000_000})
def hot_key(make, size):
    """All in one partition and for one document: whole, partial and delete in turn."""
    m = make(HotKey(make.seed, size["commands"]), copied=0.5)
    m.prepare()
    m.init()
    m.copy()
    m.replay(seconds=600)
    follow = m.start("follow")
    m.rest()
    m.caught_up(follow, seconds=600)
    m.stop(follow)
    m.judge()
    writes = len(m.proxy.applied.of(m.new))
    m.note(f"{writes} writes")


@cell("dead-letter topic cannot be written", short={"commands": 2000}, long={"commands": 100_000})
def unwritable(make, size):
    """The work must stop, not skip: nothing after the record is committed. Once it can be written, all goes on."""
    m = make(Workload(make.seed, size["commands"], size["commands"] // 4, 500, malformed=5), copied=0.5)
    records = m.records
    m.records = [(k, v) for k, v in records if m.kind(k, v) in (INDEX, MERGE, DELETE)]
    bad = [(k, v) for k, v in records if m.kind(k, v) == "reject"]
    m.split = len(m.records) // 2
    m.ready()
    dead = m.tree["dead_letters"]["topic"]
    if dead not in m.log.topics():
        m.log.create(dead, 1)
    limit(m.log, dead, 20)
    m.log.produce(m.topic, bad)
    m.rest()
    poison = {}
    for partition, offset, key, value, *_ in m.log.read(m.topic):
        if m.kind(key, value) == "reject":
            poison.setdefault(partition, offset)
    for _ in range(2):
        result = m.run("follow", seconds=60)
        result.expect(FAILED)
        assert dead in result.err, result
        committed = m.log.committed(m.group, m.topic)
        beyond = {p: o for p, o in poison.items() if committed.get(p, 0) > o}
        assert not beyond, f"committed beyond a record without its dead letter: {beyond}, committed {committed}"
    limit(m.log, dead, 1_000_000)
    follow = m.start("follow")
    m.caught_up(follow)
    m.stop(follow)
    m.judge()
    m.letters(len(bad))


def limit(log, topic, size):
    """The largest record that the topic accepts."""
    entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    log.admin.incremental_alter_configs([resource])[resource].result(30)

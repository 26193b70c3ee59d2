"""A log with holes, with an open transaction, cut, created again, with more partitions, or gone backwards."""
import signal
import time

from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from binary import DONE
from case import Kept
from indexer import Indexer
from log import if_told, send
from stack import wait_for
from suite import cell
from workload import Keyed, Workload


@cell("aborted transactions, an open one at the tail", short={"commands": 2000}, long={"commands": 200_000})
def transactions(make, size):
    """One transaction in three is aborted; the last one stays open while a replay comes to its end, and is then
    committed."""
    m = make(Workload(make.seed, size["commands"], size["commands"] // 4, 500), copied=0.7)
    m.log.create(m.topic, m.partitions)
    producer = Producer({**m.log.config, "transactional.id": f"app-{m.name}", "linger.ms": 5})
    producer.init_transactions(30)
    step, committed = max(1, len(m.records) // 30), []

    def transaction(records, end):
        producer.begin_transaction()
        for key, value in records:
            send(producer, m.topic, key, value, m.partitions)
        producer.flush(60)
        if end is not None:
            end(60)
    chunks = [m.records[at:at + step] for at in range(0, len(m.records), step)]
    for n, chunk in enumerate(chunks[:-1]):
        transaction(chunk, producer.abort_transaction if n % 3 == 1 else producer.commit_transaction)
        committed += chunk if n % 3 != 1 else []
    indexer = Indexer(m.source, m.old)
    indexer.apply(committed[:len(committed) // 2])
    m.write_recipe()
    m.init()
    m.copy()
    transaction(chunks[-1], None)
    replay = m.start("replay")
    wait_for("the replay's end, or word of the open transaction",
             lambda: not replay.running or "transaction" in replay.err_file.read_text(errors="replace"), 60)
    if replay.running:
        producer.commit_transaction(60)
        m.take(replay.wait(60))
    else:
        m.take(replay.wait(1))
        m.judge()
        producer.commit_transaction(60)
    # the end of a transaction is acknowledged before its markers are written
    wait_for("the markers", lambda: sum(1 for _ in m.log.read(m.topic)) == len(committed) + len(chunks[-1]), 60)
    follow = m.start("follow")
    m.caught_up(follow)
    m.stop(follow)
    truth = m.judge()
    assert truth.records == len(committed) + len(chunks[-1])
    m.note(f"{len(chunks) // 3} of {len(chunks)} aborted")


@cell("compacted topic with gaps", short={"commands": 2000}, long={"commands": 200_000})
def compacted(make, size):
    m = make(Workload(make.seed, size["commands"], size["commands"] // 20, 500, shape="document"), shape="document",
             copied=0.5)
    m.log.create(m.topic, m.partitions,
                 **{"cleanup.policy": "compact", "segment.ms": "300", "min.cleanable.dirty.ratio": "0.01"})
    for part in range(3):
        step = m.split // 3 + 1
        m.log.produce(m.topic, m.records[part * step:min(m.split, (part + 1) * step)])
        time.sleep(0.4)
    Indexer(m.source, m.old, m.shape).apply(m.records[:m.split])
    # the next records are in the segment that is never compacted
    m.log.produce(m.topic, m.records[m.split:m.split + 12])

    def holes():
        return sum(1 for _ in m.log.read(m.topic)) < 0.5 * sum(m.log.ends(m.topic).values())
    wait_for("half of the log to be compacted away", holes, 180, pause=0.5)
    left = sum(1 for _ in m.log.read(m.topic))
    m.write_recipe()
    m.init()
    m.copy()
    summary = m.replay()
    assert all(p["position"] == p["end"] for p in summary["partitions"]), summary
    follow = m.start("follow")
    m.log.produce(m.topic, m.records[m.split + 12:])
    m.caught_up(follow)
    m.stop(follow)
    m.judge()
    m.note(f"{left} of {m.split + 12} records were left")


def half_followed(make, size, **options):
    """Half of the commands are copied, replayed and followed; the follower stops in order."""
    m = make(Workload(make.seed, size["commands"], size["commands"] // 4, 500), copied=0.4, **options).ready()
    follow = m.start("follow")
    half = (m.split + len(m.records)) // 2
    m.log.produce(m.topic, m.records[m.split:half])
    m.caught_up(follow)
    return m, follow, m.records[half:]


@cell("retention deletes the start before follow goes on", short={"commands": 2000}, long={"commands": 60_000})
def retention_before(make, size):
    m, follow, rest = half_followed(make, size)
    m.stop(follow)
    truth, committed = m.truth(), m.log.committed(m.group, m.topic)
    m.log.produce(m.topic, rest)
    m.log.truncate(m.topic, {0: committed[0] + 7})
    m.refused(m.run("follow", seconds=60), m.topic, committed[0], committed[0] + 7)
    assert m.log.committed(m.group, m.topic) == committed
    m.judge(truth)


@cell("retention deletes what follow has not read", short={"commands": 2000}, long={"commands": 60_000})
def retention_during(make, size):
    m, follow, rest = half_followed(make, size)
    follow.process.send_signal(signal.SIGSTOP)
    try:
        m.log.produce(m.topic, rest)
        kept = m.kept()
        # all except the newest
        m.log.truncate(m.topic, {p: end - 3 for p, end in m.log.ends(m.topic).items()})
    finally:
        follow.process.send_signal(signal.SIGCONT)
    m.refused(follow.wait(60), m.topic)
    stopped_mid_run(m, kept)


def stopped_mid_run(m, kept):
    """All that was committed is applied. Beyond that batches may have been under way: whatever of a document was
    applied, nothing before it is missing in the document."""
    m.judge(m.truth_of(kept.applied(m.log.committed(m.group, m.topic), m.proxy.applied.newest(m.new), m.decoder)))


@cell("topic recreated, the same epoch", short={"commands": 2000}, long={"commands": 60_000})
def recreated(make, size):
    m, follow, rest = half_followed(make, size)
    m.stop(follow)
    truth = m.truth()
    m.log.delete(m.topic)
    m.log.create(m.topic, m.partitions)
    m.log.produce(m.topic, rest[:200])
    for command in ("replay", "follow"):
        m.refused(m.run(command, seconds=60), m.topic)
    m.judge(truth)


@cell("topic recreated while follow runs", short={"commands": 2000}, long={"commands": 60_000})
def recreated_mid_run(make, size):
    m, follow, rest = half_followed(make, size)
    kept = m.kept()
    m.log.delete(m.topic)
    m.log.create(m.topic, m.partitions)
    m.log.produce(m.topic, rest)
    m.refused(follow.wait(90), m.topic)
    m.judge(m.truth_of(kept))


@cell("topic recreated, a new epoch", short={"commands": 2000}, long={"commands": 60_000})
def recreated_epoch(make, size):
    """The new log's commands are newer than all of the old log's, whatever their offsets."""
    m, follow, rest = half_followed(make, size)
    m.stop(follow)
    truth = m.truth()
    m.log.delete(m.topic)
    m.log.create(m.topic, m.partitions)
    m.log.produce(m.topic, rest)
    m.tree["commands"].update(epoch=1, group=f"{m.group}-1")
    m.group += "-1"
    m.write_recipe()
    fingerprint = m.run("plan", seconds=60).expect(DONE).json["fingerprint"]
    m.take(m.run("replay", "--confirm", fingerprint), DONE)
    for _, offset, key, value, *_ in m.log.read(m.topic):
        truth.model.apply(key, value, 1 << 44 | offset + 2)
    truth.expected, truth.versions = truth.model.expected(), dict(truth.model.last)
    truth.deleted = set(truth.versions) - set(truth.expected)
    m.judge(truth)


@cell("partitions added before follow goes on", short={"commands": 2000}, long={"commands": 60_000})
def widened(make, size):
    m, follow, rest = half_followed(make, size)
    m.stop(follow)
    truth = m.truth()
    m.log.widen(m.topic, m.partitions + 2)
    m.log.produce(m.topic, rest)
    for command in ("replay", "follow"):
        m.refused(m.run(command, seconds=60), m.topic, m.partitions, m.partitions + 2)
    m.judge(truth)


@cell("partitions added while follow runs", short={"commands": 2000}, long={"commands": 60_000})
def widened_mid_run(make, size):
    m, follow, rest = half_followed(make, size, kafka={"topic.metadata.refresh.interval.ms": "1000"})
    m.log.widen(m.topic, m.partitions + 2)
    # only for the old partitions, like a producer that does not know the new ones
    m.log.produce(m.topic,
                  [(Keyed(key, f"{place(key, m.partitions, m.partitions + 2)}"), value) for key, value in rest[:100]])
    kept = m.kept()
    m.refused(follow.wait(90), m.topic, m.partitions, m.partitions + 2)
    stopped_mid_run(m, kept)


def place(key, partitions, now):
    """A text whose partition among `now` is the one that the key had among `partitions`."""
    import zlib
    aim, n = zlib.crc32(key) % partitions, 0
    while zlib.crc32(str(n).encode()) % now != aim:
        n += 1
    return n


@cell("one id in two partitions, while follow runs", short={"commands": 2000}, long={"commands": 60_000})
def two_partitions(make, size):
    m, follow, rest = half_followed(make, size)
    insert = b'{"command":"InsertMessageCommand","id":"wandering","message":{"title":"%d"}}'
    m.log.produce(m.topic, [(Keyed(b"wandering", f"by-{n}"), insert % n) for n in range(12)])
    kept = m.kept()
    m.refused(follow.wait(60), m.topic, "wandering")
    # the order of its first commands cannot be known
    truth = m.truth_of(Kept(r for r in kept.before(m.log.committed(m.group, m.topic)).records if r[2] != b"wandering"))
    m.target.refresh(m.new)
    assert m.target.count(m.new, {"ids": {"values": ["wandering"]}}) <= 1
    m.target.call("POST", f"/{m.new}/_refresh")
    m.forget("wandering")
    m.judge(truth)


@cell("unclean election takes applied records back", short={"commands": 2000}, long={"commands": 60_000},
      disturbs={"kafka3"})
def unclean(make, size):
    """The follower is away while records are written and applied; then the leader goes, and the follower leads without
    them."""
    log = make.servers.kafka3()
    m = make(Workload(make.seed, size["commands"], size["commands"] // 4, 500), copied=0.6, log=log, partitions=1,
             # a hanging broker is not waited for longer than this
             kafka={"socket.timeout.ms": "10000"})
    config = {"unclean.leader.election.enable": "true", "min.insync.replicas": "1"}
    log.admin.create_topics([NewTopic(m.topic, 1, replica_assignment=[[2, 3]], config=config)])[m.topic].result(30)
    wait_for("a leader", lambda: log.leaders(m.topic) == {0: 2}, 20)
    log.create = lambda *_, **__: None
    try:
        m.ready()
    finally:
        del log.create
    follow = m.start("follow")
    m.caught_up(follow)
    before = log.ends(m.topic)[0]
    make.servers.kill("kafka3/3")
    wait_for("the follower to be out of sync", lambda: if_told(in_sync_replicas, log, m.topic) == [2], 60)
    m.rest()
    m.caught_up(follow)
    kept, applied = m.kept(), log.ends(m.topic)[0]
    assert applied > before
    make.servers.pause("kafka3/2")
    try:
        make.servers.start_kafka3()
        wait_for("the follower to lead", lambda: if_told(log.leaders, m.topic) == {0: 3}, 120)
        result = follow.wait(120)
    finally:
        make.servers.resume("kafka3/2")
    wait_for("the log as it is now", lambda: if_told(log.ends, m.topic) == {0: before}, 90)
    m.refused(result, m.topic, applied)
    m.judge(m.truth_of(kept))
    m.note(f"the log went from {applied} back to {before}")


def in_sync_replicas(log, topic):
    return sorted(log.admin.list_topics(topic, timeout=5).topics[topic].partitions[0].isrs)


@cell("an old indexer that lags behind the log (recorded)", short={"commands": 8000, "rate": "2000/s"},
      long={"commands": 250_000, "rate": "10000/s"})
def recorded(make, size):
    """The copy begins while the application's indexer has applied half of the log, and ends when it has applied
    more."""
    group = f"old-indexer-{make.seed}"
    m = make(Workload(make.seed, size["commands"], size["commands"] // 4, 500), copied=0.5,
             copy={"rate": size["rate"], "page": 200},
             replay={"from": "recorded"}, commands={"application_group": group})
    m.log.create(m.topic, m.partitions)
    # Not in the order of creation: producers sometimes reorder batches, and only the log's order counts.
    m.log.produce(m.topic, m.records[m.split // 2:m.split] + m.records[:m.split // 2])
    stood = m.log.ends(m.topic)
    indexer = Indexer(m.source, m.old)
    indexer.apply(between(m, {}, stood))
    m.log.commit(group, m.topic, stood)
    m.rest()
    m.write_recipe()
    m.init()
    # a held page keeps the copy from ending until the indexer has gone on
    m.proxy.rule("hold", times=1)
    copy = m.start("copy")
    wait_for("a held page", lambda: m.proxy.held or not copy.running, 60)
    further = {p: (stood[p] + end) // 2 for p, end in m.log.ends(m.topic).items()}
    indexer.apply(between(m, stood, further))
    m.log.commit(group, m.topic, further)
    assert copy.running, "the copy was over before the indexer went on"
    m.released(1)
    m.take(copy.wait(300), DONE)
    summary = m.replay()
    # earlier by recorded_margin
    starts = {p["partition"]: p["start"] for p in summary["partitions"]}
    assert starts.keys() == stood.keys() and all(starts[p] <= stood[p] for p in stood), (starts, stood)
    m.judge(m.truth_of(m.kept(), floor=starts))
    m.note(f"{sum(stood.values())} of {len(m.records)} applied when the copy began")


def between(m, starts, ends):
    """The records from `starts` to before `ends` (partition -> offset), in the log's order."""
    return [(key, value) for p, offset, key, value, *_ in m.log.read(m.topic) if starts.get(p, 0) <= offset < ends[p]]

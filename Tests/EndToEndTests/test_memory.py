"""Memory stays near limits.memory, whatever comes (P10 in docs/architecture.md): large documents, many partitions, a
target that is away. The hot key is in test_merge.py."""
import json
import time

import compare
import memory
from binary import DONE
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource
from memory import finish_watched, watch
from model import Model
from stack import wait_for
from workload import Workload

# memory without anything in flight: the runtime, librdkafka's and libcurl's own, copies of one request
BASE = 160


class Sent:
    """Replaces the log in `compare.Truth`: the records in the order of sending, all of one partition."""

    def __init__(self, records):
        self.records = records

    def read(self, _):
        return ((0, offset, key, value) for offset, (key, value) in enumerate(self.records))


def insert(ident, title):
    return ident.encode(), json.dumps({"command": "InsertMessageCommand", "id": ident,
                                       "message": {"title": title}}).encode()


def test_documents_of_20_megabytes(migrate):
    """Ten documents are three times the limit."""
    m = migrate("es-6.8", "es-8.17", partitions=2, limits={"memory": "64MiB"}).prepare()
    change = ConfigEntry("max.message.bytes", "30000000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, m.topic, incremental_configs=[change])
    m.log.admin.incremental_alter_configs([resource])[resource].result(30)
    producer = Producer({**m.log.config, "message.max.bytes": 30_000_000, "linger.ms": 0})
    large = "word " * 4_000_000
    for n in range(10):
        key, value = insert(f"large-{n:02d}", f"{n} {large}")
        producer.produce(m.topic, value, key, partition=n % 2)
        assert producer.flush(60) == 0
    m.init()
    m.copy()
    result, peak = finish_watched(m.start("replay"), 300)
    assert result.expect(DONE).summary["outcomes"]["indexed"] == 10, result
    m.target.refresh(m.new)
    for n in (0, 9):
        assert m.target.get(f"/{m.new}/_doc/large-{n:02d}")["_source"]["title"] == f"{n} {large}"
    # without a limit it would be all ten, several times
    assert peak < (64 + BASE) << 20, f"{peak >> 20} MiB with limits.memory of 64 MiB and documents of 20 MB"


def test_a_thousand_partitions(migrate, seed):
    m = migrate("es-6.8", "es-8.17", Workload(seed, 40_000, 8000, 500), copied=0.5, partitions=1000,
                limits={"memory": "64MiB"})
    m.prepare()
    m.init()
    m.copy()
    result, peak = finish_watched(m.start("replay"), 120)
    result.expect(DONE)
    follow = m.start("follow")
    m.log.produce(m.topic, m.records[m.split:])
    peak = max(peak, watch(follow, lambda: m.lag() == 0, 120))
    m.stop(follow)
    # not read back from the log: one partition after the other would take minutes
    truth = compare.Truth(Sent(m.records), m.topic, Model())
    truth.check(m.target, m.new, versions=False)
    assert peak < (64 + BASE) << 20, f"{peak >> 20} MiB with limits.memory of 64 MiB and 1,000 partitions"


def test_a_target_that_is_away(migrate, stack, seed):
    """Reading pauses when the budget is used up; the member stays in its group and goes on when the target is back."""
    m = migrate("es-6.8", "es-8.17", Workload(seed, 80_000, 6_000, 500), copied=0.02,
                limits={"memory": "64MiB"}).prepare()
    m.init()
    m.copy()
    m.replay()
    follow = m.start("follow")
    m.caught_up(follow)
    stack.run("pause", stack.prefix + "es-8.17")
    try:
        m.log.produce(m.topic, m.records[m.split:])
        most, since = [0], [time.monotonic()]

        def no_longer_grows():
            now = memory.peak(follow.process.pid)
            if now > most[0] + (1 << 20):
                most[0], since[0] = now, time.monotonic()
            return time.monotonic() - since[0] > 8
        peak = watch(follow, no_longer_grows, 120)
    finally:
        stack.run("resume", stack.prefix + "es-8.17")
    assert follow.running, "it ended while the target was away"
    peak = max(peak, watch(follow, lambda: m.lag() == 0, 200))
    wait_for("its group", lambda: m.lag() == 0, 10)
    m.stop(follow)
    m.check()
    assert peak < (64 + BASE) << 20, f"{peak >> 20} MiB with limits.memory of 64 MiB and a target that was away"

"""Servers that die, hang and come back."""
import threading
import time

from log import Writer, if_told
from stack import wait_for
from suite import cell
from workload import Workload


def followed(make, size, fault, **options):
    """follow while the application writes; `fault(case, follow)` in the middle; then all is as the model says."""
    commands = size["commands"]
    m = make(Workload(make.seed, commands, commands // 4, 1000, malformed=10), copied=0.5, **options).ready()
    follow = m.start("follow")
    follow.assigned()
    # the second half comes during the fault, by `hurry` or `hold`: a fault without traffic shows nothing
    m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=commands / size["seconds"] / 2, fast=20_000,
                      hold=(len(m.records) - m.split) // 2)
    m.writer.start()
    m.operated(commands // 50, follow)
    fault(m, follow)
    m.writer.hurry()
    m.writer.finish()
    m.caught_up(follow, seconds=180)
    m.stop(follow)
    m.judge()
    m.letters(10)
    return m


@cell("target killed and restarted", short={"commands": 3000, "seconds": 3, "away": 2},
      long={"commands": 200_000, "seconds": 30, "away": 30},
      disturbs={"target"})
def target_killed(make, size):
    def fault(m, follow):
        m.servers.kill(m.server)
        m.writer.hurry()
        time.sleep(size["away"])
        assert follow.running, "follow ended while the target was away"
        m.servers.search(m.server)
        m.note(f"away for {size['away']} s and the start")
    followed(make, size, fault)


@cell("target paused", short={"commands": 3000, "seconds": 3, "away": 6},
      long={"commands": 200_000, "seconds": 30, "away": 60},
      disturbs={"target"})
def target_paused(make, size):
    def fault(m, follow):
        m.servers.pause(m.server)
        m.writer.hurry()
        try:
            time.sleep(size["away"])
            assert follow.running, "follow ended while the target hung"
        finally:
            m.servers.resume(m.server)
        m.note(f"{size['away']} s")
    followed(make, size, fault)


@cell("broker killed and back", short={"commands": 3000, "seconds": 3, "away": 2},
      long={"commands": 200_000, "seconds": 30, "away": 20},
      disturbs={"kafka"})
def broker_killed(make, size):
    """The only broker: the log is away, and with it the group's coordinator and the dead-letter topic."""
    def fault(m, follow):
        m.writer.hurry()
        m.servers.kill("kafka")
        time.sleep(size["away"])
        m.servers.restart_kafka()
        m.note(f"away for {size['away']} s and the start")
    followed(make, size, fault)


@cell("leader killed and moved, three brokers", short={"commands": 3000, "seconds": 3},
      long={"commands": 200_000, "seconds": 30},
      disturbs={"kafka3"})
def leader_moved(make, size):
    """One broker after the other, except the controller, is killed and comes back."""
    log = make.servers.kafka3()

    def fault(m, follow):
        for node in (2, 3):
            # a broker that was slow for a moment has lost its leaderships
            wait_for(f"broker {node} to lead", lambda: leads(log, m.topic, node), 60)
            make.servers.kill(f"kafka3/{node}")
            m.writer.hold += m.writer.hold // 4
            wait_for("other leaders", lambda: node not in (if_told(log.leaders, m.topic) or {0: node}).values(), 60)
            time.sleep(1)
            make.servers.start_kafka3()
            wait_for("its replicas to be in sync", lambda: if_told(in_sync, log, m.topic), 60)
        m.writer.hurry()
        m.note("brokers 2 and 3 in turn")
    followed(make, size, fault, log=log)


def leads(log, topic, node):
    """Whether the broker leads some partitions; asks for the preferred leaders if it leads none."""
    leaders = if_told(log.leaders, topic) or {}
    if node not in leaders.values():
        if_told(log.prefer_leaders, topic)
    return node in leaders.values()


def in_sync(log, topic):
    partitions = log.admin.list_topics(topic, timeout=30).topics[topic].partitions.values()
    return all(len(p.isrs) == len(p.replicas) for p in partitions)


@cell("read-only block set and lifted", short={"commands": 3000, "seconds": 3, "away": 3},
      long={"commands": 200_000, "seconds": 30, "away": 30})
def read_only(make, size):
    """Does what the flood stage of the disk watermarks does."""
    def fault(m, follow):
        def block(value):
            m.target.call("PUT", f"/{m.new}/_settings", {"index.blocks.read_only_allow_delete": value})
        block(True)
        m.writer.hurry()
        blocked = threading.Event()
        blocked.wait(size["away"])
        assert follow.running, "follow ended while the index was blocked"
        block(None)
        m.note(f"{size['away']} s")
    followed(make, size, fault)


@cell("413 from http.max_content_length 1mb", short={"commands": 3000}, long={"commands": 60_000})
def too_large(make, size):
    """Whole requests that are too large, and documents that alone are too large."""
    big = "x" * 1_200_000
    giants = 3
    name = "small-" + make.cell.target
    make.servers.search(make.cell.target, name, "--set", "http.max_content_length=1mb")
    records = list(Workload(make.seed, size["commands"], size["commands"] // 4, 1000))
    for n in range(giants):
        at = make_giant(big, n)
        records.insert((n + 1) * len(records) // (giants + 2), at)
    # documents of 100 kB: a batch of them is too large, but each of them is not
    for n in range(200):
        records.insert(n * len(records) // 200, make_giant("y" * 100_000, 1000 + n))
    m = make(records, server=name, copied=0.5)
    m.log.create(m.topic, m.partitions, **{"max.message.bytes": "4000000"})
    m.log.produce(m.topic, m.records)
    m.alone()
    m.init()
    m.replay()
    truth = m.truth()
    for n in range(giants):
        ident = f"giant-{n}"
        assert truth.expected.pop(ident)
        truth.versions.pop(ident)
    m.judge(truth)
    m.letters(giants)
    m.note(f"{giants} of 1.2 MB to the dead letters")


def make_giant(text, n):
    import texts
    ident = f"giant-{n}"
    return ident.encode(), texts.render({"command": "InsertMessageCommand", "id": ident,
                                         "message": {"title": text}}).encode()

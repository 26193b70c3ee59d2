"""One final outcome a record: outcomes, records in flight and offsets agree at any moment; and what cannot be right is
cried out."""
import json

import pytest

from binary import OUTCOMES
from log import Writer
from stack import wait_for
from workload import Workload

pytestmark = pytest.mark.embedded


def insert(ident):
    return ident.encode(), json.dumps({"command": "InsertMessageCommand", "id": ident,
                                       "message": {"title": "new"}}).encode()


def followers(m):
    """The members that follow; the report of a finished replay may still exist."""
    return [member for member in m.status()["members"] if member["command"] == "follow"]


def agrees(part):
    """These logs have no gaps and no markers, so offsets count records."""
    assert set(part["outcomes"]) == OUTCOMES
    settled = sum(part["outcomes"].values())
    assert part["read"] == settled + part["in_flight"], part
    if part["position"] is not None and part["start"] is not None:
        assert part["position"] - part["start"] == part["read"], part
        assert part["committed"] - part["start"] <= settled, part


def test_outcomes_agree_with_offsets_at_any_moment(migrate, seed):
    records = list(Workload(seed, 15_000, 1500, 200, malformed=30))
    m = migrate("es-6.8", "es-8.17", records, copied=0.3).prepare()
    m.init()
    m.copy()
    m.replay()
    follow = m.start("follow")
    # busy for longer than two reports, which come every 10 s
    m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=100)
    m.writer.start()
    seen = {}

    def looked():
        for member in followers(m):
            assert not member["stale"], member
            for part in member["partitions"]:
                agrees(part)
                seen.setdefault(part["partition"], set()).add(part["read"])
        return len(seen) == m.partitions and all(len(numbers) > 2 for numbers in seen.values())
    wait_for("different reports of every partition", looked, 90)
    m.writer.hurry()
    m.writer.finish()
    m.caught_up(follow)
    summary = m.stop(follow)
    for part in summary["partitions"]:
        agrees(part)
        assert part["in_flight"] == 0 and part["committed"] == part["position"], part
    assert {part["partition"]: part["position"] for part in summary["partitions"]} == m.log.ends(m.topic)
    assert summary["read"] == sum(summary["outcomes"].values()) == sum(part["read"] for part in summary["partitions"])
    assert summary["alarms"] == []
    m.check()


def test_writes_that_cannot_be_stale_raise_an_alarm(migrate, seed):
    """The target holds versions this log never gave, as after a restored snapshot. And a member that was killed is said
    to be stale."""
    m = migrate("es-6.8", "es-8.17", list(Workload(seed, 2000, 400, 100)), copied=1.0).prepare()
    m.init()
    m.copy()
    m.replay()
    follow = m.start("follow")
    m.caught_up(follow)
    ids = [f"restored-{n:05d}" for n in range(1500)]
    lines = [line for ident in ids for line in (
        {"index": {"_id": ident, "version": 10**15, "version_type": "external"}}, {"title": "restored"})]
    status, _ = m.target.request("POST", f"/{m.new}/_bulk", "".join(json.dumps(line) + "\n" for line in lines),
                                 "application/x-ndjson")
    assert status == 200
    assert m.status()["alarms"] == []
    m.log.produce(m.topic, [insert(ident) for ident in ids])
    m.caught_up(follow)
    wait_for("the alarm", lambda: [alarm["name"] for alarm in m.status()["alarms"]] == ["stale_rate"], 60)
    # the report and the log line have separate timers
    wait_for("its line", lambda: "ALARM" in follow.err_file.read_text(), 60)
    follow.kill()
    wait_for("its age", lambda: [member["stale"] for member in followers(m)] == [True], 90)
    assert m.status()["alarms"] == [], "who is dead cries no more"

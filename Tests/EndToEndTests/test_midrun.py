"""The topic changes under the work: it stops with exit code 3 and both coordinates, and nothing after that is
committed."""
import json
import re
import signal

import pytest
from confluent_kafka import Producer

import texts
from binary import DONE, INTERRUPTED, REFUSED, check_error
from stack import wait_for
from workload import Keyed, Workload

COMMANDS = 3000


@pytest.fixture
def m(migrate, seed):
    return migrate("es-6.8", "es-8.17", Workload(seed, COMMANDS, 500, 50), copied=1.0).prepare()


def following(m, *more):
    m.init()
    m.copy()
    m.replay()
    follow = m.start("follow", *more)
    m.caught_up(follow)
    wait_for("its commit", lambda: m.log.committed(m.group, m.topic) == m.log.ends(m.topic), 60)
    return follow


def stops(run, *names, seconds=120):
    """The work stops by itself, refuses, and names the place."""
    result = run.wait(seconds)
    check_error(result, *names, code=REFUSED, seconds=300)
    return result


def insert(ident, title):
    return json.dumps({"command": "InsertMessageCommand", "id": ident, "message": {"title": title}}).encode()


def state_has_witnesses(m):
    """The identity of the topic has been recorded."""
    found = m.target.call("GET", f"/.crossfade-{m.name}/_doc/migration")["_source"]
    return "=" in found.get("log", "")


def test_recreated_while_followed(m):
    """The new log is as long as the old one: offsets alone show nothing."""
    follow = following(m)
    wait_for("the witnesses", lambda: state_has_witnesses(m), 60)
    ends = m.log.ends(m.topic)
    follow.process.send_signal(signal.SIGSTOP)
    m.log.delete(m.topic)
    m.log.create(m.topic, m.partitions)
    again = [(k, v) for k, v in Workload(7, COMMANDS * 2, 500, 50)]
    m.log.produce(m.topic, again)
    assert all(m.log.ends(m.topic)[p] > end for p, end in ends.items())
    follow.process.send_signal(signal.SIGCONT)
    result = stops(follow, m.topic, "recreated")
    assert re.search(r"offset \d+ .*offset \d+|offset \d+.*reaches from \d+ to \d+", result.err), result
    # it stays refused
    check_error(m.run("follow", seconds=60), m.topic, code=REFUSED)
    check_error(m.run("replay", seconds=60), m.topic, code=REFUSED)
    # the way out
    m.tree["commands"]["epoch"] = 1
    m.write_recipe()
    fingerprint = m.run("plan", seconds=60).expect(DONE).json["fingerprint"]
    m.run("replay", "--confirm", fingerprint).expect(DONE)
    follow = m.start("follow")
    m.log.produce(m.topic, [(b"inc-000001", insert("inc-000001", "after"))])
    m.caught_up(follow)
    m.stop(follow)
    m.target.refresh(m.new)
    assert m.target.call("GET", f"/{m.new}/_doc/inc-000001")["_source"]["title"] == "after"


@pytest.mark.parametrize("hung", [True, False])
def test_a_recreated_log_that_is_read_on_is_not_taken_for_the_old_one(migrate, hung):
    """Found by a tester: made again and longer at once, so that the reading goes on in it (always when the member hung
    meanwhile), and commits in it, before a look at the records finds out. What is kept then must still tell that it is
    another log."""
    m = migrate("es-6.8", "es-8.17", partitions=2)
    m.log.create(m.topic, 2)
    m.tree.pop("source")
    m.tree["indices"][0].pop("from")
    m.write_recipe()
    m.init()
    m.log.produce(m.topic, [(b"d%d" % n, insert(f"d{n}", "before")) for n in range(300)])
    follow = m.start("follow")
    m.caught_up(follow)
    if hung:
        follow.process.send_signal(signal.SIGSTOP)
    m.log.delete(m.topic)
    m.log.create(m.topic, 2)
    m.log.produce(m.topic, [(b"n%d" % n, insert(f"n{n}", "after")) for n in range(900)])
    follow.process.send_signal(signal.SIGCONT)
    stops(follow, m.topic)
    for command in ("follow", "replay", "plan"):
        check_error(m.run(command, seconds=60), m.topic, code=REFUSED, seconds=60)
    # the way out: everything of the new log is applied
    m.tree["commands"]["epoch"] = 1
    m.write_recipe()
    m.run("replay", "--confirm", m.run("plan", seconds=60).expect(DONE).json["fingerprint"]).expect(DONE)
    m.target.refresh(m.new)
    assert m.target.count(m.new, {"match": {"title": "after"}}) == 900


def test_recreated_between_runs(m):
    """Longer than before, with other records at the same offsets."""
    m.init()
    m.copy()
    m.replay()
    assert state_has_witnesses(m)
    m.log.delete(m.topic)
    m.log.create(m.topic, m.partitions)
    m.log.produce(m.topic, list(Workload(7, COMMANDS * 2, 500, 50)))
    for command in ("replay", "follow"):
        result = m.run(command, seconds=60)
        check_error(result, m.topic, "another one now", code=REFUSED)


def test_deleted_while_followed(m):
    follow = following(m)
    m.log.delete(m.topic)
    stops(follow, m.topic, "deleted")


def test_partitions_added_while_followed(m):
    follow = following(m)
    m.log.widen(m.topic, m.partitions + 2)
    stops(follow, m.topic, m.partitions, m.partitions + 2)
    check_error(m.run("follow", seconds=60), m.topic, m.partitions, m.partitions + 2, code=REFUSED)
    # everything before is applied: what comes is another epoch's, and may lie elsewhere
    m.tree["commands"]["epoch"] = 1
    m.write_recipe()
    fingerprint = m.run("plan", seconds=60).expect(DONE).json["fingerprint"]
    follow = m.start("follow", "--confirm", fingerprint)
    follow.assigned()
    moved = m.records[0][0]
    m.log.produce(m.topic, [(Keyed(moved, f"by-{m.partitions + 1}"), insert(moved.decode(), "moved"))])
    m.caught_up(follow)
    summary = m.stop(follow)
    assert summary["outcomes"]["indexed"] == summary["read"] == 1, summary


def test_one_id_in_two_partitions_while_followed(m):
    follow = following(m)
    before = m.log.committed(m.group, m.topic)
    m.log.produce(m.topic, [(Keyed(b"twice", "a"), insert("twice", "one"))])
    m.caught_up(follow)
    spread = [(Keyed(b"twice", f"by-{n}"), insert("twice", "two")) for n in range(40)]
    m.log.produce(m.topic, spread)
    stops(follow, m.topic, "twice", "partition")
    after = m.log.committed(m.group, m.topic)
    assert sum(after.values()) - sum(before.values()) < 41, "everything was committed"


def test_retention_overtakes_follow(m):
    """While the work was stopped, and when it begins."""
    follow = following(m)
    follow.process.send_signal(signal.SIGSTOP)
    m.log.produce(m.topic, list(Workload(9, 6000, 500, 50)))
    ends = m.log.ends(m.topic)
    m.log.truncate(m.topic, {p: end - 10 for p, end in ends.items()})
    follow.process.send_signal(signal.SIGCONT)
    result = stops(follow, m.topic)
    numbers = set(map(int, re.findall(r"\d+", result.err)))
    assert numbers & {end - 10 for end in ends.values()}, result
    # requests from before it was stopped may still arrive
    assert all(m.log.committed(m.group, m.topic)[p] < end - 10 for p, end in ends.items())
    again = m.run("follow", seconds=60)
    check_error(again, m.topic, "Retention overtook", code=REFUSED)


def settings(m, **changed):
    m.target.call("PUT", f"/{m.new}/_settings",
                  {f"index.{name.replace('__', '.')}": value for name, value in changed.items()})


def test_stopped_past_the_session(m):
    """A member that is stopped with writes under way sends them no more when it wakes and is out of the group: by then
    its successor has deleted the documents, and the cluster has forgotten the deletes."""
    m.tree["commands"]["kafka"] = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 500}
    m.write_recipe()
    one = following(m)
    ids = [f"late-{n}" for n in range(200)]
    settings(m, blocks__write=True)
    m.log.produce(m.topic, [(i.encode(), insert(i, "late")) for i in ids])
    wait_for("writes that wait", lambda: re.search("lag=[1-9]", one.err_file.read_text()), 30)
    one.process.send_signal(signal.SIGSTOP)
    settings(m, blocks__write=None, gc_deletes="0s")
    two = m.start("follow")
    m.log.produce(m.topic,
                  [(i.encode(), json.dumps({"command": "DeleteMessageCommand", "id": i}).encode()) for i in ids])
    m.caught_up(two)
    m.target.refresh(m.new)
    tombstones = list(m.target.scroll(m.new, {"term": {"crossfade_deleted": True}}))
    purged = {hit["_id"]: texts.plain(hit["_version"]) for hit in tombstones if hit["_id"] in ids}
    assert len(purged) == len(ids)
    for ident, version in purged.items():
        m.target.call("DELETE", f"/{m.new}/_doc/{ident}?version={version}&version_type=external_gte")
    one.process.send_signal(signal.SIGCONT)
    wait_for("it to notice", lambda: "was stopped for a while" in one.err_file.read_text(), 60)
    one.assigned(times=2)
    for run in (one, two):
        assert run.terminate().code in (DONE, INTERRUPTED)
    m.check(versions=False)


def test_open_transaction_is_named(m):
    """An open transaction holds the end back; an aborted tail and markers do not."""
    producer = Producer({**m.log.config, "transactional.id": m.name, "transaction.timeout.ms": 600_000})
    producer.init_transactions(30)
    for commit in (False, True):
        producer.begin_transaction()
        for n in range(50):
            producer.produce(m.topic, insert(f"tx-{n}", "x"), f"tx-{n}".encode(), partition=n % m.partitions)
        producer.flush()
        producer.abort_transaction(30) if not commit else None
    stable = m.log.ends(m.topic)
    m.init()
    m.copy()
    plan = m.run("plan", seconds=60).expect(DONE).json
    rail = next(r for r in plan["rails"] if r["name"] == "open_transaction")
    assert rail["verdict"] == "warn" and re.search(r"last stable offset \d+, end \d+ on partition \d",
                                                   rail["detail"]), rail
    m.replay(seconds=60)
    producer.commit_transaction(30)
    # its end is acknowledged before its markers are written
    wait_for("the markers", lambda: all(end > stable[p] for p, end in m.log.ends(m.topic).items()), 60)
    follow = m.start("follow")
    m.caught_up(follow)
    m.stop(follow)
    assert m.target.call("GET", f"/{m.new}/_doc/tx-49")["found"], stable


def test_recorded_loses_nothing_of_a_lagging_indexer(migrate, seed):
    """The old index is behind when the copy begins, and the log no longer contains what it lacks."""
    m = migrate("es-6.8", "es-8.17", Workload(seed, COMMANDS, 500, 50), copied=0.5)
    m.prepare()
    stood = m.log.ends(m.topic)
    m.log.produce(m.topic, m.records[m.split:])
    truth = m.truth()
    group = f"indexer-{m.name}"
    m.tree["commands"]["application_group"] = group
    m.tree["replay"] = {"from": "recorded"}
    # the old index stays as it is, although the group goes on
    m.tree["accept"] = [{"rail": "identity", "why": "nothing writes the old index in this test"}]
    m.write_recipe()
    # nothing is recorded, nothing has begun
    check_error(m.run("plan", seconds=60), group, code=REFUSED)
    m.log.commit(group, m.topic, stood)
    m.log.truncate(m.topic, {p: end // 2 for p, end in stood.items()})
    m.init()
    m.copy()
    # the application goes on; its position at the start is what counts
    m.log.commit(group, m.topic, m.log.ends(m.topic))
    replayed = m.replay()
    # earlier by recorded_margin, but not before the log's beginning
    starts = {p["partition"]: p["start"] for p in replayed["partitions"]}
    assert starts == {p: end // 2 for p, end in stood.items()}, (starts, stood)
    truth.check(m.target, m.new, versions=False)

"""Other people at the same migration: other work is confirmed, a process was stopped, a second one begins."""
import json
import os
import signal

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from binary import DONE, REFUSED, check_error
from stack import wait_for
from workload import Workload

pytestmark = pytest.mark.embedded

COMMANDS, IDS = 3000, 500


@pytest.fixture
def m(migrate, seed):
    m = migrate("es-6.8", "es-8.17", Workload(seed, COMMANDS, IDS, 50), copied=0.8)
    m.other = f"{m.new}-other"
    yield m.prepare()
    m.target.call("DELETE", f"/{m.other}", missing_ok=True)


def following(m):
    m.init()
    m.copy()
    m.replay()
    follow = m.start("follow")
    m.caught_up(follow)
    return follow


def second_operator(m):
    """A recipe with the same name and another target."""
    return m.write_recipe("second.yaml", indices=[{**m.tree["indices"][0], "to": m.other}])


def confirm(m, *more, seconds=120):
    fingerprint = m.run("plan", seconds=60).expect(DONE).json["fingerprint"]
    return m.run("init", "--confirm", fingerprint, *more, seconds=seconds)


def state(m):
    return m.target.call("GET", f"/.crossfade-{m.name}/_doc/migration")["_source"]


def reports(m):
    m.target.refresh(f".crossfade-{m.name}")
    hits = m.target.call("POST", f"/.crossfade-{m.name}/_search", {"size": 100})["hits"]["hits"]
    return [hit["_id"] for hit in hits if hit["_id"].startswith("member-")]


def committed_by_the_old_work(m, fingerprint, term):
    """What a follower of the old work commits within a heartbeat: the ends of the log, with its note."""
    note = f"crossfade 0 #{fingerprint}/{term}"
    consumer = Consumer({"bootstrap.servers": m.log.bootstrap, "group.id": m.group, "enable.auto.commit": False})
    offsets = [TopicPartition(m.topic, p, end, note) for p, end in m.log.ends(m.topic).items()]

    def is_taken():
        try:
            return all(offset.error is None for offset in consumer.commit(offsets=offsets, asynchronous=False))
        except KafkaException:
            # the group still has a member
            return False
    wait_for("the commit", is_taken, 60, pause=0.5)
    consumer.close()


@pytest.mark.real
def test_a_second_operator_with_the_same_name_and_another_target(m):
    """The old follower went on writing into the old index inside the same group, and committed what the new index
    never got: 74 of 74 last states of a partition were missing there, and status said lag 0 and no alarm."""
    follow = following(m)
    old = state(m)
    term = json.loads(old["fence"])["term"]
    second_operator(m)
    refused = confirm(m)
    check_error(refused, "follow on", f"process {follow.process.pid}", "Stop them",
                code=REFUSED, seconds=60)
    assert m.other not in m.target.indices() and state(m)["fingerprint"] == old["fingerprint"]

    # its report is lost, so nobody knows of it; it stands still so that it writes no other one
    follow.process.send_signal(signal.SIGSTOP)
    try:
        for report in reports(m):
            m.target.call("DELETE", f"/.crossfade-{m.name}/_doc/{report}")
        confirm(m).expect(DONE)
    finally:
        follow.process.send_signal(signal.SIGCONT)
    ended = follow.wait(60)
    user = json.loads(state(m)["fence"])["confirmed_by"]["user"]
    check_error(ended, "other work now", f"by {user} on", old["fingerprint"], code=REFUSED, seconds=300)
    m.run("copy").expect(DONE)
    m.run("replay").expect(DONE)

    # what the old follower has committed within its heartbeat lies behind the end of this replay
    held = m.target.operations(m.new)
    m.log.produce(m.topic, m.records[m.split:])
    committed_by_the_old_work(m, old["fingerprint"], term)
    status = m.run("status").expect(DONE).json
    assert status["lag"] != 0, status["lag"]
    follow = m.start("follow")
    follow.assigned()
    m.caught_up(follow)
    wait_for("its own commits", lambda: m.run("status").expect(DONE).json["lag"] == 0, 60)
    m.stop(follow)
    m.truth().check(m.target, m.other)
    assert m.target.operations(m.new) == held, "the old index was written"


@pytest.mark.real
def test_a_copied_recipe_with_the_same_name_and_another_target_cluster(m):
    """Its follower joined the group of the first migration and took a partition away: neither index got all commands,
    and nobody named the cause."""
    follow = following(m)
    members = follow.process.pid
    mine = m.recipe
    # the new index lies in the other cluster, where there is no state
    m.write_recipe("copied.yaml", target=m.tree["source"], indices=[{**m.tree["indices"][0], "to": m.other}])
    plan = m.run("plan", seconds=60).expect(DONE, REFUSED).json
    rail = [rail for rail in plan["rails"] if rail["name"] == "group"]
    assert [r["verdict"] for r in rail] == ["refused"], plan["rails"]
    assert "1 member" in rail[0]["detail"] and "offsets" in rail[0]["detail"], rail
    check_error(m.run("init", "--confirm", plan["fingerprint"]), f"group {m.group}", "another `name`",
                "commands.group", code=REFUSED)
    assert follow.process.pid == members and follow.running
    m.recipe = mine
    m.stop(follow)
    # its offsets alone are enough
    m.recipe = m.crossfade.folder / "copied.yaml"
    check_error(m.run("init", "--confirm", plan["fingerprint"]), "offsets that other work has committed",
                "delete the group", code=REFUSED)
    # the way out
    m.write_recipe("copied.yaml", target=m.tree["source"], indices=[{**m.tree["indices"][0], "to": m.other}],
                   commands={**m.tree["commands"], "group": f"{m.group}-2"})
    m.run("plan", seconds=60).expect(DONE)


@pytest.mark.real
def test_strangers_in_the_group(m):
    """Members of the group that are no followers of the migration, and one that was killed, which is waited for."""
    kafka = {"session.timeout.ms": "6000"}
    m.write_recipe(commands={**m.tree["commands"], "kafka": kafka})
    m.tree["commands"]["kafka"] = kafka
    follow = following(m)
    follow.kill()
    follow = m.start("follow")
    follow.assigned()
    m.caught_up(follow)
    m.stop(follow)
    stranger = Consumer({"bootstrap.servers": m.log.bootstrap, "group.id": m.group, "client.id": "stranger",
                         "session.timeout.ms": 6000})
    stranger.subscribe([m.topic])
    wait_for("the stranger to be in the group", lambda: (stranger.poll(0.1), stranger.assignment())[1], 60, pause=0)
    try:
        late = m.start("follow")

        def ended():
            stranger.poll(0.1)
            return not late.running
        wait_for("the refusal", ended, 120, pause=0)
        check_error(late.wait(10), f"group {m.group}", "stranger at", "commands.group", code=REFUSED, seconds=300)
    finally:
        stranger.close()


def test_a_copy_that_was_stopped_for_longer_than_its_lease(m):
    """SIGSTOP: others take it for ended and confirm other work. When it goes on it must not write what it holds."""
    m.init()
    m.write_recipe(copy={"slices": 4, "page": 10, "rate": "20/s"})
    copy = m.start("copy")

    def some():
        assert copy.running, copy.result(copy.process.returncode)
        return m.target.operations(m.new) > 0
    wait_for("some copied documents", some, 60, pause=0.05)
    copy.process.send_signal(signal.SIGSTOP)
    try:
        # nobody knows whether it lives, so that this waits longer than the lease lasts; also where it has written no
        # report yet
        for report in reports(m):
            m.target.call("DELETE", f"/.crossfade-{m.name}/_doc/{report}")
        second_operator(m)
        confirm(m).expect(DONE)
        held = m.target.operations(m.new)
    finally:
        copy.process.send_signal(signal.SIGCONT)
    check_error(copy.wait(60), "other work now", code=REFUSED, seconds=600)
    assert m.target.operations(m.new) == held < m.old_documents, "it has written"


def test_an_old_recipe_is_refused_with_who_confirmed_what(m):
    m.init()
    old = m.recipe
    second_operator(m)
    confirm(m).expect(DONE)
    m.recipe = old
    refused = m.run("copy")
    check_error(refused, "was confirmed by", f"is \"{m.new}\"", code=REFUSED)
    assert " at 20" in refused.err, refused


def test_a_changed_form_needs_a_new_target(m):
    """What is read again would meet its own versions, and half of the index would keep the old form."""
    m.init()
    changed = [{**m.tree["indices"][0], "transform": [{"keyToValue": {"field": "tags"}}, {"remove": ["status"]}]}]
    # nothing is written yet
    m.write_recipe("early.yaml", indices=changed)
    confirm(m).expect(DONE)
    m.write_recipe()
    confirm(m).expect(DONE)
    m.copy()
    before = state(m)
    m.write_recipe("changed.yaml", indices=changed)
    plan = m.run("plan").expect(DONE, REFUSED).json
    rail = [rail for rail in plan["rails"] if rail["name"] == "changed_form"]
    assert [r["verdict"] for r in rail] == ["refused"] and "transform" in rail[0]["detail"], plan["rails"]
    for command in "init", "copy", "replay":
        check_error(m.run(command, "--confirm", plan["fingerprint"]), "changed_form", m.new, "transform", "`to`",
                    "accept: [{ rail: changed_form", code=REFUSED)
    assert state(m) == before
    # the first way out: a new index
    m.write_recipe("new.yaml", indices=[{**changed[0], "to": m.other}])
    confirm(m).expect(DONE)
    assert m.run("copy").expect(DONE).summary["outcomes"]["indexed"] == m.old_documents
    # back to the old index is honest, too: it has the form that its recipe says, and is copied and replayed again
    m.write_recipe()
    confirm(m).expect(DONE)
    assert m.copy()["outcomes"]["stale"] == m.old_documents
    # the second one: the index is made again
    m.target.call("DELETE", f"/{m.new}")
    m.write_recipe("changed.yaml", indices=changed)
    confirm(m).expect(DONE)
    assert m.run("copy").expect(DONE).summary["outcomes"]["indexed"] == m.old_documents


@pytest.mark.parametrize("command", ["copy", "replay"])
def test_a_second_one_says_who_is_at_it(m, command):
    m.init()
    slow = {"slices": 4, "page": 10, "rate": "20/s"}
    if command == "replay":
        m.copy()
        # so much memory takes nothing from the log for long
        m.write_recipe(limits={"in_flight": 1})
    else:
        m.write_recipe(copy=slow)
    first = m.start(command)
    wait_for("the first one", lambda: command in json.loads(state(m).get("fence", "{}")).get("holders", {}), 60,
             pause=0.02)
    first.process.send_signal(signal.SIGSTOP)
    first.process.send_signal(signal.SIGCONT)
    if command == "copy":
        second = m.run(command)
        check_error(second, f"a {command} of migration {m.name} runs already", f"process {first.process.pid}",
                    "since 20", code=REFUSED)
        assert first.running, first.result(first.process.returncode)
        first.kill()
        m.write_recipe()
    else:
        first.wait(120).expect(DONE)
    # one that was killed on this machine is known to be gone
    m.run(command, seconds=120).expect(DONE)
    assert json.loads(state(m)["fence"])["holders"] == {}


def test_history(m):
    """Who did what, and when: the state's own memory."""
    plan = m.init()
    m.copy()
    m.replay()
    follow = m.start("follow")
    m.caught_up(follow)
    m.stop(follow)
    receipt = m.run("verify").expect(DONE).json
    m.crossfade("purge", m.recipe, "--all", "--format", "json").expect(DONE)
    history = m.run("history").expect(DONE).json
    assert [event["what"] for event in history["events"]] == [
        "init", "copy_begun", "copy_finished", "replay_begun", "replay_finished", "follow_begun", "follow_stopped",
        "verified", "purged"], history
    for event in history["events"]:
        assert event["fingerprint"] == plan["fingerprint"] and event["host"] == os.uname().nodename, event
        assert event["user"] and event["time"].endswith("Z"), event
    assert receipt["receipt"] in history["events"][7]["detail"], history["events"][7]
    text = m.crossfade("history", m.recipe).expect(DONE).out
    assert "copy_finished" in text and "present" in text, text

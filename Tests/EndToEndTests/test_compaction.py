"""A compacted topic that has forgotten its deletes."""
import json
import os
import signal
import time

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, AlterConfigOpType, ConfigEntry,
                                   ConfigResource, ResourcePatternType, ResourceType)

from binary import REFUSED, check_error
from log import Log
from stack import wait_for
from test_identity import titles
from test_moves import null, row

KINDS = {"properties": {"title": {"type": "keyword"}, "kind": {"type": "keyword"}}}
TITLES = {"properties": {"title": {"type": "keyword"}}}
SOON = {"delete.retention.ms": "100", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01",
        "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "100"}
LATE = {**SOON, "delete.retention.ms": "86400000"}


def document(ident, title):
    return str(ident).encode(), json.dumps({"title": title}).encode()


@pytest.fixture
def make(migrate):
    """A migration of a compacted topic with ten documents, all applied to the source."""
    def make(config=SOON, policy="compact", group=True, **sections):
        m = migrate("es-6.8", "es-8.17", shape="document", partitions=1, mapping=TITLES,
                    **{"index": {"transform": []}, **sections})
        m.log.create(m.topic, 1, **{"cleanup.policy": policy, **config})
        m.log.produce(m.topic, [document(n, f"first {n}") for n in range(10)])
        if group:
            m.tree["commands"]["application_group"] = f"app-{m.name}"
            m.log.commit(f"app-{m.name}", m.topic, {0: 10})
        m.source.create(m.old, {"title": {"type": "keyword"}})
        m.source.bulk(m.old, [("index", str(n), {}, json.dumps({"title": f"first {n}"})) for n in range(10)])
        m.write_recipe()
        return m
    return make


def offsets(m):
    return {offset for _, offset, *_ in m.log.read(m.topic)}


def delete(m, ident):
    """The application deletes a document, in its own index, too. Gives the delete's offset."""
    offset = m.log.ends(m.topic)[0]
    m.log.produce(m.topic, [(ident.encode(), None)])
    m.source.bulk(m.old, [("delete", ident, {}, None)])
    return offset


def compacted(m, offset, filler=document("filler", "any")):
    """Waits until compaction has removed the record. New segments begin with new records, so some are written."""
    def gone():
        m.log.produce(m.topic, [filler])
        return offset not in offsets(m)
    wait_for(f"offset {offset} to be removed", gone, 60, pause=0.15)


REST = {**{str(n): f"first {n}" for n in range(10) if n != 3}, "filler": "any"}


@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
def test_a_delete_that_was_forgotten_between_copy_and_replay(make, policy):
    m = make(policy=policy)
    m.init()
    m.copy()
    compacted(m, delete(m, "3"))
    before = m.snapshot()
    check_error(m.run("replay"), "delete.retention.ms=100", "Partition 0", "ago", m.topic, code=REFUSED)
    check_error(m.run("follow"), "delete.retention.ms=100", code=REFUSED)
    assert m.snapshot() == before
    # the way out that the refusal names
    m.target.call("DELETE", f"/{m.new}")
    m.log.admin.incremental_alter_configs([keep_deletes(m.topic)])[keep_deletes(m.topic)].result(30)
    plan = m.run("plan", seconds=60).expect(0).json
    m.run("init", "--confirm", plan["fingerprint"], seconds=60).expect(0)
    m.copy()
    delete(m, "5")
    m.replay()
    expected = dict(REST)
    del expected["5"]
    assert titles(m) == expected


def keep_deletes(topic):
    return ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[
        ConfigEntry("delete.retention.ms", "86400000", incremental_operation=AlterConfigOpType.SET)])


def test_a_delete_that_was_forgotten_while_nobody_followed(make):
    m = make()
    m.init()
    m.copy()
    m.replay()
    follow = m.start("follow")
    m.caught_up(follow)
    m.stop(follow)
    compacted(m, delete(m, "3"))
    for command in ("follow", "replay"):
        check_error(m.run(command), "delete.retention.ms=100", "had read all of it", m.topic, code=REFUSED)
    assert "3" in titles(m)


def test_a_follower_beside_the_copy_has_read_the_delete(make):
    """What compaction has removed by then does not matter: the rest was read."""
    m = make()
    m.init()
    follow = m.start("follow")
    m.caught_up(follow)
    m.copy()
    offset = delete(m, "3")
    m.caught_up(follow)
    compacted(m, offset)
    m.caught_up(follow)
    m.stop(follow)
    m.replay()
    assert titles(m) == REST


@pytest.mark.parametrize("group", [True, False])
def test_an_idle_topic_passes(make, group):
    """The log has gaps from before the copy, and nothing was written since."""
    m = make(group=group)
    m.log.produce(m.topic, [document(0, "first 0"), document(1, "first 1")])
    compacted(m, 0)
    m.log.commit(f"app-{m.name}", m.topic, m.log.ends(m.topic))
    m.source.bulk(m.old, [("index", "filler", {}, json.dumps({"title": "any"}))])
    m.init()
    m.copy()
    m.replay()
    assert titles(m) == {**{str(n): f"first {n}" for n in range(10)}, "filler": "any"}


def test_a_topic_that_keeps_its_deletes_long_enough_passes(make):
    m = make(LATE)
    m.init()
    m.copy()
    delete(m, "3")
    compacted(m, 3)
    m.replay()
    assert titles(m) == REST
    rails = {rail["name"]: rail for rail in m.plan()["rails"]}
    assert rails["compaction"]["verdict"] == "ok" and "1d" in rails["compaction"]["detail"]


# a compacted topic of change events

def events(m):
    """The recipe with two entries by kind, for change events. All old documents are in the first."""
    m.tree["commands"]["format"] = "debezium"
    entry = {**m.tree["indices"][0], "mapping": KINDS}
    m.tree["indices"] = [{**entry, "to": f"{m.new}{suffix}",
                          "select": {"field": "after.kind", "equals": kind, "missing": "every"}}
                         for suffix, kind in (("", "a"), ("-b", "b"))]
    del m.tree["indices"][1]["from"]
    m.write_recipe()


@pytest.mark.parametrize("config,forgotten", [(LATE, False), (SOON, True)])
def test_change_events_whose_delete_compaction_has_taken(migrate, config, forgotten):
    """Of a delete, compaction leaves the record without a value, which deletes its key; later that goes, too. Of a row
    that changed its kind twice it leaves the last event, whose `before` does not tell where the old index has it."""
    m = migrate("es-6.8", "es-8.17", shape="document", partitions=1, mapping=KINDS, index={"transform": []})
    m.log.create(m.topic, 1, **{"cleanup.policy": "compact", **config})
    m.source.create(m.old, KINDS["properties"])
    m.source.bulk(m.old, [("index", str(n), {}, json.dumps({"id": n, "title": f"first {n}", "kind": "a"}))
                          for n in range(5)])
    m.source.refresh(m.old)
    events(m)
    m.init()
    m.copy()
    m.log.produce(m.topic, [
        row("d", 3, before={"title": "first 3", "kind": "a"}), null(3),
        row("u", 1, before={"title": "first 1", "kind": "a"}, after={"title": "second", "kind": "b"}),
        row("u", 1, before={"title": "second", "kind": "b"}, after={"title": "third", "kind": "b"}),
        row("c", 9, after={"title": "new", "kind": "b"}),
    ])
    # key 3: its event, or its record without a value as well
    compacted(m, 1 if forgotten else 0, row("c", 99, after={"title": "any", "kind": "b"}))
    if forgotten:
        check_error(m.run("replay"), "delete.retention.ms=100", m.topic, code=REFUSED)
        return
    wait_for("offset 2 to be removed", lambda: 2 not in offsets(m), 60)
    assert 1 in offsets(m), "the record without a value is kept"
    m.replay()
    assert titles(m) == {"0": "first 0", "2": "first 2", "4": "first 4"}
    m.new, first = f"{m.new}-b", m.new
    try:
        assert titles(m) == {"1": "third", "9": "new", "99": "any"}
    finally:
        m.target.call("DELETE", f"/{m.new}", missing_ok=True)
        m.new = first


# topic settings that may not be read

@pytest.fixture(scope="module")
def guarded(stack):
    """A Kafka with access rules."""
    yield Log(stack.start(
        "kafka-4.1", "kacl", "--set", "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "--set", "allow.everyone.if.no.acl.found=true"))
    stack.wipe("kacl")


@pytest.mark.real
def test_a_topic_whose_settings_may_not_be_read(make, guarded):
    """A warning, not a refusal: nobody knows whether it is compacted."""
    m = make(log=guarded)
    forbid(guarded, m.topic)
    m.init()
    rail = next(rail for rail in m.plan()["rails"] if rail["name"] == "compaction")
    assert rail["verdict"] == "warn" and "not known whether topic" in rail["detail"], rail
    m.copy()
    m.log.produce(m.topic, [(b"3", None)])
    m.replay()
    assert titles(m) == {str(n): f"first {n}" for n in range(10) if n != 3}


def forbid(log, topic):
    """Everybody may do everything with the topic but read its settings."""
    def rule(operation, permission):
        return AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:*", "*", operation, permission)
    rules = [rule(AclOperation.ALL, AclPermissionType.ALLOW),
             rule(AclOperation.DESCRIBE_CONFIGS, AclPermissionType.DENY)]
    for future in log.admin.create_acls(rules).values():
        future.result(30)


# gaps that compaction did not make

def test_markers_of_transactions_are_no_forgotten_deletes(make):
    """A compacted topic that is written in transactions, of which compaction has not come to what was not read: each
    transaction leaves a gap, and the keys that are there twice show that nothing was removed."""
    m = make({"delete.retention.ms": "100"}, group=False)
    m.init()
    m.copy()
    producer = Producer({**m.log.config, "transactional.id": m.name})
    producer.init_transactions(30)
    for n in range(20):
        producer.begin_transaction()
        producer.produce(m.topic, json.dumps({"title": f"round {n}"}).encode(), str(n % 3).encode(), partition=0)
        producer.produce(m.topic, None if n == 19 else b'{"title":"again"}', b"3", partition=0)
        producer.commit_transaction(30)
    assert len(offsets(m)) == 50 and m.log.ends(m.topic)[0] == 70
    wait_for("the retention to be over", lambda: time.time() * 1000 > m.log.read(m.topic)[-1][5] + 200)
    m.replay()
    expected = {str(n): f"first {n}" for n in range(10) if n != 3}
    expected.update({"0": "round 18", "1": "round 19", "2": "round 17"})
    assert titles(m) == expected


# a reader that stood still

@pytest.mark.real
def test_a_follower_that_stood_still_for_longer_than_deletes_are_kept(make):
    """It goes on in the middle, without a new start. What it finds missing may have been a delete."""
    m = make()
    m.init()
    m.copy()
    m.replay()
    follow = m.start("follow")
    m.caught_up(follow)
    os.kill(follow.process.pid, signal.SIGSTOP)
    try:
        # The broker has an answer under way, which brings this record only.
        m.log.produce(m.topic, [document("4", "second")])
        compacted(m, delete(m, "3"))
    finally:
        os.kill(follow.process.pid, signal.SIGCONT)
    check_error(follow.wait(60), "delete.retention.ms=100", "Partition 0", "had read all of it", m.topic, code=REFUSED,
                seconds=600)
    assert titles(m)["3"] == "first 3" and "filler" not in titles(m)
    check_error(m.run("follow"), "delete.retention.ms=100", code=REFUSED)

"""A compacted topic that has forgotten its deletes."""
import json

import pytest

from binary import REFUSED, check_error
from stack import wait_for
from test_identity import titles

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


def compacted(m, offset):
    """Waits until compaction has removed the record. New segments begin with new records, so some are written."""
    def gone():
        m.log.produce(m.topic, [document("filler", "any")])
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
    from confluent_kafka.admin import (AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType)
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
        check_error(m.run(command), "delete.retention.ms=100", "last commit", m.topic, code=REFUSED)
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

"""Start conditions that refuse: the message names the numbers, and nothing is written."""
import pytest

from binary import DONE, REFUSED, check_error
from stack import wait_for
from test_errors import nothing_written
from workload import Keyed, Workload

pytestmark = pytest.mark.embedded


@pytest.fixture
def m(migrate, seed):
    return migrate("es-6.8", "es-8.17", Workload(seed, 600, 100, 50), copied=1.0).prepare()


def refused(m, *names, commands=("replay", "follow")):
    with nothing_written(m):
        for command in commands:
            check_error(m.run(command, seconds=30), *names, code=REFUSED)


@pytest.mark.real
def test_topic_recreated(m):
    """Offsets begin again: under the same epoch all new records would look stale."""
    m.init()
    m.copy()
    m.replay()
    m.log.delete(m.topic)
    m.log.create(m.topic, m.partitions)
    m.log.produce(m.topic, m.records[:50])
    refused(m, m.topic)


@pytest.mark.real
def test_partitions_added(m):
    """Keys have moved: offsets no longer order the commands of an id."""
    m.init()
    m.copy()
    m.replay()
    m.log.widen(m.topic, m.partitions + 2)
    refused(m, m.topic, m.partitions, m.partitions + 2)


def test_one_id_in_two_partitions(m):
    key = m.records[0][0]
    command = b'{"command":"InsertMessageCommand","id":"%s","message":{"title":"where?"}}' % key
    m.log.produce(m.topic, [(Keyed(key, f"by-{n}"), command) for n in range(40)])
    # a sample of the log that takes more than 5 s is cut short
    result = wait_for("the refusal", lambda: (r := m.run("plan", seconds=30)).code == REFUSED and r)
    check_error(result, key.decode(), code=REFUSED)
    rails = [rail for rail in result.json["rails"] if rail["verdict"] == "refused"]
    assert len(rails) == 1 and key.decode() in rails[0]["detail"], result
    refused(m, commands=("copy",))


def test_recorded_without_a_group(m):
    m.tree["replay"] = {"from": "recorded"}
    m.write_recipe()
    with nothing_written(m):
        result = m.run("plan", seconds=30).expect(2, REFUSED)
        assert "application_group" in result.err, result


@pytest.mark.real
def test_plan_says_every_rail_although_one_refuses(m):
    m.target.create(m.new, {"owner": {"type": "keyword"}})
    m.target.bulk(m.new, [("index", "theirs", {}, '{"owner":"somebody else"}')])
    m.target.refresh(m.new)
    m.log.truncate(m.topic, {0: 20})
    m.tree["replay"] = {"from": {"offsets": {"0": 5}}}
    m.write_recipe()
    with nothing_written(m):
        result = m.run("plan", seconds=30).expect(REFUSED)
        plan = result.json
        assert plan["fingerprint"], result
        assert sum(rail["verdict"] == "refused" for rail in plan["rails"]) == 2, result
        assert any(rail["verdict"] == "ok" for rail in plan["rails"]), result


def closed(cluster, index):
    cluster.call("POST", f"/{index}/_close")


def test_closed_indices_of_a_pattern_are_said(m):
    other = f"{m.old}-closed"
    m.source.create(other, {"rank": {"type": "integer"}})
    try:
        closed(m.source, other)
        m.tree["indices"][0]["from"] = f"{m.old}*"
        m.write_recipe()
        plan = m.run("plan", seconds=30).expect(0).json
        rail = next(rail for rail in plan["rails"] if rail["name"] == "closed_indices")
        assert rail["verdict"] == "warn" and other in rail["detail"], plan["rails"]
        assert [i["from"] for i in plan["indices"]] == [[m.old]]
    finally:
        m.source.call("DELETE", f"/{other}")


@pytest.mark.real
@pytest.mark.parametrize("source", ["es-7.10", "os-3", "es-6.8"])
def test_hidden_indices_of_a_pattern_are_said(migrate, source):
    """A pattern does not mean them, so their documents would be missing and nothing would say so."""
    m = migrate(source, "es-8.17", Workload(1, 20, 5, 5)).prepare()
    other = f"{m.old}-hidden"
    known = source != "es-6.8"
    m.source.create(other, {"rank": {"type": "integer"}})
    try:
        if known:
            m.source.call("PUT", f"/{other}/_settings", {"index": {"hidden": True}})
        m.tree["indices"][0]["from"] = f"{m.old}*" if known else m.old
        m.write_recipe()
        plan = m.run("plan", seconds=60).expect(0).json
        assert [i["from"] for i in plan["indices"]] == [[m.old]]
        rails = [rail for rail in plan["rails"] if rail["name"] == "hidden_indices"]
        assert bool(rails) == known
        if known:
            assert rails[0]["verdict"] == "warn" and other in rails[0]["detail"], rails
            # named, it is read
            m.tree["indices"][0]["from"] = f"{m.old},{other}"
            m.write_recipe()
            assert sorted(m.run("plan", seconds=60).json["indices"][0]["from"]) == [m.old, other]
    finally:
        m.source.call("DELETE", f"/{other}")


def test_mapping_without_required_routing(m):
    m.tree["commands"]["envelope"]["routing"] = "message.status"
    m.tree["accept"] = [{"rail": "attribution", "why": "the status changes; only the mapping matters here"}]
    m.tree["indices"][0]["mapping"] = {**m.tree["indices"][0]["mapping"], "_routing": {"required": False}}
    m.write_recipe()
    with nothing_written(m):
        check_error(m.run("plan", seconds=30), m.new, "routing", code=REFUSED)
    # if init creates it, it is required
    del m.tree["indices"][0]["mapping"]["_routing"]
    m.write_recipe()
    m.init()
    assert m.target.call("GET", f"/{m.new}")[m.new]["mappings"]["_routing"] == {"required": True}
    # a recipe that no longer names it does not fit
    del m.tree["commands"]["envelope"]["routing"]
    m.write_recipe()
    check_error(m.run("plan", seconds=30), m.new, "routing", code=REFUSED)


def test_application_group_named_after_the_copy(m):
    """Where the old index stood when the copy began was not recorded, so a replay cannot start there."""
    m.init()
    m.copy()
    m.log.commit(f"indexer-{m.name}", m.topic, m.log.ends(m.topic))
    m.tree["commands"]["application_group"] = f"indexer-{m.name}"
    m.tree["replay"] = {"from": "recorded"}
    m.write_recipe()
    check_error(m.run("plan", seconds=30), f"indexer-{m.name}", "copy began", code=REFUSED)


@pytest.mark.real
def test_application_group_mistyped(m):
    """It is named, so that is not what is said: it has committed nothing, there is no such group, and there is one like
    it."""
    m.log.commit(f"indexer-{m.name}", m.topic, m.log.ends(m.topic))
    m.tree["commands"]["application_group"] = f"indexr-{m.name}"
    m.write_recipe()
    rail = next(rail for rail in m.plan()["rails"] if rail["name"] == "log_reach")
    said = f'group indexr-{m.name} (commands.application_group) has committed nothing on topic {m.topic}'
    assert rail["verdict"] == "warn" and said in rail["detail"] and "not named" not in rail["detail"], rail
    assert f'there is no such group; did you mean "indexer-{m.name}"?' in rail["detail"], rail
    m.tree["replay"] = {"from": "recorded"}
    m.write_recipe()
    check_error(m.run("plan", seconds=30), said, "did you mean", code=REFUSED)


def test_status_says_that_an_application_group_has_committed_nothing(m):
    """As plan does. A migration that was only created is no reason for an alarm."""
    assert "application_group" not in m.status()
    m.tree["commands"]["application_group"] = f"indexr-{m.name}"
    m.write_recipe()
    m.init()
    rail = next(rail for rail in m.plan()["rails"] if rail["name"] == "log_reach")
    said = m.run("status", "--check", seconds=60).expect(DONE).json
    assert "has committed nothing" in rail["detail"], rail
    told = said["application_group"]
    assert (told["name"], told["trouble"], told["lag"]) == (f"indexr-{m.name}", rail["detail"], None)
    assert not told["has_members"]
    assert "writer   " + rail["detail"] in m.crossfade("status", m.recipe, seconds=60).expect(DONE).out


@pytest.mark.real
def test_application_group_without_an_offset(m):
    """The beginning of a partition is gone, and the group has committed nothing for it."""
    ends = m.log.ends(m.topic)
    m.log.truncate(m.topic, {0: 5})
    m.log.commit(f"indexer-{m.name}", m.topic, {p: end for p, end in ends.items() if p})
    m.tree["commands"]["application_group"] = f"indexer-{m.name}"
    m.tree["replay"] = {"from": "recorded"}
    m.write_recipe()
    with nothing_written(m):
        check_error(m.run("plan", seconds=30), "partition 0", 5, f"indexer-{m.name}", code=REFUSED)


def test_epoch_is_only_raised(m):
    m.tree["commands"]["epoch"] = 2
    m.write_recipe()
    m.init()
    m.tree["commands"]["epoch"] = 1
    m.write_recipe()
    check_error(m.run("plan", seconds=30), "epoch", 1, 2, code=REFUSED)

"""Privileges: what the guide says is what a migration asks for, what is missing is said before anything is begun, and
a refusal of the cluster half way leaves a state that tells the truth."""
import json
import re

import pytest

from binary import DONE, FAILED, REFUSED, check_error
from rights import Rights
from stack import ROOT
from test_cutover import behind, failed, make, rollback, rollover  # noqa: F401
from test_errors import nothing_written
from test_finish import across, finish
from test_verify import verify

GUIDE = ROOT / "docs/guide.md"


def roles(m):
    """The roles of the guide for the old and the new cluster, with the names of a migration."""
    names = {"incidents-v2": m.new, "incidents-v2-crossfade-*": f"{m.new}-crossfade-*",
             ".crossfade-incidents*": f".crossfade-{m.name}*"}
    text = GUIDE.read_text()
    blocks = re.findall(r"^```json\n(\{\n  \"cluster\".*?)^```", text, re.M | re.S)
    assert len(blocks) == 2
    found = []
    for block, readers in zip(blocks, (m.old, m.alias)):
        role = json.loads(block)
        for group in role["indices"]:
            group["names"] = [names.get(name, readers) for name in group["names"]]
        found.append(role)
    return found


def joined(old, new, *more):
    return {"cluster": new["cluster"], "indices": old["indices"] + new["indices"] + list(more)}


def without(role, privilege, name):
    """The role without a privilege on a name."""
    groups = [{"names": [one], "privileges": [p for p in group["privileges"] if (p, one) != (privilege, name)]}
              for group in role["indices"] for one in group["names"]]
    return {"cluster": [p for p in role["cluster"] if (p, None) != (privilege, name)], "indices": groups}


@pytest.fixture
def guard():
    """guard(url, role, ...) -> a proxy that is closed after the test."""
    open_ones = []

    def guard(url, role, **options):
        open_ones.append(Rights(url, role, **options))
        return open_ones[-1]
    yield guard
    for proxy in open_ones:
        proxy.__exit__()


def held(proxy):
    """Nothing was forbidden; and what the role gives and no request needed."""
    assert not proxy.unknown and not proxy.forbidden, (proxy.unknown[:3], proxy.forbidden[:3])
    given = {(privilege, pattern) for privilege, pattern, _ in proxy.role.grants()}
    # asked for only where a template gives the new index a policy
    return given - proxy.used - {("read_ilm", None)}


def test_the_roles_of_the_guide_are_what_a_migration_needs(migrate, guard):
    proxies = []

    def through(m):
        old, new = roles(m)
        proxies.extend([guard(m.source.url, old), guard(m.target.url, new)])
        return [proxy.url for proxy in proxies]
    m = across(migrate, through=through)
    rail = [rail for rail in m.plan()["rails"] if rail["name"] == "rights"]
    assert [r["verdict"] for r in rail] == ["ok"] and "all are there" in rail[0]["detail"], rail
    verify(m)
    assert m.status()["phase"]
    rollover(m)
    rollback(m, "--readers-moved")
    rollover(m)
    m.stop(m.follow)
    assert finish(m, "--yes")["finished"]
    # Elasticsearch judges a write by its alias
    assert [held(proxy) for proxy in proxies] == [set(), {("write", m.new)}]


def test_in_one_cluster_the_old_indices_need_manage(make, guard):  # noqa: F811
    proxies = []

    def url(m):
        old, new = roles(m)
        proxies.append(guard(m.source.url, joined(old, new, {"names": [m.old], "privileges": ["manage"]})))
        return proxies[0].url
    m = make("es-6.8", url=url, quiet_for="1s")
    proxy, (old, new) = proxies[0], roles(m)
    verify(m)
    # it has all that the work needs, and not what the rollover needs
    proxy.role.definition = joined(old, new)
    told = [rail for rail in m.plan()["rails"] if rail["name"] == "rights"]
    assert [rail["verdict"] for rail in told] == ["warn"] and f"manage on {m.old}" in told[0]["detail"], told
    told = rollover(m, code=REFUSED)
    assert failed(told) == {"rights"} and not told["moved"] and behind(m).keys() == {m.old}
    assert f"manage on {m.old}" in str(told["gates"]) and "Privileges" in str(told["gates"])
    proxy.role.definition = joined(old, new, {"names": [m.old], "privileges": ["manage"]})
    rollover(m)
    rollback(m)
    m.stop(m.follow)
    assert m.run("cancel", "--yes").expect(DONE).json["removed"]
    # `manage` holds these
    assert held(proxy) <= {(name, m.old) for name in ("view_index_metadata", "monitor", "maintenance")} | {
        ("write", m.new)}


def lacking(m):
    """What plan refuses for want of privileges."""
    return [rail["detail"] for rail in m.run("plan").expect(REFUSED).json["rails"]
            if rail["name"] == "rights" and rail["verdict"] == "refused"]


@pytest.fixture
def looked(request, migrate, guard):
    """A migration behind two guarded clusters, of which nothing is done yet."""
    target = getattr(request, "param", "es-8.17")
    m = migrate("es-6.8", target, partitions=1, mapping={"properties": {}}, index={"transform": []})
    m.alias = f"readers-{m.name}"
    m.tree["indices"][0]["alias"] = m.alias
    m.log.create(m.topic, 1)
    m.source.create(m.old, {"title": {"type": "keyword"}})
    m.source.bulk(m.old, [("index", "1", {}, '{"title": "one"}')])
    m.source.refresh(m.old)
    m.guards = [guard(cluster.url, role) for cluster, role in zip((m.source, m.target), roles(m))]
    m.tree["source"]["url"], m.tree["target"]["url"] = [proxy.url for proxy in m.guards]
    m.write_recipe()
    return m


def test_plan_names_each_privilege_that_the_work_lacks(looked):
    m, (old, new) = looked, roles(looked)
    source, target = m.guards
    target.role.definition = without(without(new, "write", f"{m.new}-crossfade-*"), "write", f".crossfade-{m.name}*")
    with nothing_written(m):
        (told,) = lacking(m)
    assert f"write on {m.new}-crossfade-* of the target" in told, told
    assert f"write on .crossfade-{m.name}* of the target" in told and "source" not in told, told
    assert "Privileges" in told and "accept: [{ rail: rights" in told
    check_error(m.run("init", "--confirm", "0" * 32), f"write on {m.new}-crossfade-*", code=REFUSED)
    # what the first request of all may not do, is said together with the rest
    target.role.definition = without(new, "write", f"{m.new}-crossfade-*")
    source.role.definition = without(old, "read", m.old)
    with nothing_written(m):
        check_error(m.run("plan"), f"read on {m.old} of the source", f"write on {m.new}-crossfade-*", code=REFUSED)
    # it is wrong here, says somebody
    source.role.definition, target.role.definition = old, new
    target.told_otherwise = {("write", f"{m.new}-crossfade-*")}
    (told,) = lacking(m)
    m.tree["accept"] = [{"rail": "rights", "why": "the proxy writes for us"}]
    m.write_recipe()
    m.init()
    m.copy()


def test_what_only_helps_is_a_warning(looked):
    m, (old, new) = looked, roles(looked)
    m.guards[0].role.definition = without(old, "maintenance", m.old)
    m.guards[1].role.definition = without(new, "manage_index_templates", None)
    (rail,) = [rail for rail in m.plan()["rails"] if rail["name"] == "rights"]
    assert rail["verdict"] == "warn" and f"maintenance on {m.old}" in rail["detail"], rail
    assert "manage_index_templates of the cluster" in rail["detail"], rail


@pytest.mark.parametrize("looked", ["os-3"], indirect=True)
def test_opensearch_judges_requests_that_it_does_not_execute(looked):
    m, (_, new) = looked, roles(looked)
    (rail,) = [rail for rail in m.plan()["rails"] if rail["name"] == "rights"]
    assert rail["verdict"] == "ok" and "all are there" in rail["detail"], rail
    m.guards[1].role.definition = without(without(new, "write", m.new), "manage", m.alias)
    with nothing_written(m):
        (told,) = lacking(m)
    assert f"write on {m.new} of the target" in told and m.alias not in told, told
    assert not m.guards[1].unknown
    # of the readers' alias plan cannot see anything then, and says why
    m.guards[1].role.definition = without(new, "manage", m.alias)
    (rail,) = [rail for rail in m.plan()["rails"] if rail["name"] == "rights"]
    assert rail["verdict"] == "warn" and f"manage on {m.alias} of the target" in rail["detail"], rail


class Denies:
    """Forbids what a command changes from its n-th change on; -1: nothing."""

    def __init__(self):
        self.left = -1

    def __call__(self, method, path, body):
        reads = any(word in path for word in ("_search", "_count", "_refresh", "member-", "history"))
        if self.left < 0 or method in ("GET", "HEAD") or reads:
            return False
        self.left = max(0, self.left - 1)
        return self.left == 0


def test_forbidden_half_way_through_a_move(make, guard):  # noqa: F811
    """The cluster cannot be asked, so the gate passes. Whatever request is forbidden, the state says where the aliases
    stand, the message says that a privilege is missing, and the same command completes once it is there."""
    proxies, denies = [], Denies()

    def url(m):
        old, new = roles(m)
        role = joined(old, new, {"names": [m.old], "privileges": ["manage"]})
        proxies.append(guard(m.source.url, role, tells=False, deny=denies))
        return proxies[0].url
    m = make("es-8.17", url=url, quiet_for="1s")
    (rail,) = [rail for rail in m.plan()["rails"] if rail["name"] == "rights"]
    assert rail["verdict"] == "warn" and "cannot be asked" in rail["detail"], rail
    verify(m)
    for command, stands, goes in (("rollover", m.old, m.new), ("rollback", m.new, m.old)):
        for number in range(1, 5):
            denies.left = number
            result = m.run(command, seconds=60)
            denies.left = -1
            if result.code == DONE:
                break
            check_error(result, "privilege", code=FAILED, seconds=60)
            moved = behind(m).keys() == {goes}
            told = m.status()["cutover"]
            assert moved or behind(m).keys() == {stands}, (command, number)
            assert (told["position"] == ("rolled_over" if goes == m.new else "rolled_back")) == moved \
                or "under way" in str(told), (command, number, told)
        m.run(command, seconds=120).expect(DONE)
        assert behind(m).keys() == {goes}
    rollover(m)
    m.stop(m.follow)
    said = forbidden_until_done(m, denies, "finish", "--yes")
    assert {"rolled_over", "finished"} >= said and "finished" in said, said
    left = m.target.indices()
    assert m.old in left and m.new in left and f".crossfade-{m.name}" not in left
    assert behind(m).keys() == {m.new}


def forbidden_until_done(m, denies, *words):
    """Runs a command with one more change allowed each time, until it is done. The positions that status said."""
    said = set()
    for number in range(1, 30):
        denies.left = number
        result = m.run(*words, seconds=60)
        denies.left = -1
        if result.code == DONE:
            assert number > 2, "nothing was forbidden"
            return said
        check_error(result, "privilege", code=FAILED, seconds=60)
        said.add(m.status()["cutover"]["position"])
    raise AssertionError(f"{words} was never done")


def test_forbidden_half_way_through_a_cancel(looked):
    m, denies = looked, Denies()
    m.init()
    m.guards[1].deny = denies
    said = forbidden_until_done(m, denies, "cancel", "--yes")
    assert said and said <= {"before", "cancelled", "initialised"}, said
    left = m.target.indices()
    assert m.new not in left and f".crossfade-{m.name}" not in left

"""The end of a migration: what is left on the servers, what is kept in a file, and ends that were broken off."""
import collections
import json
import re

import pytest

from binary import DONE, REFUSED, USAGE, check_error
from proxy import Proxy
from stack import wait_for
from test_cutover import ANYTHING, behind, failed, make, rollback, rollover  # noqa: F401
from test_operations import get, where
from test_identity import command, insert
from test_verify import applied, verify


def finish(m, *more, code=DONE, recipe=None):
    return m.crossfade("finish", recipe or m.recipe, "--format", "json", *more, seconds=120).expect(code).json


def listing(m):
    """All that stands on both clusters and in Kafka, but for what servers make by themselves, and what other tests on
    these servers made: their groups go some time after their topics."""
    def ours(name):
        number = re.search(r"\d+-\d+", name)
        if number and number[0] != m.name[1:]:
            return False
        return not name.startswith((".", "top_queries")) or name.startswith(".crossfade")
    found = set()
    for cluster in (m.source, m.target):
        for index in filter(ours, cluster.indices()):
            found.add(("index", index))
            for alias in cluster.call("GET", f"/{index}/_alias")[index]["aliases"]:
                found.add(("alias", alias, index))
        for kind in ("_template", "_index_template"):
            told = (cluster.request("GET", f"/{kind}")[0] == 200 and cluster.get(f"/{kind}")) or {}
            names = [t["name"] for t in told["index_templates"]] if "index_templates" in told else told
            found |= {(kind, name) for name in names}
    return found | {(kind, name) for kind, names in (("topic", m.log.topics()), ("group", m.log.groups()))
                    for name in filter(ours, names)}


def across(migrate, source="es-6.8", target="es-8.17", through=None, **cutover):
    """A migration from cluster to cluster, with deleted documents, whose readers are on the new side. `m.before`: what
    stood there before Crossfade began. `through`: the URLs of both clusters for Crossfade; the default is their own."""
    m = migrate(source, target, partitions=2, mapping=ANYTHING, index={"transform": []})
    m.alias, m.handover = f"readers-{m.name}", f"new-indexer-{m.name}"
    m.tree["indices"][0]["alias"] = m.alias
    m.tree["commands"]["application_group"] = f"app-{m.name}"
    m.tree["verify"] = {"settle": "5s", "folder": str(m.crossfade.folder / "verify")}
    m.tree["cutover"] = {"parity_age": "1h", "handover": m.handover, **cutover}
    m.log.create(m.topic, 2)
    m.source.create(m.old, ANYTHING["properties"])
    m.source.bulk(m.old, [("index", str(n), {}, json.dumps({"title": f"title {n}"})) for n in range(10)])
    m.source.refresh(m.old)
    m.source.call("POST", "/_aliases", {"actions": [
        {"add": {"index": m.old, "alias": m.alias, "filter": {"prefix": {"title": "title"}}}}]})
    m.log.produce(m.topic, [insert(str(n), f"title {n}") for n in range(12)]
                  + [command("DeleteMessageCommand", str(n)) for n in (10, 11)])
    if through:
        m.tree["source"]["url"], m.tree["target"]["url"] = through(m)
    m.write_recipe()
    applied(m)
    m.before = listing(m)
    m.init()
    m.copy()
    m.replay()
    m.follow = m.start("follow")
    m.caught_up(m.follow)
    return m


def tombstones(m):
    m.target.refresh(m.new)
    return m.target.count(m.new, {"term": {"crossfade_deleted": True}})


class Cuts(Proxy):
    """Cuts each different write of a command twice: before it reaches the cluster, and before its answer comes back.
    The command is killed, or its connection closed."""

    def __init__(self, upstream):
        super().__init__(upstream)
        self.kill, self.isArmed, self.cuts, self.isCut = None, False, collections.Counter(), False

    def signature(self, handler, body):
        path = handler.path.split("?")[0]
        if handler.command in ("GET", "HEAD") or any(
                word in path for word in ("_search", "_count", "_refresh", "member-", "_has_privileges")):
            return None
        told = ""
        if path.endswith("/migration"):
            cutover = json.loads(json.loads(body).get("cutover", "{}"))
            told = str(cutover.get("ending", {}).get("done"))
        return handler.command, path, told

    def handle(self, handler, body):
        signature = self.signature(handler, body) if self.isArmed else None
        if not signature or self.cuts[signature] > 1 or (self.isCut and self.kill):
            return super().handle(handler, body)
        self.cuts[signature] += 1
        self.isCut = True
        if self.cuts[signature] == 2:
            handler.ask(body)
        handler.close_connection = True
        if self.kill:
            self.kill()

    def run(self, m, *more, kills):
        """Runs finish until it is done."""
        url, m.tree["target"]["url"] = m.tree["target"]["url"], self.url
        through = m.write_recipe("through.yaml")
        m.tree["target"]["url"] = url
        m.write_recipe()
        self.isArmed = True
        for _ in range(80):
            self.isCut = False
            process = m.crossfade.start("finish", through, "--yes", "--format", "json", *more)
            self.kill = process.kill if kills else None
            wait_for("the process ends", lambda: not process.running, 120)
            result = process.wait(10)
            if result.code == DONE:
                return result.json
            assert self.isCut, f"it ended by itself\n{result}"
            state = m.target.call("GET", f"/.crossfade-{m.name}/_doc/migration", missing_ok=True)
            isBegun = state is None or "ending" in state["_source"].get("cutover", "")
            assert not isBegun or self.archive(m), "something was begun without an archive"
        raise AssertionError(f"finish never ended: {self.cuts}")

    @staticmethod
    def archive(m):
        path = m.crossfade.folder / f"crossfade-{m.name}-finished.json"
        return json.loads(path.read_text()) if path.exists() else None


@pytest.mark.parametrize("kills", [True, False], ids=["killed", "cut_answers"])
@pytest.mark.parametrize("source, target", [("es-6.8", "es-8.17")])
def test_finish_leaves_nothing_but_what_was_asked_for(migrate, source, target, kills):
    m = across(migrate, source, target)
    m.run("finish").expect(2)
    told = finish(m, "--yes", code=REFUSED)
    assert failed(told) == {"rolled_over", "members", "receipt"}, told
    verify(m)
    rollover(m)
    m.stop(m.follow)
    # nobody of ours reads these: they are for the new indexer
    position = m.log.committed(m.group, m.topic)
    m.log.produce(m.topic, [insert("late", "late")])
    dry = finish(m, "--dry-run")
    assert not dry["finished"] and any("purge 2 tombstones" in line for line in dry["would"]), dry
    assert tombstones(m) == 2 and m.handover not in m.log.groups()
    with Cuts(m.target.url) as cuts:
        cuts.run(m, kills=kills)
        paths = {path for _, path, _ in cuts.cuts}
    assert {"/_aliases", f"/.crossfade-{m.name}", f"/.crossfade-{m.name}/_doc/migration"} <= paths
    assert any(path.endswith("PURGE/_bulk") for path in paths) and len(cuts.cuts) > 10, cuts.cuts
    assert tombstones(m) == 0 and m.target.count(m.new) == 10
    assert behind(m) == {m.new: {"filter": {"prefix": {"title": "title"}}}}, "as on the old cluster"
    assert m.log.committed(m.handover, m.topic) == position
    assert listing(m) == m.before | {("index", m.new), ("alias", m.alias, m.new), ("group", m.handover)}
    archive = cuts.archive(m)
    assert archive["receipts"][0]["verdict"] == "equal" and archive["state"]["name"] == m.name
    assert "rolled_over" in [event["what"] for event in archive["history"]]
    assert finish(m, "--yes")["nothing"]
    # what still starts Crossfade is told what it found, and not to delete the index that readers search
    m.write_recipe()
    rails = {rail["name"]: rail["detail"] for rail in m.run("plan", seconds=60).expect(REFUSED).json["rails"]}
    text = rails["target_content"]
    assert m.alias in text and "one that is finished" in text and "delete" not in text, text


@pytest.mark.parametrize("server", ["es-6.8", "os-3"])
def test_the_old_index_is_deleted_only_if_nobody_misses_it(make, server):  # noqa: F811
    m = make(server, filtered={"prefix": {"title": "title"}}, quiet_for="2s")
    verify(m)
    rollover(m)
    m.stop(m.follow)
    used = f"used-{m.name}"
    m.source.call("POST", "/_aliases", {"actions": [{"add": {"index": m.old, "alias": used}}]})
    told = finish(m, "--dry-run", "--delete-old", code=REFUSED)
    assert failed(told) == {"old_side"} and used in told["gates"][-1]["text"]
    m.source.call("DELETE", f"/{m.old}/_alias/{used}")
    scroll = m.source.call("POST", f"/{m.old}/_search?scroll=5m", {"size": 1})["_scroll_id"]
    told = finish(m, "--yes", "--delete-old", code=REFUSED)
    assert failed(told) == {"old_side"} and "open" in told["gates"][-1]["text"], told
    m.source.call("DELETE", "/_search/scroll", {"scroll_id": [scroll]})
    assert m.status()["cutover"]["position"] == "rolled_over", "a refused end changed something"
    told = finish(m, "--yes", "--delete-old", "--archive", "kept.json")
    assert json.loads((m.crossfade.folder / "kept.json").read_text())["migration"] == m.name
    left = m.target.indices()
    assert m.old not in left and m.new in left and f".crossfade-{m.name}" not in left, told
    assert behind(m) == {m.new: {"filter": {"prefix": {"title": "title"}}}}, "what the alias showed, it shows"
    assert [alias for kind, alias, *_ in listing(m) if kind == "alias" and m.name in alias] == [m.alias]


def test_an_old_index_that_is_searched_is_not_deleted(make):  # noqa: F811
    m = make("es-8.17", quiet_for="1h", follows=False)
    verify(m)
    # what a rollover would refuse is no yes in status
    both = {"index": m.new, "alias": m.alias}
    m.target.call("POST", "/_aliases", {"actions": [{"add": both}]})
    assert any("on old and new indices" in why for why in m.status()["switch"]["reasons"]), m.status()["switch"]
    m.target.call("POST", "/_aliases", {"actions": [{"remove": both}]})
    rollover(m, "--override", "followed", "--why", "a test")
    # where another gate fails, nobody waits for an hour to be told
    follow = m.start("follow")
    follow.assigned()
    told = finish(m, "--yes", "--delete-old", code=REFUSED)
    assert "members" in failed(told) and "would be watched" in told["gates"][-1]["text"], told
    m.stop(follow)
    process = m.start("finish", "--yes", "--delete-old")
    wait_for("the watch", lambda: "watching whether" in process.err_file.read_text(), 60)
    m.source.call("POST", f"/{m.old}/_search", {"size": 1})
    told = process.wait(60).expect(REFUSED).json
    assert failed(told) == {"old_side"} and "still in use" in told["gates"][-1]["text"], told
    # without it, nothing of the old side is touched, and there is no way back
    told = finish(m, "--yes")
    assert m.old in m.target.indices() and any(m.old in line for line in told["kept"])
    check_error(m.run("rollback"), "not initialised", code=REFUSED)


def test_an_indexer_that_was_begun_too_early_is_found_before_the_end(migrate):
    """It had written over documents after the receipt; the receipt passed as equal, and there is no way back."""
    m = across(migrate)
    verify(m)
    rollover(m)
    m.stop(m.follow)
    finish(m, "--dry-run")
    m.target.call("PUT", f"/{m.new}/_doc/1?refresh=true", {"title": "by another"})
    assert failed(finish(m, "--dry-run", code=REFUSED)) == {"foreign_writes"}
    finish(m, "--dry-run", "--override", "foreign_writes", "--why", "it is meant")


def test_an_end_that_was_begun_is_said_and_completed(migrate):
    """The new indexer's group is in use: nothing is begun. Once begun, no other command does anything."""
    m = across(migrate)
    verify(m)
    rollover(m)
    m.stop(m.follow)
    with Cuts(m.target.url) as cuts:
        m.tree["target"]["url"] = cuts.url
        cuts.isArmed = True
        cuts.cuts.update({("PUT", f"/.crossfade-{m.name}/_doc/migration", "[]"): 2})
        process = m.crossfade.start("finish", m.write_recipe("through.yaml"), "--yes")
        cuts.kill = process.kill
        wait_for("the process ends", lambda: not process.running, 60)
    m.tree["target"]["url"] = m.target.url
    m.write_recipe()
    assert m.status()["cutover"]["position"] == "finished"
    for word in ("follow", "copy"):
        check_error(m.run(word), "crossfade finish", code=REFUSED)
    for word in ("rollback", "rollover"):
        m.run(word).expect(REFUSED)
    m.run("cancel", "--yes").expect(REFUSED)
    assert finish(m, "--yes", "--keep-group")["finished"]
    assert m.group in m.log.groups()


@pytest.mark.parametrize("source, target", [("es-6.8", "es-8.17"), ("os-3", "es-6.8")])
def test_cancel_leaves_what_was_there_before(migrate, source, target):
    m = across(migrate, source, target)
    verify(m)
    page = where(m.follow)
    rollover(m)

    def readers():
        status = json.loads(get(page, "/statusz")[1])
        assert status["log"] == {"answers": True, "trouble": None} and status["last_stop"] is None, status
        told = status["readers"]
        return told["position"] == "rolled_over" and told["rollback"] and told
    told = wait_for("the follower's page to tell it", readers, 60, pause=0.5)
    assert told["aliases"] == [m.alias] and told["old_indexer"] == {"group": f"app-{m.name}", "lag": 0}, told
    rollback(m, "--accept-loss", "--readers-moved")
    m.stop(m.follow)
    # without --yes it only lists
    listed = m.run("cancel").expect(USAGE).json
    expected = {f"index {m.new}", f"index .crossfade-{m.name}", f"consumer group {m.group}"}
    assert listed["dry_run"] and expected <= set(listed["removed"]), listed
    assert m.new in m.target.indices()
    assert set(m.run("cancel", "--yes").expect(DONE).json["removed"]) == set(listed["removed"])
    assert listing(m) == m.before

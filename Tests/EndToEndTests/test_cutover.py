"""Rollover and rollback on real servers: readers, races, answers that are lost or late, and processes that die."""
import json
import threading

import pytest

from binary import DONE, FAILED, REFUSED, USAGE, check_error
from proxy import Proxy
from rest import Cluster
from stack import wait_for
from test_identity import command, insert
from test_verify import applied, verify

ANYTHING = {"dynamic": False, "properties": {"title": {"type": "keyword"}}}
MOVES = ("POST", "/_aliases")


@pytest.fixture
def make(migrate):
    """A finished migration inside one cluster. Readers use the alias `m.alias`; `m.follow` keeps the new index
    current."""
    made = []

    def make(server="es-8.17", documents=20, filtered=None, url=None, follows=True, reads=None,
             **cutover):
        m = migrate(server, server, partitions=1, mapping=ANYTHING, index={"transform": []})
        m.alias = f"readers-{m.name}"
        if reads == "alias":
            m.tree["indices"][0].update({"from": m.alias, **({"filter": "source"} if filtered else {})})
        else:
            m.tree["indices"][0]["alias"] = m.alias
        m.tree["commands"]["application_group"] = f"app-{m.name}"
        m.tree["verify"] = {"settle": "5s", "folder": str(m.crossfade.folder / "verify")}
        m.tree["cutover"] = {"writers": "index", "parity_age": "1h", **cutover}
        if url:
            m.tree["target"]["url"] = m.tree["source"]["url"] = url(m)
        m.log.create(m.topic, 1)
        m.log.produce(m.topic, [insert(str(n), f"title {n}") for n in range(documents)])
        mapping = ANYTHING if not m.source.typed else {"incident": ANYTHING}
        m.source.call("PUT", f"/{m.old}", {
            "settings": {"number_of_shards": 1, "number_of_replicas": 0}, "mappings": mapping})
        m.source.bulk(m.old, [("index", str(n), {}, json.dumps({"title": f"title {n}"})) for n in range(documents)])
        m.source.refresh(m.old)
        definition = {"filter": filtered} if filtered else {}
        m.source.call("POST", "/_aliases", {"actions": [{"add": {"index": m.old, "alias": m.alias, **definition}}]})
        m.write_recipe()
        m.init()
        m.copy()
        m.replay()
        applied(m)
        m.follow = m.start("follow") if follows else None
        if follows:
            m.caught_up(m.follow)
        made.append(m)
        return m
    yield make


def behind(m, alias=None):
    """The indices behind an alias, with their definitions."""
    found = m.target.call("GET", f"/_alias/{alias or m.alias}", missing_ok=True) or {}
    return {index: told["aliases"][alias or m.alias] for index, told in found.items() if "aliases" in told}


def rollover(m, *more, code=DONE):
    return m.run("rollover", *more, seconds=120).expect(code).json


def rollback(m, *more, code=DONE):
    return m.run("rollback", *more, seconds=120).expect(code).json


def failed(result):
    return {gate["gate"] for gate in result["gates"] if gate["verdict"] == "failed"}


class Readers(threading.Thread):
    """Searches through the alias every 10 ms; keeps what it saw: the indices, or an error."""

    def __init__(self, m):
        super().__init__(daemon=True)
        self.cluster, self.path = Cluster(m.target.url), f"/{m.alias}/_search"
        self.seen, self.asked, self.count = [], threading.Event(), 0

    def run(self):
        body = {"size": 0, "aggs": {"i": {"terms": {"field": "_index"}}}}
        while not self.asked.wait(0.01):
            try:
                answer = self.cluster.call("POST", self.path, body)
                found = tuple(sorted((b["key"], b["doc_count"]) for b in answer["aggregations"]["i"]["buckets"]))
            except Exception as error:
                found = ("error", str(error))
            self.count += 1
            if not self.seen or self.seen[-1] != found:
                self.seen.append(found)

    def stop(self):
        self.asked.set()
        self.join(30)
        return self.seen


@pytest.mark.parametrize("server", ["es-6.8", "es-8.17", "os-3"])
def test_readers_see_the_old_index_or_the_new_one(make, server):
    m = make(server, filtered={"prefix": {"title": "title"}})
    verify(m)
    readers = Readers(m)
    readers.start()
    told = rollover(m)
    assert told["position"] == "rolled_over" and told["moved"] and len(told["nodes"]) == 1
    status = m.status()["cutover"]
    assert status["position"] == "rolled_over" and status["aliases"][0]["to"] == [m.new]
    history = [event["what"] for event in m.run("history").expect(DONE).json["events"]]
    assert history[-2:] == ["rollover_begun", "rolled_over"]
    assert behind(m).keys() == {m.new}
    # a document that the old filter hides is hidden on the new side, too
    assert json.dumps({"prefix": {"title": "title"}}) in json.dumps(behind(m)[m.new]["filter"])
    assert rollover(m)["aliases"] == [], "twice is harmless"
    m.log.produce(m.topic, [insert("more", "title more")])
    m.source.call("PUT", f"/{m.old}/{'incident' if m.source.typed else '_doc'}/more", {"title": "title more"})
    m.caught_up(m.follow)
    applied(m)
    assert rollback(m)["position"] == "rolled_back"
    assert behind(m) == {m.old: {"filter": {"prefix": {"title": "title"}}}}
    assert rollover(m)["position"] == "rolled_over"
    count = readers.count
    wait_for("more reads", lambda: readers.count > count + 5)
    seen = readers.stop()
    assert all(len(found) == 1 and found[0][0] in (m.old, m.new) and found[0][1] >= 20 for found in seen), seen
    assert [found[0][0] for found in seen if found[0][1] == seen[0][0][1]][:2] == [m.old, m.new]


def test_a_failed_gate_names_its_number_and_what_mends_it(make):
    m = make(follows=False)
    del m.tree["cutover"]["writers"]
    m.write_recipe()
    m.target.call("PUT", f"/{m.new}/_settings", {"index": {"refresh_interval": "-1"}})
    # what searches of the old index rely on
    relied = {"max_terms_count": "100000", "query.default_field": ["title", "id"],
              "highlight.max_analyzed_offset": "2000000"}
    m.target.call("PUT", f"/{m.old}/_settings", {"index": relied})
    told = rollover(m, code=REFUSED)
    assert failed(told) == {"receipt", "followed", "writers", "settings"} and not told["moved"]
    mends = {gate["gate"]: gate["mend"] for gate in told["gates"]}
    found = [gate["mend"] for gate in told["gates"] if gate["gate"] == "settings"]
    assert len(found) == 4, found
    for mend in found:
        call, path, body = mend.split(" ", 2)
        if "refresh_interval" not in body:
            m.target.call(call, path, json.loads(body))
    found = [gate for gate in rollover(m, code=REFUSED)["gates"] if gate["gate"] == "settings"]
    assert len(found) == 1 and "refresh_interval" in found[0]["mend"], found
    assert mends["receipt"].startswith("crossfade verify ") and mends["followed"].startswith("crossfade follow ")
    assert behind(m).keys() == {m.old}
    # a gate that is overridden without a reason, or that cannot be
    m.run("rollover", "--override", "receipt").expect(2)
    m.run("rollover", "--override", "initialised", "--why", "x").expect(2)
    overrides = [word for gate in failed(told) for word in ("--override", gate)]
    told = rollover(m, *overrides, "--why", "a test of gates")
    assert told["moved"] and behind(m).keys() == {m.new}


def test_a_receipt_that_is_too_old_or_a_hold_file_holds_it_back(make):
    hold = "hold-me"
    m = make(parity_age="1ms", hold=hold)
    verify(m)
    (m.crossfade.folder / hold).write_text("")
    assert failed(rollover(m, "--dry-run", code=REFUSED)) == {"receipt", "hold"}
    (m.crossfade.folder / hold).unlink()
    m.tree["cutover"]["parity_age"] = "1h"
    m.write_recipe()
    told = rollover(m, "--dry-run")
    assert not told["moved"] and behind(m).keys() == {m.old}
    m.tree["cutover"]["before"] = ["false"]
    m.write_recipe()
    m.run("rollover").expect(REFUSED)
    assert behind(m).keys() == {m.old}


def test_a_document_rewritten_by_hand_after_the_receipt(make):
    m = make()
    verify(m)
    m.target.call("PUT", f"/{m.new}/_doc/3", {"title": "by hand"})
    assert failed(rollover(m, code=REFUSED)) == {"foreign_writes"} and behind(m).keys() == {m.old}
    m.run("verify", "--repair", "--yes").expect(0, 4)
    verify(m)
    assert rollover(m)["moved"]


class Holds(Proxy):
    """Answers 503 to the next move of aliases, and keeps the request until it is let go."""

    def __init__(self, upstream):
        super().__init__(upstream)
        self.armed, self.late = False, []

    def handle(self, handler, body):
        if (handler.command, handler.path) == MOVES and self.armed and b"TURN" in body and len(json.loads(
                body)["actions"]) > 1:
            self.armed = False
            self.late.append(body)
            return handler.answer(503, [("Content-Type", "application/json")], b'{"error":"gateway timeout"}')
        super().handle(handler, body)

    def release(self, cluster):
        """Sends what was kept. Returns the answers' status codes."""
        return [cluster.request("POST", "/_aliases", body)[0] for body in self.late]


@pytest.mark.parametrize("server", ["es-6.8", "es-8.17", "os-3"])
def test_a_request_that_is_applied_after_its_time_out(make, server):
    proxies = []

    def url(m):
        proxies.append(Holds(m.source.url))
        return proxies[0].url
    m = make(server, url=url)
    verify(m)
    proxies[0].armed = True
    m.run("rollover").expect(FAILED)
    assert proxies[0].late and behind(m).keys() == {m.old}
    assert all(status >= 400 for status in proxies[0].release(m.target)), "the late request was applied"
    assert behind(m).keys() == {m.old}
    assert rollover(m)["position"] == "rolled_over"
    proxies[0].armed = True
    m.run("rollback").expect(FAILED)
    assert all(status >= 400 for status in proxies[0].release(m.target))
    assert behind(m).keys() == {m.new}
    assert rollback(m)["position"] == "rolled_back"
    assert all(status >= 400 for status in proxies[0].release(m.target)), "a late rollover moved the alias again"
    assert behind(m).keys() == {m.old}


class MovesFirst(Proxy):
    """Moves the alias to another index just before the next move of ours arrives."""

    def __init__(self, upstream):
        super().__init__(upstream)
        self.by_hand = None

    def handle(self, handler, body):
        if (handler.command, handler.path) == MOVES and self.by_hand and len(json.loads(body)["actions"]) > 1:
            self.by_hand()
            self.by_hand = None
        super().handle(handler, body)


@pytest.mark.parametrize("server", ["es-6.8", "es-8.17", "os-3"])
def test_a_lost_race_is_not_a_success(make, server):
    """A removal that finds nothing is skipped and the rest applied, `acknowledged: true`: two indices, no error."""
    proxies = []

    def url(m):
        proxies.append(MovesFirst(m.source.url))
        return proxies[0].url
    m = make(server, url=url)
    verify(m)
    other = f"other-{m.name}"
    m.target.call("PUT", f"/{other}", {"settings": {"number_of_replicas": 0}})

    def by_hand():
        m.target.call("POST", "/_aliases", {"actions": [
            {"remove": {"index": m.old, "alias": m.alias}}, {"add": {"index": other, "alias": m.alias}}]})
    proxies[0].by_hand = by_hand
    m.run("rollover").expect(FAILED)
    assert behind(m).keys() == {other}
    assert m.status()["phase"]
    told = rollover(m, code=REFUSED)
    assert failed(told) == {"aliases"}
    m.target.call("DELETE", f"/{other}")


@pytest.mark.parametrize("server", ["es-6.8", "es-8.17"])
def test_an_alias_that_was_moved_back_by_hand(make, server):
    m = make(server)
    verify(m)
    rollover(m)
    m.target.call("POST", "/_aliases", {"actions": [
        {"remove": {"index": m.new, "alias": m.alias}}, {"add": {"index": m.old, "alias": m.alias}}]})
    told = rollback(m)
    assert told["aliases"] == [] and told["position"] == "rolled_back" and behind(m).keys() == {m.old}
    assert rollover(m)["moved"] and behind(m).keys() == {m.new}
    m.target.call("POST", "/_aliases", {"actions": [
        {"remove": {"index": m.new, "alias": m.alias}}, {"add": {"index": m.old, "alias": m.alias}}]})
    assert len(rollover(m)["aliases"]) == 1 and behind(m).keys() == {m.new}


class Kills(Proxy):
    """Kills the process under test when its n-th write arrives, before or after it is passed on."""

    def __init__(self, upstream):
        super().__init__(upstream)
        self.victim, self.left, self.before = None, -1, True

    def handle(self, handler, body):
        counts = handler.command in ("POST", "PUT", "DELETE") and not handler.path.startswith(("/_search", "/_bulk"))
        questions = ("_search", "_count", "_refresh", "member-", "_has_privileges")
        counts = counts and not any(word in handler.path for word in questions)
        if counts and self.victim:
            self.left -= 1
            if self.left == 0 and self.before:
                return self.victim()
        super().handle(handler, body)
        if counts and self.victim and self.left == 0:
            self.victim()


def test_killed_between_any_two_requests(make):
    """Whatever is cut off, the next command knows where the alias stands, and finishes or undoes."""
    proxies = []

    def url(m):
        proxies.append(Kills(m.source.url))
        return m.source.url
    m = make(url=url)
    verify(m)
    kills = proxies[0]
    through = m.through(source=kills.url, target=kills.url)
    cut = 0
    for command, more in (("rollover", []), ("rollback", ["--accept-loss"])):
        for before in (True, False):
            for number in range(1, 5):
                process = m.crossfade.start(command, through, "--format", "json", *more)
                kills.left, kills.before, kills.victim = number, before, process.kill
                wait_for("the process ends", lambda: not process.running, 60)
                kills.victim = None
                cut += 1
                wanted = m.old if command == "rollover" else m.new
                other = "rollback" if command == "rollover" else "rollover"
                # the other command undoes it, and says the truth
                m.run(other, *(["--accept-loss"] if other == "rollback" else []), seconds=120).expect(DONE)
                assert behind(m).keys() == {wanted}, (command, before, number)
        m.run(command, *more, seconds=120).expect(DONE)
        assert behind(m).keys() == {m.new if command == "rollover" else m.old}
    assert cut == 16


def test_two_operators_at_once(make):
    """Of two rollovers exactly one moves the alias; the other finds it moved."""
    m = make()
    verify(m)
    for _ in range(5):
        both = [m.start("rollover") for _ in range(2)]
        told = [process.wait(120).expect(DONE).json for process in both]
        assert sorted(len(t["aliases"]) for t in told) == [0, 1] and behind(m).keys() == {m.new}, told
        both = [m.start("rollback", "--accept-loss") for _ in range(2)]
        told = [process.wait(120).expect(DONE).json for process in both]
        assert sorted(len(t["aliases"]) for t in told) == [0, 1] and behind(m).keys() == {m.old}, told


def test_between_two_clusters_a_program_moves_the_readers(migrate):
    m = migrate("es-6.8", "es-8.17", partitions=1, mapping=ANYTHING, index={"transform": []})
    m.alias = f"readers-{m.name}"
    moved = m.crossfade.folder / "moved"
    m.tree["indices"][0]["alias"] = m.alias
    m.tree["commands"]["application_group"] = f"app-{m.name}"
    m.tree["verify"] = {"settle": "5s", "folder": str(m.crossfade.folder / "verify")}
    m.tree["cutover"] = {"parity_age": "1h", "command": [
        "sh", "-c", f"echo $CROSSFADE_DIRECTION $CROSSFADE_TARGET >> {moved}; test ! -e {moved}-no"]}
    m.log.create(m.topic, 1)
    m.log.produce(m.topic, [insert("1", "one")])
    m.source.create(m.old, ANYTHING["properties"])
    m.source.bulk(m.old, [("index", "1", {}, json.dumps({"title": "one"}))])
    m.source.refresh(m.old)
    m.write_recipe()
    m.init()
    m.copy()
    m.replay()
    applied(m)
    follow = m.start("follow")
    m.caught_up(follow)
    verify(m)
    (m.crossfade.folder / "moved-no").write_text("")
    m.run("rollover").expect(REFUSED)
    (m.crossfade.folder / "moved-no").unlink()
    assert rollover(m)["position"] == "rolled_over" and behind(m).keys() == {m.new}
    assert rollback(m)["position"] == "rolled_back" and behind(m) == {}
    assert [line.split() for line in moved.read_text().splitlines()] == [
        [way, m.target.url] for way in ("rollover", "rollover", "rollback")]
    follow.terminate()


def test_cancel_removes_what_was_made_and_nothing_else(make):
    m = make(follows=False)
    follow = m.start("follow")
    m.caught_up(follow)
    for more in ([], ["--yes"]):
        m.run("cancel", *more).expect(REFUSED)
    follow.terminate()
    verify(m)
    rollover(m, "--override", "followed", "--why", "a test")
    m.run("cancel", "--yes").expect(REFUSED)
    rollback(m)
    # without --yes it lists, and removes nothing
    assert m.run("cancel").expect(USAGE).json["dry_run"] and m.new in m.target.indices()
    # broken off before the first index goes: nobody begins anything, and another cancel goes on
    with Kills(m.target.url) as kills:
        process = m.crossfade.start("cancel", m.through(target=kills.url), "--yes")
        kills.left, kills.victim = 2, process.kill
        wait_for("the process ends", lambda: not process.running, 60)
    check_error(m.run("follow"), "crossfade cancel", code=REFUSED)
    told = m.run("cancel", "--yes").expect(DONE).json
    left = m.target.indices()
    assert m.old in left and m.new not in left and f".crossfade-{m.name}" not in left, told
    assert behind(m).keys() == {m.old}
    assert m.tree["dead_letters"]["topic"] not in m.log.topics()
    assert m.run("cancel", "--yes").expect(DONE).json["nothing"]


def test_a_name_that_is_an_index_is_refused(make):
    m = make(follows=False)
    m.tree["indices"][0]["alias"] = m.old
    m.write_recipe()
    assert "aliases" in failed(rollover(m, code=REFUSED))

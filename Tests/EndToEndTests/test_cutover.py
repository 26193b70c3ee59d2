"""Rollover and rollback on real servers: readers, races, answers that are lost or late, and processes that die."""
import json
import threading

import pytest

from binary import DIFFERS, DONE, FAILED, REFUSED, USAGE, check_error
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


@pytest.mark.parametrize("filtered", [None, {"prefix": {"title": "title"}}])
def test_where_from_is_the_alias_that_moves_the_old_side_is_what_it_showed_before(make, filtered):
    """`from` shows the new index then, and that is no old side: compared with itself, everything is equal."""
    m = make(reads="alias", filtered=filtered, documents=12)
    verify(m)
    rollover(m)
    assert behind(m).keys() == {m.new}
    m.log.produce(m.topic, [insert("later", "title later"), command("DeleteMessageCommand", "3")])
    m.caught_up(m.follow)
    status = m.crossfade("status", m.recipe).expect(DONE).out
    assert "also match" not in status and "is not behind" not in status, status
    # the old indexer has stopped before these two
    told = m.run("verify").json
    assert told["verdict"] == "settling" and told["indices"][0]["source_total"] == 12, told
    applied(m)
    told = m.run("verify").expect(DIFFERS).json
    assert (told["totals"]["missing"], told["totals"]["extra"]) == (1, 1), told["totals"]
    check_error(m.run("rollback", seconds=120), "2 not", code=REFUSED, seconds=120)
    assert behind(m).keys() == {m.new}
    m.source.bulk(m.old, [("index", "later", {}, json.dumps({"title": "title later"})), ("delete", "3", {}, None)])
    m.source.refresh(m.old)
    assert m.run("verify").expect(DONE).json["indices"][0]["source_total"] == 12
    assert rollback(m)["position"] == "rolled_back"
    assert rollover(m)["position"] == "rolled_over"


def test_no_way_back_onto_an_index_that_does_not_answer(make):
    m = make(follows=False, documents=3)
    verify(m)
    rollover(m, "--override", "followed", "--why", "a test")
    # a mistyped name is not "nothing to do"
    check_error(m.run("rollback", "--only", "nonsense"), "nonsense", m.alias, code=USAGE)
    # the readers' index must not be left without anybody who keeps it current
    m.tree["indices"][0]["to"] = f"{m.new}-other"
    m.write_recipe()
    check_error(m.run("init", "--confirm", m.plan()["fingerprint"]), f"readers are on {m.new}", code=REFUSED)
    m.tree["indices"][0]["to"] = m.new
    m.write_recipe()
    m.source.call("POST", f"/{m.old}/_close")
    for more in ([], ["--accept-loss"]):
        check_error(m.run("rollback", *more), "is closed", f"/{m.old}/_open", code=REFUSED)
    m.source.call("POST", f"/{m.old}/_open")
    for block in ("read", "write"):
        m.source.call("PUT", f"/{m.old}/_settings", {"index": {"blocks": {block: True}}})
        check_error(m.run("rollback"), f"index.blocks.{block}", code=REFUSED)
        if block == "read":
            check_error(m.run("rollback", "--accept-loss"), "readers would get errors", code=REFUSED)
            m.source.call("PUT", f"/{m.old}/_settings", {"index": {"blocks": {block: None}}})
    assert behind(m).keys() == {m.new}
    # an index that cannot be written to can be read
    assert rollback(m, "--accept-loss")["position"] == "rolled_back"


def test_documents_that_the_old_side_lost_without_a_command(make):
    """Only what the topic has named is compared since a receipt; counts that disagree ask for everything."""
    m = make(documents=12)
    verify(m)
    rollover(m)
    m.source.bulk(m.old, [("delete", "3", {}, None)])
    m.source.refresh(m.old)
    check_error(m.run("rollback", seconds=120), "1 not", "receipts show", code=REFUSED, seconds=120)
    m.source.bulk(m.old, [("delete", str(n), {}, None) for n in range(12)])
    m.source.refresh(m.old)
    assert m.status()["cutover"]["rollback"]["reasons"] == ["the old side has 0 documents, and the new side 12"]
    assert behind(m).keys() == {m.new}


def test_an_old_indexer_that_has_stopped_or_an_old_index_that_is_closed_is_no_way_back(make):
    m = make(documents=3)
    verify(m)
    m.log.produce(m.topic, [insert("later", "title later")])
    m.caught_up(m.follow)
    told = {gate["gate"]: gate for gate in rollover(m, code=REFUSED)["gates"]}["way_back"]
    assert "has no members, and is 1 records behind" in told["text"] and "--override way_back" in told["mend"]
    # it waits for the old indexer, which is not there; so the new index is taken for what it is
    told = rollover(m, "--override", "way_back", "--why", "a test")
    assert told["position"] == "rolled_over"


def test_a_mistyped_alias_moves_nobody(make):
    m = make(documents=3)
    verify(m)
    right, m.tree["indices"][0]["alias"] = m.tree["indices"][0]["alias"], f"{m.alias}-typo"
    m.write_recipe()
    m.follow.terminate()
    m.run("init", "--confirm", m.plan()["fingerprint"]).expect(DONE)
    told = {gate["gate"]: gate for gate in rollover(m, code=REFUSED)["gates"]}["aliases"]
    assert "stands on no index" in told["text"] and f"alias {right}" in told["text"], told
    assert behind(m, right).keys() == {m.old}


def test_a_new_index_that_blocks_writes_is_not_fit(make):
    m = make(documents=3)
    verify(m)
    m.target.call("PUT", f"/{m.new}/_settings", {"index": {"blocks": {"write": True}}})
    told = rollover(m, code=REFUSED)["gates"]
    assert any("index.blocks.write" in gate["text"] for gate in told if gate["gate"] == "settings")
    m.target.call("PUT", f"/{m.new}/_settings", {"index": {"blocks": {"write": None}}})


def test_a_receipt_that_is_void_is_not_gone_on_from_in_a_rollback(make):
    m = make(documents=3)
    verify(m)
    rollover(m)
    m.target.bulk(m.new, [("index", "by hand", {}, json.dumps({"title": "by hand"}))])
    m.target.refresh(m.new)
    check_error(m.run("rollback", seconds=120), "1 not", "--accept-loss", code=REFUSED, seconds=120)


def gone(m):
    m.target.call("DELETE", f"/{m.new}")


def closed(m):
    m.target.call("POST", f"/{m.new}/_close")


def taken_off(m):
    m.target.call("POST", "/_aliases", {"actions": [{"remove": {"index": m.new, "alias": m.alias}}]})


@pytest.mark.parametrize("break_", [gone, closed, taken_off])
def test_readers_can_go_back_when_the_new_side_is_broken(make, break_):
    m = make(follows=False, documents=3, reads="alias" if break_ is gone else None)
    verify(m)
    rollover(m, "--override", "followed", "--why", "a test")
    break_(m)
    told = m.status()
    assert not told["switch"]["ready"] and told["cutover"]["rollback"]["ready"], told["cutover"]
    if break_ is taken_off:
        assert f"alias {m.alias} stands on no index" in m.crossfade("status", m.recipe).expect(DONE).out
        assert rollback(m)["position"] == "rolled_back"
    else:
        check_error(m.run("rollback"), f"{m.new} is", "--accept-loss", code=REFUSED)
        assert rollback(m, "--accept-loss")["position"] == "rolled_back"
    assert behind(m).keys() == {m.old}
    m.run("cancel", "--yes").expect(DONE)


def test_an_alias_that_was_moved_to_a_third_index_is_named(make):
    m = make(follows=False, documents=3)
    verify(m)
    rollover(m, "--override", "followed", "--why", "a test")
    third = f"{m.new}-third"
    m.target.call("PUT", f"/{third}", {"settings": {"number_of_replicas": 0}})
    m.target.call("POST", "/_aliases", {"actions": [
        {"remove": {"index": m.new, "alias": m.alias}}, {"add": {"index": third, "alias": m.alias}}]})
    words = f"somebody else has moved alias {m.alias}: it stands on {third}"
    assert words in m.status()["cutover"]["rollback"]["reasons"]
    assert words in m.crossfade("status", m.recipe).expect(DONE).out
    assert any(third in gate["text"] for gate in rollover(m, code=REFUSED)["gates"] if gate["verdict"] == "failed")
    check_error(m.run("rollback"), words, f"by hand to {m.old}", code=REFUSED)
    # nobody reads the new index any more
    m.run("cancel", "--yes").expect(DONE)
    assert behind(m).keys() == {third}
    m.target.call("DELETE", f"/{third}")


def test_a_target_index_that_was_made_again_is_not_ready(make):
    m = make(documents=3)
    verify(m)
    m.follow.terminate()
    m.target.call("DELETE", f"/{m.new}")
    m.target.call("PUT", f"/{m.new}", {"settings": {"number_of_replicas": 0}})
    told = m.status()
    assert not told["switch"]["ready"]
    assert any(f"{m.new} is not the one that was filled" in reason for reason in told["switch"]["reasons"]), told["switch"]["reasons"]
    assert "rollover" not in " ".join(told["next"])


def test_an_alias_that_was_moved_by_hand_is_no_old_side(make):
    m = make(reads="alias", documents=5)
    m.target.call("POST", "/_aliases", {"actions": [
        {"remove": {"index": m.old, "alias": m.alias}}, {"add": {"index": m.new, "alias": m.alias}}]})
    m.source.bulk(m.old, [("delete", "3", {}, None)])
    m.source.refresh(m.old)
    told = m.run("verify").expect(DIFFERS).json
    assert (told["totals"]["extra"], told["indices"][0]["source_total"]) == (1, 4)
    # one that is gone was not compared
    m.source.call("DELETE", f"/{m.old}")
    told = m.run("verify").expect(FAILED).json
    assert told["verdict"] == "incomplete" and f"{m.old} of the old side" in json.dumps(told["remarks"])
    check_error(m.run("verify", "--repair", "--yes", "--trust-source"), f"{m.old} is not behind", code=REFUSED)
    assert len(list(m.target.scroll(m.new, {"match_all": {}}))) == 5


def test_a_failed_gate_names_its_number_and_what_mends_it(make):
    m = make(follows=False)
    del m.tree["cutover"]["writers"]
    m.write_recipe()
    m.target.call("PUT", f"/{m.new}/_settings", {"index": {"refresh_interval": "-1"}})
    told = rollover(m, code=REFUSED)
    assert failed(told) == {"receipt", "followed", "writers", "settings"} and not told["moved"]
    mends = {gate["gate"]: gate["mend"] for gate in told["gates"]}
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
        counts = counts and not any(word in handler.path for word in ("_search", "_count", "_refresh", "member-"))
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
    m.tree["target"]["url"] = m.tree["source"]["url"] = kills.url
    through = m.write_recipe("through.yaml")
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


def test_between_two_clusters_without_a_program_people_move_the_readers(migrate):
    m = migrate("es-6.8", "es-8.17", partitions=1, mapping=ANYTHING, index={"transform": []})
    m.alias = f"readers-{m.name}"
    m.tree["indices"][0]["alias"] = m.alias
    m.tree["verify"] = {"settle": "5s", "folder": str(m.crossfade.folder / "verify")}
    m.log.create(m.topic, 1)
    m.log.produce(m.topic, [insert("1", "title 1")])
    m.source.call("PUT", f"/{m.old}", {"settings": {"number_of_replicas": 0}, "mappings": {"incident": ANYTHING}})
    m.source.bulk(m.old, [("index", "1", {}, json.dumps({"title": "title 1"}))], "incident")
    m.source.refresh(m.old)
    m.write_recipe()
    m.init()
    m.copy()
    m.replay()
    verify(m)
    rollover(m, "--override", "followed", "--why", "a test")
    check_error(m.run("rollback", "--accept-loss"), "--readers-moved", "Move the readers back", code=REFUSED)
    assert behind(m).keys() == {m.new}, "readers that are still there must not get errors"
    # an alias that somebody took off says nothing of where readers are
    m.target.call("POST", "/_aliases", {"actions": [{"remove": {"index": m.new, "alias": m.alias}}]})
    check_error(m.run("rollback", "--accept-loss"), "--readers-moved", code=REFUSED)
    assert rollback(m, "--accept-loss", "--readers-moved")["position"] == "rolled_back"
    m.run("cancel", "--yes").expect(DONE)


def test_cancel_removes_what_was_made_and_nothing_else(make):
    m = make(follows=False)
    follow = m.start("follow")
    m.caught_up(follow)
    m.run("cancel").expect(2)
    m.run("cancel", "--yes").expect(REFUSED)
    follow.terminate()
    verify(m)
    rollover(m, "--override", "followed", "--why", "a test")
    m.run("cancel", "--yes").expect(REFUSED)
    rollback(m)
    # broken off before the first index goes: nobody begins anything, and another cancel goes on
    with Kills(m.target.url) as kills:
        m.tree["target"]["url"] = kills.url
        process = m.crossfade.start("cancel", m.write_recipe("through.yaml"), "--yes")
        kills.left, kills.victim = 2, process.kill
        wait_for("the process ends", lambda: not process.running, 60)
        m.tree["target"]["url"] = m.target.url
    m.write_recipe()
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


@pytest.mark.parametrize("server", ["es-6.8", "es-8.17"])
def test_the_way_back_is_shown_all_the_time(make, server):
    m = make(server, follows=False)

    def back():
        return m.status()["cutover"]["rollback"]

    def because(word):
        told = back()
        assert not told["ready"] and word in told["reasons"][0], told
        assert f"rollback ready: no, because {told['reasons'][0]}" in m.crossfade("status", m.recipe).expect(DONE).out
    assert back() is None
    verify(m)
    rollover(m, "--override", "followed", "--why", "a test")
    assert back() == {"ready": True, "reasons": [], "old_lag": 0}
    m.source.call("PUT", f"/{m.old}/_settings", {"index": {"blocks": {"write": True}}})
    because("blocked (write)")
    m.source.call("PUT", f"/{m.old}/_settings", {"index": {"blocks": {"write": None}}})
    m.source.call("POST", f"/{m.old}/_close")
    because("is closed")
    m.source.call("POST", f"/{m.old}/_open")
    wait_for("the old index", lambda: back()["ready"], 60)
    m.source.call("DELETE", f"/{m.old}")
    because("is gone")
    m.source.call("PUT", f"/{m.old}", {"settings": {"number_of_replicas": 0}})
    because("made again")

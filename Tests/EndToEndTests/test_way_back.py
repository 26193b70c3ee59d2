"""The way back on real servers: what the old side is after the rollover, and what keeps readers from going back."""
import json
import time

import pytest

from binary import DIFFERS, DONE, FAILED, REFUSED, USAGE, check_error
from stack import wait_for
from test_cutover import ANYTHING, behind, make, rollback, rollover
from test_identity import command, insert
from test_templates import Answering
from test_verify import applied, verify

assert make


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
    # no receipt would stand after it
    check_error(m.run("copy"), "readers are on the new indices", "--repair", "rail: adopted", code=REFUSED)
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
    check_error(m.run("rollback", seconds=120), "has no members, and is 1 records behind", "--accept-loss",
                code=REFUSED, seconds=120)
    # without the topic nobody can compare; where the readers are, and the way back, is shown all the same
    m.follow.terminate()
    m.log.delete(m.topic)
    wait_for("the topic to be gone", lambda: m.run("status", seconds=60).code == FAILED, 60)
    result = m.run("status", seconds=60).expect(FAILED)
    told = result.json
    assert told["cutover"]["position"] == "rolled_over" and told["cutover"]["aliases"], told
    assert any("rollback" in why and "--accept-loss" in why for why in told["cutover"]["rollback"]["reasons"]), told
    assert told["log"]["answers"] is False and told["lag"] is None and not told["switch"]["ready"], told
    assert told["receipt"]["verdict"] and told["confirmed"], told
    assert rollback(m, "--accept-loss")["position"] == "rolled_back"


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
    reasons = told["switch"]["reasons"]
    assert any(f"{m.new} is not the one that was filled" in reason for reason in reasons), reasons
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
    assert back() == {"ready": True, "reasons": [], "old_lag": 0, "dues": []}
    assert m.status()["application_group"]["has_members"] is False
    line = f"writer   group {m.tree['commands']['application_group']}: lag 0, no members at present"
    assert line in m.crossfade("status", m.recipe).expect(DONE).out
    # the way back was said to be open, and its first write to the state failed
    state = f".crossfade-{m.name}"
    m.target.call("PUT", f"/{state}/_settings", {"index": {"blocks": {"write": True}}})
    because("takes no writes")
    check_error(m.run("rollback", "--accept-loss"), "index.blocks.write", f"PUT /{state}/_settings", code=FAILED)
    m.target.call("PUT", f"/{state}/_settings", {"index": {"blocks": {"write": False}}})
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


@pytest.mark.parametrize("server", ["es-8.17", "os-3"])
def test_a_read_only_cluster_fails_the_gate_and_closes_the_way_back(make, server):
    """The gate looked at the state index's own blocks alone: it passed, and the rollover failed at its first write."""
    m = make(server, follows=False, documents=3)
    verify(m)

    # a blocked cluster takes nothing but that such a setting is taken off
    def block(scope, name, value):
        m.target.call("PUT", "/_cluster/settings", {scope: {f"cluster.blocks.{name}": value}})

    def told():
        return {gate["gate"]: gate for gate in rollover(
            m, "--dry-run", "--override", "followed", "--why", "a test", code=REFUSED)["gates"]}["state"]
    try:
        block("persistent", "read_only", True)
        gate = told()
        assert gate["verdict"] == "failed" and "cluster.blocks.read_only: the whole cluster" in gate["text"], gate
        assert gate["mend"] == 'PUT /_cluster/settings {"persistent": {"cluster.blocks.read_only": null}}', gate
        assert any("cluster.blocks.read_only" in why for why in m.status()["switch"]["reasons"])
        block("persistent", "read_only", None)
        block("transient", "read_only_allow_delete", True)
        assert '"transient": {"cluster.blocks.read_only_allow_delete": null}' in told()["mend"]
        block("transient", "read_only_allow_delete", None)
        rollover(m, "--override", "followed", "--why", "a test")
        block("persistent", "read_only", True)
        back = m.status()["cutover"]["rollback"]
        assert not back["ready"] and "cluster.blocks.read_only" in back["reasons"][0], back
        check_error(m.run("rollback", "--accept-loss"), "cluster.blocks.read_only", "PUT /_cluster/settings",
                    code=FAILED)
    finally:
        block("persistent", "read_only", None)
        block("transient", "read_only_allow_delete", None)
    assert rollback(m, "--accept-loss")["position"] == "rolled_back"


def test_a_copy_after_the_rollover_costs_no_way_back(make):
    """It wrote nothing, made the receipt void all the same, and rollback named no way."""
    m = make(follows=False, documents=5)
    m.tree["accept"] = [{"rail": "adopted", "why": "a test"}]
    m.write_recipe()
    m.run("init", "--confirm", m.plan()["fingerprint"]).expect(DONE)
    verify(m)
    rollover(m, "--override", "followed", "--why", "a test")
    assert m.copy()["outcomes"]["indexed"] == 0
    status = m.status()
    assert not status["switch"]["ready"] and any("a copy has written" in why for why in status["switch"]["reasons"])
    assert rollback(m)["position"] == "rolled_back"


def test_a_policy_that_deletes_the_old_index_soon_would_end_the_way_back(make):
    """The stack's servers have no lifecycle management: the answers are those of 8.17 with it. Found in the issue's own
    list, which asked for it; nothing looked."""
    proxies = []

    def through(m):
        proxies.append(Answering(m.target.url, {}).__enter__())
        return proxies[0].url
    m = make(url=through)
    try:
        verify(m)
        uuid = m.source.call("GET", f"/{m.old}/_settings")[m.old]["settings"]["index"]["uuid"]
        born = int(time.time() * 1000) - 28 * 86_400_000
        phases = {"delete": {"min_age": "30d", "actions": {"delete": {}}}}
        policy = {"days": {"version": 1, "policy": {"phases": phases}}}
        explained = {"index": m.old, "managed": True, "policy": "days", "lifecycle_date_millis": born}
        managed = {"uuid": uuid, "lifecycle": {"name": "days"}}
        proxies[0].answers = {
            f"/{m.old}/_settings": (200, {m.old: {"settings": {"index": managed}}}),
            "/_ilm/policy/days": (200, policy),
            "/_ilm/explain": (200, {"indices": {m.old: explained}}),
        }
        told = {gate["gate"]: gate for gate in rollover(m, code=REFUSED)["gates"] if gate["verdict"] == "failed"}
        assert told.keys() == {"way_back"}, told
        assert f"/{m.old}/_ilm/remove" in told["way_back"]["text"] and "has delete, due on" in told["way_back"]["text"]
        rollover(m, "--override", "way_back", "--why", "a test")
        back = m.status()["cutover"]["rollback"]
        assert back["ready"] and len(back["dues"]) == 1 and "days" in back["dues"][0], back
        assert back["dues"][0] in m.crossfade("status", m.recipe).expect(DONE).out
        assert rollback(m)["position"] == "rolled_back", "there is still time"
        phases["delete"]["min_age"] = "90d"
        rollover(m)
    finally:
        proxies[0].__exit__(None, None, None)

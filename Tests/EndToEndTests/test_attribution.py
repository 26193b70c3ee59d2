"""Ids that two entries use, and dead letters of documents that move: what deletes elsewhere deletes only its own."""
import json

import pytest

from binary import DONE, REFUSED
from letters import listed, redrive
from test_identity import TITLES, insert
from test_moves import COPIED, a, b, row, two  # noqa: F401

pytestmark = pytest.mark.embedded

WHY = "the same person wrote both, and wants both gone"


def attribution(m, code):
    found = [rail for rail in m.run("plan", seconds=60).expect(code).json["rails"] if rail["name"] == "attribution"]
    assert len(found) == 1, found
    return found[0]


# a twin

TWINS = {0: {"1": a(), "2": a()}, 1: {"2": b(), "3": b()}}


@pytest.mark.parametrize("said", [{"moves": "tombstone"}, {"missing": "every"}])
def test_a_twin_in_the_source(two, said):  # noqa: F811
    """A move or an unattributed delete of id 2 would delete the other entry's document, too."""
    records = [row("u", 2, before=a(), after=a("second")), row("u", 3, before=b(), after=b("third"))]
    pair = two("debezium", said=said).begin(records, TWINS)
    rail = attribution(pair.m, REFUSED)
    for words in ("id 2", pair.olds[0], pair.olds[1], "select.moves: never", "accept: [{ rail: attribution"):
        assert words in rail["detail"], rail
    # ids that are unique pass
    pair.m.source.bulk(pair.olds[1], [("delete", "2", {}, None)])
    pair.m.source.refresh(pair.olds[1])
    assert attribution(pair.m, DONE)["verdict"] == "ok"


def test_an_accepted_twin(two):  # noqa: F811
    """What is accepted happens: a document that moves deletes what has its id elsewhere."""
    pair = two("debezium", said={"moves": "tombstone"}).begin([row("u", 2, after=a("second"))], TWINS)
    assert attribution(pair.m, REFUSED)["verdict"] == "refused"
    pair.m.tree["accept"] = [{"rail": "attribution", "why": WHY}]
    pair.m.write_recipe()
    rail = attribution(pair.m, DONE)
    assert (rail["verdict"], rail["accepted"]) == ("warn", WHY) and "id 2" in rail["detail"], rail
    pair.init()
    copied = pair.m.run("copy").expect(DONE)
    assert copied.summary["accepted"] == pair.m.tree["accept"] and WHY in copied.err, copied
    pair.m.replay()
    assert pair.live() == [{"1": "a", "2": "second"}, {"3": "b"}]
    assert pair.m.status()["accepted"] == pair.m.tree["accept"]


def test_a_twin_in_the_target(two):  # noqa: F811
    """Without a source the new indices themselves are looked at."""
    pair = two("document", select="kind", said={"moves": "never"})
    for entry in pair.m.tree["indices"]:
        del entry["from"]
    del pair.m.tree["source"]
    pair.begin([(str(n).encode(), json.dumps({"title": kind, "kind": kind}).encode())
                for n, kind in ((1, "a"), (2, "a"), (2, "b"), (3, "b"))], {})
    pair.init()
    pair.m.replay()
    assert pair.live() == [{"1": "a", "2": "a"}, {"2": "b", "3": "b"}]
    for entry in pair.m.tree["indices"]:
        entry["select"]["moves"] = "tombstone"
    pair.m.write_recipe()
    rail = attribution(pair.m, REFUSED)
    assert "id 2" in rail["detail"] and pair.news[0] in rail["detail"] and pair.news[1] in rail["detail"], rail


def test_a_format_without_before_is_not_advised_to_tell_it(two):  # noqa: F811
    """Commands with another routing than before, and nothing that deletes the former copy."""
    m = two("envelope", routing="org").m
    m.tree["indices"] = m.tree["indices"][:1]
    del m.tree["indices"][0]["select"]
    m.tree["indices"][0]["mapping"] = TITLES
    m.log.create(m.topic, 1)
    m.log.produce(m.topic, [insert("1", "first", org="org0"), insert("1", "second", org="org1")])
    m.source.create(m.tree["indices"][0]["from"], TITLES["properties"])
    m.write_recipe()
    rail = attribution(m, REFUSED)
    assert "id 1, org0 before and org1" in rail["detail"] and "`before`" not in rail["detail"], rail
    assert "delete the document under its former routing first" in rail["detail"], rail


# dead letters of documents that move

def test_redrive_of_letters_that_write_elsewhere(two):  # noqa: F811
    """Dead are an unattributed delete (0), a document that moves and does not fit (1, 2), one that a newer event has
    moved back (3), one that was deleted since (5). All are redriven twice under a recipe that takes them."""
    bad = {"title": "moved", "kind": "b", "code": "none"}
    records = [
        row("d", 1, before={}),
        row("u", 2, before=a(), after=bad),
        row("u", 11, before=b(), after={**bad, "kind": "a"}),
        row("u", 3, before=a(), after=bad), row("u", 3, before=bad, after=a("back")),
        row("u", 4, before=a(), after=bad), row("d", 4, before=bad),
    ]
    pair = two("debezium")
    for entry in pair.m.tree["indices"]:
        entry["mapping"] = {"properties": {**entry["mapping"]["properties"], "code": {"type": "integer"}}}
    pair.begin(records, COPIED).whole()
    rest = {str(n): "a" for n in (5, 6, 7, 8)}
    # what moved left its old index although it fits nowhere yet
    assert pair.live() == [{**rest, "1": "a", "3": "back"}, {"12": "b"}]
    assert pair.letters().keys() == {0, 1, 2, 3, 5} and pair.letters()[0] == "no_entry", pair.letters()
    for entry in pair.m.tree["indices"]:
        entry["transform"] = [{"remove": {"field": "code"}}]
        entry["select"]["missing"] = "every"
    pair.m.tree["accept"] = [{"rail": "changed_form", "why": "only letters have the field"}]
    pair.m.write_recipe()
    expected = [{**rest, "3": "back", "11": "moved"}, {"2": "moved", "12": "b"}]
    driven = redrive(pair.m, "--confirm", pair.m.run("plan", seconds=60).json["fingerprint"])
    assert (driven["read"], driven["outcomes"]["stale"], driven["outcomes"]["dead_lettered"]) == (5, 2, 0), driven
    assert pair.live() == expected and listed(pair.m)["unresolved"] == 0
    assert redrive(pair.m)["read"] == 0
    # the log says the same again, and a copy brings nothing back
    pair.m.replay()
    pair.m.copy()
    assert pair.live() == expected


# what connectors write when their events are taken apart

def test_rows_that_are_marked_as_deleted(two):  # noqa: F811
    """Debezium's unwrapper can write the last state of a deleted row, with a mark. As a document it would live for
    ever."""
    m = two("document", select="kind").m
    m.tree["indices"] = m.tree["indices"][:1]
    del m.tree["indices"][0]["select"]
    m.log.create(m.topic, 1)
    rows = [(b"1", {"title": "first", "__deleted": "false"}), (b"2", {"title": "first", "__deleted": "false"}),
            (b"1", {"title": "first", "__deleted": "true"})]
    m.log.produce(m.topic, [(key, json.dumps(row).encode()) for key, row in rows])
    m.source.create(m.tree["indices"][0]["from"], TITLES["properties"])
    m.write_recipe()
    rail = attribution(m, REFUSED)
    assert "__deleted: true" in rail["detail"] and "id 1" in rail["detail"], rail
    # the way out that is named
    m.tree["commands"].pop("document", None)
    m.tree["commands"] |= {"format": "envelope", "envelope": {
        "id": "key", "operation": "__deleted", "index": ["false"], "delete": ["true"]}}
    m.write_recipe()
    m.run("init", "--confirm", m.run("plan", seconds=60).expect(DONE).json["fingerprint"], seconds=60).expect(DONE)
    m.copy()
    m.replay()
    new = m.tree["indices"][0]["to"]
    m.target.refresh(new)
    assert m.target.count(new, {"term": {"title": "first"}}) == 1

"""Copy and commands must give a document the same routing, wherever each of them has it."""
import json

import pytest

from binary import DONE
from test_identity import EXPECTED, TITLES, command, commands, documents, fill, identity, insert, make, whole

pytestmark = pytest.mark.embedded
__all__ = ["make"]


def routed(m, path, **more):
    m.tree["commands"]["envelope"]["routing"] = {"path": path, **more} if more else path
    m.write_recipe()
    return m


def inside(**message):
    """8 documents with the routing inside them; of these 4 are updated and 2 deleted."""
    def part(n, **more):
        return {"org": f"org{n % 3}", **more, **message}
    inserts = [command("InsertMessageCommand", str(n), message=part(n, title=f"first {n}")) for n in range(8)]
    updates = [command("UpdateMessageCommand", str(n), message=part(n, title=f"second {n}")) for n in range(4)]
    return inserts + updates + [command("DeleteMessageCommand", str(n), message=part(n)) for n in (3, 4)]


def owned(number=8, routing=lambda n: None):
    return [(str(n), {"routing": routing(n)} if routing(n) else {}, {"title": f"first {n}", "org": f"org{n % 3}"},
             "incident") for n in range(number)]


def routings(m):
    """The routing of each live document of the target; one that is the id is none."""
    m.target.refresh(m.new)
    found = {}
    for hit in m.target.scroll(m.new, {"bool": {"must_not": {"term": {"crossfade_deleted": True}}}}):
        assert hit["_id"] not in found, f"{hit['_id']} is there twice"
        routing = hit.get("_routing")
        found[hit["_id"]] = None if routing == hit["_id"] else routing
    return found


def reasons(m):
    topic = m.tree["dead_letters"]["topic"]
    return sorted(dict(headers)["crossfade.reason"].decode() for *_, headers, _ in m.log.read(topic))


INSIDE = {ident: f"org{int(ident) % 3}" for ident in EXPECTED}


# the routing lies inside the document

@pytest.mark.parametrize("source", ["es-6.8", "es-2.4"])
def test_source_without_routing_that_the_documents_have_inside(make, source):
    """The copy gives each document the routing that its commands have."""
    m = routed(make(inside(), owned(), source, committed=8), "message.org")
    assert "8 were found" in identity(m, "ok")
    assert whole(m) == EXPECTED
    assert routings(m) == INSIDE


def test_source_with_the_routing_that_the_documents_have_inside(make):
    m = make(inside(), owned(routing=lambda n: f"org{n % 3}"), committed=8)
    assert "`routing: message.org` under commands.envelope" in identity(m, "refused")
    routed(m, "message.org")
    identity(m, "ok")
    assert whole(m) == EXPECTED
    assert routings(m) == INSIDE


def test_deletes_that_lack_the_routing_are_counted_before_the_work(make):
    """Neither the source nor the deletes have it: the recipe should not ask for it."""
    records = inside()[:-2] + [command("DeleteMessageCommand", str(n)) for n in (3, 4)]
    m = routed(make(records, owned(), committed=12), "message.org")
    text = identity(m, "warn", "command_deaths")
    assert "2 of 14" in text and "no_routing" in text and "leave it out" in text, text
    del m.tree["commands"]["envelope"]["routing"]
    m.write_recipe()
    identity(m, "ok")
    assert whole(m) == EXPECTED


def test_format_document_with_the_routing_inside(make):
    records = [(str(n).encode(), json.dumps({"title": f"second {n}", "org": f"org{n % 3}"}).encode())
               for n in range(4)]
    m = make(records, owned(), committed=4, shape="document")
    m.tree["commands"]["document"] = {"routing": "org"}
    m.write_recipe()
    identity(m, "ok")
    assert whole(m) == {str(n): f"{'second' if n < 4 else 'first'} {n}" for n in range(8)}
    assert routings(m) == {str(n): f"org{n % 3}" for n in range(8)}


def test_another_routing_than_the_documents_have_inside(make):
    m = routed(make(inside(), owned(routing=lambda n: "else")), "message.org")
    text = identity(m, "refused")
    assert "another routing than their field org says" in text, text


def test_documents_that_lack_the_routing_are_dead_letters(make):
    """A few that lack the field are a warning."""
    lacking = [("x", {}, {"title": "x"}, "incident")]
    m = routed(make([], owned() + lacking), "message.org")
    assert "neither a routing nor the field org" in identity(m, "warn")
    m.init()
    assert m.copy()["outcomes"]["dead_lettered"] == 1
    assert reasons(m) == ["no_routing"]
    assert "x" not in routings(m)


# documents without routing, on purpose

@pytest.mark.real
def test_join_field(make):
    """Parents go by their ids, children by their parents'. A child must lie beside its parent."""
    relation = {"title": {"type": "keyword"}, "relation": {"type": "join", "relations": {"question": "answer"}}}
    parents = [(str(n), {}, {"title": f"first {n}", "relation": "question"}, "incident") for n in range(8)]
    children = [(f"a{n}", {"routing": str(n)},
                 {"title": "reply", "relation": {"name": "answer", "parent": str(n)}}, "incident") for n in range(8)]

    def parent(name, n, title):
        return command(name, str(n), message={"title": title, "relation": "question"})

    def child(name, n, title):
        return command(name, f"a{n}", org=str(n),
                       message={"title": title, "relation": {"name": "answer", "parent": str(n)}})
    records = [parent("InsertMessageCommand", n, f"first {n}") for n in range(8)]
    records += [child("InsertMessageCommand", n, "reply") for n in range(8)]
    records += [parent("InsertMessageCommand", n, f"second {n}") for n in range(4)]
    records += [child("UpdateMessageCommand", n, f"more {n}") for n in range(2)]
    records += [command("DeleteMessageCommand", "a7", org="7"), command("DeleteMessageCommand", "7", org="7")]
    m = make(records, parents + children, "es-6.8", "es-7.17", fields=relation, committed=16,
             mapping={"properties": relation})
    text = identity(m, "refused")
    assert "8 of 16" in text and "`routing: { path: org, missing: id }` under commands.envelope" in text, text
    routed(m, "org")
    assert "routing: { path: org, missing: id }" in identity(m, "refused")
    routed(m, "org", missing="id")
    assert "16 were found" in identity(m, "ok")
    expected = {str(n): f"{'second' if n < 4 else 'first'} {n}" for n in range(7)}
    expected |= {f"a{n}": f"more {n}" if n < 2 else "reply" for n in range(7)}
    assert whole(m) == expected
    assert routings(m) == {ident: ident[1:] or None if ident[0] == "a" else None for ident in expected}
    answered = m.target.scroll(m.new, {"has_child": {"type": "answer", "query": {"match_all": {}}}})
    assert {hit["_id"] for hit in answered} == {str(n) for n in range(7)}


@pytest.mark.real
def test_join_field_and_a_routing_that_parents_have_too(make):
    """Children are routed by their parents; a field that all have is not what the application routes by."""
    relation = {"title": {"type": "keyword"}, "relation": {"type": "join", "relations": {"question": "answer"}}}
    olds = [(str(n), {}, {"title": f"first {n}", "org": "a", "relation": "question"}, "incident") for n in range(4)]
    olds += [(f"a{n}", {"routing": str(n)}, {"title": "reply", "org": str(n),
                                             "relation": {"name": "answer", "parent": str(n)}}, "incident")
             for n in range(4)]
    m = routed(make([], olds, "es-6.8", "es-7.17", fields=relation, mapping={"properties": relation}),
               "message.org", missing="id")
    assert "join field" in identity(m, "refused")
    routed(m, "message.relation.parent", missing="id")
    identity(m, "warn")
    assert whole(m) == {**{str(n): f"first {n}" for n in range(4)}, **{f"a{n}": "reply" for n in range(4)}}
    assert routings(m) == {**{str(n): None for n in range(4)}, **{f"a{n}": str(n) for n in range(4)}}


def test_deletes_and_parts_without_routing_are_dead_letters_still(make):
    records = [insert("1", "whole"), command("UpdateMessageCommand", "1", message={"title": "part"}),
               command("DeleteMessageCommand", "1"), command("DeleteMessageCommand", "2", org="a")]
    m = make(records, [("2", {"routing": "a"}, {"title": "first 2"}, "incident")], committed=0)
    routed(m, "org", missing="id")
    assert whole(m) == {"1": "whole"}
    assert reasons(m) == ["no_routing", "no_routing"]


def test_mapping_that_requires_routing_contradicts_missing_id(make):
    m = routed(make(commands(org="org0"), documents(routing="org0"),
                    mapping={"_routing": {"required": True}, **TITLES}), "org", missing="id")
    result = m.run("plan", seconds=60)
    [rail] = [rail for rail in result.json["rails"] if rail["name"] == "routing"]
    assert rail["verdict"] == "refused" and "Leave `_routing` out" in rail["detail"], rail


@pytest.mark.real
def test_source_that_requires_routing_and_missing_id(make):
    """The source's own mapping is taken, without its requirement."""
    m = make(commands(org="org0") + [insert("p", "by id")], [], mapping=None)
    m.source.call("DELETE", f"/{m.old}")
    m.source.create(m.old, TITLES["properties"], _routing={"required": True})
    fill(m, documents(routing="org0"))
    routed(m, "org", missing="id")
    assert whole(m) == {**EXPECTED, "p": "by id"}
    assert routings(m) == {**{ident: "org0" for ident in EXPECTED}, "p": None}


# the base of a partial update, while the copy is unfinished

@pytest.mark.parametrize("source", ["es-6.8", "es-2.4"])
def test_base_in_a_source_without_routing(make, source):
    """The source has the document without the routing that the part of it carries."""
    parts = [command("UpdateMessageCommand", str(n), message={"org": f"org{n % 3}", "status": "open"})
             for n in range(8)]
    m = routed(make(parts, owned(), source), "message.org")
    m.init()
    follow = m.start("follow")
    m.caught_up(follow)
    assert m.stop(follow)["outcomes"]["merged"] == 8
    m.copy()
    m.target.refresh(m.new)
    hits = {hit["_id"]: hit for hit in m.target.scroll(m.new, {"match_all": {}})}
    assert {ident: (hit["_routing"], hit["_source"]["title"], hit["_source"]["status"]) for ident, hit in hits.items()
            } == {str(n): (f"org{n % 3}", f"first {n}", "open") for n in range(8)}


def test_part_with_another_routing_than_its_base(make):
    """The part would make a second document beside the copied one."""
    parts = [command("UpdateMessageCommand", str(n), message={"org": "else", "status": "open"}) for n in range(8)]
    m = routed(make(parts, owned()), "message.org")
    m.init()
    follow = m.start("follow")
    m.caught_up(follow)
    assert m.stop(follow)["outcomes"]["dead_lettered"] == 8
    assert reasons(m) == ["moves"] * 8
    m.copy()
    assert routings(m) == {str(n): f"org{n % 3}" for n in range(8)}


# the tests of a recipe

def test_recipe_tests_know_the_routing_of_copied_documents(make):
    m = routed(make([], []), "message.org", missing="id")
    m.tree["tests"] = [
        {"name": "inside", "document": {"id": "1", "source": {"org": "a"}}, "expect": {"routing": "a"}},
        {"name": "none", "document": {"id": "1", "source": {"x": 1}}, "expect": {"operation": "index", "routing": ""}},
        {"name": "its own", "document": {"id": "1", "routing": "b", "source": {"org": "a"}},
         "expect": {"routing": "b"}},
        {"name": "a delete", "record": {"value": {"command": "DeleteMessageCommand", "id": "1"}},
         "expect": {"reject": "no_routing"}}]
    m.write_recipe()
    m.crossfade("recipe", "test", m.recipe, "--format", "json", seconds=30).expect(DONE)

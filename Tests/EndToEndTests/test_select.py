"""Which entry a document of the source belongs to, where several entries read it; selects that mean nothing."""
import json

import pytest

from binary import DONE, REFUSED, check_error
from test_identity import insert
from test_moves import a, b, command, row, two  # noqa: F401 (a fixture)
from test_visible import KINDS, documents, fill, make, mixed, titles  # noqa: F401 (a fixture)

pytestmark = pytest.mark.embedded

ONE_INDEX = {0: {**{str(n): a() for n in range(4)}, **{str(n): b() for n in range(4, 10)},
                 "10": {"title": "z", "kind": "z"}}}
A = {str(n): "a" for n in range(4)}
B = {str(n): "b" for n in range(4, 10)}


def one_index(pair, records=(), **entry):
    """Both entries read the first old index."""
    for number, part in enumerate(pair.m.tree["indices"]):
        part.update(entry, **{"from": pair.olds[0]})
        if entry.get("filter"):
            part["from"] = f"{pair.olds[0]}-{'ab'[number]}"
    pair.begin(list(records), ONE_INDEX)
    for kind in "ab" if entry.get("filter") else "":
        pair.m.source.call("PUT", f"/{pair.olds[0]}/_alias/{pair.olds[0]}-{kind}",
                           {"filter": {"term": {"kind": kind}}})
    return pair


def attribution(m, verdict):
    plan = m.run("plan", seconds=60).expect(REFUSED if verdict == "refused" else DONE).json
    found = [rail for rail in plan["rails"] if rail["name"] == "attribution"]
    assert [rail["verdict"] for rail in found] == [verdict], found
    return found[0]["detail"]


def test_two_aliases_of_one_index_each_have_their_own_filter(two):  # noqa: F811
    pair = one_index(two("envelope", select="sort"), [command("UpdateMessageCommand", 1, sort="a", message={"x": 1}),
                                                      command("DeleteMessageCommand", 4, sort="b")], filter="source")
    pair.init()
    summary = pair.m.copy()
    assert (summary["returned"], summary["expected"]) == (10, 10), summary
    pair.m.replay()
    assert pair.live() == [A, {ident: title for ident, title in B.items() if ident != "4"}]


def test_documents_of_one_index_go_where_select_sends_their_commands(two):  # noqa: F811
    records = [command("UpdateMessageCommand", 1, message={"title": "part", "kind": "a"}),
               command("UpdateMessageCommand", 5, message={"title": "part", "kind": "b"}),
               command("InsertMessageCommand", 6, message=a("moved"))]
    pair = one_index(two("envelope", select="message.kind"), records)
    pair.init()
    # While the copy is unfinished, the source has the bases.
    pair.m.replay()
    summary = pair.m.copy()
    assert summary["outcomes"]["skipped"] == 22 - 10 and summary["returned"] == 22, summary
    assert pair.live() == [{**A, "1": "part", "6": "moved"},
                           {**{ident: title for ident, title in B.items() if ident != "6"}, "5": "part"}]
    assert pair.letters() == {}


def test_one_index_that_select_cannot_divide_is_refused(two):  # noqa: F811
    pair = one_index(two("envelope", select="sort"), [command("UpdateMessageCommand", 1, sort="a", message={"x": 1})])
    text = attribution(pair.m, "refused")
    assert pair.olds[0] in text and "sort" in text and "filter: source" in text, text


@pytest.mark.parametrize("field,value,words", [
    ("after.sort", "a", "select no entry"), ("after.kind", "A", "contradicts the source")])
def test_a_mistyped_select_is_refused(two, field, value, words):  # noqa: F811
    """Every document would be deleted in every entry."""
    pair = two("debezium", select=field, said={"missing": "every"})
    pair.m.tree["indices"] = pair.m.tree["indices"][:1]
    pair.m.tree["indices"][0]["select"]["equals"] = value
    pair.begin([row("u", n, before=a(), after=a("new")) for n in range(4)], {0: {str(n): a() for n in range(4)}})
    assert words in attribution(pair.m, "refused")
    check_error(pair.m.run("copy"), "attribution", code=REFUSED)


def test_a_kind_that_was_not_sampled_is_a_warning(two):  # noqa: F811
    pair = two("debezium").begin([row("c", n, after=a()) for n in range(4)], {0: {"1": a()}, 1: {"9": b()}})
    assert "takes none of 4 sampled records" in attribution(pair.m, "warn")


def test_what_the_filter_of_the_source_hides_stays_hidden(make):  # noqa: F811
    """Although commands concern it: a whole document, and a part of one that was not copied."""
    whole, records = mixed()
    records = records[:10] + [command("InsertMessageCommand", 1, message={"title": "second", "kind": "incident"}),
                              command("InsertMessageCommand", 7, message={"title": "second", "kind": "note"}),
                              command("UpdateMessageCommand", 8, message={"title": "part"})]
    m = make(records, refresh="1s", fields=KINDS, mapping=KINDS, index={"filter": "source"},
             accept=[{"rail": "source_filter", "why": "seen"}])
    m.log.commit(f"app-{m.name}", m.topic, {0: 10})
    m.source.call("PUT", f"/{m.old}/_alias/{m.old}-incidents", {"filter": {"term": {"kind": "incident"}}})
    fill(m, [(ident, {}, text, "incident") for ident, text in whole.items()], refreshed=True)
    m.tree["indices"][0]["from"] = f"{m.old}-incidents"
    m.write_recipe()
    m.init()
    assert m.copy()["returned"] == 3
    m.replay()
    assert "8" not in titles(m), "no document is made of a part alone"
    hits = list(m.target.scroll(f"{m.new}-crossfade-read", {"match_all": {}}))
    assert {hit["_id"]: hit["_source"]["title"] for hit in hits} == {"0": "first 0", "1": "second", "2": "first 2"}
    letters, _ = m.dead_letters()
    assert len(letters) == 1, letters


def test_the_same_id_in_two_indices_is_refused(make):  # noqa: F811
    m = make([insert(str(n), f"first {n}") for n in range(4)], refresh="1s")
    fill(m, documents(4), refreshed=True)
    kind = "incident" if m.source.typed else None
    m.source.bulk(f"{m.old}-2", [("index", "1", {}, json.dumps({"title": "of the other"}))], kind)
    m.source.refresh(f"{m.old}-2")
    m.tree["indices"][0]["from"] = f"{m.old}*"
    m.write_recipe()
    rails = m.run("plan", seconds=60).expect(REFUSED).json["rails"]
    text = " ".join(rail["detail"] for rail in rails if (rail["name"], rail["verdict"]) == ("identity", "refused"))
    assert "id 1" in text and f"{m.old}-2" in text, rails
    m.tree["accept"] = [{"rail": "identity", "why": "both are the same"}]
    m.write_recipe()
    m.init()
    m.source.call("DELETE", f"/{m.old}-2")


def test_a_row_that_has_moved_is_not_in_two_entries(two):  # noqa: F811
    """A search still shows it where it was, because that index was not refreshed since."""
    pair = two("debezium").begin([row("u", 9, before=a(), after=b()), row("c", 1, after=a())],
                                 {0: {"1": a(), "9": a()}, 1: {"9": b()}})
    pair.m.source.call("PUT", f"/{pair.olds[0]}/_settings", {"index": {"refresh_interval": "-1"}})
    pair.m.source.bulk(pair.olds[0], [("delete", "9", {}, None)])
    assert pair.m.source.count(pair.olds[0]) == 2, "the source shows what it has not any more"
    assert "id 9" not in attribution(pair.m, "ok")

"""A copy that mostly dies stops and bars the replay; a mapping that would explode is refused before anything is
written."""
import json

import pytest

from binary import DONE, FAILED, REFUSED, check_error
from test_errors import nothing_written
from test_identity import documents, insert, make as make_small  # noqa: F401

pytestmark = pytest.mark.embedded


@pytest.fixture
def make(make_small):  # noqa: F811
    """As in test_identity.py, with one bulk request for all documents."""
    def make(records, loaded, **options):
        m = make_small(records, loaded[:1], **options)
        for kind in {kind for *_, kind in loaded}:
            m.source.bulk(m.old, [("index", ident, meta, json.dumps(text)) for ident, meta, text, own in loaded
                                  if own == kind], kind)
        m.source.refresh(m.old)
        return m
    return make


STRICT = {"dynamic": "strict", "properties": {"title": {"type": "keyword"}}}
COLOURED = {"properties": {"title": {"type": "keyword"}, "colour": {"type": "keyword"}}}


def coloured(number, share=1.0, start=0):
    """Documents of which a share has a field that the strict mapping does not name."""
    return [(str(n), {}, {"title": f"first {n}", **({"colour": "red"} if n % 100 < share * 100 else {})}, "incident")
            for n in range(start, start + number)]


def count(m):
    m.target.refresh(m.new)
    return m.target.count(m.new)


def stopped(result, m, *names):
    return check_error(result, m.old, "strict_dynamic_mapping", "colour", m.tree["dead_letters"]["topic"],
                       "accept: [{ rail: copy_deaths", *names, code=FAILED, seconds=60)


def test_copy_that_mostly_dies_stops_and_is_mended(make):
    """3,000 of 3,000: exit 1 after the first pages, no replay; with the mended mapping everything is copied and
    replayed."""
    m = make([insert(str(n), f"second {n}") for n in range(5)], coloured(3000), fields=COLOURED["properties"],
             mapping=STRICT, copy={"page": 100, "slices": 4, "rate": "300/s"})
    m.init()
    stopped(m.run("copy"), m)
    dead = letters(m)
    # All of them would take ten seconds at this rate, and the judgement is asked many times in each.
    assert 100 <= dead < 3000, f"{dead} dead letters: it stops after the first pages"
    status = m.status()
    assert status["phase"] == "copy_stopped" and not status["copy"]["finished"]
    assert m.old in status["copy"]["stopped"] and any("stopped" in line for line in status["attention"]), status
    check_error(m.run("replay"), "copy_deaths", "the copy was stopped", code=REFUSED)
    assert count(m) == 0
    stopped(m.run("copy"), m)
    # mended: the field is mapped, and the copy begins anew
    m.target.call("DELETE", f"/{m.new}")
    m.tree["indices"][0]["mapping"] = {**STRICT, **COLOURED}
    del m.tree["copy"]["rate"]
    m.write_recipe()
    plan = m.run("plan").expect(DONE, REFUSED).json
    m.run("init", "--confirm", plan["fingerprint"]).expect(DONE)
    summary = m.copy()
    assert summary["outcomes"]["indexed"] == 3000 and summary["outcomes"]["dead_lettered"] == 0
    m.replay()
    assert count(m) == 3000
    m.target.refresh(m.new)
    found = {hit["_id"]: hit["_source"] for hit in m.target.scroll(m.new, {"match_all": {}})}
    assert found["3"] == {"title": "second 3"} and found["7"] == {"title": "first 7", "colour": "red"}


def letters(m):
    topic = m.tree["dead_letters"]["topic"]
    return sum(1 for _ in m.log.read(topic)) if topic in m.log.topics() else 0


def test_copy_that_mostly_dies_and_is_accepted(make):
    """The documents without the field are copied, the others are letters, and the replay runs."""
    m = make([insert("0", "second 0")], coloured(400, share=0.75), fields=COLOURED["properties"], mapping=STRICT,
             copy={"page": 100, "slices": 2})
    m.init()
    stopped(m.run("copy"), m)
    m.tree["accept"] = [{"rail": "copy_deaths", "why": "only the plain ones are wanted"}]
    m.write_recipe()
    summary = m.run("copy", "--confirm", m.run("plan").json["fingerprint"]).expect(DONE).summary
    assert summary["accepted"] == m.tree["accept"] and summary["complete"]
    assert m.status()["phase"] == "copied"
    m.replay()
    assert count(m) == 101


def test_a_copy_of_which_a_part_dies_goes_on(make):
    m = make([], coloured(600, share=0.4), fields=COLOURED["properties"], mapping=STRICT,
             copy={"page": 100, "slices": 2})
    m.init()
    summary = m.copy()
    assert summary["outcomes"]["dead_lettered"] == 240 and count(m) == 360
    assert m.status()["phase"] == "copied"


def test_share_and_count_are_the_recipes(make):
    m = make([], coloured(600, share=0.4), fields=COLOURED["properties"], mapping=STRICT,
             copy={"page": 100, "slices": 2, "dead_letters": {"share": "30%", "count": 20}})
    m.init()
    stopped(m.run("copy"), m)
    m.tree["copy"]["dead_letters"] = {"share": "30%", "count": 1000}
    m.write_recipe()
    # how much is too much only tunes the work
    assert m.copy()["complete"] and count(m) == 360


def test_a_small_copy_of_which_everything_dies_stops_at_its_end(make):
    m = make([], coloured(7), fields=COLOURED["properties"], mapping=STRICT)
    m.init()
    stopped(m.run("copy"), m, "7 of 7")
    assert m.status()["phase"] == "copy_stopped"


def test_replay_of_which_most_dies_raises_an_alarm(make):
    records = [(str(n).encode(), json.dumps({"command": "InsertMessageCommand", "id": str(n), "message": {
        "title": "t", **({"colour": "red"} if n < 300 else {})}}).encode()) for n in range(320)]
    m = make(records, documents(3), mapping=STRICT)
    m.init()
    m.copy()
    summary = m.replay()
    assert [alarm["name"] for alarm in summary["alarms"]] == ["death_rate"], summary
    assert summary["outcomes"]["dead_lettered"] == 300 and count(m) == 20 + 3


# a mapping that would explode

OPEN = {"properties": {"title": {"type": "keyword"}}}
# the source does not look into what would make it explode itself
BLIND = {"title": {"type": "keyword"}, "tags": {"type": "object", "enabled": False}}


def growth(m, verdict):
    """The text of the rail, which has this verdict among its own."""
    result = m.run("plan").expect(REFUSED if verdict == "refused" else DONE)
    rails = [rail for rail in result.json["rails"] if rail["name"] == "mapping_growth"]
    assert verdict in [rail["verdict"] for rail in rails], rails
    return " ".join(rail["detail"] for rail in rails)


def mapped(m):
    """How many fields the target's mapping has, as its limit counts them."""
    mapping = m.target.get(f"/{m.new}/_mapping")[m.new]["mappings"]
    return fields(mapping if "properties" in mapping else next(iter(mapping.values())))


def fields(mapping):
    inner = [field for part in ("properties", "fields") for field in mapping.get(part, {}).values()]
    return len(inner) + sum(map(fields, inner))


def tagged(number, tags):
    return [(str(n), {}, {"title": f"first {n}", "tags": tags(n)}, "incident") for n in range(number)]


def test_map_of_unbounded_keys_is_refused_and_the_step_it_names_mends_it(make):
    """100 documents with 4,000 different keys."""
    m = make([], tagged(100, lambda n: {f"k{n}-{i}": "v" for i in range(40)}), fields=BLIND, mapping=OPEN)
    with nothing_written(m):
        text = growth(m, "refused")
    assert "would have 8004 fields" in text and "limit is 1000" in text and "4000 new names" in text, text
    assert "`- keyToValue: tags`" in text and "accept: [{ rail: mapping_growth" in text, text
    m.tree["indices"][0]["transform"] = [{"keyToValue": "tags"}]
    m.write_recipe()
    assert "would have 6 fields" in growth(m, "ok")
    m.init()
    assert m.copy()["outcomes"]["indexed"] == 100
    m.replay()
    m.target.refresh(m.new)
    hits = {hit["_id"]: hit["_source"]["tags"] for hit in m.target.scroll(m.new, {"match_all": {}})}
    assert len(hits) == 100 and all(len(tags) == 40 for tags in hits.values())
    assert mapped(m) == 6


def test_growth_that_the_sample_does_not_reach_is_extrapolated(make):
    """Every document brings one name of its own: 200 sampled ones stay below the limit, 3,000 do not."""
    m = make([], tagged(3000, lambda n: {"host": "a", f"user{n}": n}), fields=BLIND, mapping=OPEN)
    text = growth(m, "refused")
    assert "fields or more" in text and "`- keyToValue: tags`" in text, text
    m.tree["indices"][0]["settings"]["index.mapping.total_fields.limit"] = 50_000
    m.write_recipe()
    growth(m, "ok")


def test_many_optional_fields_are_no_growth(make):
    m = make([], tagged(1500, lambda n: {f"f{(n * 7 + i * i) % 60}": n for i in range(4)}), fields=BLIND, mapping=OPEN)
    assert "would have 64 fields" in growth(m, "ok")
    m.init()
    assert m.copy()["outcomes"]["dead_lettered"] == 0 and mapped(m) == 64


def test_growth_that_only_commands_bring(make):
    records = [(str(n).encode(), json.dumps({"command": "InsertMessageCommand", "id": str(n), "message": {
        "title": "t", "props": {f"u{n}-{i}": {"a": i} for i in range(4)}}}).encode()) for n in range(150)]
    m = make(records, documents(3), fields=BLIND, mapping=OPEN)
    text = growth(m, "refused")
    assert "3 sampled documents and 150 sampled records" in text and "`- keyToValue: props`" in text, text
    m.tree["accept"] = [{"rail": "mapping_growth", "why": "a trial"}]
    m.write_recipe()
    assert "accepted: " in growth(m, "warn")


VARIED = [{"title": "a", "tags": tags} for tags in (
    {"text": "x", "number": 1, "float": 1.5, "flag": True, "date": "2026-11-29", "moment": "2026-11-29T10:00:00.123Z",
     "slashes": "2026/11/29", "year": "2026", "none": None, "empty": [], "nulls": [None], "object": {}},
    {"list": ["a", "b"], "mixed": [None, 3], "objects": [{"a": 1}, {"b": {"c": "x"}}], "lists": [[1], [2]]},
    {"text": "again", "deep": {"er": {"still": {"further": "x"}}}, "dotted.name.in": "x", "dotted.name.too": 2},
    {"closed": {"a": 1}, "flat": {"b": 2}, "mapped": {"known": 1, "new": "x"}, "s_keyword": "x", "o_map": {"x": 1}},
    {"long text": "some words " * 30, "emoji \U0001f600": "x", "quoted\"": 1, "blank": "", "negative": -1, "big": 1e30},
)]


@pytest.mark.real
@pytest.mark.parametrize("target", ["es-8.17", "es-6.8", "os-3"])
def test_the_count_is_the_clusters(make, target):
    """What the plan says of sampled documents is what the target's mapping then has."""
    mapping = {
        "dynamic_templates": [
            {"keywords": {"match": "s_*", "match_mapping_type": "string", "mapping": {"type": "keyword"}}},
            {"maps": {"path_match": "tags.o_*", "match_mapping_type": "object",
                      "mapping": {"type": "object", "enabled": False}}}],
        "properties": {"title": {"type": "text", "fields": {"raw": {"type": "keyword"}}}, "tags": {"properties": {
            "closed": {"type": "object", "enabled": False}, "flat": {"type": "object", "dynamic": False},
            "mapped": {"properties": {"known": {"type": "integer"}}}}}}}
    m = make([], [(str(n), {}, source, "incident") for n, source in enumerate(VARIED)], target=target, fields=BLIND,
             mapping=mapping)
    text = growth(m, "ok")
    m.init()
    assert m.copy()["outcomes"]["dead_lettered"] == 0
    m.replay()
    assert f"would have {mapped(m)} fields" in text, (text, mapped(m))
    # what is there is counted as it is
    assert f"would have {mapped(m)} fields" in growth(m, "ok")


def test_documents_that_a_strict_mapping_or_the_depth_limit_would_refuse_are_said(make):
    deep = {}
    for _ in range(30):
        deep = {"d": deep}
    m = make([], coloured(40, share=0.1) + [("deep", {}, {"title": "x", "tags": deep}, "incident")],
             fields={**BLIND, **COLOURED["properties"]}, mapping={**STRICT, "properties": {
                 **STRICT["properties"], "tags": {"type": "object", "dynamic": True}}})
    text = growth(m, "warn")
    assert "10 of 41 sampled documents" in text and "colour" in text and "nested 32 deep" in text, text


@pytest.mark.parametrize("kind", ["composable", "legacy"])
def test_limit_of_a_template_of_the_target(make, kind):
    """The limit that counts is the one that the index will have; and what the template maps counts, too."""
    keys = {str(n): {f"key-{n}-{k}": "v" for k in range(4)} for n in range(60)}
    m = make([], [(ident, {}, {"title": "t", "tags": tags}, "incident") for ident, tags in keys.items()],
             fields={"title": {"type": "keyword"}}, mapping={"properties": {"title": {"type": "keyword"}}})
    body = {"settings": {"index.mapping.total_fields.limit": 100},
            "mappings": {"properties": {f"mapped-{n}": {"type": "keyword"} for n in range(90)}}}

    def put(body):
        if kind == "legacy":
            m.target.call("PUT", f"/_template/{m.name}", {"index_patterns": [f"{m.new}*"], "order": 7, **body})
        else:
            m.target.call("PUT", f"/_index_template/{m.name}",
                          {"index_patterns": [f"{m.new}*"], "priority": 7, "template": body})
    try:
        put(body)
        found = rails(m, REFUSED)
        assert "limit is 100" in found["mapping_growth"] and "tags" in found["mapping_growth"], found
        m.tree["indices"][0]["mapping"]["properties"] |= {f"own-{n}": {"type": "keyword"} for n in range(9)}
        m.write_recipe()
        assert "(100)" in rails(m, REFUSED)["mapping_size"]
        del m.tree["indices"][0]["mapping"]["properties"]["own-0"]
        put({**body, "settings": {"index.mapping.total_fields.limit": 5000}})
        m.write_recipe()
        assert "at most 5000" in rails(m, DONE)["mapping_size"]
    finally:
        m.target.request("DELETE", f"/_template/{m.name}")
        m.target.request("DELETE", f"/_index_template/{m.name}")


def rails(m, code):
    """The details of the rails about the mapping."""
    return {rail["name"]: rail["detail"] for rail in m.run("plan", seconds=60).expect(code).json["rails"]
            if rail["name"].startswith("mapping")}

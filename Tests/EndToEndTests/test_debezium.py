"""Rows of Debezium that lack the value of a large column, and events that concern no single row."""
import json

import pytest

from binary import REFUSED
from test_moves import a, row, two  # noqa: F401

pytestmark = pytest.mark.embedded

GONE = "__debezium_unavailable_value"
BASE64 = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="
FIELDS = {"title": {"type": "keyword"}, "kind": {"type": "keyword"},
          "body": {"type": "keyword"}, "raw": {"type": "keyword"}, "tags": {"type": "keyword"},
          "more": {"type": "object", "enabled": False}}


@pytest.fixture
def one(two):  # noqa: F811
    """One entry that takes everything; `keep`: what `debezium.unavailable` is."""
    def make(records, copied=None, unavailable="keep", placeholder=None, transform=(), partitions=1, **commands):
        pair = two("debezium")
        said = {"unavailable": unavailable}
        if placeholder:
            said["unavailable_placeholder"] = placeholder
        pair.m.tree["commands"]["debezium"] = said
        pair.m.tree["commands"].update(commands)
        entry = {**pair.m.tree["indices"][0], "mapping": {"properties": FIELDS}, "transform": list(transform)}
        del entry["select"]
        pair.m.tree["indices"] = [entry]
        pair.begin(records, {0: copied or {}}, partitions)
        pair.news = pair.news[:1]
        return pair
    return make


def sources(pair):
    pair.m.target.refresh(pair.news[0])
    hits = pair.m.target.scroll(pair.news[0], {"bool": {"must_not": [{"term": {"crossfade_deleted": True}}]}})
    return {hit["_id"]: {name: value for name, value in hit["_source"].items() if name != "id"} for hit in hits}


def test_a_column_that_did_not_change_is_kept(one):
    """Only the column: what else the row dropped must go, in nested objects, too."""
    first = {"title": "first", "body": "a long text", "raw": "AAEC", "tags": ["x", "y"],
             "more": {"one": "1", "two": "2"}}
    records = [
        row("c", 1, after=first),
        row("u", 1, after={"title": "second", "body": GONE, "raw": BASE64, "tags": [GONE], "more": {"one": "3"}}),
        row("u", 2, after={"title": "second", "body": GONE, "more": {}}),
        row("u", 3, after={"title": "never there", "body": GONE}),
        row("c", 4, after=first), row("d", 4, before={}), row("u", 4, after={"title": "deleted", "body": GONE}),
        row("u", 5, after={"title": f"speaks of {GONE}", "body": "whole"}),
    ]
    pair = one(records, {"2": {"title": "copied", "body": "copied text", "more": {"one": "1"}}})
    pair.init()
    # before the copy, and after it
    outcomes = pair.m.replay()["outcomes"]
    expected = {
        "1": {"title": "second", "body": "a long text", "raw": "AAEC", "tags": ["x", "y"],
              "more": {"one": "3"}},
        "2": {"title": "second", "body": "copied text", "more": {}},
        "5": {"title": f"speaks of {GONE}", "body": "whole"},
    }
    assert sources(pair) == expected, outcomes
    assert pair.letters() == {3: "missing_document", 6: "missing_document"}
    pair.m.copy()
    pair.m.replay()
    assert sources(pair) == expected


def test_a_column_that_did_not_change_is_rejected(one):
    pair = one([row("u", 2, after={"title": "second", "body": GONE})], {"2": {"title": "copied", "body": "text"}},
               unavailable="reject")
    text = pair.init()["rails"]
    assert any(rail["name"] == "attribution" and "body" in rail["detail"] for rail in text), text
    pair.m.copy()
    pair.m.replay()
    assert sources(pair) == {"2": {"title": "copied", "body": "text"}}
    assert pair.letters() == {0: "unavailable_value"}


def test_another_placeholder(one):
    pair = one([row("c", 1, after={"title": "first", "body": "text"}),
                row("u", 1, after={"title": GONE, "body": "<none>"})], placeholder="<none>")
    pair.whole()
    assert sources(pair) == {"1": {"title": GONE, "body": "text"}}


def test_a_step_that_needs_the_column(one):
    """Removed is removed, and what reads the value cannot."""
    records = [row("c", n, after={"title": "first", "body": "text", "raw": "AAEC"}) for n in (1, 2)] + [
        row("u", 1, after={"title": "second", "body": "text", "raw": GONE}),
        row("u", 2, after={"title": "second", "body": GONE, "raw": "AAEC"})]
    pair = one(records, transform=[{"remove": {"field": "raw"}}, {"rename": {"from": "body", "to": "tags"}}])
    pair.whole()
    assert sources(pair) == {"1": {"title": "second", "tags": "text"},
                             "2": {"title": "first", "tags": "text"}}
    assert pair.letters() == {3: "unavailable_value"}


def test_rows_that_keep_a_column_need_one_partition(one):
    """Under every kind of version: nothing orders what two partitions hold."""
    records = [row("c", 1, after={"title": "first", "body": "text"}),
               row("u", 1, after={"title": "second", "body": GONE})]
    pair = one([], version="timestamp", partitions=2)
    for partition, (key, value) in enumerate(records):
        producer = pair.m.log.producer()
        producer.produce(pair.m.topic, key=key, value=value, partition=partition)
        producer.finish()
    result = pair.m.run("plan", seconds=60).expect(REFUSED)
    assert any(rail["name"] == "one_partition" and rail["verdict"] == "refused" for rail in result.json["rails"])


def test_placeholders_in_another_format(two):  # noqa: F811
    """A connector that writes flat rows: the placeholder would be indexed as the text."""
    pair = two("document", select="kind")
    pair.begin([(b"1", json.dumps({**a(), "body": GONE}).encode())], {})
    result = pair.m.run("plan", seconds=60).expect(REFUSED)
    assert any(rail["name"] == "attribution" and "body" in rail["detail"] for rail in result.json["rails"]), result

"""The same `_source` in another index: values that are there, and that a search does not find any more."""
import json

import pytest

from rest import RestError
from test_verify import applied, verify

pytestmark = pytest.mark.embedded

KEYWORD = {"type": "keyword"}
OLD = {"long": KEYWORD, "hidden": KEYWORD, "bare": KEYWORD, "number": {"type": "integer", "doc_values": False},
       "sorted": KEYWORD, "off": {"properties": {"x": KEYWORD}},
       "unmapped": {"type": "text", "fields": {"raw": KEYWORD}}, "half": {"type": "double"}, "empty": KEYWORD,
       "bad": KEYWORD, "same": KEYWORD, "dropped": KEYWORD, "before": KEYWORD}
NEW = {"long": {**KEYWORD, "ignore_above": 10}, "hidden": {**KEYWORD, "index": False},
       "bare": {**KEYWORD, "index": False, "doc_values": False}, "number": {"type": "integer", "index": False},
       "sorted": {**KEYWORD, "doc_values": False}, "off": {"type": "object", "enabled": False},
       "half": {"type": "integer"}, "empty": {**KEYWORD, "null_value": "none"},
       "bad": {"type": "integer", "ignore_malformed": True}, "same": KEYWORD, "after": KEYWORD}


def document(n):
    return {"long": "x" * 12 if n < 3 else "x", "hidden": "x", "bare": "x", "number": 5, "sorted": "x",
            "off": {"x": "x"}, "unmapped": "x", "half": 1.5, "empty": None if n < 2 else "x",
            "bad": "x" if n < 1 else "7", "same": "x", "dropped": "x", "before": "x"}


@pytest.mark.real
@pytest.mark.parametrize("source, target", [("es-6.8", "es-8.17"), ("es-7.10", "os-3")])
def test_what_a_search_finds_no_more_is_named(migrate, source, target):
    m = migrate(source, target, partitions=1, mapping={"dynamic": False, "properties": NEW},
                index={"transform": [{"remove": "dropped"}, {"rename": {"from": "before", "to": "after"}}]})
    m.tree["commands"]["application_group"] = f"app-{m.name}"
    m.tree["verify"] = {"settle": "3s", "folder": str(m.crossfade.folder / "verify")}
    m.log.create(m.topic, 1)
    m.source.call("PUT", f"/{m.old}", {"settings": {"number_of_shards": 1, "number_of_replicas": 0}, "mappings": (
        {"incident": {"properties": OLD}} if m.source.typed else {"properties": OLD})})
    m.source.bulk(m.old, [("index", str(n), {}, json.dumps(document(n))) for n in range(8)])
    m.source.refresh(m.old)
    m.write_recipe()
    m.init()
    m.copy()
    m.replay()
    applied(m)
    receipt = verify(m)
    # the documents are alike, and that is what the verdict says
    assert receipt["verdict"] == "equal" and receipt["totals"]["equal"] == 8
    found = {one["field"]: (one["source"], one["target"], one["ignored"]) for one in receipt["indices"][0]["fields"]}
    # OpenSearch does not say that it ignores what is too long
    expected = {"long": (8, 5, 0 if m.target.opensearch else 3), "hidden": (8, seeks(m, "hidden", "x"), 0),
                "number": (8, seeks(m, "number", 5), 0), "sorted": (8, 8, 0), "off.x": (8, 0, 0),
                "bare": (8, 0, 0), "unmapped": (8, 0, 0), "unmapped.raw": (8, 0, 0), "empty": (6, 8, 0),
                "bad": (8, 7, 1), "same": (8, 8, 0),
                # a number that is cut off is found as another: nothing counts that
                "half": (8, 8, 0), "after": (None, 8, 0)}
    assert found == expected
    text = m.crossfade("verify", m.recipe).expect(0).out
    assert f"search    {m.new}: long is found in 8 documents of the old side, 5 of the new side" in text
    assert m.target.opensearch or "5 of the new side, which ignores 3 values of it" in text
    assert f"{m.new}: bare is found in 8 documents of the old side, 0 of the new side" in text
    assert ": same is found" not in text and ": after is found" not in text and ": dropped" not in text


def seeks(m, field, value):
    """How many documents a search for the value finds; a server that does not search there finds none."""
    try:
        return m.target.count(m.new, {"term": {field: value}})
    except RestError:
        return 0

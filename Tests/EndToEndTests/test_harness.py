"""The yardstick itself: the comparer sees what is wrong, the model says what docs/recipe.md says."""
import pytest

import compare
import texts
from model import Model, key_to_value, merge, new_schema
from rest import Cluster
from texts import number
from workload import Workload

pytestmark = pytest.mark.embedded

number = texts.number


def test_texts_keep_numbers():
    text = '{"a":[0.10,1e400,-0.0,12345678901234567890,"1",true,null],"b":{"\\u00e9":"\\u0001"}}'
    assert texts.render(texts.parse(text)) == text
    assert texts.parse("1") != texts.parse('"1"')


def test_key_to_value():
    assert key_to_value({"host": "db-1", "check": "cpu"}) == [
        {"keyToValue": "check:cpu", "value": "cpu"}, {"keyToValue": "host:db-1", "value": "db-1"}]
    assert key_to_value({"a:b\\c": number("0.10"), "b": True, "c": None, "d": "", "e": ["x", "y"],
                         "f": {"g": "h"}}) == [
        {"keyToValue": "a\\:b\\\\c:0.10", "value": "0.10"}, {"keyToValue": "b:true", "value": "true"},
        {"keyToValue": "d:", "value": ""}, {"keyToValue": "e:x", "value": "x"}, {"keyToValue": "e:y", "value": "y"},
        {"keyToValue": "f.g:h", "value": "h"}]


def test_merge():
    base = {"a": {"b": "1", "c": "2"}, "d": ["1"], "e": "x"}
    merge(base, {"a": {"c": None}, "d": ["2"], "e": {"f": "y"}})
    assert base == {"a": {"b": "1", "c": None}, "d": ["2"], "e": {"f": "y"}}


def test_model():
    model = Model()
    for n, text in enumerate([
        '{"command":"InsertMessageCommand","id":"1","message":{"a":1,"tags":{"k":"v","l":"w"}}}',
        '{"command":"UpdateMessageCommand","id":"1","message":{"tags":{"k":"x","l":null}}}',
        '{"command":"InsertMessageCommand","id":"2","message":{}}',
        '{"command":"DeleteMessageCommand","id":"2"}',
        '{"command":"UpdateMessageCommand","id":"3","message":{"b":2}}',
        '{"command":"PingCommand"}', "nonsense", '{"command":"InsertMessageCommand","id":"1","message":[]}',
    ]):
        model.apply(b"key", text.encode(), n)
    assert model.expected() == {"1": {"a": number(1), "tags": [{"keyToValue": "k:x", "value": "x"}]},
                                "3": {"b": number(2)}}
    assert model.last == {"1": 1, "2": 3, "3": 4}
    assert model.counts == {"index": 2, "merge": 2, "delete": 1, "skip": 1, "reject": 2, "stale": 0}


def test_workload_is_repeatable(seed):
    first, second = (list(Workload(seed, 3000, 500, 100, malformed=40)) for _ in range(2))
    assert first == second and len(first) == 3000
    model = Model()
    for key, value in first:
        model.apply(key, value)
    assert model.counts["reject"] == 40 and model.counts["skip"] == 1


@pytest.fixture
def filled(stack, seed):
    """A target that holds exactly what the model says, with versions and a tombstone."""
    cluster, index = Cluster(stack.start("es-6.8")), "harness"
    model = Model()
    for offset, (key, value) in enumerate(Workload(seed, 2000, 400, 100)):
        model.apply(key, value, offset + 2)
    cluster.create(index, {compare.TOMBSTONE: {"type": "boolean"}, compare.TOMBSTONE_AT: {"type": "date"},
                           "tags": {"type": "object", "dynamic": False}})
    tombstone = {compare.TOMBSTONE: True, compare.TOMBSTONE_AT: number(1_700_000_000_000)}
    lines = [("index", ident, {"version": model.last[ident], "version_type": "external"}, texts.render(document))
             for ident, document in {**dict.fromkeys(model.last, tombstone), **model.expected()}.items()]
    cluster.bulk(index, lines)
    yield cluster, index, model
    cluster.call("DELETE", f"/{index}")


def test_comparer_sees_every_difference(filled):
    cluster, index, model = filled
    expected, deleted = model.expected(), set(model.last) - set(model.documents)

    def found():
        return compare.compare(cluster, index, expected, model.last, deleted)
    assert found().none, str(found())
    live, dead = sorted(expected), sorted(deleted)
    changed = {**expected[live[0]], "severity": number("3.0")}
    after = model.last[live[0]] + 1
    cluster.bulk(index, [
        ("index", live[0], {"version": after, "version_type": "external"}, texts.render(changed)),
        ("delete", live[1], {}, None),
        ("index", "foreign", {}, "{}"),
        ("index", dead[0], {"version": 10**9, "version_type": "external"},
         '{"crossfade_deleted":true,"title":"left over"}'),
        ("index", live[2], {"version": 10**9, "version_type": "external"}, '{"crossfade_deleted":true}'),
    ])
    differences = found()
    assert [d[0] for d in differences.different] == [live[0]]
    assert differences.different[0][1] == [("severity", expected[live[0]]["severity"], number("3.0"))]
    assert {d[0] for d in differences.missing} == {live[1], live[2]}
    assert [d[0] for d in differences.extra] == ["foreign"]
    assert {d[0] for d in differences.versions} == {live[0], live[2], dead[0]}
    assert {d[0] for d in differences.tombstones} == {dead[0], live[2]}
    cluster.bulk(index, [("index", dead[1], {"version": 10**9 + 1, "version_type": "external"},
                          '{"title":"resurrected"}')])
    assert {d[0] for d in found().extra} == {"foreign", dead[1]}


def test_new_schema_leaves_the_rest():
    document = {"a": number("0.10"), "tags": {}, "b": None}
    assert new_schema(document) == {"a": number("0.10"), "tags": [], "b": None}
    assert new_schema({"tags": None}) == {"tags": None}

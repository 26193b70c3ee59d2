"""Small inputs that users of other tools reported in public; each comment names the report."""
import json

import pytest

from binary import DONE, REFUSED, check_error
from test_identity import documents, identity, insert, make, titles  # noqa: F401
from test_moves import row

pytestmark = pytest.mark.embedded


# elastic/elasticsearch#31976 and #8788: one id twice in one index
@pytest.mark.real
def test_an_id_twice_under_two_routings(make):  # noqa: F811
    """The application changed its routing once and left the former copy behind."""
    m = make([insert("1", "second", org="org1")], [
        ("1", {"routing": "org0"}, {"title": "stale", "org": "org0"}, "incident"),
        ("1", {"routing": "org1"}, {"title": "first", "org": "org1"}, "incident"),
        ("2", {"routing": "org0"}, {"title": "other", "org": "org0"}, "incident")], committed=1)
    m.tree["commands"]["envelope"]["routing"] = "org"
    m.write_recipe()
    text = identity(m, "warn")
    assert "1 of 3 sampled ids" in text and "id 1 with routing org0" in text and "several routings" in text, text
    m.init()
    # both are on one shard of the new index, where there can be only one
    check_error(m.run("copy"), "more than once", "accept: [{ rail: identity", code=REFUSED)
    m.tree["accept"] = [{"rail": "identity", "why": "what the application left behind is not wanted"}]
    m.write_recipe()
    m.run("copy", "--confirm", m.run("plan").json["fingerprint"]).expect(DONE)
    m.replay()
    m.target.refresh(m.new)
    hits = m.target.scroll(m.new, {"match_all": {}})
    found = {(hit["_id"], hit["_routing"]): hit["_source"]["title"] for hit in hits}
    assert found[("1", "org1")] == "second" and found[("2", "org0")] == "other", found


# elastic/elasticsearch#74883: names of fields that newer versions do not take
@pytest.mark.real
def test_names_of_fields_that_the_target_does_not_take(make):  # noqa: F811
    names = ["a..b", ".b", "", " "]
    m = make([], [(str(n), {}, {"title": f"first {n}"}, "incident") for n in range(5)]
             + [(f"bad-{n}", {}, {"title": "x", name: "c"}, "incident") for n, name in enumerate(names)],
             source="es-1.7")
    m.init()
    summary = m.copy()
    assert (summary["outcomes"]["indexed"], summary["outcomes"]["dead_lettered"]) == (5, 4), summary
    assert titles(m) == {str(n): f"first {n}" for n in range(5)}
    letters = m.crossfade("dead-letters", "list", m.recipe, "--format", "json").expect(0).json["letters"]
    assert len(letters) == 4 and all("bad-" in json.dumps(letter) for letter in letters), letters


# debezium/debezium#735: the primary key of a row changes
def test_a_primary_key_that_changes(make):  # noqa: F811
    m = make([], documents(3))
    m.tree["commands"].pop("envelope")
    m.tree["commands"]["format"] = "debezium"
    m.write_recipe()
    m.init()
    m.copy()
    m.log.produce(m.topic, [row("d", 1, before={"title": "first 1"}), (json.dumps({"id": 1}).encode(), None),
                            row("c", 7, after={"title": "moved"})])
    m.replay()
    assert titles(m) == {"0": "first 0", "2": "first 2", "7": "moved"}


# confluentinc/kafka-connect-elasticsearch#193 and #303: keys that are structs of several fields
@pytest.mark.parametrize("wrapped", [False, True])
def test_composite_keys_of_connectors(make, wrapped):  # noqa: F811
    """Flat rows under keys of two fields. Their deletes have the key alone, and must find the copied documents."""
    def key(number):
        fields = {"tenant": "a", "id": number}
        return json.dumps({"schema": {"type": "struct"}, "payload": fields} if wrapped else fields).encode()

    copied = [(f"a-{n}", {}, {"title": f"first {n}"}, "incident") for n in range(4)]
    m = make([(key(n), json.dumps({"title": f"first {n}"}).encode()) for n in range(4)], copied, committed=4)
    m.tree["commands"].pop("envelope")
    m.tree["commands"] |= {"format": "document", "document": {"key": "json", "id": "{tenant}-{id}"}}
    m.write_recipe()
    assert "4 were found" in identity(m, "ok")
    m.init()
    m.copy()
    m.log.produce(m.topic, [(key(1), b'{"title":"second"}'), (key(2), None)])
    m.replay()
    assert titles(m) == {"a-0": "first 0", "a-1": "second", "a-3": "first 3"}


def test_ids_of_one_type_before_which_the_copy_writes_it(make):  # noqa: F811
    """Two types of an old index, of which the topic has one: its ids get the same form as the copied ones."""
    m = make([(str(n).encode(), json.dumps({"title": f"first {n}"}).encode()) for n in range(4)],
             [(str(n), {}, {"title": f"first {n}"}, kind) for n in range(4) for kind in ("note", "incident")],
             source="es-2.4", committed=4, index={"id": "{type}-{id}"})
    m.tree["commands"].pop("envelope")
    m.tree["commands"]["format"] = "document"
    m.write_recipe()
    assert '`id: "...-{key}"` under commands.document' in identity(m, "refused")
    m.tree["commands"]["document"] = {"id": "incident-{key}"}
    m.write_recipe()
    assert "4 were found" in identity(m, "ok")
    m.init()
    m.copy()
    m.log.produce(m.topic, [(b"1", b'{"title":"second"}'), (b"2", None)])
    m.replay()
    assert titles(m) == {**{f"note-{n}": f"first {n}" for n in range(4)},
                         "incident-0": "first 0", "incident-1": "second", "incident-3": "first 3"}


# apache/kafka KAFKA-3832: tombstones that the JSON converter wrote as the text null
def test_tombstones_that_are_texts(make):  # noqa: F811
    m = make([(str(n).encode(), json.dumps({"title": f"first {n}"}).encode()) for n in range(3)], documents(3))
    m.tree["commands"].pop("envelope")
    m.tree["commands"]["format"] = "document"
    m.write_recipe()
    m.init()
    m.copy()
    m.log.produce(m.topic, [(b"1", b"null")])
    summary = m.replay()
    assert titles(m) == {"0": "first 0", "2": "first 2"} and summary["outcomes"]["dead_lettered"] == 0, summary

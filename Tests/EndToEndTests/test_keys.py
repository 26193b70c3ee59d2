"""Ids as converters write them, wrappers around key and value, and ids that commands put together: copy and commands
must mean the same document."""
import json
import re

import pytest

from binary import DONE
from letters import redrive
from test_identity import EXPECTED, command, documents, identity, insert, make, titles, whole

pytestmark = pytest.mark.embedded
__all__ = ["make"]


def reasons(m):
    topic = m.tree["dead_letters"]["topic"]
    return sorted(dict(headers)["crossfade.reason"].decode() for *_, headers, _ in m.log.read(topic))


def advised(m):
    """Writes the lines that the plan advises into the recipe, which must take them."""
    text = identity(m, "refused")
    lines = re.findall(r"`(key|id): \"?([^`\"]+)\"?` under commands\.(\w+)", text)
    assert lines, text
    for key, value, section in lines[-1:]:
        m.tree["commands"].setdefault(section, {})[key] = value
    m.write_recipe()
    m.crossfade("recipe", "check", m.recipe, seconds=30).expect(DONE)
    return text


# format document

def wrapped_key(n):
    return b'{"schema":{"type":"string","optional":false},"payload":"%d"}' % n


KEYS = {
    "json": lambda n: b'"%d"' % n, "int32": lambda n: n.to_bytes(4, "big"), "int64": lambda n: n.to_bytes(8, "big"),
    "confluent": lambda n: b"\0\0\0\0\7%d" % n, "confluent-json": lambda n: b'\0\0\0\0\7"%d"' % n,
    "wrapped": wrapped_key, "struct": lambda n: b'{"schema":{"type":"struct"},"payload":{"id":%d}}' % n,
    "object": lambda n: b'{"id":%d}' % n,
}
OBJECTS = [KEYS[form] for form in ("wrapped", "struct", "object")]


def wrap(document):
    fields = [{"type": "string", "optional": True, "field": "title"}]
    return {"schema": {"type": "struct", "fields": fields, "optional": False}, "payload": document}


def keyed(form, start=0, value=lambda document: document):
    """8 documents; of these 4 are updated and 2 deleted."""
    def record(n, title):
        return form(n), json.dumps(value({"title": title})).encode()
    numbers = range(start, start + 8)
    return ([record(n, f"first {n}") for n in numbers] + [record(n, f"second {n}") for n in numbers[:4]]
            + [(form(n), None) for n in (start + 3, start + 4)])


def expected(start=0):
    return {str(start + int(n)): f"{title.split()[0]} {start + int(n)}" for n, title in EXPECTED.items()}


@pytest.mark.parametrize("form", ["json", "int32", "confluent", "confluent-json", "objects"])
def test_keys_as_converters_write_them(make, form):
    """The plan finds the form, and with the line that it advises every update and delete meets its document."""
    key = KEYS.get(form, lambda n: OBJECTS[n % 3](n))
    m = make(keyed(key), documents(), committed=8, shape="document")
    advised(m)
    assert "8 were found" in identity(m, "ok")
    assert whole(m) == expected()


def test_keys_that_are_no_text(make):
    """From 128 on, a number of 8 bytes is no UTF-8."""
    m = make(keyed(KEYS["int64"], 1000), documents(start=1000), committed=8, shape="document")
    assert "key: int64" in advised(m)
    assert whole(m) == expected(1000)


@pytest.mark.parametrize("encoding", ["json", "int64"])
def test_keys_that_are_text_after_all(make, encoding):
    """The recipe says something else: the plan finds that, too."""
    m = make(keyed(lambda n: b"doc-%04d" % n), [(f"doc-{n:04d}", {}, {"title": f"first {n}"}, "incident")
                                               for n in range(8)], committed=8, shape="document")
    m.tree["commands"]["document"] = {"key": encoding}
    m.write_recipe()
    assert "key: text" in advised(m)
    identity(m, "ok")


def test_key_that_does_not_fit(make):
    """A dead letter with reason and place, and no document under a strange id."""
    records = [*keyed(KEYS["json"]), (b"{1}", b'{"title":"strange"}'), (b'{"a":1,"b":2}', b'{"title":"strange"}'),
               (b"null", None)]
    m = make(records, documents(), committed=8, shape="document")
    m.tree["commands"]["document"] = {"key": "json"}
    m.write_recipe()
    assert "bad_key" in identity(m, "warn", "command_deaths")
    assert whole(m) == expected()
    assert reasons(m) == ["bad_key"] * 3
    letters, _ = m.dead_letters()
    assert sorted(letters) == [(0, 14), (0, 15), (0, 16)]


def test_dead_letters_of_keys_come_back(make):
    """Once the recipe says how keys are written, a redrive reads them."""
    m = make(keyed(wrapped_key), [], shape="document")
    m.init()
    m.copy()
    assert m.replay()["outcomes"]["dead_lettered"] == 14
    m.tree["commands"]["document"] = {"key": "json"}
    m.write_recipe()
    redrive(m, "--confirm", m.run("plan", seconds=60).expect(DONE).json["fingerprint"])
    assert titles(m) == expected()


# wrappers

def test_wrapped_values(make):
    """Kafka Connect's JSON converter with schemas: the payload is the document."""
    records = keyed(wrapped_key, value=wrap)[:-1] + [(wrapped_key(4), json.dumps(wrap(None)).encode())]
    m = make(records, documents(), committed=8, shape="document")
    m.tree["commands"]["document"] = {"key": "json"}
    m.write_recipe()
    identity(m, "ok")
    assert whole(m) == expected()
    assert {field for hit in m.target.scroll(m.new, {"exists": {"field": "title"}}) for field in hit["_source"]} == {
        "title"}


def test_wrapped_commands(make):
    from test_identity import commands
    records = [(wrapped_key(int(key)), json.dumps({"schema": {"type": "struct"},
                                                   "payload": json.loads(value)}).encode())
               for key, value in commands()]
    m = make(records, documents(), committed=8)
    m.tree["commands"]["envelope"]["id"] = "key"
    m.write_recipe()
    assert "`key: json` under commands.envelope" in advised(m)
    identity(m, "ok")
    assert whole(m) == EXPECTED


def test_document_that_has_a_schema_and_a_payload(make):
    """It is no wrapper: its schema is no schema of Kafka Connect."""
    own = {"schema": "v1", "payload": {"a": 1}, "title": "first 0"}
    records = [(b"0", json.dumps(own).encode()), (b"1", json.dumps({"schema": "v1", "payload": "x"}).encode())]
    m = make(records, documents(1), committed=1, shape="document",
             mapping={"dynamic": False, "properties": {"title": {"type": "keyword"}}})
    m.init()
    m.copy()
    m.replay()
    m.target.refresh(m.new)
    hits = {hit["_id"]: hit["_source"] for hit in m.target.scroll(m.new, {"match_all": {}})}
    assert json.loads(json.dumps(hits["0"]["schema"])) == "v1" and "payload" in hits["1"]


# debezium

def test_keys_of_debezium(make):
    """With and without schema and prefix: all of these are read as they are."""
    def key(n):
        return [KEYS["struct"](n), KEYS["object"](n), b'\0\0\0\0\7{"id":%d}' % n, KEYS["json"](n)][n % 4]

    def event(n, op, title):
        row = {"id": n, "title": title}
        return key(n), json.dumps({"op": op, "before": row if op == "d" else None,
                                   "after": None if op == "d" else row}).encode()
    records = ([event(n, "c", f"first {n}") for n in range(8)] + [event(n, "u", f"second {n}") for n in range(4)]
               + [event(n, "d", "") for n in (3, 4)])
    m = make(records, documents(), committed=8, shape="debezium")
    identity(m, "ok")
    assert whole(m) == EXPECTED


# templates of ids

def typed(name, n, kind, title=None):
    message = {"kind": kind, **({} if title is None else {"title": title})}
    return command(name, str(n), message=message)


TWO = [(str(n), {}, {"title": f"{kind} {n}"}, kind) for kind in ("incident", "note") for n in range(6)]
TWO_RECORDS = (
    [typed("InsertMessageCommand", n, kind, f"{kind} {n}") for kind in ("incident", "note") for n in range(6)]
    + [typed("InsertMessageCommand", n, "note", f"second {n}") for n in range(2)]
    + [typed("UpdateMessageCommand", n, "incident", f"part {n}") for n in range(2, 4)]
    + [typed("DeleteMessageCommand", 5, "incident"), typed("DeleteMessageCommand", 4, "note")])
TWO_EXPECTED = {
    **{f"incident-{n}": f"part {n}" if n in (2, 3) else f"incident {n}" for n in range(5)},
    **{f"note-{n}": f"second {n}" if n < 2 else f"note {n}" for n in (0, 1, 2, 3, 5)}}


@pytest.mark.parametrize("source", ["es-2.4", "es-1.7"])
def test_two_types_with_the_same_ids(make, source):
    """Both have the ids 0 to 5: the plan finds the field with the type and advises the template."""
    m = make(TWO_RECORDS, TWO, source, committed=12, index={"id": "{type}-{id}"})
    text = advised(m)
    assert '`id: "{message.kind}-{id}"` under commands.envelope' in text, text
    assert "12 were found" in identity(m, "ok")
    assert whole(m) == TWO_EXPECTED


def test_base_of_a_document_with_a_template(make):
    """While the copy is unfinished, a part's base is read from the source, where it has another id and a type."""
    parts = [typed("UpdateMessageCommand", n, kind) for kind in ("incident", "note") for n in range(6)]
    parts = [(key, value.replace(b'"kind"', b'"status": "open", "kind"')) for key, value in parts]
    m = make(parts, TWO, "es-2.4", index={"id": "{type}-{id}"})
    m.tree["commands"]["envelope"]["id"] = "{message.kind}-{id}"
    m.write_recipe()
    m.init()
    follow = m.start("follow")
    m.caught_up(follow)
    assert m.stop(follow)["outcomes"]["merged"] == 12
    assert titles(m) == {f"{kind}-{n}": f"{kind} {n}" for n in range(6) for kind in ("incident", "note")}
    m.copy()
    assert titles(m) == {f"{kind}-{n}": f"{kind} {n}" for n in range(6) for kind in ("incident", "note")}


def test_ids_of_the_source_that_have_the_type_before_them(make):
    """A source of one type whose application makes the ids of type and number."""
    olds = [(f"incident-{n}", {}, {"title": f"incident {n}", "kind": "incident"}, "incident") for n in range(6)]
    records = [typed("InsertMessageCommand", n, "incident", f"incident {n}") for n in range(6)]
    records += [typed("DeleteMessageCommand", 5, "incident")]
    m = make(records, olds, committed=6)
    assert "the ids of commands" in identity(m, "refused") or "those of commands" in identity(m, "refused")
    m.tree["commands"]["envelope"]["id"] = "{message.kind}-{id}"
    m.write_recipe()
    identity(m, "ok")
    assert whole(m) == {f"incident-{n}": f"incident {n}" for n in range(5)}


# the tests of a recipe

def test_recipe_tests_know_keys_wrappers_and_templates(make):
    m = make([insert("0", "first 0")], [], shape="document")
    m.tree["commands"]["document"] = {"key": "json"}
    m.tree["tests"] = [
        {"name": "quoted", "record": {"key": '"42"', "value": {"title": "x"}}, "expect": {"id": "42"}},
        {"name": "wrapped", "record": {"key": '{"schema":null,"payload":42}', "value": wrap({"title": "x"})},
         "expect": {"id": "42", "document": {"title": "x"}}},
        {"name": "prefix", "record": {"key_base64": "AAAAAAciNDIi", "value": {"title": "x"}}, "expect": {"id": "42"}},
        {"name": "unfit", "record": {"key": "a b", "value": {"title": "x"}}, "expect": {"reject": "bad_key"}}]
    m.write_recipe()
    m.crossfade("recipe", "test", m.recipe, "--format", "json", seconds=30).expect(DONE)

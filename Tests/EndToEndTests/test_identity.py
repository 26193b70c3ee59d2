"""Copy and commands must mean the same document: id, routing and type, on clusters and topics as other people have
them."""
import json

import pytest

from binary import REFUSED, check_error
from proxy import Proxy
from stack import wait_for
from test_errors import nothing_written

pytestmark = pytest.mark.embedded

TITLES = {"properties": {"title": {"type": "keyword"}, "org": {"type": "keyword"}}}


def insert(ident, title, **more):
    return command("InsertMessageCommand", ident, message={"title": title}, **more)


def command(name, ident, **more):
    return ident.encode(), json.dumps({"command": name, "id": ident, **more}).encode()


def commands(**more):
    """8 documents; of these 4 are updated and 2 deleted."""
    inserts = [insert(str(n), f"first {n}", **more) for n in range(8)]
    updates = [command("UpdateMessageCommand", str(n), message={"title": f"second {n}"}, **more) for n in range(4)]
    return inserts + updates + [command("DeleteMessageCommand", str(n), **more) for n in (3, 4)]


EXPECTED = {"0": "second 0", "1": "second 1", "2": "second 2", "5": "first 5", "6": "first 6", "7": "first 7"}


@pytest.fixture
def make(migrate):
    """A migration whose topic has `records` and whose source has `documents`: (id, metadata, text, type)."""
    def make(records, documents, source="es-6.8", target="es-8.17", committed=None, fields=None, **sections):
        sections.setdefault("mapping", TITLES)
        sections["index"] = {"transform": [], **sections.get("index", {})}
        m = migrate(source, target, partitions=1, **sections)
        m.log.create(m.topic, 1)
        m.log.produce(m.topic, records)
        if committed is not None:
            m.tree["commands"]["application_group"] = f"app-{m.name}"
            m.log.commit(f"app-{m.name}", m.topic, {0: committed})
        kinds = sorted({kind for *_, kind in documents}) or ["incident"]
        properties = fields or {"title": {"type": "string"} if m.source.version < (5, 0) else {"type": "keyword"}}
        kinds = kinds if m.source.typed else []
        m.source.call("PUT", f"/{m.old}", {
            "settings": {"number_of_shards": 3, "number_of_replicas": 0},
            "mappings": {kind: {"properties": properties} for kind in kinds} or {"properties": properties}})
        fill(m, documents)
        m.write_recipe()
        return m
    return make


def fill(m, documents):
    for ident, metadata, text, kind in documents:
        m.source.bulk(m.old, [("index", ident, metadata, json.dumps(text))], kind)
    m.source.refresh(m.old)


def documents(number=8, kind="incident", start=0, **metadata):
    return [(str(n), metadata, {"title": f"first {n}"}, kind) for n in range(start, start + number)]


def identity(m, verdict, name="identity"):
    """The verdict of the rail, and its text."""
    result = m.run("plan", seconds=60).expect(REFUSED if verdict == "refused" else 0)
    rails = [rail for rail in result.json["rails"] if rail["name"] == name]
    assert verdict in [rail["verdict"] for rail in rails], result
    return " ".join(rail["detail"] for rail in rails)


def titles(m):
    m.target.refresh(m.new)
    hits = m.target.scroll(m.new, {"bool": {"must_not": {"term": {"__deleted": True}}}})
    found = [(hit["_id"], hit["_source"].get("title")) for hit in hits if "title" in hit["_source"]]
    assert len(found) == len(dict(found)), f"an id is there twice: {found}"
    return dict(found)


def whole(m):
    m.init()
    m.copy()
    m.replay()
    return titles(m)


def test_a_topic_that_would_be_dead_letters_is_refused(make):
    """The recipe reads the wrong field. It was a part of a warning, and `init` came next."""
    m = make(commands() * 2, documents())
    m.tree["commands"]["envelope"]["operation"] = "cmd"
    m.write_recipe()
    with nothing_written(m):
        told = m.run("plan", seconds=60).expect(REFUSED).json
    refused = {rail["name"]: rail["detail"] for rail in told["rails"] if rail["verdict"] == "refused"}
    assert refused.keys() == {"command_deaths"} and "28 of 28 sampled records" in refused["command_deaths"], told
    m.tree["accept"] = [{"rail": "command_deaths", "why": "a test"}]
    m.write_recipe()
    m.plan()


# routing

@pytest.mark.parametrize("source", ["es-6.8", "es-2.4", "es-1.7"])
def test_source_with_routing_and_recipe_without(make, source):
    """Old servers name the routing of a hit elsewhere."""
    m = make(commands(), documents(routing="org0"), source)
    with nothing_written(m):
        text = identity(m, "refused")
    assert "8 of 8" in text and "org0" in text and "commands.envelope" in text, text


@pytest.mark.parametrize("source", ["es-6.8", "es-2.4"])
def test_source_with_routing_that_commands_carry(make, source):
    """The way out that the refusal names: 6 documents, not 14."""
    m = make(commands(org="org0"), documents(routing="org0"), source, committed=8)
    m.tree["commands"]["envelope"]["routing"] = "org"
    m.write_recipe()
    assert "8 were found" in identity(m, "ok")
    assert whole(m) == EXPECTED


def test_a_source_that_is_not_refreshed_is_compared_all_the_same(make):
    """A search shows none of its documents. `plan` says so; `copy` refreshes it and refuses before it begins."""
    m = make(commands(), [])
    m.init()
    m.source.call("PUT", f"/{m.old}/_settings", {"index.refresh_interval": "-1"})
    m.source.bulk(m.old, [("index", ident, metadata, json.dumps(text)) for ident, metadata, text, _ in
                          documents(routing="org0")])
    assert m.source.count(m.old) == 0 and "never refreshed" in identity(m, "warn")
    check_error(m.run("copy"), "identity", "org0", code=REFUSED)
    assert m.status()["phase"] == "created"


def test_routing_that_appears_after_init_stops_copy_and_replay_at_their_start(make):
    m = make(commands(), [])
    m.init()
    fill(m, documents(routing="org0"))
    for step in ("copy", "replay"):
        check_error(m.run(step), "identity", "org0", code=REFUSED)
    assert m.target.count(m.new) == 0


@pytest.mark.real
def test_routing_that_appears_while_the_copy_runs_stops_it(make):
    """The sample at the start cannot have seen it: every hit is looked at."""
    m = make([], documents(400), copy={"slices": 12, "rate": "100/s", "page": 10})
    m.init()
    copy = m.start("copy")
    wait_for("the copy to write", lambda: (m.target.refresh(m.new), m.target.count(m.new))[1] > 0, 60)
    fill(m, documents(60, start=1000, routing="org0"))
    result = copy.wait(120)
    check_error(result, "org0", m.old, "commands.envelope", code=REFUSED, seconds=120)
    assert m.status()["phase"] == "copy_interrupted"


def test_recipe_with_routing_and_source_without(make):
    m = make(commands(org="org0"), documents())
    m.tree["commands"]["envelope"]["routing"] = "org"
    m.write_recipe()
    with nothing_written(m):
        text = identity(m, "refused")
    assert "0 of 8" in text and "Leave the routing out" in text, text


def test_another_routing_than_the_commands(make):
    m = make(commands(org="1"), documents(routing="org0"), committed=8)
    m.tree["commands"]["envelope"]["routing"] = "org"
    m.write_recipe()
    text = identity(m, "refused")
    assert "offset 7" in text and "with routing 1" in text and "with routing org0" in text, text


def test_routing_that_is_the_id_is_none(make):
    """An application that names what the cluster does by itself."""
    m = make(commands(), [(str(n), {"routing": str(n)}, {"title": f"first {n}"}, "incident") for n in range(8)])
    identity(m, "ok")
    assert whole(m) == EXPECTED


# what is absent, what is not there

def test_what_the_source_does_not_have_is_a_warning(make):
    m = make(commands(), documents(4), committed=8)
    text = identity(m, "warn")
    assert "4 are not in the source" in text, text


def test_later_deletes_do_not_count(make):
    m = make(commands(), documents(), committed=8)
    assert "of 8 ids" in identity(m, "ok")


def test_an_empty_sample_is_said_to_be_unchecked(make):
    m = make([], documents())
    assert "unchecked" in identity(m, "warn")


# ids

def test_template_that_commands_do_not_follow(make):
    """2.4 with two types: `0` is copied as `incident-0`, and commands write `0`."""
    m = make(commands(), documents(5) + documents(3, "note", 5), "es-2.4", committed=8, index={"id": "{type}-{id}"})
    with nothing_written(m):
        text = identity(m, "refused")
    assert "copied as" in text and "note-7" in text and '"{id}"' in text, text


def test_ids_that_are_unique_over_types(make):
    m = make(commands(), documents(5) + documents(3, "note", 5), "es-2.4", committed=8, index={"id": "{id}"})
    assert "no id of 8 is there twice" in identity(m, "ok")
    assert whole(m) == EXPECTED


def test_ids_that_are_said_to_be_unique_and_are_not(make):
    m = make(commands(), documents(5) + documents(3, "note", 3), "es-2.4", index={"id": "{id}"})
    text = identity(m, "refused")
    assert "2 of 8" in text and "id 3 in" in text and f"{m.old}/incident" in text and f"{m.old}/note" in text, text


SPELLINGS = {"json": (b'"%d"', "`key: json` under commands.document"),
             "wrapped": (b'{"schema":null,"payload":"%d"}', "key: json"),
             "confluent": (b"\0\0\0\0\7%d", "key: confluent"), "typed": (b"incident-%d", "{type}-{id}")}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_keys_as_converters_write_them(make, spelling):
    form, advice = SPELLINGS[spelling]
    records = [(form % n, json.dumps({"title": f"first {n}"}).encode()) for n in range(8)]
    m = make(records, documents(), committed=8, shape="document")
    text = identity(m, "refused")
    assert "8 mean another document" in text and advice in text, text


@pytest.mark.parametrize("size", [4, 8])
@pytest.mark.parametrize("start", [0, 1000])
def test_keys_that_are_numbers_of_some_bytes(make, size, start):
    """From 128 on these are no UTF-8: such a command is a dead letter, which is a contradiction as well."""
    numbers = range(start, start + 8)
    records = [(n.to_bytes(size, "big"), json.dumps({"title": f"first {n}"}).encode()) for n in numbers]
    m = make(records, documents(8, start=start), committed=8, shape="document")
    assert f"key: int{size * 8}" in identity(m, "refused")


def test_what_nobody_has_applied_yet_is_looked_up_too(make):
    """The application's group has committed nothing before: no stretch is known to be in the source."""
    records = [(b'"%d"' % n, json.dumps({"title": f"first {n}"}).encode()) for n in range(8)]
    m = make(records, documents(), committed=0, shape="document")
    assert "`key: json` under commands.document" in identity(m, "refused")


def test_ids_of_another_kind(make):
    records = [insert(f"inc/{n}", "new") for n in range(30)]
    m = make(records, documents(20), committed=30)
    text = identity(m, "refused")
    assert "look different" in text and "digits, 1 to 2 bytes" in text, text


class NoSearch(Proxy):
    """A cluster that lets us count and describe, but not search."""

    def handle(self, handler, body):
        if handler.path.split("?")[0].endswith("/_search"):
            return handler.answer(403, [("Content-Type", "application/json")], json.dumps({
                "error": {"type": "security_exception", "reason": "no permissions for [indices:data/read/search]"},
                "status": 403}).encode())
        handler.answer(*handler.ask(body))


def test_a_source_that_may_not_be_searched_is_said_to_be_unknown(make):
    m = make(commands(), documents(routing="org0"))
    with NoSearch(m.source.url) as proxy:
        m.tree["source"] = {"url": proxy.url}
        m.write_recipe()
        text = identity(m, "warn")
    assert text.count("it is not known") == 2 and "403" in text, text


# one document in the source is one in the target

def test_ids_under_several_routings_do_not_vanish_in_the_copy(make):
    """The source has them in two shards, and the target in one."""
    two = [("1", {"routing": org}, {"title": org, "org": org}, "incident") for org in ("a", "b", "c", "d", "e", "f")]
    m = make([], two, settings={"number_of_shards": 1})
    m.tree["commands"]["envelope"]["routing"] = "org"
    m.write_recipe()
    shown = m.source.count(m.old)
    assert shown > 1
    m.init()
    check_error(m.run("copy"), f"{shown} documents", "only 1", "not complete", code=REFUSED)
    assert m.status()["recorded_phase"] == "copying"
    m.tree["accept"] = [{"rail": "identity", "why": "they are the same"}]
    m.write_recipe()
    m.run("copy", "--confirm", m.plan()["fingerprint"]).expect(0)
    assert m.status()["phase"] == "copied" and m.target.count(m.new) == 1


@pytest.mark.parametrize("shape", ["document", "envelope"])
def test_deletes_that_the_application_has_not_done_are_refused(make, shape):
    """Kafka Connect ignores records without a value if it is told to."""
    if shape == "document":
        records = [(str(n).encode(), json.dumps({"title": f"first {n}"}).encode()) for n in range(8)] + [(b"3", None)]
    else:
        records = [insert(str(n), f"first {n}") for n in range(8)] + [command("DeleteMessageCommand", "3")]
    m = make(records, documents(8), shape=shape, committed=9)
    text = identity(m, "refused")
    assert "id 3" in text and "1 of 1" in text, text
    if shape == "document":
        m.tree["commands"]["document"] = {"tombstone": "ignore"}
    else:
        m.tree["commands"]["envelope"].update(delete=[], ignore=["DeleteMessageCommand", "PingCommand"])
    m.write_recipe()
    assert whole(m) == {str(n): f"first {n}" for n in range(8)}


def test_a_part_is_not_merged_into_what_has_another_routing(make):
    """Both routings lead to the one shard of the target."""
    records = [insert("1", "first", org="a"), insert("1", "second", org="b"),
               command("UpdateMessageCommand", "1", message={"org": "part"}, org="a")]
    m = make(records, [], settings={"number_of_shards": 1}, accept=[{"rail": "attribution", "why": "seen"}])
    m.tree["commands"]["envelope"]["routing"] = "org"
    del m.tree["source"], m.tree["indices"][0]["from"]
    m.write_recipe()
    m.init()
    m.replay()
    assert titles(m) == {"1": "second"}
    assert set(m.dead_letters()[0].values()) == {"moves"}


def test_the_mapping_is_mended_and_copied_again(make):
    m = make([insert("1", "first")], documents(2), mapping={"dynamic": "strict", **TITLES})
    m.init()
    m.copy()
    m.tree["indices"][0]["mapping"] = {"dynamic": "strict", "properties": {**TITLES["properties"],
                                                                          "more": {"type": "keyword"}}}
    m.write_recipe()
    plan = m.run("plan", seconds=60).expect(0).json
    m.run("init", "--confirm", plan["fingerprint"], seconds=60).expect(0)
    assert "more" in m.target.mapping(m.new)["properties"]
    m.tree["indices"][0]["mapping"]["properties"]["title"] = {"type": "long"}
    m.write_recipe()
    plan = m.run("plan", seconds=60).expect(0).json
    check_error(m.run("init", "--confirm", plan["fingerprint"]), m.new, "Delete", code=REFUSED)

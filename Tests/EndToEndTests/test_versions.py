"""Versions of copied documents: however a number is spelled, whether there is one, and where it comes from."""
import json

import pytest

import texts
from binary import DONE, REFUSED, check_error
from test_errors import nothing_written

pytestmark = pytest.mark.embedded

# anything may stand in rev
FIELDS = {"title": {"type": "keyword"}, "rev": {"type": "keyword"}}


def insert(ident, title, within=None, **beside):
    """`within`: the rev of the message, as JSON text; None: it has none. `beside` stands beside the message."""
    message = f'{{"title": {json.dumps(title)}' + ("" if within is None else f', "rev": {within}') + "}"
    beside = "".join(f', "{name}": {value}' for name, value in beside.items())
    text = f'{{"command": "InsertMessageCommand", "id": "{ident}", "message": {message}{beside}}}'
    return ident.encode(), text.encode()


def delete(ident, **more):
    return ident.encode(), json.dumps({"command": "DeleteMessageCommand", "id": ident, **more}).encode()


def document(ident, rev=None, **metadata):
    return ident, metadata, '{"title": "copied"' + ("" if rev is None else f', "rev": {rev}') + "}"


@pytest.fixture
def make(migrate):
    """A migration whose source has `documents`: (id, metadata, text); versions are `field` unless said."""
    def make(documents, field="message.rev", source="es-6.8", records=(), committed=None, epoch=0, **sections):
        m = migrate(source, "es-8.17", partitions=1, mapping={"properties": FIELDS}, index={"transform": []},
                    **sections)
        m.tree["commands"].update(version={"field": field} if field else "offset", epoch=epoch)
        m.log.create(m.topic, 1)
        m.log.produce(m.topic, list(records))
        if committed is not None:
            m.tree["commands"]["application_group"] = f"app-{m.name}"
            m.log.commit(f"app-{m.name}", m.topic, {0: committed})
        old = m.source.version < (5, 0)
        m.source.create(m.old, {n: {"type": "string", "index": "not_analyzed"} for n in FIELDS} if old else FIELDS)
        m.source.bulk(m.old, [("index", *each) for each in documents])
        m.source.refresh(m.old)
        m.write_recipe()
        return m
    return make


def rail(m, verdict, name="copy_version"):
    result = m.run("plan", seconds=60).expect(REFUSED if verdict == "refused" else DONE)
    (found,) = [rail for rail in result.json["rails"] if rail["name"] == name]
    assert found["verdict"] == verdict, found
    return found["detail"]


def state(m):
    """id -> title and version of every document that is not deleted."""
    m.target.refresh(m.new)
    return {hit["_id"]: (hit["_source"]["title"], int(texts.plain(hit["_version"])))
            for hit in m.target.scroll(m.new, {"match_all": {}}) if "title" in hit["_source"]}


def letters(m):
    result = m.crossfade("dead-letters", "list", m.recipe, "--format", "json", seconds=60).expect(DONE)
    return {letter["key"]: letter for letter in result.json["letters"]}


NINE = ["9", "9.0", "90e-1", "0.9e1", "9E0", '"9"', '"9.0"', '"9e0"']


def test_every_spelling_is_the_number(make):
    """An older command must not overwrite a copied document, however its number is written."""
    large = "9007199254740993.0"
    m = make([document(f"d{n}", rev) for n, rev in enumerate(NINE)] + [document("large", large)])
    assert "all of 9 sampled documents" in rail(m, "ok")
    m.init()
    m.copy()
    copied = {f"d{n}": ("copied", 9) for n in range(len(NINE))}
    assert state(m) == {**copied, "large": ("copied", 9007199254740993)}
    m.log.produce(m.topic, [insert(f"d{n}", "older", rev) for n, rev in enumerate(["8", "5", "5.0", "8e0"] * 2)])
    m.log.produce(m.topic, [insert("large", "older", "9007199254740992.0")])
    m.replay()
    assert state(m) == {**copied, "large": ("copied", 9007199254740993)}
    newer = ["10", "1e1", "10.0", "100e-1", '"10"', '"10.0"', "0.1e2", "1.0E1"]
    m.log.produce(m.topic, [insert(f"d{n}", "newer", rev) for n, rev in enumerate(newer)])
    m.log.produce(m.topic, [insert("large", "newer", "9007199254740994")])
    m.replay()
    assert state(m) == {**{f"d{n}": ("newer", 10) for n in range(8)}, "large": ("newer", 9007199254740994)}
    assert m.dead_letters() == ({}, 0)


def test_the_floor_is_below_every_command_under_any_epoch(make):
    """Absent and null: there is no version. The epoch counts only where versions are offsets."""
    m = make([document("absent"), document("null", "null"), document("first"), document("none"),
              document("zero", "0"), document("nine", "9.0")], epoch=7)
    assert "4 of 6 sampled documents" in rail(m, "warn")
    m.init()
    m.copy()
    m.log.produce(m.topic, [insert("absent", "command", "5"), insert("null", "command", "5"),
                            insert("first", "command", "1"), insert("zero", "command", "1"),
                            insert("new", "command", "0"), insert("nine", "command", "5")])
    m.replay()
    assert state(m) == {"absent": ("command", 5), "null": ("command", 5), "first": ("command", 1),
                        "none": ("copied", 0), "zero": ("command", 1), "new": ("command", 0), "nine": ("copied", 9)}
    assert m.dead_letters() == ({}, 0)


UNREADABLE = ['"v7"', "9.5", "-1", "true", "[9]", '""', "9223372036854775808", '"9223372036854775808.0"']


def test_a_version_that_cannot_be_read_is_a_dead_letter(make):
    """Not the floor: any older command would overwrite the document. The copy goes on, and a redrive mends it."""
    m = make([document(f"bad{n}", rev) for n, rev in enumerate(UNREADABLE)]
             + [document(f"good{n}", "9") for n in range(20)])
    text = rail(m, "warn")
    assert "8 of 28 sampled documents" in text and "dead letters" in text, text
    m.init()
    summary = m.copy()
    assert summary["outcomes"]["dead_lettered"] == 8 and summary["outcomes"]["indexed"] == 20, summary
    good = {f"good{n}": ("copied", 9) for n in range(20)}
    assert state(m) == good
    found = letters(m)
    assert set(found) == {f"bad{n}" for n in range(8)}
    assert {(letter["reason"], letter["index"]) for letter in found.values()} == {("bad_version", m.old)}, found
    assert "v7" in found["bad0"]["detail"] and "rev" in found["bad0"]["detail"], found["bad0"]
    m.tree["copy"] = {"version": "floor"}
    m.tree["accept"] = [{"rail": "changed_form", "why": "what is there keeps its version"}]
    m.write_recipe()
    plan = m.run("plan", seconds=60).expect(DONE).json
    m.crossfade("dead-letters", "redrive", m.recipe, "--format", "json", "--confirm", plan["fingerprint"],
                seconds=60).expect(DONE)
    assert state(m) == {**good, **{f"bad{n}": ("copied", 0) for n in range(8)}}


def test_a_field_that_holds_no_version_at_all_is_refused(make):
    m = make([document(f"bad{n}", f'"2026-11-{n + 10}"') for n in range(4)])
    with nothing_written(m):
        text = rail(m, "refused")
    assert "4 of 4" in text and "copy.version: floor" in text, text


def test_a_field_that_no_document_has_is_said(make):
    m = make([document(f"d{n}") for n in range(4)])
    text = rail(m, "warn")
    assert "none of 4 sampled documents" in text and "every command overwrites" in text, text


# the source's own versions

def external(rev):
    return {"version": rev, "version_type": "external"}


@pytest.mark.parametrize("source", ["es-7.17", "es-1.7"])
def test_the_sources_own_versions(make, source):
    """An application that writes with external versions, and whose documents do not have them."""
    m = make([document(f"d{n}", **external(40 + n)) for n in range(8)], "rev", source,
             [insert(f"d{n}", "copied", rev=40 + n) for n in range(8)], committed=8)
    m.tree["copy"] = {"version": "source"}
    m.tree["replay"] = {"from": {"offsets": {"0": 8}}}
    m.write_recipe()
    assert "8 of 8 sampled documents" in rail(m, "ok")
    m.init()
    m.copy()
    copied = {f"d{n}": ("copied", 40 + n) for n in range(8)}
    assert state(m) == copied
    m.log.produce(m.topic, [insert("d0", "older", rev=39), delete("d1", rev=40), insert("d2", "newer", rev=43),
                            delete("d3", rev=44)])
    m.replay()
    del copied["d3"]
    assert state(m) == {**copied, "d2": ("newer", 43)}


def test_a_source_that_counts_by_itself_is_refused(make):
    """`_version` says how often the document was written, which must not be compared with the application's number."""
    m = make([document(f"d{n}") for n in range(8)], "rev", "es-7.17",
             [insert(f"d{n}", "copied", rev=40 + n) for n in range(8)], committed=8)
    m.tree["copy"] = {"version": "source"}
    m.write_recipe()
    with nothing_written(m):
        text = rail(m, "refused")
    assert "0 of 8" in text and "_version 1" in text and "says 40" in text and "offset 0" in text, text


def test_the_documents_themselves_tell_whether_the_numbers_agree(make):
    """The topic has nothing about them."""
    m = make([document(f"d{n}", str(40 + n), **(external(40 + n) if n else {})) for n in range(8)], "message.rev",
             "es-7.17")
    m.tree["copy"] = {"version": "source"}
    m.write_recipe()
    text = rail(m, "refused")
    assert "7 of 8" in text and "d0 has _version 1, and the document's own field says 40" in text, text


def test_source_versions_beside_offsets_are_a_fault_of_the_recipe(make):
    m = make([document("d0")], None)
    m.tree["copy"] = {"version": "source"}
    m.write_recipe()
    check_error(m.run("plan"), "copy.version is source", "offset", code=2)

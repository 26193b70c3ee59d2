"""Which side proves what: an old side that nobody writes any more proves nothing, and a repair follows the log."""
import json

import pytest

from binary import DIFFERS, FAILED, REFUSED, check_error
from test_identity import command, insert
from test_verify import applied, kinds, make, put, verify  # noqa: F401
from test_verify_repair import lose

pytestmark = pytest.mark.embedded

FIVE = [f"new-{n}" for n in range(5)]


def alive(m):
    m.target.refresh(m.new)
    hits = m.target.scroll(m.new, {"match_all": {}})
    return {hit["_id"] for hit in hits if "crossfade_deleted" not in hit["_source"]}


def stopped(make):  # noqa: F811
    """The application's indexer has stopped; five documents came after that."""
    m = make([(str(n), json.dumps({"title": f"first {n}"})) for n in range(8)],
             records=[insert(str(n), f"first {n}") for n in range(8)], verify={"settle": "4s"})
    m.log.produce(m.topic, [insert(ident, "new") for ident in FIVE])
    m.replay()
    return m


def test_an_old_indexer_that_has_stopped_condemns_nothing(make):  # noqa: F811
    m = stopped(make)
    whole = alive(m)
    assert set(FIVE) < whole
    for more in ([], ["--repair", "--yes"], ["--repair", "--yes", "--trust-source"]):
        receipt = verify(m, *more, code=FAILED)
        assert receipt["verdict"] == "settling" and receipt["totals"]["settling"] == 5, receipt["totals"]
    assert alive(m) == whole
    # what the log names is right; that a copied document is missing, it could not tell
    receipt = verify(m, "--against", "log", code=FAILED)
    assert receipt["verdict"] == "incomplete" and receipt["totals"]["equal"] == 13


def test_trust_source_where_retention_has_taken_what_the_old_side_never_applied(make):  # noqa: F811
    """No command is left that the old side would have to wait for: it looks as if it had applied everything."""
    m = stopped(make)
    whole = alive(m)
    m.log.truncate(m.topic, m.log.ends(m.topic))
    receipt = verify(m, "--repair", "--yes", code=DIFFERS)
    assert kinds(receipt) == [("extra", ident) for ident in FIVE]
    assert receipt["repair"]["totals"]["left"] == {"extra_not_proved": 5}
    assert any("never applied what lay between" in remark for remark in receipt["remarks"]), receipt["remarks"]
    check_error(m.run("verify", "--repair", "--yes", "--trust-source"), "--trust-source", "offset", "--against log",
                code=REFUSED)
    # an application whose group nobody knows, or that has lost its commits
    for group in ("nobody", None):
        m.tree["commands"]["application_group"] = group
        if group is None:
            del m.tree["commands"]["application_group"]
        m.write_recipe()
        m.run("init", "--confirm", m.run("plan").json["fingerprint"])
        check_error(m.run("verify", "--repair", "--trust-source"), "--trust-source", "group", code=REFUSED)
    assert alive(m) == whole


def test_a_dead_source(make):  # noqa: F811
    """The log alone repairs, and nothing is taken from what cannot be asked."""
    m = make([(str(n), json.dumps({"title": f"first {n}"})) for n in range(8)],
             records=[insert(str(n), f"first {n}") for n in range(8)] + [command("DeleteMessageCommand", "7")])
    m.tree["source"]["url"] = "http://127.0.0.1:1"
    m.write_recipe()
    check_error(m.run("verify"), "127.0.0.1:1", "--against log", code=FAILED, seconds=60)
    lose(m, "1")
    put(m, "2", '{"title": "spoiled"}')
    put(m, "7", '{"title": "first 7"}')
    m.target.refresh(m.new)
    receipt = verify(m, "--against", "log", code=DIFFERS)
    assert {ident for _, ident in kinds(receipt)} == {"1", "2", "7"}
    receipt = verify(m, "--against", "log", "--repair", "--yes", code=FAILED)
    assert (receipt["verdict"], receipt["totals"]["equal"], kinds(receipt)) == ("incomplete", 7, [])
    assert alive(m) == {str(n) for n in range(7)}
    # what only the old side knew, whole or in part, is not known from the log, and no repair touches it
    put(m, "copied", '{"title": "by the copy"}', version=1)
    put(m, "part", '{"title": "by the copy", "more": 1}', version=99)
    m.log.produce(m.topic, [command("UpdateMessageCommand", "part", message={"more": 1})])
    m.target.refresh(m.new)
    before = m.target.operations(m.new)
    receipt = verify(m, "--against", "log", "--repair", "--yes", code=FAILED)
    assert (receipt["verdict"], kinds(receipt)) == ("incomplete", [])
    assert any("of 2 documents the log does not say" in remark for remark in receipt["remarks"]), receipt["remarks"]
    assert m.target.operations(m.new) == before and {"copied", "part"} < alive(m)


@pytest.mark.parametrize("missing", ["ignore", None])
def test_a_part_of_a_removed_document_that_the_application_passes_over(make, missing):  # noqa: F811
    """Its update has got a 404, and it went on. Only the recipe can say so: a part is a document otherwise."""
    records = [insert("1", "one"), insert("2", "two"), command("DeleteMessageCommand", "1"),
               command("UpdateMessageCommand", "1", message={"more": 1}),
               command("UpdateMessageCommand", "never", message={"more": 1}),
               command("UpdateMessageCommand", "2", message={"more": 1})]
    m = make([("2", '{"title": "two", "more": 1}')], records=records, index={"missing": missing} if missing else {})
    if missing:
        assert verify(m)["verdict"] == "equal" and alive(m) == {"2"}
        assert m.replay()["outcomes"]["dead_lettered"] == 0 and alive(m) == {"2"}
        return
    receipt = verify(m, code=DIFFERS)
    assert kinds(receipt) == [("extra", "1"), ("extra", "never")] and alive(m) == {"1", "2", "never"}
    assert "missing" in {rail["name"] for rail in m.plan()["rails"]}
    told = verify(m, "--repair", code=DIFFERS)
    assert any("`missing: ignore`" in remark for remark in told["remarks"]), told["remarks"]

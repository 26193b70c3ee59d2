"""Receipts of verifications: their forms, the list of them, and whether they were changed. The documents are those of
test_visible.py: twenty, with one text each."""
import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from binary import DIFFERS, DONE, FAILED, INTERRUPTED, REFUSED, USAGE, check_error
from stack import wait_for
from test_errors import nobody
from test_identity import command, insert
from test_operations import status, where
from test_visible import fill, make, twenty, whole

assert make
pytestmark = pytest.mark.embedded
NASTY = "<b>\u001b[2J|`&\"'\u202e"


@pytest.fixture
def m(make):
    """A migration that is done, with one document whose id and text a terminal or a browser would obey."""
    return done(make)


def done(make, target="es-8.17", **verify):
    m = make([*twenty(), insert(NASTY, NASTY)], target=target, verify={"settle": "3s", "sample": 2, **verify})
    m.tree["verify"]["folder"] = str(m.crossfade.folder / "verify")
    m.write_recipe()
    fill(m)
    m.source.bulk(m.old, [("index", NASTY, {}, json.dumps({"title": NASTY}))])
    whole(m)
    return m


def verify(m, *more, code=DONE):
    return m.run("verify", *more).expect(code)


def receipts(m, command, *more, code=DONE):
    return m.crossfade("receipts", command, m.recipe, *more, "--format", "json").expect(code)


def change(m, document, change):
    """Changes a document of the state index by hand."""
    path = f"/.crossfade-{m.name}/_doc/{document}"
    source = m.target.get(path)["_source"]
    change(source)
    m.target.call("PUT", path, source)


def spoil(m):
    """Three documents of the new side are made wrong by hand."""
    found = {hit["_id"]: hit["_source"] for hit in m.target.scroll(m.new, {"match_all": {}})}
    for ident, text in (("3", "spoiled"), (NASTY, NASTY + "x")):
        m.target.bulk(m.new, [("index", ident, {}, json.dumps({**found[ident], "title": text}))])
    m.target.bulk(m.new, [("delete", "5", {}, None)])
    m.target.refresh(m.new)


def test_a_receipt_is_listed_shown_and_written_to_files(m):
    first = verify(m).json
    assert first["verdict"] == "equal" and first["next"] == []
    totals = first["totals"]
    assert totals["compared"] == totals["equal"] == 21
    spoil(m)
    folder = m.crossfade.folder
    second = verify(m, "--report", str(folder / "receipt.html"), code=DIFFERS).json
    totals = dict(second["totals"])
    assert (totals["missing"], totals["different"], totals["extra"]) == (1, 2, 0)
    assert totals.pop("compared") == sum(totals.values()) == 21, "the totals do not sum"
    assert second["next"] == [f"crossfade verify {m.recipe} --repair"]
    [changed] = [e for e in second["examples"] if e["id"] == "3"]
    assert changed["paths"] == [{"path": "title", "expected": '"first 3"', "found": '"spoiled"'}]
    # what is kept is what was printed
    listed = receipts(m, "list").json["receipts"]
    assert [(r["receipt"], r["verdict"], r["current"]) for r in listed] == [
        (second["receipt"], "different", True), (first["receipt"], "equal", True)]
    assert receipts(m, "show").json == second
    assert receipts(m, "show", first["receipt"]).json == first
    for form in ("json", "md", "html"):
        receipts(m, "show", "--report", str(folder / f"again.{form}"))
    assert json.loads((folder / "again.json").read_text()) == second
    assert (folder / "again.html").read_text() == (folder / "receipt.html").read_text()
    check_forms((folder / "again.html").read_text(), (folder / "again.md").read_text(),
                m.crossfade("receipts", "show", m.recipe).expect(DONE).out)
    named = [word for form in ("json", "md", "html") for word in ("--report", str(folder / f"again.{form}"))]
    checked = receipts(m, "check", *named, code=DIFFERS).json
    assert [r["receipt"] for r in checked["receipts"]] == [second["receipt"]], "only the receipt of the files"
    assert [(r["receipt"], r["intact"]) for r in checked["reports"]] == [(second["receipt"], True)] * 3
    receipts(m, "check", first["receipt"], *named, code=FAILED)
    for form in ("json", "md", "html"):
        edited = folder / f"again.{form}"
        edited.write_text(edited.read_text().replace("21", "22", 1))
        [report] = receipts(m, "check", "--report", str(edited), code=FAILED).json["reports"]
        assert not report["intact"] and report["trouble"].startswith("CHANGED: "), report
    status = m.status()
    assert status["receipt"]["receipt"] == second["receipt"] and status["receipt"]["age_seconds"] >= 0
    assert "verified different, " in m.crossfade("status", m.recipe).expect(DONE).out
    assert oct((folder / "receipt.html").stat().st_mode & 0o777) == "0o600"
    # `status --check` ended with 0, and said of an offset behind the end that the lag is 0
    watched = m.crossfade("status", m.recipe, "--check", "--format", "json").expect(FAILED).json
    words = f"the newest verification found documents wrong: receipt {second['receipt']}"
    assert words in watched["attention"] and not any(p["beyond_end"] for p in watched["partitions"]), watched
    end = m.log.ends(m.topic)[0]
    m.log.commit(m.group, m.topic, {0: end + 5})
    watched = m.status()
    words = f"partition 0: group {m.group} has committed offset {end + 5}, but the log ends at {end}. "
    assert any(line.startswith(words) for line in watched["attention"]), watched["attention"]
    assert watched["lag"] is None and watched["partitions"][0]["beyond_end"], watched["partitions"]
    assert f"committed {end + 5}, BEYOND THE END, end {end}" in m.crossfade("status", m.recipe).expect(DONE).out


def check_forms(html, markdown, text):
    """Nothing from outside is markup or moves a cursor."""
    for form in (html, markdown, text):
        assert "\u001b" not in form and "\u202e" not in form
        assert "\\u{1b}[2J" in form, "the document with the bad id is not shown"
    assert "<b>\\u" not in html and "&lt;b&gt;\\u{1b}[2J" in html
    tree = ElementTree.fromstring(re.sub(r"<meta[^>]*>|<!doctype html>|<style>.*?</style>", "", html, flags=re.S))
    assert tree.find(".//h1").text == "DIFFERENT"
    assert not list(tree.iter("script")) and "http://" not in re.sub(r"http://127\.0\.0\.1:\d+", "", html)


def test_a_changed_receipt_is_found(m):
    ident = verify(m).json["receipt"]
    assert receipts(m, "check").json["receipts"] == [
        {"receipt": ident, "intact": True, "trouble": None, "standing": "stands", "because": None,
         "foreign_writes": []}]

    # what the state says of it must be what it says itself
    state = m.target.get(f"/.crossfade-{m.name}/_doc/migration")["_source"]
    change(m, "migration", lambda source: source.update(
        receipts=source["receipts"].replace('"verdict":"equal"', '"verdict":"empty"')))
    assert "CHANGED" in receipts(m, "check", code=FAILED).json["receipts"][0]["trouble"]
    change(m, "migration", lambda source: source.update(state))

    def nicer(source):
        source["receipt"] = source["receipt"].replace('"compared":21', '"compared":22')
    before = m.target.get(f"/.crossfade-{m.name}/_doc/receipt-{ident}")["_source"]
    change(m, f"receipt-{ident}", nicer)
    [found] = receipts(m, "check", ident, code=FAILED).json["receipts"]
    assert not found["intact"] and "CHANGED" in found["trouble"]
    shown = receipts(m, "show", ident, code=FAILED)
    assert "CHANGED" in shown.err and "crossfade verify" in shown.err

    # a digest that fits does not help: the state has the true one
    change(m, f"receipt-{ident}", lambda source: source.update(before, digest="0" * 32))
    [found] = receipts(m, "check", code=FAILED).json["receipts"]
    assert "its digest" in found["trouble"]
    change(m, f"receipt-{ident}", lambda source: source.update(before))
    receipts(m, "check")
    m.target.call("DELETE", f"/.crossfade-{m.name}/_doc/receipt-{ident}")
    [found] = receipts(m, "check", code=FAILED).json["receipts"]
    assert "GONE" in found["trouble"]
    [found] = receipts(m, "check", "nonsense", code=FAILED).json["receipts"]
    assert "UNKNOWN" in found["trouble"]

    # `--since last` ended there, although an older one is good; and no later receipt made the check good again
    good, bad = (verify(m).json["receipt"] for _ in range(2))
    change(m, f"receipt-{bad}", nicer)
    again = verify(m, "--since", "last").json
    assert again["since"] == good and any(bad in remark for remark in again["remarks"]), again["remarks"]
    assert receipts(m, "check", "last").json["receipts"][0]["receipt"] == again["receipt"]
    checked = receipts(m, "check", code=FAILED)
    assert [r["intact"] for r in checked.json["receipts"]] == [True, False, True, False]
    assert "receipts check" in checked.err and " last" in checked.err


@pytest.mark.parametrize("target", ["es-8.17", "es-6.8", "os-3"])
def test_a_document_that_is_rewritten_by_hand_after_it_voids_a_receipt(make, target):
    m = done(make, target)
    verify(m)
    # what commands write is no harm, nor is a delete
    m.log.produce(m.topic, [insert("3", "second 3"), command("DeleteMessageCommand", "4")])
    m.replay()
    [found] = receipts(m, "check").json["receipts"]
    assert found["standing"] == "stands"
    write_by_hand(m, "7")
    [found] = receipts(m, "check", code=DIFFERS).json["receipts"]
    assert found["intact"] and found["standing"] == "void"
    [index] = found["foreign_writes"]
    assert (index["index"], index["documents"], index["unseen"]) == (m.new, 1, 0)
    assert [example["id"] for example in index["examples"]] == ["7"]
    assert "VOID: foreign writes" in m.crossfade("receipts", "check", m.recipe).expect(DIFFERS).out
    # other traffic does not make it stand again
    m.log.produce(m.topic, [insert("7", "second 7"), *[insert("8", f"again {n}") for n in range(20)]])
    m.replay()
    checked = receipts(m, "check", code=DIFFERS).json["receipts"][0]
    assert checked["standing"] == "void" and "1 document" in checked["because"]
    data = m.crossfade("status", m.recipe, "--format", "json").json
    assert any("proves nothing any more" in reason for reason in data["switch"]["reasons"]), data["switch"]
    check_error(m.run("verify", "--since", checked["receipt"]), "proves nothing any more", code=REFUSED)
    # a repair makes it right, and its receipt stands; then somebody deletes a document
    m.source.bulk(m.old, [("index", n, {}, json.dumps({"title": t}))
                          for n, t in (("3", "second 3"), ("7", "second 7"), ("8", "again 19"))])
    m.source.call("DELETE", f"/{m.old}/incident/4")
    m.source.refresh(m.old)
    m.log.commit(f"app-{m.name}", m.topic, {0: m.log.ends(m.topic)[0]})
    assert verify(m, "--repair", "--yes").json["verdict"] == "equal"
    assert receipts(m, "check").json["receipts"][0]["standing"] == "stands"
    m.target.call("DELETE", f"/{m.new}/_doc/5")
    [index] = receipts(m, "check", code=DIFFERS).json["receipts"][0]["foreign_writes"]
    assert (index["documents"], index["unseen"]) == (0, 1)


def write_by_hand(m, ident):
    kind = "_doc" if m.target.version >= (6, 2) else "doc"
    m.target.bulk(m.new, [("index", ident, {}, json.dumps({"title": "by hand"}))], kind)


def test_without_sequence_numbers_foreign_writes_cannot_be_looked_at(make):
    m = done(make, "es-5.6")
    verify(m)
    write_by_hand(m, "7")
    [found] = receipts(m, "check").json["receipts"]
    assert found["standing"] == "unknown" and "no sequence numbers" in found["because"]


def test_nothing_of_a_receipt_becomes_a_field(m):
    verify(m)
    mapping = m.target.get(f"/.crossfade-{m.name}/_mapping")[f".crossfade-{m.name}"]["mappings"]
    assert not mapping.get("properties"), mapping


def test_redacted_values_are_compared_and_never_shown(make):
    m = done(make, redact="title")
    spoil(m)
    page = m.crossfade.folder / "receipt.html"
    out = verify(m, "--report", str(page), code=DIFFERS)
    assert out.json["totals"]["different"] == 2
    [changed] = [e for e in out.json["examples"] if e["id"] == "3"]
    assert changed["paths"][0]["path"] == "title" and changed["paths"][0]["expected"] != changed["paths"][0]["found"]
    kept = json.dumps(m.target.get(f"/.crossfade-{m.name}/_search?size=100"))
    for text in (out.out, out.err, page.read_text(), kept):
        assert "spoiled" not in text and "first " not in text


def test_a_receipt_of_other_work_is_called_so(m):
    verify(m)
    m.tree["indices"][0]["transform"] = [{"remove": "nothing"}]
    m.tree["accept"] = [{"rail": "changed_form", "why": "no document has that field"}]
    m.write_recipe()
    fingerprint = m.run("plan").json["fingerprint"]
    m.run("replay", "--confirm", fingerprint).expect(DONE)
    [listed] = receipts(m, "list").json["receipts"]
    assert not listed["current"]
    assert "of other work than is confirmed now" in m.crossfade("receipts", "list", m.recipe).expect(DONE).out
    assert "OF OTHER WORK" in m.crossfade("status", m.recipe).expect(DONE).out


@pytest.mark.parametrize("more, says", [
    (["--yes"], "--repair"), (["--trust-source"], "--repair"), (["--stop-after", "0"], "--stop-after"),
    (["--rate", "fast"], "--rate"), (["--report", "receipt.pdf"], ".html, .md or .json"),
    (["--report", "/nowhere/receipt.html"], "no folder"), (["--against", "sorce"], "source"),
])
def test_what_makes_no_sense_is_refused_at_once(make, more, says):
    m = make(twenty())
    assert says in m.crossfade("verify", m.recipe, *more).expect(USAGE).err


def test_without_init_there_is_nothing_to_verify(make):
    m = make(twenty())
    fill(m)
    assert "not initialised" in verify(m, code=REFUSED).err
    assert "not initialised" in receipts(m, "list", code=REFUSED).err


def test_the_page_of_a_receipt(m, chromium, folder):
    spoil(m)
    page = m.crossfade.folder / "receipt.html"
    verify(m, "--report", str(page), code=DIFFERS)
    chromium.open(f"file://{page}")
    assert chromium.find("h1").text == "DIFFERENT"
    for width in (1100, 400):
        chromium.picture(folder / f"receipt-{width}.png", (width, 800), whole=True)
        assert chromium.run("return document.documentElement.scrollWidth") <= width, "it does not fit"
    chromium.picture(folder / "receipt-dark.png", (1100, 800), whole=True, prefers_color_scheme="dark")
    assert chromium.errors() == []


def test_status_says_when_to_verify_and_a_follower_shows_how_far_it_is(make):
    m = done(make)
    m.tree["operations"] = {"listen": nobody()}
    m.write_recipe()
    follow = m.start("follow")
    m.caught_up(follow)
    wait_for("the next command", lambda: m.status()["next"] == [f"crossfade verify {m.recipe}"])
    slow = m.start("verify", "--rate", "1/s")
    url = where(follow)

    def shown():
        assert slow.running, f"it ended\n{slow.result(slow.process.returncode)}"
        return status(url)["verification"]
    found = wait_for("its progress, on the follower's dashboard", shown, 60)
    assert [(part["name"], part["total"]) for part in found["parts"]] == [("old side", 21), ("new side", 21)]
    assert found["stage"] == "comparing"
    assert status(where(slow))["verification"]["stage"] == "comparing"
    slow.terminate().expect(INTERRUPTED)
    # it goes on where it was, at full speed
    assert verify(m).json["verdict"] == "equal"
    assert m.status()["next"] == [f"crossfade rollover {m.recipe}"]
    m.stop(follow)

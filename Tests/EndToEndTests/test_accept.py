"""A way past every rail: a refusal that is right in this case is accepted in the recipe, with the reason."""
import re

import pytest

from binary import DONE, REFUSED, USAGE, check_error
from proxy import Proxy
from test_errors import nothing_written
from test_identity import commands, documents, fill, make  # noqa: F401

pytestmark = pytest.mark.embedded

LINE = 'write in the recipe: `accept: [{ rail: identity, why: "..." }]`'
WHY = "no command writes what was routed"
ACCEPTED = [{"rail": "identity", "why": WHY}]


def accept(m, *accepted):
    m.tree["accept"] = list(accepted)
    m.write_recipe()


def rails(plan, name="identity"):
    return [rail for rail in plan["rails"] if rail["name"] == name]


def routed(m):
    """Ids of the target's documents with their routing, wherever they are."""
    m.target.refresh(m.new)
    return sorted((hit["_id"], hit.get("_routing")) for hit in m.target.scroll(m.new, {"match_all": {}}))


EXPECTED = [(str(n), "org0") for n in range(8)]


def test_accepted_refusal_is_a_warning_and_is_shown_everywhere(make):  # noqa: F811
    """An archive with routing that no command touches: the refusal is wrong about it."""
    m = make([], documents(routing="org0"))
    with nothing_written(m):
        plan = m.run("plan").expect(REFUSED).json
    assert [rail["detail"].endswith(LINE) for rail in rails(plan) if rail["verdict"] == "refused"] == [True], plan
    accept(m, *ACCEPTED)
    accepted = m.init()
    assert accepted["fingerprint"] != plan["fingerprint"], "what is accepted is part of the fingerprint"
    rail = rails(accepted)[0]
    assert (rail["verdict"], rail["accepted"]) == ("warn", WHY) and rail["detail"].startswith("accepted: "), rail
    assert WHY in rail["detail"] and "org0" in rail["detail"], rail
    assert accepted["accepted"] == [{"rail": "identity", "why": WHY, "needed": True}]
    text = m.crossfade("plan", m.recipe).expect(DONE).out
    assert "warn     identity: accepted: 8 of 8" in text and WHY in text, text
    for step in ("copy", "replay"):
        result = m.run(step).expect(DONE)
        assert result.summary["accepted"] == ACCEPTED
        assert "a refusal is accepted" in result.err and WHY in result.err, result
    assert routed(m) == EXPECTED
    assert m.status()["accepted"] == ACCEPTED
    assert f"accepted identity: {WHY}" in m.crossfade("status", m.recipe).out
    purged = m.run("purge").expect(DONE)
    assert purged.json["accepted"] == ACCEPTED, purged
    accept(m, {"rail": "identity", "why": "the same in other words"})
    assert m.plan()["fingerprint"] == accepted["fingerprint"], "the words are for people"
    accept(m)
    for step in ("copy", "replay"):
        check_error(m.run(step), "identity", LINE, code=REFUSED)


class SampleSeesNoRouting(Proxy):
    """A source whose sample has missed the documents with routing: only the copy sees them."""

    def handle(self, handler, body):
        status, headers, answer = handler.ask(body)
        if "scroll" not in handler.path:
            answer = re.sub(rb',"_routing":"org0"', b"", answer)
        handler.answer(status, headers, answer)


def test_running_copy_that_refuses_goes_on_once_it_is_accepted(make):  # noqa: F811
    """The line that the refusal names is added to the running migration, and confirmed with the same command."""
    m = make([], documents(20) + documents(20, start=20, routing="org0"), copy={"slices": 1, "page": 4})
    with SampleSeesNoRouting(m.source.url) as proxy:
        m.tree["source"] = {"url": proxy.url}
        m.write_recipe()
        before = m.init()["fingerprint"]
        stopped = check_error(m.run("copy"), "org0", "accept: [{ rail: identity", code=REFUSED)
        assert m.status()["phase"] == "copy_interrupted", stopped
        accept(m, *ACCEPTED)
        asked = m.run("copy").expect(REFUSED)
        assert 'recipe.accept: was absent, is ["identity"]' in asked.err, asked
        fingerprint = re.search(r"--confirm ([0-9a-f]{32})", asked.err)[1]
        assert fingerprint not in (before, None)
        summary = m.run("copy", "--confirm", fingerprint).expect(DONE).summary
        assert m.status()["phase"] == "copied"
    assert summary["accepted"] == ACCEPTED and summary["complete"] and summary["outcomes"]["dead_lettered"] == 0
    assert routed(m) == sorted((str(n), "org0" if n >= 20 else None) for n in range(40))


def test_what_is_accepted_and_refuses_nothing_is_said(make):  # noqa: F811
    m = make(commands(), documents(), committed=8)
    accept(m, *ACCEPTED)
    assert m.plan()["accepted"] == [{"rail": "identity", "why": WHY, "needed": False}]
    assert "refuses nothing at present" in m.crossfade("plan", m.recipe).out


def test_what_cannot_be_accepted(make):  # noqa: F811
    """Every mistake with its place and the nearest word; a rail that compares facts says why it stays."""
    m = make(commands(), documents(), committed=8)
    accept(m, {"rail": "identiti", "why": "x"}, {"rail": "log_identity", "why": "x"}, {"rail": "identity", "why": " "},
           {"rail": "identity"})
    result = m.crossfade("recipe", "check", m.recipe).expect(USAGE)
    lines = m.recipe.read_text().splitlines()
    at = next(n for n, line in enumerate(lines, 1) if "identiti" in line)
    for place, words in ((f"{at}:11", 'did you mean "identity"'), (f"{at + 2}:11", "it is another log than"),
                         (f"{at + 5}:10", "says nothing"), (f"{at + 6}:5", "needs why")):
        assert any(f":{place}: error" in line and words in line for line in result.err.splitlines()), (place, result)


def test_a_refusal_about_facts_stays(make):  # noqa: F811
    m = make(commands(), documents(), committed=8)
    m.target.create(m.new, {"title": {"type": "keyword"}})
    m.target.bulk(m.new, [("index", "theirs", {}, '{"title":"somebody else"}')])
    m.target.refresh(m.new)
    accept(m, *ACCEPTED)
    plan = m.run("plan").expect(REFUSED).json
    detail = next(rail["detail"] for rail in plan["rails"] if rail["name"] == "target_content")
    assert "accept" not in detail, detail

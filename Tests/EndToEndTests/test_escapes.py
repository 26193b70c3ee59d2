"""What others chose reaches no terminal as it is: every command, while records, letters, state documents and the
answers of both clusters are full of what a terminal would obey. The commands are those of `--help`, so a new one is
tried, too."""
import concurrent.futures
import json
import re

import pytest

from embedded import EmbeddedStack
from proxy import Proxy
from stack import wait_for
from test_command_line import run as at_the_shell
from test_identity import command, insert
from test_visible import fill, make, whole

assert make
pytestmark = pytest.mark.embedded
# clears the screen, rings, begins a line of its own, turns the text round
NASTY = "\u001b[2J\u0007\r\nFORGED \u007f\u009b\u061c\u200f\u2028\u202e\u2066<b>"
ESCAPED = {"text": "\\u{1b}", "json": "\\u001b"}
HIDDEN = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# words behind a command, where a recipe alone is not enough; {}: the recipe
WORDS = {
    "init": "{} --confirm 0123456789abcdef", "run": "{} --until copied", "try": "{} --records samples.jsonl",
    "dead-letters list": "{} --all", "dead-letters show": "{} 0:20", "dead-letters discard": "{} --why because",
    "completions": "bash", "verify": "{} --report receipt.html", "recipe schema": "", "man": "", "version": "",
}
# prints the same whatever it is asked for
NO_JSON = {"completions", "recipe schema", "man"}
LOOKS = {"plan", "status", "history", "dead-letters", "recipe", "receipts", "try", "completions", "man", "version"}
MENDS = {"dead-letters discard", "dead-letters redrive"}
# shows nothing from outside: it starts its own servers, with its own documents
ALONE = {"demo"}


def commands():
    """The names of all commands that people are told of, in their order there: what lists comes before what mends."""
    text = at_the_shell("--help", COLUMNS="200").stdout
    listed = text[text.index("\nCommands:\n"):].split("\n\n")[0].splitlines()[2:]
    found = [re.match(r"  ([a-z][a-z -]*[a-z])(?: [A-Z\[]|  |$)", line) for line in listed]
    names = {match[1] for match in found if match} - ALONE
    assert {"plan", "follow", "status", "dead-letters show", "receipts check", "version"} <= names, listed
    return [match[1] for match in found if match and match[1] in names]


def harmless(text, about):
    """Nothing that a terminal obeys, and no line that somebody else began."""
    found = HIDDEN.search(text)
    assert not found, f"{text[max(0, found.start() - 80):found.end() + 20]!r}\n{about}"
    assert not re.search("^FORGED", text, re.M), f"a line was forged\n{about}"


def said(m, name, *more):
    """What a command says; one that would go on is stopped as soon as it works."""
    words = WORDS.get(name, "{}").format(m.recipe).split()
    process = m.crossfade.start(*name.split(), *words, *more)
    wait_for(f"{name} to end, or to work", lambda: not process.running
             or "partitions assigned" in process.err_file.read_text(errors="replace"), 60, pause=0.02)
    result = process.terminate()
    harmless(result.out, result)
    harmless(result.err, result)
    return result


class Poisoned(Proxy):
    """A cluster whose answers hold what a terminal would obey."""
    mode = "clean"

    def handle(self, handler, body):
        status, headers, data = handler.ask(body)
        is_about_us = handler.path == "/" or "/.crossfade-" in handler.path
        # the answer to a HEAD says nothing
        if self.mode == "refuses" and not is_about_us and handler.command != "HEAD":
            reason = {"type": "some_exception" + NASTY, "reason": NASTY}
            status, data = 400, json.dumps({"error": {"root_cause": [reason], **reason}, "status": 400}).encode()
        elif self.mode == "is_no_cluster":
            status, data = 200, NASTY.encode() + b"\xff\x9b"
        elif self.mode == "state" and "/.crossfade-" in handler.path and data[:1] == b"{":
            data = json.dumps(spoil(json.loads(data), lambda key: key in FREE)).encode()
        elif self.mode == "everything" and data[:1] == b"{":
            data = json.dumps(spoil(json.loads(data), lambda key: True)).encode()
        handler.answer(status, headers, data)


# what a state document says in words
FREE = {"user", "host", "detail", "command", "version", "why", "words", "program", "recipe", "text", "note"}


def spoil(value, chosen, key=None):
    if isinstance(value, dict):
        return {name: spoil(each, chosen, name) for name, each in value.items()}
    if isinstance(value, list):
        return [spoil(each, chosen, key) for each in value]
    if not isinstance(value, str):
        return value
    # histories, receipts and reports of members are JSON texts in a document
    if value[:1] in ("{", "[") and not chosen(key):
        return json.dumps(spoil(json.loads(value), chosen))
    return value + NASTY if chosen(key) else value


@pytest.fixture(scope="session")
def stack():
    """What is shown does not depend on the server, and those of the binary are quick."""
    servers = EmbeddedStack()
    yield servers
    servers.close()


@pytest.fixture(scope="session")
def log(stack):
    return stack.log()


@pytest.fixture
def m(make):
    """A migration that is done, with documents, dead letters, a receipt and a history; and the clusters in between."""
    records = [*(insert(str(n), f"first {n}") for n in range(20)), command(f"Other{NASTY}", NASTY),
               insert(NASTY, NASTY), (b"\xff\x9b" + NASTY.encode(), b"{\x9b" + NASTY.encode())]
    m = make(records, verify={"settle": "3s", "sample": 2}, replay={"from": "beginning"})
    m.tree["verify"]["folder"] = str(m.crossfade.folder / "verify")
    m.proxies = [Poisoned(m.source.url), Poisoned(m.target.url)]
    m.tree["source"], m.tree["target"] = ({"url": proxy.url} for proxy in m.proxies)
    m.write_recipe()
    fill(m)
    m.source.bulk(m.old, [("index", NASTY, {}, json.dumps({"title": NASTY}))])
    (m.crossfade.folder / "samples.jsonl").write_text("".join(value.decode() + "\n" for _, value in records[:-1]))
    whole(m)
    yield m
    for proxy in m.proxies:
        proxy.__exit__()


def test_no_command_shows_what_a_terminal_would_obey(m):
    shown = {}
    for mode in ("clean", "state", "everything", "refuses", "is_no_cluster"):
        for proxy in m.proxies:
            proxy.mode = mode
        # a terminal would obey what is meant for programs, too
        form = "json" if mode == "clean" else "text"
        everything = commands()
        # what only looks first, beside each other; what works would stand in another's way
        looks = [name for name in everything if name.split()[0] in LOOKS and name not in MENDS]
        with concurrent.futures.ThreadPoolExecutor(4) as beside:
            results = list(zip(looks, beside.map(lambda name: said(m, name, "--format", form), looks)))
        results += [(name, said(m, name, "--format", form)) for name in everything if name not in looks]
        for name, result in results:
            if form == "json" and name not in NO_JSON:
                assert [json.loads(line) for line in result.out.splitlines()], result
            if ESCAPED[form] in result.out + result.err:
                shown.setdefault(mode, set()).add(name)
    # it was there to be seen
    letters = {"dead-letters list", "dead-letters show", "try"}
    assert letters <= shown["clean"] and letters | {"history"} <= shown["state"], shown
    assert {"plan", "init", "copy", "replay", "follow", "status", "verify", "rollover"} <= shown["refuses"], shown

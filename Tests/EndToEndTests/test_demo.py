"""`crossfade demo`: the whole story with the broker and the nodes inside the program; needs no server.

All runs go on beside each other, because each mostly waits.
"""
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import uuid

import pytest

from binary import command_line
from rest import Cluster
from stack import wait_for

SHORT = ("--duration", "6", "--rate", "120")
# Reads a document of the new index, changes one byte of its title, and writes it again under its own version.
FLIP = r"""
import json, os, urllib.request
def call(path, body, kind="application/json"):
    request = urllib.request.Request(os.environ["NEW"] + path, body.encode(), {"Content-Type": kind})
    return json.load(urllib.request.urlopen(request))
index = os.environ["INDEX"]
call(f"/{index}/_refresh", "")
query = {"size": 1, "version": True, "query": {"bool": {"must": [{"exists": {"field": "title"}}]}}}
hit = call(f"/{index}/_search", json.dumps(query))["hits"]["hits"][0]
source = hit["_source"]
source["title"] = chr(ord(source["title"][0]) ^ 1) + source["title"][1:]
action = {"index": {"_index": index, "_type": hit["_type"], "_id": hit["_id"], "version": hit["_version"],
                    "version_type": "external_gte"}}
answer = call("/_bulk", json.dumps(action) + "\n" + json.dumps(source) + "\n", "application/x-ndjson")
assert not answer["errors"], answer
open(os.environ["FLIPPED"], "w").write(hit["_id"])
"""


class Demo:
    """One run, with a folder for temporary files and a mark by which its processes are found."""

    def __init__(self, folder, *arguments, env=None):
        self.folder = pathlib.Path(folder)
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir(parents=True)
        self.mark = f"CROSSFADE_DEMO_TEST={uuid.uuid4()}"
        name, value = self.mark.split("=")
        self.out, self.err = self.folder / "out", self.folder / "err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [*command_line(), "demo", *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder,
                start_new_session=True, env={**os.environ, "TMPDIR": str(self.temporary), name: value, **(env or {})})

    @property
    def said(self):
        return self.out.read_text()

    def __str__(self):
        return f"--- stdout\n{self.said[-4000:]}\n--- stderr\n{self.err.read_text()[-3000:]}"

    def wait(self, seconds=240):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s\n{self}") from None

    def until(self, text, seconds=240):
        def there():
            assert self.process.poll() is None or text in self.said, f"ended without {text!r}\n{self}"
            return text in self.said
        wait_for(f"the demo to say {text!r}", there, seconds)

    def processes(self):
        """The ids of all processes of this run, the demo itself and whatever it started."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and self.mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def left_nothing(self):
        assert self.processes() == [], self
        assert list(self.temporary.iterdir()) == [], self

    def close(self):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


@pytest.fixture(scope="module")
def demos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    flip = folder / "flip.py"
    flip.write_text(FLIP)
    hook = {"CROSSFADE_DEMO_HOOK": f"{shlex.quote(sys.executable)} {shlex.quote(str(flip))}",
            "FLIPPED": str(folder / "flipped")}
    runs = {}
    try:
        runs["one"] = Demo(folder / "one", "--format", "json", "--seed", "4", *SHORT)
        runs["two"] = Demo(folder / "two", "--format", "json", "--seed", "4", *SHORT)
        runs["flipped"] = Demo(folder / "flip", *SHORT, env=hook)
        runs["kept"] = Demo(folder / "kept", "--keep", *SHORT)
        runs["broken_off"] = Demo(folder / "broken-off", *SHORT)
        runs["bereft"] = Demo(folder / "bereft", *SHORT)
        yield runs
    finally:
        for run in runs.values():
            run.close()


def test_broken_off_it_leaves_nothing(demos):
    demo = demos["broken_off"]
    demo.until("crossfade follow")
    assert len(demo.processes()) >= 2, demo
    demo.process.send_signal(signal.SIGINT)
    assert demo.wait(30) == 130, demo
    demo.left_nothing()


def test_a_follower_that_somebody_else_kills(demos):
    demo = demos["bereft"]
    demo.until("crossfade follow")
    [follower] = [pid for pid in demo.processes() if b"\0follow\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(follower, signal.SIGKILL)
    assert demo.wait(60) == 1, demo
    said = demo.err.read_text()
    assert re.search(r"follow alerts\.yaml was killed by signal 9, and not by the demo", said), demo
    assert said.endswith("Everything is tidied up; the demo can be started again.\n"), demo
    demo.left_nothing()


def test_a_seed_repeats_the_receipt(demos):
    receipts = []
    for name in ("one", "two"):
        demo = demos[name]
        assert demo.wait() == 0, demo
        demo.left_nothing()
        assert len(demo.said.splitlines()) == 1, demo
        receipts.append(json.loads(demo.said))
    timing = [receipt.pop("timing") for receipt in receipts]
    assert receipts[0] == receipts[1]
    receipt = receipts[0]
    assert receipt["passed"] is True and receipt["differences"] == 0 and receipt["examples"] == []
    commands = receipt["commands"]
    assert commands["written"] == 3500 + 6 * 120 == sum(n for kind, n in commands.items() if kind != "written")
    documents = receipt["documents"]
    assert documents["compared"] == documents["old"] > 1000
    assert documents["compared"] <= commands["insert"]
    assert receipt["dead_letters"] == commands["broken"] > 0
    assert receipt["cutover"] == {"searched_old": True, "searched_new": True, "wrong": 0}
    # this is why anybody moves
    assert receipt["fields"]["old"] > 1000 > 50 > receipt["fields"]["new"]
    assert "Limit of total fields [1000]" in receipt["refused_as_they_are"]
    assert all(t["largest_lag"] > 0 and t["recovery_seconds"] > 0 for t in timing), timing


def test_a_flipped_byte_is_found(demos):
    demo = demos["flipped"]
    assert demo.wait() == 4, demo
    changed = pathlib.Path(demo.folder.parent / "flipped").read_text()
    assert re.search(r"differences +1\b", demo.said), demo
    assert f"{changed} is different: title" in demo.said, demo
    demo.left_nothing()


def test_kept_it_goes_on_until_ctrl_c(demos):
    demo = demos["kept"]
    demo.until("Ctrl-C ends it")
    assert re.search(r"differences +0\b", demo.said), demo
    folder = pathlib.Path(re.search(r"^ +cd (\S+)$", demo.said, re.M)[1])
    assert len(demo.processes()) == 2, demo

    def lag():
        status = subprocess.run([*command_line(), "status", "alerts.yaml", "--format", "json"], cwd=folder,
                                capture_output=True, timeout=60)
        assert status.returncode == 0, status
        return json.loads(status.stdout)

    end = sum(p["end"] for p in lag()["partitions"])
    # the writer goes on, and the follower after it
    wait_for("more to be applied", lambda: sum(p["committed"] for p in lag()["partitions"]) > end, 60)
    demo.process.send_signal(signal.SIGINT)
    assert demo.wait(30) == 0, demo
    demo.left_nothing()


def test_on_real_servers(stack, log, tmp_path):
    old, new = (Cluster(stack.start(name)) for name in ("es-1.7", "es-6.8"))
    name = f"t{uuid.uuid4().hex[:8]}"
    servers = ("--kafka", log.bootstrap, "--old", old.url, "--new", new.url, "--name", name)
    before = topics(log), indices(old), indices(new)
    topic = log.create(f"alert-commands-{name}", 1)
    demo = Demo(tmp_path / "refused", *servers, *SHORT)
    try:
        assert demo.wait(60) == 3 and topic in demo.err.read_text(), demo
        assert topic in log.topics()
    finally:
        demo.close()
    log.delete(topic)
    demo = Demo(tmp_path / "real", *servers, *SHORT, "--format", "json")
    try:
        assert demo.wait() == 0, demo
        assert json.loads(demo.said)["differences"] == 0, demo
        demo.left_nothing()
    finally:
        demo.close()
    wait_for("the topics to be gone", lambda: not [t for t in log.topics() if name in t], 30)
    assert (topics(log), indices(old), indices(new)) == before, demo
    assert not [group for group in log.groups() if name in group]


def indices(cluster):
    return sorted(cluster.call("GET", "/_cluster/state/metadata")["metadata"]["indices"])


def topics(log):
    """All but those that the brokers make for themselves."""
    return {topic for topic in log.topics() if not topic.startswith("__")}

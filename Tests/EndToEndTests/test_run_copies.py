"""`run` without a command topic: copies until little is left, and ready once nobody writes to the old side."""
import signal
import threading

import pytest

from alone import alone, held, remove, titles, write
from binary import DIFFERS, DONE, INTERRUPTED, REFUSED, USAGE
from stack import wait_for
from test_cases import LONG_AGO, documents
from test_cutover import failed, rollover
from test_run import fingerprint, marks, said

SINCE = {"since": {"field": "changed", "margin": "1ms"}}


class Writer(threading.Thread):
    """Changes a document of the old side now and then."""

    def __init__(self, m, number=40):
        super().__init__(daemon=True)
        self.m, self.number, self.asked, self.written = m, number, threading.Event(), 0

    def run(self):
        while not self.asked.wait(0.2):
            write(self.m, documents(self.written % self.number, text=f"change {self.written}"))
            self.written += 1

    def stop(self):
        self.asked.set()
        self.join(30)


@pytest.fixture
def writers():
    made = []
    yield made
    for writer in made:
        writer.stop()


def same(m):
    m.source.refresh(m.old)
    found = m.source.call("POST", f"/{m.old}/_search", {"size": 1000})["hits"]["hits"]
    return titles(m) == {hit["_id"]: hit["_source"]["title"] for hit in found}


def test_the_whole_way_while_somebody_writes(migrate, writers):
    m = alone(migrate, "es-6.8", "es-8.17", copy=SINCE)
    write(m, documents(*range(40), changed=LONG_AGO))
    m.run("run", "--until", "replayed", "--confirm", fingerprint(m)).expect(USAGE)
    m.run("run", "--until-below", "0").expect(USAGE)
    writers.append(Writer(m))
    writers[0].start()
    # killed when it has made the index, in its first copy and in a delta; the same command goes on
    confirm = ["--confirm", fingerprint(m)]
    for step in ("init", "copy", "delta"):
        run = m.start("run", "--until", "rolled-over", "--until-below", "30", *confirm)
        said(run, "a step begins", f"step={step}")
        run.kill()
        if m.new in m.target.indices():
            confirm = []
    run = m.start("run", "--until", "rolled-over", "--until-below", "30", *confirm)
    said(run, "a step is done", "step=delta")
    # as long as somebody writes, no reader is moved
    assert run.running and not m.target.call("GET", f"/_alias/{m.alias}", missing_ok=True)
    writers[0].stop()
    result = run.wait(120).expect(DONE).json
    assert result["end"] == "reached" and result["position"] == "rolled_over" and result["next"] == [], result
    assert marks(result) == {step: "done" for step in ("plan", "init", "copy", "delta", "verify", "rollover")}, result
    assert same(m) and writers[0].written > 0
    assert set(m.target.call("GET", f"/_alias/{m.alias}")) == {m.new}


def test_a_write_that_nothing_brings_is_a_gate(migrate):
    """Without commands nothing sees what is written to the old side after the last copy."""
    m = alone(migrate, "es-6.8", "es-8.17", copy=SINCE)
    write(m, documents(*range(10), changed=LONG_AGO))
    assert m.run("run", "--until", "verified", "--confirm", fingerprint(m)).expect(DONE).json["receipt"]
    write(m, documents(3, 4, text="late"))
    remove(m, "5")
    told = rollover(m, code=REFUSED)
    assert failed(told) == {"source_writes"}, told
    (gate,) = [gate for gate in told["gates"] if gate["gate"] == "source_writes"]
    assert "3 writes to the old side since receipt" in gate["text"] and "copy" in gate["mend"], gate
    # a copy alone proves nothing, and finds no deletes
    m.run("copy", "--since", "last").expect(DONE)
    found = m.run("run", "--until", "verified").expect(DIFFERS).json
    assert [(one["kind"], one["id"]) for one in found["examples"]] == [("extra", "5")], found
    m.run("verify", "--repair", "--trust-source", "--yes").expect(DONE)
    run = m.start("run")
    said(run, "ready for the rollover")
    result = run.terminate().expect(DONE).json
    assert result["end"] == "stopped" and result["complete"], result
    assert rollover(m)["position"] == "rolled_over"
    assert m.run("run").expect(DONE).json["position"] == "rolled_over"
    assert held(m)["3"]["title"] == "late 3" and "5" not in held(m)


def test_before_6_counters_of_the_shards_tell_it(migrate, stack):
    m = alone(migrate, "es-1.7", "es-6.8")
    write(m, documents(*range(10), changed=LONG_AGO))
    m.run("run", "--until", "verified", "--confirm", fingerprint(m)).expect(DONE)
    assert failed(rollover(m, "--dry-run")) == set()
    write(m, documents(3, changed=LONG_AGO))
    assert failed(rollover(m, "--dry-run", code=REFUSED)) == {"source_writes"}
    # the recipe does not say how to find what changed
    refused = m.run("run").expect(REFUSED)
    assert "1 write to" in refused.err and "copy.since" in refused.err and "crossfade copy" in refused.err
    m.copy()
    run = m.start("run")
    said(run, "ready for the rollover")
    run.process.send_signal(signal.SIGTERM)
    assert run.wait(60).expect(DONE, INTERRUPTED).json["complete"]
    assert same(m)

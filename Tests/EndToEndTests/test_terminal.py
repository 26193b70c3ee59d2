"""What a person at a terminal sees: the truth, and what to do, in the same words everywhere."""
import os
import pty
import re
import select
import subprocess
import time

import pytest

from binary import DONE, FAILED, REFUSED, check_error, command_line
from stack import wait_for
from workload import Workload


@pytest.fixture
def m(migrate, seed):
    """A small migration, its index not made yet."""
    return migrate("es-1.7", "es-6.8", Workload(seed, 400, 80, 20), copied=1.0, partitions=2).prepare()


def following(m, *more):
    m.init()
    m.copy()
    m.replay()
    follow = m.start("follow", *more)
    m.caught_up(follow)
    return follow


def progress(run):
    """Of each progress line its lag and what it waits for."""
    return re.findall(r"info progress .* lag=(\S+) .* waiting=(.*)", run.err_file.read_text())


def test_a_broker_that_is_gone_is_said_within_seconds(m, stack):
    """And the lag is unknown then: it was 0, and nothing waited."""
    follow = following(m)
    stack.kill("kafka-4.1")
    try:
        wait_for("a line that says so", lambda: [w for _, w in progress(follow) if "no broker answers" in w], 15)
    finally:
        stack.start("kafka-4.1")
    lag = next(lag for lag, waiting in progress(follow) if "no broker answers" in waiting)
    assert lag == "unknown"
    wait_for("a line that says that it is over", lambda: progress(follow)[-1] == ("0", "no"), 60)
    m.stop(follow)


def status(m, *more, code=DONE):
    """As data, and as text."""
    text = m.crossfade("status", m.recipe, *more, seconds=60).expect(code).out
    return m.run("status", *more, seconds=60).expect(code).json, text


def test_status_from_the_plan_to_an_index_that_is_gone(m):
    m.log.produce(m.topic, [(b"odd", b'{"command":"Nonsense","id":"odd"}')])
    data, text = status(m)
    assert data["phase"] == "planned" and data["next"] == [f"crossfade plan {m.recipe}"], data
    assert text.startswith(f"migration {m.name}: planned, not initialised\nready to switch: no, because it is not "
                           f"initialised")
    follow = following(m)
    wait_for("it to say which partitions it has", lambda: all(p["member"] for p in m.status()["partitions"]), 30)
    data, text = status(m)
    assert data["phase"] == "following" and data["lag"] == 0, data
    assert data["dead_letters"] == {"topic": f"{m.topic}-dead", "unresolved": 1, "gone": 0,
                                    "by_reason": {"unknown_operation": 1}}
    assert data["switch"] == {"ready": False, "reasons": ["1 dead letter unresolved"]}
    assert {p["member"] for p in data["partitions"]} == {each["member"] for each in data["members"]}
    assert re.search(r"partition 1: committed \d+, end \d+, held by \S+ process \d+", text)
    m.stop(follow)
    said = follow.err_file.read_text()
    assert re.search(r"^draining, at most \d+ s; again to stop at once$", said, re.M), said
    data, text = status(m)
    assert data["phase"] == "stopped" and "nobody follows" in data["attention"], data
    assert text.startswith(f"migration {m.name}: nobody follows\n"), text
    assert data["next"] == [f"crossfade follow {m.recipe}", f"crossfade dead-letters list {m.recipe}"]
    status(m, "--check", code=FAILED)

    m.target.call("POST", f"/{m.new}/_close")
    data, text = status(m)
    assert data["indices"][0]["closed"] and data["indices"][0]["documents"] is None
    assert f"INDEX    {m.new} IS CLOSED" in text and f"the target index {m.new} is closed" in data["attention"]
    refused = m.run("copy", seconds=60)
    check_error(refused, m.new, "closed", code=REFUSED, seconds=60)
    assert "privilege" not in refused.err
    m.target.call("DELETE", f"/{m.new}")
    data, text = status(m)
    assert f"INDEX    {m.new} IS GONE" in text and f"the target index {m.new} is gone" in data["switch"]["reasons"]
    assert data["next"][0].startswith(f"crossfade init {m.recipe} --confirm ")


def test_status_after_a_replay_and_watched(m):
    """A replay that is done does not go on; the watch takes the screen and gives it back."""
    m.init()
    assert m.copy()["next"] == [f"crossfade replay {m.recipe}"]
    assert m.replay()["next"] == [f"crossfade follow {m.recipe}"]
    assert m.crossfade("replay", m.recipe).expect(DONE).out.endswith(f"\nnext: crossfade follow {m.recipe}\n")
    data, text = status(m)
    assert (data["phase"], data["recorded_phase"]) == ("replayed", "replaying") and "replay   done" in text
    watched = m.start("status", "--watch")
    wait_for("two of them", lambda: watched.out_file.read_text().count(f'"migration":"{m.name}"') > 1, 60)
    assert watched.terminate(30).code == 130

    screen, terminal = pty.openpty()
    run = subprocess.Popen([*command_line(), "status", str(m.recipe), "--watch"], stdin=terminal, stdout=terminal,
                           stderr=terminal)
    os.close(terminal)
    said = read_until(screen, b"ready to switch: no")
    assert b"\x1b[?1049h" in said and f"migration {m.name}".encode() in said
    os.write(screen, b"q")
    assert b"\x1b[?1049l" in read_until(screen, b"\x1b[?1049l") and run.wait(30) == DONE
    os.close(screen)


def test_run_shows_its_steps_below_the_log(m):
    """What is done and what comes next stays at the end of the terminal, and is taken away before the result."""
    confirm = m.plan()["fingerprint"]
    screen, terminal = pty.openpty()
    run = subprocess.Popen([*command_line(), "run", str(m.recipe), "--until", "replayed", "--confirm", confirm],
                           stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    said = read_until(screen, b"next: crossfade run", 120)
    assert run.wait(30) == DONE
    os.close(screen)
    frames, result = said.split(b"run reached: replayed")
    assert f"crossfade run {m.name}, until replayed".encode() in frames and b"  next  replay" in frames
    assert frames.endswith(b"\x1b[J"), frames[-200:]
    assert re.search(rb"  done  copy +\d+ read: ", result) and b"\x1b" not in result, result


def read_until(screen, wanted, seconds=60):
    said, end = b"", time.monotonic() + seconds
    while wanted not in said:
        assert time.monotonic() < end, f"waited in vain for {wanted}: {said[-2000:]}"
        if select.select([screen], [], [], 0.2)[0]:
            try:
                said += os.read(screen, 65536)
            except OSError:
                break
    return said

"""`run`: the whole way in one command, while commands keep coming; killed, stopped and refused on the way."""
import itertools
import signal

import pytest

import texts
from binary import DIFFERS, DONE, INTERRUPTED, REFUSED, USAGE, check_error
from live_indexer import LiveIndexer
from log import Writer
from model import Model
from stack import wait_for
from test_cutover import behind
from workload import Workload


@pytest.fixture
def scene(migrate, seed):
    """An application with a topic, an indexer and an alias; the recipe is written, and nothing else is done."""
    made = []

    def make(commands=6000, ids=4000, rate=40, **sections):
        m = migrate("es-6.8", "es-8.17", Workload(seed, commands, ids, 300), copied=0.5,
                    kafka={"session.timeout.ms": 6000, "heartbeat.interval.ms": 500}, **sections)
        m.alias = f"readers-{m.name}"
        m.tree["indices"][0]["alias"] = m.alias
        m.tree["commands"]["application_group"] = f"app-{m.name}"
        m.tree["verify"] = {"settle": "30s", "folder": str(m.crossfade.folder / "verify")}
        m.tree["cutover"] = {"parity_age": "40s"}
        m.prepare()
        ends, model = m.log.ends(m.topic), Model()
        m.log.commit(f"app-{m.name}", m.topic, ends)
        for _, _, key, value, *_ in m.log.read(m.topic):
            model.apply(key, value)
        m.indexer = LiveIndexer(m.log, m.topic, f"app-{m.name}", m.source, m.old, ends, model, seed)
        # the same commands over and over: it never ends by itself
        m.writer = Writer(m.log, m.topic, itertools.cycle(m.records[m.split:]), rate=rate)
        made.append(m)
        return m
    yield make
    for m in made:
        if m.indexer.is_alive():
            m.indexer.stop()


def fingerprint(m):
    return m.run("plan").expect(DONE).json["fingerprint"]


def said(run, *words, times=1, seconds=180):
    """Waits until a line of the log has all `words` for the n-th time; the run must not end before."""
    def there():
        lines = [line for line in run.err_file.read_text(errors="replace").splitlines()
                 if all(word in line for word in words)]
        if len(lines) >= times:
            return True
        assert run.running, f"it ended without {words}\n{run.result(run.process.returncode)}"
        return False
    wait_for(f"the run to say {words}", there, seconds, pause=0.05)


def marks(result):
    return {step["step"]: step["mark"] for step in result["steps"]}


def test_the_whole_way_while_commands_come(scene):
    m = scene()
    run = m.crossfade("run", m.recipe, "--format", "json")
    check_error(run, "nothing was confirmed", "--confirm", code=USAGE, seconds=60)
    assert m.new not in m.target.indices()
    m.run("run", "--confirm", "0000000000000000").expect(REFUSED)
    assert m.new not in m.target.indices()

    m.indexer.start()
    m.writer.start()
    run = m.start("run", "--confirm", fingerprint(m))
    said(run, "ready for the rollover")
    # somebody else moves the readers; the run goes on following
    assert m.run("rollover").expect(DONE).json["moved"] and behind(m).keys() == {m.new}
    assert m.status()["next"] == []
    m.writer.stop()
    wait_for("the follower to apply the rest", lambda: m.lag() == 0, 120)
    assert run.running
    result = run.terminate().expect(DONE).json
    assert result["end"] == "stopped" and result["complete"] and result["position"] == "rolled_over", result
    assert set(marks(result).values()) == {"done"}, result
    m.check()
    history = [event["what"] for event in m.run("history").expect(DONE).json["events"]]
    order = ["init", "copy_begun", "copy_finished", "replay_begun", "replay_finished", "follow_begun", "verified",
             "rolled_over", "follow_stopped"]
    at = [history.index(what) for what in order]
    assert at == sorted(at), history


def test_killed_in_every_step_it_goes_on(scene):
    """kill -9 just when a step has begun; the same command, without a confirmation, goes on where the state says."""
    m = scene(copy={"slices": 4, "page": 100, "rate": "2000/s"})
    m.indexer.start()
    m.writer.start()
    confirm = ["--confirm", fingerprint(m)]
    for step in ("init", "copy", "replay", "follow", "verify"):
        run = m.start("run", "--until", "rolled-over", *confirm)
        said(run, "a step begins", f"step={step}")
        run.kill()
        if m.new in m.target.indices():
            confirm = []
    run = m.start("run", "--until", "rolled-over", *confirm)
    said(run, "a step is done", "step=rollover")
    assert behind(m).keys() == {m.new}
    # who rolls back decides when readers move again
    m.writer.stop()
    wait_for("the follower to apply the rest", lambda: m.lag() == 0, 120)
    m.run("rollback", "--accept-loss", "--readers-moved").expect(DONE)
    said(run, "step=verify", "a step is done", times=2)
    assert behind(m).keys() == set()
    result = run.terminate().expect(DONE).json
    assert marks(result)["init"] == marks(result)["copy"] == "done" and result["position"] == "rolled_back", result
    m.check()
    history = [event["what"] for event in m.run("history").expect(DONE).json["events"]]
    assert history.count("init") <= 1 and history.count("rolled_over") == 1, history


def test_phases_a_stop_and_what_is_wrong(scene):
    m = scene(copy={"slices": 2, "page": 50, "rate": "150/s"})
    result = m.run("run", "--until", "initialised", "--confirm", fingerprint(m)).expect(DONE).json
    assert result["end"] == "reached" and marks(result) == {"plan": "done", "init": "done"}
    run = m.start("run", "--until", "copied")
    said(run, "a step begins", "step=copy")

    def some():
        m.target.refresh(m.new)
        return m.target.count(m.new) > 0
    wait_for("some copied documents", some, 60)
    run.process.send_signal(signal.SIGTERM)
    result = run.wait(60).expect(INTERRUPTED).json
    assert result["end"] == "stopped" and not result["complete"], result
    m.write_recipe(copy={"slices": 2, "page": 500})
    assert marks(m.run("run", "--until", "copied").expect(DONE).json)["copy"] == "done"
    assert m.run("run", "--until", "copied").expect(DONE).json["end"] == "reached"
    m.run("run", "--until", "replayed").expect(DONE)
    m.indexer.start()
    ident = next(m.target.scroll(m.new, {"match_all": {}}))["_id"]
    version = m.target.get(f"/{m.new}/_doc/{ident}")["_version"]
    m.target.call("PUT", f"/{m.new}/_doc/{ident}?version={version}&version_type=external_gte",
                  texts.render({"title": "spoiled"}))
    found = m.run("run").expect(DIFFERS).json
    assert found["verdict"] == "different" and [one["id"] for one in found["examples"]] == [ident], found
    m.run("verify", "--repair", "--yes").expect(DONE, DIFFERS)
    result = m.run("run", "--until", "verified").expect(DONE).json
    assert result["end"] == "reached" and marks(result)["verify"] == "done", result

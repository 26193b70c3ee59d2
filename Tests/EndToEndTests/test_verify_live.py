"""`verify` while the application writes: never a false equal, never a false different."""
import random

import pytest

import texts
from binary import DIFFERS, DONE, FAILED
from live_indexer import LiveIndexer
from log import Writer
from model import Model
from stack import wait_for
from workload import Workload


@pytest.fixture
def live(migrate):
    """A migration whose topic is written, whose old indexer runs, and which is followed."""
    made = []

    def make(seed, commands=20_000, ids=3000, rate=500, source="es-6.8", target="es-8.17"):
        m = migrate(source, target, Workload(seed, commands, ids, 500), copied=0.3)
        m.tree["commands"]["application_group"] = f"app-{m.name}"
        m.tree["verify"] = {"settle": "20s", "folder": str(m.crossfade.folder / "verify"), "slices": 4}
        m.prepare()
        applied = m.log.ends(m.topic)
        m.log.commit(f"app-{m.name}", m.topic, applied)
        m.init()
        m.copy()
        m.follow = m.start("follow")
        m.follow.assigned()
        # What was written before is applied: a later damage is not mended by it.
        wait_for("the follower to apply the first part", lambda: m.lag() == 0, 120)
        m.old_model = Model()
        for _, _, key, value, *_ in m.log.read(m.topic):
            m.old_model.apply(key, value)
        m.indexer = LiveIndexer(m.log, m.topic, f"app-{m.name}", m.source, m.old, applied, m.old_model, seed)
        m.before = sorted(m.old_model.documents)
        m.indexer.start()
        m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=rate)
        m.writer.start()
        made.append(m)
        return m

    yield make
    for m in made:
        m.indexer.stop()


def seeds(seed, count):
    numbers = random.Random(seed)
    return [numbers.randrange(1 << 32) for _ in range(count)]


@pytest.mark.parametrize("number", range(2))
def test_no_false_verdict_while_commands_come(live, seed, number):
    m = live(seeds(seed, 2)[number])
    runs = 0
    while m.writer.is_alive() and runs < 4:
        receipt = m.run("verify", seconds=120).expect(DONE, FAILED).json
        assert receipt["verdict"] in ("equal", "settling"), receipt
        assert receipt["totals"]["settling"] <= receipt["totals"]["compared"] / 100, receipt["totals"]
        stands(m, receipt)
        runs += 1
    assert runs >= 1
    m.writer.stop()
    receipt = m.run("verify", seconds=120).expect(DONE).json
    assert receipt["verdict"] == "equal" and receipt["totals"]["settling"] == 0
    assert receipt["totals"]["compared"] == len(m.truth().expected)
    stands(m, receipt)


def stands(m, receipt):
    """Nobody but Crossfade has written since, however many commands have come."""
    checked = m.crossfade("receipts", "check", m.recipe, receipt["receipt"], "--format", "json").expect(DONE).json
    assert checked["receipts"][0]["standing"] == "stands", checked


@pytest.mark.parametrize("number", range(2))
def test_damage_is_found_while_commands_come(live, seed, number):
    """Documents that nobody writes again are damaged on the new side; exactly these are found."""
    m = live(seeds(seed + 1, 2)[number], ids=6000)
    choice = random.Random(seed)
    later = {Model().decoder.decode(*record)[1] for record in m.records[m.split:]}
    quiet = sorted(set(m.before) - later)
    chosen = choice.sample(quiet, min(12, len(quiet)))
    assert len(chosen) >= 3, "the workload leaves no document alone"
    lost, changed = chosen[:len(chosen) // 2], chosen[len(chosen) // 2:]
    for ident in lost:
        m.target.call("DELETE", f"/{m.new}/_doc/{ident}")
    for ident in changed:
        version = m.target.get(f"/{m.new}/_doc/{ident}")["_version"]
        text = texts.render({"title": "spoiled"})
        m.target.call("PUT", f"/{m.new}/_doc/{ident}?version={version}&version_type=external_gte", text)
    m.target.refresh(m.new)
    receipt = m.run("verify", seconds=120).expect(DIFFERS).json
    found = {(one["kind"], one["id"]) for one in receipt["examples"]}
    assert {ident for kind, ident in found if kind == "missing"} == set(lost)
    assert {ident for kind, ident in found if kind in ("different", "stale")} == set(changed)
    m.writer.stop()


def test_an_indexer_that_stands_still_is_named(live, seed):
    m = live(seed, commands=4000)
    m.indexer.held.set()
    m.writer.finish()
    wait_for("the follower to catch up", lambda: m.lag() == 0, 60)
    receipt = m.run("verify", seconds=120).expect(FAILED).json
    assert receipt["verdict"] == "settling"
    assert any("application's group stands at" in remark for remark in receipt["remarks"]), receipt["remarks"]
    m.indexer.held.clear()
    receipt = m.run("verify", seconds=120).expect(DONE).json
    assert receipt["verdict"] == "equal"

"""kill -9 in the middle of the work; after a restart the end state is the same."""
import random

import pytest

from log import Writer
from stack import wait_for
from workload import Workload

pytestmark = pytest.mark.embedded

COMMANDS, IDS = 60_000, 20_000


def test_killed_copy_goes_on(migrate, seed):
    """Slows the work down, so that there is a middle, until nothing more is killed."""
    m = migrate("es-6.8", "es-8.17", Workload(seed, COMMANDS, IDS, 2000))
    m.prepare()
    m.write_recipe(copy={"slices": 8, "page": 500, "rate": "500/s"})
    m.init()
    chance = random.Random(seed)
    for _ in range(2):
        before = m.target.count(m.new)
        run = m.start("copy")

        def some():
            assert run.running, f"copy ended before it could be killed\n{run.result(run.process.returncode)}"
            m.target.refresh(m.new)
            return m.target.count(m.new) > before + chance.randrange(100, 2000)
        wait_for("some copied documents", some, 120, pause=0.05)
        run.kill()
        m.target.refresh(m.new)
        assert m.target.count(m.new) < m.old_documents, "the copy was over before it was killed"
    m.write_recipe(copy={"slices": 8, "page": 500})
    m.copy()
    m.target.refresh(m.new)
    assert m.target.count(m.new) == m.old_documents
    m.replay()
    m.follow_rest()
    m.check()


def test_killed_follow_goes_on(migrate, seed):
    # the group waits for a killed member until its session ends
    m = migrate("es-6.8", "es-8.17", Workload(seed, COMMANDS, IDS, 2000, malformed=20), copied=0.3,
                kafka={"session.timeout.ms": 6000, "heartbeat.interval.ms": 500})
    m.prepare()
    m.init()
    m.copy()
    m.replay()
    m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=2500, hold=0)
    m.writer.start()
    chance = random.Random(seed)
    for _ in range(4):
        # so many for each that is killed, however slow the machine is; they touch more documents than it may write
        m.writer.hold += 10_000
        aim = m.target.operations(m.new) + chance.randrange(1, 4000)
        follow = m.start("follow")

        def some():
            assert follow.running, f"follow ended\n{follow.result(follow.process.returncode)}"
            return m.target.operations(m.new) >= aim
        wait_for("some writes of follow", some, 60, pause=0.02)
        follow.kill()
    m.writer.hurry()
    follow = m.start("follow")
    m.writer.finish()
    m.caught_up(follow)
    m.stop(follow)
    truth = m.check()
    letters, _ = m.dead_letters()
    # a crash may repeat a dead letter, but must not lose one
    assert len(letters) == truth.model.counts["reject"] == 20

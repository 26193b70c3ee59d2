"""What a person at a terminal sees: the truth, and what to do, in the same words everywhere."""
import re

import pytest

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

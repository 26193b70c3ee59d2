"""Answers that are lost, cut, wrong or refusals: made by the fault proxy, in the copy, the replay and follow."""
from collections import Counter

from binary import REFUSED
from log import Writer
from suite import cell
from workload import Workload

SHORT, LONG = {"commands": 3000}, {"commands": 250_000}


def through(make, size, *rules, workload=None, **options):
    """The whole migration under the rules; `rules`: (kind, chance, options)."""
    commands = size["commands"]
    m = make(workload or Workload(make.seed, commands, commands // 4, 1000, malformed=10), copied=0.6, **options)
    m.prepare()
    m.init()
    for kind, chance, more in rules:
        m.proxy.rule(kind, chance, **more)
    m.copy()
    m.replay()
    follow = m.start("follow")
    m.rest()
    m.caught_up(follow, seconds=300)
    m.stop(follow)
    truth = m.judge()
    m.faults_done(*dict.fromkeys(kind for kind, *_ in rules))
    m.letters(truth.model.counts["reject"])
    return m


@cell("answer dropped after it was applied", SHORT, LONG)
def dropped(make, size):
    m = through(make, size, ("drop", 0.25, {}))
    assert m.report.outcomes["stale"], "what was applied unseen must come back as stale"


@cell("answer cut in the middle", SHORT, LONG)
def cut(make, size):
    through(make, size, ("cut", 0.25, {}))


@cell("answer not JSON, an item missing, one too many, one without status", SHORT, LONG)
def wrong(make, size):
    through(make, size, *((kind, 0.1, {}) for kind in ("text", "fewer", "more", "unsaid")))


@cell("429 for 30 % of the items", SHORT, LONG)
def throttled(make, size):
    through(make, size, ("items", 1.0, {"share": 0.3, "status": 429}))


@cell("503 for 30 % of the items", SHORT, LONG)
def unavailable_items(make, size):
    through(make, size, ("items", 1.0, {"share": 0.3, "status": 503}))


@cell("429, 502 and 503 for whole requests", SHORT, LONG)
def refused_requests(make, size):
    through(make, size, *(("status", 0.12, {"status": status}) for status in (429, 502, 503)), ("lost", 0.1, {}))


@cell("413 for one request in four", SHORT, LONG)
def too_large_at_random(make, size):
    """A balancer's 413 says nothing of a single document: only a request of one is final, and there is none at
    random."""
    m = make(Workload(make.seed, size["commands"], size["commands"] // 4, 1000), copied=0.6)
    m.prepare()
    m.init()
    m.proxy.rule("status", 0.25, status=413, holding=lambda path, body: body.count(b"\n") > 40)
    m.copy()
    m.replay()
    follow = m.start("follow")
    m.rest()
    m.caught_up(follow, seconds=180)
    m.stop(follow)
    m.judge()
    m.faults_done("status")
    m.letters(0)


@cell("slow and fast requests overtake each other", {"commands": 4000, "seconds": 3},
      {"commands": 250_000, "seconds": 40})
def overtaken(make, size):
    """Commands of few ids in many concurrent requests: the last command of the log must win."""
    m = make(Workload(make.seed, size["commands"], 40, 200), copied=0.2, limits={"in_flight": 8}).ready()
    m.proxy.rule("delay", 0.4, seconds=0.2)
    follow = m.start("follow")
    follow.assigned()
    m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=size["commands"] / size["seconds"])
    m.writer.start()
    m.writer.finish()
    m.caught_up(follow, seconds=300)
    m.stop(follow)
    m.judge()
    m.faults_done("delay")


@cell("409 storm", SHORT, LONG)
def conflicts(make, size):
    """Everything again and again, by several at once: all stale, nothing written twice but tombstones over
    themselves."""
    m = make(Workload(make.seed, size["commands"], size["commands"] // 4, 1000), copied=1.0).ready()
    before = m.snapshot()
    runs = [m.start("replay") for _ in range(2)] + [m.start("copy")]
    counts = Counter()
    ended = [run.wait(300) for run in runs]
    # One replay at a time: the second one says who is at it, unless the first had ended by then.
    over = [result for result in ended[:2] if result.code == REFUSED]
    assert len(over) < 2 and all("runs already" in result.err for result in over), [str(result) for result in over]
    for result in ended:
        if result not in over:
            counts.update(m.take(result)["outcomes"])
    assert not counts["indexed"] and not counts["merged"], counts
    # the second replay starts where the first one is by then, if it looks late
    assert counts["stale"] > size["commands"] // (1 + len(over)), counts
    assert m.snapshot() == before
    m.judge()

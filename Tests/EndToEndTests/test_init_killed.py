"""`init` is killed before and after each of its requests that change something: the next one finishes, or undoes."""
import json

import pytest

from alone import alone
from binary import DONE
from stack import wait_for
from test_cutover import Kills

VERSION = {"version_type": "external", "version": 10}


@pytest.mark.parametrize("adopts", [False, True])
def test_init_killed_between_any_two_requests(migrate, adopts):
    m = alone(migrate, "es-8.17", "es-8.17", cutover={"writers": "index"}, copy={"version": "source"})
    lines = [("index", str(n), VERSION, json.dumps({"title": f"title {n}"})) for n in range(20)]
    m.source.bulk(m.old, lines)
    m.source.refresh(m.old)
    if adopts:
        m.target.call("PUT", f"/{m.new}", {
            "settings": {"number_of_replicas": 0}, "mappings": {"properties": {"title": {"type": "keyword"}}}})
        m.target.bulk(m.new, lines)
        m.target.refresh(m.new)
    more = ["--adopt"] if adopts else []
    before = m.target.indices()
    with Kills(m.target.url) as kills:
        through = m.through(target=kills.url)
        killed = 0
        for first in (True, False):
            for number in range(1, 20):
                plan = m.run("plan", *more).expect(DONE).json
                process = m.crossfade.start(
                    "init", through, "--confirm", plan["fingerprint"], "--format", "json", *more)
                kills.left, kills.before, kills.victim = number, first, process.kill
                wait_for("the process ends", lambda: not process.running, 60)
                kills.victim = None
                if kills.left > 0:
                    break
                killed += 1
                m.status()
                # the next one finishes, and another one has nothing to do
                for _ in range(2):
                    told = m.run("init", "--confirm", m.run("plan", *more).json["fingerprint"], *more).expect(DONE)
                assert m.new in m.target.indices(), told
                assert f"{m.new}-crossfade-read" in m.target.call("GET", f"/{m.new}/_alias")[m.new]["aliases"]
                assert m.target.count(m.new) == (20 if adopts else 0)
                m.run("cancel", "--yes").expect(DONE)
                assert m.target.indices() == before, f"left after {number}"
    assert killed >= 4, killed

"""The dashboard of the built binary in a real migration, from the copy to lag 0, in one open page."""
import re
import subprocess

import pytest

import test_deploy
from browser import LIVE, PHONE
from log import Writer
from stack import wait_for
from test_errors import nobody
from test_operations import get, status, where
from workload import Workload

COMMANDS, IDS, MALFORMED = 24_000, 4_000, 5
PHASE = "document.querySelector('.step[aria-current=step] span')?.textContent"
# what the page has shown without being asked
WATCH = f"""
window.phases = []; window.lags = []; window.copied = [];
new MutationObserver(() => {{
  const phase = {PHASE}, lag = document.getElementById('lag').textContent;
  const copied = document.getElementById('copy').textContent;
  if (phase && phases.at(-1) !== phase) phases.push(phase);
  if (lags.at(-1) !== lag) lags.push(lag);
  if (copies.at(-1) !== copied) copies.push(copied);
}}).observe(document.body, {{ subtree: true, childList: true, characterData: true, attributes: true }});
""".replace("window.copied", "window.copies")


def outcomes_shown(chromium):
    return chromium.run("""
        const number = (dd) => Number(dd.textContent.replaceAll(',', ''));
        const shown = [...document.querySelectorAll('#outcomes dt')]
            .map((dt) => [dt.textContent.replace('-', '_'), number(dt.nextSibling)]);
        return Object.fromEntries(shown)""")


def families(page):
    """Names of all families of a /metrics page, with the labels that any of their samples has."""
    found = {name: set() for name in re.findall(r"^# TYPE (\S+)", page, re.M)}
    for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? ", page, re.M):
        family = name if name in found else re.sub(r"_(bucket|sum|count)$", "", name)
        found[family] |= set(re.findall(r'(\w+)="', labels))
    return found


def every_metric_named_in_deploy_is_exported(url):
    page, named = get(url, "/metrics")[1], test_deploy.metrics_named()
    exported = families(page)
    missing = {name: place for name, place in named.items()
               if name not in exported and re.sub(r"_(bucket|sum|count)$", "", name) not in exported}
    assert len(named) >= 18 and missing == {}, missing
    labels = set().union(*(exported.get(name) or exported.get(re.sub(r"_(bucket|sum|count)$", "", name), set())
                           for name in named))
    assert test_deploy.labels_named() <= labels, test_deploy.labels_named() - labels
    said = subprocess.run([test_deploy.PROMTOOL, "check", "metrics"], input=page, capture_output=True, text=True)
    assert said.returncode == 0 and not said.stderr.strip(), said.stderr


@pytest.mark.embedded
def test_a_migration_is_seen_from_the_copy_to_lag_0(migrate, chromium, seed):
    m = migrate("es-1.7", "es-6.8", Workload(seed, COMMANDS, IDS, 2_000, MALFORMED), copied=0.5,
                operations={"listen": nobody()}, copy={"rate": "700/s"})
    m.prepare()
    m.init()

    # the copy, slow enough to be watched
    copy = m.start("copy")
    url = where(copy)
    chromium.open(url)
    chromium.until("the first status", LIVE)
    chromium.run(WATCH)
    assert chromium.text("name") == m.name
    for ident, side in (("source", "source"), ("target", "target")):
        said = status(url)[side]
        assert chromium.text(ident) == f"{said['product']} {said['version']}"
    chromium.until("the copy's figure", "return copies.some((text) => text.endsWith('%'))")
    assert chromium.errors() == []
    copy.wait(120).expect(0)
    chromium.until("the copy's end",
                   "return document.getElementById('cut').textContent.startsWith('The process ended at')")

    # the replay has the same address; it may be over before the page tries again
    m.replay()

    # follow: the page finds it by itself
    follow = m.start("follow")
    assert where(follow) == url
    follow.assigned()
    chromium.until("the stream's return", LIVE, 60)
    m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=1500)
    m.writer.start()
    chromium.until("lag", "return lags.some((text) => Number(text.replaceAll(',', '')) > 0)", 60)
    chromium.until("records", "return /^[1-9]/.test(document.getElementById('rate').textContent)")
    m.writer.finish()
    m.caught_up(follow)
    chromium.until("lag 0", "return document.getElementById('lag').textContent === '0'")
    chromium.until("that the copy is no longer in the way", "return document.getElementById('copy-card').hidden")
    phases = chromium.run("return phases")
    order = ["created", "copying", "copied", "replaying", "following"]
    assert phases[-1] == "following" and "copying" in phases and phases == sorted(phases, key=order.index), phases

    # every number on the page equals the number that the process reports
    def the_same():
        said = status(url)
        return said["in_flight"] == 0 and outcomes_shown(chromium) == said["outcomes"] and said
    said = wait_for("the outcomes on the page", the_same)
    assert sum(said["outcomes"].values()) == said["read"]
    assert f"{said['read']:,} read" in chromium.text("rate-under")
    assert chromium.run("return document.querySelectorAll('#cells li').length") == m.partitions
    assert chromium.run("return document.querySelector('#chart-lag path:not(.area)').getAttribute('d')").count("L") > 3
    assert chromium.run("return document.querySelectorAll('#chart-hist rect').length") > 0
    assert f"{m.new}" in chromium.until("the target's indices",
                                        "return document.querySelector('#indices tbody')?.textContent", 60)
    assert chromium.errors_but_of("events") == []

    every_metric_named_in_deploy_is_exported(url)

    # the numbers fit on a phone
    chromium.look(PHONE)
    chromium.until("the phone",
                   f"return innerWidth === {PHONE[0]} && document.documentElement.scrollWidth === {PHONE[0]}")
    chromium.look()

    # a crash looks like a cut connection, and the next start like a return
    follow.kill()
    chromium.until("the cut", "return document.getElementById('cut').textContent.startsWith('Disconnected since')")
    again = m.start("follow")
    assert where(again) == url
    chromium.until("the return", LIVE, 60)
    m.stop(again)
    chromium.until("the end", "return document.getElementById('cut').textContent.startsWith('The process ended at')")
    assert chromium.errors_but_of("events") == []
    m.check()

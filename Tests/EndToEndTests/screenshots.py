"""The dashboard's pictures in docs/, of a migration that really runs: see scripts/screenshots."""
import itertools
import os
import pathlib
import shutil
import sys
import tempfile
import time

import recipes
import stack as stack_module
from browser import DESKTOP, LIVE, PHONE, Browser
from embedded import EmbeddedStack
from log import Writer
from migration import Migration
from test_errors import nobody
from test_operations import where
from workload import Workload

BACKLOG, IDS, SEED = 150_000, 50_000, 20261128


def say(text):
    print(f"screenshots: {text}", file=sys.stderr, flush=True)


def named(m):
    """The migration with the names that a user would give it."""
    m.name, m.topic, m.old, m.new = "incidents", "incident-commands", "incidents", "incidents-v2"
    m.group = "crossfade-incidents"
    m.tree["name"], m.tree["commands"]["topic"] = m.name, m.topic
    m.tree["dead_letters"]["topic"] = f"{m.topic}-dead"
    m.tree["indices"][0].update({"from": m.old, "to": m.new})
    m.write_recipe = lambda: setattr(m, "recipe", recipes.write(m.tree, m.crossfade.folder / "incidents.yaml"))
    return m


def wait(seconds):
    """The charts need time to have something to show."""
    time.sleep(seconds)


def main(folder):
    folder = pathlib.Path(folder).resolve()
    work = pathlib.Path(tempfile.mkdtemp(prefix="crossfade-screenshots-"))
    os.environ["CROSSFADE_E2E_DIR"] = str(work)
    # the commands to type name the recipe as it was typed
    os.chdir(work)
    servers = stack_module.Stack() if stack_module.program() else EmbeddedStack()
    browser, m = Browser(), None
    try:
        say(f"servers from {stack_module.program() or 'the binary'}")
        records = list(Workload(SEED, BACKLOG + 150_000, IDS, odd_keys=False))
        m = named(Migration(work, servers.log(), servers.start("es-1.7"), servers.start("es-6.8"), records, copied=0.2,
                            operations={"listen": nobody()}))
        m.prepare()
        m.recipe = pathlib.Path("incidents.yaml")
        m.init()
        say("copy and replay")
        m.copy()
        m.replay()
        rest = itertools.islice(m.records, m.split, None)
        m.log.produce(m.topic, itertools.islice(rest, BACKLOG))
        say("follow, with a backlog")
        follow = m.start("follow")
        browser.open(where(follow), DESKTOP, prefers_color_scheme="dark")
        browser.until("the first status", LIVE)
        follow.assigned()
        number = "Number(document.getElementById('lag').textContent.replaceAll(',', ''))"
        browser.until("the backlog", f"return {number} > {BACKLOG // 2}", 60)
        browser.until("half of it", f"return {number} < {BACKLOG // 2}", 300)
        browser.picture(folder / "dashboard-dark.png", DESKTOP, whole=True, prefers_color_scheme="dark")
        browser.look(DESKTOP)
        browser.until("lag 0", f"return {number} === 0", 300)
        say("a writer at changing speed")
        for rate, seconds in ((500, 20), (2500, 12), (800, 15), (4000, 8), (600, 20)):
            writer = Writer(m.log, m.topic, list(itertools.islice(rest, rate * seconds)), rate=rate)
            writer.start()
            writer.finish()
        m.caught_up(follow)
        browser.until("lag 0", f"return {number} === 0", 60)
        wait(3)
        browser.picture(folder / "dashboard-light.png", DESKTOP, whole=True, prefers_color_scheme="light")
        browser.picture(folder / "dashboard-phone.png", (PHONE[0], 1160), prefers_color_scheme="light")
        m.stop(follow)
    finally:
        browser.close()
        if m:
            m.tidy()
        servers.close()
        os.chdir(folder)
        shutil.rmtree(work, ignore_errors=True)
    for picture in sorted(folder.glob("dashboard-*.png")):
        say(f"{picture.name}: {picture.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main(sys.argv[1])

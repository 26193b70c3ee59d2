"""docs/guide.md, followed to the letter on 5.6 -> 8.17. CROSSFADE_WRITE_DOCS=1 writes what was printed into it."""
import difflib
import json
import os
import shlex
import subprocess

import pytest

from binary import command_line
from guide import Guide, plain
from rest import Cluster
from stack import ROOT, wait_for

GUIDE = ROOT / "docs/guide.md"
TOPICS = ("incident-commands", "incident-commands-dead")


def shim(folder, name, text):
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


@pytest.fixture
def guide(stack, log, folder):
    old, new = stack.start("es-5.6"), stack.start("es-8.17")
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    shim(programs, "crossfade", f'exec {shlex.join(command_line())} "$@"')
    tool = f"STACK_DIR={stack.home} exec {stack.program} tool kafka-4.1 org.apache.kafka.tools."
    shim(programs, "kafka-topics.sh", f'{tool}TopicCommand "$@"')
    shim(programs, "kafka-console-producer.sh", f'{tool}ConsoleProducer "$@"')
    names = {"http://old:9200": old, "http://new:9200": new, "kafka:9092": log.bootstrap,
             "/home/you/incidents": str(folder)}
    guide = Guide(GUIDE, folder, names, programs)

    def caught_up():
        """A reader takes a moment, too, before typing the next command."""
        def there():
            told = subprocess.run([*command_line(), "status", "incidents.yaml", "--format", "json"], cwd=folder,
                                  capture_output=True, timeout=60)
            told = json.loads(told.stdout)
            return told["lag"] == 0 and told["phase"] == "following" and all(p["member"] for p in told["partitions"])
        wait_for("the follower to catch up", there, 120)
    guide.after_start = caught_up
    yield guide
    guide.close()
    for cluster, index in ((old, "incidents"), (new, "incidents-v2"), (new, ".crossfade-incidents")):
        Cluster(cluster).call("DELETE", f"/{index}", missing_ok=True)
    for topic in set(TOPICS) & log.topics():
        log.delete(topic)


@pytest.mark.real
def test_the_guide_is_what_happens(guide):
    told = guide.follow()
    if os.environ.get("CROSSFADE_WRITE_DOCS"):
        GUIDE.write_text(told)
        return
    difference = list(difflib.unified_diff(plain(GUIDE.read_text()), plain(told), "the guide", "what happened",
                                           lineterm="", n=1))
    assert not difference, "\n".join(difference) + "\nCROSSFADE_WRITE_DOCS=1 writes what happened into the guide"

"""Case A: incidents, Elasticsearch 1.7 -> 6.8, while the application keeps writing."""
import os
import time

import pytest

from log import Writer
from workload import Workload

# A sanitizer's build is slow: scripts/sanitize asks for fewer commands, on the servers that are in the binary.
if "CROSSFADE_COMMANDS" in os.environ:
    pytestmark = pytest.mark.embedded
COMMANDS = int(os.environ.get("CROSSFADE_COMMANDS", 300_000))
IDS, TAG_KEYS, MALFORMED = COMMANDS // 5, COMMANDS // 15, 40
WRITES = ("indexed", "deleted", "merged")


def test_incidents(migrate, seed):
    began = time.monotonic()

    def say(text):
        print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

    m = migrate("es-1.7", "es-6.8", Workload(seed, COMMANDS, IDS, TAG_KEYS, MALFORMED), copied=0.7)
    say(f"seed {seed}: {len(m.records)} commands made")
    m.prepare()
    say(f"topic {m.topic} holds {m.split} commands, {m.source.url}/{m.old} holds {m.old_documents} documents")

    m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=1000, hold=COMMANDS // 5)
    m.writer.start()
    m.init()
    say("init")

    copied = m.copy()
    say(f"copy {copied}")
    # the target was empty before, so every document of a page was created
    assert copied["read"] == copied["returned"] == m.old_documents
    assert copied["outcomes"]["indexed"] == m.old_documents

    replayed = m.replay()
    say(f"replay {replayed}")
    assert replayed["read"] >= m.split
    assert sum(p["end"] - p["start"] for p in replayed["partitions"]) == replayed["read"]
    assert all(p["position"] == p["end"] for p in replayed["partitions"])

    follow = m.start("follow")
    time.sleep(2)
    assert m.writer.is_alive()
    m.writer.hurry()
    m.writer.finish()
    say(f"the writer stopped after {m.writer.written} commands")
    m.caught_up(follow)
    status = m.status()
    assert status["lag"] == 0 and all(p["lag"] == 0 for p in status["partitions"]), status
    followed = m.stop(follow)
    say(f"follow {followed}")
    assert replayed["read"] + followed["read"] == COMMANDS

    truth = m.check()
    say(f"{len(truth.expected)} documents equal the model; {truth.model.counts}")
    assert truth.records == COMMANDS
    tags = m.target.mapping(m.new)["properties"]["tags"]["properties"]
    assert set(tags) == {"keyToValue", "value"} and all(f["type"] == "keyword" for f in tags.values()), tags

    letters, count = m.dead_letters()
    assert len(letters) == count == MALFORMED == truth.model.counts["reject"], (len(letters), count)
    summed = {name: replayed["outcomes"][name] + followed["outcomes"][name] for name in replayed["outcomes"]}
    assert summed["dead_lettered"] == MALFORMED
    assert summed["skipped"] == truth.model.counts["skip"]

    before = m.snapshot()
    copied = m.copy()
    say(f"copy again {copied}")
    assert not any(copied["outcomes"][name] for name in WRITES), copied
    replayed = m.replay()
    say(f"replay again {replayed}")
    assert replayed["read"] == COMMANDS
    # a delete that is read again writes its own tombstone over itself (docs/decisions.md)
    again = {name: replayed["outcomes"][name] for name in WRITES if name != "deleted"}
    assert not any(again.values()) and replayed["outcomes"]["deleted"] <= len(truth.deleted), replayed
    assert replayed["outcomes"]["dead_lettered"] == MALFORMED
    assert replayed["outcomes"]["skipped"] == truth.model.counts["skip"]
    assert m.snapshot() == before, "doing it again changed the target"
    assert set(m.dead_letters()[0]) == set(letters)
    say("copying and replaying again changed nothing")

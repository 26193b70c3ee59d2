"""Network faults: toxiproxy's toxics before the target, and before Kafka."""
import time

from log import Writer
from suite import cell
from workload import Workload

# name, attributes, share of the connections
TOXICS = {
    "reset_peer": ({"timeout": 300}, 0.5),
    "slicer": ({"average_size": 300, "size_variation": 200, "delay": 200}, 1.0),
    "timeout": ({"timeout": 1500}, 0.6),
    "bandwidth": ({"rate": 150}, 1.0),
}


def toxic(kind, make, size, before_kafka):
    commands = size["commands"]
    m = make(Workload(make.seed, commands, commands // 4, 1000, malformed=10), copied=0.5, toxics=not before_kafka,
             proxied_kafka=before_kafka)
    toxics, name = make.servers.toxiproxy(), "kafka" if before_kafka else m.name
    m.ready()
    follow = m.start("follow")
    follow.assigned()
    # each round has its own commands: a fault without traffic shows nothing
    part = (len(m.records) - m.split) // (size["rounds"] + 1)
    m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=commands / size["seconds"] / 2, fast=20_000, hold=part)
    m.writer.start()
    m.operated(commands // 50, follow)
    attributes, toxicity = TOXICS[kind]
    try:
        for _ in range(size["rounds"]):
            toxics.add(name, kind, "downstream", toxicity, **attributes)
            if kind in ("slicer", "bandwidth"):
                toxics.add(name, kind, "upstream", toxicity, **attributes)
            m.writer.hold += part
            time.sleep(size["seconds"] / size["rounds"])
            toxics.clear(name)
            time.sleep(0.5)
            assert follow.running, f"follow ended\n{follow.result(follow.process.returncode)}"
    finally:
        toxics.clear(name)
    m.writer.hurry()
    m.writer.finish()
    m.caught_up(follow, seconds=180)
    m.stop(follow)
    m.judge()
    m.letters(10)


for kind in TOXICS:
    for side in ("target", "Kafka"):
        @cell(f"{kind} between Crossfade and {side}", short={"commands": 3000, "seconds": 3, "rounds": 1},
              long={"commands": 120_000, "seconds": 30, "rounds": 3}, disturbs={"front"} if side == "Kafka" else ())
        def _(make, size, kind=kind, side=side):
            toxic(kind, make, size, side == "Kafka")

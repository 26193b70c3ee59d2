"""scripts/bench instructions: what one record costs two builds of Crossfade, in instructions.

Each build replays two topics, of which one has twice the records, under valgrind. The difference of the two counts is
what the additional records cost; the rest is what a start costs. Instructions are no time: they do not see caches and
waiting. But they are the same on a busy machine, so a step of one percent shows.
"""
import re


def counted(text):
    """The instructions of a whole process, from callgrind's file."""
    found = re.search(r"^totals: (\d+)", text, re.MULTILINE)
    return int(found[1]) if found else None


def split(small, large, records):
    """Instructions per record, and those of the start, from the counts of `records` and of twice as many."""
    each = (large - small) / records
    return {"per_record": round(each, 1), "start": round(small - each * records)}


def judged(builds, records, topic):
    ratio = builds["now"]["per_record"] / builds["before"]["per_record"]
    return {"benchmark": "instructions", "ratio": round(ratio, 4), **builds, "records": records,
            "meets": {"ratio": ratio <= 1.03}, "partitions": topic["partitions"], "broker": topic["broker"]}


def table(result):
    lines = ["", f"{'build':>7} {'per record':>12} {'start, millions':>16}"]
    for which in ("before", "now"):
        build = result[which]
        lines.append(f"{which:>7} {build['per_record']:>12,.1f} {build['start'] / 1e6:>16,.1f}")
    lines += ["", f"ratio per record: {result['ratio']:.3f} (goal <= 1.03)"]
    return "\n".join(lines)

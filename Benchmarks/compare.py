"""scripts/bench compare: two builds of Crossfade on one topic, in pairs.

Each pair replays the topic once with each build into a fresh null sink. Which build goes first alternates, so that a
slow moment of a shared machine meets both. The ratios are this build against the one before it, pair by pair; their
medians count.
"""
import statistics


def pairs(rounds, run, say):
    """`run(which, name)` makes one measured replay with the build `before` or `now`."""
    found = []
    for i in range(rounds):
        order = ("before", "now") if i % 2 == 0 else ("now", "before")
        entry = {which: run(which, i) for which in order}
        before, now = entry["before"], entry["now"]
        entry["speed_ratio"] = now["records_per_second"] / before["records_per_second"]
        entry["cpu_ratio"] = now["cpu_s_per_million"] / before["cpu_s_per_million"]
        found.append(entry)
        say(f"bench: pair {i + 1} of {rounds}: speed {entry['speed_ratio']:.3f}, cpu {entry['cpu_ratio']:.3f}")
    return found


def judged(found, topic):
    def middle(which, key):
        return statistics.median(entry[which][key] for entry in found)

    speed = statistics.median(entry["speed_ratio"] for entry in found)
    cpu = statistics.median(entry["cpu_ratio"] for entry in found)
    result = {"benchmark": "compare", "speed_ratio": round(speed, 4), "cpu_ratio": round(cpu, 4)}
    for which in ("before", "now"):
        result[which] = {
            "records_per_second": round(middle(which, "records_per_second")),
            "cpu_s_per_million": round(middle(which, "cpu_s_per_million"), 4),
            "memory_mb": round(middle(which, "memory_mb"), 1),
        }
    result["meets"] = {"speed_ratio": speed >= 0.97, "cpu_ratio": cpu <= 1.03}
    return result | {"records": topic["records"], "partitions": topic["partitions"], "broker": topic["broker"]}


def table(found, result):
    lines = ["", f"{'pair':>7} {'before/s':>12} {'now/s':>12} {'speed':>6} {'before cpu s/M':>15} {'now cpu s/M':>12} "
                 f"{'cpu':>6} {'before MB':>10} {'now MB':>7}"]
    for i, entry in enumerate(found, 1):
        before, now = entry["before"], entry["now"]
        lines.append(f"{i:>7} {before['records_per_second']:>12,.0f} {now['records_per_second']:>12,.0f} "
                     f"{entry['speed_ratio']:>6.3f} {before['cpu_s_per_million']:>15.3f} "
                     f"{now['cpu_s_per_million']:>12.3f} {entry['cpu_ratio']:>6.3f} {before['memory_mb']:>10.1f} "
                     f"{now['memory_mb']:>7.1f}")
    lines.append("")
    lines.append(f"medians: speed {result['speed_ratio']:.3f} (goal >= 0.97), cpu {result['cpu_ratio']:.3f} "
                 f"(goal <= 1.03)")
    return "\n".join(lines)

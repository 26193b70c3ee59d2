"""scripts/bench operations: what it costs a replay to be watched.

Pairs of replays of one topic into one kind of sink: one that serves nothing (`operations.listen: off`), one with a
scrape of /metrics every second and ten open /events streams. Which of the two goes first alternates. What counts is the
kernel's CPU time of the crossfade process by record; those who watch are this process's threads, and are counted for
nobody.
"""
import contextlib
import http.client
import socket
import statistics
import threading

STREAMS = 10
GOAL = 1.03


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Watchers:
    """A scraper and ten dashboards. They come as soon as somebody serves, and leave when it ends."""

    def __init__(self, port):
        self.port = port
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.scrapes = self.events = 0
        self.streams = set()
        self.metrics = ""

    def __enter__(self):
        work = [self.scrape] + [lambda number=number: self.stream(number) for number in range(STREAMS)]
        self.threads = [threading.Thread(target=each, daemon=True) for each in work]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(5)

    def connected(self):
        while not self.over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            try:
                connection.connect()
                return connection
            except OSError:
                connection.close()
                self.over.wait(0.02)
        return None

    def scrape(self):
        while connection := self.connected():
            # A server that ends in the middle of an answer is the end of the replay.
            with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
                connection.request("GET", "/metrics")
                answer = connection.getresponse()
                text = answer.read().decode()
                if answer.status == 200 and text:
                    with self.lock:
                        self.scrapes += 1
                        self.metrics = text
            self.over.wait(1)

    def stream(self, number):
        while connection := self.connected():
            with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
                connection.request("GET", "/events", headers={"Accept": "text/event-stream"})
                answer = connection.getresponse()
                if answer.status == 200:
                    with self.lock:
                        self.streams.add(number)
                while not self.over.is_set() and (line := answer.readline()):
                    if line.startswith(b"event: status"):
                        with self.lock:
                            self.events += 1
            self.over.wait(0.05)


def watched_round(bench, run, name):
    """A round that is watched, and what those who watched it saw; one that nobody could watch does not count."""
    port = free_port()
    with Watchers(port) as watchers:
        found = run(name, f"operations:\n  listen: 127.0.0.1:{port}\n")
    found |= {"scrapes": watchers.scrapes, "streams": len(watchers.streams), "events": watchers.events}
    if not watchers.scrapes or len(watchers.streams) < STREAMS or "crossfade_records_total{" not in watchers.metrics:
        raise bench.Broken(f"this round was not watched: {watchers.scrapes} scrapes, {len(watchers.streams)} of "
                           f"{STREAMS} streams; "
                           "take more --records")
    return found


def pairs(bench, options, run, stamp):
    """`run(name, operations)` replays the topic once with those lines in its recipe."""
    found = []
    for number in range(options.rounds):
        parts = {
            "off": lambda: run(f"bench-off-{stamp}-{number}", "operations:\n  listen: \"off\"\n"),
            "on": lambda: watched_round(bench, run, f"bench-on-{stamp}-{number}"),
        }
        order = list(parts) if number % 2 == 0 else list(reversed(parts))
        pair = {name: parts[name]() for name in order}
        found.append(pair)
        bench.say(f"bench: pair {number + 1} of {options.rounds}: off {pair['off']['cpu_s_per_million']:.3f}, on "
                  f"{pair['on']['cpu_s_per_million']:.3f} CPU s a million records; {pair['on']['scrapes']} scrapes, "
                  f"{pair['on']['events']} events")
    return found


def judged(found, topic):
    off, on = (statistics.median(pair[kind]["cpu_s_per_million"] for pair in found) for kind in ("off", "on"))
    ratio = on / off
    return {"benchmark": "operations", "cpu_s_per_million_off": round(off, 4), "cpu_s_per_million_on": round(on, 4),
            "ratio": round(ratio, 4), "median_of_ratios": round(statistics.median(
                pair["on"]["cpu_s_per_million"] / pair["off"]["cpu_s_per_million"] for pair in found), 4),
            "meets": {"ratio": ratio <= GOAL}, "records": topic["records"], "partitions": topic["partitions"],
            "broker": topic["broker"]}


def table(found, result):
    lines = ["", f"{'pair':>6} {'off: cpu s/M':>13} {'on: cpu s/M':>12} {'ratio':>6} {'scrapes':>8} {'events':>7} "
                 f"{'off/s':>10} {'on/s':>10}"]
    for number, pair in enumerate(found, 1):
        off, on = pair["off"], pair["on"]
        lines.append(f"{number:>6} {off['cpu_s_per_million']:>13.3f} {on['cpu_s_per_million']:>12.3f} "
                     f"{on['cpu_s_per_million'] / off['cpu_s_per_million']:>6.3f} {on['scrapes']:>8} {on['events']:>7} "
                     f"{off['records_per_second']:>10,.0f} {on['records_per_second']:>10,.0f}")
    lines.append(f"{'median':>6} {result['cpu_s_per_million_off']:>13.3f} {result['cpu_s_per_million_on']:>12.3f} "
                 f"{result['ratio']:>6.3f}")
    lines += ["", f"ratio of the medians: {result['ratio']:.3f}, goal <= {GOAL}: "
                  f"{'met' if result['meets']['ratio'] else 'MISSED'}"]
    return "\n".join(lines)

"""Stands in for the HTTP endpoints of a running migration, for states of the dashboard that are hard to make with a
real one.

    python3 Tests/EndToEndTests/fake_operations.py [STATE] [--port PORT]     to look at one in a browser

It serves the page itself as it is in the sources, /history and /events. What it says is a `status` (the JSON of
/statusz); tests change it while the page looks.
"""
import argparse
import copy
import http.server
import json
import math
import pathlib
import threading
import time

PAGE = pathlib.Path(__file__).resolve().parents[2] / "Sources/Operations/Dashboard/dashboard.html"
POLICY = ("default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src "
          "data:; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]


def now():
    return int(time.time() * 1000)


def base(partitions=6, seconds=600):
    """Following, with lag 0, without any problem."""
    at = now()
    outcomes = {"indexed": 1_904_233, "deleted": 20_441, "merged": 311_902, "stale": 48_120, "superseded": 7_310,
                "skipped": 903,
                "dead_lettered": 17}
    read = sum(outcomes.values())
    return {
        "migration": "incidents", "command": "follow", "version": "0.1.0", "started": at - seconds * 1000, "now": at,
        "phase": "following", "fingerprint": "3f9a-11c4-e07b",
        "ready": {"ready": True, "reasons": []}, "switch": {"ready": True, "reasons": []},
        "source": {"product": "Elasticsearch", "version": "1.7.6", "name": "old-cluster",
                   "url": "http://127.0.0.1:9201"},
        "target": {"product": "Elasticsearch", "version": "6.8.23", "name": "new-cluster",
                   "url": "http://127.0.0.1:9202"},
        "topic": {"name": "incident-commands", "partitions": partitions, "group": "crossfade-incidents"},
        "lag": 0, "lag_seconds": 0, "read": read, "in_flight": 0, "outcomes": outcomes,
        "rate": {"records_per_second": 412.0, "bytes_per_second": 388_000.0},
        "partitions": [
            {"partition": p, "owned": p % 3 != 2 or partitions < 3, "start": 0, "position": 400_000 + 7919 * p,
             "committed": 400_000 + 7919 * p, "end": 400_000 + 7919 * p, "lag": 0, "read": read // partitions,
             "in_flight": 0,
             "outcomes": {}} for p in range(partitions)],
        "copy": None, "replay": {"remaining": 0, "finished": True}, "receipt": receipt(partitions, at),
        "log": {"answers": True, "trouble": None}, "last_stop": None,
        "readers": {"position": "before", "aliases": [], "rollback": None,
                    "old_indexer": {"group": "incident-indexer", "lag": 12}},
        "bulk": {"limit": 4, "in_flight": 1, "batch_documents": 1000, "batch_bytes": 941_000, "throttled": 212,
                 "requests": {"200": 4102, "503": 3}, "retries": {"429": 212, "503": 3, "connection": 1},
                 "latency": latency(4105)},
        "memory": {"in_flight_bytes": 9_400_000, "limit_bytes": 268_435_456, "resident_bytes": 88_000_000},
        "dead_letters": {"topic": "incident-commands-dead", "written": 17,
                         "by_reason": {"mapper_parsing_exception": 11, "invalid_json": 4, "missing_id": 2},
                         "unresolved": 19, "unresolved_by_reason": {"mapper_parsing_exception": 13, "invalid_json": 6}},
        "members": [
            {"member": "crossfade-1", "command": "follow", "host": "search-ops-1", "pid": 4121,
             "started": at - seconds * 1000,
             "updated": at - 900, "age_seconds": 0.9, "stale": False,
             "partitions": [p for p in range(partitions) if p % 3 != 2 or partitions < 3], "outcomes": outcomes,
             "waiting": None},
            {"member": "crossfade-2", "command": "follow", "host": "search-ops-2", "pid": 877,
             "started": at - seconds * 1000,
             "updated": at - 2100, "age_seconds": 2.1, "stale": False,
             "partitions": [p for p in range(partitions) if p % 3 == 2 and partitions >= 3],
             "outcomes": {"indexed": 881_220},
             "waiting": None}],
        "indices": [{"index": "incidents-v2", "documents": 1_811_402, "tombstones": 20_102, "fields": 31}],
        "alarms": [], "waiting": None, "next": ["crossfade status incidents.yaml --watch"],
    }


def receipt(partitions, at):
    """What was verified three minutes ago."""
    totals = {"compared": 1_811_402, "equal": 1_811_402, "settling": 0, "missing": 0, "extra": 0, "different": 0,
              "stale": 0, "two_routings": 0, "twin": 0}
    return {"receipt": "20261129-101500-1", "digest": "0" * 32, "verdict": "equal", "basis": "source", "since": None,
            "fingerprint": "3f9a-11c4-e07b", "ended": at - 120_000, "oldest_read": at - 180_000,
            "source_total": 1_811_402, "target_total": 1_811_402, "totals": totals,
            "verified_up_to": {str(p): 400_000 + 7919 * p for p in range(partitions)}, "age_seconds": 180,
            "current": True}


def latency(count, p50=0.021, p99=0.143):
    """In the form of a histogram: counts up to each bound."""
    middle, buckets = math.log(p50), []
    for bound in BOUNDS:
        buckets.append([bound, round(count * 0.5 * (1 + math.erf((math.log(bound) - middle) / 1.1)))])
    return {"count": count, "sum": count * p50 * 1.4, "p50": p50, "p90": p50 * 3, "p99": p99, "buckets": buckets}


def ripple(t, p=0):
    return math.sin(t / 7 + p) + 0.6 * math.sin(t / 2.3 + 2 * p) + 0.3 * math.sin(t * 1.7 + p)


def history(status, lag, rate, seconds):
    """Points for the last `seconds`; `lag(t, p)` and `rate(t)` of the seconds before now."""
    points = []
    count = len(status["partitions"])
    for back in range(min(seconds, 900), 0, -1):
        each = {str(p): max(0, round(lag(back, p))) for p in range(count)} if lag else {}
        points.append({"t": status["now"] - back * 1000, "lag": sum(each.values()) if lag else None,
                       "rate": max(0, rate(back)), "bytes_rate": 900 * max(0, rate(back)),
                       "p50": max(0.004, 0.021 + 0.004 * ripple(back)), "p99": max(0.03, 0.14 + 0.05 * ripple(back, 3)),
                       "lag_by_partition": each})
    return points


def lagging(status, total):
    """Distributes `total` of lag unevenly over the partitions."""
    count = len(status["partitions"])
    weights = [1 + 0.6 * math.sin(3 * p) for p in range(count)]
    for p, weight in zip(status["partitions"], weights):
        p["lag"] = int(total * weight / sum(weights))
        p["end"] = p["committed"] + p["lag"]
    status["lag"] = sum(p["lag"] for p in status["partitions"])
    return status


def following():
    s = base()
    return s, history(s, lambda t, p: 25 * max(0, ripple(t, p) - 0.9), lambda t: 412 + 40 * ripple(t), 900)


def replaying(partitions=6):
    s = base(partitions, 240)
    lagging(s, 1_240_000)
    s.update(command="replay", phase="replaying", lag_seconds=5400, in_flight=9120,
             rate={"records_per_second": 11_840.0, "bytes_per_second": 10_900_000.0},
             replay={"remaining": s["lag"], "finished": False},
             switch={"ready": False, "reasons": ["lag is not 0", "the replay is not finished"]},
             next=["crossfade follow incidents.yaml"])
    s["memory"]["in_flight_bytes"] = 61_000_000
    s["bulk"]["in_flight"] = 4
    now_lag = [p["lag"] for p in s["partitions"]]
    return s, history(s, lambda t, p: now_lag[p] * (1 + t / 90) + now_lag[p] * 0.02 * ripple(t, p),
                      lambda t: 11_500 + 900 * ripple(t), 240)


def copying():
    s = base(seconds=300)
    for p in s["partitions"]:
        p.update(owned=False, lag=None, position=None, end=None, committed=None)
    s.update(command="copy", phase="copying", lag=None, lag_seconds=None, partitions=[], read=1_204_113,
             outcomes={**dict.fromkeys(s["outcomes"], 0), "indexed": 1_201_050, "stale": 3_063},
             copy={"expected": 1_900_000, "returned": 1_204_113, "slices": 16, "slices_done": 9, "finished": False},
             replay=None, rate={"records_per_second": 8_400.0, "bytes_per_second": 7_700_000.0},
             switch={"ready": False, "reasons": ["the copy is not finished", "lag is unknown"]},
             next=["crossfade replay incidents.yaml"], members=s["members"][:1])
    s["members"][0].update(command="copy", partitions=[])
    return s, history(s, None, lambda t: 8400 + 500 * ripple(t), 300)


def rolled_over():
    s, points = following()
    s["readers"] = {"position": "rolled_over", "aliases": ["incidents"], "rollback": {"ready": True, "reasons": []},
                    "old_indexer": {"group": "incident-indexer", "lag": 12}}
    return s, points


def verifying():
    s, points = following()
    s["verification"] = {
        "stage": "comparing", "seconds_left": 21, "waiting": None, "parts": [
            {"name": "old side", "done": 1_204_113, "total": 1_811_402, "per_second": 29_140},
            {"name": "new side", "done": 1_310_920, "total": 1_811_402, "per_second": 31_722}]}
    s["receipt"] = None
    return s, points


def waiting():
    s, points = replaying()
    s.update(waiting="the target http://127.0.0.1:9202 does not answer: connection refused", lag=None, lag_seconds=None,
             rate={"records_per_second": 0.0, "bytes_per_second": 0.0},
             ready={"ready": False, "reasons": ["the target does not answer"]})
    for p in s["partitions"]:
        p["lag"] = None
    for point in points[-40:]:
        point.update(lag=None, rate=0, p50=None, p99=None, lag_by_partition={})
    return s, points


def alarm():
    s, points = following()
    s["alarms"] = [
        {"name": "stale writes",
         "text": "312 of the last 1,000 writes of partition 4 were stale: does somebody else write to incidents-v2?"},
        {"name": "dead letters",
         "text": "17 dead letters are not resolved; see: crossfade dead-letters list incidents.yaml"}]
    s["switch"] = {"ready": False, "reasons": ["17 dead letters are not resolved", "an alarm is on: stale writes"]}
    s["members"][1].update(stale=True, age_seconds=95)
    s["next"] = ["crossfade dead-letters list incidents.yaml",
                 "crossfade dead-letters redrive incidents.yaml --reason mapper_parsing_exception"]
    return s, points


def many():
    return replaying(64)


def unknown():
    """Everything that may be null is null."""
    s = base()
    for key in ("lag", "lag_seconds", "read", "in_flight", "source", "target", "replay", "receipt"):
        s[key] = None
    s.update(partitions=[], members=[], indices=[], next=[], phase="created",
             switch={"ready": False, "reasons": ["lag is unknown"]},
             outcomes=dict.fromkeys(s["outcomes"]), rate={"records_per_second": None, "bytes_per_second": None},
             bulk={"limit": None, "in_flight": None, "batch_documents": None, "batch_bytes": None, "throttled": None,
                   "requests": {},
                   "retries": {}, "latency": {"count": 0, "sum": 0, "p50": None, "p90": None, "p99": None,
                                              "buckets": []}},
             memory={"in_flight_bytes": None, "limit_bytes": None, "resident_bytes": None},
             dead_letters={"topic": None, "written": None, "by_reason": {}, "unresolved": None,
                           "unresolved_by_reason": None})
    s["topic"]["partitions"] = None
    return s, []


def started():
    """Started a second ago: one of everything, and no history."""
    s = base(1, 1)
    lagging(s, 1)
    s.update(read=1, lag_seconds=7.2, outcomes={**dict.fromkeys(s["outcomes"], 0), "dead_lettered": 1},
             members=s["members"][:1],
             rate={"records_per_second": 0.0, "bytes_per_second": 0.0},
             switch={"ready": False, "reasons": ["the lag is 1 record, 8 s", "3 dead letters unresolved"]})
    s["bulk"]["latency"] = latency(1)
    s["dead_letters"] = {"topic": "incident-commands-dead", "written": 1, "by_reason": {"not_json": 1},
                         "unresolved": 3, "unresolved_by_reason": {"not_json": 2, "mapper_parsing_exception": 1}}
    return s, []


def nothing():
    """The stream is open and silent."""
    return None, []


STATES = {f.__name__: f for f in (following, rolled_over, replaying, copying, verifying, waiting, alarm, many, unknown,
                                  started, nothing)}


class FakeOperations:
    """Serves `status` and `points`; `change` alters them; `cut` ends all streams and refuses new ones."""

    def __init__(self, state="following", port=0, every=0.25, still=False):
        self.is_still = still  # its time stands
        self.status, self.points = STATES[state]()
        self.every, self.is_cut, self.streams, self.asked, self.rest = every, False, 0, [], 0
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def change(self, **changes):
        with self.lock:
            self.status.update(changes)

    def lag(self, total):
        with self.lock:
            lagging(self.status, total)

    def cut(self):
        self.is_cut = True

    def restore(self):
        self.is_cut = False

    def said(self):
        with self.lock:
            if self.status is None:
                return None
            if not self.is_still:
                self.work()
            return copy.deepcopy(self.status)

    def work(self):
        """The work since the last call: outcomes and bulk requests at the rate in the status."""
        status, at = self.status, now()
        records = (status["rate"]["records_per_second"] or 0) * (at - status["now"]) / 1000 + self.rest
        self.rest, status["now"] = records % 1, at
        if status["outcomes"]["indexed"] is None or records < 1:
            return
        status["outcomes"]["indexed"] += int(records)
        status["read"] += int(records)
        before = status["bulk"]["latency"]
        before.update({key: value for key, value in latency(before["count"] + max(1, round(records / 500))).items()
                       if key in ("count", "sum", "buckets")})

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()


def handler(fake):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            fake.asked.append(self.path)
            if self.path == "/":
                self.answer("text/html; charset=utf-8", PAGE.read_bytes(), POLICY)
            elif fake.is_cut:
                self.send_error(503)
            elif self.path == "/history":
                body = {"every_seconds": 1, "points": fake.points}
                self.answer("application/json", json.dumps(body).encode())
            elif self.path == "/events":
                self.stream()
            else:
                self.send_error(404)

        def answer(self, kind, body, policy=None):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if policy:
                self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body)

        def stream(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            fake.streams += 1
            try:
                while not fake.is_cut and not fake.ended.is_set():
                    status = fake.said()
                    text = ": nothing yet\n\n" if status is None else f"event: status\ndata: {json.dumps(status)}\n\n"
                    self.wfile.write(text.encode())
                    self.wfile.flush()
                    fake.ended.wait(fake.every)
            except OSError:
                pass  # the page went away

        def log_message(self, *_):
            pass

    return Handler


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state", nargs="?", default="following", choices=STATES)
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    running = FakeOperations(chosen.state, chosen.port, every=1)
    print(running.url, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        running.close()

"""scripts/bench verify: how fast Crossfade compares two clusters, beside two plain scrolls that read the same documents
side by side and look at nothing (docs/performance.md).
"""
import http.client
import json
import random
import re
import statistics
import threading
import time
import urllib.parse

GOALS = {"ratio": (">=", 0.9), "cpu_s_per_million": ("<=", 4.0), "memory_mb": ("<=", 200.0)}
SOURCE, TARGET, LOG = "es-6.8", "es-8.17", "kafka-4.1"
SETTINGS = {"number_of_shards": 2, "number_of_replicas": 0, "refresh_interval": "-1"}

RECIPE = """\
name: {name}
commands:
  bootstrap: {bootstrap}
  topic: {topic}
  format: envelope
  envelope:
    id: id
    operation: command
    index: [InsertMessageCommand]
    document: message
  version: offset
source:
  url: {source}
target:
  url: {target}
indices:
  - from: {name}
    to: {name}-new
    mapping: mapping.json
    transform:
      - keyToValue: {{ field: tags }}
verify:
  folder: {folder}
"""


class Server:
    """One cluster, over one connection for each caller's thread."""

    def __init__(self, url, broken):
        self.url, self.broken, self.local = url.rstrip("/"), broken, threading.local()
        self.address = urllib.parse.urlsplit(self.url).netloc

    def raw(self, method, path, body=None, kind="application/json"):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = http.client.HTTPConnection(self.address, timeout=120)
        connection.request(method, path, body, {"Content-Type": kind} if body is not None else {})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status >= 300 and not (method == "DELETE" and answer.status == 404):
            raise self.broken(f"{method} {self.url}{path}: {answer.status} {data[:500]!r}")
        return data

    def call(self, method, path, body=None):
        data = self.raw(method, path, None if body is None else json.dumps(body))
        return json.loads(data) if data else None


def document(number, rng):
    tags = {f"k{rng.randrange(300):05}": f"value-{rng.randrange(1000)}" for _ in range(6)}
    return {"id": f"inc-{number:08}", "service": f"service-{number % 40}", "state": "open", "severity": number % 5,
            "created_at": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T10:00:00Z",
            "title": f"Incident {number}: something went wrong and somebody should look at it before tomorrow noon",
            "region": f"eu-{number % 3}", "host": f"host-{number % 500}.example.org", "rev": number, "tags": tags}


def fill(server, index, mapping, count, say):
    """An index of so many documents on the old side; left alone if it is there."""
    try:
        if server.call("GET", f"/{index}/_count")["count"] == count:
            return
    except server.broken:
        pass
    server.raw("DELETE", f"/{index}")
    server.call("PUT", f"/{index}", {"settings": SETTINGS, "mappings": {"incident": mapping}})
    say(f"bench: filling {index} with {count:,} documents")
    rng = random.Random(7)
    for first in range(0, count, 5000):
        lines = []
        for number in range(first, min(count, first + 5000)):
            lines.append('{"index":{"_id":"inc-%08d"}}' % number)
            lines.append(json.dumps(document(number, rng), separators=(",", ":")))
        answer = server.raw("POST", f"/{index}/incident/_bulk?filter_path=errors", "\n".join(lines) + "\n",
                            "application/x-ndjson")
        if b"true" in answer:
            raise server.broken(f"documents of {index} could not be written")
    server.call("POST", f"/{index}/_refresh")


def scroll(server, index, page, found):
    """Reads an index to its end by one plain scroll; the documents are not even parsed."""
    documents = size = 0
    body = json.dumps({"size": page, "sort": ["_doc"]})
    path = f"/{index}/_search?scroll=5m"
    while True:
        data = server.raw("POST", path, body)
        hits = data.count(b'"_id":"')
        if not hits:
            break
        documents, size = documents + hits, size + len(data)
        name = re.search(rb'"_scroll_id":"([^"]+)"', data[:20_000]).group(1).decode()
        path, body = "/_search/scroll", json.dumps({"scroll": "5m", "scroll_id": name})
    server.raw("DELETE", "/_search/scroll", json.dumps({"scroll_id": [name]}))
    found.append((documents, size))


def scrolls_round(sides, page, expected, broken):
    """Both sides at once, each by one scroll."""
    found, began = [], time.monotonic()
    threads = [threading.Thread(target=scroll, args=(server, index, page, found)) for server, index in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    if [documents for documents, _ in found] != [expected, expected]:
        raise broken(f"the scrolls read {found}, not {expected} documents each")
    return {"pairs_per_second": expected / seconds, "seconds": seconds, "bytes": sum(size for _, size in found)}


def verify_round(bench, binary, recipe, expected, limit, log, folder):
    done = bench.measured([str(binary), "verify", str(recipe), "--format", "json"], limit, log, folder)
    if done["status"]:
        raise bench.Broken(f"crossfade verify ended with {done['status']}: {done['stdout'][-800:]}\n"
                           f"{log.read_text(errors='replace')[-1500:]}")
    receipt = bench.last_json(done["stdout"], "crossfade verify")
    if receipt["verdict"] != "equal" or receipt["totals"]["equal"] != expected:
        raise bench.Broken(f"this round does not count: {receipt['verdict']}, {receipt['totals']}")
    return {"pairs_per_second": expected / done["wall"], "seconds": done["wall"], "memory_mb": done["memory"] / 1e6,
            "cpu_s_per_million": done["cpu"] / expected * 1e6}


def measure(bench, options, binary, folder, mapping):
    """The rounds. `bench`: the module bench.py."""
    program, log = bench.stack_program(), folder / "crossfade.log"
    if not program:
        raise bench.Broken("this needs the real servers: set CROSSFADE_STACK")
    names = [LOG, SOURCE, TARGET]
    address = {name: bench.stack(program, "start", name, "--as", f"{bench.STACK_ID}-{name}", *(
        [] if name == LOG else ["--heap", "1g"])) for name in names}
    try:
        source, target = Server(address[SOURCE], bench.Broken), Server(address[TARGET], bench.Broken)
        name = f"bench-verify-{options.records}"
        old = dict(mapping, properties=dict(mapping["properties"], tags={"type": "object", "enabled": False}))
        fill(source, name, old, options.records, bench.say)
        recipe = prepare(bench, options, binary, folder, mapping, name, address, target, log)
        sides = [(source, name), (target, f"{name}-new")]
        rounds = []
        for number in range(options.rounds + options.warmup):
            parts = {
                "scrolls": lambda: scrolls_round(sides, options.page, options.records, bench.Broken),
                "verify": lambda: verify_round(bench, binary, recipe, options.records, options.limit, log, folder),
            }
            order = list(parts) if number % 2 == 0 else list(reversed(parts))
            entry = {part: parts[part]() for part in order}
            entry["ratio"] = entry["verify"]["pairs_per_second"] / entry["scrolls"]["pairs_per_second"]
            bench.say(f"bench: scrolls {entry['scrolls']['pairs_per_second']:,.0f} pairs/s, verify "
                      f"{entry['verify']['pairs_per_second']:,.0f}/s, ratio {entry['ratio']:.3f}, "
                      f"{entry['verify']['cpu_s_per_million']:.2f} CPU s/M, {entry['verify']['memory_mb']:.0f} MB")
            if number >= options.warmup:
                rounds.append(entry)
        return rounds
    finally:
        if not options.keep:
            for server in names:
                bench.stack(program, "wipe", f"{bench.STACK_ID}-{server}")


def prepare(bench, options, binary, folder, mapping, name, address, target, log):
    """The recipe, and the new side as a migration makes it."""
    topic = f"{name}-commands"
    program = bench.stack_program()
    bench.stack(program, "tool", LOG, "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", address[LOG],
                "--create", "--if-not-exists", "--topic", topic, "--partitions", "2")
    (folder / "mapping.json").write_text(json.dumps(mapping))
    recipe = folder / "verify.yaml"
    recipe.write_text(RECIPE.format(
        name=name, bootstrap=address[LOG], topic=topic, source=address[SOURCE], target=address[TARGET],
        folder=folder / "verify"))

    def run(*command):
        done = bench.measured([str(binary), *command, "--format", "json"], 1800, log, folder)
        if done["status"]:
            raise bench.Broken(f"crossfade {command[0]} ended with {done['status']}: {done['stdout'][-800:]}\n"
                               f"{log.read_text(errors='replace')[-1500:]}")
        return bench.last_json(done["stdout"], f"crossfade {command[0]}")

    fingerprint = run("plan", str(recipe))["fingerprint"]
    run("init", str(recipe), "--confirm", fingerprint)
    bench.say("bench: copying")
    run("copy", str(recipe))
    target.call("POST", f"/{name}-new/_refresh")
    return recipe


def judged(rounds, options, processors):
    def middle(part, key):
        return statistics.median(entry[part][key] for entry in rounds)

    result = {
        "benchmark": "verify", "ratio": round(statistics.median(entry["ratio"] for entry in rounds), 4),
        "cpu_s_per_million": round(middle("verify", "cpu_s_per_million"), 4),
        "memory_mb": round(max(entry["verify"]["memory_mb"] for entry in rounds), 1),
        "pairs_per_second": round(middle("verify", "pairs_per_second")),
        "scrolls_pairs_per_second": round(middle("scrolls", "pairs_per_second")),
        "records": options.records, "processors": processors,
    }
    result["meets"] = {name: result[name] >= goal if relation == ">=" else result[name] <= goal
                       for name, (relation, goal) in GOALS.items()}
    return result


def table(rounds, result):
    lines = ["", f"{'round':>7} {'scrolls pairs/s':>16} {'verify pairs/s':>15} {'ratio':>6} {'cpu s/M':>8} "
                 f"{'peak MB':>8}"]
    for number, entry in enumerate(rounds, 1):
        ours = entry["verify"]
        lines.append(f"{number:>7} {entry['scrolls']['pairs_per_second']:>16,.0f} {ours['pairs_per_second']:>15,.0f} "
                     f"{entry['ratio']:>6.3f} {ours['cpu_s_per_million']:>8.2f} {ours['memory_mb']:>8.1f}")
    lines.append("")
    for name, (relation, goal) in GOALS.items():
        lines.append(f"{name}: {result[name]:.3f}, goal {relation} {goal}: "
                     f"{'met' if result['meets'][name] else 'MISSED'}")
    return "\n".join(lines)

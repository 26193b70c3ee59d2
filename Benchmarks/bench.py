"""scripts/bench: how fast Crossfade replays a topic, beside rdkafka_performance on the same topic, and what it costs to
be watched meanwhile (docs/performance.md).

Python's standard library only; the hot programs are C (src/), and this file only starts, measures and compares them.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import compare
import embedded
import instructions
import operations
import verify

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = HERE / ".build"
PEER_SOURCE = pathlib.Path("/usr/share/doc/librdkafka-dev/examples/rdkafka_performance.c")
STACK_ID = "crossfade-bench"
GOALS = {"ratio": (">=", 0.5), "cpu_s_per_million": ("<=", 2.0), "memory_mb": ("<=", 200.0)}

MAPPING = {
    "properties": {
        "id": {"type": "keyword"}, "service": {"type": "keyword"}, "state": {"type": "keyword"},
        "severity": {"type": "integer"}, "created_at": {"type": "date"}, "title": {"type": "text"},
        "region": {"type": "keyword"}, "host": {"type": "keyword"}, "rev": {"type": "long"},
        "tags": {"properties": {"keyToValue": {"type": "keyword"}, "value": {"type": "keyword"}}},
    }
}
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
target:
  url: {sink}
indices:
  - to: {index}
    mapping: mapping.json
    transform:
      - keyToValue: {{ field: tags }}
replay:
  from: beginning
accept:
  - {{ rail: rights, why: the sink knows no privileges }}
"""


class Broken(Exception):
    """The measurement cannot be made, or a round is not what it claims to be."""


def say(text=""):
    print(text, file=sys.stderr, flush=True)


# --- building -------------------------------------------------------------------------------------------------------


def compile_c(name, sources, flags, depends=()):
    target = BUILD / name
    newest = max(path.stat().st_mtime for path in [*sources, *depends])
    if target.exists() and target.stat().st_mtime >= newest:
        return target
    BUILD.mkdir(exist_ok=True)
    part = BUILD / f"{name}.{os.getpid()}"
    command = [os.environ.get("CC", "cc"), "-pthread", *flags[0], *map(str, sources), *flags[1], "-o", str(part)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Broken(f"{' '.join(command)}\n{done.stderr.strip()}")
    part.rename(target)
    return target


def build_tools():
    """The sink, the load generator and the peer; {name: path}."""
    source, strict = HERE / "src", ["-std=c11", "-Wall", "-Wextra", "-Werror"]
    headers = sorted(source.glob("*.h"))
    tools = {
        "nullsink": compile_c("nullsink", [source / "nullsink.c", source / "cluster.c"], ([*strict, "-O3"], []),
                              headers),
        "loadgen": compile_c("loadgen", [source / "loadgen.c", source / "commands.c"],
                             ([*strict, "-O2"], ["-lrdkafka"]), headers),
    }
    peer = pathlib.Path(os.environ.get("RDKAFKA_PERFORMANCE_SOURCE", PEER_SOURCE))
    packed = peer.with_name(peer.name + ".gz")
    if not peer.exists() and packed.exists():
        import gzip
        BUILD.mkdir(exist_ok=True)
        peer = BUILD / "rdkafka_performance.c"
        peer.write_bytes(gzip.decompress(packed.read_bytes()))
    if not peer.exists():
        raise Broken(f"{peer} is not there: it comes with Debian's librdkafka-dev, unless dpkg leaves out "
                     f"documentation "
                     "(/etc/dpkg/dpkg.cfg.d); then set RDKAFKA_PERFORMANCE_SOURCE to a copy from librdkafka's "
                     "examples/")
    stubs = HERE / "rdkafka/src"
    flags = (["-O2", "-w", f"-I{stubs}", "-I/usr/include/librdkafka"], ["-lrdkafka", "-lz", "-lrt"])
    tools["rdkafka_performance"] = compile_c("rdkafka_performance", [peer], flags, sorted(stubs.glob("*.h")))
    return tools


def build_crossfade(given):
    if given:
        path = pathlib.Path(given).resolve()
        if not os.access(path, os.X_OK):
            raise Broken(f"{path} cannot be executed")
        return path
    command = ["swift", "build", "-c", "release", "--product", "crossfade", "--package-path", str(ROOT)]
    if os.environ.get("CROSSFADE_SCRATCH"):
        command += ["--scratch-path", os.environ["CROSSFADE_SCRATCH"]]
    say(f"bench: {' '.join(command)}")
    try:
        if subprocess.run(command, stdout=sys.stderr).returncode:
            raise Broken("the release build failed")
        folder = subprocess.run([*command, "--show-bin-path"], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise Broken("swift is not on the PATH") from None
    return pathlib.Path(folder.stdout.strip()) / "crossfade"


# --- processes ------------------------------------------------------------------------------------------------------


class Processes:
    """What this run started and must end, by process id."""

    def __init__(self):
        self.running = []

    def start(self, command, **options):
        process = subprocess.Popen(command, **options)
        self.running.append(process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.remove(process)

    def end_all(self):
        for process in list(self.running):
            self.end(process)


def measured(command, limit, log, cwd=None):
    """Runs a command to its end: exit status, stdout, CPU seconds (user + system), peak memory in bytes, wall seconds.

    CPU and memory are the kernel's for that one process (wait4), taken when it has ended.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, open(log, "ab") as talk:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=talk, cwd=cwd)
        usage, status = None, 0
        try:
            while usage is None:
                pid, status, found = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    usage = found
                elif time.monotonic() - began > limit:
                    raise Broken(f"{command[0]} was not done after {limit} s; its stderr: {log}")
                else:
                    time.sleep(0.01)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode(errors="replace")
    return {"status": process.returncode, "stdout": text, "cpu": usage.ru_utime + usage.ru_stime,
            "memory": usage.ru_maxrss * 1024, "wall": time.monotonic() - began}


# --- the broker and the topic ----------------------------------------------------------------------------------------


def stack_program():
    named = os.environ.get("CROSSFADE_STACK")
    path = pathlib.Path(named) if named else ROOT.parent / "shared/stack/stack"
    if path.exists():
        return path.resolve()
    if named:
        raise Broken(f"CROSSFADE_STACK={named} is not there")
    return None


def stack(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise Broken(f"{program} {' '.join(arguments)}: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def load_topic(options, tools, processes):
    """A full topic: loadgen's own report of it, with `broker` saying what serves it, and what undoes it."""
    choice, program = options.broker, stack_program() if options.broker in (None, "stack") else None
    choice = choice or ("stack" if program else "mock")
    command = [str(tools["loadgen"]), "--topic", options.topic, "--records", str(options.records)]
    if options.fresh:
        command.append("--fresh")
    undo = lambda: None
    if choice == "mock":
        say("bench: broker: librdkafka's mock, in the load generator's process")
        command += ["--mock", *(["--partitions", str(options.partitions)] if options.partitions else [])]
    else:
        if choice == "stack":
            if not program:
                raise Broken("there is no stack: set CROSSFADE_STACK, or use --broker mock or --broker HOST:PORT")
            address = stack(program, "start", "kafka-4.1", "--as", STACK_ID)
            command.append("--replace")
            if not options.keep:
                undo = lambda: stack(program, "wipe", STACK_ID)
        else:
            address = choice
        say(f"bench: broker: {choice} ({address})")
        command += ["--brokers", address, "--partitions", str(options.partitions or 6)]
    try:
        process = processes.start(command, stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        if not line:
            raise Broken(f"loadgen ended with {process.wait()}")
        if choice != "mock":
            processes.end(process)
    except BaseException:
        undo()
        raise
    report = json.loads(line)
    average = report["value_bytes"] / report["records"]
    how = "was there" if report["reused"] else f"loaded in {report['seconds']:.1f} s"
    say(f"bench: topic {report['topic']}: {report['records']} records of {average:.0f} bytes, "
        f"{report['partitions']} partitions, {how}")
    report["broker"] = "stack" if choice == "stack" else "mock" if choice == "mock" else "other"
    return report, undo


# --- one round --------------------------------------------------------------------------------------------------------


def peer_round(options, tools, topic, name, log):
    """rdkafka_performance in a group of its own: its own figures, which run from its first message to its last."""
    command = [str(tools["rdkafka_performance"]), "-G", name, "-t", topic["topic"], "-b", topic["bootstrap"],
               "-c", str(topic["records"]), "-X", "auto.offset.reset=earliest"]
    done = measured(command, options.limit, log)
    found = re.findall(r"^% (\d+) messages \((\d+) bytes\) consumed in (\d+)ms: (\d+) msgs/s", done["stdout"], re.M)
    if done["status"] or not found:
        raise Broken(f"rdkafka_performance ended with {done['status']}: {done['stdout'][-500:]}")
    messages, size, milliseconds, _ = map(int, found[-1])
    if messages != topic["records"] or size != topic["value_bytes"]:
        raise Broken(f"rdkafka_performance read {messages} messages of {size} bytes, the topic should have "
                     f"{topic['records']} of {topic['value_bytes']} (--fresh fills it anew)")
    return {"records_per_second": messages / (max(milliseconds, 1) / 1000), "seconds": milliseconds / 1000,
            "cpu_s_per_million": done["cpu"] / messages * 1e6, "memory_mb": done["memory"] / 1e6}


def last_json(text, what):
    for candidate in (text, text.strip().rpartition("\n")[2]):
        try:
            return json.loads(candidate)
        except ValueError:
            continue
    raise Broken(f"{what} wrote no JSON: {text[-500:]!r}")


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def crossfade_round(options, tools, topic, binary, name, folder, processes, log, more="", under=()):
    """A fresh sink, a fresh recipe (with the lines `more`): plan, init, and the replay that is measured, `under`
    another program where one is named."""
    sink_log = open(folder / "nullsink.log", "ab")
    sink = processes.start([str(tools["nullsink"]), "--port", "0", "--print-port", "--die-with-parent"],
                           stdout=subprocess.PIPE, stderr=sink_log, text=True)
    try:
        url = f"http://127.0.0.1:{int(sink.stdout.readline())}"
        recipe = folder / f"{name}.yaml"
        (folder / "mapping.json").write_text(json.dumps(MAPPING))
        recipe.write_text(RECIPE.format(name=name, bootstrap=topic["bootstrap"], topic=topic["topic"], sink=url,
                                        index=name) + more)
        fingerprint = None
        for command in ("plan", "init"):
            confirm = ["--confirm", fingerprint] if fingerprint else []
            done = measured([str(binary), command, str(recipe), "--format", "json", *confirm], 120, log, folder)
            if done["status"]:
                raise Broken(f"crossfade {command} ended with {done['status']}: {done['stdout'][-500:]}\n"
                             f"{log.read_text(errors='replace')[-1500:]}")
            fingerprint = fingerprint or last_json(done["stdout"], "crossfade plan").get("fingerprint")
        done = measured([*under, str(binary), "replay", str(recipe), "--format", "json"], options.limit, log, folder)
        if done["status"]:
            raise Broken(f"crossfade replay ended with {done['status']}: {done['stdout'][-500:]}\n"
                         f"{log.read_text(errors='replace')[-1500:]}")
        summary = last_json(done["stdout"], "crossfade replay")
        sunk = json.loads(fetch(url + "/_nullsink/stats"))
        sample = fetch(url + "/_nullsink/sample").decode(errors="replace")
    finally:
        processes.end(sink)
        sink_log.close()
    check_round(topic, summary, sunk, sample)
    seconds = summary["seconds"]
    return {"records_per_second": topic["records"] / seconds, "seconds": seconds,
            "cpu_s_per_million": done["cpu"] / topic["records"] * 1e6, "memory_mb": done["memory"] / 1e6,
            "wall_seconds": done["wall"], "sink_seconds": sunk["seconds"],
            "sink_cpu_s_per_million": sunk["cpu_seconds"] / topic["records"] * 1e6,
            "bulk_requests": sunk["bulk_requests"],
            "bulk_bytes": sunk["bytes"], "connections": sunk["connections"], "summary": summary}


def check_round(topic, summary, sunk, sample):
    """A round counts only if the summary, the sink and the clock agree."""
    records, outcomes = topic["records"], summary.get("outcomes", {})
    wrong = []
    if summary.get("read") != records:
        wrong.append(f"read {summary.get('read')} of {records}")
    if outcomes.get("indexed") != records:
        wrong.append(f"indexed {outcomes.get('indexed')} of {records}: {outcomes}")
    if sunk["items"] < records:
        wrong.append(f"the sink acknowledged {sunk['items']} operations of {records}")
    if not summary.get("seconds") or summary["seconds"] < 0.95 * sunk["seconds"]:
        wrong.append(f"the summary says {summary.get('seconds')} s, the sink was busy for {sunk['seconds']} s")
    if '"tags":[{"keyToValue":"' not in sample.replace(" ", "") or "external" not in sample:
        wrong.append(f"the first bulk is not what keyToValue with external versions makes: {sample[:600]!r}")
    if wrong:
        raise Broken("this round does not count: " + "; ".join(wrong))


# --- all of it --------------------------------------------------------------------------------------------------------


def table(rounds, result):
    lines = ["", f"{'round':>7} {'rdkafka_performance/s':>22} {'crossfade/s':>12} {'ratio':>6} {'cpu s/M':>8} "
                 f"{'peak MB':>8} {'bulks':>6} {'sink s':>7} {'peer cpu s/M':>13}"]
    for i, r in enumerate(rounds, 1):
        peer, ours = r["rdkafka_performance"], r["crossfade"]
        lines.append(f"{i:>7} {peer['records_per_second']:>22,.0f} {ours['records_per_second']:>12,.0f} "
                     f"{r['ratio']:>6.3f} "
                     f"{ours['cpu_s_per_million']:>8.2f} {ours['memory_mb']:>8.1f} {ours['bulk_requests']:>6} "
                     f"{ours['sink_seconds']:>7.2f} {peer['cpu_s_per_million']:>13.2f}")
    lines.append(f"{'median':>7} {result['rdkafka_performance_records_per_second']:>22,.0f} "
                 f"{result['records_per_second']:>12,.0f} {result['ratio']:>6.3f} {result['cpu_s_per_million']:>8.2f} "
                 f"{result['memory_mb']:>8.1f} (the largest)")
    lines.append("")
    for name, (relation, goal) in GOALS.items():
        lines.append(f"{name}: {result[name]:.3f}, goal {relation} {goal}: "
                     f"{'met' if result['meets'][name] else 'MISSED'}")
    return "\n".join(lines)


def judged(rounds, topic):
    def middle(*path):
        values = []
        for entry in rounds:
            for key in path:
                entry = entry[key]
            values.append(entry)
        return statistics.median(values)

    result = {
        "benchmark": "replay",
        "ratio": round(middle("ratio"), 4),
        "cpu_s_per_million": round(middle("crossfade", "cpu_s_per_million"), 4),
        "memory_mb": round(max(r["crossfade"]["memory_mb"] for r in rounds), 1),
        "records_per_second": round(middle("crossfade", "records_per_second")),
        "rdkafka_performance_records_per_second": round(middle("rdkafka_performance", "records_per_second")),
    }
    result["meets"] = {name: result[name] >= goal if relation == ">=" else result[name] <= goal
                       for name, (relation, goal) in GOALS.items()}
    result |= {"records": topic["records"], "record_bytes": round(topic["value_bytes"] / topic["records"], 1),
               "partitions": topic["partitions"], "broker": topic["broker"], "processors": os.cpu_count()}
    return result


class Setting:
    """What a benchmark's rounds stand on: tools, binary, the filled topic, a folder. All of it is gone afterwards; of a
    run that failed the folder stays."""

    def __init__(self, options):
        self.options = options
        self.tools, self.binary = build_tools(), build_crossfade(options.crossfade)
        self.load = os.getloadavg()[0]
        if self.load > os.cpu_count():
            say(f"bench: the machine is busy (load {self.load:.1f}): these figures are for a look only")
        self.processes, self.stamp = Processes(), f"{os.getpid()}-{int(time.time()) % 100000}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="crossfade-bench-"))

    @contextlib.contextmanager
    def topic(self):
        undo, kept = (lambda: None), True
        try:
            topic, undo = load_topic(self.options, self.tools, self.processes)
            yield topic
            kept = False
        finally:
            self.processes.end_all()
            undo()
            if kept and any(self.folder.iterdir()):
                say(f"bench: recipes and logs are in {self.folder}")
            else:
                shutil.rmtree(self.folder, ignore_errors=True)

    def crossfade_round(self, topic, name, *more, binary=None, under=()):
        return crossfade_round(self.options, self.tools, topic, binary or self.binary, name, self.folder,
                               self.processes, self.folder / "crossfade.log", *more, under=under)

    def tell(self, result, shown):
        """Prints what was found; the exit code."""
        if self.options.format == "json":
            say(shown)
            print(json.dumps(result))
        else:
            print(shown)
        return 3 if self.options.gate and not all(result["meets"].values()) else 0


def replay(options):
    setting = Setting(options)
    tools, stamp, log = setting.tools, setting.stamp, setting.folder / "rdkafka_performance.log"
    with setting.topic() as topic:
        for i in range(options.warmup): # the broker's JVM compiles its hot paths; counted for nobody
            peer_round(options, tools, topic, f"bench-warm-{stamp}-{i}", log)
        rounds = []
        for i in range(options.rounds):
            parts = {
                "rdkafka_performance": lambda: peer_round(options, tools, topic, f"bench-peer-{stamp}-{i}", log),
                "crossfade": lambda: setting.crossfade_round(topic, f"bench-{stamp}-{i}"),
            }
            order = list(parts) if i % 2 == 0 else list(reversed(parts))
            entry = {name: parts[name]() for name in order}
            ours, theirs = (entry[name]["records_per_second"] for name in ("crossfade", "rdkafka_performance"))
            entry["ratio"] = ours / theirs
            rounds.append(entry)
            say(f"bench: round {i + 1} of {options.rounds}: rdkafka_performance "
                f"{entry['rdkafka_performance']['records_per_second']:,.0f}/s, crossfade "
                f"{entry['crossfade']['records_per_second']:,.0f}/s, ratio {entry['ratio']:.3f}")
    result = judged(rounds, topic) | {"load_before": round(setting.load, 2), "rounds": rounds}
    return setting.tell(result, table(rounds, result))


def watching(options):
    """`scripts/bench operations`."""
    setting = Setting(options)
    with setting.topic() as topic:
        def run(name, more):
            return setting.crossfade_round(topic, name, more)

        for i in range(options.warmup):
            run(f"bench-warm-{setting.stamp}-{i}", 'operations:\n  listen: "off"\n')
        found = operations.pairs(sys.modules[__name__], options, run, setting.stamp)
    result = operations.judged(found, topic) | {"load_before": round(setting.load, 2), "pairs": found}
    return setting.tell(result, operations.table(found, result))


def comparing(options):
    """`scripts/bench compare`."""
    setting = Setting(options)
    binaries = {"before": build_crossfade(options.before), "now": setting.binary}
    with setting.topic() as topic:
        def run(which, i):
            return setting.crossfade_round(topic, f"bench-{which}-{setting.stamp}-{i}", binary=binaries[which])

        for i in range(options.warmup):
            run("before", f"warm-{i}")
        found = compare.pairs(options.rounds, run, say)
    result = compare.judged(found, topic) | {"load_before": round(setting.load, 2), "pairs": found}
    return setting.tell(result, compare.table(found, result))


def counting(options):
    """`scripts/bench instructions`."""
    if not shutil.which("valgrind"):
        raise Broken("counting needs Debian's valgrind")
    setting = Setting(options)
    binaries = {"before": build_crossfade(options.before), "now": setting.binary}
    records, base = options.records, options.topic
    counts = {which: [] for which in binaries}
    for options.records in (records, 2 * records):
        options.topic = f"{base}-{options.records}"
        setting.folder.mkdir(exist_ok=True)
        with setting.topic() as topic:
            for which, binary in binaries.items():
                name = f"bench-{which}-{setting.stamp}-{options.records}"
                out = setting.folder / f"{name}.callgrind"
                setting.crossfade_round(topic, name, binary=binary,
                                        under=["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"])
                counts[which].append(instructions.counted(out.read_text(errors="replace")))
                say(f"bench: {which}, {options.records:,} records: {counts[which][-1]:,} instructions")
    builds = {which: instructions.split(*found, records) for which, found in counts.items()}
    result = instructions.judged(builds, records, topic)
    return setting.tell(result, instructions.table(result))


def verifying(options):
    """`scripts/bench verify`."""
    setting = Setting(options)
    try:
        rounds = verify.measure(sys.modules[__name__], options, setting.binary, setting.folder, MAPPING)
    finally:
        say(f"bench: the recipe and the log are in {setting.folder}")
    result = verify.judged(rounds, options, os.cpu_count()) | {"load_before": round(setting.load, 2), "rounds": rounds}
    return setting.tell(result, verify.table(rounds, result))


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def embedded_rate(options):
    """`scripts/bench embedded`."""
    program = build_crossfade(options.crossfade)
    found = embedded.measure(program, MAPPING, options.persona, options.documents, options.clients, options.rounds, say)
    if options.format == "json":
        print(json.dumps(found))
    else:
        print(f"{found['documents_per_second']:,.0f} documents/s (median of {len(found['rates'])}, {options.persona})")
    return 0


def add_options(run, rounds):
    run.add_argument("--format", choices=["text", "json"], default="text",
                     help="json: one line on stdout, the table on stderr")
    run.add_argument("--rounds", type=positive, default=rounds)
    run.add_argument("--records", type=positive, default=1_000_000)
    run.add_argument("--broker", metavar="stack|mock|HOST:PORT",
                     help="default: the stack's Kafka (CROSSFADE_STACK, ../shared/stack/stack), else librdkafka's mock")
    run.add_argument("--partitions", type=positive, help="default: 6; on the mock as many as its 5 MiB each ask for")
    run.add_argument("--topic", default="crossfade-bench",
                     help="filled if it is not there; at HOST:PORT only --fresh replaces another content")
    run.add_argument("--fresh", action="store_true", help="fill the topic anew")
    run.add_argument("--keep", action="store_true",
                     help="leave the stack's Kafka running with the topic, for the next run")
    run.add_argument("--warmup", type=int, default=1, help="runs before the first round that count for nobody (1)")
    run.add_argument("--limit", type=positive, default=300, help="seconds that one run may take (300)")
    run.add_argument("--crossfade", metavar="PATH", default=os.environ.get("CROSSFADE_BIN"),
                     help="this binary instead of a release build (or CROSSFADE_BIN)")
    run.add_argument("--gate", action="store_true", help="exit 3 when a goal is missed")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench",
                                     description="Crossfade's benchmarks; see docs/performance.md.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("tools", help="build nullsink, loadgen and rdkafka_performance; print their paths as JSON")
    replays = verbs.add_parser("replay", help="topic -> keyToValue -> null sink, beside rdkafka_performance")
    watched = verbs.add_parser("operations",
                               help="the same replay with and without a scrape a second and ten dashboards, in pairs")
    against = verbs.add_parser("compare", help="two builds on the same topic, in alternating pairs")
    against.add_argument("--before", metavar="PATH", required=True, help="the binary to compare with")
    count = verbs.add_parser("instructions", help="two builds under valgrind: instructions per record, and of a start")
    count.add_argument("--before", metavar="PATH", required=True, help="the binary to compare with")
    for run, rounds in ((replays, 5), (watched, 10), (against, 10), (count, 1)):
        add_options(run, rounds)
    compared = verbs.add_parser("verify", help="verify of two clusters, beside two plain scrolls that look at nothing")
    add_options(compared, 3)
    compared.add_argument("--page", type=positive, default=1000, help="documents per page of the scrolls (1000)")
    node = verbs.add_parser("embedded", help="the embedded search node's own rate: _bulk over HTTP on loopback")
    node.add_argument("--format", choices=["text", "json"], default="text",
                      help="json: one line on stdout, the rest on stderr")
    node.add_argument("--persona", default="es-6.8", help="the server that it poses as (es-6.8)")
    node.add_argument("--documents", type=positive, default=400_000)
    node.add_argument("--clients", type=positive, default=2)
    node.add_argument("--rounds", type=positive, default=5)
    node.add_argument("--crossfade", metavar="PATH", default=os.environ.get("CROSSFADE_BIN"),
                      help="this binary instead of a release build (or CROSSFADE_BIN)")
    count.set_defaults(records=200_000)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)) # so that `finally` ends what was started
    try:
        if options.verb == "tools":
            print(json.dumps({name: str(path) for name, path in build_tools().items()}))
            return 0
        verbs = {"verify": verifying, "operations": watching, "compare": comparing, "instructions": counting,
                 "embedded": embedded_rate}
        return verbs.get(options.verb, replay)(options)
    except Broken as problem:
        say(f"bench: {problem}")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

"""Runs the built binary, to its end or as a process that is signalled; all its output is kept in files."""
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import time

from stack import ROOT, wait_for

OUTCOMES = {"indexed", "deleted", "merged", "stale", "superseded", "skipped", "dead_lettered", "gone"}
DONE, FAILED, USAGE, REFUSED, DIFFERS, INTERRUPTED = 0, 1, 2, 3, 4, 130


def path():
    """CROSSFADE_BINARY, else the release build, else the debug build."""
    named = os.environ.get("CROSSFADE_BINARY")
    candidates = [pathlib.Path(named)] if named else [ROOT / ".build/release/crossfade",
                                                      ROOT / ".build/debug/crossfade"]
    for candidate in candidates:
        if candidate.exists():
            return candidate.resolve()
    return None


def command_line():
    """The command that starts the binary. A Python file may replace it, to try the tests themselves."""
    binary = path()
    assert binary, "crossfade is not built: swift build -c release, or CROSSFADE_BINARY"
    return ["python3", str(binary)] if binary.suffix == ".py" else [str(binary)]


class Result:
    def __init__(self, arguments, code, out, err, seconds):
        self.arguments, self.code, self.out, self.err, self.seconds = arguments, code, out, err, seconds

    def __str__(self):
        return (f"crossfade {' '.join(self.arguments)} -> {self.code} after {self.seconds:.1f} s\n"
                f"--- stdout\n{self.out[-3000:]}\n--- stderr\n{self.err[-3000:]}")

    @property
    def json(self):
        """The last JSON object of stdout, on one line or over several."""
        found = last_object(self.out)
        assert found is not None, f"no JSON object on stdout\n{self}"
        return found

    def expect(self, *codes):
        assert self.code in codes, f"expected exit code {' or '.join(map(str, codes))}\n{self}"
        return self

    @property
    def summary(self):
        """The summary of copy, replay or follow; checks that every record read has exactly one outcome."""
        summary = self.json
        assert set(summary["outcomes"]) == OUTCOMES, f"outcomes are {set(summary['outcomes'])}\n{self}"
        reconciles(summary, self)
        for partition in summary.get("partitions", []):
            reconciles(partition, self)
        return summary


def reconciles(counts, about):
    """Checks that every record read has exactly one outcome or is in flight."""
    assert sum(counts["outcomes"].values()) + counts.get("in_flight",
                                                         0) == counts["read"], f"outcomes do not sum to read\n{about}"


def last_object(text):
    decoder, at, found = json.JSONDecoder(), 0, None
    while (at := text.find("{", at)) >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            at += 1
            continue
        found, at = value, end
    return found


class Run:
    """One process of the binary."""

    numbers = itertools.count(1)

    def __init__(self, arguments, folder, env=None):
        self.arguments = [str(a) for a in arguments]
        base = pathlib.Path(folder) / f"{next(Run.numbers):03d}-{self.arguments[0] if self.arguments else 'none'}"
        self.out_file, self.err_file = base.with_suffix(".out"), base.with_suffix(".err")
        self.began = time.monotonic()
        with open(self.out_file, "wb") as out, open(self.err_file, "wb") as err:
            self.process = subprocess.Popen(
                [*command_line(), *self.arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder,
                env={**os.environ, **(env or {})}, start_new_session=True)

    @property
    def running(self):
        return self.process.poll() is None

    def assigned(self, times=1, seconds=120):
        """Waits until this member of the group has got partitions for the n-th time; it must not end meanwhile.

        Before that it may not listen to signals yet, and an offset that somebody else commits decides where it begins.
        The group waits for members that were killed until their sessions end; 45 s by default, twice that for some.
        """
        def got():
            if self.err_file.read_text(errors="replace").count("partitions assigned") >= times:
                return True
            assert self.running, f"it ended\n{self.result(self.process.returncode)}"
            return False
        wait_for(f"partitions of {self.arguments[0]}", got, seconds)

    def wait(self, seconds):
        """Its result; kills it and raises AssertionError when it takes longer."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still running after {seconds} s\n{self.result(None)}") from None
        return self.result(code)

    def result(self, code):
        return Result(self.arguments, code, self.out_file.read_text(errors="replace"),
                      self.err_file.read_text(errors="replace"), time.monotonic() - self.began)

    def terminate(self, seconds=60):
        """SIGTERM, then its result: it drains and commits."""
        if self.running:
            self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        return self.result(self.process.returncode)


class Crossfade:
    """The binary with a folder for its output; `close` ends the processes that still run."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.runs = []

    def start(self, *arguments, env=None):
        run = Run(arguments, self.folder, env)
        self.runs.append(run)
        return run

    def __call__(self, *arguments, seconds=120, env=None):
        return self.start(*arguments, env=env).wait(seconds)

    def close(self):
        for run in self.runs:
            if run.running:
                run.kill()

    def everything_said(self):
        return "".join(f.read_text(errors="replace") for run in self.runs for f in (run.out_file, run.err_file))


STACK_TRACE = re.compile(r"Fatal error|Stack dump|Thread \d+ crashed|^\s*(#\d+ |\d+ +0x)|\bat "
                         r"0x[0-9a-f]{6,}|Traceback", re.M)


def check_error(result, *names, code, secrets=(), seconds=15):
    """Checks a failed command: code, time, one paragraph on stderr that names `names`, no trace, no secret."""
    result.expect(code)
    assert result.seconds <= seconds, f"took {result.seconds:.1f} s\n{result}"
    said = result.err.strip()
    assert said, f"nothing on stderr\n{result}"
    for name in names:
        assert str(name) in said, f"stderr does not name {name!r}\n{result}"
    assert not STACK_TRACE.search(result.err), f"a stack trace on stderr\n{result}"
    # after the log lines, if there are any
    error = said[said.rfind("\ncrossfade: ") + 1:].split("\n\n")[-1]
    assert len(error) <= 1500, f"more than a paragraph\n{result}"
    for secret in secrets:
        assert secret not in result.out + result.err, f"a secret in the output\n{result}"

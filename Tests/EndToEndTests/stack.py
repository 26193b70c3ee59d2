"""The session's own servers, started by the `stack` program (CROSSFADE_STACK, default ../shared/stack/stack)."""
import os
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEARCH_SERVERS_AT_ONCE = 4


def program():
    """Path of the stack program, or None."""
    named = os.environ.get("CROSSFADE_STACK")
    if named is not None:
        return pathlib.Path(named) if named else None
    # a worktree stands beside others; shared/ is beside the repository
    for base in (ROOT.parent, ROOT.parent.parent):
        if (base / "shared/stack/stack").exists():
            return base / "shared/stack/stack"
    return None


class Stack:
    """Servers of one test session, with names and ports of their own; at most four search servers at once, oldest
    out."""

    def __init__(self):
        self.program = program()
        work = pathlib.Path(os.environ.get("CROSSFADE_E2E_DIR", ROOT / ".e2e"))
        # the unpacked servers are kept for the next session
        self.home = work / "stack"
        self.home.mkdir(parents=True, exist_ok=True)
        self.prefix = f"s{os.getpid()}-"
        self.search, self.started = [], set()
        self.addresses = {}
        self.clear_leftovers()

    def clear_leftovers(self):
        """Ends the servers of earlier sessions that were killed."""
        for folder in (self.home / "run").glob("s*-*"):
            pid = folder.name[1:].split("-")[0]
            if pid.isdigit() and not pathlib.Path(f"/proc/{pid}").exists():
                self.run("wipe", folder.name.replace("~", "/"), check=False)

    def run(self, *arguments, check=True, timeout=300):
        done = subprocess.run([str(self.program), *arguments], env={**os.environ, "STACK_DIR": str(self.home)},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        if check and done.returncode:
            raise RuntimeError(f"stack {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def start(self, name, ident=None, *options):
        """The address of a running server; starts it when it does not run. `ident`: for a second one of the same
        name."""
        ident = ident or name
        if not name.startswith("kafka"):
            if ident in self.search:
                self.search.remove(ident)
            while len(self.search) >= SEARCH_SERVERS_AT_ONCE:
                self.wipe(self.search[0])
            self.search.append(ident)
        if ident not in self.addresses:
            self.addresses[ident] = self.launch(name, ident, options)
        return self.addresses[ident]

    def launch(self, name, ident, options, attempts=3):
        """Starts a server. The port that was free when it was chosen can be a connection's when the server binds it;
        a server keeps its ports, so a new one is wiped then and gets others, and one with data is tried again."""
        fresh = ident not in self.started
        self.started.add(ident)
        for left in reversed(range(attempts)):
            try:
                return self.run("start", name, "--as", self.prefix + ident, *options)
            except RuntimeError as failure:
                if not left or "while starting" not in str(failure):
                    raise
                if fresh:
                    self.run("wipe", self.prefix + ident)

    def log(self):
        from log import Log  # which needs this module
        return Log(self.start("kafka-4.1"))

    def kill(self, ident):
        """A crash; `start` brings the server back with its data."""
        self.run("kill", self.prefix + ident)
        self.addresses.pop(ident, None)

    def pause(self, ident):
        """The server hangs: it accepts connections and answers nothing."""
        self.run("pause", self.prefix + ident)

    def resume(self, ident):
        self.run("resume", self.prefix + ident)

    def certificate(self, ident):
        return self.run("cert", self.prefix + ident)

    def wipe(self, ident):
        self.run("wipe", self.prefix + ident)
        self.addresses.pop(ident, None)
        self.started.discard(ident)
        if ident in self.search:
            self.search.remove(ident)

    def close(self):
        for ident in list(self.started):
            self.run("wipe", self.prefix + ident, check=False)


def wait_for(what, condition, seconds=60, pause=0.2):
    """The first true answer of `condition`; AssertionError that names what was waited for."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(pause)

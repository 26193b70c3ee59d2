"""The session's own servers, started by the `stack` program (CROSSFADE_STACK, default ../shared/stack/stack)."""
import os
import pathlib
import shutil
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEARCH_SERVERS_AT_ONCE = 4


def program():
    """Path of the stack program, or None."""
    named = os.environ.get("CROSSFADE_STACK")
    if named:
        return pathlib.Path(named)
    # a worktree of the repository stands beside others; shared/ is beside the repository
    for base in (ROOT.parent, ROOT.parent.parent):
        if (base / "shared/stack/stack").exists():
            return base / "shared/stack/stack"
    return None


def clear_leftovers(stack, work):
    """Ends the servers of sessions that were killed before they could."""
    for folder in work.glob("stack-*"):
        pid = folder.name.removeprefix("stack-")
        if pid.isdigit() and not pathlib.Path(f"/proc/{pid}").exists():
            subprocess.run([str(stack), "wipe", "--all"], env={**os.environ, "STACK_DIR": str(folder)},
                           stdin=subprocess.DEVNULL, capture_output=True)
            shutil.rmtree(folder, ignore_errors=True)


class Stack:
    """Servers of one test session: its own folder and ports; at most four search servers at once, oldest out."""

    def __init__(self, home=None):
        self.program = program()
        work = pathlib.Path(os.environ.get("CROSSFADE_E2E_DIR", ROOT / ".e2e"))
        self.home = pathlib.Path(home or work / f"stack-{os.getpid()}")
        clear_leftovers(self.program, work)
        self.home.mkdir(parents=True, exist_ok=True)
        # unpacked once, kept for the next session
        (work / "dist").mkdir(parents=True, exist_ok=True)
        if not (self.home / "dist").exists():
            (self.home / "dist").symlink_to(work / "dist")
        self.search = []
        self.addresses = {}

    def run(self, *arguments, check=True, timeout=300):
        done = subprocess.run([str(self.program), *arguments], env={**os.environ, "STACK_DIR": str(self.home)},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        if check and done.returncode:
            raise RuntimeError(f"stack {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def start(self, name, ident=None, *options):
        """The address of a running server; starts it when it does not run."""
        ident = ident or f"e2e-{name}"
        if not name.startswith("kafka"):
            if ident in self.search:
                self.search.remove(ident)
            while len(self.search) >= SEARCH_SERVERS_AT_ONCE:
                self.wipe(self.search[0])
            self.search.append(ident)
        if ident not in self.addresses:
            self.addresses[ident] = self.run("start", name, "--as", ident, *options)
        return self.addresses[ident]

    def kill(self, ident):
        """A crash; `start` brings it back with its data."""
        self.run("kill", ident)
        self.addresses.pop(ident, None)

    def stop(self, ident):
        self.run("stop", ident)
        self.addresses.pop(ident, None)

    def pause(self, ident):
        self.run("pause", ident)

    def resume(self, ident):
        self.run("resume", ident)

    def certificate(self, ident):
        return self.run("cert", ident)

    def wipe(self, ident):
        self.run("wipe", ident)
        self.addresses.pop(ident, None)
        if ident in self.search:
            self.search.remove(ident)

    def close(self):
        self.run("wipe", "--all", check=False)
        shutil.rmtree(self.home, ignore_errors=True)


def wait_for(what, condition, seconds=60, pause=0.2):
    """The first true answer of `condition`; AssertionError with what was waited for."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(pause)

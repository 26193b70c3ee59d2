"""The fault suite: runs its cells against real servers, and says one line for each; see `scripts/faults --help`."""
import argparse
import importlib
import os
import pathlib
import platform
import random
import sys
import threading
import time
import traceback
from dataclasses import dataclass

# `suite` must be one module, whether it is run or imported by the cells
sys.modules.setdefault("suite", sys.modules[__name__])

import endtoend  # noqa: E402, F401
import binary  # noqa: E402
import stack as stack_module  # noqa: E402

TARGETS = ("es-6.8", "es-8.17", "os-3")
FAMILIES = ("process", "servers", "network", "answers", "log", "records", "late")
CELLS = []


@dataclass
class Cell:
    name: str
    body: object
    short: dict
    long: dict
    disturbs: frozenset
    uses: frozenset
    targets: tuple
    target: str = ""
    number: int = 0
    report: object = None
    error: str = ""
    seconds: float = 0.0

    @property
    def slug(self):
        return "-".join("".join(c if c.isalnum() else " " for c in self.name.lower()).split())


def cell(name, short, long, disturbs=(), uses=(), targets=TARGETS):
    """A cell of the suite. `disturbs`: servers that it breaks for the others: "target", "kafka", "kafka3", "front"
    (Kafka's proxied listener). `uses`: those of them it needs whole beside the target and the one broker."""
    def register(body):
        CELLS.append(Cell(name, body, short, long, frozenset(disturbs), frozenset(uses) | {"kafka", "target"}, targets,
                          number=len(CELLS)))
        return body
    return register


class Make:
    """make(workload, ...) -> a Case on the cell's target; it is remembered for cleaning up."""

    def __init__(self, servers, cell, seed, folder):
        self.servers, self.cell, self.folder, self.cases = servers, cell, folder, []
        self.seed = random.Random(f"{seed}/{cell.name}/{cell.target}").randrange(1 << 31)

    def random(self):
        return random.Random(self.seed)

    def __call__(self, workload=(), **options):
        from case import Case
        case = Case(self.servers, self.folder, options.pop("target", self.cell.target), workload, seed=self.seed,
                    **options)
        self.cases.append(case)
        return case


class Locks:
    """Which cells may run together: cells share a server, unless one of them disturbs it."""

    def __init__(self):
        self.users, self.disturbed, self.condition = {}, set(), threading.Condition()

    def wants(self, cell):
        name = {"target": cell.target}
        return {name.get(s, s) for s in cell.uses - cell.disturbs}, {name.get(s, s) for s in cell.disturbs}

    def next(self, waiting):
        """Takes the first of `waiting` that may run now; None when there is none."""
        with self.condition:
            while waiting:
                for cell in waiting:
                    uses, disturbs = self.wants(cell)
                    free = not uses & self.disturbed and not disturbs & self.disturbed
                    if free and not any(self.users.get(s) for s in disturbs):
                        waiting.remove(cell)
                        self.disturbed |= disturbs
                        for server in uses:
                            self.users[server] = self.users.get(server, 0) + 1
                        return cell
                self.condition.wait()
            return None

    def done(self, cell):
        with self.condition:
            uses, disturbs = self.wants(cell)
            self.disturbed -= disturbs
            for server in uses:
                self.users[server] -= 1
            self.condition.notify_all()


def perform(cell, servers, arguments, folder):
    folder = folder / cell.slug
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.is_file():
            old.unlink()
    make, began = Make(servers, cell, arguments.seed, folder.resolve()), time.monotonic()
    try:
        cell.body(make, cell.long if arguments.long else cell.short)
    except BaseException as error:
        cell.error = f"{type(error).__name__}: {error}"
        (folder / "failure.txt").write_text(traceback.format_exc())
    cell.seconds = time.monotonic() - began
    if make.cases:
        cell.report = make.cases[0].report
    for case in make.cases:
        try:
            case.tidy()
        except Exception as error:
            print(f"  {cell.name}: tidying up: {error}", file=sys.stderr)


def line(cell):
    """fault, target, records, outcomes, duplicates applied, lost, resurrected, seconds"""
    report = cell.report
    text = f"{'ok    ' if not cell.error else 'FAILED'} {cell.name:<44} {cell.target:<8}"
    if report:
        text += (f" {report.records:>8} records: {outcomes(report)}; duplicates {report.duplicates}, lost "
                 f"{report.lost}, "
                 f"resurrected {report.resurrected}")
    text += f", {cell.seconds:.1f} s"
    if report and report.notes:
        text += f" ({'; '.join(report.notes)})"
    return text


def outcomes(report):
    return ", ".join(f"{report.outcomes[name]} {name}"
                     for name in sorted(report.outcomes, key=lambda n: -report.outcomes[n])) or "-"


def chosen(arguments):
    for family in FAMILIES:
        importlib.import_module(f"cells_{family}")
    assert len({cell.slug for cell in CELLS}) == len(CELLS), "two cells of one name"
    for n, cell in enumerate(CELLS):
        allowed = [t for t in TARGETS if t in cell.targets]
        # round robin, so that every target sees every family
        cell.target = arguments.target if arguments.target in allowed else allowed[n % len(allowed)]
    cells = [c for c in CELLS if arguments.target is None or arguments.target in c.targets]
    if arguments.only:
        wanted = [w.strip().lower() for w in arguments.only.split(",")]
        for w in wanted:
            if not any(w in (c.slug, c.name.lower()) or c.slug.startswith(w) for c in cells):
                sys.exit(f"no cell {w}; --list says what there is")
        cells = [c for c in cells if any(w == c.name.lower() or c.slug.startswith(w) for w in wanted)]
    return cells


def run(cells, arguments):
    from servers import Servers
    folder = pathlib.Path(os.environ.get("CROSSFADE_E2E_DIR", stack_module.ROOT / ".e2e")) / "faults"
    servers, locks = Servers(), Locks()
    # first the cells that need servers for themselves: the others fill the gaps
    waiting = sorted(cells, key=lambda c: (-len(c.disturbs), c.number))
    said = threading.Lock()

    def work():
        while cell := locks.next(waiting):
            perform(cell, servers, arguments, folder)
            locks.done(cell)
            with said:
                print(line(cell), flush=True)
                if cell.error:
                    print("       " + cell.error.replace("\n", "\n       ")[:3000], flush=True)
    try:
        workers = [threading.Thread(target=work, daemon=True) for _ in range(arguments.jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        servers.close()


def main():
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("--long", action="store_true", help="the long form of each cell")
    parser.add_argument("--only", metavar="CELL,...", help="these cells, by name or the beginning of their short name")
    parser.add_argument("--target", choices=TARGETS, help="all on one target; otherwise in turn")
    parser.add_argument("--seed", type=int,
                        default=int(os.environ.get("CROSSFADE_SEED", random.SystemRandom().randrange(1 << 31))))
    parser.add_argument("--jobs", type=int, default=3, help="cells at once, where they do not disturb each other (3)")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    cells = chosen(arguments)
    if arguments.list:
        for c in cells:
            print(f"{c.slug:<44} {c.target:<8} {c.name}")
        return 0
    if not stack_module.program():
        sys.exit("no real servers: CROSSFADE_STACK is not set and ../shared/stack/stack is not there")
    if not binary.path():
        sys.exit("crossfade is not built: swift build -c release, or CROSSFADE_BIN")
    began = time.time()
    print(f"seed {arguments.seed}; {'long' if arguments.long else 'short'} form; {len(cells)} cells; "
          f"{platform.machine()}, "
          f"{os.cpu_count()} cores; {binary.path().name}", flush=True)
    run(cells, arguments)
    failed = [c for c in cells if c.error]
    for c in failed:
        print(f"failed: {c.slug} (again: scripts/faults {'--long ' if arguments.long else ''}--only {c.slug} "
              f"--target {c.target} --seed {arguments.seed})")
    print(f"{len(cells) - len(failed)} passed, {len(failed)} failed, {time.time() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

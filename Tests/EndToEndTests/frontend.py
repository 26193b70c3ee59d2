"""The application's readers during a switch between two clusters: a flag says how many of 100 searches go to the new
one."""
import json
import sys
import threading
from collections import Counter

from rest import Cluster

# What `cutover.command` runs. A step is over when the readers have seen it and have searched some more; where `alarm`
# is there at a step of 25 or more, it goes back to 0 and fails.
SWITCH = """
import json, os, pathlib, sys, time
folder, steps = pathlib.Path(sys.argv[1]), [int(n) for n in sys.argv[2:]]

def turn(percent):
    (folder / "flag.new").write_text(str(percent))
    os.rename(folder / "flag.new", folder / "flag")
    while True:
        seen = json.loads((folder / "seen").read_text())
        if seen["percent"] == percent and seen["searches"] >= 40:
            return
        time.sleep(0.02)

for percent in steps if os.environ["CROSSFADE_DIRECTION"] == "rollover" else [0]:
    turn(percent)
    if percent >= 25 and (folder / "alarm").exists():
        turn(0)
        sys.exit("the dashboards show errors")
"""


class Frontend(threading.Thread):
    """Counts through the alias, one search after the other. `least`: fewer documents are wrong. `steps`:
    percentages."""

    def __init__(self, m, least, steps=(100,)):
        super().__init__(daemon=True)
        self.folder = m.crossfade.folder / f"frontend-{m.name}"
        self.folder.mkdir(exist_ok=True)
        for name, text in (("flag", "0"), ("seen", json.dumps({"percent": 0, "searches": 0}))):
            (self.folder / name).write_text(text)
        (self.folder / "switch.py").write_text(SWITCH)
        self.command = [sys.executable, str(self.folder / "switch.py"), str(self.folder), *map(str, steps)]
        self.clusters = Cluster(m.source.url), Cluster(m.target.url)
        self.path, self.least = f"/{m.alias}/_count", least
        self.wrong, self.asked = [], threading.Event()
        # percentage -> searches of the old and of the new cluster
        self.searches = {}

    def run(self):
        n = 0
        while not self.asked.wait(0.005):
            percent = int((self.folder / "flag").read_text())
            counts = self.searches.setdefault(percent, Counter())
            side = "new" if n * 37 % 100 < percent else "old"
            n += 1
            try:
                count = self.clusters[side == "new"].call("POST", self.path, {"query": {"match_all": {}}})["count"]
                if count < self.least:
                    self.wrong.append((percent, side, count))
            except Exception as error:
                self.wrong.append((percent, side, str(error)))
            counts[side] += 1
            self.tell(percent, sum(counts.values()))

    def tell(self, percent, searches):
        (self.folder / "seen.new").write_text(json.dumps({"percent": percent, "searches": searches}))
        (self.folder / "seen.new").rename(self.folder / "seen")

    def stop(self):
        self.asked.set()
        self.join(30)
        return self.searches

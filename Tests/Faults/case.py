"""A migration under faults: the end-to-end tests' migration with the fault proxy before its target, its counters summed
over all runs, and the judgement at the end."""
import random
from collections import Counter
from dataclasses import dataclass, field

import endtoend  # noqa: F401
import compare
from binary import DONE, INTERRUPTED, REFUSED, check_error
from faultproxy import FaultProxy
from migration import Migration
from model import SHAPES, Model
from stack import wait_for

SESSION = 6
TIMES = {"session.timeout.ms": str(SESSION * 1000), "heartbeat.interval.ms": "1500"}


@dataclass
class Report:
    """The result line of a cell."""

    records: int = 0
    outcomes: Counter = field(default_factory=Counter)
    duplicates: int = 0
    lost: int = 0
    resurrected: int = 0
    notes: list = field(default_factory=list)


class Case(Migration):
    """`toxics`: a toxiproxy proxy of this case's name stands before the fault proxy. `proxied_kafka`: Crossfade reaches
    Kafka through toxiproxy's proxy "kafka". `server`: the case's own, already started, that goes when the case goes."""

    def __init__(self, servers, folder, target, workload=(), *, seed, toxics=False, proxied_kafka=False, log=None,
                 server=None,
                 kafka=None, **sections):
        self.servers, self.server, self.own_server = servers, server or target, server is not None
        url = servers.search(target) if server is None else servers.search(target, server)
        plain, front = servers.kafka()
        self.proxy = FaultProxy(url, seed)
        self.random = random.Random(seed)
        self.report = Report()
        self.decoder = SHAPES[sections.get("shape", "envelope")]()
        address = self.proxy.url.removeprefix("http://")
        super().__init__(folder, log or plain, url, url, list(workload), kafka={**TIMES, **(kafka or {})},
                         target_url=self.proxy.url, **sections)
        self.toxics = servers.toxiproxy() if toxics else None
        if toxics:
            self.tree["target"]["url"] = f"http://{self.toxics.proxy(self.name, address)}"
        if proxied_kafka:
            self.tree["commands"]["bootstrap"] = front

    # counting

    def take(self, result, *codes):
        """A run that ended by itself: its outcomes sum to what it read (checked by `summary`) and are added up here."""
        summary = result.expect(*(codes or (DONE, INTERRUPTED))).summary
        self.report.records += summary["read"]
        self.report.outcomes.update({name: count for name, count in summary["outcomes"].items() if count})
        return summary

    def copy(self, seconds=300):
        return self.take(self.run("copy", seconds=seconds))

    def replay(self, seconds=300):
        return self.take(self.run("replay", seconds=seconds))

    def stop(self, follow):
        return self.take(follow.terminate())

    def note(self, text):
        self.report.notes.append(text)

    # steps

    def ready(self, copy=True, replay=True):
        """Creates topic, old index and recipe, runs init, and applies the first commands if the cell wants them."""
        self.prepare()
        self.init()
        if copy:
            self.copy()
        if replay:
            self.replay()
        return self

    def alone(self):
        """A recipe without a source: only the topic feeds the target."""
        self.tree.pop("source")
        self.tree["indices"][0].pop("from")
        self.write_recipe()

    def kind(self, key, value):
        """The model's meaning of the record."""
        return self.decoder.decode(key, value)[0]

    def purge(self):
        """Purges all tombstones if the binary can; returns whether it did."""
        if "purge" not in self.crossfade("--help", seconds=10).out:
            return False
        self.run("purge", "--all", seconds=120).expect(DONE)
        return True

    def released(self, count):
        """Releases the held requests to the target, and waits until it has answered them."""
        assert len(self.proxy.held) == count
        self.proxy.release()
        wait_for("the target's answers to what was held", lambda: self.proxy.delivered == count, 60)

    def rest(self):
        """Writes the commands that were kept for the time of the fault."""
        self.log.produce(self.topic, self.records[self.split:])

    def member(self, name=None, folder=None):
        """Another member of the group, with `group.instance.id` when it has a name."""
        tree = {**self.tree, "commands": {**self.tree["commands"]}}
        if name:
            tree["commands"]["kafka"] = {**tree["commands"]["kafka"], "group.instance.id": name}
        import recipes
        path = recipes.write(tree, self.crossfade.folder / f"recipe-{name or 'member'}.yaml")
        return self.crossfade.start("follow", path, "--format", "json")

    def operated(self, more, run, seconds=60):
        """Waits until the target has accepted this many more writes, while `run` runs."""
        aim = self.target.operations(self.new) + more

        def reached():
            return not run.running or self.target.operations(self.new) >= aim
        wait_for(f"{more} more writes", reached, seconds, pause=0.02)

    def refused(self, result, *names):
        check_error(result, *names, code=REFUSED, seconds=300)

    def faults_done(self, *kinds):
        """The faults really happened: a cell without a fault shows nothing."""
        for kind in kinds:
            assert self.proxy.done[kind], f"the proxy never did {kind}: {dict(self.proxy.done)}"
        self.note(", ".join(f"{self.proxy.done[kind]} x {kind}" for kind in kinds))

    # the end

    def judge(self, truth=None, versions=True, deleted_are_gone=False):
        """Compares the target with the model, document by document, and counts what the target applied twice."""
        truth = truth or self.truth()
        found = compare.compare(self.target, self.new, truth.expected, truth.versions if versions else None,
                                truth.deleted)
        if deleted_are_gone:
            left = self.target.count(self.new, compare.DEAD)
            assert not left, f"{left} tombstones are left after the purge"
        report = self.report
        report.lost = len(found.missing) + len(found.different)
        report.resurrected = len(found.extra)
        report.duplicates = len(self.proxy.applied.duplicates(self.new))
        assert self.proxy.applied.of(self.new), "the proxy saw no write at all"
        assert found.none, str(found)
        assert found.compared == len(truth.expected)
        assert not report.duplicates, f"applied twice: {self.proxy.applied.duplicates(self.new)[:5]}"
        return truth

    def kept(self):
        """The present records of the topic."""
        return Kept(self.log.read(self.topic))

    def truth_of(self, kept, floor=None):
        """What these records say. `floor`: partition -> offset; ids without a command at or after it have the copy's
        version."""
        truth = compare.Truth(kept, self.topic, Model(self.shape, self.revision))
        if floor is not None:
            newest = {}
            decoder = truth.model.decoder
            for partition, offset, key, value, *_ in kept.read(self.topic):
                ident = decoder.decode(key, value)[1]
                if ident is not None:
                    newest[ident] = offset >= floor.get(partition, 0)
            truth.versions = {i: v if newest[i] else 1 for i, v in truth.versions.items()}
            truth.deleted = {i for i in truth.deleted if newest[i]}
        return truth

    def forget(self, ident):
        """Leaves a document out of the comparison."""
        kind = f"{self.new}/incident" if self.target.typed else f"{self.new}/_doc"
        self.target.call("DELETE", f"/{kind}/{ident}?refresh=true", missing_ok=True)

    def letters(self, expected):
        """Every record that cannot be applied is a dead letter, and no other record is."""
        letters, _ = self.dead_letters()
        assert len(letters) == expected, f"{len(letters)} records have dead letters, expected {expected}"

    def tidy(self):
        # first the writers, then the servers
        self.crossfade.close()
        self.proxy.__exit__()
        if self.toxics:
            self.toxics.remove(self.name)
        if self.own_server:
            self.log.delete(self.topic)
            return self.servers.release(self.server)
        super().tidy()


class Kept:
    """Records of a topic, read before they were deleted; replaces the log in `compare.Truth`."""

    def __init__(self, records):
        self.records = list(records)

    def read(self, _):
        return iter(self.records)

    def before(self, offsets):
        """Only the records before these offsets (partition -> offset)."""
        return Kept(r for r in self.records if r[1] < offsets.get(r[0], 0))

    def applied(self, offsets, versions, decoder):
        """Only the records before these offsets (partition -> offset), and those up to an id's version."""
        def is_applied(partition, offset, key, value, *_):
            return offset < offsets.get(partition, 0) or offset + 2 <= versions.get(decoder.decode(key, value)[1], 0)
        return Kept(r for r in self.records if is_applied(*r))

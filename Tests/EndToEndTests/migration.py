"""The migration of one test: names, topic, old index, recipe, and the steps with their checks."""
import itertools
import json
import time

import compare
import recipes
from binary import DONE, INTERRUPTED, Crossfade
from indexer import Indexer
from model import Model
from rest import Cluster
from stack import wait_for

numbers = itertools.count(1)


class Migration:
    """`shape`: the topic's format. `revision`: the field of the document that is its version."""

    def __init__(self, folder, log, source, target, workload=None, /, shape="envelope", revision=None, partitions=6,
                 copied=0.7, **sections):
        n = f"{int(time.time()) % 100_000}-{next(numbers)}"
        self.name, self.topic, self.old, self.new = f"m{n}", f"commands-{n}", f"old-{n}", f"new-{n}"
        self.log, self.shape, self.revision, self.partitions = log, shape, revision, partitions
        self.source, self.target = Cluster(source), Cluster(target)
        self.group = f"crossfade-{self.name}"
        self.crossfade = Crossfade(folder)
        if revision:
            sections["commands"] = {**sections.get("commands", {}), "version": {"field": f"message.{revision}"}}
        source_url = sections.pop("source_url", source)
        target_url = sections.pop("target_url", target)
        self.tree = recipes.recipe(self.name, log.bootstrap, self.topic, source_url, target_url, self.old, self.new,
                                   shape, **sections)
        self.records = list(workload) if workload is not None else []
        self.split = int(len(self.records) * copied)
        self.writer = None

    def write_recipe(self, name="recipe.yaml", **changes):
        """The recipe's file; `changes` are the `sections` of recipes.recipe."""
        self.recipe = recipes.write({**self.tree, **changes}, self.crossfade.folder / name)
        return self.recipe

    def through(self, **urls):
        """A second recipe, with other URLs of `source` and `target`, such as a proxy's; `recipe` stays as it is."""
        sides = {side: {**self.tree[side], "url": url} for side, url in urls.items()}
        return recipes.write({**self.tree, **sides}, self.crossfade.folder / "through.yaml")

    def prepare(self, indexed=True):
        """Creates the topic with the first commands, the old index as the application wrote it, and the recipe."""
        self.log.create(self.topic, self.partitions)
        self.log.produce(self.topic, self.records[:self.split])
        if indexed:
            indexer = Indexer(self.source, self.old, self.shape, self.revision)
            # in the order of the log, like every consumer, whatever the order of sending was
            indexer.apply([record[2:4] for record in self.log.read(self.topic)])
            self.old_documents = len(indexer.model.documents)
            assert self.source.count(self.old) == self.old_documents
        self.write_recipe()
        return self

    # the steps

    def run(self, command, *more, seconds=300):
        return self.crossfade(command, self.recipe, "--format", "json", *more, seconds=seconds)

    def plan(self):
        plan = self.run("plan", seconds=60).expect(DONE).json
        assert plan["fingerprint"] and plan["rails"], json.dumps(plan, indent=1)
        assert all(rail["verdict"] in ("ok", "warn") for rail in plan["rails"]), json.dumps(plan["rails"], indent=1)
        return plan

    def init(self):
        """plan, then init with its fingerprint; the index exists and the fingerprint is still the same."""
        plan = self.plan()
        assert self.new not in self.target.indices(), "plan made the index"
        self.run("init", "--confirm", plan["fingerprint"], seconds=60).expect(DONE)
        assert self.new in self.target.indices()
        return plan

    def copy(self, seconds=300):
        return self.run("copy", seconds=seconds).expect(DONE).summary

    def replay(self, seconds=300):
        return self.run("replay", seconds=seconds).expect(DONE).summary

    def start(self, command, *more):
        return self.crossfade.start(command, self.recipe, "--format", "json", *more)

    def status(self):
        return self.run("status", seconds=30).expect(DONE).json

    def lag(self):
        return self.log.lag(self.group, self.topic)

    def caught_up(self, *follows, seconds=120):
        """Waits until the group's committed offsets are the log's ends; none of `follows` may end meanwhile."""
        for follow in follows:
            # lag 0 may come from a replay that handed its end over to the group
            follow.assigned()

        def reached():
            for follow in follows:
                assert follow.running, f"follow ended\n{follow.result(follow.process.returncode)}"
            return self.lag() == 0
        wait_for(f"lag 0 of {self.group}", reached, seconds, pause=0.5)

    def stop(self, follow):
        """SIGTERM: the follower drains, commits and prints its summary."""
        return follow.terminate().expect(DONE, INTERRUPTED).summary

    def follow_rest(self, seconds=120):
        """Follows while the rest of the commands is written, until nothing is left; returns the summary."""
        follow = self.start("follow")
        self.log.produce(self.topic, self.records[self.split:])
        self.caught_up(follow, seconds=seconds)
        return self.stop(follow)

    # what must hold

    def truth(self):
        version = None if self.revision else (lambda offset: offset + 2)
        return compare.Truth(self.log, self.topic, Model(self.shape, self.revision), version or (lambda offset: offset))

    def check(self, versions=True):
        """Compares the target with the log, document by document."""
        truth = self.truth()
        truth.check(self.target, self.new, versions)
        return truth

    def snapshot(self):
        return compare.snapshot(self.target, self.new)

    def dead_letters(self):
        """(partition, offset) of the source record -> reason, for every record of the dead-letter topic; and their
        number."""
        found, count = {}, 0
        topic = self.tree["dead_letters"]["topic"]
        if topic not in self.log.topics():
            return found, 0
        originals = {(p, o): (k, v) for p, o, k, v, *_ in self.log.read(self.topic)}
        for _, _, key, value, headers, _ in self.log.read(topic):
            headers = {name: (text or b"").decode() for name, text in headers}
            assert headers["crossfade.topic"] == self.topic
            at = int(headers["crossfade.partition"]), int(headers["crossfade.offset"])
            # as it was
            assert originals[at] == (key, value), f"the dead letter of {at} is not what the topic has"
            assert headers["crossfade.reason"]
            found[at], count = headers["crossfade.reason"], count + 1
        return found, count

    def tidy(self):
        self.crossfade.close()
        if self.writer and self.writer.is_alive():
            self.writer.stop()
        for cluster, index in ((self.source, self.old), (self.target, self.new),
                               (self.target, f".crossfade-{self.name}")):
            cluster.call("DELETE", f"/{index}", missing_ok=True)
        topics = {self.topic, self.tree.get("dead_letters", {}).get("topic")}
        for topic in topics & self.log.topics():
            self.log.delete(topic)

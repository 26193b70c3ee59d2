"""Partial updates: one key hit by everything, documents that the copy has not reached, several members on the same
keys."""
import random

import pytest

import compare
import texts
from binary import DONE
from indexer import properties
from log import Writer
from memory import finish_watched
from model import Model
from workload import Workload

pytestmark = pytest.mark.embedded


def command(name, ident, message=None):
    return ident.encode(), texts.render({"command": name, "id": ident,
                                         **({} if message is None else {"message": message})}).encode()


def insert(ident, message):
    return command("InsertMessageCommand", ident, message)


def update(ident, message):
    return command("UpdateMessageCommand", ident, message)


def delete(ident):
    return command("DeleteMessageCommand", ident)


def hot(seed, count, ident="hot"):
    """Index, merge and delete of one id, and now and then of others in its partition."""
    source = Workload(seed, count, 1, 50)
    source.alive, source.rev, source.early = set(), {}, {}
    r = random.Random(seed)
    for n in range(count):
        yield from source.command(r, ident if n % 50 else f"{ident}-{n % 7}")


def test_hot_key(migrate, seed):
    """Waiting operations of a key become one write: a million commands of one id are not a million requests."""
    count = 50_000
    m = migrate("es-6.8", "es-8.17", hot(seed, count), copied=1.0, partitions=1, limits={"memory": "64MiB"})
    m.prepare()
    m.init()
    m.copy()
    before = m.target.operations(m.new)
    result, peak = finish_watched(m.start("replay"), 120)
    outcomes = result.expect(DONE).summary["outcomes"]
    m.check()
    assert m.target.operations(m.new) - before < count / 10, "the commands of the hot key were not coalesced"
    assert outcomes["superseded"] > count / 10 and outcomes["merged"] > 0 and outcomes["dead_lettered"] == 0, outcomes
    assert peak < (64 + 100) << 20, f"{peak >> 20} MiB with limits.memory of 64 MiB"
    after = m.snapshot()
    again = m.replay()["outcomes"]
    # a repeated delete renews its own tombstone: at most those of the one hot id and of the seven others
    assert again["stale"] + again["deleted"] == count and again["deleted"] <= 8, again
    assert m.snapshot() == after, "a repeated part was merged again"


def originals(r, count):
    """Documents that only the old cluster has."""
    source = Workload(1, 1, 1, 40)
    return {f"old-{n:04d}": source.document(r, f"old-{n:04d}") for n in range(count)}


def parts(r, count, idents):
    """Mostly updates of flattened tags, some deletes, some updates of ids that do not exist."""
    source = Workload(1, 1, 1, 40)
    for n in range(count):
        ident = r.choice(idents) if r.random() < 0.95 else f"new-{r.randrange(40)}"
        if r.random() < 0.05:
            yield delete(ident)
        else:
            tags = source.tags(r, 1, 3)
            # removes a tag that the document may have
            tags[f"key_{r.randrange(40):05d}"] = None
            yield update(ident, {"tags": tags, "severity": texts.number(n)})


def test_updates_of_what_is_not_copied_yet(migrate, seed):
    """Follow sees parts of documents that only the old cluster has; the copy comes later and must neither be lost nor
    win."""
    r = random.Random(seed)
    documents = originals(r, 600)
    idents = sorted(documents)
    # the new mapping refuses one document: its page and a part of it may come in any order
    documents["old-0000"]["severity"] = "not a number"
    records = [*parts(r, 4000, idents[1:400]), update("old-0000", {"status": "open"})]
    m = migrate("es-6.8", "es-8.17", records, copied=1.0)
    m.prepare(indexed=False)
    old = {**properties(m.source), "severity": {"type": "keyword"}}
    m.source.create(m.old, old)
    m.source.bulk(m.old, [("index", i, {}, texts.render(d)) for i, d in documents.items()])
    m.source.refresh(m.old)
    m.init()
    follow = m.start("follow")
    m.caught_up(follow)
    summary = m.stop(follow)
    assert summary["outcomes"]["dead_lettered"] == 0 and summary["read"] == len(records)
    m.target.refresh(m.new)
    assert m.target.count(m.new) < len(documents), "everything was there before the copy"
    copied = m.copy()
    assert copied["outcomes"]["stale"] > 300, copied
    model = Model()
    model.documents = {i: d for i, d in documents.items() if i != "old-0000"}
    versions = {}
    for number, partition, offset, key, value in apply_order(m):
        _, ident = model.apply(key, value, offset + 2)
        versions[ident] = offset + 2
    versions |= {i: 1 for i in documents if i not in versions}
    found = compare.compare(m.target, m.new, model.expected(), versions, set(model.last) - set(model.documents))
    assert found.none, str(found)


def apply_order(m):
    return ((n, p, o, k, v) for n, (p, o, k, v, *_) in enumerate(m.log.read(m.topic)))


def test_missing_documents_are_rejected_where_the_recipe_says_so(migrate):
    m = migrate("es-6.8", "es-8.17", [], copied=1.0, index={"missing": "reject"})
    m.prepare()
    m.init()
    m.copy()
    m.log.produce(m.topic, [update("nowhere", {"title": "part"}), insert("here", {"title": "whole"}),
                            update("here", {"status": "open"}), delete("here"), update("here", {"status": "closed"})])
    outcomes = m.replay()["outcomes"]
    assert outcomes["dead_lettered"] == 2, outcomes
    letters, _ = m.dead_letters()
    assert set(letters.values()) == {"missing_document"}
    found = compare.compare(m.target, m.new, {}, None, {"here"})
    assert found.none, str(found)


def test_several_members_on_the_same_keys(migrate, seed):
    """Two followers and replays over the same few keys at once: all of them write, and the versions decide."""
    count = 12_000
    r = random.Random(seed)
    source = Workload(seed, count, 12, 60)
    source.alive, source.rev, source.early = set(), {}, {}
    records = [record for _ in range(count) for record in source.command(r, f"inc-{r.randrange(12):06d}")]
    m = migrate("es-6.8", "es-8.17", records, copied=0.4, partitions=2)
    m.prepare()
    m.init()
    m.copy()
    followers = [m.start("follow"), m.start("follow")]
    for follow in followers:
        # before a replay ends and hands its end over to a group without members
        follow.assigned()
    m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=1500)
    m.writer.start()
    stale = 0
    while m.writer.is_alive():
        stale += m.replay()["outcomes"]["stale"]
    m.writer.finish()
    m.caught_up(*followers)
    read = sum(m.stop(follow)["read"] for follow in followers)
    assert read >= count
    assert stale > 0, "the members never met"
    m.check()

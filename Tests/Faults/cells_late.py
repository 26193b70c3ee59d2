"""Late writes: pages of a copy, requests of a former member, documents that the copy has not written yet."""
import time

from binary import DONE
from stack import wait_for
from suite import cell
from workload import Workload

GC = {"index": {"settings": {"number_of_shards": 2, "number_of_replicas": 0, "index.gc_deletes": "1s"}}}


def deletes(m, ids):
    import texts
    return [(i.encode(), texts.render({"command": "DeleteMessageCommand", "id": i}).encode()) for i in ids]


def alive(records):
    """Ids whose documents exist after these commands."""
    from model import Model
    model = Model()
    for key, value in records:
        model.apply(key, value)
    return set(model.documents)


@cell("delete, node restart, then a late copied page", short={"commands": 4000}, long={"commands": 60_000},
      disturbs={"target"})
def late_page(make, size):
    """A page of a copy that was killed is on its way while the copy is finished, its documents are deleted, the node
    forgets."""
    m = make(Workload(make.seed, size["commands"], size["commands"] // 4, 500), copied=1.0,
             copy={"slices": 2, "page": 200}, **GC)
    m.prepare()
    m.init()
    m.proxy.rule("hold", times=2)
    copy = m.start("copy")
    wait_for("held pages", lambda: len(m.proxy.held) == 2 or not copy.running, 30)
    assert copy.running
    copy.kill()
    m.copy()
    m.replay()
    follow = m.start("follow")
    gone = sorted(alive(m.records))
    m.log.produce(m.topic, deletes(m, gone[:len(gone) * 2 // 3]))
    m.caught_up(follow)
    m.stop(follow)
    purged = m.purge()
    time.sleep(1.5)
    m.servers.kill(m.server)
    m.servers.search(m.server)
    before = len(m.proxy.applied.of(m.new))
    m.released(2)
    truth = m.truth()
    m.judge(truth, deleted_are_gone=purged)
    assert len(m.proxy.applied.of(m.new)) == before, "the target took something of a late page"
    m.note(f"{len(gone) * 2 // 3} deletes" + (", their tombstones purged" if purged else ""))


@cell("a dead member's request after gc_deletes and its successor's delete", short={"commands": 2000},
      long={"commands": 60_000})
def late_request(make, size):
    m = make(Workload(make.seed, size["commands"], size["commands"] // 4, 500), copied=0.6, **GC).ready()
    first = m.start("follow")
    m.caught_up(first)
    m.proxy.rule("hold", times=3)
    m.rest()
    wait_for("held requests", lambda: m.proxy.held, 30)
    first.kill()
    m.proxy.clear()
    second = m.start("follow")
    m.caught_up(second)
    gone = sorted(alive(m.records))
    m.log.produce(m.topic, deletes(m, gone))
    m.caught_up(second)
    m.stop(second)
    # by now a server would have forgotten a real delete
    time.sleep(2.5)
    m.target.refresh(m.new)
    held = len(m.proxy.held)
    m.released(held)
    m.judge()
    m.note(f"{held} requests held, {len(gone)} deletes")


@cell("partial updates of tags before the copy comes", short={"commands": 8000, "rate": "1000/s"},
      long={"commands": 250_000, "rate": "8000/s"})
def merge_before_copy(make, size):
    """follow merges into documents that only the old cluster has; the later copy must not undo this."""
    m = make(Workload(make.seed, size["commands"], size["commands"] // 3, 300), copied=0.5,
             copy={"rate": size["rate"], "page": 100})
    m.log.create(m.topic, m.partitions)
    m.log.produce(m.topic, m.records[:m.split])
    start = m.log.ends(m.topic)
    m.log.delete(m.topic)
    m.tree["replay"] = {"from": {"offsets": {str(p): o for p, o in start.items()}}}
    m.prepare()
    m.init()
    follow = m.start("follow")
    m.rest()
    m.operated(size["commands"] // 100, follow)
    copy = m.start("copy")
    m.caught_up(follow)
    m.take(copy.wait(300), DONE)
    m.stop(follow)
    assert m.report.outcomes["merged"] > size["commands"] // 20, m.report.outcomes
    m.judge(m.truth_of(m.kept(), floor=start))

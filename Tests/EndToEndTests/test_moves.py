"""What cannot be attributed is never skipped and never guessed, and a document that moves is in one index only."""
import json

import pytest

from binary import DONE, REFUSED, check_error
from test_visible import produce

pytestmark = pytest.mark.embedded

MAPPING = {"properties": {"title": {"type": "keyword"}, "kind": {"type": "keyword"}, "org": {"type": "keyword"}}}
LIVE = {"bool": {"must_not": [{"term": {"crossfade_deleted": True}}]}}


def row(op, ident, before=None, after=None):
    """A change event; `before` and `after` get the id."""
    def whole(part):
        return None if part is None else {"id": ident, **part}
    return (json.dumps({"id": ident}).encode(),
            json.dumps({"before": whole(before), "after": whole(after), "op": op, "ts_ms": 1}).encode())


def null(ident):
    return json.dumps({"id": ident}).encode(), None


def a(title="a"):
    return {"title": title, "kind": "a"}


def b(title="b"):
    return {"title": title, "kind": "b"}


class Two:
    """A migration of two old indices, one a kind, into two new ones, by one topic."""

    def __init__(self, m, shape, select="after.kind", last=False, said=None, routing=None):
        self.m = m
        m.tree["commands"]["format"] = shape
        if shape != "envelope":
            m.tree["commands"].pop("envelope", None)
        if routing:
            m.tree["commands"].setdefault(shape, {})["routing"] = routing
        self.olds, self.news = [f"{m.old}-a", f"{m.old}-b"], [f"{m.new}-a", f"{m.new}-b"]
        entry = m.tree["indices"][0]
        m.tree["indices"] = [
            {**entry, "from": old, "to": new, "mapping": MAPPING, "transform": [],
             "settings": {"number_of_shards": 3, "number_of_replicas": 0},
             "select": {"field": select, "equals": kind, **(said or {})}}
            for old, new, kind in zip(self.olds, self.news, "ab")]
        if last:
            del m.tree["indices"][1]["select"]

    def begin(self, records, copied, partitions=1):
        """`copied`: place of the old index -> id -> document."""
        m = self.m
        m.log.create(m.topic, partitions)
        m.log.produce(m.topic, records)
        for place, old in enumerate(self.olds):
            m.source.create(old, {**MAPPING["properties"], "body": {"type": "keyword"}})
            m.source.bulk(old, [("index", str(ident), {}, json.dumps(document))
                                for ident, document in copied.get(place, {}).items()])
            m.source.refresh(old)
        m.write_recipe()
        return self

    def init(self):
        plan = self.m.run("plan", seconds=60).expect(DONE).json
        self.m.run("init", "--confirm", plan["fingerprint"], seconds=60).expect(DONE)
        return plan

    def whole(self):
        self.init()
        self.m.copy()
        return self.m.replay()["outcomes"]

    def live(self, fields="title"):
        """Both new indices: id -> title."""
        found = []
        for new in self.news:
            self.m.target.refresh(new)
            hits = list(self.m.target.scroll(new, LIVE))
            documents = {hit["_id"]: hit["_source"].get(fields) for hit in hits}
            assert len(documents) == len(hits), f"an id is twice in {new}: {hits}"
            found.append(documents)
        return found

    def letters(self):
        """Offset -> reason."""
        return {offset: reason for (_, offset), reason in self.m.dead_letters()[0].items()}

    def tidy(self):
        for old in self.olds:
            self.m.source.call("DELETE", f"/{old}", missing_ok=True)
        for new in self.news:
            self.m.target.call("DELETE", f"/{new}", missing_ok=True)


@pytest.fixture
def two(migrate):
    made = []

    def make(shape, source="es-6.8", target="es-8.17", **options):
        made.append(Two(migrate(source, target, partitions=1), shape, **options))
        return made[-1]
    yield make
    for pair in made:
        pair.tidy()


COPIED = {0: {str(n): a() for n in range(1, 9)}, 1: {"11": b(), "12": b()}}
# The default replica identity of Postgres: `before` has the key alone, or blanks for what may not be null.
UNATTRIBUTED = [
    row("d", 1, before={}),
    row("d", 2, before={"title": None, "kind": None}),
    row("d", 3, before={"title": "", "kind": ""}),
    null(4),
    row("d", 11, before={}),
]
ATTRIBUTED = [
    row("d", 5, before=a()), null(5),
    row("m", 6),
    row("d", 12, before=b()), null(12),
]


@pytest.mark.parametrize("last", [False, True])
def test_a_delete_that_does_not_say_where_it_belongs_is_a_dead_letter(two, last):
    """With a last entry without `select`, too: that one would get a tombstone of a document that it never had."""
    pair = two("debezium", last=last).begin(UNATTRIBUTED + ATTRIBUTED, COPIED)
    outcomes = pair.whole()
    assert pair.live() == [{str(n): "a" for n in (1, 2, 3, 4, 6, 7, 8)}, {"11": "b"}]
    assert pair.letters() == {n: "no_entry" for n in range(5)}
    assert outcomes["deleted"] == 2 and outcomes["skipped"] == 3, outcomes
    assert pair.m.target.count(pair.news[1], {"term": {"crossfade_deleted": True}}) == 1


def test_a_delete_of_every_entry(two):
    pair = two("debezium", said={"missing": "every"}).begin(UNATTRIBUTED + ATTRIBUTED, COPIED)
    outcomes = pair.whole()
    assert pair.live() == [{str(n): "a" for n in (6, 7, 8)}, {}]
    assert pair.letters() == {}
    assert outcomes["deleted"] == 7 and outcomes["skipped"] == 3, outcomes
    # what is repeated changes nothing
    pair.m.replay()
    assert pair.live() == [{str(n): "a" for n in (6, 7, 8)}, {}]


MOVES = [
    row("u", 1, before=a(), after=b("moved")),
    row("u", 2, after=b("moved")),
    row("u", 3, before=a(), after={"title": "elsewhere", "kind": "z"}),
    row("u", 4, after={"title": "elsewhere", "kind": "z"}),
    row("u", 5, before=a(), after=a("second")),
    row("u", 6, before={"kind": None}, after=b("moved")),
    row("u", 7, before=a(), after=b("moved")), row("u", 7, before=b("moved"), after=a("and back")),
    row("r", 11, after=a("moved")),
    row("c", 13, after=b("new")),
]
MOVED = [{"5": "second", "7": "and back", "8": "a", "11": "moved"},
         {"1": "moved", "2": "moved", "6": "moved", "12": "b", "13": "new"}]


def test_a_document_that_moves_is_in_one_index(two):
    pair = two("debezium").begin(MOVES, COPIED)
    pair.init()
    # In both orders: what was moved before the copy, and what comes back by the copy.
    pair.m.run("replay", seconds=60)
    pair.m.copy()
    pair.m.replay()
    assert pair.live() == MOVED
    assert pair.letters() == {}
    # nothing was there before, so there is no tombstone
    assert pair.m.target.count(pair.news[0], {"term": {"crossfade_deleted": True}}) == 5


@pytest.mark.real
def test_moves_survive_a_purge_and_a_second_copy(two):
    """The tombstones of moves are written again before a copy, as those of deletes are."""
    pair = two("debezium")
    for entry in pair.m.tree["indices"]:
        # without it, the servers themselves remember what was purged
        entry["settings"] = {**entry["settings"], "gc_deletes": "0s"}
    pair.begin(MOVES, COPIED).whole()
    assert pair.live() == MOVED
    pair.m.run("purge", "--all", seconds=60).expect(DONE)
    pair.m.target.refresh(pair.news[0])
    assert pair.m.target.count(pair.news[0], {"term": {"crossfade_deleted": True}}) == 0
    assert pair.m.copy()["outcomes"]["stale"] > 0
    assert pair.live() == MOVED, "the copy brought back what had moved"
    pair.m.replay()
    assert pair.live() == MOVED


def test_moves_never(two):
    """Two kinds that use the same ids."""
    pair = two("debezium", said={"moves": "never"})
    pair.begin([row("u", 1, after=b("other"))], {0: {"1": a()}, 1: {"1": b()}}).whole()
    assert pair.live() == [{"1": "a"}, {"1": "other"}]


def test_a_changed_routing_is_a_move(two):
    """The old copy lies in another shard, or in the same one: both are tried."""
    orgs = [f"org{n}" for n in range(12)]
    records = []
    for n, org in enumerate(orgs):
        records.append(row("c", n, after={**a("first"), "org": "org0"}))
        records.append(row("u", n, before={**a("first"), "org": "org0"}, after={**a("second"), "org": org}))
    pair = two("debezium", routing="org").begin(records, {})
    pair.whole()
    assert pair.live() == [{str(n): "second" for n in range(12)}, {}]
    assert pair.live("org")[0] == {str(n): org for n, org in enumerate(orgs)}


@pytest.mark.real
def test_a_restored_move_within_a_shard_leaves_the_copied_document(two):
    """Documents are copied that had changed their routing, and then their title, all within the only shard. A purge,
    and then a second replay and a second copy, which first bring tombstones back: what only the copy gave, because the
    replay begins after those changes, must neither go nor get older. (Found by the simulation, seeds
    17642248449432864691 and 16256568634692820677.)"""
    orgs = {str(n): f"org{n}" for n in range(12)}
    records = []
    for n, org in orgs.items():
        records.append(row("c", n, after={**a("first"), "org": "org0"}))
        records.append(row("u", n, before={**a("first"), "org": "org0"}, after={**a("second"), "org": org}))
        records.append(row("u", n, before={**a("second"), "org": org}, after={**a("third"), "org": org}))
    pair = two("debezium", routing="org")
    m, group = pair.m, f"app-{pair.m.name}"
    m.tree["commands"]["application_group"] = group
    m.tree["replay"] = {"from": "recorded", "recorded_margin": "1ms"}
    for entry in m.tree["indices"]:
        entry["settings"] = {**entry["settings"], "gc_deletes": "0s", "number_of_shards": 1}
    pair.begin([], {})
    produce(m, records)
    m.source.bulk(pair.olds[0], [("index", n, {"routing": org}, json.dumps({**a("third"), "org": org}))
                                 for n, org in orgs.items()])
    m.source.refresh(pair.olds[0])
    m.log.commit(group, m.topic, {0: len(records)})
    pair.init()
    m.copy()
    gone = {**a(), "org": "org1"}
    m.log.produce(m.topic, [row("c", "99", after=gone), row("d", "99", before=gone)])
    assert m.replay()["read"] == 3, "the last change and what follows"
    titles = dict.fromkeys(orgs, "third")
    assert pair.live("org") == [orgs, {}] and pair.live()[0] == titles
    assert m.run("purge", "--all", seconds=60).expect(DONE).json["purged"] == 1
    assert m.replay()["read"] == 3
    assert pair.live("org") == [orgs, {}] and pair.live()[0] == titles
    assert m.run("purge", "--all", seconds=60).expect(DONE).json["purged"] == 1
    m.copy()
    assert pair.live("org") == [orgs, {}] and pair.live()[0] == titles


def command(name, ident, **more):
    return str(ident).encode(), json.dumps({"command": name, "id": str(ident), **more}).encode()


def test_envelope(two):
    records = [
        command("DeleteMessageCommand", 1),
        command("UpdateMessageCommand", 2, message={"title": "part"}),
        (b"3", None),
        command("DeleteMessageCommand", 4, message={"kind": "a"}),
        command("InsertMessageCommand", 5, message=b("moved")),
        command("InsertMessageCommand", 6, message={"title": "elsewhere", "kind": "z"}),
        command("UpdateMessageCommand", 7, message={"title": "part", "kind": "a"}),
    ]
    pair = two("envelope", select="message.kind").begin(records, COPIED)
    outcomes = pair.whole()
    assert pair.live() == [{"1": "a", "2": "a", "3": "a", "7": "part", "8": "a"}, {"5": "moved", "11": "b", "12": "b"}]
    assert pair.letters() == {0: "no_entry", 1: "no_entry", 2: "no_value"}
    assert outcomes["deleted"] == 2 and outcomes["merged"] == 1, outcomes


def test_a_partial_update_that_moves_is_a_dead_letter(two):
    """What the part lacks lies in the other index, and would be lost with the move."""
    records = [
        command("UpdateMessageCommand", 1, message=b("part")),
        command("InsertMessageCommand", 2, message=b("moved")),
        command("UpdateMessageCommand", 2, message=b("part")),
        command("UpdateMessageCommand", 2, message=a("part")),
        command("UpdateMessageCommand", 20, message=a("new")),
        command("DeleteMessageCommand", 3, message={"kind": "a"}),
        command("UpdateMessageCommand", 3, message=a("after its delete")),
        command("UpdateMessageCommand", 4, message={"kind": "z"}),
        command("UpdateMessageCommand", 99, message={"kind": "z"}),
    ]
    pair = two("envelope", select="message.kind").begin(records, COPIED)
    pair.init()
    for step in (pair.m.replay, pair.m.copy, pair.m.replay):
        step()
        left = {str(n): "a" for n in (1, 4, 5, 6, 7, 8)} if step != pair.m.replay or "4" in pair.live()[0] else {}
        assert pair.live()[0] == {**left, "3": "after its delete", "20": "new"}
        assert pair.live()[1].get("2") == "part" and "1" not in pair.live()[1]
    assert set(pair.letters().items()) == {(0, "moves"), (3, "moves"), (7, "moves")}


def test_envelope_with_every_and_tombstones_as_deletes(two):
    records = [command("DeleteMessageCommand", 1), (b"3", None), command("DeleteMessageCommand", 11)]
    pair = two("envelope", select="message.kind", said={"missing": "every"})
    pair.m.tree["commands"]["envelope"].update(id="key", tombstone="delete")
    pair.begin(records, COPIED).whole()
    assert pair.live() == [{str(n): "a" for n in (2, 4, 5, 6, 7, 8)}, {"12": "b"}]
    assert pair.letters() == {}


def test_envelope_tombstone_ignored(two):
    pair = two("envelope", select="message.kind")
    pair.m.tree["commands"]["envelope"]["tombstone"] = "ignore"
    outcomes = pair.begin([(b"3", None)], COPIED).whole()
    assert outcomes["skipped"] == 1 and pair.letters() == {}


def test_document_format(two):
    """The value is the document: its kind can change, and a delete has none."""
    records = [(b"1", json.dumps(b("moved")).encode()), (b"2", json.dumps({"kind": "z"}).encode()), (b"11", None)]
    pair = two("document", select="kind", said={"missing": "every"}).begin(records, COPIED)
    pair.whole()
    assert pair.live() == [{str(n): "a" for n in range(3, 9)}, {"1": "moved", "12": "b"}]


def test_debezium_null_deletes_its_key(two):
    """Compaction may have taken the event before it."""
    pair = two("debezium")
    pair.m.tree["indices"] = pair.m.tree["indices"][:1]
    del pair.m.tree["indices"][0]["select"]
    wrapped = json.dumps({"schema": None, "payload": {"id": 2}}).encode()
    pair.begin([null(1), (wrapped, b'{"schema":null,"payload":null}')], COPIED)
    pair.news = pair.news[:1]
    pair.whole()
    assert pair.live() == [{str(n): "a" for n in range(3, 9)}]


def test_truncate_stops_the_work(two):
    """Every document of the table is gone, and the event names none: a dead letter would leave them all."""
    pair = two("debezium").begin([row("u", 1, before=a(), after=a("second"))], COPIED)
    pair.init()
    pair.m.copy()
    pair.m.log.produce(pair.m.topic, [row("t", 0), row("u", 2, before=a(), after=a("third"))])
    check_error(pair.m.run("replay", seconds=30), "offset 1", "truncate", pair.m.topic, code=REFUSED)
    assert pair.live()[0]["2"] == "a"
    pair.m.tree["commands"]["debezium"] = {"truncate": "ignore"}
    pair.m.write_recipe()
    plan = pair.m.run("plan", seconds=60).json
    pair.m.run("replay", "--confirm", plan["fingerprint"], seconds=60).expect(DONE)
    assert pair.live()[0]["2"] == "third"

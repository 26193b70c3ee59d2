"""What becomes of documents when a rail is switched off (`accept:`), and that `verify` finds each of them.

Every case is a refusal that was answered wrongly. An oracle in plain Python reads both indices and says what `verify`
has to find; nothing else may be found. Then it repairs what can be repaired.
"""
import json

import pytest

from binary import DIFFERS, DONE, FAILED, REFUSED
from proxy import Proxy
from test_compaction import SOON, compacted
from test_identity import TITLES, command, commands, documents, insert
from test_moves import MAPPING as KINDS, a, b, row
from test_verify import applied
from test_visible import Forbids

MISSING, EXTRA, CHANGED = "missing", "extra", "changed"
# what a finding is for the oracle; two of them have their own words for what is missing or extra
LIKE = {"missing": {MISSING}, "twin": {MISSING}, "extra": {EXTRA}, "two_routings": {MISSING, EXTRA},
        "different": {CHANGED}, "stale": {CHANGED}}


class World:
    """A migration whose recipe accepts one rail, from its first command to the point where both sides have applied
    everything."""

    def __init__(self, m, rail, name=lambda hit: hit["_id"]):
        self.m, self.rail, self.name = m, rail, name
        self.pairs = [(m.old, m.new)]
        # what of the old indices counts
        self.shown = {"match_all": {}}

    def begin(self, records, before, fields=None, partitions=1, index=None):
        """`before`: (id, metadata, document, type) of the old index, or a list of these for each of the old ones."""
        m = self.m
        m.tree["commands"]["application_group"] = f"app-{m.name}"
        m.tree["verify"] = {"settle": "3s", "folder": str(m.crossfade.folder / "verify"), **m.tree.get("verify", {})}
        if m.topic not in m.log.topics():
            m.log.create(m.topic, partitions)
        m.log.produce(m.topic, records)
        before = before if len(self.pairs) > 1 else [before]
        for (old, _), loaded in zip(self.pairs, before):
            kinds = sorted({kind for *_, kind in loaded}) or ["incident"]
            text = {"type": "string"} if m.source.version < (5, 0) else {"type": "keyword"}
            whole = fields or {"properties": {"title": text}}
            m.source.call("PUT", f"/{old}", {
                "settings": {"number_of_shards": 3, "number_of_replicas": 0, **(index or {})},
                "mappings": {kind: whole for kind in kinds} if m.source.typed else whole})
            for kind in kinds:
                m.source.bulk(old, [("index", ident, meta, json.dumps(text)) for ident, meta, text, own in loaded
                                    if own == kind], kind)
            if not index:
                m.source.refresh(old)
        m.write_recipe()
        return self

    def split(self, shape, select, **said):
        """Two entries, one a kind, as in test_moves.py."""
        m = self.m
        entry, self.pairs = m.tree["indices"][0], [(f"{m.old}-{kind}", f"{m.new}-{kind}") for kind in "ab"]
        m.tree["commands"]["format"] = shape
        m.tree["commands"].pop("envelope", None)
        m.tree["indices"] = [{**entry, "from": old, "to": new, "mapping": KINDS,
                              "select": {"field": select, "equals": kind, **said}}
                             for (old, new), kind in zip(self.pairs, "ab")]
        return self

    def refused(self):
        """The rail refuses until it is accepted."""
        plan = self.m.run("plan").expect(REFUSED).json
        assert self.rail in [rail["name"] for rail in plan["rails"] if rail["verdict"] == "refused"], plan["rails"]
        return self

    def accept(self, *more):
        self.m.tree["accept"] = [{"rail": rail, "why": "somebody was sure of it"} for rail in (self.rail, *more)]
        self.m.write_recipe()
        return self

    def work(self):
        plan = self.m.run("plan").expect(DONE).json
        self.m.run("init", "--confirm", plan["fingerprint"]).expect(DONE)
        self.m.copy()
        self.m.replay()
        return self

    def apply(self, *lines, kind="incident"):
        """The application's own indexer applies the commands to the first of the old indices."""
        return self.apply_to(0, *lines, kind=kind)

    def apply_to(self, place, *lines, kind="incident"):
        self.m.source.bulk(self.pairs[place][0], [(verb, ident, meta, text and json.dumps(text))
                                                  for verb, ident, meta, text in lines], kind)
        applied(self.m)
        return self

    # what is right, in plain Python

    def oracle(self):
        """What is wrong: (what, new index, id, routing)."""
        wrong = set()
        for old, new in self.pairs:
            self.m.source.refresh(old)
            self.m.target.refresh(new)
            left = {(self.name(hit), routing(hit)): hit["_source"] for hit in self.m.source.scroll(old, self.shown)}
            right = {(hit["_id"], routing(hit)): hit["_source"] for hit in self.m.target.scroll(new, {"match_all": {}})
                     if "crossfade_deleted" not in hit["_source"]}
            wrong |= {(MISSING, new, *key) for key in left.keys() - right.keys()}
            wrong |= {(EXTRA, new, *key) for key in right.keys() - left.keys()}
            wrong |= {(CHANGED, new, *key) for key in left.keys() & right.keys() if left[key] != right[key]}
        return wrong

    def verify(self, *more):
        """Verifies, and compares what was found with the oracle. Returns the receipt."""
        result = self.m.run("verify", *more)
        wrong, receipt = self.oracle(), result.json
        result.expect(DIFFERS if wrong else DONE)
        found = [(one["kind"], self.pairs[one["entry"]][1], one["id"], one.get("routing"))
                 for one in receipt["examples"]]
        for kind, *where in found:
            assert any((like, *where) in wrong for like in LIKE[kind]), f"{kind} {where} is not so: {wrong}"
        assert {tuple(where) for _, *where in found} == {tuple(where) for _, *where in wrong}, (found, wrong)
        assert len(found) == sum(receipt["totals"][kind] for kind in LIKE), receipt["totals"]
        self.receipt = receipt
        return self

    def finds(self, **kinds):
        """Verifies. `kinds`: the ids that are found, in one text or as a list."""
        found = {}
        for one in self.verify().receipt["examples"]:
            found.setdefault(one["kind"], set()).add(one["id"])
        assert found == {kind: set(ids) for kind, ids in kinds.items()}
        return self

    def repairs(self, *more, **left):
        """Repairs what can be repaired. `left`: how many documents are left, by reason, or refused by the index."""
        self.verify("--repair", "--yes", *more)
        totals = self.receipt["repair"]["totals"]
        refused = left.pop("refused", 0)
        assert (totals["left"], totals["refused"]) == (left, refused), totals
        return self

    @property
    def equal(self):
        return self.receipt["verdict"] == "equal"

    @property
    def notes(self):
        """id -> what the receipt says of it."""
        return {one["id"]: one["note"] for one in self.receipt["examples"] if one.get("note")}


def routing(hit):
    return hit.get("_routing") or (hit.get("fields") or {}).get("_routing")


@pytest.fixture
def world(migrate):
    made = []

    def make(rail, source="es-6.8", target="es-8.17", name=lambda hit: hit["_id"], **sections):
        sections.setdefault("mapping", TITLES)
        sections["index"] = {"transform": [], **sections.get("index", {})}
        made.append(World(migrate(source, target, partitions=1, **sections), rail, name))
        return made[-1]
    yield make
    for one in made:
        for old, new in one.pairs:
            one.m.source.call("DELETE", f"/{old}", missing_ok=True)
            one.m.target.call("DELETE", f"/{new}", missing_ok=True)


def updated(**meta):
    """What the application makes of `commands()` in its own index."""
    return [("index", str(n), meta, {"title": f"second {n}"}) for n in (0, 1, 2)] + [
        ("delete", str(n), meta, None) for n in (3, 4)]


# A. copy and commands mean different documents

def test_source_with_routing_and_recipe_without(world):
    """The copy wrote every document under `org0`, the commands beside it. Of 3, the tombstone lies in the shard of
    org0."""
    w = world("identity").begin(commands(), documents(routing="org0")).refused().accept().work()
    w.apply(*updated(routing="org0")).finds(different="0", two_routings="012567", extra="4")
    # no repair makes two documents one: the recipe is wrong
    w.repairs("--trust-source", log_agrees=6)
    assert not w.equal and {one["kind"] for one in w.receipt["examples"]} == {"two_routings"}


def test_recipe_with_routing_and_source_without(world):
    """What the copy cannot route is a dead letter. It is counted, and not expected."""
    w = world("identity")
    w.m.tree["commands"]["envelope"]["routing"] = "org"
    w.begin(commands(org="org0"), documents(9)).refused().accept("copy_deaths").work()
    w.apply(*updated()).finds(missing="8", two_routings="012567")
    w.repairs("--trust-source", log_agrees=6, refused=7)


def test_types_that_commands_do_not_name(world):
    w = world("identity", "es-2.4", name=lambda hit: f"{hit['_type']}-{hit['_id']}", index={"id": "{type}-{id}"})
    w.begin(commands(), documents(5) + documents(3, "note", 5)).refused().accept().work()
    w.apply(*updated()).finds(different=["incident-0", "incident-1", "incident-2"],
                              extra=["incident-3", "incident-4", *"012567"])
    assert '"incident-0"' in w.notes["0"] and '"note-5"' in w.notes["5"], w.notes
    w.repairs("--trust-source", log_agrees=6)
    assert {one["id"] for one in w.receipt["examples"]} == set("012567")


def test_keys_in_quotes(world):
    records = [(b'"%d"' % n, json.dumps({"title": f"second {n}"}).encode()) for n in range(8)] + [(b'"3"', None)]
    w = world("identity", shape="document").begin(records, documents()).refused().accept().work()
    quoted = [f'"{n}"' for n in range(8) if n != 3]
    w.apply(*[("index", str(n), {}, {"title": f"second {n}"}) for n in range(8) if n != 3],
            ("delete", "3", {}, None)).finds(different="0124567", extra=["3", *quoted])
    assert '"1"' in w.notes['"1"'], w.notes
    w.repairs("--trust-source", log_agrees=7)
    assert {one["id"] for one in w.receipt["examples"]} == set(quoted)


def test_deletes_that_the_application_has_not_done(world):
    records = [(str(n).encode(), json.dumps({"title": f"first {n}"}).encode()) for n in range(8)] + [(b"3", None)]
    w = world("identity", shape="document").begin(records, documents())
    applied(w.m)
    w.refused().accept().work().finds(missing="3").repairs("--trust-source", log_agrees=1)


def test_ids_under_several_routings(world):
    """The copy writes all of them into one shard, one over the other."""
    two = [("1", {"routing": org}, {"title": org, "org": org}, "incident") for org in "abcdef"]
    w = world("identity", settings={"number_of_shards": 1})
    w.m.tree["commands"]["envelope"]["routing"] = "org"
    w.begin([], two).accept().work().apply().finds(two_routings="1")
    assert w.receipt["totals"]["two_routings"] == w.m.source.count(w.m.old) - 1 > 0


def test_versions_of_a_source_that_counts_its_writes(world):
    """Every command is older than the copy."""
    def rev(n, title):
        return {"title": title, "rev": n}
    records = [command("InsertMessageCommand", str(n), message=rev(1, "first")) for n in range(8)]
    records += [command("InsertMessageCommand", str(n), message=rev(2, "second")) for n in range(8)]
    w = world("copy_version", copy={"version": "source"}, revision="rev")
    w.begin(records, [(str(n), {}, rev(1, "first"), "incident") for n in range(8)] * 4)
    w.m.log.commit(f"app-{w.m.name}", w.m.topic, {0: 8})
    w.refused().accept().work()
    w.apply(*[("index", str(n), {}, rev(2, "second")) for n in range(8)]).finds(stale="01234567")
    assert w.repairs().equal


# B. what is attributed wrongly

def test_a_twin_that_moves(world):
    """A move of id 2 deletes the other entry's document."""
    w = world("attribution").split("debezium", "after.kind", moves="tombstone")
    before = [[(n, {}, {"id": int(n), **text}, "incident") for n, text in (("1", a()), ("2", a()))],
              [(n, {}, {"id": int(n), **text}, "incident") for n, text in (("2", b()), ("3", b()))]]
    w.begin([row("u", 2, after=a("second"))], before, {**KINDS}).refused().accept().work()
    w.apply(("index", "2", {}, {"id": 2, **a("second")})).finds(missing="2")
    assert w.receipt["indices"][1]["totals"]["missing"] == 1
    w.repairs("--trust-source", log_agrees=1)


def test_rows_that_are_marked_as_deleted(world):
    rows = [("1", "false"), ("2", "false"), ("1", "true")]
    w = world("attribution", shape="document")
    w.begin([(n.encode(), json.dumps({"title": "first", "__deleted": gone}).encode()) for n, gone in rows],
            [(n, {}, {"title": "first", "__deleted": "false"}, "incident") for n in "12"])
    w.refused().accept().work().apply(("delete", "1", {}, None)).finds(extra="1")
    w.repairs("--trust-source", log_agrees=1)


def test_a_column_that_is_unavailable(world):
    rows = [("1", "long text"), ("2", "long text"), ("1", "__debezium_unavailable_value")]
    w = world("attribution", shape="document")
    w.begin([(n.encode(), json.dumps({"title": text}).encode()) for n, text in rows],
            [(n, {}, {"title": "long text"}, "incident") for n in "12"])
    w.refused().accept().work().apply().finds(different="1")
    assert "what the log says last" in w.notes["1"], w.notes
    w.repairs(log_agrees=1)


def test_a_routing_that_changes(world):
    w = world("attribution", settings={"number_of_shards": 8})
    w.m.tree["commands"]["envelope"]["routing"] = "org"
    w.begin([insert("1", "first", org="org0"), insert("1", "second", org="org1")],
            [("1", {"routing": "org0"}, {"title": "first"}, "incident")])
    w.refused().accept().work().apply(("delete", "1", {"routing": "org0"}, None),
                                      ("index", "1", {"routing": "org1"}, {"title": "second"}))
    w.finds(two_routings="1").repairs("--trust-source", log_agrees=1)


def test_a_kind_that_changes_where_nothing_is_said_to_move(world):
    """No rail: `never` is what somebody wrote. The document is in both indices then."""
    w = world(None).split("debezium", "after.kind", moves="never")
    before = [[(n, {}, {"id": int(n), **a()}, "incident") for n in "13"], [("2", {}, {"id": 2, **b()}, "incident")]]
    w.begin([row("u", 1, before=a(), after=b("moved"))], before, {**KINDS}).work()
    w.apply(("delete", "1", {}, None)).apply_to(1, ("index", "1", {}, {"id": 1, **b("moved")})).finds(extra="1")
    assert w.receipt["indices"][0]["totals"]["extra"] == 1
    assert w.repairs("--trust-source").equal


# C. what a search does not show

def test_alias_whose_filter_hides_what_commands_write(world):
    w = world("source_filter", index={"filter": "source"})
    w.begin([insert(str(n), f"first {n}") for n in range(10)],
            [(str(n), {}, {"title": f"first {n}"}, "incident") for n in range(10)])
    w.m.source.call("PUT", f"/{w.m.old}/_alias/{w.m.old}-shown", {"filter": {"terms": {"title": ["first 1"]}}})
    w.m.tree["indices"][0]["from"] = f"{w.m.old}-shown"
    w.shown = {"terms": {"title": ["first 1"]}}
    w.m.write_recipe()
    applied(w.m)
    w.refused().accept().work().finds(extra="023456789").repairs("--trust-source", log_agrees=9)


def test_source_that_excludes_a_field(world):
    """A document of the copy lacks it on both sides, which nobody can see. What commands write has it."""
    fields = {"_source": {"excludes": ["org"]}, "properties": TITLES["properties"]}
    w = world("source_fields")
    w.begin([command("InsertMessageCommand", "1", message={"title": "first 1", "org": "x"})],
            [(str(n), {}, {"title": f"first {n}", "org": "x"}, "incident") for n in range(4)], fields)
    w.refused().accept().work().apply().finds(different="1").repairs(log_agrees=1)


def test_target_that_excludes_a_field(world):
    w = world("target_fields", mapping={"_source": {"excludes": ["org"]}, **TITLES})
    w.begin([command("UpdateMessageCommand", "1", message={"title": "second"})],
            [(str(n), {}, {"title": f"first {n}", "org": "x"}, "incident") for n in range(4)])
    w.refused().accept().work().apply(("index", "1", {}, {"title": "second", "org": "x"})).finds(different="0123")
    assert not w.verify("--repair", "--yes").equal, "the index takes the field, and does not give it back"


def test_a_source_that_is_never_refreshed_and_may_not_be(world):
    """What no search shows was not copied, and a scan does not see it either. Once it may be refreshed, all of it is
    missing."""
    w = world("source_refresh")
    with Forbids(w.m.source.url, "_refresh") as proxy:
        w.m.tree["source"] = {"url": proxy.url}
        w.begin([], documents(), index={"refresh_interval": "-1"})
        w.m.run("init", "--confirm", w.m.plan()["fingerprint"]).expect(DONE)
        w.m.run("copy").expect(REFUSED)
        w.accept()
        w.m.run("copy", "--confirm", w.m.run("plan").json["fingerprint"]).expect(DONE)
        w.m.replay()
        w.apply()
        receipt = w.m.run("verify").expect(FAILED).json
        assert receipt["verdict"] == "empty" and "never refreshed" in receipt["remarks"][0], receipt["remarks"]
    w.m.tree["source"] = {"url": w.m.source.url}
    w.m.write_recipe()
    w.apply().finds(missing="01234567")
    assert w.repairs().equal


# D. a compacted log

def test_a_delete_that_compaction_took(world):
    w = world("compaction", shape="document")
    w.m.log.create(w.m.topic, 1, **{"cleanup.policy": "compact", **SOON})
    w.begin([(str(n).encode(), json.dumps({"title": f"first {n}"}).encode()) for n in range(8)], documents())
    w.m.run("init", "--confirm", w.m.plan()["fingerprint"]).expect(DONE)
    w.m.copy()
    offset = w.m.log.ends(w.m.topic)[0]
    w.m.log.produce(w.m.topic, [(b"3", None)])
    compacted(w.m, offset, (b"filler", b'{"title":"any"}'))
    w.m.run("replay").expect(REFUSED)
    w.accept()
    w.m.run("replay", "--confirm", w.m.run("plan").json["fingerprint"]).expect(DONE)
    w.apply(("delete", "3", {}, None), ("index", "filler", {}, {"title": "any"})).finds(extra="3")
    w.repairs(extra_not_proved=1)
    assert w.repairs("--trust-source").equal


# F. what the target adds

class Pipeline(Proxy):
    """The servers of the tests have no processors, so a proxy does what a pipeline would do."""

    def handle(self, handler, body):
        handler.answer(*handler.ask(body.replace(b"first 3", b"changed") if "_bulk" in handler.path else body))


def test_a_pipeline_that_changes_documents(world):
    w = world("pipelines")
    with Pipeline(w.m.target.url) as proxy:
        w.m.tree["target"] = {"url": proxy.url}
        w.begin([insert(str(n), f"first {n}") for n in range(2)], documents()).work().apply().finds(different="3")
    # nothing says whether it is still there, but the verification after the repair
    w.m.tree["target"] = {"url": w.m.target.url}
    w.m.write_recipe()
    assert w.repairs().equal
    assert w.verify("--repair", "--yes").receipt["repair"] is None, "a second repair"


# H. documents that the new index does not take

def test_documents_that_a_strict_mapping_refuses(world):
    w = world("copy_deaths", mapping={"dynamic": "strict", "properties": {"title": {"type": "keyword"}}})
    w.begin([insert("1", "second 1")], [(str(n), {}, {"title": f"first {n}", **({"org": "x"} if n < 4 else {})},
                                          "incident") for n in range(5)]).accept().work()
    w.apply(("index", "1", {}, {"title": "second 1"})).finds(missing="023").repairs(refused=3)


def test_a_mapping_that_grows_beyond_its_limit(world):
    w = world("mapping_growth", settings={"index.mapping.total_fields.limit": 20},
              copy={"dead_letters": {"share": "100%", "count": 1000}})
    w.begin([], [(str(n), {}, {"title": f"first {n}", f"a{n}": 1, f"b{n}": 2, f"c{n}": 3}, "incident")
                 for n in range(20)], fields={"dynamic": False, "properties": TITLES["properties"]})
    w.refused().accept().work().apply().verify()
    missing = w.receipt["totals"]["missing"]
    assert missing > 0 and {one["kind"] for one in w.receipt["examples"]} == {"missing"}
    w.repairs(refused=missing)

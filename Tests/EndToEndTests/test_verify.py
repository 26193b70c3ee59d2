"""`verify` finds what is wrong, and nothing else."""
import json
import unicodedata

import pytest

from binary import DIFFERS, DONE, FAILED
from proxy import Proxy
from stack import wait_for
from test_identity import command, insert
from workload import Workload

pytestmark = pytest.mark.embedded

ANYTHING = {"dynamic": False, "properties": {"title": {"type": "keyword"}}}


@pytest.fixture
def make(migrate):
    """A finished migration of raw documents: (id, text). The application's group has applied everything."""
    def make(documents, source="es-6.8", target="es-8.17", records=None, routing=None, run=True, **sections):
        sections.setdefault("mapping", ANYTHING)
        sections["index"] = {"transform": [], **sections.get("index", {})}
        m = migrate(source, target, partitions=2, **sections)
        m.tree["commands"]["application_group"] = f"app-{m.name}"
        m.tree["verify"] = {"settle": "5s", "folder": str(m.crossfade.folder / "verify"), **m.tree.get("verify", {})}
        m.log.create(m.topic, 2)
        m.log.produce(m.topic, records or [])
        m.source.call("PUT", f"/{m.old}", {
            "settings": {"number_of_shards": 3, "number_of_replicas": 0},
            "mappings": {"incident": {"dynamic": False}} if m.source.typed else {"dynamic": False}})
        m.source.bulk(m.old, [("index", ident, {"routing": routing} if routing else {}, text)
                              for ident, text in documents], "incident")
        m.source.refresh(m.old)
        m.write_recipe()
        if run:
            m.init()
            m.copy()
            m.replay()
            applied(m)
        return m
    return make


def applied(m):
    """The application's own indexer has applied everything, and says so."""
    m.log.commit(f"app-{m.name}", m.topic, m.log.ends(m.topic))


def verify(m, *more, code=DONE, seconds=120):
    return m.run("verify", *more, seconds=seconds).expect(code).json


def kinds(receipt):
    """What was found: (kind, id) of every example."""
    return sorted((found["kind"], found["id"]) for found in receipt["examples"])


def put(m, ident, text, version=None, **parameters):
    """Writes a document of the new side by hand."""
    path = f"/{m.new}/_doc/{ident}"
    version = version or m.target.get(path)["_version"]
    query = "&".join(f"{k}={v}" for k, v in {
        "version": version, "version_type": "external_gte", **parameters}.items())
    m.target.call("PUT", f"{path}?{query}", text)


@pytest.mark.parametrize("source, target", [("es-6.8", "es-8.17"), ("es-1.7", "es-6.8"), ("es-7.10", "os-3")])
def test_equal_after_a_whole_migration(migrate, seed, source, target):
    m = migrate(source, target, Workload(seed, 3000, 800, 1000), copied=1.0)
    m.tree["commands"]["application_group"] = f"app-{m.name}"
    m.tree["verify"] = {"folder": str(m.crossfade.folder / "verify")}
    m.prepare()
    m.init()
    m.copy()
    m.replay()
    applied(m)
    receipt = verify(m)
    totals = receipt["totals"]
    assert receipt["verdict"] == "equal" and receipt["examples"] == []
    assert totals["compared"] == totals["equal"] == m.old_documents > 400
    index = receipt["indices"][0]
    assert index["source_read"] == index["source_total"] == m.old_documents
    assert index["target_read"] == index["target_total"] == m.old_documents
    assert {p["partition"]: p["verified_up_to"] for p in receipt["positions"]} == m.log.ends(m.topic)
    # although nothing had to be judged one by one
    assert all(p["crossfade"] is not None and p["application"] is not None for p in receipt["positions"])


# (name, the old side's text, the new side's text, what is found)
PAIRS = [
    ("same", '{"a": 1}', '{"a": 1}', None),
    ("1 and 1.0", '{"a": 1}', '{"a": 1.0}', None),
    ("1 and 1e0", '{"a": 1}', '{"a": 1e0}', None),
    ("1 and 1.5", '{"a": 1}', '{"a": 1.5}', "different"),
    ("0.1 and 0.10", '{"a": 0.1}', '{"a": 0.10}', None),
    ("minus zero", '{"a": 0}', '{"a": -0.0}', None),
    ("2^53", '{"a": 9007199254740992}', '{"a": 9007199254740993}', "different"),
    ("many digits", '{"a": 0.1000000000000000000000001}', '{"a": 0.1}', "different"),
    ("keys in another order", '{"a": 1, "b": {"c": 2, "d": 3}}', '{"b": {"d": 3, "c": 2}, "a": 1}', None),
    ("an array in another order", '{"a": [1, 2]}', '{"a": [2, 1]}', "different"),
    ("composed letters", json.dumps({"a": "\u00e9"}), json.dumps({"a": unicodedata.normalize("NFD", "\u00e9")}),
     "different"),
    ("escaped letters", '{"a": "\u00e9/"}', '{"a": "\\u00e9\\/"}', None),
    ("empty array", '{"a": [], "b": 1}', '{"b": 1}', "different"),
    ("null", '{"a": null, "b": 1}', '{"b": 1}', "different"),
    ("a text for a number", '{"a": "1"}', '{"a": 1}', "different"),
    ("one bit", '{"a": "abc"}', '{"a": "abb"}', "different"),
    ("an array of one", '{"a": [1]}', '{"a": 1}', "different"),
    ("spaces", '{"a" :  {"b":1}}', '{"a":{"b":1}}', None),
]


def test_each_pair_is_found_or_passed_as_it_should(make):
    documents = [(str(n), old) for n, (_, old, _, _) in enumerate(PAIRS)] + [("gone", '{"a": 1}')]
    m = make(documents + [(f"plain-{n}", '{"a": 1}') for n in range(100)])
    assert verify(m)["verdict"] == "equal"
    for n, (_, _, new, _) in enumerate(PAIRS):
        put(m, str(n), new)
    m.target.call("DELETE", f"/{m.new}/_doc/gone")
    put(m, "more", '{"a": 1}', version=7)
    # the same document under another routing, on another shard
    put(m, "plain-5", '{"a": 1}', version=7, routing=other_shard(m, "plain-5"))
    m.target.refresh(m.new)
    receipt = verify(m, code=DIFFERS)
    expected = [(kind, str(n)) for n, (_, _, _, kind) in enumerate(PAIRS) if kind]
    expected += [("missing", "gone"), ("extra", "more"), ("two_routings", "plain-5")]
    assert kinds(receipt) == sorted(expected)
    assert receipt["verdict"] == "different"
    totals = receipt["totals"]
    assert totals["different"] == len([kind for *_, kind in PAIRS if kind])
    assert (totals["missing"], totals["extra"], totals["two_routings"]) == (1, 1, 1)
    assert totals["compared"] == totals["equal"] + sum(
        totals[name] for name in ("missing", "extra", "different", "stale", "two_routings", "twin", "settling"))
    one = next(found for found in receipt["examples"] if found["id"] == "3")
    assert one["paths"] == [{"path": "a", "expected": "1", "found": "1.5"}]
    # by option an empty array is as good as none
    m.tree["verify"]["empty_array"] = "absent"
    m.write_recipe()
    empty = str([name for name, *_ in PAIRS].index("empty array"))
    assert empty not in [found["id"] for found in verify(m, code=DIFFERS)["examples"]]


def other_shard(m, ident):
    """A routing that leads to another shard of the new index than the id."""
    def shard(routing):
        return m.target.get(f"/{m.new}/_search_shards?routing={routing}")["shards"][0][0]["shard"]
    return next(f"r{n}" for n in range(100) if shard(f"r{n}") != shard(ident))


def test_what_is_ignored_is_counted_and_what_is_secret_is_not_shown(make):
    m = make([(str(n), json.dumps({"a": n, "seen": 1, "name": f"Ann {n}"})) for n in range(20)],
             verify={"ignore": ["seen"], "redact": ["name"], "report_limit": 2})
    for n in range(5):
        put(m, str(n), json.dumps({"a": n, "seen": 2, "name": f"Ann {n}"}))
    m.target.refresh(m.new)
    receipt = verify(m)
    assert receipt["verdict"] == "equal" and receipt["indices"][0]["ignored"] == {"seen": 5}
    for n in range(10, 15):
        put(m, str(n), json.dumps({"a": n, "seen": 1, "name": f"Bob {n}"}))
    m.target.refresh(m.new)
    result = m.run("verify", seconds=120).expect(DIFFERS)
    receipt = result.json
    assert receipt["totals"]["different"] == 5 and len(receipt["examples"]) == 2
    assert receipt["examples"][0]["paths"][0]["path"] == "name"
    assert "Bob" not in result.out + result.err and "Ann" not in result.out + result.err


def test_nothing_compared_is_not_equal(make):
    m = make([])
    assert verify(m, code=FAILED)["verdict"] == "empty"
    m.tree["indices"][0]["empty"] = "accept"
    m.write_recipe()
    assert verify(m, code=FAILED)["verdict"] == "empty", "there is no other entry"
    m.tree["verify"]["empty"] = "accept"
    m.write_recipe()
    assert verify(m)["verdict"] == "equal"


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("fault", ["halved", "failed_shards", "timed_out"])
def test_half_a_page_is_not_a_page(make, side, fault):
    """A proxy halves one page, or its answer says that a shard failed: neither equal nor missing."""
    class Half(Proxy):
        def handle(self, handler, body):
            status, headers, data = handler.ask(body)
            if "_search" in handler.path and "scroll" in handler.path and b'"hits"' in data:
                answer = json.loads(data)
                hits = answer["hits"]["hits"]
                if len(hits) > 1:
                    if fault == "halved":
                        answer["hits"]["hits"] = hits[:len(hits) // 2]
                    elif fault == "failed_shards":
                        answer["_shards"]["failed"] = 1
                    else:
                        answer["timed_out"] = True
                    data = json.dumps(answer).encode()
            handler.answer(status, headers, data)
    m = make([(str(n), f'{{"a": {n}}}') for n in range(300)], verify={"page": 100, "patience": "2s"})
    with Half(m.tree[side]["url"]) as proxy:
        m.tree[side]["url"] = proxy.url
        m.write_recipe()
        receipt = verify(m, code=FAILED)
        assert receipt["verdict"] == "incomplete" and receipt["remarks"], receipt
        assert receipt["totals"]["missing"] == 0 and receipt["totals"]["extra"] == 0
        # what was not read on both sides was not compared
        assert receipt["totals"]["compared"] == receipt["totals"]["equal"] == 0, receipt["totals"]


def test_commands_that_nobody_has_applied_are_settling(make):
    m = make([(str(n), f'{{"a": {n}}}') for n in range(50)])
    m.log.produce(m.topic, [insert("7", "new")])
    receipt = verify(m, code=FAILED)
    assert receipt["verdict"] == "settling" and receipt["totals"]["settling"] == 1
    # Crossfade has applied it, the application's indexer has not
    m.replay()
    receipt = verify(m, code=FAILED)
    assert receipt["verdict"] == "settling" and receipt["totals"]["settling"] == 1
    m.source.bulk(m.old, [("index", "7", {}, '{"title": "new"}')], "incident")
    m.source.refresh(m.old)
    applied(m)
    assert verify(m)["verdict"] == "equal"


def test_a_command_that_the_new_side_lost_is_found_although_the_old_one_lags(make):
    """The old side has not applied it when it is scanned, so both look alike then."""
    m = make([(str(n), '{"title": "old"}') for n in range(50)])
    m.log.produce(m.topic, [insert("7", "new")])
    m.replay()
    m.target.call("DELETE", f"/{m.new}/_doc/7")
    put(m, "7", '{"title": "old"}', version=9)
    m.target.refresh(m.new)
    run = m.start("verify")
    wait_for("verify to wait", lambda: "waiting" in run.err_file.read_text(errors="replace"), 60)
    m.source.bulk(m.old, [("index", "7", {}, '{"title": "new"}')], "incident")
    applied(m)
    receipt = run.wait(120).expect(DIFFERS).json
    assert kinds(receipt) in ([("different", "7")], [("stale", "7")])


def test_without_an_application_group_the_verdict_says_what_it_could_not_exclude(make):
    m = make([(str(n), f'{{"a": {n}}}') for n in range(50)])
    del m.tree["commands"]["application_group"]
    m.write_recipe()
    m.run("init", "--confirm", m.run("plan").json["fingerprint"])
    receipt = m.run("verify", "--confirm", m.run("plan").json["fingerprint"]).expect(DONE).json
    assert receipt["verdict"] == "equal"
    assert any("application_group" in remark for remark in receipt["remarks"])


def test_an_id_in_another_spelling_is_named(make):
    m = make([("42", '{"a": 1}'), ("43", '{"a": 2}')])
    m.target.call("DELETE", f"/{m.new}/_doc/42")
    put(m, "%2242%22", '{"a": 1}', version=3)
    m.target.refresh(m.new)
    receipt = verify(m, code=DIFFERS)
    assert ("twin", "42") in kinds(receipt)
    assert '"42"' in json.dumps(receipt["examples"])


def test_tombstones_and_dead_letters_are_expected(make):
    """A deleted document is a tombstone on the new side; one that cannot be transformed is a dead letter."""
    m = make([("1", '{"title": "x"}'), ("2", '{"title": "y"}'), ("3", '{"title": "z", "tags": 5}')],
             records=[command("DeleteMessageCommand", "2")],
             index={"transform": [{"keyToValue": {"field": "tags"}}]})
    m.source.call("DELETE", f"/{m.old}/incident/2?refresh=true")
    receipt = verify(m, code=FAILED)
    assert receipt["verdict"] == "incomplete" and receipt["indices"][0]["tombstones"] == 1
    assert receipt["indices"][0]["uncopied"] == 1 and receipt["totals"]["equal"] == 1
    assert any("1 documents of the old side cannot be copied" in remark for remark in receipt["remarks"])
    m.tree["verify"]["uncopied"] = "accept"
    m.write_recipe()
    assert verify(m)["verdict"] == "equal"

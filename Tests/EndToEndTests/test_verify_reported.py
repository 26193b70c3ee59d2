"""What people reported of tools that compare or verify migrated indices, as small inputs: each is found or passed as it
should be. The report stands with each input."""
import json
import re

import pytest
from confluent_kafka import Producer

from binary import DIFFERS, DONE, FAILED, REFUSED, check_error
from proxy import Proxy
from recipes import ENVELOPE
from stack import wait_for
from test_identity import command, insert
from test_verify import applied, kinds, make, put, verify  # noqa: F401

ODD = ["a/b", "a b", "a+b", "a%2Fb", "a#b", "a?b=c", 'a"b', "a\\b", "a,b", "*", "\u00e9", "e\u0301", "数据",
       "\U0001f525", "..", "_id", "x" * 512]
NESTED = {"dynamic": False, "properties": {"title": {"type": "keyword"}, "parts": {"type": "nested", "properties": {
    "n": {"type": "integer"}}}, "number": {"type": "float"}}}


def text(n, **more):
    return json.dumps({"title": f"t{n}", "parts": [{"n": i} for i in range(n % 4)], "number": 41187534 + n, **more})


def path(ident):
    return "".join(f"%{b:02X}" for b in ident.encode())


def test_documents_that_are_odd_are_equal_and_each_change_is_found(make):  # noqa: F811
    """Nested documents are counted by `_stats` and not by `_count` (elastic/elasticsearch#40122,
    opensearch-migrations#3267); pages are bounded by index.max_result_window; ids need escaping; numbers that a float
    field cannot tell apart (pimcore/platform-version#242) or that a hash cuts off
    (mongodb-labs/migration-verifier#122); documents of megabytes (elastic/elasticsearch#73261)."""
    documents = [(ident, text(n)) for n, ident in enumerate(ODD)]
    documents += [(f"n{n}", text(n)) for n in range(30)]
    documents += [(f"big{n}", text(n, body="x" * 2_000_000)) for n in range(12)]
    documents += [("cut", '{"number":2.1}'), ("float", '{"number":41187537}'),
                  ("zone", '{"title":"2026-01-01T00:00:00Z"}')]
    m = make(documents, mapping=NESTED, settings={"index.max_result_window": 7}, verify={"slices": 2})
    receipt = verify(m)
    assert receipt["verdict"] == "equal" and receipt["totals"]["equal"] == len(documents)
    index = receipt["indices"][0]
    assert index["target_total"] == index["target_read"] == index["source_total"] == len(documents)
    changed = [*ODD, "n7", "big3"]
    for n, ident in enumerate(changed):
        put(m, path(ident), text(n, seen=True))
    put(m, "cut", '{"number":2.9}')
    put(m, "float", '{"number":41187538}')
    put(m, "zone", '{"title":"2026-01-01T00:00:00.000Z"}')
    m.target.refresh(m.new)
    receipt = verify(m, code=DIFFERS)
    assert kinds(receipt) == sorted(("different", ident) for ident in [*changed, "cut", "float", "zone"])
    # what is written is exactly what was read
    assert verify(m, "--repair", "--yes")["totals"]["equal"] == len(documents)


def test_routed_documents_are_not_taken_for_absent(make):  # noqa: F811
    """A multi-get without the routing finds none of them, and a repair would delete them all
    (FoundatioFx/Foundatio.Repositories#327)."""
    def routed(n):
        return {"title": f"t{n}", "org": "org0"}
    m = make([(f"c{n}", json.dumps(routed(n))) for n in range(40)], routing="org0",
             records=[command("InsertMessageCommand", f"c{n}", message=routed(n)) for n in range(5)],
             commands={"envelope": {**ENVELOPE, "routing": "message.org"}})
    for n in range(10):
        put(m, f"c{n}", '{"title": "spoiled", "org": "org0"}', version=99, routing="org0")
    m.target.refresh(m.new)
    assert kinds(verify(m, code=DIFFERS)) == sorted(("different", f"c{n}") for n in range(10))
    assert verify(m, "--repair", "--yes", "--trust-source")["totals"]["equal"] == 40
    assert m.target.count(m.new) == 40


class Emptied(Proxy):
    """The second page of every scroll is empty, and the scroll says that it is over."""

    def handle(self, handler, body):
        status, headers, data = handler.ask(body)
        if handler.path.startswith("/_search/scroll") and b'"hits"' in data:
            answer = json.loads(data)
            answer["hits"]["hits"] = []
            data = json.dumps(answer).encode()
        handler.answer(status, headers, data)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_scroll_that_ends_early(make, side):  # noqa: F811
    """A whole page less, now and then (elasticsearch-dump#741, #806, #889)."""
    m = make([(str(n), f'{{"a": {n}}}') for n in range(200)], verify={"page": 20, "slices": 1, "patience": "2s"})
    with Emptied(m.tree[side]["url"]) as proxy:
        m.tree[side]["url"] = proxy.url
        m.write_recipe()
        receipt = verify(m, code=FAILED)
    assert receipt["verdict"] == "incomplete", receipt["totals"]
    assert receipt["totals"]["missing"] == receipt["totals"]["extra"] == 0


def test_everything_differs(make):  # noqa: F811
    """More mismatches than a report has room for (mongodb-labs/migration-verifier#117), none of which is shown
    (migration-verifier#8)."""
    m = make([(f"c{n}", f'{{"title": "copy {n}"}}') for n in range(3000)], verify={"report_limit": 3})
    m.target.bulk(m.new, [("index", f"c{n}", {"version": 9, "version_type": "external_gte"}, '{"title": "spoiled"}')
                          for n in range(3000)])
    m.target.refresh(m.new)
    receipt = verify(m, code=DIFFERS)
    assert receipt["totals"]["different"] == receipt["totals"]["compared"] == 3000 and len(receipt["examples"]) == 3
    assert any("title" in remark for remark in receipt["remarks"]), receipt["remarks"]
    assert verify(m, "--repair", "--yes")["totals"]["equal"] == 3000


@pytest.mark.real
def test_few_scrolls_are_allowed(make):  # noqa: F811
    """Slices times shards are open at once, and a server takes 500 (elastic/elasticsearch#86407)."""
    m = make([(f"c{n}", f'{{"title": "copy {n}"}}') for n in range(500)], verify={"slices": 16, "page": 20})
    limit = {"search.max_open_scroll_context": 10}
    m.target.call("PUT", "/_cluster/settings", {"transient": limit})
    try:
        assert verify(m)["totals"]["equal"] == 500
    finally:
        m.target.call("PUT", "/_cluster/settings", {"transient": dict.fromkeys(limit)})


@pytest.mark.real
def test_an_old_index_that_was_closed(make):  # noqa: F811
    """What is closed is left out of searches of a pattern (elastic/beats#23541)."""
    m = make([(f"c{n}", f'{{"title": "copy {n}"}}') for n in range(20)])
    m.source.call("POST", f"/{m.old}/_close")
    check_error(m.run("verify"), m.old, "_open", code=FAILED)
    m.source.call("POST", f"/{m.old}/_open")
    wait_for("the shards", lambda: m.source.get(f"/_cluster/health/{m.old}?level=shards")["active_primary_shards"] == 3)
    assert verify(m)["verdict"] == "equal"


def test_a_repair_does_not_guess_which_of_two_partitions_is_newer(migrate):
    """Both records have the same version, and the part was written over the whole document."""
    m = migrate("es-8.17", "es-8.17", partitions=2, mapping={"dynamic": False}, index={"transform": []}, source=None)
    m.tree.pop("source", None)
    m.tree["indices"][0].pop("from", None)
    m.log.create(m.topic, 2)
    whole = {"title": "whole", "state": "new", "number": 7}
    producer = Producer(m.log.config)

    def send(partition, command):
        key, value = command
        producer.produce(m.topic, value, key, partition=partition)
        producer.flush()
    send(1, command("InsertMessageCommand", "1", message=whole))
    m.write_recipe()
    m.init()
    m.replay()
    send(0, command("UpdateMessageCommand", "1", message={"state": "paid"}))
    # another process has applied the record of partition 1, and both have the same version
    for _ in range(2):
        check_error(m.run("follow", seconds=60), "id 1 has commands in two partitions", "partition 1 offset 0",
                    "partition 0 offset 0", code=REFUSED)
        assert m.log.committed(m.group, m.topic).get(0, 0) == 0, "the update was committed, and is nowhere"
    receipt = m.run("verify", "--against", "log", "--repair", "--yes", seconds=120).json
    assert receipt["repair"] is None or not receipt["repair"]["written"], receipt["repair"]
    assert receipt["verdict"] not in ("equal", "different"), receipt["verdict"]
    assert m.target.call("GET", f"/{m.new}/_doc/1")["_source"] == whole


def test_nothing_goes_on_from_a_verification_that_stopped_early(make):  # noqa: F811
    """Every document is wrong; after the few that `--stop-after` had looked at were right again, `--since` said
    `equal`, and the gates passed."""
    documents = [(str(n), json.dumps({"title": f"t{n}"})) for n in range(2000)]
    m = make(documents)
    m.target.bulk(m.new, [("index", ident, {"version": 1, "version_type": "external_gte"}, '{"title": "wrong"}')
                          for ident, _ in documents])
    m.target.refresh(m.new)
    receipt = verify(m, "--stop-after", "5", code=DIFFERS)
    assert receipt["stopped"] and receipt["totals"]["equal"] == 0, receipt["totals"]
    m.log.produce(m.topic, [insert(each["id"], f"t{each['id']}") for each in receipt["open"]])
    m.replay()
    applied(m)
    check_error(m.run("verify", "--since", receipt["receipt"]), "it stopped early", "verify everything", code=REFUSED)
    check_error(m.run("verify", "--since", "last"), "it stopped early", code=REFUSED)
    assert verify(m, code=DIFFERS)["totals"]["different"] == 2000 - len(receipt["open"])


def test_two_entries_that_share_an_index_by_select_are_equal(make):  # noqa: F811
    """A document of the other entry counted as one that cannot be copied: never equal, and the advice hid dead
    letters."""
    m = make([], run=False)
    entry = m.tree["indices"][0]
    m.tree["indices"] = [{**entry, "to": f"{m.new}-{kind}", "select": {"field": "message.kind", "equals": kind}}
                         for kind in "ab"]
    m.source.bulk(m.old, [("index", str(n), {}, json.dumps({"kind": "ab"[n % 2], "title": f"t{n}"}))
                          for n in range(40)], "incident")
    m.source.refresh(m.old)
    m.write_recipe()
    m.run("init", "--confirm", m.run("plan").expect(DONE).json["fingerprint"]).expect(DONE)
    assert m.copy()["outcomes"]["skipped"] == 40
    m.replay()
    applied(m)
    receipt = verify(m)
    assert [(index["source_read"], index["target_read"], index["uncopied"]) for index in receipt["indices"]] \
        == [(20, 20, 0)] * 2
    assert any("20 documents behind `from`" in remark for remark in receipt["remarks"]), receipt["remarks"]
    m.target.call("DELETE", f"/{m.new}-b/_doc/1?refresh=true")
    assert kinds(verify(m, code=DIFFERS)) == [("missing", "1")]


def test_a_new_index_behind_the_pattern_is_not_equal(make):  # noqa: F811
    """A monthly index appeared after the copy: nothing of it was compared, and the verdict was `equal`."""
    m = make([], run=False)
    names = [f"{m.old}-{month}" for month in ("01", "02", "03")]

    def fill(name):
        m.source.call("PUT", f"/{name}", {"settings": {"number_of_replicas": 0},
                                          "mappings": {"incident": {"dynamic": False}}})
        m.source.bulk(name, [("index", f"{name}-{n}", {}, '{"title": "x"}') for n in range(5)], "incident")
        m.source.refresh(name)
    for name in names[:2]:
        fill(name)
    m.tree["indices"][0]["from"] = f"{m.old}-*"
    m.write_recipe()
    m.init()
    m.copy()
    m.replay()
    applied(m)
    assert verify(m)["totals"]["equal"] == 10
    fill(names[2])
    receipt = verify(m, code=FAILED)
    assert receipt["verdict"] == "incomplete" and any(names[2] in remark for remark in receipt["remarks"]), receipt
    fingerprint = re.search("--confirm ([0-9a-f]+)", m.run("copy").expect(REFUSED).err).group(1)
    m.run("copy", "--confirm", fingerprint, seconds=120).expect(DONE)
    m.replay()
    applied(m)
    assert verify(m)["totals"]["equal"] == 15

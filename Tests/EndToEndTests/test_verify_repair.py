"""Repair, the log as the other side, going on from a receipt, and resuming."""
import json
import os
import signal

import pytest

from binary import DIFFERS, DONE, FAILED, REFUSED, check_error
from stack import wait_for
from test_identity import command, insert
from test_verify import applied, kinds, make, put, verify  # noqa: F401

pytestmark = pytest.mark.embedded


def lose(m, *idents):
    """Deletes documents by hand. The index must not remember the versions of these deletes."""
    m.target.call("PUT", f"/{m.new}/_settings", {"index.gc_deletes": "1ms"})
    for ident in idents:
        m.target.call("DELETE", f"/{m.new}/_doc/{ident}")
    m.target.refresh(m.new)


def damaged(make):  # noqa: F811
    """8 documents of the log and 20 of the copy alone; every kind of damage, in both."""
    records = [insert(str(n), f"log {n}") for n in range(8)] + [command("DeleteMessageCommand", "7"),
               command("UpdateMessageCommand", "1", message={"more": 1})]
    documents = [(f"c{n}", f'{{"title": "copy {n}"}}') for n in range(20)]
    documents += [(str(n), json.dumps({"title": f"log {n}", **({"more": 1} if n == 1 else {})})) for n in range(7)]
    m = make(documents, records=records)
    assert verify(m)["verdict"] == "equal"
    lose(m, "0", "c0")
    for ident in ("1", "c1"):
        put(m, ident, '{"title": "spoiled"}')
    # resurrected: the log has deleted it
    put(m, "7", '{"title": "log 7"}')
    # nobody has ever written it
    put(m, "foreign", '{"title": "foreign"}', version=5)
    m.target.refresh(m.new)
    return m


def test_repair_brings_every_damage_back(make):  # noqa: F811
    m = damaged(make)
    receipt = verify(m, code=DIFFERS)
    assert {ident for _, ident in kinds(receipt)} == {"0", "c0", "1", "c1", "7", "foreign"}
    # a dry run changes nothing
    listed = verify(m, "--repair", code=DIFFERS)
    table = listed["repair"]
    assert not table["performed"] and table["totals"]["found"] == 6
    rows = {row["kind"]: row for row in table["rows"]}
    assert {kind: row["found"] for kind, row in rows.items()} == {"missing": 2, "different": 2, "extra": 2}
    assert rows["missing"]["written"] == rows["different"]["written"] == 2
    assert rows["extra"]["deleted"] == 1 and rows["extra"]["left"] == {"extra_not_proved": 1}
    assert ("delete", "7") in {(example["step"], example["id"]) for example in table["examples"]}
    assert kinds(verify(m, code=DIFFERS)) == kinds(receipt)
    # what neither the log nor the old side knows stays, unless the old side is trusted
    left = verify(m, "--repair", "--yes", code=DIFFERS)
    assert kinds(left) == [("extra", "foreign")]
    assert left["repair"]["performed"] and left["repair"]["rows"] == table["rows"]
    assert left["rechecks"]["candidates"] == 6 and left["rechecks"]["rounds"][-1]["open"] == 0
    assert verify(m, "--repair", "--yes", "--trust-source")["verdict"] == "equal"
    assert verify(m)["verdict"] == "equal"
    # a second repair changes nothing
    before = m.target.operations(m.new)
    assert verify(m, "--repair", "--yes")["verdict"] == "equal"
    assert m.target.operations(m.new) == before
    # commands go on to win over what was repaired
    m.log.produce(m.topic, [insert("0", "after"), command("DeleteMessageCommand", "c1")])
    m.replay()
    m.target.refresh(m.new)
    assert m.target.get(f"/{m.new}/_doc/0")["_source"]["title"] == "after"
    assert "crossfade_deleted" in m.target.get(f"/{m.new}/_doc/c1")["_source"]


def test_the_log_is_the_other_side_where_no_old_cluster_is_left(make):  # noqa: F811
    records = [insert(str(n), f"log {n}") for n in range(8)] + [command("DeleteMessageCommand", "7"),
               command("UpdateMessageCommand", "1", message={"more": 1})]
    m = make([], records=records)
    assert verify(m, "--against", "log")["verdict"] == "equal"
    put(m, "1", '{"title": "spoiled"}')
    put(m, "7", '{"title": "log 7"}')
    lose(m, "2")
    m.target.refresh(m.new)
    receipt = verify(m, "--against", "log", code=DIFFERS)
    assert {ident for _, ident in kinds(receipt)} == {"1", "2", "7"}
    assert receipt["basis"] == "log"
    assert verify(m, "--against", "log", "--repair", "--yes")["verdict"] == "equal"


def test_a_wrong_routing_within_a_shard_is_repaired(make):  # noqa: F811
    """A shard has one document of an id. What was written by hand under another routing took the right one's place,
    and holds a greater version."""
    m = make([("1", '{"title": "x"}'), ("2", '{"title": "y"}')],
             index={"settings": {"number_of_shards": 1, "number_of_replicas": 0}})
    m.target.call("PUT", f"/{m.new}/_doc/1?routing=zz", {"title": "x"})
    m.target.refresh(m.new)
    assert {ident for _, ident in kinds(verify(m, code=DIFFERS))} == {"1"}
    assert verify(m, "--repair", "--yes", "--trust-source")["verdict"] == "equal"
    hits = {hit["_id"]: hit.get("_routing") for hit in m.target.scroll(m.new, {"match_all": {}})}
    assert hits == {"1": None, "2": None}
    assert verify(m)["verdict"] == "equal"


def test_a_repair_after_retention_puts_no_old_state_back(make):  # noqa: F811
    """The command that wrote a document is gone from the topic, and the old side never applied it."""
    m = make([("c1", '{"title": "old"}'), ("c2", '{"title": "old"}'), ("c3", '{"title": "old"}')])
    m.log.produce(m.topic, [insert("c1", "new")])
    m.replay()
    lose(m, "c3")
    m.target.refresh(m.new)
    applied(m)
    m.log.truncate(m.topic, m.log.ends(m.topic))
    receipt = verify(m, "--repair", "--yes", code=DIFFERS)
    assert receipt["repair"]["totals"]["left"] == {"version_not_explained": 1}
    assert receipt["repair"]["totals"]["written"] == 1
    assert kinds(receipt) == [("different", "c1")]
    assert m.target.get(f"/{m.new}/_doc/c1")["_source"]["title"] == "new"


def test_going_on_from_a_receipt_costs_only_what_was_written_since(make):  # noqa: F811
    m = make([(f"c{n}", f'{{"title": "copy {n}"}}') for n in range(200)])
    first = verify(m)
    m.log.produce(m.topic, [insert("c7", "new"), insert("c8", "lost")])
    m.replay()
    m.source.bulk(m.old, [("index", i, {}, json.dumps({"title": t})) for i, t in (("c7", "new"), ("c8", "other"))],
                  "incident")
    m.source.refresh(m.old)
    m.target.refresh(m.new)
    applied(m)
    second = verify(m, "--since", first["receipt"], code=DIFFERS)
    assert second["since"] == first["receipt"] and second["totals"]["compared"] == 2
    assert kinds(second) == [("different", "c8")]
    # what was open stays open
    third = verify(m, "--since", second["receipt"], code=DIFFERS)
    assert kinds(third) == [("different", "c8")]
    # a document that is spoiled or deleted by hand, which no command names: nobody knows what else was
    put(m, "c5", '{"title": "spoiled"}')
    m.target.call("DELETE", f"/{m.new}/_doc/c6")
    m.target.refresh(m.new)
    check_error(m.run("verify", "--since", third["receipt"]), "c5", "Verify everything", code=REFUSED)
    assert sorted(kinds(verify(m, code=DIFFERS))) == [("different", "c5"), ("different", "c8"), ("missing", "c6")]
    m.run("verify", "--since", "no-such").expect(FAILED)


def test_killed_it_goes_on_and_forgets_nothing(make):  # noqa: F811
    """A finished slice is not read again, and yet a command that came for it since then is found."""
    m = make([(f"c{n}", f'{{"title": "copy {n}"}}') for n in range(3000)],
             verify={"rate": "800/s", "slices": 8, "page": 50})
    run = m.start("verify")
    kept = m.crossfade.folder / "verify" / "scan"
    wait_for("a slice to be kept", lambda: kept.exists() and kept.stat().st_size > 2000 or not run.running, 60)
    wait_for("the next one", lambda: kept.stat().st_mtime > run.process.pid * 0, 60)
    assert run.running
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.wait(30)
    # commands that the new side has lost, for documents of all slices
    m.log.produce(m.topic, [insert(f"c{n}", "new") for n in range(40)])
    m.replay()
    m.source.bulk(m.old, [("index", f"c{n}", {}, '{"title": "new"}') for n in range(40)], "incident")
    for n in range(0, 40, 4):
        put(m, f"c{n}", f'{{"title": "copy {n}"}}')
    m.source.refresh(m.old)
    m.target.refresh(m.new)
    applied(m)
    m.tree["verify"]["rate"] = "unlimited"
    m.write_recipe()
    result = m.run("verify", seconds=120).expect(DIFFERS)
    assert {ident for _, ident in kinds(result.json)} == {f"c{n}" for n in range(0, 40, 4)}
    assert result.json["totals"]["compared"] == 3000


def test_two_verifications_in_one_folder(make):  # noqa: F811
    m = make([(f"c{n}", f'{{"title": "copy {n}"}}') for n in range(2000)], verify={"rate": "30/s"})
    run = m.start("verify")
    wait_for("the folder", (m.crossfade.folder / "verify" / "scan").exists, 60)
    second = m.run("verify")
    assert run.running, f"the first one has ended: {run.err_file.read_text()[-3000:]}"
    told = second.expect(REFUSED).err
    assert "verify on" in told and f"process {run.process.pid}" in told, told
    # another folder is no way round: it would only do the same again
    m.write_recipe("other.yaml", verify={**m.tree["verify"], "folder": str(m.crossfade.folder / "other")})
    other = m.crossfade.folder / "other.yaml"
    m.crossfade("verify", other, seconds=60).expect(REFUSED)
    m.write_recipe()
    # killed, it holds nothing any more: the next one begins at once
    run.kill()
    del m.tree["verify"]["rate"]
    m.write_recipe()
    receipt = verify(m)
    assert receipt["verdict"] == "equal" and receipt["totals"]["compared"] == 2000

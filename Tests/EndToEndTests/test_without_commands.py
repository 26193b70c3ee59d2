"""A migration without a command topic works the whole way: plan, init, copy, verify, rollover, rollback, cancel."""
import pytest

from alone import ANYTHING, alone, remove, rollover, titles, verify, write
from binary import DIFFERS, FAILED, REFUSED, USAGE
from test_verify import kinds


def documents(*numbers, text="title"):
    return {str(n): {"title": f"{text} {n}"} for n in numbers}


@pytest.mark.parametrize("source,target", [("es-6.8", "es-8.17"), ("es-1.7", "os-3"), ("es-8.17", "es-8.17")])
def test_the_whole_way(migrate, source, target):
    m = alone(migrate, source, target, cutover={"writers": "index"} if source == target else {})
    write(m, documents(*range(30)))
    before = m.target.indices()
    plan = m.init()
    assert plan["topic"] is None
    assert {"log_start", "log_end", "partitions", "dead_letters"}.isdisjoint(r["name"] for r in plan["rails"])
    assert "rail about a log" in next(r["detail"] for r in plan["rails"] if r["name"] == "commands")
    assert m.status()["next"] == [f"crossfade copy {m.recipe}"]
    for command in ("follow", "replay"):
        told = m.run(command).expect(USAGE)
        assert "names no command topic" in told.err and "crossfade copy" in told.err
    assert m.copy()["outcomes"]["indexed"] == 30
    status = m.status()
    assert status["next"] == [f"crossfade verify {m.recipe}"] and not status["attention"], status["attention"]
    assert status["lag"] is None and status["dead_letters"] is None and status["phase"] == "copied"

    # a later copy brings what changed, and what is deleted meanwhile is found by verify
    write(m, documents(3, 4, text="changed"))
    remove(m, "7")
    receipt = verify(m, code=DIFFERS)
    assert kinds(receipt) == [("different", "3"), ("different", "4"), ("extra", "7")]
    assert m.copy()["outcomes"]["indexed"] == 29
    assert kinds(verify(m, code=DIFFERS)) == [("extra", "7")]
    assert "verify" in m.status()["next"][0] and "--repair" in m.status()["next"][0]
    verify(m, "--repair", "--trust-source", "--yes")
    assert verify(m)["verdict"] == "equal"
    assert titles(m)["3"] == "changed 3"
    status = m.status()
    assert status["switch"]["ready"] and status["next"] == [f"crossfade rollover {m.recipe}"], status
    told = rollover(m)
    assert told["position"] == "rolled_over"
    gates = {gate["gate"]: gate for gate in told["gates"]}
    assert all("not applicable" in gates[name]["text"] for name in ("replayed", "followed", "lag")), gates

    # the way back compares everything: nobody knows what was written since
    m.target.call("PUT", f"/{m.new}/_doc/new", {"title": "written by the application"})
    refused = m.run("rollback", seconds=120).expect(REFUSED)
    assert "1 not" in refused.err, refused.err
    assert "indexer" not in refused.err and "--accept-loss" in refused.err, refused.err
    # that comparison is no reason against the end, and no repair puts back what the old side last had
    told = verify(m, code=DIFFERS)
    assert any("no reference any more" in remark for remark in told["remarks"]), told["remarks"]
    assert "finish" in m.run("verify", "--repair", seconds=120).expect(REFUSED).err
    gates = m.run("finish", "--dry-run", seconds=120).json["gates"]
    assert [gate["verdict"] for gate in gates if gate["gate"] == "receipt"] == ["passed"], gates
    m.target.call("DELETE", f"/{m.new}/_doc/new")
    assert m.run("rollback", "--readers-moved", seconds=120).expect(0).json["position"] == "rolled_back"
    if source == target:
        rollover(m)
        m.run("finish", "--yes", "--archive", str(m.crossfade.folder / "end.json"), seconds=120).expect(0)
        assert m.target.indices() == before | {m.new}
        assert set(m.target.call("GET", f"/{m.new}/_alias")[m.new]["aliases"]) == {m.alias}
        return
    m.run("cancel", "--yes").expect(0)
    assert m.target.indices() <= before | {m.old}, m.target.indices() - before


def test_an_entry_that_is_rightly_empty(migrate):
    m = alone(migrate, "es-6.8", "es-8.17")
    bare, new_bare = f"bare-{m.old}", f"bare-{m.new}"
    m.tree["indices"].append({"from": bare, "to": new_bare, "mapping": ANYTHING,
                              "settings": {"number_of_replicas": 0}})
    m.write_recipe()
    m.source.call("PUT", f"/{bare}", {"settings": {"number_of_replicas": 0}, "mappings": {"incident": ANYTHING}})
    write(m, {"1": {"title": "one"}})
    m.init()
    m.copy()
    result = m.run("verify", seconds=120).expect(FAILED)
    receipt = result.json
    assert receipt["verdict"] == "empty" and [one["verdict"] for one in receipt["indices"]] == ["equal", "empty"]
    assert any(new_bare in remark and "empty: accept" in remark for remark in receipt["remarks"]), receipt["remarks"]
    m.tree["indices"][1]["empty"] = "accept"
    m.write_recipe()
    receipt = verify(m)
    assert receipt["verdict"] == "equal" and receipt["totals"]["compared"] == 1

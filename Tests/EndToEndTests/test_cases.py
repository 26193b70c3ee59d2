"""Cases C, D and E of the issue, each from recipe to receipt, with the numbers of its account in small."""
import json
import time

import pytest

from alone import ANYTHING, alone, held, remove, rollover, titles, verify, write
from binary import DIFFERS, DONE, REFUSED, USAGE
from stack import wait_for
from test_verify import kinds


def documents(*numbers, text="title", changed=None):
    changed = changed or int(time.time() * 1000)
    return {str(n): {"title": f"{text} {n}", "changed": changed} for n in numbers}


def account(summary):
    """The three numbers of a copy; they add up to what the source returned, in all runs of the copy."""
    copy = summary["copy"]
    assert copy["created"] + copy["updated"] + copy["conflicts"] + copy["others"] == copy["returned"], copy
    return copy["created"], copy["updated"], copy["conflicts"]


LONG_AGO = 1_700_000_000_000


def test_case_c_a_marketplace_reindexes_after_the_release(migrate):
    """Small indices that change rarely: copied, the new application released, then copied again for what changed."""
    m = alone(migrate, "es-6.8", "es-8.17", copy={"since": {"field": "changed", "margin": "1ms"}})
    briefs, new_briefs = f"briefs-{m.old}", f"briefs-{m.new}"
    m.tree["indices"].append({"from": briefs, "to": new_briefs, "alias": f"briefs-{m.name}", "mapping": ANYTHING,
                              "settings": {"number_of_replicas": 0}})
    m.write_recipe()
    m.source.call("PUT", f"/{briefs}", {"settings": {"number_of_replicas": 0}, "mappings": {"incident": ANYTHING}})
    m.source.bulk(briefs, [("index", f"b{n}", {}, json.dumps({"title": f"brief {n}", "changed": LONG_AGO}))
                           for n in range(10)], m.kind)
    m.source.refresh(briefs)
    write(m, documents(*range(40), changed=LONG_AGO))
    # nothing to add to yet
    m.init()
    assert "there is none" in m.run("copy", "--since", "last").expect(REFUSED).err
    assert account(m.copy()) == (50, 0, 0)

    # the release; meanwhile services change, one is withdrawn
    write(m, documents(3, 4, 40, text="changed"))
    remove(m, "7")
    summary = m.run("copy", "--since", "last").expect(DONE).summary
    assert account(summary) == (1, 2, 0) and "changed>=" in summary["copy"]["since"], summary["copy"]
    assert any("deleted" in note for note in summary["notes"])
    # what a field, a query or a typing error says
    assert account(m.run("copy", "--since", f"changed>{LONG_AGO}").expect(DONE).summary) == (0, 3, 0)
    query = json.dumps({"term": {"title": "brief 3"}})
    assert account(m.run("copy", "--since", query).expect(DONE).summary) == (0, 1, 0)
    assert "does not map" in m.run("copy", "--since", "modified>=1").expect(REFUSED).err
    for wrong in ("changed", "_version>=3", "{}", "changed<=3"):
        m.run("copy", "--since", wrong).expect(USAGE)
    m.run("copy", "--until-below", "3").expect(USAGE)

    receipt = verify(m, code=DIFFERS)
    assert kinds(receipt) == [("extra", "7")]
    verify(m, "--repair", "--trust-source", "--yes")
    receipt = verify(m)
    assert receipt["verdict"] == "equal" and receipt["totals"]["compared"] >= 50
    told = rollover(m)
    assert told["position"] == "rolled_over" and len(told["aliases"]) == 2
    # the new application writes there: an older document must not come over it
    m.target.call("PUT", f"/{m.new}/_doc/3", {"title": "by the new application"})
    write(m, documents(3, text="by the old application"))
    assert "readers are on the new indices" in m.run("copy").expect(REFUSED).err
    assert titles(m)["3"] == "by the new application"


VERSION = {"version_type": "external"}


def dual(m, numbers, version, text="title", source=True, target=True):
    """The application writes both sides with one version."""
    lines = [("index", str(n), {**VERSION, "version": version}, json.dumps({"title": f"{text} {n}"})) for n in numbers]
    if source:
        m.source.bulk(m.old, lines, m.kind)
        m.source.refresh(m.old)
    if target:
        m.target.bulk(m.new, lines)
        m.target.refresh(m.new)


def test_case_d_calls_are_written_to_both_sides_since_weeks(migrate):
    """In small, 84,986,805 documents: created 70,798,760 + updated 634,962 + conflicts 13,553,083."""
    m = alone(migrate, "es-6.8", "es-8.17")
    m.target.call("PUT", f"/{m.new}", {"settings": {"number_of_replicas": 0}, "mappings": ANYTHING})
    dual(m, range(850), 10, target=False)
    dual(m, range(708, 714), 9, text="older", source=False)
    dual(m, range(714, 844), 10, source=False)
    dual(m, range(844, 850), 11, text="enriched", source=False)

    refused = m.run("plan").expect(REFUSED)
    assert "142 documents" in refused.err and "--adopt" in refused.err
    # the number of the copy cannot be compared with the application's versions
    assert "cannot be compared" in m.run("plan", "--adopt").expect(REFUSED).err
    m.tree["copy"] = {"version": "source"}
    m.write_recipe()
    plan = m.run("plan", "--adopt").expect(DONE).json
    rails = {rail["name"]: rail for rail in plan["rails"]}
    assert plan["adopted"] == [m.new] and rails["target_content"]["verdict"] == "warn"
    assert "130 of 142" in rails["adopted"]["detail"], rails["adopted"]
    m.run("init", "--confirm", plan["fingerprint"]).expect(REFUSED)
    told = m.run("init", "--confirm", plan["fingerprint"], "--adopt").expect(DONE).json
    assert told["adopted"] == [m.new]
    assert m.run("history").expect(DONE).json["events"][-1]["detail"] == f"adopted {m.new}"

    copied = m.run("copy").expect(DONE)
    summary = copied.summary
    assert account(summary) == (708, 6, 136) and summary["copy"]["returned"] == 850
    assert summary["copy"]["conflicts_from"] and "conflicts begin" in copied.err
    text = m.crossfade("copy", m.recipe).expect(DONE).out
    assert "created 0 + updated 0 + conflicts 850 = 850" in text

    # what is newer on the new side stays there, also in a repair
    receipt = verify(m, "--repair", "--yes", code=DIFFERS)
    assert kinds(receipt) == [("different", str(n)) for n in range(844, 850)]
    assert held(m)["849"]["title"] == "enriched 849" and any("adopted" in text for text in receipt["remarks"])
    dual(m, range(844, 850), 11, text="enriched", target=False)
    assert verify(m)["verdict"] == "equal"
    dual(m, [3], 12, text="a later call")
    told = rollover(m)
    gates = {gate["gate"]: gate for gate in told["gates"]}
    assert told["position"] == "rolled_over" and "writes" in gates["foreign_writes"]["text"], gates

    # again after the cutover: the application's versions decide
    dual(m, [4], 12, text="missed by the new side", target=False)
    dual(m, [5], 13, text="missed by the old side", source=False)
    assert account(m.copy()) == (0, 1, 849)
    assert titles(m)["4"] == "missed by the new side 4" and titles(m)["5"] == "missed by the old side 5"
    # a document that the application deletes there does not come back, and is no collision of ids
    m.target.bulk(m.new, [("delete", "6", {**VERSION, "version": 20}, None)])
    assert account(m.copy()) == (0, 0, 850) and "6" not in held(m)
    m.run("rollback", "--accept-loss", "--readers-moved").expect(DONE)
    before = held(m)
    kept = m.run("cancel", "--yes").expect(DONE).json["kept"]
    assert any(m.new in text for text in kept) and m.target.count(m.new) == len(before)
    assert not [name for name in m.target.call("GET", f"/{m.new}/_alias")[m.new]["aliases"] if "crossfade" in name]


def test_an_index_with_other_versions_is_not_adopted(migrate):
    """Both sides count their writes by themselves: the same content under other versions."""
    m = alone(migrate, "es-6.8", "es-8.17", copy={"version": "source"})
    m.target.call("PUT", f"/{m.new}", {"settings": {"number_of_replicas": 0}, "mappings": ANYTHING})
    for _ in range(2):
        write(m, documents(*range(20), changed=LONG_AGO))
    m.target.bulk(m.new, [("index", ident, {}, json.dumps(document))
                          for ident, document in documents(*range(20), changed=LONG_AGO).items()])
    m.target.refresh(m.new)
    assert "not of one space" in m.run("plan", "--adopt").expect(REFUSED).err


def test_case_e_a_library_synchronises_until_little_is_left(migrate):
    """A bulk copy, then smaller and smaller ones while writers go on, a copy that is killed among them."""
    m = alone(migrate, "es-8.17", "es-8.17", copy={"since": {"field": "changed", "margin": "1ms"}, "slices": 4},
              cutover={"writers": "index"})
    write(m, documents(*range(60), changed=LONG_AGO))
    m.init()
    assert account(m.copy()) == (60, 0, 0)
    write(m, documents(*range(40), text="second"))
    summary = m.run("copy", "--since", "last", "--until-below", "10").expect(DONE).summary
    assert any("in a row have read 40" in note for note in summary["notes"]), summary["notes"]

    # killed in the middle, with a slow reader; what comes next goes on with the same part
    write(m, documents(*range(20, 60), text="third"))
    m.tree["copy"].update(rate="10/s", page=2)
    m.write_recipe()
    process = m.start("copy", "--since", "last")
    wait_for("some documents", lambda: any(text.startswith("third") for text in titles(m).values()))
    process.kill()
    assert m.status()["copy"]["finished"] is False
    assert "asks for another one" in m.run("copy", "--since", "changed>=2020-01-01").expect(REFUSED).err
    del m.tree["copy"]["rate"]
    m.write_recipe()
    copy = m.copy()["copy"]
    assert "changed>=" in copy["since"] and copy["returned"] == 40, copy

    # the writers stop; a last small copy, the receipt, the rollover
    write(m, documents(5, text="last"))
    m.run("copy", "--since", "last", "--until-below", "10").expect(DONE)
    assert verify(m)["verdict"] == "equal"
    assert titles(m)["5"] == "last 5" and titles(m)["6"] == "second 6" and titles(m)["30"] == "third 30"
    assert rollover(m)["position"] == "rolled_over"
    assert set(m.target.call("GET", f"/_alias/{m.alias}")) == {m.new}
    assert m.run("rollback").expect(DONE).json["position"] == "rolled_back"
    m.run("cancel", "--yes").expect(DONE)
    assert m.new not in m.target.indices()


@pytest.mark.parametrize("version", ["offset"])
def test_since_is_refused_where_commands_bring_what_changed(migrate, version):
    m = migrate("es-6.8", "es-8.17", partitions=1, mapping=ANYTHING, index={"transform": []},
                commands={"version": version})
    m.log.create(m.topic, 1)
    m.source.call("PUT", f"/{m.old}", {"mappings": {"incident": ANYTHING}})
    m.source.bulk(m.old, [("index", "1", {}, json.dumps({"title": "a", "changed": LONG_AGO}))])
    m.source.refresh(m.old)
    m.write_recipe()
    m.init()
    m.copy()
    assert "comes with the commands" in m.run("copy", "--since", "changed>=1").expect(REFUSED).err

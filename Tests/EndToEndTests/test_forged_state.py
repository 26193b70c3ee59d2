"""Somebody who can write the state index, and nothing else, has no index deleted and no alias moved by our commands."""
import json

import pytest

from alone import alone, rollover, verify, write
from binary import DONE, REFUSED, check_error
from test_cutover import behind


@pytest.fixture
def ready(migrate):
    m = alone(migrate, "es-8.17", "es-8.17", cutover={"writers": "alias"})
    write(m, {"1": {"title": "a"}})
    m.init()
    m.copy()
    verify(m)
    m.victim = f"victim-{m.old}"
    m.target.call("PUT", f"/{m.victim}", {})
    m.uuid = m.target.get(f"/{m.victim}/_settings")[m.victim]["settings"]["index"]["uuid"]
    return m


def forge(m, change):
    path = f"/.crossfade-{m.name}/_doc/migration"
    state = m.target.get(path)["_source"]
    change(state)
    m.target.call("PUT", path + "?refresh=true", state)


def test_cancel_deletes_no_index_that_only_the_state_names(ready):
    m = ready

    def change(state):
        packed = isinstance(state["uuids"], str)
        uuids = json.loads(state["uuids"]) if packed else state["uuids"]
        uuids[m.victim] = m.uuid
        state["uuids"] = json.dumps(uuids) if packed else uuids
    forge(m, change)
    result = m.run("cancel", "--yes").expect(DONE)
    assert m.victim in m.target.indices() and m.new not in m.target.indices()
    assert m.victim in str(result.json["kept"]), result


def test_rollback_moves_no_alias_that_only_the_state_names(ready):
    m = ready
    m.target.call("PUT", f"/{m.victim}/_alias/of-{m.victim}", {})
    rollover(m)

    def change(state):
        packed = isinstance(state["cutover"], str)
        cutover = json.loads(state["cutover"]) if packed else state["cutover"]
        cutover["moved"].append({"alias": f"of-{m.victim}", "from": [], "to": [
            {"index": m.victim, "uuid": m.uuid, "definition": {}}]})
        state["cutover"] = json.dumps(cutover) if packed else cutover
    forge(m, change)
    for more in ([], ["--accept-loss"]):
        check_error(m.run("rollback", *more), "neither the recipe nor the confirmed work names it", code=REFUSED)
    assert behind(m).keys() == {m.new} and behind(m, f"of-{m.victim}").keys() == {m.victim}

"""Data streams, and aliases that say to which of their indices the application writes."""
import pytest

from binary import REFUSED
from test_cutover import behind, rollback, rollover
from test_verify import verify


@pytest.fixture
def make(migrate):
    """A migration without a topic inside one cluster."""
    def make(server, **entry):
        m = migrate(server, server, partitions=1, mapping=None, index={"transform": []})
        for part in ("commands", "replay", "dead_letters"):
            m.tree.pop(part, None)
        m.tree["indices"][0].pop("mapping", None)
        m.tree["indices"][0].update(entry)
        m.tree["verify"] = {"settle": "5s", "folder": str(m.crossfade.folder / "verify")}
        m.tree["cutover"] = {"writers": "alias", "parity_age": "1h"}
        m.write_recipe()
        return m
    return make


def refused(m):
    plan = m.run("plan").expect(REFUSED).json
    return " ".join(rail["detail"] for rail in plan["rails"] if rail["name"] == "data_stream")


@pytest.mark.parametrize("server", ["es-8.17", "os-3"])
def test_a_data_stream_can_be_read_and_is_never_written_or_moved(make, server):
    m = make(server)
    stream, m.alias = f"ds-{m.name}", f"readers-{m.name}"
    m.source.call("PUT", f"/_index_template/{stream}", {
        "index_patterns": [stream], "data_stream": {}, "priority": 500,
        "template": {"settings": {"number_of_replicas": 0, "number_of_shards": 1}}})
    for day in range(1, 4):
        m.source.call("POST", f"/{stream}/_doc?refresh=true", {"@timestamp": f"2026-01-0{day}T00:00:00Z"})
    entry = m.tree["indices"][0]
    entry.update({"from": stream, "alias": stream})
    m.write_recipe()
    assert "readers use" in refused(m) and stream in refused(m)
    m.source.call("PUT", f"/{m.old}", {"settings": {"number_of_replicas": 0}})
    entry.update({"from": m.old, "to": stream, "alias": m.alias})
    m.write_recipe()
    assert f"to: {stream} stands for the data stream" in refused(m)
    entry.update({"from": stream, "to": m.new})
    m.write_recipe()
    m.init()
    assert m.copy()["returned"] == 3
    verify(m)
    rollover(m)
    assert behind(m).keys() == {m.new} and m.target.count(m.alias) == 3
    assert rollback(m, "--accept-loss")["position"] == "rolled_back" and behind(m) == {}
    m.source.call("DELETE", f"/_data_stream/{stream}" if server == "os-3" else f"/{m.new}")


@pytest.mark.parametrize("into", ["new", "each"])
def test_an_alias_over_a_series_keeps_its_write_index(make, into):
    m = make("es-8.17")
    m.alias = f"series-{m.name}"
    series = [f"{m.alias}-00000{n}" for n in (1, 2, 3)]
    for number, index in enumerate(series):
        m.source.call("PUT", f"/{index}", {
            "settings": {"number_of_replicas": 0, "number_of_shards": 1},
            "mappings": {"properties": {"title": {"type": "keyword"}}},
            "aliases": {m.alias: {"is_write_index": index == series[-1]}}})
        m.source.call("PUT", f"/{index}/_doc/{number}?refresh=true", {"title": f"title {number}"})
    before = behind(m)
    entry = m.tree["indices"][0]
    one = into == "new"
    entry.update({"from": m.alias if one else f"{m.alias}-*", "alias": m.alias, "to": m.new if one else "{index}-v2"})
    m.write_recipe()
    plan = m.plan()
    m.run("init", "--confirm", plan["fingerprint"], seconds=60).expect(0)
    assert m.copy()["returned"] == 3
    verify(m)
    rollover(m)
    last = m.new if into == "new" else f"{series[-1]}-v2"
    assert m.target.call("PUT", f"/{m.alias}/_doc/after?refresh=true", {"title": "after"})["_index"] == last
    assert m.target.count(m.alias) == 4
    rollback(m, "--accept-loss")
    assert behind(m) == before
    assert m.target.call("PUT", f"/{m.alias}/_doc/back", {"title": "back"})["_index"] == series[-1]

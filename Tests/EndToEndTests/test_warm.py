"""The gate `warm`: the new side is searched until it is as fast as it gets, and on until readers come."""
from binary import REFUSED
from stack import wait_for
from test_cutover import behind, failed, make, rollover  # noqa: F401 (a fixture)
from test_identity import insert
from test_verify import applied, verify


def idle(m):
    """Whether all shards of the new index have stopped to refresh, because nobody searches them."""
    shards = m.target.get(f"/{m.new}/_stats?level=shards")["indices"][m.new]["shards"]
    return all(copy["search_idle"] for copies in shards.values() for copy in copies)


def test_the_first_reader_after_a_pause_sees_the_last_write(make):  # noqa: F811
    m = make(warm={"queries": [{"body": {"query": {"match_all": {}}, "sort": [{"nope": "asc"}]}}]})
    verify(m)
    told = rollover(m, code=REFUSED)
    assert failed(told) == {"warm"} and behind(m).keys() == {m.old}
    gate = told["gates"][-1]
    assert "search 1 of cutover.warm fails" in gate["text"] and "nope" in gate["text"], gate
    m.tree["cutover"]["warm"] = {"queries": [{"index": m.new, "body": {"query": {"prefix": {"title": "title"}}}}]}
    m.write_recipe()
    # nobody searches; from then on a write stays unseen until somebody does
    m.target.call("PUT", f"/{m.new}/_settings", {"index": {"search": {"idle": {"after": "1s"}}}})
    wait_for("shards that rest", lambda: idle(m))
    m.log.produce(m.topic, [insert("last", "title last")])
    m.caught_up(m.follow)
    applied(m)
    before = m.target.get(f"/{m.new}/_stats/search")["indices"][m.new]["primaries"]["search"]["query_total"]
    told = rollover(m)
    gate, = [gate for gate in told["gates"] if gate["gate"] == "warm"]
    assert gate["verdict"] == "passed" and "95 % within" in gate["text"], gate
    hits = m.target.call("POST", f"/{m.alias}/_search", {"size": 100})["hits"]["hits"]
    assert "last" in {hit["_id"] for hit in hits}
    after = m.target.get(f"/{m.new}/_stats/search")["indices"][m.new]["primaries"]["search"]["query_total"]
    assert after - before >= 40, (before, after)

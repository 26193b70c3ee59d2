"""A target of two nodes, of which one hangs: it accepts connections and answers nothing."""
import json

import pytest

from binary import DONE, Crossfade
from rest import Cluster
from stack import wait_for

RECIPE = {
    "indices": [{"from": "two-v1", "to": "two-v2", "alias": "two", "settings": {"number_of_replicas": 1}}],
    "cutover": {"writers": "index"},
    "operations": {"listen": "off"},
}


@pytest.fixture
def nodes(stack):
    """The addresses of both, as one cluster."""
    name, both = f"{stack.prefix}two", ["--heap", "512m", "--set", "discovery.type=multi-node"]
    first = stack.start("es-8.17", "two-1", *both, "--set", f"cluster.name={name}",
                        "--set", "cluster.initial_master_nodes=n1")
    told = Cluster(first).get("/_nodes/transport?filter_path=nodes.*.transport_address")["nodes"]
    seed = next(iter(told.values()))["transport_address"]
    second = stack.start("es-8.17", "two-2", *both, "--set", f"cluster.name={name}", "--set", "node.name=n2",
                         "--set", f"discovery.seed_hosts={seed}")
    wait_for("two nodes", lambda: Cluster(first).get("/_cluster/health")["number_of_nodes"] == 2)
    yield [first, second]
    for ident in ("two-2", "two-1"):
        stack.wipe(ident)


def searched(address):
    """The indices that a reader finds behind the alias at this node."""
    answer = Cluster(address).call("POST", "/two/_search", {"size": 0, "aggs": {"i": {"terms": {"field": "_index"}}}})
    return {bucket["key"]: bucket["doc_count"] for bucket in answer["aggregations"]["i"]["buckets"]}


def test_a_node_that_hangs_does_not_stop_the_way_back(stack, nodes, folder):
    first, second = Cluster(nodes[0]), Cluster(nodes[1])
    first.call("PUT", "/two-v1", {"aliases": {"two": {}}, "settings": {"number_of_replicas": 1}})
    lines = [line for n in range(50) for line in (json.dumps({"index": {"_id": f"d{n}"}}), json.dumps({"n": n}))]
    first.call("POST", "/two-v1/_bulk?refresh=true", "\n".join(lines) + "\n", "application/x-ndjson")
    recipe = folder / "two.yaml"
    recipe.write_text(json.dumps(
        {"name": "two", "source": {"url": nodes[0]}, "target": {"url": nodes}, **RECIPE}))
    crossfade = Crossfade(folder)

    def run(command, *more):
        return crossfade(command, recipe, "--format", "json", *more, seconds=150).expect(DONE).json

    run("init", "--confirm", run("plan")["fingerprint"])
    run("copy")
    assert run("verify")["verdict"] == "equal"
    told = run("rollover")
    assert len(told["nodes"]) == 2 and not told["unreachable_nodes"]
    assert searched(first.url) == searched(second.url) == {"two-v2": 50}
    stack.pause("two-2")
    try:
        # Before the cluster has dropped the node: that takes it half a minute.
        assert run("status")["cutover"]["position"] == "rolled_over"
        told = run("rollback")
        assert told["position"] == "rolled_back" and searched(first.url) == {"two-v1": 50}
    finally:
        stack.resume("two-2")
    wait_for("the other node to come back", lambda: searched(second.url) == {"two-v1": 50})

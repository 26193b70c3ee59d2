"""Cases A and B of the issue, each from recipe to receipt, with the numbers of its account in small, while the
application reads and writes."""
import itertools
import json
import random

import pytest

import texts
from binary import DONE, FAILED, REFUSED
from frontend import Frontend
from indexer import properties
from live_indexer import LiveIndexer
from log import Writer
from model import Model
from recipes import MAPPING
from stack import wait_for
from test_cutover import rollback, rollover
from test_identity import command
from test_metrics import StatsD
from test_run import fingerprint, said
from test_verify import applied


@pytest.fixture
def threads():
    """What is started is stopped: writers first, then those who apply what they wrote."""
    started = []
    yield started
    for thread in reversed(started):
        if thread.is_alive():
            thread.stop()


def proven(m):
    """The receipt of a verification while commands come: a document that is written just then is looked at again."""
    for since in ([], *[["--since", "last"]] * 8):
        receipt = m.run("verify", *since).expect(DONE, FAILED).json
        assert receipt["verdict"] in ("equal", "settling"), receipt
        if receipt["verdict"] == "equal":
            return receipt
    raise AssertionError("documents are still changing")


# Case A. 500 million incidents with about 500 tags each: nested they would have been 250 billion documents.
INCIDENTS, TAGS, KEYS = 100, 500, 1100


def incident(r, number):
    tags = {f"key_{n:04d}": f"v{r.randrange(200)}" for n in r.sample(range(KEYS), TAGS)}
    return command("InsertMessageCommand", f"inc-{number}", message={"title": f"incident {number}", "tags": tags})


def traffic(r):
    """What goes on: mostly single tags and states, now and then an incident that comes or goes."""
    for n in itertools.count():
        ident = f"inc-{r.randrange(INCIDENTS)}"
        part = {"status": r.choice(["open", "closed"]),
                "tags": {f"key_{r.randrange(KEYS):04d}": f"v{r.randrange(200)}"}}
        if n % 20 == 7:
            yield incident(r, INCIDENTS + n)
        elif n % 20 == 17:
            yield command("DeleteMessageCommand", ident)
        else:
            yield command("UpdateMessageCommand", ident, message=part)


def incidents(migrate, seed, threads):
    """The application of case A: a topic that retention has cut, an old indexer, dynamic fields for all keys."""
    m = migrate("es-1.7", "es-6.8", partitions=3, settings={"refresh_interval": "1s"},
                commands={"application_group": "app"})
    m.tree["commands"]["application_group"] = group = f"app-{m.name}"
    m.alias = m.tree["indices"][0]["alias"] = f"readers-{m.name}"
    m.tree["verify"] = {"settle": "30s", "folder": str(m.crossfade.folder / "verify")}
    m.log.create(m.topic, m.partitions)
    r, model = random.Random(seed), Model()
    first = [incident(r, n) for n in range(INCIDENTS)]
    m.log.produce(m.topic, first)
    m.log.truncate(m.topic, m.log.ends(m.topic))
    later = list(itertools.islice(traffic(r), 100))
    m.log.produce(m.topic, later)
    for key, value in first + later:
        model.apply(key, value)
    m.source.create(m.old, {name: field for name, field in properties(m.source).items() if name != "tags"})
    m.source.bulk(m.old, [("index", ident, {}, texts.render(document)) for ident, document in model.documents.items()])
    m.source.refresh(m.old)
    m.source.call("POST", "/_aliases", {"actions": [{"add": {"index": m.old, "alias": m.alias}}]})
    applied(m)
    m.indexer = LiveIndexer(m.log, m.topic, group, m.source, m.old, m.log.ends(m.topic), model, seed)
    m.writer = Writer(m.log, m.topic, traffic(r), rate=10)
    m.frontend = Frontend(m, least=INCIDENTS // 2)
    threads += [m.indexer, m.writer, m.frontend]
    m.tree["cutover"] = {"parity_age": "1h", "command": m.frontend.command}
    return m


def ids(cluster, index, query):
    cluster.refresh(index)
    found = cluster.call("POST", f"/{index}/_search", {"size": 2000, "_source": False, "query": query})["hits"]["hits"]
    return sorted(hit["_id"] for hit in found)


def test_case_a_incidents_with_tags_of_unbounded_keys(migrate, seed, threads):
    """In small, 500 million incidents that would have become 250 billion: 100 with 500 tags each."""
    m = incidents(migrate, seed, threads)
    statsd = StatsD()
    m.tree["operations"]["statsd"] = statsd.address
    (old,) = m.source.get(f"/{m.old}/_mapping").values()
    assert len(old["mappings"]["incident"]["properties"]["tags"]["properties"]) == KEYS, "the mapping has exploded"
    # with the schema as it was, the new index would explode, too
    entry = m.tree["indices"][0]
    flattened, entry["transform"] = entry["transform"], []
    entry["mapping"] = {"properties": {**MAPPING["properties"], "tags": {"type": "object"}}}
    m.write_recipe()
    refused = m.run("plan").expect(REFUSED)
    assert "tags" in refused.err and "limit" in refused.err, refused
    entry["transform"], entry["mapping"] = flattened, MAPPING

    for thread in threads:
        thread.start()
    m.write_recipe()
    m.init()
    copied = m.copy()
    # as many documents as before, each of them one of Lucene's, which nested ones would not be
    m.target.refresh(m.new)
    stats = m.target.get(f"/{m.new}/_stats/docs")["_all"]["primaries"]["docs"]
    assert stats["count"] == m.target.count(m.new) == copied["outcomes"]["indexed"] == copied["expected"], stats
    held = list(m.target.scroll(m.new, {"match_all": {}}))
    assert sum(len(hit["_source"]["tags"]) for hit in held) >= 0.9 * TAGS * len(held) and len(held) >= 0.9 * INCIDENTS
    assert set(m.target.mapping(m.new)["properties"]["tags"]["properties"]) == {"keyToValue", "value"}
    counters, gauges, _ = statsd.heard()
    count = f"elastic_migration_document_count,index={m.new},type="
    assert counters[count + "success"] == len(held) and counters[count + "failure"] == 0
    total = gauges[f"elastic_migration_document_total_count,index={m.new},type=success"]
    assert abs(total - len(held)) <= m.writer.written, "counted before, while commands come"

    # from what retention has left of the topic, as everything may be written again
    assert m.replay()["outcomes"]["dead_lettered"] == 0
    follow = m.start("follow")
    follow.assigned()
    wait_for("the follower to be near", lambda: m.lag() < 100)
    receipt = proven(m)
    assert receipt["totals"]["compared"] >= 0.9 * INCIDENTS and receipt["totals"]["equal"] == receipt["totals"][
        "compared"]
    told = rollover(m)
    assert told["position"] == "rolled_over" and told["moved"]
    # the plan for the case that it fails: the old side has gone on, and so has the new one
    assert rollback(m)["position"] == "rolled_back"
    assert rollover(m)["position"] == "rolled_over"
    assert m.writer.is_alive() and m.indexer.is_alive() and follow.running
    m.writer.stop()
    m.caught_up(follow)
    wait_for("the old indexer to be done", lambda: m.log.lag(m.indexer.group, m.topic) == 0)

    # what a user finds is the same
    for n in range(5):
        key, value = f"key_{n:04d}", f"v{n}"
        by_pair = ids(m.target, m.alias, {"term": {"tags.keyToValue": f"{key}:{value}"}})
        assert by_pair == ids(m.source, m.alias, {"match": {f"tags.{key}": value}})
        by_value = ids(m.target, m.alias, {"term": {"tags.value": value}})
        assert len(by_value) > INCIDENTS / 2 and by_value == ids(
            m.source, m.alias, {"query_string": {"fields": ["tags.*"], "query": value}})
    receipt = m.run("verify").expect(DONE).json
    assert receipt["verdict"] == "equal" and receipt["totals"]["compared"] == len(m.indexer.model.documents)
    searches = m.frontend.stop()
    assert not m.frontend.wrong and searches[0]["old"] > 40 and searches[100]["new"] > 40, m.frontend.wrong[:5]
    m.stop(follow)


# Case B. A marketplace of pet sitters: from 5.6 by way of 7.10 to 8, a cluster beside the other each time, searches
# moved in steps of 5, 10, 25, 50 and 100 percent, and the 7.10 kept as a backup that is written and can be read.
STEPS = (5, 10, 25, 50, 100)
SITTERS = {"dynamic": False, "properties": {"title": {"type": "keyword"}, "city": {"type": "keyword"},
                                            "rate": {"type": "integer"}}}


def sitter(r, number):
    profile = {"title": f"sitter {number}", "city": f"city {r.randrange(10)}", "rate": r.randrange(10, 60),
               "services": r.sample(["walking", "boarding", "visits"], 2)}
    return f"s{number}".encode(), json.dumps(profile).encode()


def profiles(r):
    """What sitters do: they change their profiles, some leave, new ones come."""
    for n in itertools.count(200):
        number = r.randrange(200)
        yield (f"s{number}".encode(), None) if n % 20 == 7 else sitter(r, n if n % 20 == 17 else number)


def marketplace(migrate, source, target, alias, **options):
    m = migrate(source, target, shape="document", partitions=2, mapping=SITTERS, index={"transform": []}, **options)
    m.alias = alias or f"sitters-{m.name}"
    m.tree["verify"] = {"settle": "30s", "folder": str(m.crossfade.folder / f"verify-{m.name}"), "sample": 5}
    m.frontend = Frontend(m, least=150, steps=STEPS)
    m.tree["cutover"] = {"parity_age": "1h", "command": m.frontend.command}
    m.tree["indices"][0]["alias"] = m.alias
    return m


def upgrade_5_6(migrate, seed, threads):
    """The old cluster, with a mapping that later versions refuse, its indexer and its readers."""
    m = marketplace(migrate, "es-5.6", "es-7.10", None)
    m.handover = m.tree["cutover"]["handover"] = f"new-indexer-{m.name}"
    group = m.tree["commands"]["application_group"] = f"app-{m.name}"
    m.log.create(m.topic, m.partitions)
    r, model = random.Random(seed), Model("document")
    records = [sitter(r, n) for n in range(200)]
    m.log.produce(m.topic, records)
    for key, value in records:
        model.apply(key, value)
    m.source.create(m.old, {**SITTERS["properties"], "title": {"type": "keyword", "include_in_all": False}})
    m.source.bulk(m.old, [("index", ident, {}, texts.render(document)) for ident, document in model.documents.items()])
    m.source.refresh(m.old)
    m.source.call("POST", "/_aliases", {"actions": [{"add": {"index": m.old, "alias": m.alias}}]})
    applied(m)
    m.indexer = LiveIndexer(m.log, m.topic, group, m.source, m.old, m.log.ends(m.topic), model, seed)
    m.writer = Writer(m.log, m.topic, profiles(r), rate=10)
    threads += [m.indexer, m.frontend, m.writer]
    for thread in (m.indexer, m.frontend, m.writer):
        thread.start()
    m.write_recipe()
    return m


def same_searches(m):
    for n in range(10):
        query = {"bool": {"filter": [{"term": {"city": f"city {n}"}}, {"range": {"rate": {"gte": 30}}}]}}
        assert ids(m.source, m.alias, query) == ids(m.target, m.alias, query), n


def test_case_b_a_marketplace_upgrades_twice(migrate, seed, threads):
    m = upgrade_5_6(migrate, seed, threads)
    m.init()
    assert m.copy()["outcomes"]["indexed"] >= 180
    m.replay()
    follow = m.start("follow")
    follow.assigned()
    wait_for("the follower to be near", lambda: m.lag() < 100)
    receipt = proven(m)
    # counts, and single documents to look at
    assert receipt["totals"]["equal"] == receipt["totals"]["compared"] >= 180
    same = [one for one in receipt["sample"] if json.loads(one["expected"] or "{}") == json.loads(one["found"] or "{}")]
    assert len(receipt["sample"]) == 5 and len(same) >= 3, "read one after the other, while commands come"

    # at 25 percent the dashboards show errors: back at once, and again after that
    (m.frontend.folder / "alarm").touch()
    refused = m.run("rollover").expect(REFUSED)
    assert "the dashboards show errors" in refused.err and "run rollover again, or rollback" in refused.err
    (m.frontend.folder / "alarm").unlink()
    rollover(m)
    assert m.status()["cutover"]["rollback"]["ready"]
    # a new indexer takes the topic over where the follower has stopped
    m.stop(follow)
    m.run("finish", "--yes", "--archive", str(m.crossfade.folder / "end.json"), seconds=120).expect(DONE)
    searches = m.frontend.stop()
    assert not m.frontend.wrong and set(searches) == {0, *STEPS}, m.frontend.wrong[:5]
    for percent in (25, 50):
        share = searches[percent]["new"] / sum(searches[percent].values())
        assert abs(share - percent / 100) < 0.1, searches
    m.indexer.stop()

    # and now from 7.10, which stays as the backup, to 8
    n = marketplace(migrate, "es-7.10", "es-8.17", m.alias)
    n.log, n.topic = m.log, m.topic
    n.tree["commands"].update(topic=m.topic, application_group=m.handover)
    n.tree["indices"][0]["from"] = m.alias
    n.write_recipe()
    n.indexer = LiveIndexer(m.log, m.topic, m.handover, n.source, m.new, m.log.committed(m.handover, m.topic),
                            shape="document", seed=seed)
    threads += [n.indexer, n.frontend]
    n.indexer.start()
    n.frontend.start()
    run = n.start("run", "--until", "rolled-over", "--confirm", fingerprint(n))
    said(run, "a step is done", "step=rollover")
    m.writer.stop()
    n.caught_up(run)
    wait_for("the indexer of the backup to be done", lambda: m.log.lag(m.handover, m.topic) == 0)
    same_searches(n)
    assert n.run("verify").expect(DONE).json["verdict"] == "equal"
    assert rollback(n)["position"] == "rolled_back"
    assert run.terminate().expect(DONE).json["position"] == "rolled_back"
    searches = n.frontend.stop()
    assert not n.frontend.wrong and set(searches) == {0, *STEPS}, n.frontend.wrong[:5]

"""What a search shows is not what the index holds: refreshes that lag, aliases with a filter, documents whose source is
not whole."""
import json
import time

import pytest

from binary import REFUSED, check_error
from proxy import Proxy
from rest import RestError
from test_errors import nothing_written
from test_identity import command, documents, insert, titles

pytestmark = pytest.mark.embedded

TITLES = {"properties": {"title": {"type": "keyword"}}}
TWENTY = {str(n): f"first {n}" for n in range(20)}


@pytest.fixture
def make(migrate):
    """A migration whose topic has `records`, all applied by the application's group, and whose source has the settings
    and the mapping given, and no documents."""
    def make(records, source="es-6.8", target="es-8.17", refresh="30s", fields=None, settings=None, aliases=None,
             mapping=None, **sections):
        sections["index"] = {"transform": [], **sections.get("index", {})}
        sections.setdefault("replay", {"from": "recorded", "recorded_margin": "1ms"})
        m = migrate(source, target, partitions=1, mapping=mapping or TITLES, **sections)
        m.log.create(m.topic, 1)
        produce(m, records)
        m.tree["commands"]["application_group"] = f"app-{m.name}"
        m.log.commit(f"app-{m.name}", m.topic, {0: m.log.ends(m.topic)[0]})
        settings = {"number_of_shards": 2, "number_of_replicas": 0, "refresh_interval": refresh, **(settings or {})}
        text = "string" if m.source.typed and m.source.version < (5, 0) else "keyword"
        whole = {"properties": {"title": {"type": text}}, **(fields or {})}
        body = {"settings": {k: v for k, v in settings.items() if v is not None},
                "mappings": {"incident": whole} if m.source.typed else whole}
        m.source.call("PUT", f"/{m.old}", {**body, **({"aliases": aliases} if aliases else {})})
        m.write_recipe()
        return m
    return make


def produce(m, records):
    """A record a second, the last one just now."""
    producer, now = m.log.producer(), int(time.time() * 1000)
    for n, (key, value) in enumerate(records):
        producer.produce(m.topic, value, key, partition=0, timestamp=now - 1000 * (len(records) - 1 - n))
    producer.finish()


def fill(m, texts=None, refreshed=False):
    """Documents as (id, metadata, document, type); the twenty by default. Nothing is refreshed unless it is said."""
    lines = [("index", ident, metadata, json.dumps(text)) for ident, metadata, text, _ in texts or documents(20)]
    m.source.bulk(m.old, lines)
    if refreshed:
        m.source.refresh(m.old)


def twenty():
    return [insert(str(n), f"first {n}") for n in range(20)]


def whole(m):
    m.init()
    m.copy()
    summary = m.replay()
    return titles(m), summary


# a refresh that lags

@pytest.mark.parametrize("source,refresh", [("es-6.8", "30s"), ("es-6.8", "-1"), ("es-1.7", "-1"), ("es-2.4", "30s")])
def test_what_the_source_has_not_refreshed_is_copied(make, source, refresh):
    """20 documents that no search shows, and one that every search shows although it is deleted."""
    m = make([insert("99", "first"), *twenty(), command("DeleteMessageCommand", "99"), command("PingCommand", "1")],
             source, refresh=refresh)
    fill(m, [("99", {}, {"title": "first"}, "incident")], refreshed=True)
    fill(m)
    m.source.bulk(m.old, [("delete", "99", {}, None)])
    assert m.source.count(m.old) == 1, "the source shows what it has"
    found, summary = whole(m)
    assert found == TWENTY and summary["read"] == 1, summary


def test_a_second_copy_sees_what_came_since_the_first(make):
    m = make(twenty()[:10], refresh="-1")
    fill(m, documents(10))
    m.init()
    assert m.copy()["returned"] == 10
    fill(m, documents(20))
    assert m.copy()["returned"] == 20 and titles(m) == TWENTY


class Forbids(Proxy):
    """A cluster that does not let us do some things: answers 403 for paths that hold one of `words`."""

    def __init__(self, upstream, *words):
        super().__init__(upstream)
        self.words = words

    def handle(self, handler, body):
        if any(word in handler.path for word in self.words):
            return handler.answer(403, [("Content-Type", "application/json")], json.dumps({
                "error": {"type": "security_exception",
                          "reason": "action [indices:admin/refresh] is unauthorized for user [reader]"},
                "status": 403}).encode())
        handler.answer(*handler.ask(body))


@pytest.mark.real
@pytest.mark.parametrize("source,forbidden", [("es-6.8", ["_refresh"]), ("es-6.8", ["_refresh", "_stats"]),
                                              ("es-2.4", ["_refresh"]), ("es-8.17", ["_refresh"])])
def test_a_source_that_may_not_be_refreshed_is_waited_for(make, source, forbidden):
    """On 8.17 nobody searches, and a shard that nobody searches is not refreshed at all."""
    idle = {"index.search.idle.after": "1ms"} if source == "es-8.17" else {}
    m = make(twenty(), source, refresh=None if idle else "2s", settings=idle)
    with Forbids(m.source.url, *forbidden) as proxy:
        m.tree["source"] = {"url": proxy.url}
        m.write_recipe()
        m.init()
        fill(m)
        m.copy()
        m.replay()
        assert any(path.endswith("/_refresh") for _, path in proxy.requests)
    assert titles(m) == TWENTY


def test_a_source_that_is_never_refreshed_and_may_not_be_is_refused(make):
    m = make(twenty(), refresh="-1")
    fill(m)
    with Forbids(m.source.url, "_refresh") as proxy:
        m.tree["source"] = {"url": proxy.url}
        m.write_recipe()
        m.init()
        check_error(m.run("copy"), m.old, "refresh_interval", "maintenance", "unauthorized", code=REFUSED)
        assert m.target.count(m.new) == 0 and m.status()["phase"] == "created"
    m.tree["source"] = {"url": m.source.url}
    m.write_recipe()
    m.copy()
    m.replay()
    assert titles(m) == TWENTY


@pytest.mark.real
@pytest.mark.parametrize("source", ["es-1.7", "es-2.4"])
def test_a_source_that_was_made_read_only_is_copied(make, source):
    """Old versions do not refresh an index that is read-only; no document of it changes either."""
    m = make(twenty(), source, refresh="1s")
    fill(m)
    m.source.call("PUT", f"/{m.old}/_settings", {"index.blocks.read_only": True})
    try:
        assert whole(m)[0] == TWENTY
    finally:
        m.source.call("PUT", f"/{m.old}/_settings", {"index.blocks.read_only": False})


# an application that commits before it writes

def test_recorded_begins_earlier_by_the_margin(make):
    """Everything is committed. Two commands of the last minute are not written yet; the ones before are."""
    m = make([], replay={"from": "recorded"})
    now = int(time.time() * 1000)
    ages = [(0, 7200), (1, 3600), (2, 1800), (3, 50), (4, 20)]
    producer = m.log.producer()
    for n, age in ages:
        key, value = insert(str(n), f"first {n}")
        producer.produce(m.topic, value, key, partition=0, timestamp=now - age * 1000)
    producer.finish()
    m.log.commit(f"app-{m.name}", m.topic, {0: 5})
    fill(m, documents(3), refreshed=True)
    m.init()
    m.copy()
    summary = m.replay()
    assert (summary["read"], summary["partitions"][0]["start"]) == (2, 3), summary
    assert titles(m) == {str(n): f"first {n}" for n in range(5)}


# from is an alias with a filter

KINDS = {"properties": {"title": {"type": "keyword"}, "kind": {"type": "keyword"}}}


def mixed(kind="message.kind"):
    """Ten documents: 0 to 2 are incidents, the others notes; and their commands, of which the last update two."""
    whole = {str(n): {"title": f"first {n}", "kind": "incident" if n < 3 else "note"} for n in range(10)}
    records = [command("InsertMessageCommand", ident, message=text) for ident, text in whole.items()]
    records += [command("InsertMessageCommand", ident, message={**whole[ident], "title": "second"}) for ident in "17"]
    return whole, records


def aliased(make, source="es-6.8", field="kind", **sections):
    """The application has applied the first ten commands; `from` is an alias that shows the incidents."""
    whole, records = mixed()
    kind = {"type": "string", "index": "not_analyzed"} if source in ("es-1.7", "es-2.4") else {"type": "keyword"}
    m = make(records, source, "es-8.17", "1s", fields={"properties": {"title": kind, "kind": kind}},
             mapping=KINDS, replay={"from": "beginning"}, **sections)
    m.source.call("PUT", f"/{m.old}/_alias/{m.old}-incidents", {"filter": {"term": {field: "incident"}}})
    fill(m, [(ident, {}, text, "incident") for ident, text in whole.items()], refreshed=True)
    m.log.commit(f"app-{m.name}", m.topic, {0: 10})
    m.tree["indices"][0]["from"] = f"{m.old}-incidents"
    m.write_recipe()
    return m


ALL = {**{str(n): f"first {n}" for n in range(10)}, "1": "second", "7": "second"}
INCIDENTS = {"0": "first 0", "1": "second", "2": "first 2"}


def rails(m, name, *codes):
    plan = m.run("plan", seconds=60).expect(*codes)
    return [(rail["verdict"], rail["detail"]) for rail in plan.json["rails"] if rail["name"] == name], plan


def test_alias_with_a_filter_is_refused_until_it_is_said_what_is_meant(make):
    m = aliased(make)
    ((verdict, text),), _ = rails(m, "source_filter", REFUSED)
    assert verdict == "refused" and "filter: alias" in text and "select" in text and "10" in text, text
    with nothing_written(m):
        check_error(m.run("copy"), f"{m.old}-incidents", code=REFUSED)


@pytest.mark.parametrize("source", ["es-6.8", "es-1.7"])
def test_alias_whose_filter_select_says_too(make, source):
    """Only what the alias shows is copied and written."""
    m = aliased(make, source, index={"select": {"field": "message.kind", "equals": "incident"}})
    m.init()
    summary = m.copy()
    assert (summary["returned"], summary["expected"]) == (3, 3), summary
    m.replay()
    assert titles(m) == INCIDENTS


def test_select_of_something_else_is_not_the_filter(make):
    m = aliased(make, index={"select": {"field": "message.kind", "equals": "note"}})
    ((verdict, _),), _ = rails(m, "source_filter", REFUSED)
    assert verdict == "refused"


def test_filter_on_the_target_s_alias(make):
    """Everything is copied, and readers of the alias see the same part."""
    m = aliased(make, index={"filter": "alias"})
    m.init()
    assert m.copy()["returned"] == 10
    m.replay()
    assert titles(m) == ALL
    hits = m.target.scroll(f"{m.new}-crossfade-read", {"match_all": {}})
    assert {hit["_id"]: hit["_source"]["title"] for hit in hits} == INCIDENTS


def test_filter_source_although_commands_concern_other_documents(make):
    m = aliased(make, index={"filter": "source"})
    found, _ = rails(m, "source_filter", REFUSED)
    assert [verdict for verdict, _ in found] == ["ok", "refused"] and "7 of 10" in found[1][1], found


def test_filter_source_of_a_topic_that_has_nothing_else(make):
    whole, records = mixed()
    m = make([r for r in records if b"incident" in r[1]], refresh="1s", fields=KINDS, mapping=KINDS,
             replay={"from": "beginning"}, aliases={"shown": {"filter": {"term": {"kind": "incident"}}}, "all": {}},
             index={"filter": "source"})
    fill(m, [(ident, {}, text, "incident") for ident, text in whole.items()], refreshed=True)
    m.tree["indices"][0]["from"] = "shown"
    m.write_recipe()
    assert m.init()["indices"][0]["documents"] == 3
    assert m.copy()["returned"] == 3
    m.replay()
    assert titles(m) == INCIDENTS


def test_an_alias_without_a_filter_shows_everything(make):
    m = aliased(make)
    m.source.call("PUT", f"/{m.old}/_alias/{m.old}-every")
    m.tree["indices"][0]["from"] = f"{m.old}-incidents,{m.old}-every"
    m.write_recipe()
    assert rails(m, "source_filter", 0)[0] == []
    assert whole(m)[0] == ALL


# documents that are not given back as they were written

@pytest.mark.parametrize("source,storage,words", [
    ("es-6.8", {"excludes": ["secret"]}, "secret"), ("es-6.8", {"includes": ["title"]}, "title"),
    ("es-6.8", {"enabled": False}, "_source"), ("es-1.7", {"excludes": ["secret"]}, "secret"),
    ("es-8.17", {"mode": "synthetic"}, "synthetic"), ("es-8.17", {"mode": "disabled"}, "_source")])
@pytest.mark.real
def test_source_that_does_not_keep_its_documents_whole(make, source, storage, words):
    secret = {"type": "string"} if source == "es-1.7" else {"type": "keyword"}
    title = {"type": "string"} if source == "es-1.7" else {"type": "keyword"}
    m = make(twenty(), source, fields={"_source": storage, "properties": {"title": title, "secret": secret}})
    fill(m, [(ident, {}, {**text, "secret": "x"}, kind) for ident, _, text, kind in documents(20)], refreshed=True)
    plan = m.run("plan", seconds=60).expect(REFUSED).json
    found = [rail["detail"] for rail in plan["rails"] if rail["verdict"] == "refused"]
    assert len(found) == 1 and words in found[0] and m.old in found[0], found
    with nothing_written(m):
        check_error(m.run("copy"), words, code=REFUSED)


@pytest.mark.real
def test_source_whose_setting_makes_documents_up(make):
    m = make(twenty(), "es-8.17", settings={"index.mapping.source.mode": "synthetic"})
    fill(m, refreshed=True)
    ((verdict, text),), _ = rails(m, "source_fields", REFUSED)
    assert verdict == "refused" and "index.mapping.source.mode" in text, text


def test_excluded_fields_that_the_new_schema_does_not_want(make):
    m = make(twenty(), fields={"_source": {"excludes": ["secret.*"]}, "properties": {"title": {"type": "keyword"}}},
             index={"transform": [{"remove": ["secret"]}]})
    fill(m, [(ident, {}, {**text, "secret": {"a": 1}}, kind) for ident, _, text, kind in documents(20)])
    assert whole(m)[0] == TWENTY


@pytest.mark.real
@pytest.mark.parametrize("mapping,settings", [
    ({"_source": {"excludes": ["secret"]}}, {}), ({"_source": {"enabled": False}}, {}),
    ({"_source": {"mode": "synthetic"}}, {}), ({}, {"index.mapping.source.mode": "synthetic"})])
def test_target_that_does_not_keep_documents_whole_and_partial_updates(make, mapping, settings):
    """A partial update reads the document and writes it back: what is not given back would be gone."""
    m = make(twenty(), mapping={**TITLES, **mapping})
    m.tree["indices"][0]["settings"] |= settings
    m.write_recipe()
    fill(m)
    ((verdict, text),), _ = rails(m, "target_fields", REFUSED)
    assert verdict == "refused" and m.new in text, text
    # without partial updates it is the user's business
    del m.tree["commands"]["envelope"]["merge"]
    m.tree["commands"]["envelope"]["ignore"] = ["PingCommand", "UpdateMessageCommand"]
    m.write_recipe()
    assert rails(m, "target_fields", 0)[0] == []
    m.init()
    m.copy()
    m.replay()
    assert m.target.count(m.new) == 20


# the newest servers as sources

@pytest.mark.real
@pytest.mark.parametrize("source", ["es-9.0", "os-3"])
class TestNewestServers:
    def test_what_is_not_refreshed_is_copied(self, make, source):
        """By the first copy after a refresh, and by the second after a wait, where a refresh is forbidden."""
        m = make([insert("99", "first"), *twenty(), command("DeleteMessageCommand", "99")], source, refresh="-1")
        fill(m, [("99", {}, {"title": "first"}, "incident")], refreshed=True)
        fill(m)
        m.source.bulk(m.old, [("delete", "99", {}, None)])
        assert m.source.count(m.old) == 1, "the source shows what it has"
        assert whole(m)[0] == TWENTY
        m.source.call("PUT", f"/{m.old}/_settings", {"index.refresh_interval": "1s"})
        fill(m, documents(5, start=20))
        with Forbids(m.source.url, "_refresh") as proxy:
            m.tree["source"] = {"url": proxy.url}
            m.write_recipe()
            assert m.copy()["returned"] == 25
        assert titles(m) == {str(n): f"first {n}" for n in range(25)}

    def test_alias_with_a_filter(self, make, source):
        m = aliased(make, source)
        ((verdict, text),), _ = rails(m, "source_filter", REFUSED)
        assert verdict == "refused" and "filter: alias" in text and "10" in text, text
        m.tree["indices"][0]["select"] = {"field": "message.kind", "equals": "incident"}
        m.write_recipe()
        m.init()
        assert m.copy()["returned"] == 3
        m.replay()
        assert titles(m) == INCIDENTS

    def test_source_that_is_not_whole(self, make, source):
        m = make(twenty(), source, fields={"_source": {"excludes": ["secret"]}, "properties": {
            "title": {"type": "keyword"}, "secret": {"type": "keyword"}}})
        fill(m, [(ident, {}, {**text, "secret": "x"}, kind) for ident, _, text, kind in documents(20)], refreshed=True)
        ((verdict, text),), _ = rails(m, "source_fields", REFUSED)
        assert verdict == "refused" and "secret" in text, text
        # the other way not to keep it: each product has its own
        made_up = ({"index.mapping.source.mode": "synthetic"} if source == "es-9.0"
                   else {"index.derived_source.enabled": True})
        m.source.call("DELETE", f"/{m.old}")
        properties = {"title": {"type": "keyword"}}
        try:
            m.source.call("PUT", f"/{m.old}", {"settings": made_up, "mappings": {"properties": properties}})
        except RestError:
            # before OpenSearch 3.2 there is no such setting
            assert source == "os-3" and m.source.version < (3, 2)
            return
        fill(m, refreshed=True)
        ((verdict, text),), _ = rails(m, "source_fields", REFUSED)
        assert verdict == "refused" and next(iter(made_up)) in text, text

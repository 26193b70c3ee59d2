"""What the target adds by itself to the index that init makes: aliases, pipelines, policies, mapping."""
import json

import pytest

from binary import REFUSED
from proxy import Proxy
from test_errors import nothing_written
from test_identity import TITLES, insert
from test_switched_off import rail

TARGETS = ["es-8.17", pytest.param("es-6.8", marks=pytest.mark.real), pytest.param("es-7.17", marks=pytest.mark.real),
           pytest.param("os-3", marks=pytest.mark.real)]


@pytest.fixture
def make(migrate):
    """A migration of three documents, and templates on the target that are taken away after the test."""
    made = []

    def make(target="es-8.17", **sections):
        sections["index"] = {"transform": [], "alias": "incidents-live", **sections.get("index", {})}
        m = migrate("es-6.8", target, partitions=1, mapping=TITLES, **sections)
        m.log.create(m.topic, 1)
        m.log.produce(m.topic, [insert("a", "from the log")])
        m.source.create(m.old, {"title": {"type": "keyword"}})
        m.source.bulk(m.old, [("index", f"{n}", {}, json.dumps({"title": f"first {n}"})) for n in range(3)], "incident")
        m.source.refresh(m.old)
        m.write_recipe()
        made.append(m)
        return m
    yield make
    for m in made:
        for path in (f"/_template/{m.name}", f"/_index_template/{m.name}", f"/_component_template/{m.name}"):
            m.target.request("DELETE", path)


def is_composable(m):
    return m.target.opensearch or m.target.version >= (7, 8)


def template(m, body, pattern=None, order=7, kind=None):
    """A template of the kind that the server prefers, or a legacy one."""
    pattern = pattern or f"{m.new[:-1]}*"
    if kind == "legacy" or not is_composable(m):
        m.target.call("PUT", f"/_template/{m.name}", {"index_patterns": [pattern], "order": order, **body})
    else:
        m.target.call("PUT", f"/_index_template/{m.name}",
                      {"index_patterns": [pattern], "priority": order, "template": body})


def refused(m, name):
    with nothing_written(m):
        text = rail(m, name, REFUSED)
    assert "refused" in text, text
    return text


@pytest.mark.embedded
@pytest.mark.parametrize("target, kind", [
    ("es-8.17", "composable"), ("es-8.17", "legacy"),
    # 6.8 knows no composable templates.
    pytest.param("es-6.8", "legacy", marks=pytest.mark.real),
    pytest.param("es-7.17", "composable", marks=pytest.mark.real),
    pytest.param("os-3", "composable", marks=pytest.mark.real), pytest.param("os-3", "legacy", marks=pytest.mark.real),
])
def test_template_that_carries_the_live_alias(make, target, kind):
    m = make(target)
    template(m, {"aliases": {"incidents-live": {}}}, kind=kind)
    text = refused(m, "templates")
    assert "incidents-live" in text and "readers use" in text and m.name in text and m.new in text, text
    # the way out: another name
    m.tree["indices"][0]["to"] = m.new = f"other-{m.new}"
    m.write_recipe()
    m.init()
    m.copy()
    m.replay()
    m.target.refresh(m.new)
    assert m.target.count(m.new) == 4
    assert m.target.request("GET", "/_alias/incidents-live")[0] == 404


@pytest.mark.real
@pytest.mark.parametrize("target", TARGETS)
def test_template_with_a_pipeline(make, target):
    """A pipeline changes documents; this one is missing, so that every write through it fails. The recipe's settings
    switch it off."""
    m = make(target)
    template(m, {"settings": {"index.default_pipeline": m.name}})
    text = refused(m, "pipelines")
    assert m.name in text and "_none" in text, text
    m.tree["indices"][0]["settings"]["index.default_pipeline"] = "_none"
    m.write_recipe()
    m.init()
    m.copy()
    m.replay()
    m.target.refresh(m.new)
    assert {h["_source"]["title"] for h in m.target.scroll(m.new, {"match_all": {}})} == {
        "first 0", "first 1", "first 2", "from the log"}
    # the index that is there gets one later
    m.target.call("PUT", f"/{m.new}/_settings", {"index.default_pipeline": m.name})
    result = m.run("follow").expect(REFUSED)
    assert "pipelines" in result.err and f"PUT /{m.new}/_settings" in result.err, result


@pytest.mark.real
def test_component_template_and_another_of_lower_rank(make):
    m = make()
    m.target.call("PUT", f"/_component_template/{m.name}", {"template": {"aliases": {"all-incidents": {}}}})
    m.target.call("PUT", f"/_index_template/{m.name}",
                  {"index_patterns": [f"{m.new[:-1]}*"], "priority": 7, "composed_of": [m.name]})
    assert "all-incidents" in refused(m, "templates")
    # one for this name alone that ranks above it
    m.target.call("PUT", f"/_index_template/{m.name}-own", {"index_patterns": [m.new], "priority": 8})
    try:
        m.init()
        assert m.target.request("GET", "/_alias/all-incidents")[0] == 404
    finally:
        m.target.request("DELETE", f"/_index_template/{m.name}-own")


@pytest.mark.real
@pytest.mark.parametrize("target", ["es-8.17", "os-3"])
def test_template_of_data_streams(make, target):
    m = make(target)
    m.target.call("PUT", f"/_index_template/{m.name}",
                  {"index_patterns": [f"{m.new[:-1]}*"], "priority": 7, "data_stream": {}})
    assert "data stream" in refused(m, "data_stream")


@pytest.mark.real
def test_template_that_maps_another_type(make):
    m = make("es-6.8")
    template(m, {"mappings": {"incident": {"properties": {"x": {"type": "keyword"}}}}})
    text = refused(m, "template_type")
    assert "incident" in text and "_doc" in text, text


@pytest.mark.embedded
def test_what_a_template_adds_is_shown(make):
    m = make()
    template(m, {"settings": {"index.refresh_interval": "7s"}, "mappings": {"dynamic": "strict"}})
    text = rail(m, "templates")
    assert text.startswith("warn") and "refresh_interval: 7s" in text and "strict" in text, text
    template(m, {"settings": {"index.refresh_interval": "7s"}})
    assert rail(m, "templates").startswith("ok")


@pytest.mark.embedded
def test_template_that_filters_source_where_partial_updates_are_possible(make):
    m = make()
    template(m, {"mappings": {"_source": {"excludes": ["secret"]}}})
    assert "partial update" in refused(m, "templates")


class Answering(Proxy):
    """Answers some paths itself: (status, JSON)."""

    def __init__(self, upstream, answers):
        super().__init__(upstream)
        self.answers = answers

    def handle(self, handler, body):
        for part, (status, answer) in self.answers.items():
            if part in handler.path:
                return handler.answer(status, [("Content-Type", "application/json")], json.dumps(answer).encode())
        super().handle(handler, body)


FORBIDDEN = (403, {"error": {"type": "security_exception", "reason": "action is unauthorized"}, "status": 403})


@pytest.mark.real
def test_templates_that_may_not_be_read_are_a_warning(make):
    m = make()
    with Answering(m.target.url, {"_template": FORBIDDEN}) as proxy:
        m.tree["target"]["url"] = proxy.url
        m.write_recipe()
        text = rail(m, "templates")
        assert text.startswith("warn") and "not known" in text and "403" in text, text
        m.init()


@pytest.mark.real
@pytest.mark.parametrize("actions, verdict", [(["rollover", "delete"], "refused"), (["forcemerge"], "ok")])
def test_lifecycle_policy_of_elasticsearch(make, actions, verdict):
    """The stack's servers have no ILM: the answers are those of 8.17 with it."""
    m = make()
    name, settings = m.new, {"settings": {"index": {"lifecycle": {"name": "days"}}}, "mappings": {}, "aliases": {}}
    answers = {
        "_simulate_index": (200, {"template": settings, "overlapping": []}),
        "/_index_template": (200, {"index_templates": [
            {"name": "logs", "index_template": {"index_patterns": [f"{name[:-1]}*"], "priority": 1}}]}),
        "/_ilm/policy/days": (200, {"days": {"version": 1, "policy": {"phases": {
            "hot": {"min_age": "0ms", "actions": {a: {} for a in actions}}}}}})}
    with Answering(m.target.url, answers) as proxy:
        m.tree["target"]["url"] = proxy.url
        m.write_recipe()
        text = rail(m, "lifecycle", REFUSED if verdict == "refused" else 0)
    assert text.startswith(verdict) and "days" in text and actions[0] in text, text


@pytest.mark.real
def test_state_policy_of_opensearch(make):
    m = make("os-3")
    policy = {"policy_id": "days", "ism_template": [{"index_patterns": [f"{m.new[:-1]}*"], "priority": 1}],
              "states": [{"name": "old", "actions": [{"delete": {}}], "transitions": []}]}
    answers = {"/_plugins/_ism/policies": (200, {"policies": [{"_id": "days", "policy": policy}], "total_policies": 1})}
    with Answering(m.target.url, answers) as proxy:
        m.tree["target"]["url"] = proxy.url
        m.write_recipe()
        text = rail(m, "lifecycle", REFUSED)
    assert "delete" in text and "days" in text, text

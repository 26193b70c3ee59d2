"""Kafka with passwords and TLS, a cluster behind a password, and a source that is only ever read."""
import base64
import json

import pytest

from binary import FAILED
from log import Log
from proxy import Proxy
from workload import Workload

pytestmark = pytest.mark.embedded

PASSWORD = "pa$$w0rd-of-the-proxy"


@pytest.fixture(scope="module")
def guarded(stack):
    """A Kafka that wants SASL and TLS: (Log, the recipe's `kafka` section)."""
    bootstrap = stack.start("kafka-4.1", "ksec", "--security", "sasl_tls")
    kafka = {"security.protocol": "SASL_SSL", "sasl.mechanisms": "PLAIN", "sasl.username": "crossfade",
             "sasl.password": "${E2E_KAFKA_PASSWORD}", "ssl.ca.location": stack.certificate("ksec")}
    yield Log(bootstrap, **{**kafka, "sasl.password": "secret"}), kafka
    stack.wipe("ksec")


def small(m):
    m.prepare()
    m.init()
    m.copy()
    m.replay()
    m.follow_rest()
    m.check()


@pytest.mark.real
def test_kafka_with_sasl_and_tls(migrate, guarded, seed, monkeypatch):
    monkeypatch.setenv("E2E_KAFKA_PASSWORD", "secret")
    log, kafka = guarded
    m = migrate("es-8.17", "es-9.0", Workload(seed, 3000, 600, 200, malformed=5), log=log, kafka=kafka)
    small(m)
    assert len(m.dead_letters()[0]) == 5


def test_cluster_behind_a_password(migrate, stack, seed, monkeypatch):
    monkeypatch.setenv("E2E_PASSWORD", PASSWORD)
    with Proxy(stack.start("es-9.0"), users={"crossfade": PASSWORD}) as proxy:
        auth = {"auth": {"user": "crossfade", "password": "${E2E_PASSWORD}"}}
        m = migrate("es-8.17", "es-9.0", Workload(seed, 3000, 600, 200), target_url=proxy.url, target=auth)
        small(m)
        assert PASSWORD not in m.crossfade.everything_said()


class Echo(Proxy):
    """Tells the request's own credentials in its refusals of writes, as a proxy's debug page does."""
    mode = "none"

    def handle(self, handler, body):
        header = handler.headers.get("Authorization") or ""
        told = f"[{header}] {base64.b64decode(header.partition(' ')[2]).decode()}"
        kind = [("Content-Type", "application/json")]
        refusal = {"type": "mapper_parsing_exception", "reason": f"header {told}", "root_cause": [{"reason": told}]}
        if self.mode == "none" or "/_bulk" not in handler.path:
            return super().handle(handler, body)
        if self.mode == "text":
            return handler.answer(403, [], ("x" * 240 + f"<html>{told * 3}</html>").encode())
        if self.mode == "whole":
            return handler.answer(401, kind, json.dumps({"error": refusal, "status": 401}).encode())
        lines = [json.loads(line) for line in body.splitlines()]
        actions = [action for line in lines if (action := next(iter(line), "")) in ("index", "delete", "create")]
        handler.answer(200, kind, json.dumps({"errors": True, "items": [
            {action: {"status": 400, "error": refusal}} for action in actions]}).encode())


def test_credentials_that_a_proxy_echoes_in_answers_to_bulks_are_shown_nowhere(migrate, stack, seed, monkeypatch):
    monkeypatch.setenv("E2E_PASSWORD", PASSWORD)
    with Echo(stack.start("es-9.0"), users={"crossfade": PASSWORD}) as proxy:
        auth = {"auth": {"user": "crossfade", "password": "${E2E_PASSWORD}"}}
        m = migrate("es-8.17", "es-9.0", Workload(seed, 40, 20, 10), target_url=proxy.url, target=auth)
        m.prepare()
        m.init()
        for proxy.mode in ("text", "whole"):
            m.run("copy").expect(FAILED)
        proxy.mode = "items"
        m.run("replay")
        assert m.dead_letters()[1] > 0
        told = "".join(m.run(*command).out for command in (
            ("history",), ("status",), ("dead-letters", "list"), ("dead-letters", "show", "0:0")))
        letters = [text for *_, headers, _ in m.log.read(m.tree["dead_letters"]["topic"]) for _, text in headers]
        proxy.mode = "none"
        m.target.refresh(f".crossfade-{m.name}")
        state = json.dumps(m.target.call("POST", f"/.crossfade-{m.name}/_search", {"size": 100}))
        shown = told + state + m.crossfade.everything_said() + str(letters)
        assert "<redacted>" in shown
        for secret in (PASSWORD, PASSWORD[:12], base64.b64encode(f"crossfade:{PASSWORD}".encode()).decode()[:16]):
            assert secret not in shown, shown[max(0, shown.find(secret) - 200):shown.find(secret) + 80]


@pytest.mark.parametrize("source", ["es-2.4", "es-8.17"])
def test_source_is_only_read(migrate, stack, seed, source):
    with Proxy(stack.start(source)) as proxy:
        m = migrate(source, "es-9.0", Workload(seed, 3000, 600, 200), source_url=proxy.url)
        settings = m.source.get("/_all/_settings")
        m.prepare()
        before = {h["_id"]: h for h in scrolled(m.source, m.old)}
        m.init()
        m.copy()
        m.replay()
        m.follow_rest()
        m.check()
        assert any("scroll" in path for _, path in proxy.requests), "the source was not asked through the proxy"
        assert not proxy.writes(), proxy.writes()[:5]
        assert {h["_id"]: h for h in scrolled(m.source, m.old)} == before
        assert set(m.source.get("/_all/_settings")) == set(settings) | {m.old}


def scrolled(cluster, index):
    """Every hit of a small index with its version, the same way on every version."""
    answer = cluster.call("POST", f"/{index}/_search", {"size": 10_000, "version": True, "query": {"match_all": {}}},
                          exact=True)
    hits = answer["hits"]["hits"]
    assert len(hits) == cluster.count(index)
    return hits

"""Wrong in turn: the right exit code within 15 s, one paragraph that names the thing, nothing written, no secret
said."""
import contextlib
import os
import re
import signal
import socket
import subprocess

import pytest

from binary import DONE, FAILED, INTERRUPTED, REFUSED, USAGE, check_error, command_line
from log import Log
from proxy import Proxy
from workload import Workload

pytestmark = pytest.mark.embedded

SECRET = "hunter2-must-never-be-seen"


@pytest.fixture
def m(migrate, seed):
    """A small migration that would work."""
    return migrate("es-6.8", "es-8.17", Workload(seed, 600, 100, 50), copied=1.0).prepare()


def nobody():
    """A port of the loopback address without a listener."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{s.getsockname()[1]}"


@contextlib.contextmanager
def nothing_written(m):
    """Neither the target nor the source nor Kafka is changed."""
    def all_of_it():
        return (m.target.contents(), m.source.contents(), m.log.topics() - {"__consumer_offsets"},
                m.log.committed(m.group, m.topic))
    before = all_of_it()
    yield
    assert all_of_it() == before


def fails(m, code, *names, commands=("plan",), secrets=(SECRET,)):
    """Each of `commands` fails in the same way; then init fails too, with any fingerprint."""
    with nothing_written(m):
        for command in commands:
            result = m.run(command, seconds=30)
            check_error(result, *names, code=code, secrets=secrets)
        check_error(m.run("init", "--confirm", "0123456789abcdef", seconds=30), code=code, secrets=secrets)
    return result


def test_misspelt_key(m):
    m.write_recipe(targett=m.tree["target"])
    text = m.recipe.read_text().replace("topic:", "topik:", 1)
    m.recipe.write_text(text)
    line = next(n for n, l in enumerate(text.splitlines(), 1) if "topik" in l)
    result = fails(m, USAGE, f"recipe.yaml:{line}:3", '"topik"', "topic")
    # all mistakes at once, not only the first
    assert "targett" in result.err


def test_unreachable_broker(m):
    address = nobody()
    m.tree["commands"]["bootstrap"] = address
    m.write_recipe()
    fails(m, FAILED, address, commands=("plan", "copy", "replay"))


@pytest.mark.real
def test_missing_topic(m):
    m.tree["commands"]["topic"] = "no-such-topic"
    m.write_recipe()
    fails(m, FAILED, "no-such-topic", commands=("plan", "replay"))
    assert "no-such-topic" not in m.log.topics()


@pytest.mark.parametrize("side", ["source", "target"])
def test_unreachable_cluster(m, side):
    address = nobody()
    m.tree[side] = {"url": f"http://{address}"}
    m.write_recipe()
    fails(m, FAILED, address, commands=("plan", "copy"))


@pytest.mark.parametrize("side", ["source", "target"])
def test_wrong_password(m, side, monkeypatch):
    monkeypatch.setenv("E2E_PASSWORD", SECRET)
    with Proxy(getattr(m, side).url, users={"crossfade": "another"}) as proxy:
        m.tree[side] = {"url": proxy.url, "auth": {"user": "crossfade", "password": "${E2E_PASSWORD}"}}
        m.write_recipe()
        fails(m, FAILED, proxy.url.removeprefix("http://"), "401", commands=("plan", "copy"))


@pytest.mark.real
def test_wrong_kafka_password(m, stack, monkeypatch):
    monkeypatch.setenv("E2E_KAFKA_PASSWORD", SECRET)
    bootstrap = stack.start("kafka-4.1", "ksasl", "--security", "sasl")
    try:
        right = Log(bootstrap, **{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanisms": "PLAIN",
                                  "sasl.username": "crossfade", "sasl.password": "secret"})
        right.create(m.topic)
        m.tree["commands"].update(bootstrap=bootstrap, kafka={
            "security.protocol": "SASL_PLAINTEXT", "sasl.mechanisms": "PLAIN", "sasl.username": "crossfade",
            "sasl.password": "${E2E_KAFKA_PASSWORD}"})
        m.write_recipe()
        result = fails(m, FAILED, bootstrap, commands=("plan", "replay"))
        assert re.search("authenticat|sasl|password", result.err, re.I), result
    finally:
        stack.wipe("ksasl")


def test_source_index_missing(m):
    m.tree["indices"][0]["from"] = "no-such-index"
    m.write_recipe()
    fails(m, FAILED, "no-such-index", commands=("plan", "copy"))


def test_target_holds_foreign_documents(m):
    m.target.create(m.new, {"owner": {"type": "keyword"}})
    m.target.bulk(m.new, [("index", f"theirs-{n}", {}, '{"owner":"somebody else"}') for n in range(5)])
    m.target.refresh(m.new)
    fails(m, REFUSED, m.new, commands=("plan", "copy", "replay", "follow"))


def test_source_and_target_are_the_same_index(m):
    m.tree["target"] = dict(m.tree["source"])
    m.tree["indices"][0]["to"] = m.old
    m.write_recipe()
    # only the recipe shows it
    fails(m, USAGE, "recipe.yaml:", "same index")


def test_source_and_target_are_the_same_index_by_an_alias(m):
    """The old index has another name, and the cluster another address."""
    m.source.call("POST", "/_aliases", {"actions": [{"add": {"index": m.old, "alias": f"{m.old}-alias"}}]})
    m.tree["indices"][0].update({"from": f"{m.old}-alias", "to": m.old})
    with Proxy(m.source.url) as proxy:
        m.tree["target"] = {"url": proxy.url}
        m.write_recipe()
        fails(m, REFUSED, m.old)


def offsets(m, start):
    m.tree["replay"] = {"from": {"offsets": {str(p): start for p in range(m.partitions)}}}
    m.write_recipe()


@pytest.mark.real
def test_start_offset_already_deleted(m):
    m.log.truncate(m.topic, {0: 20})
    offsets(m, 5)
    result = fails(m, REFUSED, m.topic, "20")
    assert re.search(r"\b5\b", result.err), result


@pytest.mark.real
def test_start_offset_deleted_after_init(m):
    offsets(m, 5)
    m.init()
    m.log.truncate(m.topic, {0: 20})
    with nothing_written(m):
        check_error(m.run("replay", seconds=30), m.topic, "20", code=REFUSED)


def test_wrong_fingerprint(m):
    with nothing_written(m):
        check_error(m.run("init", "--confirm", "0123456789abcdef", seconds=30), code=REFUSED)


def test_recipe_changed_after_init(m):
    """The meaning of the work has changed: nothing goes on before it is confirmed."""
    m.init()
    m.tree["indices"][0]["transform"].append({"remove": {"field": "notes"}})
    m.write_recipe()
    with nothing_written(m):
        for command in ("copy", "replay", "follow"):
            check_error(m.run(command, seconds=30), 'transform[1]: was absent, is {"remove":{"field":["notes"]}}. If',
                        code=REFUSED)
    m.run("copy", "--confirm", m.run("plan").json["fingerprint"]).expect(DONE)


def test_nothing_runs_before_init(m):
    with nothing_written(m):
        for command in ("copy", "replay", "follow"):
            assert m.run(command, seconds=30).expect(FAILED, REFUSED).seconds < 15


@pytest.mark.parametrize("arguments",
                         [["no-such-command"], ["plan"], ["plan", "no-such-file.yaml"],
                          ["plan", "recipe.yaml", "--no-such-option"]])
def test_usage(m, arguments):
    result = m.crossfade(*arguments, seconds=15).expect(USAGE)
    assert result.err.strip() and not result.out.strip()


def shell(m, text, seconds=60):
    """The exit code and output of a command line in which $CF is the binary."""
    run = subprocess.run(["bash", "-c", text],
                         env={**os.environ, "CF": " ".join(command_line()), "RECIPE": str(m.recipe)},
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
    return run.returncode, run.stdout + run.stderr


def test_nobody_to_talk_to(m):
    """Found by a tester: a log line that could not be written to a closed standard error ended the process. The work
    goes on."""
    m.init()
    for closed in ("2>&-", "2>/dev/full", ">&- 2>&-", ">/dev/null 2>&-"):
        code, said = shell(m, f"$CF replay $RECIPE {closed}")
        assert code == 0, f"{closed}: {code} {said}"
    code, said = shell(m, "$CF status $RECIPE --format json >/dev/full")
    assert code == FAILED and "No space left" in said, (code, said)
    code, said = shell(m, "set -o pipefail; $CF recipe schema | head -c 1")
    assert code == 0, (code, said)
    m.check()


@contextlib.contextmanager
def hangup(disposition):
    """The reaction of a new process to SIGHUP, unless it decides otherwise."""
    before = signal.signal(signal.SIGHUP, disposition)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_hangup_drains_like_a_signal(m):
    m.init()
    m.replay()
    with hangup(signal.SIG_DFL):
        follow = m.start("follow")
    with hangup(signal.SIG_IGN):
        under_nohup = m.start("follow")
    for run in (follow, under_nohup):
        run.assigned()
        run.process.send_signal(signal.SIGHUP)
    follow.wait(30).expect(DONE, INTERRUPTED)
    assert under_nohup.running
    m.stop(under_nohup)

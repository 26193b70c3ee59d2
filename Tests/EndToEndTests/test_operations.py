"""What a running command serves over HTTP."""
import json
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from binary import DONE
from proxy import Proxy
from stack import ROOT, wait_for
from workload import Workload

SECRET = "do-not-show-me"


@pytest.fixture
def m(migrate, seed):
    return migrate("es-1.7", "es-6.8", Workload(seed, 600, 120, 20), copied=0.7, partitions=3,
                   target={"auth": {"user": "somebody", "password": SECRET}}).prepare()


def where(run):
    """The URL that the run logs."""
    def said():
        found = re.search(r"operations are served.* url=(http://\S+)", run.err_file.read_text())
        assert found or run.running, f"it ended\n{run.result(run.process.returncode)}"
        return found and found[1]
    return wait_for("a line that says where it is served", said, 60)


def get(url, path, **headers):
    """Status and body."""
    request = urllib.request.Request(url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def promtool():
    return shutil.which("promtool") or shutil.which("promtool", path=ROOT / ".venv/bin")


def values(metrics, name):
    """Values by labels."""
    return {labels: float(number) for labels, number in re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", metrics, re.M)}


def value(metrics, name):
    [number] = values(metrics, name).values()
    return number


def status(url):
    code, body = get(url, "/statusz")
    assert code == 200
    assert SECRET not in body
    return json.loads(body)


def events(url, count):
    """The first statuses of the event stream."""
    found = []
    with urllib.request.urlopen(url + "/events", timeout=20) as stream:
        for line in stream:
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
                if len(found) == count:
                    return found
    return found


@pytest.mark.embedded
def test_a_follower_is_watched_from_its_start_to_its_last_commit(m):
    m.init()
    m.copy()
    m.replay()
    follow = m.start("follow")
    url = where(follow)
    assert url.startswith("http://127.0.0.1:")
    wait_for("readiness", lambda: get(url, "/readyz")[0] == 200, 90)
    assert get(url, "/livez") == (200, "alive\n")
    m.log.produce(m.topic, m.records[m.split:])
    m.caught_up(follow)
    wait_for("lag 0", lambda: status(url)["lag"] == 0, 30)

    said = status(url)
    assert (said["migration"], said["command"], said["phase"]) == (m.name, "follow", "following")
    assert said["topic"] == {"name": m.topic, "partitions": 3, "group": m.group}
    assert sum(said["outcomes"].values()) + said["in_flight"] == said["read"] > 0
    assert said["bulk"]["latency"]["count"] == sum(said["bulk"]["requests"].values()) > 0
    assert [p["partition"] for p in said["partitions"] if p["owned"]] == [0, 1, 2]
    two = events(url, 2)
    assert two[0]["now"] < two[1]["now"] and two[1]["outcomes"] == said["outcomes"]
    points = json.loads(get(url, "/history")[1])["points"]
    assert points and max(p["rate"] for p in points) > 0

    code, page = get(url, "/")
    assert code == 200 and page.startswith("<!doctype html>")
    assert get(url, "/statusz", Host="elsewhere.example")[0] == 421
    code, metrics = get(url, "/metrics")
    assert code == 200 and SECRET not in metrics
    checked = subprocess.run([promtool(), "check", "metrics"], input=metrics, capture_output=True, text=True,
                             timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert value(metrics, "crossfade_kafka_records_consumed_total") == said["read"]
    assert sum(values(metrics, "crossfade_records_total").values()) == said["read"]

    summary = m.stop(follow)
    assert summary["outcomes"] == said["outcomes"]
    with pytest.raises(urllib.error.URLError):
        get(url, "/livez")
    assert SECRET not in m.crossfade.everything_said()


@pytest.mark.embedded
def test_a_taken_port_is_a_warning_and_off_is_off(m):
    m.init()
    m.copy()
    m.replay()
    first = m.start("follow")
    taken = where(first)
    m.write_recipe("second.yaml", operations={"listen": taken.removeprefix("http://")})
    second = m.start("follow")
    other = where(second)
    assert other != taken
    assert " warning " in next(line for line in second.err_file.read_text().splitlines() if other in line)
    assert status(other)["migration"] == m.name
    second.terminate()
    m.write_recipe("third.yaml", operations={"listen": "off"})
    third = m.start("follow")
    third.assigned()
    assert "operations are served" not in third.err_file.read_text()
    third.terminate()
    m.stop(first)


@pytest.mark.embedded
def test_a_member_that_stands_by_is_ready(migrate, seed):
    """A group of more members than partitions: who has none does its work, too; a rollout must not wait for it."""
    m = migrate("es-1.7", "es-6.8", Workload(seed, 60, 20, 5), copied=1.0, partitions=1).prepare()
    m.init()
    m.copy()
    m.replay()
    follows = [m.start("follow"), m.start("follow")]
    urls = [where(follow) for follow in follows]
    for follow in follows:
        follow.assigned()

    def owned():
        return sorted(sum(p["owned"] for p in status(url)["partitions"]) for url in urls)
    wait_for("one to have the partition and one to stand by", lambda: owned() == [0, 1], 120)
    for url in urls:
        wait_for("readiness", lambda: get(url, "/readyz") == (200, "ready\n"), 60)
    for follow in follows:
        m.stop(follow)


@pytest.mark.embedded
def test_a_target_that_hangs_is_said_although_nothing_is_written(m, stack):
    m.init()
    m.copy()
    m.replay()
    follow = m.start("follow")
    url = where(follow)
    wait_for("readiness", lambda: get(url, "/readyz")[0] == 200, 90)
    stack.pause("es-6.8")
    try:
        code, reasons = wait_for("it to be said", lambda: (a := get(url, "/readyz"))[0] == 503 and a, 30)
        assert "target" in reasons and "answer" in reasons, reasons
        assert get(url, "/livez")[0] == 200
        assert "target" in status(url)["waiting"]
    finally:
        stack.resume("es-6.8")
    wait_for("readiness again", lambda: get(url, "/readyz")[0] == 200, 60)
    wait_for("nothing to wait for", lambda: status(url)["waiting"] is None, 30)
    m.stop(follow)


@pytest.mark.embedded
def test_a_follower_of_a_target_that_hangs_ends_soon(m, stack):
    """Nothing is in flight, and what is asked beside the work is not waited for."""
    m.init()
    m.copy()
    m.replay()
    follow = m.start("follow")
    url = where(follow)
    wait_for("readiness", lambda: get(url, "/readyz")[0] == 200, 90)
    stack.pause("es-6.8")
    try:
        wait_for("it to be noticed", lambda: get(url, "/readyz")[0] == 503, 30)
        began = time.monotonic()
        m.stop(follow)
        assert time.monotonic() - began < 15, "it waited for the target"
    finally:
        stack.resume("es-6.8")


@pytest.mark.embedded
def test_a_copy_is_watched(m):
    m.write_recipe(copy={"slices": 2, "page": 10, "rate": "20/s"})
    m.init()
    copy = m.start("copy")
    url = where(copy)
    said = wait_for("something copied", lambda: (s := status(url))["copy"] and s["copy"]["returned"] and s, 60)
    assert said["command"] == "copy" and said["copy"]["expected"] == m.old_documents
    assert not said["copy"]["finished"] and said["lag"] is None and said["replay"] is None
    assert get(url, "/readyz")[0] == 200
    assert get(url, "/metrics")[0] == 200
    m.stop(copy)


@pytest.mark.embedded
def test_a_drain_is_watched_to_its_end(m):
    """SIGTERM while a slow target delays writes: the status shows it until the last commit."""
    m.init()
    m.copy()
    m.replay()
    with Proxy(m.target.url) as slow:
        m.write_recipe(target={"url": slow.url})
        follow = m.start("follow")
        follow.assigned()
        url = where(follow)
        wait_for("readiness", lambda: get(url, "/readyz")[0] == 200, 90)
        slow.delay = 5
        m.log.produce(m.topic, m.records[m.split:])
        wait_for("records in flight", lambda: status(url)["in_flight"] > 0, 60)
        with urllib.request.urlopen(url + "/events", timeout=60) as stream:
            follow.process.send_signal(signal.SIGTERM)
            wait_for("a status that says so", lambda: status(url)["phase"] == "stopping", 20)
            code, reasons = get(url, "/readyz")
            assert code == 503 and "stopping" in reasons
            assert get(url, "/livez")[0] == 200
            slow.delay = 0
            told = re.findall(rb"^event: (\w+)\ndata: (.*)$", stream.read(), re.M)
        assert [name for name, _ in told][-2:] == [b"status", b"end"]
        last = json.loads(told[-2][1])
        # no second signal: that would end it at once
        summary = follow.wait(60).expect(DONE).summary
        assert (last["in_flight"], last["outcomes"]) == (summary.get("in_flight", 0), summary["outcomes"])

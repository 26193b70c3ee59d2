"""The figures of a running command in Prometheus, StatsD and the log."""
import json
import re
import shutil
import socket
import subprocess
from collections import Counter

import pytest

from stack import ROOT, wait_for
from test_operations import get, status
from workload import Workload

PROMTOOL = shutil.which("promtool")


class StatsD:
    """A simple StatsD server: sums of its counters, its gauges and timers."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def heard(self):
        """Everything that has arrived so far: (counters, gauges, timers)."""
        counters, gauges, timers = Counter(), {}, {}
        self.socket.setblocking(False)
        while True:
            try:
                datagram = self.socket.recv(65536)
            except BlockingIOError:
                return counters, gauges, timers
            assert len(datagram) <= 1432
            for line in datagram.decode().split("\n"):
                name, value, kind = re.fullmatch(r"([^:|@]+):(\d+)\|(c|g|ms)", line).groups()
                if kind == "c":
                    counters[name] += int(value)
                else:
                    (gauges if kind == "g" else timers)[name] = int(value)


def samples(text):
    """{name{labels}: value} of Prometheus text."""
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines()
            if not line.startswith("#")}


@pytest.fixture
def m(migrate, seed):
    return migrate("es-1.7", "es-6.8", Workload(seed, 600, 120, 20), copied=0.7, partitions=3).prepare()


@pytest.mark.embedded
def test_the_figures_agree_with_the_work(m):
    statsd = StatsD()
    m.write_recipe(operations={"listen": "127.0.0.1:0", "statsd": statsd.address})
    m.init()
    copied = m.copy()
    # sent before the command ends
    counters, gauges, timers = statsd.heard()
    count = f"elastic_migration_document_count,index={m.new},type="
    assert counters[count + "success"] == sum(copied["outcomes"].values()) - copied["outcomes"]["dead_lettered"] > 0
    assert counters[count + "failure"] == copied["outcomes"]["dead_lettered"]
    assert gauges[f"elastic_migration_document_total_count,index={m.new},type=success"] == copied["expected"]
    assert timers[f"elastic_migration_time_ms,index={m.new}"] >= copied["seconds"] * 1000 - 50
    m.replay()

    follow = m.start("follow", "--log", "json")
    url = where_json(follow)
    m.log.produce(m.topic, m.records[m.split:])
    m.caught_up(follow)
    said = wait_for("lag 0", lambda: (s := status(url))["lag"] == 0 and s["in_flight"] == 0 and s, 30)
    text = get(url, "/metrics")[1]
    found = samples(text)
    for outcome, number in said["outcomes"].items():
        assert found[f'crossfade_records_total{{outcome="{outcome}"}}'] == number
    assert found["crossfade_kafka_records_consumed_total"] == said["read"] > 0
    for partition in range(3):
        labels = f'{{topic="{m.topic}",partition="{partition}"}}'
        assert found["crossfade_kafka_consumer_lag" + labels] == found["crossfade_kafka_consumer_lag_seconds"
                                                                       + labels] == 0
    assert found["crossfade_kafka_assigned_partitions"] == 3 and found["crossfade_caught_up"] == 1
    answered = found['crossfade_bulk_requests_total{code="200"}']
    assert answered == found["crossfade_bulk_request_duration_seconds_count"] > 0
    assert found['crossfade_bulk_requests_total{code="429"}'] == 0
    assert found["crossfade_oldest_unacked_age_seconds"] == found["crossfade_kafka_paused_partitions"] == 0
    assert found["crossfade_ready"] == 1 and found["crossfade_waiting"] == 0
    assert said["rate"]["records_per_second"] is not None
    if PROMTOOL:
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    named = set(re.findall(r"`((?:crossfade|process)_[a-z_]+)`", (ROOT / "docs/operations.md").read_text()))
    there = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    assert there - named == set(), "docs/operations.md does not say what these are"
    # metrics that only exist at certain times
    assert named - there <= {"crossfade_copy_expected_documents", "crossfade_copy_returned_documents",
                             "crossfade_copy_slices",
                             "crossfade_copy_slices_done", "crossfade_replay_remaining_records",
                             "crossfade_index_documents",
                             "crossfade_index_tombstones", "crossfade_index_fields", "crossfade_members",
                             "crossfade_receipt_age_seconds",
                             "crossfade_last_commit_timestamp_seconds"}
    def looked_up():
        """The current index of the target, which is looked up every 30 s, and this member."""
        s = status(url)
        whole = [i["index"] for i in s["indices"] if i["documents"] + i["tombstones"] == m.target.count(m.new)]
        return whole == [m.new] and s["members"] and s
    shown = wait_for("the target's index and this member", looked_up, 90)
    # only the dead letters, whoever wrote them, keep readers from moving; or that nobody has verified yet
    letters = m.dead_letters()[1]
    said = f"{letters} dead letter" if letters else "nothing was verified"
    wait_for("the verdict", lambda: not (s := status(url)["switch"])["ready"]
             and [reason.startswith(said) for reason in s["reasons"]] == [True], 60)
    assert shown["members"][0]["partitions"] == [0, 1, 2]
    m.stop(follow)
    lines = [json.loads(line) for line in follow.err_file.read_text().splitlines() if line.startswith("{")]
    assert lines and all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines)
    [assigned] = [line for line in lines if line["message"] == "partitions assigned"]
    assert assigned["partitions"] == [0, 1, 2]


def where_json(run):
    def said():
        found = re.search(r'operations are served.*"url":"(http://[^"]+)"', run.err_file.read_text())
        assert found or run.running, f"it ended\n{run.result(run.process.returncode)}"
        return found and found[1]
    return wait_for("a line that says where it is served", said, 60)

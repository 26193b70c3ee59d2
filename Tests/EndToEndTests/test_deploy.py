"""deploy/: what Prometheus accepts, what the binary exports, what systemd starts."""
import json
import re
import shutil
import subprocess

import pytest

from stack import ROOT

DEPLOY = ROOT / "deploy"
RULES, RULE_TESTS = DEPLOY / "prometheus/crossfade.rules.yml", DEPLOY / "prometheus/crossfade.tests.yml"
GRAFANA = json.loads((DEPLOY / "grafana/crossfade.json").read_text())
METRIC = re.compile(r"\b(?:crossfade|process)_[a-z_]+\b(?=[{\[,)\s]|$)", re.M)
PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=ROOT / ".venv/bin")
needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="no promtool: scripts/setup brings it")


def promtool(*arguments):
    done = subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def queries():
    """(panel's title or variable's name, PromQL) of the Grafana dashboard."""
    for panel in GRAFANA["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def plain(query):
    """The query with Grafana's variables filled in."""
    for name, value in (("$__rate_interval", "1m"), ("$job", ".*"), ("$migration", ".*")):
        query = query.replace(name, value)
    assert "$" not in query, query
    return query


def metrics_named():
    """Every metric that deploy/ names, with one place that names it."""
    named = {}
    for line in RULES.read_text().splitlines():
        for name in METRIC.findall(line):
            named.setdefault(name, RULES.name)
    for title, query in queries():
        for name in METRIC.findall(query):
            named.setdefault(name, f"Grafana: {title}")
    for variable in GRAFANA["templating"]["list"]:
        for name in METRIC.findall(variable.get("definition", "")):
            named.setdefault(name, f"Grafana: variable {variable['name']}")
    return named


def labels_named():
    """Every label that an alert or a query uses, without those that Prometheus adds itself."""
    text = RULES.read_text() + "\n".join(plain(query) for _, query in queries())
    grouped = {name for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", text) for name in re.split(r",\s*", group)}
    chosen = set(re.findall(r"[{,]\s*(\w+)(?:=|!=|=~|!~)\"", text))
    return (grouped | chosen) - {"job", "instance", "migration"}


@needs_promtool
def test_prometheus_accepts_the_alerts_and_they_do_what_they_say():
    assert "SUCCESS" in promtool("check", "rules", RULES)
    assert "SUCCESS" in promtool("test", "rules", RULE_TESTS)


def test_each_alert_is_tested_by_firing():
    alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
    fired = set(re.findall(r'alertname="(\w+)"[^\n]*value: 1', RULE_TESTS.read_text()))
    assert alerts and alerts == fired


@needs_promtool
def test_prometheus_accepts_every_query_of_the_grafana_dashboard(folder):
    lines = ["groups:", "  - name: grafana", "    rules:"]
    for number, (_, query) in enumerate(queries()):
        lines.append(f"      - {{ record: 'q{number}', expr: {json.dumps(plain(query))} }}")
    (folder / "grafana.yml").write_text("\n".join(lines) + "\n")
    assert f"{len(lines) - 3} rules found" in promtool("check", "rules", folder / "grafana.yml")


def test_the_grafana_dashboard_is_whole():
    panels = GRAFANA["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(p["gridPos"]["x"], p["gridPos"]["y"], p["gridPos"]["w"], p["gridPos"]["h"]) for p in panels]
    for number, (x, y, w, h) in enumerate(places):
        assert x + w <= 24
        for x2, y2, w2, h2 in places[:number]:
            apart = x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
            assert apart, f"{panels[number]['title']} lies over another panel"
    for panel in panels:
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize("name, command, kept", [("crossfade@", "follow", "2 3"), ("crossfade-run@", "run", "2 3 4")])
def test_the_units_start_what_there_is_and_know_the_exit_codes(folder, name, command, kept):
    text = (DEPLOY / f"systemd/{name}.service").read_text()
    [start] = re.findall(r"^ExecStart=(.*)$", text, re.M)
    assert start == f"/usr/local/bin/crossfade {command} /etc/crossfade/%i.yaml --format json"
    # 2: usage or recipe, 3: a rail refused, 4: documents differ, 130: interrupted with everything acknowledged kept
    assert f"RestartPreventExitStatus={kept}\n" in text and "SuccessExitStatus=130\n" in text
    # the longest drain: half of the session's 45 s, and the commit's 10 s
    [stop] = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.M)
    assert int(stop) > 45 / 2 + 10

    if shutil.which("systemd-analyze"):
        program = folder / "crossfade"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        unit = folder / f"{name}incidents.service"
        unit.write_text(text.replace("/usr/local/bin/crossfade", str(program)))
        done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
        assert unit.name not in done.stderr and done.returncode == 0, done.stderr

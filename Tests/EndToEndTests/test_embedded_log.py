"""The broker inside the program, used by other processes: what it cannot tell is unknown, and a migration works.

It needs no server.
"""
import json
import re
import time

import pytest
from confluent_kafka import Producer

from binary import DIFFERS, FAILED, REFUSED, Crossfade, check_error
from log import Log
from rest import Cluster
from stack import wait_for

RECIPE = """
name: embedded
commands:
  bootstrap: "{kafka}"
  topic: commands
  application_group: indexer
  kafka: {{ session.timeout.ms: "6000" }}
  format: document
source: {{ url: "{old}" }}
target: {{ url: "{new}" }}
indices: [{{ from: things, to: things-v2, mapping: {{ properties: {{ n: {{ type: long }} }} }} }}]
replay: {{ from: {start} }}
dead_letters: {{ topic: commands-dead }}
operations: {{ listen: "off" }}
"""


class Place:
    def __init__(self, folder):
        self.crossfade = Crossfade(folder)
        self.broker, self.kafka = self.serve("embedded-log", "--topic", "commands:3", "--topic", "commands-dead:1")
        self.old, self.new = (
            Cluster(self.serve("embedded-node", "--persona", p)[1]) for p in ("es-1.7", "es-6.8"))
        self.log = Log(self.kafka)
        self.recipe()

    def serve(self, *arguments):
        run = self.crossfade.start(*arguments)

        def address():
            assert run.running, run.result(run.process.returncode)
            found = run.out_file.read_text().split()
            return found[0] if found else None
        return run, wait_for(f"{arguments[0]} to serve", address, 30)

    def recipe(self, start="beginning"):
        text = RECIPE.format(kafka=self.kafka, old=self.old.url, new=self.new.url, start=start)
        (self.crossfade.folder / "r.yaml").write_text(text)

    def rails(self):
        plan = self.crossfade("plan", "r.yaml", "--format", "json").json
        found = {}
        for rail in plan["rails"]:
            found.setdefault(rail["name"], rail)
        return plan, found


@pytest.fixture
def place(folder):
    place = None
    try:
        place = Place(folder)
        yield place
    finally:
        if place:
            place.crossfade.close()


def document(n):
    return f"d{n}".encode(), json.dumps({"n": n}).encode()


def test_a_migration_over_the_embedded_log(place):
    things = [document(n) for n in range(300)]
    place.log.produce("commands", things + [(b"bad", b"{"), (b"d0", None)])
    body = "".join(f'{{"index":{{"_id":"d{n}"}}}}\n{{"n":{n}}}\n' for n in range(200))
    place.old.call("POST", "/things/thing/_bulk?refresh=true", body)
    place.log.commit("indexer", "commands", {0: 1, 1: 1, 2: 1})
    plan, rails = place.rails()
    assert plan["passes"], plan
    # the mock broker describes no topic
    assert rails["dead_letters"]["verdict"] == "warn" and "not known" in rails["dead_letters"]["detail"], rails
    assert rails["log_reach"]["verdict"] == "ok", rails
    crossfade = place.crossfade
    crossfade("init", "r.yaml", "--confirm", plan["fingerprint"]).expect(0)
    crossfade("copy", "r.yaml").expect(0)
    replay = crossfade("replay", "r.yaml", "--format", "json").expect(0).summary
    assert replay["read"] == 302 and replay["outcomes"]["dead_lettered"] == 1, replay
    follow = crossfade.start("follow", "r.yaml")
    follow.assigned()
    place.log.produce("commands", [document(n) for n in range(300, 400)])

    def lag():
        return crossfade("status", "r.yaml", "--format", "json").expect(0).json["lag"]
    wait_for("the follower to be done", lambda: lag() == 0, 60)
    follow.terminate().expect(0, 130)
    place.new.refresh("things-v2")
    live = {"bool": {"must_not": [{"term": {"crossfade_deleted": True}}]}}
    assert place.new.count("things-v2", live) == 399
    letters = crossfade("dead-letters", "list", "r.yaml").expect(0)
    assert re.search(r"\b1 of them unresolved", letters.out), letters
    assert crossfade("dead-letters", "redrive", "r.yaml", "--format",
                     "json").expect(DIFFERS).json["outcomes"]["dead_lettered"] == 1
    purge = crossfade("purge", "r.yaml", "--format", "json").expect(0).json
    assert purge["found"] == 1 and purge["purged"] == 0, purge


def test_status_without_kafka(place):
    """Everything that does not need it is shown; what needs it is not known, and that is no success."""
    things = [document(n) for n in range(30)]
    place.log.produce("commands", things)
    place.log.commit("indexer", "commands", {0: 1, 1: 1, 2: 1})
    place.old.call("PUT", "/things/thing/d1?refresh=true", {"n": 1})
    crossfade = place.crossfade
    plan, _ = place.rails()
    crossfade("init", "r.yaml", "--confirm", plan["fingerprint"]).expect(0)
    for command in ("copy", "replay"):
        crossfade(command, "r.yaml").expect(0)
    place.new.refresh("things-v2")
    before = crossfade("status", "r.yaml", "--format", "json").expect(0).json
    assert before["log"] == {"answers": True, "trouble": None}, before
    place.broker.kill()
    result = crossfade("status", "r.yaml", "--format", "json").expect(FAILED)
    status = result.json
    assert status["log"]["answers"] is False and status["log"]["trouble"] in result.err, result
    assert status["phase"] == before["phase"] == "replayed" and status["confirmed"] is True, status
    assert status["copy"] == before["copy"] and status["indices"] == before["indices"], status
    assert status["lag"] is None and status["dead_letters"]["unresolved"] is None, status
    assert status["switch"]["ready"] is False
    unknown = [r for r in status["switch"]["reasons"] if "the command topic cannot be looked at" in r]
    assert len(unknown) == 2, status["switch"]
    text = crossfade("status", "r.yaml").expect(FAILED).out
    assert "lag      unknown: the command topic could not be looked at" in text, text
    assert "replayed, nobody follows" in text and "copy     done" in text, text
    # work that needs it does not begin
    crossfade("rollover", "r.yaml", "--dry-run").expect(FAILED)


def test_one_stray_record_is_accepted_by_its_id(place):
    """And another one that comes while a fresh process follows stops it, although that never saw the first record."""
    def send(partition, *numbers):
        producer = Producer(place.log.config)
        for n in numbers:
            key, value = document(n)
            producer.produce("commands", value, key, partition=partition)
        producer.flush()
    send(0, *range(25))
    send(1, *range(100, 105))
    send(2, 200, 1)
    for n in [*range(25), *range(100, 105), 200]:
        place.old.call("PUT", f"/things/thing/d{n}", {"n": n})
    place.old.call("POST", "/things/_refresh")
    place.log.commit("indexer", "commands", {0: 25, 1: 5, 2: 2})
    crossfade = place.crossfade
    _, rails = place.rails()
    line = 'accept: [{ rail: one_partition, ids: ["d1"], why: "..." }]'
    assert rails["one_partition"]["verdict"] == "refused" and line in rails["one_partition"]["detail"], rails
    recipe = crossfade.folder / "r.yaml"
    recipe.write_text(recipe.read_text() + line.replace("...", "sent by hand") + "\n")
    plan, rails = place.rails()
    assert plan["passes"] and plan["accepted"][0]["ids"] == ["d1"] and plan["accepted"][0]["needed"], plan
    assert rails["one_partition"]["verdict"] == "warn" and "records: d1." in rails["one_partition"]["detail"], rails
    crossfade("init", "r.yaml", "--confirm", plan["fingerprint"]).expect(0)
    for command in ("copy", "replay"):
        crossfade(command, "r.yaml").expect(0)
    receipt = crossfade("verify", "r.yaml", "--format", "json").expect(0).json
    assert receipt["verdict"] == "equal" and any("one_partition: d1" in r for r in receipt["remarks"]), receipt
    against = crossfade("verify", "r.yaml", "--against", "log", "--format", "json").json
    assert any("1 document (d1) have commands" in r and "accepts" in r for r in against["remarks"]), against
    send(1, 24)
    for _ in range(2):
        check_error(crossfade("follow", "r.yaml", seconds=60), "id d24 has commands in two partitions",
                    "partition 0 offset 24", "partition 1 offset 5", 'ids: ["d24"]', code=REFUSED)
        assert place.log.committed("crossfade-embedded", "commands").get(1, 0) <= 5
    status = crossfade("status", "r.yaml", "--format", "json").expect(0).json
    assert "id d24" in status["last_stop"]["detail"], status


def test_a_time_that_the_broker_cannot_look_for(place):
    place.log.produce("commands", [document(n) for n in range(30)])
    place.old.call("PUT", "/things/thing/d1?refresh=true", {"n": 1})
    # the mock answers as if every record were older; the records themselves say otherwise
    place.recipe(start=f'{{ timestamp: "{time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))}" }}')
    plan, rails = place.rails()
    assert rails["start_time"]["verdict"] == "warn" and "0, 1, 2" in rails["start_time"]["detail"], rails
    assert [p["start"] for p in plan["topic"]["offsets"]] == [0, 0, 0], plan
    place.recipe(start="recorded")
    plan, rails = place.rails()
    assert rails["recorded_group"]["verdict"] == "refused", rails
    place.crossfade("init", "r.yaml", "--confirm", plan["fingerprint"]).expect(REFUSED)


def test_why_nobody_follows_and_a_state_that_is_gone(place):
    """Both were seen only where it happened: a follower that was refused at its start left nothing for others, and
    after the state was lost `status` said that the migration is only planned."""
    place.log.produce("commands", [document(n) for n in range(5)])
    place.old.call("PUT", "/things/thing/d1?refresh=true", {"n": 1})
    place.log.commit("indexer", "commands", {0: 1, 1: 1, 2: 1})
    crossfade = place.crossfade

    def status(code=0):
        text = crossfade("status", "r.yaml").expect(code).out
        return crossfade("status", "r.yaml", "--format", "json").expect(code).json, text
    check_error(crossfade("follow", "r.yaml"), "is not initialised", code=REFUSED)
    assert place.new.call("GET", "/.crossfade-embedded", missing_ok=True) is None, "a refusal made a state"
    plan, _ = place.rails()
    crossfade("init", "r.yaml", "--confirm", plan["fingerprint"]).expect(0)
    for command in ("copy", "replay"):
        crossfade(command, "r.yaml").expect(0)
    recipe = crossfade.folder / "r.yaml"
    confirmed = recipe.read_text()
    recipe.write_text(confirmed.replace("type: long", "type: integer"))
    check_error(crossfade("follow", "r.yaml"), "not what was confirmed", code=REFUSED)
    recipe.write_text(confirmed)
    told, text = status()
    assert told["last_stop"]["what"] == "follow_refused", told
    assert "not what was confirmed" in told["last_stop"]["detail"], told
    assert "ago, follow_refused on " in text, text
    # this broker cannot describe groups
    assert told["application_group"]["has_members"] is None and "no members" not in text, text
    place.new.call("DELETE", "/.crossfade-embedded")
    told, text = status()
    assert told["state_gone"] and told["phase"] == "planned" and told["next"] == [], told
    assert any("things-v2-crossfade-WRITE" in trace for trace in told["traces"]), told
    assert any("crossfade_deleted" in trace for trace in told["traces"]), told
    gone = "migration embedded: its state is gone: a migration was here (things-v2 has the aliases"
    assert text.startswith(gone), text
    assert 'docs/cutover.md, "If the state is gone"' in text.splitlines()[0], text
    crossfade("status", "r.yaml", "--check").expect(FAILED)

"""Dead letters are kept unchanged, listed, shown, redriven to what the model says, and never skipped."""
import random

import pytest

import letters
from binary import FAILED, REFUSED, USAGE, check_error
from compare import Truth
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource
from letters import DEAD, MendedModel, dead_and_alive, insert, listed, mend, redrive
from stack import wait_for
from workload import Workload

pytestmark = pytest.mark.embedded

SERVERS = [("es-6.8", "es-8.17"), ("es-6.8", "es-6.8")]


def check_mended(m):
    """Every document and version is as if the mended recipe had been there from the beginning."""
    truth = Truth(m.log, m.topic, MendedModel())
    truth.check(m.target, m.new)
    return truth


@pytest.mark.parametrize("source, target", SERVERS, ids=[target for _, target in SERVERS])
def test_redrive_equals_the_model(migrate, seed, source, target):
    """Documents and commands that do not fit, in copy, replay and follow; the recipe is mended, then all is as it
    should be."""
    count = 30
    records = list(Workload(seed, 2000, 400, 200, malformed=10)) + dead_and_alive(count)
    m = migrate(source, target, records, copied=1.0, mapping=letters.BROKEN_MAPPING).prepare()
    m.init()
    copied = m.copy()
    # the documents with a broken code in the old index
    assert copied["outcomes"]["dead_lettered"] == copied["dead_letter_reasons"]["mapper_parsing" if target == "es-6.8"
                                                                                else "document_parsing"] \
        == sum(1 for origin, *_ in letters.letters(m) if origin[0] == "copy")
    replayed = m.replay()
    assert replayed["outcomes"]["dead_lettered"] == DEAD * count + 10
    follow = m.start("follow")
    headers = [("trace", b"abc"), ("empty", b""), ("null", None), ("trace", b"again"),
               ("crossfade.reason", b"not ours")]
    key, value = insert("with-headers", code="broken")
    at = letters.produce_with_headers(m.log, m.topic, key, value, headers)
    m.caught_up(follow)
    followed = m.stop(follow)
    assert followed["outcomes"]["dead_lettered"] == followed["read"] == 1

    found = listed(m)
    assert found["unresolved"] == found["total"] == len({origin for origin, *_ in letters.letters(m)})
    shown = m.crossfade("dead-letters", "show", m.recipe, "--format", "json", "--offset",
                        f"{at[0]}:{at[1]}").expect(0).json
    kept = [(h["name"], h["value"]) for h in shown["headers"] if not h["name"].startswith("crossfade.")]
    assert kept == [("trace", "abc"), ("empty", ""), ("null", None), ("trace", "again")], kept
    assert shown["value"] == value.decode() and shown["key"] == shown["id"] == "with-headers", shown

    # under the old recipe everything dies again, and nothing is resolved
    again = redrive(m)
    assert again["outcomes"]["dead_lettered"] == again["read"] - again["outcomes"]["stale"], again
    fingerprint = mend(m)
    check_error(m.crossfade("dead-letters", "redrive", m.recipe, "--format", "json"), fingerprint, code=REFUSED)
    driven = redrive(m, "--confirm", fingerprint)
    assert driven["outcomes"]["dead_lettered"] == 10, driven
    check_mended(m)
    left = listed(m)
    assert left["unresolved"] == 10 and all(letter["resolved"] is None for letter in left["letters"])

    before = m.snapshot()
    assert redrive(m)["read"] == 10
    everything = redrive(m, "--all")
    assert everything["read"] == left["total"] and everything["outcomes"]["dead_lettered"] == 10, everything
    assert not any(everything["outcomes"][name] for name in ("indexed", "deleted", "merged")), everything
    assert m.snapshot() == before, "redriving again changed the target"
    m.replay()
    assert m.snapshot() == before


def test_two_redrives_and_a_kill(migrate, seed):
    """Several redrives at once, one killed in the middle, while the application writes: the end state is the same."""
    count = 600
    m = migrate("es-6.8", "es-8.17", dead_and_alive(count), copied=1.0,
                mapping=letters.BROKEN_MAPPING).prepare(indexed=False)
    m.tree.pop("source")
    m.tree["indices"][0].pop("from")
    m.write_recipe()
    m.init()
    m.replay()
    m.run("plan")
    fingerprint = mend(m)
    follow = m.start("follow", "--confirm", fingerprint)
    # an earlier redrive finds that another recipe is confirmed
    follow.assigned()
    chance, struck = random.Random(seed), 0
    for round in range(3):
        runs = [redrive(m, start=True) for _ in range(2)]
        aim = m.target.operations(m.new) + chance.randrange(1, 500)
        wait_for("some writes of a redrive",
                 lambda: m.target.operations(m.new) >= aim or not any(run.running for run in runs), 60, pause=0.02)
        struck += runs[0].running
        runs[0].kill()
        m.log.produce(m.topic, [insert(f"alone-{n}", status="newest") for n in range(round * 10, round * 10 + 10)])
        if round < 2:
            runs[1].kill()
        else:
            runs[1].wait(120).expect(0)
    assert struck, "every redrive was over before it was killed"
    redrive(m)
    m.caught_up(follow)
    m.stop(follow)
    check_mended(m)
    assert listed(m)["unresolved"] == 0


def test_filters(migrate, seed):
    m = migrate("es-6.8", "es-8.17", dead_and_alive(5), copied=1.0,
                mapping=letters.BROKEN_MAPPING).prepare(indexed=False)
    m.tree.pop("source")
    m.tree["indices"][0].pop("from")
    m.write_recipe()
    m.init()
    m.replay()
    everything = listed(m)["letters"]
    assert len(everything) == 5 * DEAD
    times = [letter["time"] for letter in everything]
    assert times == sorted(times)
    reasons = {letter["reason"] for letter in everything}
    assert "unknown_operation" in reasons and len(reasons) == 2, reasons
    named = listed(m, "--reason", "unknown_operation")["letters"]
    assert [letter["resolved"] for letter in named] == [None] * 5
    assert len(listed(m, "--reason", ",".join(reasons))["letters"]) == 5 * DEAD
    per_partition = {p: listed(m, "--partition", str(p))["letters"] for p in range(m.partitions)}
    assert sum(map(len, per_partition.values())) == 5 * DEAD
    for partition, found in per_partition.items():
        assert {letter["partition"] for letter in found} <= {partition}
    one = everything[3]
    assert listed(m, "--offset", f"{one['partition']}:{one['offset']}")["letters"] == [one]
    assert {letter["offset"] for letter in listed(m, "--id", one["key"])["letters"]} >= {one["offset"]}
    assert listed(m, "--limit", "4")["letters"] == everything[:4]
    assert listed(m, "--since", times[10])["letters"] == [l for l in everything if l["time"] >= times[10]]
    assert listed(m, "--until", times[10])["letters"] == [l for l in everything if l["time"] <= times[10]]
    assert listed(m, "--since", "1h")["letters"] == everything and listed(m, "--until", "1h")["letters"] == []
    text = m.crossfade("dead-letters", "list", m.recipe).expect(0).out
    assert f"{one['partition']}:{one['offset']}" in text and "broken" not in text, text
    for wrong in (["--offset", "1"], ["--since", "yesterday"], ["--limit", "0"], ["--partition", "-1"]):
        check_error(m.crossfade("dead-letters", "list", m.recipe, *wrong), wrong[0], code=USAGE)
    check_error(m.crossfade("dead-letters", "show", m.recipe), "P:O", code=USAGE)
    check_error(m.crossfade("dead-letters", "show", m.recipe, "--offset", "0:999999"), m.topic, code=FAILED)

    # only the letters that were asked for
    fingerprint = mend(m)
    driven = redrive(m, "--reason", "unknown_operation", "--limit", "2", "--confirm", fingerprint)
    assert driven["read"] == driven["outcomes"]["indexed"] == 2
    # the mended recipe knows their ids, so only their places are compared
    left = listed(m, "--reason", "unknown_operation")["letters"]
    assert [letter["letter"] for letter in left] == [letter["letter"] for letter in named[2:]]
    resolved = [l for l in listed(m, "--reason", "unknown_operation", "--all")["letters"] if l["resolved"]]
    assert [l["resolved"] for l in resolved] == ["indexed", "indexed"]
    driven = redrive(m, "--offset", f"{one['partition']}:{one['offset']}")
    assert driven["read"] == 1


def test_letters_that_are_discarded_or_replayed_are_resolved(migrate):
    """A discarded letter holds nothing back, also when its record dies again for the same reason in another replay.
    A replay that does not die at the record resolves its letter."""
    count = 5
    m = migrate("es-6.8", "es-8.17", dead_and_alive(count), copied=1.0,
                mapping=letters.BROKEN_MAPPING).prepare(indexed=False)
    m.tree.pop("source")
    m.tree["indices"][0].pop("from")
    m.write_recipe()
    m.init()
    m.replay()
    check_error(m.crossfade("dead-letters", "discard", m.recipe), "--why", code=USAGE)
    discard = ["dead-letters", "discard", m.recipe, "--format", "json", "--reason", "unknown_operation"]
    told = m.crossfade(*discard, "--why", "made by an old tool").expect(0).json
    assert (told["discarded"], told["unresolved"]) == (count, (DEAD - 1) * count), told
    assert m.crossfade(*discard, "--why", "again").expect(0).json["discarded"] == 0
    assert listed(m, "--reason", "unknown_operation")["letters"] == []
    found = listed(m, "--reason", "unknown_operation", "--all")["letters"]
    assert {(letter["resolved"], letter["why"]) for letter in found} == {("discarded", "made by an old tool")}
    assert m.status()["dead_letters"]["unresolved"] == (DEAD - 1) * count
    events = m.run("history").expect(0).json["events"]
    assert events[-1]["what"] == "discarded" and events[-1]["detail"] == "5 dead letters: made by an old tool"
    text = m.crossfade("dead-letters", "list", m.recipe, "--all").expect(0).out
    assert "discarded: made by an old tool" in text

    m.replay()
    died = listed(m)
    assert died["unresolved"] == (DEAD - 1) * count and {letter["deaths"] for letter in died["letters"]} == {2}
    found = listed(m, "--reason", "unknown_operation", "--all")["letters"]
    assert {(letter["resolved"], letter["deaths"]) for letter in found} == {("discarded", 2)}
    at = f"{found[0]['partition']}:{found[0]['offset']}"
    shown = m.crossfade("dead-letters", "show", m.recipe, at).expect(0).out
    assert shown.splitlines()[0].split() == ["at", at], shown
    fingerprint = mend(m)
    m.run("replay", "--confirm", fingerprint).expect(0)
    assert listed(m)["unresolved"] == 0
    assert {letter["resolved"] for letter in listed(m, "--all")["letters"]} == {"replayed", "discarded"}
    check_mended(m)


def test_a_resolved_letter_whose_document_was_deleted_and_purged(migrate):
    """Nothing shows any more that the document was deleted, so the letter is not sent, even if it is asked for."""
    m = migrate("es-6.8", "es-8.17", [insert("x", code="broken"), letters.delete("x"), insert("y")], copied=1.0,
                mapping=letters.BROKEN_MAPPING).prepare(indexed=False)
    m.tree.pop("source")
    m.tree["indices"][0].pop("from")
    m.tree["tombstone_age"] = "1s"
    m.write_recipe()
    m.init()
    m.replay()
    m.crossfade("dead-letters", "discard", m.recipe, "--why", "not needed").expect(0)
    wait_for("the tombstone to be purged", lambda: m.run("purge", "--all").expect(0).json["purged"] == 1, 60, pause=0.5)
    driven = redrive(m, "--all", "--confirm", mend(m))
    assert driven["read"] == 0, driven
    m.target.refresh(m.new)
    assert m.target.count(m.new) == 1


# the dead-letter topic cannot be written: the work stops and never skips a record


def unwritable(m, *names):
    """The replay fails and names the topic; no dead record counts as done."""
    dead = m.tree["dead_letters"]["topic"]
    result = m.run("replay", seconds=120)
    check_error(result, dead, *names, code=FAILED, seconds=60)
    positions = m.status()["replay"]
    assert not positions["finished"] and positions["remaining"] > 0
    return result


def replay_all(m):
    """The second replay goes on where the first stopped; together they must have read everything."""
    m.replay()
    count = 20
    assert len({origin for origin, *_ in letters.letters(m)}) == DEAD * count
    mend(m)
    redrive(m, "--confirm", m.run("plan").json["fingerprint"])
    check_mended(m)


@pytest.fixture
def dying(migrate):
    m = migrate("es-6.8", "es-8.17", dead_and_alive(20), copied=1.0,
                mapping=letters.BROKEN_MAPPING).prepare(indexed=False)
    m.tree.pop("source")
    m.tree["indices"][0].pop("from")
    m.write_recipe()
    m.init()
    return m


def alter(m, **config):
    changes = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in config.items()]
    resource = ConfigResource(ConfigResource.Type.TOPIC, m.tree["dead_letters"]["topic"], incremental_configs=changes)
    m.log.admin.incremental_alter_configs([resource])[resource].result(30)


@pytest.mark.real
def test_letters_that_are_gone_hold_the_readers_back(dying):
    """The topic was emptied, and then deleted, with letters unresolved: the gate passed, and their commands were
    lost."""
    m, dead = dying, dying.tree["dead_letters"]["topic"]
    count = m.replay()["outcomes"]["dead_lettered"]
    m.crossfade("dead-letters", "discard", m.recipe, "--limit", "5", "--why", "a test").expect(0)

    def gone(number):
        told = m.status()
        words = f"{number} dead letters gone from {dead} unresolved"
        assert told["dead_letters"]["gone"] == number, told["dead_letters"]
        assert any(words in reason for reason in told["switch"]["reasons"]) == (number > 0), told["switch"]
        assert [words in line for line in listed(m)["lost"]] == [True] * (number > 0)
        gates = m.run("rollover", "--dry-run", seconds=60).expect(REFUSED).json["gates"]
        failed = [gate for gate in gates if gate["gate"] == "dead_letters" and gate["verdict"] == "failed"]
        assert [words in gate["text"] and "discard" in gate["mend"] for gate in failed][-1:] == [True][:number], failed

    m.log.truncate(dead, {0: 10})
    gone(5)
    m.log.delete(dead)
    gone(count - 5)
    m.log.create(dead, 1)
    gone(count - 5)
    told = m.crossfade("dead-letters", "discard", m.recipe, "--why", "none of them", "--format", "json").expect(0).json
    assert (told["discarded"], told["gone"], told["unresolved"]) == (0, count - 5, 0), told
    gone(0)


@pytest.mark.real
def test_a_compacted_topic_is_refused(dying):
    m = dying
    m.log.create(m.tree["dead_letters"]["topic"], 1, **{"cleanup.policy": "compact"})
    unwritable(m, "compact")
    assert letters.letters(m) == []
    alter(m, **{"cleanup.policy": "delete"})
    replay_all(m)


@pytest.mark.real
def test_a_letter_too_large_for_the_topic(dying):
    m = dying
    m.log.produce(m.topic, [insert("large", code="broken", title=random.Random(1).randbytes(5000).hex())])
    m.log.create(m.tree["dead_letters"]["topic"], 1, **{"max.message.bytes": "3000"})
    unwritable(m, "max.message.bytes")
    alter(m, **{"max.message.bytes": "1000000"})
    m.replay()
    assert sum(key == b"large" for _, _, key, _ in letters.letters(m)) >= 1


def test_the_topic_is_deleted_under_way(dying):
    """Kafka takes letters for a while, then its topic is gone: the follower ends, or the letter is in a topic made
    again."""
    m = dying
    follow = m.start("follow")
    m.caught_up(follow)
    dead = m.tree["dead_letters"]["topic"]
    m.log.delete(dead)
    m.log.produce(m.topic, [insert("late", code="broken")])

    def decided():
        return not follow.running or any(key == b"late" for _, _, key, _ in letters.letters(m))
    wait_for("the follower to end or the letter to be there", decided, 90, pause=0.5)
    if follow.running:
        m.stop(follow)
    else:
        check_error(follow.wait(5), dead, code=FAILED, seconds=200)
        assert m.lag() > 0, "the offset of a record without its letter was committed"
        follow = m.start("follow")
        m.caught_up(follow)
        m.stop(follow)
        assert any(key == b"late" for _, _, key, _ in letters.letters(m))


@pytest.mark.real
def test_the_topic_is_made_to_keep(dying):
    m = dying
    m.replay()
    resource = ConfigResource(ConfigResource.Type.TOPIC, m.tree["dead_letters"]["topic"])
    config = {name: entry.value for name,
              entry in m.log.admin.describe_configs([resource])[resource].result(30).items()}
    assert (config["cleanup.policy"], config["retention.ms"], config["retention.bytes"]) == ("delete", "-1", "-1")

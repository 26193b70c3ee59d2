"""What others can write — dead letters, the state index — never traps the process."""
import json
import uuid

import pytest

from binary import DONE, FAILED, REFUSED
from test_identity import command, insert, make  # noqa: F401

pytestmark = pytest.mark.embedded
EXTREMES = [9223372036854775807, -9223372036854775808]


def documents(number):
    return [(str(n), {}, {"title": f"first {n}"}, "incident") for n in range(number)]


def state(m):
    return m.target.get(f"/.crossfade-{m.name}/_doc/migration")["_source"]


def put(m, ident, text):
    m.target.call("PUT", f"/.crossfade-{m.name}/_doc/{ident}?refresh=true", json.dumps(text))


@pytest.mark.parametrize("offset", EXTREMES)
def test_dead_letters_with_impossible_offsets(make, offset):  # noqa: F811
    m = make([insert("1", "x")], documents(2))
    m.init()
    m.copy()
    m.replay()
    topic = m.tree["dead_letters"]["topic"]
    m.log.create(topic, 1)
    producer = m.log.producer()
    headers = {"topic": m.topic, "partition": 0, "offset": offset, "version": offset, "epoch": offset,
               "time": offset, "timestamp": offset, "reason": "mapping", "migration": m.name}
    key, value = insert("9", "redriven")
    producer.produce(topic, value, key,
                     headers=[(f"crossfade.{name}", str(text).encode()) for name, text in headers.items()])
    producer.finish()
    for more in (["list"], ["redrive"]):
        result = m.crossfade("dead-letters", *more, m.recipe, "--format", "json", seconds=120)
        assert result.code in (DONE, FAILED, REFUSED), result
    m.run("status").expect(DONE)


@pytest.mark.parametrize("number", EXTREMES)
def test_members_with_impossible_numbers(make, number):  # noqa: F811
    m = make([insert("1", "x"), command("DeleteMessageCommand", "0")], documents(2))
    m.init()
    m.copy()
    part = {name: number for name in ("partition", "read", "in_flight", "start", "position", "committed", "end")}
    report = {"member": "odd", "command": "follow", "host": "h", "pid": number, "started": number, "updated": number,
              "partitions": [{**part, "outcomes": {"indexed": number}, "owned": True}] * 2}
    put(m, f"member-{uuid.uuid4()}", {"report": json.dumps(report)})
    m.run("status").expect(DONE)
    m.replay()


def test_a_slice_that_the_recipe_does_not_name_is_not_copied(make):  # noqa: F811
    """Whoever can write the state index must not have any index of the source copied."""
    m = make([], documents(5))
    m.init()
    m.copy()
    m.source.bulk("secret", [("index", "s", {}, '{"title": "secret"}')], "incident")
    m.source.refresh("secret")
    try:
        for changes in ({"index": "secret"}, {"entry": 99}, {"entry": -7}):
            kept = state(m)
            copy = json.loads(kept["copy"])
            del copy["finished"]
            copy["slices"][0] |= {"done": False, **changes}
            put(m, "migration", {**kept, "copy": json.dumps(copy)})
            result = m.run("copy").expect(FAILED)
            assert "damaged" in result.err and "slice 0" in result.err, result
            put(m, "migration", kept)
        m.target.refresh(m.new)
        assert m.target.count(m.new) == 5
    finally:
        m.source.call("DELETE", "/secret")

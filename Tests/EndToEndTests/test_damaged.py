"""A state index that somebody else has written to: what is wrong is named, nothing is done, and nothing traps."""
import json

import pytest

from binary import DONE, FAILED, check_error
from test_receipts import change
from test_visible import fill, make, twenty, whole

assert make
pytestmark = pytest.mark.embedded
END, BEGIN = 2**63 - 1, -2**63


@pytest.fixture
def m(make):
    m = make(twenty())
    fill(m)
    whole(m)
    return m


def within(name, **changes):
    """Changes members of a part that is stored as text."""
    def changed(source):
        part = json.loads(source[name])
        part.update(changes)
        source[name] = json.dumps(part)
    return changed


def first_slice(**changes):
    def changed(source):
        copy = json.loads(source["copy"])
        copy["slices"][0].update(changes)
        source["copy"] = json.dumps(copy)
    return changed


def test_a_state_that_somebody_else_has_written(m):
    whole_state = m.target.get(f"/.crossfade-{m.name}/_doc/migration")["_source"]
    cases = [
        (first_slice(returned=BEGIN), "copy.slices[0].returned"), (first_slice(entry=END), "copy.slices[0].entry"),
        (within("replay", position=f"0:{END}x"), "replay.position"), (within("fence", term="x"), "fence.term"),
        (lambda source: source.update(phase="dancing"), "phase"),
        (lambda source: source.update(created=END), "created"),
        (lambda source: source.pop("fingerprint"), "fingerprint"),
    ]
    for spoil, field in cases:
        change(m, "migration", spoil)
        words = f"the state in .crossfade-{m.name} is damaged: {field} is "
        check_error(m.run("status"), words, "Restore", code=FAILED)
        change(m, "migration", lambda source: (source.clear(), source.update(whole_state)))
    m.run("status").expect(DONE)


def test_numbers_of_others_at_both_ends_of_what_can_be_counted(m):
    for number in (END, BEGIN):
        part = {"partition": 0, "read": number, "in_flight": number, "committed": number, "end": -number - 1}
        report = {"member": "x", "command": "follow", "host": "h", "pid": number, "started": number,
                  "updated": number, "partitions": [part, part]}
        path = f"/.crossfade-{m.name}/_doc/member-x"
        m.target.call("PUT", path, {"report": json.dumps(report)})
        m.run("status").expect(DONE)
        m.target.call("DELETE", path)


def test_a_slice_of_another_index_is_not_copied(m):
    cases = [({"index": "secret"}, "the slices of the copy of index"), ({"entry": 99}, "slice 0 of the copy names")]
    for wrong, words in cases:
        def spoil(source):
            first_slice(done=False, **wrong)(source)
            within("copy", finished=None)(source)
        before = m.target.get(f"/.crossfade-{m.name}/_doc/migration")["_source"]
        change(m, "migration", spoil)
        check_error(m.run("copy"), f"damaged: {words}", "Nothing was copied", code=FAILED)
        change(m, "migration", lambda source: (source.clear(), source.update(before)))


def test_what_a_newer_version_has_added_stays(m):
    change(m, "migration", lambda source: source.update(later={"a": 1}))
    before = m.target.get(f"/.crossfade-{m.name}/_doc/migration")["_source"]
    m.replay()
    after = m.target.get(f"/.crossfade-{m.name}/_doc/migration")["_source"]
    assert after["later"] == {"a": 1} and after["replay"] != before["replay"]
    change(m, "migration", lambda source: source.update(form=2))
    check_error(m.run("status"), "form 2", "newer version", code=FAILED)

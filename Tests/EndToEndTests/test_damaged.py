"""A state index that somebody else has written to: what is wrong is named, nothing is done, and nothing traps."""
import json
import re

import pytest

import letters
from binary import DONE, FAILED, check_error
from proxy import Proxy
from test_identity import insert, titles
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


def test_letters_that_name_records_which_no_log_has_are_not_redriven(make):
    """Whoever can write the dead-letter topic can write any headers."""
    m = make(twenty())
    topic = m.log.create(m.tree["dead_letters"]["topic"], 1)
    fill(m)
    before, _ = whole(m)
    for offset in (END, 2**46, 2**46 - 1, len(before), -1, BEGIN):
        key, value = insert("7", "forged")
        headers = {"migration": m.name, "reason": "not_json", "topic": m.topic, "partition": 0, "offset": offset}
        letters.produce_with_headers(m.log, topic, key, value,
                                     [(f"crossfade.{name}", str(text).encode()) for name, text in headers.items()])
    letters.listed(m)
    assert sum(letters.redrive(m)["outcomes"].values()) == 0 and titles(m) == before


class Liar(Proxy):
    """A source that says of every index that it holds `count` documents."""
    count = 0

    def handle(self, handler, body):
        status, headers, data = handler.ask(body)
        if handler.path.split("?")[0].endswith("/_count"):
            data = re.sub(rb'"count":\d+', b'"count":%d' % self.count, data)
        handler.answer(status, headers, data)


def test_two_counts_whose_sum_is_more_than_a_number_holds(make):
    m = make(twenty())
    fill(m)
    m.source.bulk(f"{m.old}-b", [("index", "20", {}, json.dumps({"title": "more"}))])
    m.tree["indices"][0]["from"] = f"{m.old}*"
    with Liar(m.source.url) as liar:
        m.tree["source"]["url"] = liar.url
        m.write_recipe()
        for liar.count in (END, 0):
            m.run("plan").expect(DONE)
        liar.count = BEGIN
        check_error(m.run("plan"), "the count of", "holds no number from 0", code=FAILED)
        liar.count = END
        assert set(whole(m)[0]) == {str(n) for n in range(21)}
        m.run("status").expect(DONE)

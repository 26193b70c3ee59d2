"""What is not needed is not demanded: an old cluster that is switched off, and indices that come and go."""
import json

import pytest

from binary import FAILED, INTERRUPTED, REFUSED, check_error
from proxy import Proxy
from stack import wait_for
from test_identity import TITLES, command, fill, insert

FIELDS = {"title": {"type": "keyword"}, "org": {"type": "keyword"}}


def update(ident, **fields):
    return command("UpdateMessageCommand", ident, message=fields)


def delete(ident):
    return command("DeleteMessageCommand", ident)


def rail(m, name, code=0):
    """The details of a rail in `plan`, with its verdicts before them."""
    found = m.run("plan", seconds=60).expect(code).json["rails"]
    return " ".join(f"{r['verdict']} {r['detail']}" for r in found if r["name"] == name)


def documents(m, index=None):
    index = index or m.new
    m.target.refresh(index)
    hits = m.target.scroll(index, {"bool": {"must_not": {"exists": {"field": "crossfade_deleted_at"}}}})
    return {hit["_id"]: {k: v for k, v in json.loads(json.dumps(hit["_source"])).items()} for hit in hits}


def follow(m, *records):
    """Follows until the records are applied."""
    m.log.produce(m.topic, list(records))
    process = m.start("follow")
    m.caught_up(process)
    return m.stop(process)


@pytest.fixture
def make(request, stack, log, folder):
    """A migration of the indices `parts`; its source is reached through a proxy, which can be switched off."""
    from migration import Migration
    made = []

    def make(parts=("a",), source="es-6.8", target="es-8.17", records=(), **sections):
        sections["index"] = {"transform": [], **sections.get("index", {})}
        sections.setdefault("mapping", TITLES)
        url = sections.pop("url", None) or stack.start(source)
        proxy = Proxy(url)
        m = Migration(folder, log, url, stack.start(target), None, partitions=1, source_url=proxy.url, **sections)
        made.append((m, proxy))
        m.proxy, m.prefix = proxy, m.old
        m.tree["indices"][0]["from"] = f"{m.old}-*" if len(parts) > 1 or sections["index"].get("from") else m.old
        m.log.create(m.topic, 1)
        m.log.produce(m.topic, list(records))
        for part in parts:
            add(m, f"{m.old}-{part}" if m.tree["indices"][0]["from"].endswith("*") else m.old, part)
        m.write_recipe()
        return m
    yield make
    for m, proxy in made:
        proxy.__exit__()
        for cluster, pattern in ((m.source, f"{m.prefix}*"), (m.target, f"{m.prefix}*")):
            for index in cluster.indices():
                if index.startswith(m.prefix):
                    cluster.call("DELETE", f"/{index}", missing_ok=True)
        m.tidy()


def add(m, index, part, number=3):
    """A source index with the documents part-0, part-1, ..."""
    m.source.create(index, FIELDS)
    before, m.old = m.old, index
    fill(m, [(f"{part}-{n}", {}, {"title": f"first {part}-{n}", "org": "o"}, "incident") for n in range(number)])
    m.old = before


def switch_off(m):
    m.proxy.__exit__()


# the old cluster is switched off

@pytest.mark.real
def test_everything_but_the_copy_works_when_the_old_cluster_is_killed(make, stack):
    url = stack.start("es-6.8", "old")
    try:
        m = make(url=url, records=[insert("a-0", "first a-0", org="o"), insert("b", "from the log")])
        m.init()
        m.copy()
        stack.kill("old")
        switch_off(m)
        m.source = m.target
        result = m.run("copy", seconds=60)
        check_error(result, "the source is needed", "the copy reads it", m.proxy.url, code=FAILED)
        m.replay()
        summary = follow(m, update("a-1", title="second"), update("b", org="p"), delete("a-2"),
                         command("InsertMessageCommand", "c", message={"title": {"no": "keyword"}}))
        assert summary["outcomes"]["merged"] == 2 and summary["outcomes"]["dead_lettered"] == 1, summary
        assert documents(m)["a-1"] == {"title": "second", "org": "o"}
        assert {k: v["title"] for k, v in documents(m).items()} == {
            "a-0": "first a-0", "a-1": "second", "b": "from the log"}
        status = m.status()
        assert status["phase"] == "stopped" and status["confirmed"] is True, status
        assert status["source"]["answers"] is False and m.proxy.url in status["source"]["trouble"], status["source"]
        assert "crossfade copy" not in " ".join(status["next"]), status["next"]
        text = rail(m, "source")
        assert text.startswith("warn") and "The copy is finished" in text and "unchecked" in text, text
        assert "was not asked" in rail(m, "identity") and m.plan()["changes"] == []
        redriven = m.crossfade("dead-letters", "redrive", m.recipe, "--format", "json").expect(4).summary
        assert redriven["outcomes"]["dead_lettered"] == 1, redriven
        assert m.run("init", "--confirm", m.plan()["fingerprint"]).expect(0).json["created"] is False
        purged = m.run("purge", "--all").expect(0).json
        assert purged["purged"] == 1, purged
        m.target.refresh(m.new)
        assert m.target.count(m.new) == 3, "the tombstone is there, too"
    finally:
        stack.wipe("old")


@pytest.mark.embedded
def test_follow_beside_an_unfinished_copy_needs_the_source_for_partial_updates_only(make):
    m = make()
    m.init()
    switch_off(m)
    check_error(m.run("follow", seconds=60), "the source is needed", "partial update", m.proxy.url, code=FAILED)
    assert m.status()["source"]["answers"] is False
    envelope = m.tree["commands"]["envelope"]
    m.tree["commands"]["envelope"] = {k: v for k, v in envelope.items() if k != "merge"}
    m.proxy = Proxy(m.source.url)
    m.tree["source"]["url"] = m.proxy.url
    m.write_recipe()
    m.run("init", "--confirm", m.run("plan").expect(0).json["fingerprint"]).expect(0)
    switch_off(m)
    follow(m, insert("x", "from the log"))
    assert {k: v["title"] for k, v in documents(m).items()} == {"x": "from the log"}
    assert "The copy is not finished" in rail(m, "source")


@pytest.mark.real
def test_follower_that_began_without_the_source_reads_bases_from_it_when_a_copy_begins(make):
    """The follower was started after the first copy. While the second one runs, a partial update comes for a document
    that only the source has."""
    m = make(copy={"slices": 12, "rate": "20/s", "page": 10})
    m.init()
    m.copy()
    m.replay()
    process = m.start("follow")
    process.assigned()
    assert not [path for _, path in m.proxy.requests if "_mget" in path]
    m.source.bulk(m.old, [("index", f"late-{n}", {}, json.dumps({"title": f"late {n}", "org": "o"}))
                          for n in range(400)])
    m.source.refresh(m.old)
    copy = m.start("copy")
    wait_for("the follower to notice the copy", lambda: "a copy began" in process.err_file.read_text(), 60)
    assert copy.running
    m.log.produce(m.topic, [update(f"late-{n}", title=f"second {n}") for n in range(400)])
    copy.wait(120).expect(0)
    m.caught_up(process)
    m.stop(process)
    found = documents(m)
    assert len(found) == 403
    wrong = {k: v for k, v in found.items() if k.startswith("late")
             and v != {"title": f"second {k[5:]}", "org": "o"}}
    assert not wrong, wrong
    assert [path for _, path in m.proxy.requests if "_mget" in path], "no base was read from the source"


# indices that come and go

@pytest.mark.embedded
@pytest.mark.parametrize("target", ["es-8.17", pytest.param("os-3", marks=pytest.mark.real)])
def test_new_index_of_the_pattern(make, target):
    """A restarted follower goes on; the new index is named; another copy takes it in, once that is confirmed."""
    m = make(("a", "b"), target=target, records=[insert("log", "from the log")])
    m.init()
    m.copy()
    m.replay()
    before = m.plan()["fingerprint"]
    add(m, f"{m.prefix}-new", "new")
    follow(m, update("a-1", title="second"), insert("new-0", "by command", org="o"))
    assert documents(m)["a-1"] == {"title": "second", "org": "o"}
    assert set(documents(m)) == {"log", "new-0", *(f"{p}-{n}" for p in "ab" for n in range(3))}
    status = m.status()
    assert status["confirmed"] is True and status["source"]["new_indices"] == [f"{m.prefix}-new"], status
    text = rail(m, "new_indices")
    assert text.startswith("warn") and f"{m.prefix}-new" in text and "copy again" in text, text
    assert m.plan()["fingerprint"] == before and m.plan()["changes"] == []
    said = m.crossfade("status", m.recipe).expect(0).out
    assert f"{m.prefix}-new of the source also matches" in said, said
    # the way out that is named
    refused = m.run("copy")
    check_error(refused, f"{m.prefix}-new", "--confirm", code=REFUSED)
    wanted = refused.err.split("--confirm ")[1][:32]
    m.run("copy", "--confirm", wanted).expect(0)
    follow(m, update("new-2", title="third"))
    assert documents(m)["new-2"] == {"title": "third", "org": "o"} and len(documents(m)) == 10
    assert m.status()["source"]["new_indices"] == []


@pytest.mark.embedded
def test_new_index_where_each_index_has_a_target_of_its_own(make):
    """Nothing says which of the two a command belongs to; the follower goes on with the one that was confirmed."""
    m = make(("a",), index={"to": "{index}-v2", "from": "*"})
    new = f"{m.prefix}-a-v2"
    m.run("init", "--confirm", m.plan()["fingerprint"]).expect(0)
    m.copy()
    m.replay()
    add(m, f"{m.prefix}-new", "new")
    follow(m, update("a-1", title="second"), insert("x", "by command"))
    assert {k: v["title"] for k, v in documents(m, new).items()} == {
        "a-0": "first a-0", "a-1": "second", "a-2": "first a-2", "x": "by command"}
    assert f"{m.prefix}-new-v2" not in m.target.indices()
    text = rail(m, "new_indices")
    assert "nothing says which index" in text and "select" in text, text
    check_error(m.run("copy"), "targets", "select", code=REFUSED)


def interrupted_copy(make, large, more, slices):
    """A migration of two indices, `large` with so many documents more, whose copy was interrupted in the middle."""
    m = make(("a", "b"), copy={"slices": slices, "rate": "20/s", "page": 10})
    index = f"{m.prefix}-{large}"
    m.source.bulk(index, [("index", f"more-{n}", {}, json.dumps({"title": "t"})) for n in range(more)])
    m.source.refresh(index)
    m.init()
    copy = m.start("copy")
    wait_for("the copy to write", lambda: (m.target.refresh(m.new), m.target.count(m.new))[1] > 0, 60)
    copy.terminate().expect(INTERRUPTED)
    return m


@pytest.mark.real
def test_interrupted_copy_goes_on_with_the_indices_that_it_began_with(make):
    m = interrupted_copy(make, "b", 200, slices=2)
    add(m, f"{m.prefix}-new", "new")
    m.write_recipe(copy={"slices": 2})
    m.copy()
    assert len(documents(m)) == 206
    assert f"{m.prefix}-new" in rail(m, "new_indices")


@pytest.mark.real
def test_index_that_is_gone_before_its_copy_is_finished(make):
    """Nobody can copy it any more. That is confirmed, and the copy of the others ends."""
    m = interrupted_copy(make, "a", 300, slices=1)
    m.source.call("DELETE", f"/{m.prefix}-a")
    m.write_recipe(copy={"slices": 1})
    assert f"{m.prefix}-a was confirmed" in rail(m, "gone_indices")
    refused = m.run("copy")
    check_error(refused, f"{m.prefix}-a", "--confirm", code=REFUSED)
    m.run("copy", "--confirm", refused.err.split("--confirm ")[1][:32]).expect(0)
    assert {"b-0", "b-1", "b-2"} <= set(documents(m))
    assert m.status()["copy"]["finished"] is True
    follow(m, insert("x", "by command"))
    assert documents(m)["x"]["title"] == "by command"


# a user who may not ask everything

class Forbids(Proxy):
    """A target that answers 403 where the path holds one of `words`."""

    def __init__(self, upstream, words):
        super().__init__(upstream)
        self.words = words

    def handle(self, handler, body):
        if any(word in handler.path for word in self.words):
            return handler.answer(403, [("Content-Type", "application/json")], json.dumps({
                "error": {"type": "security_exception", "reason": "action is unauthorized for user [watcher]"},
                "status": 403}).encode())
        handler.answer(*handler.ask(body))


@pytest.mark.embedded
def test_status_of_a_user_with_few_privileges(make):
    """It says what it could not see, and tells the rest. Work that needs the answers ends."""
    m = make(records=[insert("b", "from the log")])
    m.init()
    m.copy()
    m.replay()
    words = [f"/{m.new}", "/_template", "/_index_template", "/_nodes", "/_settings"]
    with Forbids(m.target.url, words) as proxy:
        m.tree["target"] = {"url": proxy.url}
        m.write_recipe()
        status = m.status()
        assert (status["phase"], status["confirmed"], status["lag"]) == ("replayed", True, 0), status
        assert status["indices"] == [{"index": m.new, "exists": True, "closed": False, "documents": None,
                                      "tombstones": None}]
        assert any("unauthorized" in text and m.new in text for text in status["unknown"]), status["unknown"]
        said = m.crossfade("status", m.recipe).expect(0).out
        assert "may not be counted" in said and "\nunknown  forbidden: " in said, said
        check_error(m.run("follow", seconds=30), m.new, "privilege", code=FAILED)

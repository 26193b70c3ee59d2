"""Deletes stay deleted: tombstones, the copy's own alias, the purge, and a target index that is deleted under the
work."""
import json

import pytest

import compare
from binary import DONE, REFUSED, check_error
from stack import wait_for
from workload import Workload

pytestmark = pytest.mark.embedded

TARGETS = ["es-6.8", "es-8.17", "os-3"]
ALL = {"match_all": {}}


@pytest.fixture(params=TARGETS)
def m(request, migrate, seed):
    return migrate("es-6.8", request.param, Workload(seed, 1500, 300, 100), copied=1.0).prepare()


def count(m, query=ALL, name=None):
    m.target.refresh(m.new)
    return m.target.count(name or m.new, query)


def command(m, name, ident, **document):
    value = {"command": name, "id": ident, **({"message": document} if document else {})}
    m.log.produce(m.topic, [(ident.encode(), json.dumps(value).encode())])


def send(m, alias, ident, version):
    """A write that comes late, as a stopped process or a slow proxy would deliver it: its status and what was said."""
    path = f"/{alias}/_doc/_bulk" if m.target.typed else f"/{alias}/_bulk"
    lines = [{"index": {"_id": ident, "version": version, "version_type": "external"}}, {"title": "late"}]
    status, data = m.target.request("POST", path, "".join(json.dumps(line) + "\n" for line in lines),
                                    "application/x-ndjson")
    answer = json.loads(data)
    if status >= 300:
        return status, str(answer["error"])
    item = answer["items"][0]["index"]
    return item["status"], str(item.get("error"))


def old(m, ident):
    return m.source.get(f"/{m.old}/incident/{ident}", missing_ok=True)


def caught_up(m):
    follow = m.start("follow")
    m.caught_up(follow)
    m.stop(follow)


def restart(m, stack, request):
    """The target crashes and comes back: what it remembered of deletes is gone."""
    ident = request.node.callspec.params["m"]
    # else the translog tells it again
    m.target.call("POST", f"/{m.new}/_flush?force=true&wait_if_ongoing=true")
    stack.kill(ident)
    assert stack.start(ident) == m.target.url
    wait_for("the restarted index", lambda: m.target.get(f"/_cluster/health/{m.new}")["status"] != "red", 60)


def done(m):
    m.init()
    m.copy()
    m.replay()


@pytest.mark.real
def test_deleted_stays_deleted(m, stack, request):
    """The application's delete, the target restarted, then a late copied page and a late old write."""
    done(m)
    count(m)
    assert m.status()["indices"] == [{"index": m.new, "exists": True, "closed": False,
                                      "documents": count(m, compare.LIVE),
                                      "tombstones": count(m, compare.DEAD)}]
    command(m, "InsertMessageCommand", "gone", title="here")
    caught_up(m)
    assert count(m, {"ids": {"values": ["gone"]}}, f"{m.new}-crossfade-read") == 1
    command(m, "DeleteMessageCommand", "gone")
    caught_up(m)
    restart(m, stack, request)
    # what the node remembers of deletes it forgot; the tombstone it did not
    assert send(m, f"{m.new}-crossfade-WRITE", "gone", 2)[0] == 409
    status, said = send(m, f"{m.new}-crossfade-COPY", "gone", 1)
    assert status == 400 and "no write index is defined for alias" in said
    assert send(m, f"{m.new}-crossfade-COPY", "never-seen", 1)[0] == 400
    assert count(m, {"ids": {"values": ["gone", "never-seen"]}}, f"{m.new}-crossfade-read") == 0
    m.check()
    live, dead = count(m, compare.LIVE), count(m, compare.DEAD)
    assert dead > 0 and count(m, ALL, f"{m.new}-crossfade-read") == live == count(m) - dead


def test_the_delete_before_the_copy_reaches_it(m):
    """The log first: the page of a deleted document comes later, and is stale."""
    ident = sorted(m.truth().expected)[0]
    command(m, "DeleteMessageCommand", ident)
    assert old(m, ident), "the old index lags behind the log"
    m.init()
    m.replay()
    summary = m.copy()
    assert summary["outcomes"]["stale"] > 0 and summary["outcomes"]["indexed"] == 0
    m.check()


@pytest.mark.real
def test_purge(m, stack, request):
    """Young ones stay, old ones go, and before a replay or a copy they are back."""
    m.init()
    check_error(m.run("purge", "--all"), "copy is not finished", code=REFUSED)
    m.copy()
    m.replay()
    ident = sorted(m.truth().expected)[0]
    command(m, "DeleteMessageCommand", ident)
    assert old(m, ident)
    caught_up(m)
    dead = count(m, compare.DEAD)
    said = m.run("purge").expect(DONE).json
    assert said["found"] == dead > 0 and said["purged"] == 0 and said["kept"]["younger"] == dead
    said = m.run("purge", "--older-than", "10ms").expect(DONE).json
    assert said["purged"] == dead and not any(said["kept"].values())
    assert count(m, compare.DEAD) == 0 == m.run("purge", "--all").expect(DONE).json["found"]
    m.check()
    # the log from its beginning: inserted, deleted again, or stale for as long as the node remembers the deletes
    m.replay()
    m.check()
    m.run("purge", "--all").expect(DONE)
    restart(m, stack, request)
    # the old index still has what was deleted: its page comes, and meets the tombstone that the log gave back
    assert m.copy()["outcomes"]["stale"] > 0 and m.status()["replay_due"] is False
    assert count(m, {"ids": {"values": [ident]}}, f"{m.new}-crossfade-read") == 0 < count(m,
                                                                                          {"ids": {"values": [ident]}})
    m.check()
    caught_up(m)


def test_follow_purges_what_is_old(m):
    m.tree["tombstone_age"] = "2s"
    m.write_recipe()
    done(m)
    assert count(m, compare.DEAD) > 0
    follow = m.start("follow")
    wait_for("the purge", lambda: count(m, compare.DEAD) == 0, 60)
    command(m, "DeleteMessageCommand", sorted(m.truth().expected)[0])
    wait_for("the delete", lambda: m.lag() == 0, 60)
    wait_for("its purge", lambda: count(m, compare.DEAD) == 0, 60)
    m.stop(follow)
    m.check()


def test_nothing_is_made_in_place_of_a_deleted_index(m):
    done(m)
    follow = m.start("follow")
    command(m, "InsertMessageCommand", "first", title="here")
    m.caught_up(follow)
    m.target.call("DELETE", f"/{m.new}")
    command(m, "InsertMessageCommand", "second", title="here")
    check_error(follow.wait(120), m.new, "crossfade init", code=REFUSED, seconds=150)
    assert not [index for index in m.target.indices() if index.startswith(m.new)]
    # made again, it must be filled again before it is followed
    check_error(m.run("follow"), m.new, code=REFUSED)
    plan = m.run("plan").expect(DONE).json
    m.run("init", "--confirm", plan["fingerprint"]).expect(DONE)
    check_error(m.run("follow"), "crossfade replay", code=REFUSED)
    m.copy()
    m.replay()
    caught_up(m)
    m.check()


def test_an_alias_that_was_taken_away_is_put_back(migrate, seed):
    """Found by a tester: the rails passed, and follow waited and ended again and again. The index is whole, only its
    alias is not."""
    m = migrate("es-6.8", "es-8.17", Workload(seed, 1500, 300, 100), copied=1.0).prepare()
    done(m)
    follow = m.start("follow")
    follow.assigned()
    alias = f"{m.new}-crossfade-WRITE"
    m.target.call("POST", "/_aliases", {"actions": [{"remove": {"index": m.new, "alias": alias}}]})
    command(m, "InsertMessageCommand", "first", title="here")
    check_error(follow.wait(120), alias, "start again", code=REFUSED, seconds=150)
    caught_up(m)
    m.check()


def test_an_index_made_again_is_another(m):
    """Somebody deletes it and makes one of the same name and with the same aliases under a running follow."""
    done(m)
    follow = m.start("follow")
    command(m, "InsertMessageCommand", "first", title="here")
    m.caught_up(follow)
    m.target.call("DELETE", f"/{m.new}")
    m.target.create(m.new, {"title": {"type": "text"}}, kind="_doc")
    m.target.call("POST", "/_aliases", {"actions": [{"add": {"index": m.new, "alias": f"{m.new}-crossfade-WRITE"}}]})
    # "gone", if it looked in between
    check_error(follow.wait(120), m.new, code=REFUSED, seconds=150)
    check_error(m.run("follow"), "UUID", code=REFUSED)


def test_fields_of_a_tombstone_are_refused(m):
    m.init()
    m.source.bulk(m.old, [("index", "mine", {}, '{"title":"t","crossfade_deleted":true}')])
    m.source.refresh(m.old)
    summary = m.copy()
    assert summary["outcomes"]["dead_lettered"] == 1 and summary["dead_letter_reasons"] == {"reserved_field": 1}
    command(m, "InsertMessageCommand", "mine", title="t", crossfade_deleted_at=5)
    assert m.replay()["dead_letter_reasons"] == {"reserved_field": 1}
    # while a letter may be redriven, the tombstone of its id stays, and no other
    command(m, "DeleteMessageCommand", "mine")
    m.replay()
    said = m.run("purge", "--all").expect(DONE).json
    assert said["next"] == [f"crossfade dead-letters list {m.recipe}"] and said["redriven_until"] is None
    assert said["kept"]["dead_letter"] == 1 == said["found"] - said["purged"] and said["purged"] > 0, said
    assert count(m, {"ids": {"values": ["mine"]}}) == 1 == count(m, compare.DEAD)

"""The way back, as a second stranger tried it: what is remembered of the old side, and who can go back at all."""
from confluent_kafka import Consumer

from alone import alone, verify as verified, write
from binary import DONE, FAILED, REFUSED, check_error
from stack import wait_for
from test_cutover import Kills, behind, failed, make, rollback, rollover
from test_verify import verify

assert make


def shown(m):
    return m.crossfade("status", m.recipe).expect(DONE).out


def test_an_old_index_that_was_made_again_with_as_many_documents(make):
    """Its UUID is another one than that which was compared. It went unseen where commands feed the new side."""
    m = make(documents=3)
    verify(m)
    m.target.call("DELETE", f"/{m.old}")
    m.target.call("PUT", f"/{m.old}", {"aliases": {m.alias: {}}})
    m.target.bulk(m.old, [("index", f"x{n}", {}, '{"title": "other"}') for n in range(3)])
    m.target.refresh(m.old)
    told = shown(m)
    assert "ready to switch: no" in told and "was made again" in told, told
    result = rollover(m, code=REFUSED)
    assert "way_back" in failed(result) and behind(m).keys() == {m.old}, result


def test_a_shorter_recipe_does_not_hide_what_the_old_side_lacks(migrate):
    """It moved all aliases back, and compared only those that it still named."""
    m = alone(migrate, "es-8.17", "es-8.17", cutover={"writers": "alias"})
    first = m.tree["indices"][0]
    m.source.call("PUT", "/second-" + m.old, {"aliases": {f"second-{m.alias}": {}}})
    second = {**first, "from": f"second-{m.old}", "to": f"second-{m.new}", "alias": f"second-{m.alias}"}
    m.tree["indices"].append(second)
    write(m, {"1": {"title": "a"}})
    m.target.bulk(f"second-{m.old}", [("index", "1", {}, '{"title": "a"}')], "_doc")
    m.source.refresh(f"second-{m.old}")
    m.write_recipe()
    m.init()
    m.copy()
    verified(m)
    rollover(m)
    m.target.bulk(f"second-{m.alias}", [("index", "after", {}, '{"title": "b"}')], "_doc")
    m.tree["indices"].pop()
    m.write_recipe()
    check_error(m.run("rollback"), "other work than was confirmed", "--accept-loss", code=REFUSED)
    assert behind(m, f"second-{m.alias}").keys() == {f"second-{m.new}"}
    rollback(m, "--accept-loss")
    assert behind(m, f"second-{m.alias}").keys() == {f"second-{m.old}"}


def test_what_is_newer_on_the_new_side_is_not_equal_after_the_rollover(migrate):
    """With `copy.version: source` a greater version on the new side counted as equal, and a rollback lost it."""
    m = alone(migrate, "es-8.17", "es-8.17", cutover={"writers": "alias"}, copy={"version": "source"})
    write(m, {str(n): {"title": "a"} for n in range(5)})
    m.init()
    m.copy()
    verified(m)
    rollover(m)
    m.target.bulk(m.alias, [("index", "3", {}, '{"title": "after"}')], "_doc")
    m.target.refresh(m.new)
    receipt = m.run("verify", seconds=120).json
    assert receipt["verdict"] == "different" and receipt["totals"]["equal"] == 4, receipt
    check_error(m.run("rollback", seconds=120), "1 not", code=REFUSED, seconds=120)
    assert behind(m).keys() == {m.new}


def test_a_new_index_that_is_made_again_while_the_program_before_runs(make, tmp_path):
    """The gates were asked before. Readers would have come to an empty index."""
    m = make(documents=3)
    script = tmp_path / "before.sh"
    url = f"{m.target.url}/{m.new}"
    script.write_text(f"#!/bin/sh\ncurl -s -XDELETE {url} >/dev/null; curl -s -XPUT {url} >/dev/null\n")
    script.chmod(0o755)
    m.tree["cutover"]["before"] = str(script)
    m.write_recipe()
    verify(m)
    check_error(m.run("rollover", seconds=120), "made again while the gates were asked", code=REFUSED, seconds=120)
    assert behind(m).keys() == {m.old}


def test_a_hold_file_that_is_made_while_the_program_before_runs(make, tmp_path):
    m = make(documents=3, before=["touch", str(tmp_path / "hold")], hold=str(tmp_path / "hold"))
    verify(m)
    check_error(m.run("rollover", seconds=120), "holds the rollover back", code=REFUSED, seconds=120)
    assert behind(m).keys() == {m.old}


def test_readers_go_back_without_the_brokers(make):
    """Aliases are of the cluster alone. Where nothing can be compared, the message says what still can be done."""
    m = make(documents=3)
    verify(m)
    rollover(m)
    m.follow.terminate()
    m.tree["commands"]["bootstrap"] = "127.0.0.1:1"
    m.write_recipe()
    check_error(m.run("rollback", seconds=120), "--accept-loss", code=FAILED, seconds=120)
    assert rollback(m, "--accept-loss")["position"] == "rolled_back"
    assert behind(m).keys() == {m.old}


def test_an_alias_that_the_old_cluster_has_lost(migrate):
    """Readers that are sent back to it would find nothing."""
    m = alone(migrate, "es-6.8", "es-8.17", cutover={"command": ["true"]})
    m.source.call("PUT", f"/{m.old}/_alias/{m.alias}", {})
    write(m, {"1": {"title": "a"}})
    m.init()
    m.copy()
    verified(m)
    rollover(m)
    m.source.call("DELETE", f"/{m.old}/_alias/{m.alias}")
    told = shown(m)
    assert "rollback ready: no" in told and f"has no alias {m.alias}" in told, told
    check_error(m.run("rollback"), f"had the alias {m.alias}", code=REFUSED)
    m.source.call("PUT", f"/{m.old}/_alias/{m.alias}", {})
    assert rollback(m)["position"] == "rolled_back"


def test_readers_are_not_sent_back_to_a_cluster_that_does_not_answer(migrate):
    """The alias was taken off the new cluster, and the program sent the readers to a dead one."""
    m = alone(migrate, "es-6.8", "es-8.17", cutover={"command": ["true"]})
    write(m, {"1": {"title": "a"}})
    m.init()
    m.copy()
    verified(m)
    rollover(m)
    m.tree["source"]["url"] = "http://127.0.0.1:1"
    m.write_recipe()
    check_error(m.run("rollback", "--accept-loss"), "not known how the old index", "--readers-moved", code=REFUSED)
    assert behind(m).keys() == {m.new}
    assert rollback(m, "--accept-loss", "--readers-moved")["position"] == "rolled_back"


def test_an_alias_that_stands_on_a_third_index_is_said_before_the_copy(migrate):
    m = alone(migrate, "es-6.8", "es-8.17")
    m.target.call("PUT", f"/third-{m.new}", {"aliases": {m.alias: {}}})
    rails = [rail for rail in m.run("plan").expect(DONE).json["rails"] if rail["name"] == "readers"]
    assert len(rails) == 1 and f"third-{m.new}" in rails[0]["detail"] and rails[0]["verdict"] == "warn", rails


def test_a_cancel_looks_at_the_group_before_it_removes_anything(make):
    """A process that reports to nobody (its report was swept) is still a member of our group."""
    m = make(documents=3, follows=False)
    consumer = Consumer({**m.log.config, "group.id": m.group, "enable.auto.commit": False})
    try:
        consumer.subscribe([m.topic])
        wait_for("the member gets its partition", lambda: consumer.poll(0.2) is None and consumer.assignment(), 60)
        check_error(m.run("cancel", "--yes"), "has members", "stop it first", code=REFUSED)
    finally:
        consumer.close()
    assert m.target.indices() >= {m.new}
    m.run("cancel", "--yes").expect(DONE)


def test_a_cancel_that_was_broken_off_is_what_comes_next(make):
    """`init` began the migration again, and every other command said that it is being cancelled."""
    m = make(documents=3, follows=False)
    with Kills(m.target.url) as kills:
        through = m.through(target=kills.url)
        process = m.crossfade.start("cancel", through, "--yes", "--format", "json")
        kills.left, kills.before, kills.victim = 2, True, process.kill
        wait_for("the process ends", lambda: not process.running, 60)
    told = m.status()
    assert told["next"] == [f"crossfade cancel {m.recipe} --yes"], told["next"]
    plan = m.run("plan").json
    check_error(m.run("init", "--confirm", plan["fingerprint"]), "being cancelled", code=REFUSED)
    m.run("cancel", "--yes").expect(DONE)


def test_a_finished_migration_is_not_taken_for_one_that_never_was(migrate):
    m = alone(migrate, "es-6.8", "es-8.17")
    write(m, {"1": {"title": "a"}})
    m.init()
    m.copy()
    verified(m)
    rollover(m)
    m.run("finish", "--yes", seconds=120).expect(DONE)
    archive = f"crossfade-{m.name}-finished.json has its state"
    assert archive in shown(m)
    assert archive in m.crossfade("finish", m.recipe, "--yes").expect(DONE).out
    check_error(m.crossfade("history", m.recipe), archive, code=REFUSED)

"""Programs of the user's that move readers, or must agree: some fail, and some cannot be started."""
from binary import DONE, FAILED, REFUSED
from test_cutover import behind, failed, make, rollback, rollover  # noqa: F401
from test_finish import across, finish
from test_verify import verify


def test_readers_that_a_program_has_not_moved_are_not_taken_for_moved(migrate, tmp_path):
    """That it failed was recorded nowhere: `status` and the gates said that readers are on the new side, and the
    migration could be finished."""
    stop = tmp_path / "stop"
    m = across(migrate, command=["sh", "-c", f"test ! -e {stop}"])
    verify(m)
    stop.write_text("")
    m.run("rollover", seconds=120).expect(REFUSED)
    told = m.status()["cutover"]
    assert told["position"] == "readers_not_moved" and "cutover.command failed" in told["readers_due"], told
    assert behind(m).keys() == {m.new}
    m.run("status", "--check").expect(FAILED)
    assert [event["what"] for event in m.run("history").expect(DONE).json["events"]][-2:] == [
        "rolled_over", "readers_not_moved"]
    assert "rolled_over" in failed(finish(m, "--dry-run", code=REFUSED))
    assert "rollover runs it again" in rollover(m, "--dry-run")["remarks"][0]
    stop.unlink()
    assert rollover(m)["position"] == "rolled_over" and m.status()["cutover"]["readers_due"] is None
    # a rollback that stops half way leaves readers on either side
    stop.write_text("")
    m.run("rollback", "--accept-loss", seconds=120).expect(REFUSED)
    assert m.status()["cutover"]["position"] == "readers_not_moved" and behind(m).keys() == {m.new}
    # people have moved the readers: the program that fails is not started
    assert rollback(m, "--accept-loss", "--readers-moved")["position"] == "rolled_back"
    told = m.status()["cutover"]
    assert told["position"] == "rolled_back" and told["readers_due"] is None and not behind(m), told
    events = m.run("history").expect(DONE).json["events"]
    order = [event["what"] for event in events if not event["what"].startswith("follow_")]
    # the oldest first, each beginning before what came of it
    assert order[order.index("rollover_begun"):] == [
        "rollover_begun", "rolled_over", "readers_not_moved", "readers_moved", "rollback_begun", "readers_not_moved",
        "rollback_begun", "readers_moved", "rolled_back"], order
    assert [event["detail"] for event in events if event["what"] == "readers_moved"] == [
        "to the new cluster, by cutover.command", "back, by hand"]
    times = [event["time"] for event in events]
    assert times == sorted(times), "all of one host"
    m.stop(m.follow)


def test_an_alias_or_a_program_that_is_mistyped_is_found_before_anything_moves(make):  # noqa: F811
    """Readers of `m.alias` stayed where they were, and the rollover said that it had moved them; corrected later, the
    migration was partly rolled over for ever."""
    m = make(follows=False)
    script = m.crossfade.folder / "move.sh"
    script.write_text("#!/bin/sh\n")
    m.tree["indices"][0]["alias"] = m.alias[:-1]
    # a path begins at the recipe's folder, wherever the command is called
    m.tree["cutover"]["before"] = ["./move.sh"]
    m.write_recipe()
    told = {rail["name"]: rail for rail in m.run("plan").expect(DONE).json["rails"] if rail["verdict"] == "warn"}
    assert m.alias in told["alias"]["detail"] and "chmod +x" in told["programs"]["detail"], told
    gates = {gate["gate"]: gate for gate in rollover(m, "--dry-run", code=REFUSED)["gates"]}
    assert gates["aliases"]["verdict"] == "failed" and m.alias in gates["aliases"]["text"], gates
    assert gates["programs"]["verdict"] == "failed" and "chmod +x" in gates["programs"]["mend"], gates
    script.chmod(0o755)
    m.tree["indices"][0]["alias"] = m.alias
    m.write_recipe()
    # readers of a second alias would stay where they are
    m.source.call("PUT", f"/{m.old}/_alias/{m.alias}-reports")
    rails = m.run("plan").expect(DONE).json["rails"]
    assert any(f"also has {m.alias}-reports" in rail["detail"] for rail in rails if rail["name"] == "alias"), rails
    assert not {"aliases", "programs"} & failed(rollover(m, "--dry-run", code=REFUSED))

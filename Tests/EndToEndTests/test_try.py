"""`crossfade try`: what it shows of single samples, without servers; and that it is what copy and replay then do."""
import json

import pytest

from binary import DONE, FAILED, USAGE, Crossfade, check_error, path
from test_recipe_tests import EXAMPLE, NOWHERE, copy_of_example
from workload import Workload

pytestmark = pytest.mark.skipif(path() is None, reason="crossfade is not built")


@pytest.fixture
def crossfade(tmp_path):
    runner = Crossfade(tmp_path / "said")
    yield runner
    runner.close()


def records(folder, *lines):
    file = folder / "records.jsonl"
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return file


def command(name, ident, message=None):
    return {"id": ident, "command": name + "MessageCommand"} | ({"message": message} if message is not None else {})


def attempt(crossfade, *arguments, code=DONE, recipe=EXAMPLE):
    result = crossfade("try", recipe, "--format", "json", *arguments, env=NOWHERE).expect(code)
    return result.json


@pytest.mark.parametrize("server", ["es-6.8", "es-8.17", "os-3"])
def test_fates(crossfade, tmp_path, server):
    file = records(
        tmp_path,
        {"value": command("Insert", "a1",
                          {"title": "t", "severity": 3, "tags": {"host": "db-1", "check": "cpu"}, "rack": {"row": 7}}),
         "offset": 40},
        {"value": command("Update", "a1", {"tags": {"host": "db-2"}}), "offset": 41},
        {"value": command("Update", "a1", {"status": "late"}), "offset": 39},
        {"value": {"command": "PingCommand"}},
        {"value": command("Move", "a1")},
        {"value": command("Insert", "a2", {"severity": "high"})},
        {"value": command("Delete", "a1"), "offset": 50},
        "no json at all")
    said = attempt(crossfade, "--records", file, "--as", server, code=FAILED)
    outcomes = [sample["outcome"] for sample in said["samples"]]
    assert outcomes == ["indexed", "merged", "stale", "skipped", "dead_lettered", "dead_lettered", "deleted",
                        "dead_lettered"]
    first, second = said["samples"][:2]
    assert first["operation"] == "index" and first["id"] == "a1"
    assert first["version"] == 42 and first["index"] == "incidents-v2"
    assert first["document"]["tags"] == [{"keyToValue": "check:cpu", "value": "cpu"},
                                         {"keyToValue": "host:db-1", "value": "db-1"}]
    assert {field["field"] for field in first["new_fields"]} == {"rack", "rack.row"}
    assert second["document"]["tags"][1]["value"] == "db-2" and second["document"]["title"] == "t"
    assert second["new_fields"] == []
    reasons = [sample["reason"] for sample in said["samples"] if sample["outcome"] == "dead_lettered"]
    assert reasons == ["unknown_operation", "document_parsing" if server == "es-8.17" else "mapper_parsing", "not_json"]
    assert said["samples"][6]["document"] is None
    assert [sample["read_as"] for sample in said["samples"]] == ["record"] * 7 + ["value"]
    assert said["samples"][3]["detail"] == "the command PingCommand is one to ignore (commands.envelope.ignore)"
    assert said["outcomes"]["dead_lettered"] == 3 and sum(said["outcomes"].values()) == 8


def test_mapping_explosion_and_strict_mapping(crossfade, tmp_path):
    recipe = copy_of_example(tmp_path / "r", lambda text: text.replace(
        "number_of_replicas: 0 }", "number_of_replicas: 0, index.mapping.total_fields.limit: 20 }"))
    file = records(tmp_path, command("Insert", "a", {f"f{n}": n for n in range(10)}))
    [sample] = attempt(crossfade, "--records", file, "--as", "es-6.8", code=FAILED, recipe=recipe)["samples"]
    assert sample["reason"] == "field_limit" and "20" in sample["detail"] and sample["field_limit"] == 20

    mapping = recipe.parent / "mapping/incidents.json"
    mapping.write_text(json.dumps({"dynamic": "strict", **json.loads(mapping.read_text())}))
    file = records(tmp_path, command("Insert", "a", {"title": "t"}), command("Insert", "b", {"unheard": 1}))
    good, bad = attempt(crossfade, "--records", file, code=FAILED, recipe=recipe)["samples"]
    assert good["outcome"] == "indexed" and bad["reason"] == "strict_dynamic_mapping" and "unheard" in bad["detail"]


def test_text_is_for_people(crossfade, tmp_path):
    file = records(tmp_path, command("Insert", "a1", {"rack": 1}), command("Move", "a1"))
    result = crossfade("try", EXAMPLE, "--records", file, env=NOWHERE).expect(FAILED)
    for words in ("records.jsonl:1", "read as     the value alone", "operation   index", "version     2", '"rack": 1',
                  "new field   rack (long)",
                  "dead_lettered: unknown_operation", "2 samples: 1 indexed, 1 dead_lettered"):
        assert words in result.out, f"{words!r} is not said\n{result}"


def test_how_a_line_was_read(crossfade, tmp_path):
    """A key that is mistyped, and a record without value: each is said as what it is."""
    file = records(tmp_path, {"vlaue": command("Insert", "a1", {}), "key": "k"}, {"value": None, "key": "k"})
    strange, empty = attempt(crossfade, "--records", file, code=FAILED)["samples"]
    assert strange["read_as"] == "value" and '"vlaue" -> value' in strange["hint"]
    assert strange["reason"] == "no_operation"
    assert strange["detail"] == "the field command, the command's name, is not there"
    assert empty["read_as"] == "record" and empty["hint"] is None
    assert (empty["outcome"], empty["reason"]) == ("dead_lettered", "no_value") and "has no value" in empty["detail"]


def test_usage(crossfade, tmp_path):
    for arguments, word in [((), "--records"), (("--records", tmp_path / "none"), "none"),
                            (("--at", "0"), "PARTITION:OFFSET"),
                            (("--records", "/dev/null"), "no samples in /dev/null"),
                            (("--at", "0:0", "--as", "es-3"), "es-2.4 and es-5.6")]:
        check_error(crossfade("try", EXAMPLE, *arguments, env=NOWHERE), word, code=USAGE)


@pytest.mark.embedded
def test_shows_what_copy_and_replay_do(migrate, seed):
    """Whole documents of the source and records of the topic: the target holds what was shown before."""
    m = migrate("es-1.7", "es-6.8", Workload(seed, 400, 60, 40, odd_numbers=False), copied=1.0).prepare()
    m.init()
    m.copy()
    m.target.refresh(m.new)
    live = {"size": 3, "query": {"bool": {"must_not": [{"term": {"crossfade_deleted": True}}]}}}
    held = {hit["_id"]: hit["_source"] for hit in m.target.call("POST", f"/{m.new}/_search", live)["hits"]["hits"]}
    ids = sorted(held)
    assert len(ids) == 3
    arguments = [word for ident in ids for word in ("--from-source", ident)]
    said = m.run("try", "--as", "es-6.8", *arguments).expect(DONE).json
    assert [sample["id"] for sample in said["samples"]] == ids
    for sample in said["samples"]:
        assert sample["version"] == 1 and sample["document"] == held[sample["id"]]
    # the newest command of an id, tried at its place in the topic, carries the version that replay writes
    partition, offset, _, value = m.log.read(m.topic)[-1][:4]
    said = m.run("try", "--as", "es-6.8", "--at", f"{partition}:{offset}").expect(DONE, FAILED).json
    [sample] = said["samples"]
    if sample["operation"]:
        assert sample["version"] == offset + 2 and sample["id"] == json.loads(value)["id"]
    check_error(m.run("try", "--at", f"{partition}:{offset + 1}"), str(offset + 1), code=FAILED, seconds=40)

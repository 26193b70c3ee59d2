"""`crossfade recipe test`: the tests of a recipe, run by the built binary without any server."""

import pytest

from binary import DONE, FAILED, USAGE, Crossfade, path
from stack import ROOT

pytestmark = pytest.mark.skipif(path() is None, reason="crossfade is not built")
EXAMPLE = ROOT / "examples/incidents/incidents.yaml"
# Nobody listens there: a test that asked a server would fail.
NOWHERE = {"KAFKA": "127.0.0.1:1", "OLD": "http://127.0.0.1:1", "NEW": "http://127.0.0.1:1"}


@pytest.fixture
def crossfade(tmp_path):
    runner = Crossfade(tmp_path / "said")
    yield runner
    runner.close()


def copy_of_example(folder, change=lambda text: text):
    """The example in a folder of its own, changed."""
    folder.mkdir(exist_ok=True)
    (folder / "mapping").mkdir(exist_ok=True)
    for file in (EXAMPLE.parent / "mapping").iterdir():
        (folder / "mapping" / file.name).write_text(file.read_text())
    recipe = folder / "recipe.yaml"
    recipe.write_text(change(EXAMPLE.read_text()))
    return recipe


@pytest.mark.parametrize("example", [EXAMPLE, ROOT / "examples/tickets/tickets.yaml"], ids=lambda path: path.stem)
def test_example_passes(crossfade, example):
    result = crossfade("recipe", "test", example, "--format", "json", env=NOWHERE).expect(DONE)
    said = result.json
    assert said["failed"] == 0 and said["passed"] == said["run"] == len(said["tests"]) >= 5
    assert result.seconds < 10


def test_a_failing_test_shows_where(crossfade, tmp_path):
    recipe = copy_of_example(tmp_path / "r",
                             lambda text: text.replace('"host:db-2", value: db-2', '"host:db-2", value: db-9'))
    result = crossfade("recipe", "test", recipe, env=NOWHERE).expect(FAILED)
    assert "document.tags[1].value" in result.out and '"db-9"' in result.out and '"db-2"' in result.out
    line = next(n for n, l in enumerate(recipe.read_text().splitlines(), 1) if "an update changes" in l)
    assert f"recipe.yaml:{line}:" in result.out
    [failed] = [t for t in crossfade("recipe", "test", recipe, "--format", "json",
                                     env=NOWHERE).expect(FAILED).json["tests"] if not t["passed"]]
    assert failed["differences"] == [{"path": "document.tags[1].value", "expected": "db-9", "found": "db-2"}]
    assert failed["line"] == line


def test_no_tests_is_said(crossfade, tmp_path):
    recipe = copy_of_example(tmp_path / "r", lambda text: text[:text.index("tests:")])
    result = crossfade("recipe", "test", recipe, env=NOWHERE).expect(USAGE)
    assert "no tests" in result.err


def test_a_wrong_test_has_its_place(crossfade, tmp_path):
    recipe = copy_of_example(tmp_path / "r",
                             lambda text: text.replace("expect: { operation: skip }", "expect: { operation: skipp }"))
    line = next(n for n, l in enumerate(recipe.read_text().splitlines(), 1) if "skipp" in l)
    result = crossfade("recipe", "test", recipe, env=NOWHERE).expect(USAGE)
    assert f"recipe.yaml:{line}:" in result.err and "skip" in result.err

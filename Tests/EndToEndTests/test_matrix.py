"""Pairs of versions, formats and version sources, each as a whole: plan, init, copy, replay, follow."""
import pytest

from log import Writer
from workload import Workload

pytestmark = pytest.mark.embedded

COMMANDS, IDS = 20_000, 4_000

PAIRS = [("es-2.4", "es-7.10"), ("es-5.6", "es-7.17"), ("es-6.8", "es-8.17"), ("es-7.10", "os-3"),
         ("es-8.17", "es-9.0")]
# if the new cluster accepts the old mapping, the recipe has none: the step adds the two fields of tags
WITHOUT_MAPPING = {("es-7.10", "os-3"), ("es-8.17", "es-9.0")}


def whole(m, malformed=0, versions=True):
    m.prepare()
    m.init()
    m.copy()
    m.replay()
    m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=3000)
    m.writer.start()
    follow = m.start("follow")
    m.writer.finish()
    m.caught_up(follow)
    m.stop(follow)
    truth = m.check(versions)
    letters, count = m.dead_letters()
    assert len(letters) == count == malformed
    tags = m.target.mapping(m.new)["properties"]["tags"]["properties"]
    assert set(tags) == {"keyToValue", "value"} and all(f["type"] == "keyword" for f in tags.values()), tags
    return truth


@pytest.mark.parametrize("source, target", PAIRS, ids=[f"{a}-to-{b}" for a, b in PAIRS])
def test_pair(migrate, seed, source, target):
    options = {"mapping": None} if (source, target) in WITHOUT_MAPPING else {}
    truth = whole(migrate(source, target, Workload(seed, COMMANDS, IDS, 2000, malformed=23), **options), malformed=23)
    assert truth.records == COMMANDS and len(truth.expected) > IDS / 2


@pytest.mark.parametrize("shape", ["document", "debezium"])
def test_format(migrate, seed, shape):
    whole(migrate("es-8.17", "es-9.0", Workload(seed, COMMANDS, IDS, 2000, shape=shape), shape=shape))


def test_version_from_a_field(migrate, seed):
    """The application's own number is the version, also of copied documents: late records with old numbers lose."""
    workload = Workload(seed, COMMANDS, IDS, 2000, revisions=True)
    truth = whole(migrate("es-8.17", "es-9.0", workload, revision="rev"))
    assert truth.model.counts["stale"] > 100

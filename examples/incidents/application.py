"""The application around the example: it writes commands to the topic and keeps its old index by them.

    application.py prepare     topic, 20,000 commands, the old index as the application's own indexer made it
    application.py write       5,000 more commands, a thousand a second
    application.py lag         how many commands Crossfade has not yet applied
    application.py show        both indices: counts, one document, the fields of tags

KAFKA, OLD and NEW say where. The commands and the indexer are those of the end-to-end tests.
"""
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tests/EndToEndTests"))

from indexer import Indexer  # noqa: E402
from log import Log, Writer  # noqa: E402
from rest import Cluster  # noqa: E402
from workload import Workload  # noqa: E402

TOPIC, OLD, NEW = "incident-commands", "incidents", "incidents-v2"
BEFORE, AFTER = 20_000, 5_000


def records():
    return list(Workload(seed=17, commands=BEFORE + AFTER, ids=6_000, tag_keys=2_000, malformed=12))


def prepare(log, old):
    log.create(TOPIC, 6)
    first = records()[:BEFORE]
    log.produce(TOPIC, first)
    print(f"topic {TOPIC}: {BEFORE} commands in 6 partitions, the first of them\n    {first[0][1].decode()[:200]}")
    Indexer(old, OLD).apply(first)
    print(f"{old.url}/{OLD}: {old.count(OLD)} documents, Elasticsearch {'.'.join(map(str, old.version))}")


def write(log):
    writer = Writer(log, TOPIC, records()[BEFORE:], rate=1000)
    writer.start()
    writer.finish()
    print(f"the application wrote {writer.written} more commands")


def show(log, old, new):
    new.refresh(NEW)
    live = {"bool": {"must_not": [{"term": {"crossfade_deleted": True}}]}}
    print(f"old {OLD}: {old.count(OLD)} documents (its indexer has stopped)   new {NEW}: {new.count(NEW, live)} documents")
    fields = new.mapping(NEW)["properties"]["tags"]["properties"]
    print(f"fields of tags in {NEW}: {json.dumps(fields)}")
    hits = new.call("POST", f"/{NEW}/_search", {"size": 1, "query": {"bool": {"must": [{"exists": {"field": "tags.value"}}], **live["bool"]}}})
    print("one document:", json.dumps(hits["hits"]["hits"][0]["_source"], ensure_ascii=False, indent=1))
    print(f"dead letters: {sum(log.ends(TOPIC + '-dead').values())}")


def main():
    log, what = Log(os.environ["KAFKA"]), sys.argv[1:]
    if what == ["prepare"]:
        prepare(log, Cluster(os.environ["OLD"]))
    elif what == ["write"]:
        write(log)
    elif what == ["lag"]:
        print(log.lag("crossfade-incidents-example", TOPIC))
    elif what == ["show"]:
        show(log, Cluster(os.environ["OLD"]), Cluster(os.environ["NEW"]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()

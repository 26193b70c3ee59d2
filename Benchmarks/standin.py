#!/usr/bin/env python3
"""A stand-in for the crossfade binary, to try the benchmark's own machinery without it:

    CROSSFADE_STANDIN_RECORDS=200000 scripts/bench replay --records 200000 --crossfade Benchmarks/standin.py

It reads no topic. It makes an index and a state document in the sink, sends prepared bulk bodies as fast as two
connections take them, and prints a summary of the right form. Its figures say how fast the sink is, nothing more.
"""
import http.client
import json
import os
import re
import sys
import threading
import time

RECORDS = int(os.environ.get("CROSSFADE_STANDIN_RECORDS", "1000000"))
BATCH, CONNECTIONS = 1000, 2


def call(connection, method, path, body=None, expect=(200, 201)):
    connection.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body).encode(),
                       {"content-type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status not in expect:
        sys.exit(f"standin: {method} {path}: {answer.status} {text[:300]!r}")
    return json.loads(text) if text else None


def body(name, first, count):
    lines = []
    for i in range(first, first + count):
        lines.append(json.dumps({"index": {"_index": name, "_id": f"inc-{i:08}", "version": i + 2,
                                           "version_type": "external"}}))
        pairs = [{"keyToValue": f"k{j:05}:value-{j}", "value": f"value-{j}"} for j in range(6)]
        lines.append(json.dumps({"id": f"inc-{i:08}", "title": "x" * 150, "tags": pairs}, separators=(",", ":")))
    return ("\n".join(lines) + "\n").encode()


def send(address, payload, times, answered):
    connection = http.client.HTTPConnection(address)
    for _ in range(times):
        answered.append(len(call(connection, "POST", "/_bulk?filter_path=took,errors,items.*.status",
                                 payload)["items"]))


def replay(address, name):
    began, answered, batches = time.monotonic(), [], RECORDS // BATCH
    prepared = body(name, 0, BATCH)
    shares = [batches // CONNECTIONS + (i < batches % CONNECTIONS) for i in range(CONNECTIONS)]
    threads = [threading.Thread(target=send, args=(address, prepared, share, answered)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if RECORDS % BATCH:
        send(address, body(name, 0, RECORDS % BATCH), 1, answered)
    outcomes = dict.fromkeys(["deleted", "merged", "stale", "superseded", "skipped", "dead_lettered"], 0)
    seconds = time.monotonic() - began
    return {"command": "replay", "read": RECORDS, "outcomes": {"indexed": sum(answered), **outcomes},
            "seconds": seconds}


def main():
    verb, recipe = sys.argv[1:3]
    with open(recipe) as file:
        text = file.read()
    name, address = re.search(r"^name: (\S+)", text, re.M)[1], re.search(r"http://(\S+)", text)[1]
    connection = http.client.HTTPConnection(address)
    state = f"/.crossfade-{name}/_doc/migration"
    if verb == "plan":
        call(connection, "GET", "/")
        call(connection, "HEAD", f"/{name}", expect=(404,))
        print(json.dumps({"command": "plan", "fingerprint": "standin", "rails": []}))
    elif verb == "init":
        aliases = {f"{name}-live": {"filter": {"term": {"hidden": False}}}}
        call(connection, "PUT", f"/{name}", {"mappings": {"properties": {}}, "aliases": aliases})
        call(connection, "PUT", f"/.crossfade-{name}/_create/migration", {"phase": "created"})
        call(connection, "PUT", f"/.crossfade-{name}/_create/migration", {"phase": "created"}, expect=(409,))
        print(json.dumps({"command": "init", "fingerprint": sys.argv[sys.argv.index("--confirm") + 1]}))
    else:
        found = call(connection, "GET", state)
        guard = f"?if_seq_no={found['_seq_no']}&if_primary_term={found['_primary_term']}"
        call(connection, "PUT", state + guard, {"phase": "replaying"})
        call(connection, "PUT", state + guard, {"phase": "replaying"}, expect=(409,))
        print(json.dumps(replay(address, name)))


main()

"""scripts/bench embedded: how many documents a second the embedded search node takes through _bulk on loopback.

Documents of about 400 bytes with external versions, bodies of 1,000, sent over kept connections by processes of their
own, as Crossfade sends them: the answer is filtered down to each item's status. Every status is counted, and the node's
own count at the end must be that of the documents sent.
"""
import http.client
import json
import multiprocessing
import random
import signal
import statistics
import subprocess
import time
import urllib.parse

BATCH = 1000
WORDS = ("disk full network slow database restart timeout memory leak certificate expired queue backlog cpu throttled "
         "replica lagging pod evicted dns failure").split()


def document(number):
    chosen = random.Random(number)
    return json.dumps({
        "id": f"alert-{number}", "service": f"service-{number % 97}",
        "state": chosen.choice(["open", "closed", "acked"]),
        "severity": chosen.randrange(1, 6), "created_at": "2026-11-28T20:15:30Z",
        "title": " ".join(chosen.choice(WORDS) for _ in range(12)), "region": f"region-{number % 7}",
        "host": f"host-{chosen.randrange(100_000)}.example.org", "rev": number,
        "tags": [{"keyToValue": f"team:team-{number % 31}", "value": f"team-{number % 31}"},
                 {"keyToValue": f"zone:{number % 3}", "value": f"{number % 3}"}],
    }, separators=(",", ":"))


def bodies(first, count):
    """Bulk bodies for documents of those numbers."""
    for start in range(first, first + count, BATCH):
        lines = []
        for number in range(start, min(start + BATCH, first + count)):
            lines.append('{"index":{"_id":"alert-%d","version":%d,"version_type":"external"}}\n%s\n'
                         % (number, number + 1, document(number)))
        yield "".join(lines).encode()


def send(url, path, first, count, ready, go, results):
    """A client of its own: makes its bodies, waits for the start, sends them."""
    made = list(bodies(first, count))
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
    ready.release()
    go.wait()
    created = 0
    for body in made:
        connection.request("POST", path, body, {"Content-Type": "application/x-ndjson"})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {data[:300]}")
        created += data.count(b'"status":201')
    results.put((created, sum(map(len, made))))


def round_of(url, path, mapping, documents, clients):
    """Seconds and bytes of one round into a new index."""
    address = urllib.parse.urlsplit(url)

    def call(method, where, body=None):
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
        connection.request(method, where, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data

    call("DELETE", "/bench")
    status, data = call("PUT", "/bench",
                        {"settings": {"number_of_shards": 3, "number_of_replicas": 0}, "mappings": mapping})
    if status != 200:
        raise RuntimeError(data[:300])
    ready, go, results = multiprocessing.Semaphore(0), multiprocessing.Event(), multiprocessing.Queue()
    share = documents // clients
    workers = [multiprocessing.Process(target=send, args=(url, path, n * share, share, ready, go, results))
               for n in range(clients)]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    begun = time.monotonic()
    go.set()
    answers = [results.get(timeout=300) for _ in workers]
    seconds = time.monotonic() - begun
    for worker in workers:
        worker.join()
    call("POST", "/bench/_refresh")
    count = json.loads(call("GET", "/bench/_count")[1])["count"]
    created = sum(created for created, _ in answers)
    if created != share * clients or count != created:
        raise RuntimeError(f"{share * clients} documents were sent, {created} created, {count} are there")
    return seconds, sum(size for _, size in answers), created


def measure(program, mapping, persona, documents, clients, rounds, say):
    """The figures of all rounds; `say` gets a line for each."""
    node = subprocess.Popen([str(program), "embedded-node", "--persona", persona, "--memory", "4096"],
                            stdout=subprocess.PIPE, text=True)
    try:
        url = node.stdout.readline().strip()
        typed = persona.startswith("es-") and int(persona[3:].split(".")[0]) < 7
        path = f"/bench{'/_doc' if typed else ''}/_bulk?filter_path=took,errors,items.*.status,items.*.error"
        rates = []
        for number in range(rounds + 1):
            seconds, size, created = round_of(url, path, {"_doc": mapping} if typed else mapping, documents, clients)
            if number == 0:
                continue  # the first warms up
            rates.append(created / seconds)
            say(f"round {number}: {created:,} documents of {size // created} bytes in {seconds:.2f} s = "
                f"{created / seconds:,.0f} documents/s, {size / seconds / 1e6:.0f} MB/s")
        return {"persona": persona, "documents": documents, "clients": clients, "rates": rates,
                "documents_per_second": statistics.median(rates)}
    finally:
        node.send_signal(signal.SIGTERM)
        node.wait(timeout=20)

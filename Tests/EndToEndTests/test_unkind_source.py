"""A source that is not kind: it goes away, drops connections, and holds documents that are large or no JSON."""
import json
import threading

import pytest

from binary import FAILED, INTERRUPTED, check_error
from proxy import Proxy
from rest import Cluster
from stack import wait_for

DOCUMENTS = 400


@pytest.fixture
def make(migrate):
    """A migration without commands whose source has `documents`: (id, metadata, stored text as bytes)."""
    def make(source, documents, target="es-8.17", settings=None, through=None, mapping=None, **sections):
        sections["index"] = {"transform": [], **sections.get("index", {})}
        m = migrate(source, target, partitions=1, mapping=mapping or {"properties": {"title": {"type": "keyword"}}},
                    **sections)
        m.log.create(m.topic, 1)
        if documents is not None:
            m.source.create(m.old, {"title": {"type": "string" if m.source.version < (5, 0) else "keyword"}},
                            {"number_of_shards": 2, **(settings or {})})
            fill(m, documents)
        if through:
            m.tree["source"] = {"url": through(m.source.url).url}
        m.write_recipe()
        return m
    return make


def fill(m, documents):
    body = b""
    for ident, metadata, text in documents:
        head = {"_index": m.old, "_id": ident, **metadata, **({"_type": "incident"} if m.source.typed else {})}
        body += json.dumps({"index": head}).encode() + b"\n" + text + b"\n"
    answer = m.source.call("POST", "/_bulk", body, "application/x-ndjson")
    assert not answer["errors"], answer
    m.source.refresh(m.old)


def documents(number=DOCUMENTS, start=0, **metadata):
    return [(str(n), metadata, b'{"title":"document %d"}' % n) for n in range(start, start + number)]


def found(m):
    """Without the other fields: some are large."""
    m.target.refresh(m.new)
    hits = m.target.call("POST", f"/{m.new}/_search", {"size": 1000, "_source": ["title"]})["hits"]["hits"]
    return {hit["_id"]: hit["_source"].get("title") for hit in hits}


EXPECTED = {str(n): f"document {n}" for n in range(DOCUMENTS)}
SLOW = {"slices": 2, "rate": "150/s", "page": 20}


def whole(m, result, expected=None, **outcomes):
    """The end state and the counts are right, whatever happened on the way."""
    expected = EXPECTED if expected is None else expected
    summary = result.expect(0).summary
    counts = {name: count for name, count in summary["outcomes"].items() if count}
    assert counts == {"indexed": len(expected), **outcomes}, result
    assert summary["returned"] == sum(counts.values()), result
    assert found(m) == expected
    status = m.status()
    assert status["phase"] == "copied", status
    return result


def some_written(m):
    wait_for("the copy to write", lambda: (m.target.refresh(m.new), m.target.count(m.new))[1] > 50, 60)


# the source goes away

class Away(Proxy):
    """A cluster that is away until `comes_back`: as a load balancer says it, and in the middle of it, too."""

    def __init__(self, upstream):
        super().__init__(upstream)
        self.back = threading.Event()

    def comes_back(self):
        self.back.set()

    def handle(self, handler, body):
        if self.back.is_set() and handler.path.endswith("_count") and not self.counted:
            self.counted = True
            return handler.answer(503, [], b"<html>no server is available</html>")
        if self.back.is_set():
            return handler.answer(*handler.ask(body))
        handler.answer(503, [("Content-Type", "text/html")], b"<html>no server is available</html>")

    counted = False


def test_source_away_at_the_start_of_a_copy(make):
    """It was there at `init`. The copy waits for it and says so once; `plan`, and a signal, do not wait."""
    m = make("es-6.8", documents())
    m.init()
    with Away(m.source.url) as proxy:
        m.tree["source"] = {"url": proxy.url}
        m.write_recipe()
        assert m.run("plan", seconds=15).expect(0).seconds < 12
        waits = "the source is away; waiting for it before the copy begins"
        stopped = m.start("copy")
        wait_for("the copy to say that it waits", lambda: waits in stopped.err_file.read_text(), 30)
        check_error(stopped.terminate(10), "interrupted", code=INTERRUPTED)
        copy = m.start("copy")
        wait_for("the copy to say that it waits", lambda: waits in copy.err_file.read_text(), 30)
        assert "at_most_seconds=120" in copy.err_file.read_text() and m.status()["phase"] == "created"
        proxy.comes_back()
        result = whole(m, copy.wait(60))
        assert result.err.count("the source answers again") >= 1 and proxy.counted
    # a finished copy may have lost its source for good
    with Away(m.source.url) as proxy:
        m.tree["source"] = {"url": proxy.url}
        m.write_recipe()
        check_error(m.run("copy", seconds=30), "the source is needed", code=FAILED)


@pytest.mark.parametrize("source", ["es-1.7", "es-6.8"])
def test_source_killed_and_started_again(make, stack, source):
    """No scroll outlives a restart: both slices begin again by themselves."""
    m = make(source, documents(), settings={"index.translog.durability": "request"} if source == "es-6.8" else None,
             copy=SLOW)
    m.source.call("POST", f"/{m.old}/_flush")
    m.init()
    copy = m.start("copy")
    some_written(m)
    stack.kill(source)
    wait_for("the copy to wait", lambda: "the source does not give" in copy.err_file.read_text(), 30)
    stack.start(source)
    result = whole(m, copy.wait(120))
    assert "gives the documents of the copy again" in result.err, result


class Unkind(Proxy):
    """Does to a request of its kind what `fault` says: it is told the number of the request, counted from 1."""

    def __init__(self, upstream, path, fault):
        super().__init__(upstream)
        self.path, self.fault, self.count = path, fault, 0

    def handle(self, handler, body):
        if handler.command == "POST" and handler.path.split("?")[0].endswith(self.path):
            self.count += 1
            if self.fault(self.count, handler, body):
                return
        handler.answer(*handler.ask(body))


def drop(handler):
    """The connection ends, and the answer is lost."""
    handler.close_connection = True
    handler.connection.shutdown(2)
    return True


def lost(handler, body):
    """The page is read, and its answer lost."""
    handler.ask(body)
    return drop(handler)


def refuse(handler, status, kind, text):
    handler.answer(status, [("Content-Type", "application/json")], json.dumps(
        {"error": {"type": kind, "reason": text}, "status": status}).encode())
    return True


def shard_failed(handler, body):
    """The page comes, and says that a shard is missing in it."""
    status, headers, data = handler.ask(body)
    answer = json.loads(data)
    answer["_shards"] = {"total": 2, "successful": 1, "failed": 1, "failures": [
        {"shard": 1, "index": "x", "reason": {"type": "node_disconnected_exception", "reason": "gone"}}]}
    answer["hits"]["hits"] = answer["hits"]["hits"][:3]
    handler.answer(status, headers, json.dumps(answer).encode())
    return True


FAULTS = {
    "lost": lambda n, handler, body: n in (3, 9) and lost(handler, body),
    "dropped": lambda n, handler, body: n in (3, 4, 5) and drop(handler),
    "expired": lambda n, handler, body: n == 4 and refuse(
        handler, 404, "search_context_missing_exception", "No search context found for id [7]"),
    "shard": lambda n, handler, body: n == 4 and shard_failed(handler, body),
    "busy": lambda n, handler, body: n in (4, 5) and refuse(handler, 429, "es_rejected_execution_exception", "full"),
    "proxy": lambda n, handler, body: n == 4 and handler.answer(
        404, [("Content-Type", "text/plain")], b"the server could not find the requested resource") is None,
}


@pytest.mark.parametrize("source, fault", [("es-2.4", "lost"), *(("es-7.17", fault) for fault in FAULTS)])
def test_pages_that_do_not_come(make, source, fault):
    """A scroll whose answer was lost is not continued: its page would be missing. What is written twice counts once."""
    proxies = []

    def through(url):
        proxies.append(Unkind(url, "/_search/scroll", FAULTS[fault]))
        return proxies[0]
    m = make(source, documents(), through=through, copy={"slices": 1, "page": 60})
    try:
        m.init()
        result = whole(m, m.run("copy"))
        assert "reading the slice again" in result.err, result
    finally:
        proxies[0].__exit__()


def test_an_index_that_is_deleted_under_the_copy_is_not_waited_for(make):
    """What is permanent ends the copy, and says so."""
    m = make("es-6.8", documents(), copy=SLOW)
    m.init()
    copy = m.start("copy")
    some_written(m)
    m.source.call("DELETE", f"/{m.old}")
    check_error(copy.wait(120), m.old, code=FAILED, seconds=120)


# stored texts that are no JSON

NO_JSON = {
    "brace": b'{"title":"x"}}', "text": b'{"title":"x"} and more', "two": b'{"title":"x"}{"title":"y"}',
    "closes": b'{"title":"x"}}]}}', "names": b'{"title":"x"},"_id":"other"',
    "utf16": '{"title":"x"}'.encode("utf-16-le"),
    "member": b'{"title":"x"},"y":1', "hits": b'{"title":"x"}}]},"x":{"y":[{"z":1',
    "list": b'{"title":"x"}}],"x":[{"z":1',
}


def letters(m):
    topic = m.tree["dead_letters"]["topic"]
    found = {}
    for _, _, key, value, headers, _ in m.log.read(topic):
        headers = {name: (text or b"").decode() for name, text in headers}
        assert headers["crossfade.source"] == "copy" and headers["crossfade.index"] == m.old
        found[key.decode()] = (value, headers)
    return found


def test_stored_text_that_is_no_json(make):
    """1.7 takes these and gives them back as they are. Each is a letter with its raw text; the others are copied."""
    bad = [(name, {"routing": "r"}, text) for name, text in NO_JSON.items()]
    good = {str(n): f"document {n}" for n in range(100)}
    marked = [("marked", {"routing": "r"}, b'\xef\xbb\xbf{"title":"marked"}')]
    m = make("es-1.7", documents(100, routing="r") + bad + marked, copy={"page": 40})
    m.tree["commands"]["envelope"]["routing"] = "org"
    m.write_recipe()
    m.init()
    whole(m, m.run("copy"), {**good, "marked": "marked"}, dead_lettered=len(bad))
    dead = letters(m)
    assert {name: value for name, (value, _) in dead.items()} == NO_JSON
    for value, headers in dead.values():
        assert headers["crossfade.reason"] == "unreadable_source" and headers["crossfade.routing"] == "r", headers
        assert "redrive" in headers["crossfade.detail"]


@pytest.mark.parametrize("source", ["es-2.4", "es-6.8"])
def test_stored_text_in_another_encoding(make, source):
    """Versions from 2 on refuse what follows the object, and take UTF-16."""
    m = make(source, documents(100) + [("utf16", {}, NO_JSON["utf16"])], copy={"page": 40})
    m.init()
    whole(m, m.run("copy"), {str(n): f"document {n}" for n in range(100)}, dead_lettered=1)
    assert letters(m)["utf16"][0] == NO_JSON["utf16"]


class Vanishing(Proxy):
    """Deletes a document when it is first asked for by its id."""

    def handle(self, handler, body):
        if handler.path.endswith("/_mget"):
            index = handler.path.split("/")[1]
            Cluster(self.upstream.geturl()).call("DELETE", f"/{index}/incident/7", missing_ok=True)
        handler.answer(*handler.ask(body))


def test_what_vanishes_between_name_and_document_is_gone(make):
    proxies = []
    m = make("es-6.8", documents(50) + [("utf16", {}, NO_JSON["utf16"])],
             through=lambda url: proxies.append(Vanishing(url)) or proxies[0], copy={"slices": 1})
    try:
        m.init()
        whole(m, m.run("copy"), {str(n): f"document {n}" for n in range(50) if n != 7}, dead_lettered=1, gone=1)
    finally:
        proxies[0].__exit__()


TEXTS = {
    "half": br'{"title":"a\ud83d b"}', "key": br'{"k\ud83d":"b"}', "cesu": b'{"title":"a\xed\xa0\xbd\xed\xb8\x80b"}',
    "overlong": b'{"title":"a\xc0\x80b"}', "beyond": b'{"title":"a\xf4\x90\x80\x80b"}',
}


def raw(m, ident):
    return m.target.request("GET", f"/{m.new}/_source/{ident}")[1]


def test_text_that_is_none_is_passed_on_as_it_is(make):
    """Both clusters take these: copied or written by commands, they come out byte by byte. What the target refuses is a
    dead letter."""
    m = make("es-6.8", [(name, {}, text) for name, text in TEXTS.items()])
    records = [(name.encode(), b'{"command":"InsertMessageCommand","id":"c-%s","message":%s}' % (name.encode(), text))
               for name, text in {**TEXTS, "latin": b'{"title":"caf\xe9 x"}'}.items()]
    m.log.produce(m.topic, records)
    m.init()
    assert m.copy()["outcomes"]["indexed"] == len(TEXTS)
    replayed = m.replay()
    assert replayed["outcomes"]["indexed"] == len(TEXTS) and replayed["outcomes"]["dead_lettered"] == 1, replayed
    for name, text in TEXTS.items():
        assert raw(m, name) == text and raw(m, f"c-{name}") == text, name


# sizes and limits

def large(number, size):
    return [(str(n), {}, b'{"title":"document %d","text":"%s"}' % (n, b"x" * size)) for n in range(number)]


LARGE = {"properties": {"title": {"type": "keyword"}, "text": {"type": "text", "index": False}}}


@pytest.mark.parametrize("source", ["es-6.8"])
def test_pages_that_would_be_too_large(make, source):
    """230 documents of 1 MB at the default size: the size is chosen before the first page."""
    m = make(source, None, mapping=LARGE, copy={"slices": 1})
    m.source.create(m.old, {"text": {"type": "string", "index": "no"} if m.source.version < (5, 0)
                            else {"type": "text", "index": False}})
    for start in range(0, 230, 46):
        fill(m, large(230, 1 << 20)[start:start + 46])
    m.init()
    result = whole(m, m.run("copy"), {str(n): f"document {n}" for n in range(230)})
    assert "read again" not in result.err, result


def test_pages_that_turn_out_too_large_are_halved(make):
    """The first documents are small, and the others are not."""
    m = make("es-6.8", documents(20), mapping=LARGE, settings={"number_of_shards": 1}, copy={"slices": 1},
             limits={"memory": "64MB"})
    rest = [(ident, metadata, text) for ident, metadata, text in large(80, 1 << 20) if int(ident) >= 20]
    fill(m, rest)
    m.init()
    result = whole(m, m.run("copy"), {str(n): f"document {n}" for n in range(80)})
    assert "documents a page, not" in result.err, result


def test_limits_of_the_source_are_respected(make):
    m = make("es-6.8", documents(), settings={"index.max_result_window": 50, "index.max_slices_per_scroll": 2},
             copy={"slices": 8})
    keep = {"search.default_keep_alive": "1m", "search.max_keep_alive": "2m"}
    m.source.call("PUT", "/_cluster/settings", {"transient": keep})
    try:
        m.init()
        whole(m, m.run("copy"))
        assert m.status()["copy"]["slices"] == 2
    finally:
        m.source.call("PUT", "/_cluster/settings", {"transient": dict.fromkeys(keep)})


def test_a_limit_that_is_exceeded_is_not_said_to_pass(make):
    """6.8 answers 500 for it."""
    m = make("es-6.8", documents(), copy={"slices": 4, "rate": "50/s", "page": 10})
    m.init()
    # the copy has begun with four slices when the limit comes down
    work = m.start("copy")
    some_written(m)
    work.terminate()
    m.source.call("PUT", f"/{m.old}/_settings", {"index.max_slices_per_scroll": 2})
    result = m.run("copy")
    check_error(result, "max_slices_per_scroll", code=FAILED)
    assert " now" not in result.err.split("stopped")[-1], result


# nothing to copy

@pytest.mark.parametrize("source", ["es-1.7", "es-2.4", "es-6.8", "es-7.17"])
def test_an_index_that_never_had_a_document(make, source):
    """Of a pattern, without a mapping: some versions cannot slice it. It has no documents, so it is done."""
    m = make(source, documents(40), copy={"slices": 4})
    empty = f"{m.old}-empty"
    m.source.call("PUT", f"/{empty}", {"settings": {"number_of_shards": 2, "number_of_replicas": 0}})
    m.tree["indices"][0]["from"] = f"{m.old}*"
    m.write_recipe()
    try:
        m.init()
        whole(m, m.run("copy"), {str(n): f"document {n}" for n in range(40)})
    finally:
        m.source.call("DELETE", f"/{empty}")

"""A small HTTP proxy in front of a cluster: it asks for a password, records requests, and can be slow."""
import base64
import http.client
import http.server
import re
import threading
import time
import urllib.parse

READS = re.compile(r"/(_search|_count|_mget|_msearch|_search/scroll|_refresh|_has_privileges)$")


class Proxy:
    """`users`: name -> password, for HTTP basic authentication. `delay`: seconds before each answer."""

    def __init__(self, upstream, users=None, delay=0.0):
        self.upstream = urllib.parse.urlsplit(upstream)
        self.users, self.delay = users or {}, delay
        self.requests = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def writes(self):
        """The requests that are not reads: (method, path)."""
        def reads(method, path):
            bare = urllib.parse.urlsplit(path).path.rstrip("/")
            if method in ("GET", "HEAD"):
                return True
            # deleting a scroll is not a write
            return (method == "POST" and READS.search(bare)) or (method == "DELETE"
                                                                 and bare.startswith("/_search/scroll"))
        return [(m, p) for m, p in self.requests if not reads(m, p)]

    def allowed(self, header):
        if not self.users:
            return True
        expected = {"Basic " + base64.b64encode(f"{u}:{p}".encode()).decode() for u, p in self.users.items()}
        return header in expected

    def handle(self, handler, body):
        """Answers one request; a subclass may override it."""
        handler.answer(*handler.ask(body))

    def handler(self):
        proxy, local = self, threading.local()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def body(self):
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    out = b""
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        out += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                    return out
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

            def forward(self):
                body = self.body()
                proxy.requests.append((self.command, self.path))
                time.sleep(proxy.delay)
                if not proxy.allowed(self.headers.get("Authorization")):
                    return self.answer(401,
                                       [("WWW-Authenticate", 'Basic realm="cluster"'),
                                        ("Content-Type", "application/json")],
                                       b'{"error":{"type":"security_exception","reason":"unable to '
                                       b'authenticate"},"status":401}')
                proxy.handle(self, body)

            def ask(self, body, path=None):
                """The upstream's answer: (status, headers, body); 502 when there is none."""
                headers = {k: v for k, v in self.headers.items()
                           if k.lower() not in ("host", "connection", "transfer-encoding", "content-length",
                                                "authorization", "expect")}
                for attempt in (0, 1):
                    fresh = getattr(local, "connection", None) is None
                    if fresh:
                        local.connection = http.client.HTTPConnection(proxy.upstream.hostname, proxy.upstream.port,
                                                                      timeout=120)
                    try:
                        local.connection.request(self.command, path or self.path, body or None, headers)
                        answer = local.connection.getresponse()
                        data = answer.read()
                        return answer.status, [(k, v) for k, v in answer.getheaders()
                                               if k.lower() not in ("content-length", "transfer-encoding",
                                                                    "connection")], data
                    except (http.client.HTTPException, OSError):
                        local.connection.close()
                        local.connection = None
                        # an idle connection may be closed; a request on a fresh one is not repeated
                        if fresh or attempt:
                            return 502, [], b""

            def answer(self, status, headers, data):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = forward

        return Handler

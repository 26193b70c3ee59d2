"""The suite's servers: shared by the cells, started when first asked for, brought back when a cell has broken them."""
import http.client
import json
import socket
import threading
import urllib.parse

import endtoend  # noqa: F401
import stack as stack_module
from log import Log
from stack import Stack

# the suite limits its own number of servers
stack_module.SEARCH_SERVERS_AT_ONCE = 8


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


class Toxiproxy:
    """Toxiproxy's HTTP API."""

    def __init__(self, address):
        self.address = urllib.parse.urlsplit(address)

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=30)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            data = answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"toxiproxy: {method} {path}: {answer.status} {data[:300]}")
            return json.loads(data) if data else None
        finally:
            connection.close()

    def proxy(self, name, upstream):
        """The server's address."""
        return self.call("POST", "/proxies", {"name": name, "listen": "127.0.0.1:0", "upstream": upstream})["listen"]

    def add(self, name, kind, stream="downstream", toxicity=1.0, **attributes):
        self.call("POST", f"/proxies/{name}/toxics", {"name": f"{kind}-{stream}", "type": kind, "stream": stream,
                                                      "toxicity": toxicity, "attributes": attributes})

    def clear(self, name):
        for toxic in self.call("GET", f"/proxies/{name}/toxics"):
            self.call("DELETE", f"/proxies/{name}/toxics/{toxic['name']}")

    def remove(self, name):
        self.call("DELETE", f"/proxies/{name}")


class Servers:
    def __init__(self):
        self.stack, self.lock = Stack(), threading.RLock()
        self.made = {}

    def once(self, what, make):
        with self.lock:
            if what not in self.made:
                self.made[what] = make()
            return self.made[what]

    def toxiproxy(self):
        return self.once("toxiproxy", lambda: Toxiproxy(self.stack.run("proxy", "start")))

    def kafka(self):
        """(Log, address of the listener that goes through toxiproxy's proxy "kafka")."""
        return self.once("kafka", self.start_kafka)

    def start_kafka(self):
        plain, behind, control = free_ports(3)
        toxiproxy = self.toxiproxy()
        front = toxiproxy.proxy("kafka", f"127.0.0.1:{behind}")
        # A second listener whose advertised address is the proxy. The stack's own lines for the listeners come before
        # what stands in a value's second line here, and the last line of a properties file counts.
        listeners = (f"PLAINTEXT://127.0.0.1:{plain},PROXIED://127.0.0.1:%s")
        lines = "\n".join(["1", f"listeners={listeners % behind},CONTROLLER://127.0.0.1:{control}",
                           f"advertised.listeners={listeners % front.rsplit(':', 1)[1]}"])
        self.kafka_options = [
            "--port", str(plain), "--set", f"controller.quorum.voters=1@127.0.0.1:{control}",
            "--set", "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT",
            "--set", "listeners=", "--set", "advertised.listeners=", "--set", f"crossfade.proxied={lines}"]
        address = self.stack.start("kafka-4.1", "kafka", *self.kafka_options)
        return Log(address), front

    def restart_kafka(self):
        self.stack.start("kafka-4.1", "kafka", *self.kafka_options)

    def kafka3(self):
        """A Log on three brokers."""
        return self.once("kafka3", lambda: Log(self.start_kafka3()))

    def start_kafka3(self):
        """The brokers' address; brings back those that were killed."""
        with self.lock:
            self.stack.addresses.pop("kafka3", None)
        return self.stack.start("kafka-4.1", "kafka3", "--nodes", "3", "--set", "broker.session.timeout.ms=3000",
                                "--set", "broker.heartbeat.interval.ms=500", "--set",
                                "unclean.leader.election.interval.ms=2000")

    def search(self, name, ident=None, *options):
        with self.lock:
            return self.stack.start(name, ident or name, *options)

    def kill(self, ident):
        with self.lock:
            self.stack.kill(ident)

    def release(self, ident):
        """A cell's own server is no longer needed."""
        with self.lock:
            self.stack.wipe(ident)

    def pause(self, ident):
        self.stack.run("pause", self.stack.prefix + ident)

    def resume(self, ident):
        self.stack.run("resume", self.stack.prefix + ident)

    def close(self):
        if "toxiproxy" in self.made:
            self.stack.run("proxy", "stop", check=False)
        self.stack.close()

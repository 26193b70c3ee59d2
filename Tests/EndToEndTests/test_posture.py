"""What the environment may not do, and what the network is told: proxies, .netrc, warnings, core dumps."""
import pathlib
import re
import threading

import pytest

from binary import DONE, USAGE, Crossfade
from proxy import Proxy
from stack import wait_for
from test_identity import command, insert, titles
from test_visible import fill, make, whole

assert make
pytestmark = pytest.mark.embedded
ROOT = pathlib.Path(__file__).parents[2]


class Credentials(Proxy):
    """A cluster that keeps what it was told of who asks."""

    def __init__(self, upstream):
        super().__init__(upstream)
        self.seen, self.lock = set(), threading.Lock()

    def handle(self, handler, body):
        with self.lock:
            self.seen.add(handler.headers.get("Authorization"))
        # through a proxy the whole URL is asked for
        path = re.sub("^http://[^/]+", "", handler.path)
        handler.answer(*handler.ask(body, path))


def test_proxies_and_passwords_of_the_environment_are_not_used(make):
    m = make([insert("1", "first")])
    fill(m)
    with Credentials(m.target.url) as cluster, Credentials(m.target.url) as proxy:
        home = m.crossfade.folder
        (home / ".netrc").write_text("machine 127.0.0.1 login somebody password of-the-environment\n")
        environment = {"HOME": str(home), "NETRC": str(home / ".netrc"), "NO_PROXY": "", "no_proxy": ""}
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            environment[name] = proxy.url
        m.tree["target"] = {"url": cluster.url}
        m.write_recipe()
        m.crossfade("plan", m.recipe, env=environment).expect(DONE)
        assert cluster.requests and not proxy.requests and cluster.seen == {None}
        # only when the recipe asks for it
        told = len(cluster.requests)
        m.tree["target"] = {"url": cluster.url, "proxy": proxy.url}
        m.write_recipe()
        m.crossfade("plan", m.recipe, env={**environment, "no_proxy": "127.0.0.1"}).expect(DONE)
        assert proxy.requests and len(cluster.requests) == told and proxy.requests[0][1].startswith(cluster.url)


def test_credentials_over_plain_http_are_told_at_every_start(make):
    """Nobody answers there, which is not the point."""
    m = make([insert("1", "first")])
    m.tree["target"] = {"url": "http://nobody.invalid:9200", "auth": {"user": "u", "password": "${PASSWORD}"}}
    m.write_recipe()
    secret = {"PASSWORD": "never-to-be-seen"}
    for command in ("plan", "follow", "status", "verify"):
        said = m.crossfade(command, m.recipe, env=secret)
        assert "target.auth goes over plain http" in said.err, said
        assert "never-to-be-seen" not in said.out + said.err
    assert "warning: target.auth goes over plain http" in m.crossfade("recipe", "check", m.recipe, env=secret).out


def test_a_kerberos_command_of_a_recipe_is_not_run(make):
    m = make([insert("1", "first")])
    trace = m.crossfade.folder / "ran"
    trace.unlink(missing_ok=True)
    m.tree["commands"]["kafka"] = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "GSSAPI",
                                   "sasl.kerberos.kinit.cmd": f"touch {trace}"}
    m.write_recipe()
    said = m.crossfade("plan", m.recipe).expect(USAGE)
    assert "sasl.kerberos.kinit.cmd runs a program" in said.err and not trace.exists(), said


def test_no_core_is_dumped(folder):
    process = Crossfade(folder).start("embedded-node", "--persona", "es-8.17")
    try:
        # by then the limits are set
        wait_for("the node to serve", lambda: process.out_file.read_text().strip(), 30)
        limits = pathlib.Path(f"/proc/{process.process.pid}/limits").read_text()
        assert re.search(r"^Max core file size +[01] ", limits, re.M), limits
    finally:
        process.kill()


def test_ids_with_odd_bytes_come_out_as_they_were(make):
    """In pages of the copy, in records, and in bases that are read for a partial update."""
    odd = [f"a{chr(code)}b" for code in [*range(1, 0x30), *range(0x3a, 0x41), *range(0x5b, 0x61), *range(0x7b, 0xa1),
                                         0x61c, 0x200f, 0x2028, 0x202e, 0x2066, 0xfeff, 0xfffd, 0x1f642]]
    # which only the copy brings
    copied = [f"c{ident}" for ident in odd]
    m = make([record for ident in odd for record in (
        insert(ident, ident), command("UpdateMessageCommand", ident, message={"title": ident + "!"}))],
        replay={"from": "beginning"})
    fill(m, [(ident, {}, {"title": ident + "!"}, "incident") for ident in (*odd, *copied)])
    found, summary = whole(m)
    assert summary["read"] == 2 * len(odd)
    assert found == {ident: ident + "!" for ident in (*odd, *copied)}


def test_the_container_is_read_only_and_without_privileges():
    compose, image = (ROOT / "docker-compose.yml").read_text(), (ROOT / "Dockerfile").read_text()
    service = compose[compose.index("\n  crossfade:\n"):]
    for setting in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true"):
        assert setting in service, setting
    assert re.search("^USER crossfade$", image, re.M) and "HEALTHCHECK" in image and "/livez" in image


def test_the_threat_model_names_tests_that_exist():
    text = (ROOT / "docs/threat-model.md").read_text()
    named = set(re.findall(r"`(test_\w+|[A-Za-z]+Tests|[a-z]+(?:[A-Z]+[a-z]*){2,})`", text))
    assert len(named) > 40, named
    sources = [file for kind in ("*.swift", "test_*.py") for file in (ROOT / "Tests").rglob(kind)]
    there = set(re.findall(r"(?:func|def|struct) (\w+)", "\n".join(file.read_text() for file in sources)))
    assert not named - there, named - there

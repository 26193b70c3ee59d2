"""The program as the container of docker-compose.yml runs it: a user without privileges, nothing to write to but a
volume and a temporary /tmp. No container engine is needed: the namespaces and the mounts are the same."""
import json
import os
import re
import shutil
import socket
import subprocess
import warnings

import pytest

import binary
from binary import DIFFERS, DONE, FAILED, REFUSED, USAGE
from stack import ROOT
from test_escapes import NO_JSON, commands
from test_identity import insert
from test_visible import fill, make

assert make
pytestmark = pytest.mark.embedded
NOBODY = 65534
# $1: the only folder to write to; the rest: the command
INSIDE = f"""set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -o remount,bind,ro /
grep " ro[, ]" /proc/self/mountinfo | grep -q " / / "
mount -t tmpfs -o noexec,nosuid,mode=1777 tmpfs /tmp
shift
exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


def inside(volume, *command):
    return ["unshare", "--mount", "sh", "-c", INSIDE, "sh", str(volume), *map(str, command)]


def missing(folder):
    """Why this machine cannot do it; None: it can."""
    if folder.is_relative_to("/tmp"):
        return "the folder of the tests is below /tmp, which is another one in a container"
    if os.geteuid() or not (shutil.which("unshare") and shutil.which("setpriv")):
        return "needs root, unshare and setpriv"
    done = subprocess.run(inside(folder, "true"), capture_output=True, text=True, timeout=30)
    return done.stderr.strip() if done.returncode else None


@pytest.fixture
def volume(folder, monkeypatch):
    """/var/lib/crossfade of the image. Every command of the test runs in the container; on a machine that allows no
    mounts, as it is, with a warning: then only what it reads and prints is tested."""
    path = folder / "volume"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    if not os.geteuid():
        os.chown(path, NOBODY, NOBODY)
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    if why := missing(path):
        warnings.warn(f"no mounts of our own here, so the commands run without the container: {why}")
        return path
    # wherever it was built: /tmp is another one there
    program = shutil.copy(binary.path(), folder / "crossfade")
    monkeypatch.setattr(binary, "command_line", lambda: inside(path, program))
    return path


def health_check(port):
    """The image's own health check, for a process that listens at another port."""
    image = (ROOT / "Dockerfile").read_text()
    [command] = re.findall(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", image, re.M)
    words = json.loads(command)
    assert "/9464 " in words[-1] and "127.0.0.1" in words[-1]
    # what the image is made of has these, and nothing else is asked for
    used = set(re.findall(r"(?:^|&& |\| )([a-z]+)", words[-1])) | {words[0]}
    assert used == {"bash", "exec", "printf", "head", "grep"}, used
    words[-1] = words[-1].replace("/9464 ", f"/{port} ")
    return subprocess.run(words, capture_output=True, text=True, timeout=20)


def test_every_command_works_where_only_the_documented_folders_can_be_written(make, volume):
    m = make([insert(str(n), f"first {n}") for n in range(20)], replay={"from": "beginning"}, verify={"settle": "3s"})
    fill(m)
    m.source.refresh(m.old)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    m.write_recipe(operations={"listen": f"127.0.0.1:{port}"})
    before = {path for path in m.crossfade.folder.iterdir() if path.suffix not in (".out", ".err")}
    m.init()
    m.copy()
    m.replay()
    assert health_check(port).returncode != 0, "nobody listens yet"
    follow = m.start("follow")
    m.caught_up(follow)
    done = health_check(port)
    assert done.returncode == 0, done.stderr
    m.stop(follow)
    receipt = volume / "receipt.html"
    m.run("verify", "--report", receipt).expect(DONE, DIFFERS)
    assert "</html>" in receipt.read_text()
    assert [path.name for path in (volume / ".local/state/crossfade").iterdir()] == [m.name]
    for name in commands():
        if name in ("init", "copy", "replay", "follow", "verify", "run"):
            continue
        words = [] if name in NO_JSON or name == "version" else [m.recipe]
        words = {"completions": ["bash"], "try": [m.recipe, "--records", os.devnull], "dead-letters show": [
            m.recipe, "0:1"], "dead-letters discard": [m.recipe, "--why", "because"]}.get(name, words)
        said = m.crossfade(*name.split(), *words).expect(DONE, DIFFERS, REFUSED, USAGE, FAILED)
        assert not re.search("Read-only file system|Permission denied", said.out + said.err), said
    after = {path for path in m.crossfade.folder.iterdir() if path.suffix not in (".out", ".err")}
    assert after == before


def test_what_cannot_be_written_there_is_an_error_with_the_way_out(make, volume):
    m = make([insert("1", "first")], verify={"settle": "1s", "folder": "/proc/somewhere-else"})
    fill(m)
    m.init()
    said = m.run("verify").expect(USAGE, REFUSED, FAILED)
    assert "/proc/somewhere-else" in said.err and "verify.folder" in said.err, said


def test_the_volume_of_the_compose_file_is_the_folder_of_the_image():
    compose, image = (ROOT / "docker-compose.yml").read_text(), (ROOT / "Dockerfile").read_text()
    service = compose[compose.index("\n  crossfade:\n"):compose.index("\nvolumes:")]
    [home] = re.findall("^ENV HOME=(.+)$", image, re.M)
    assert f"progress:{home}\"" in service and f"-g crossfade {home}\n" in image
    assert re.search(r'tmpfs: \["/tmp"\]', service)
    # the recipes cannot be changed from inside
    assert re.search(r"^WORKDIR /recipes$", image, re.M) and ":/recipes:ro\"" in service
    # what a drain may take: half of the session's 45 s, and the commit's 10 s
    [grace] = re.findall(r"stop_grace_period: (\d+)s", service)
    assert int(grace) > 45 / 2 + 10

"""What a person at a terminal has of the binary without any server: help, completions in real shells, the manual page,
where recipes come from. Every shell is the distribution's own."""
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

import pytest

from binary import DONE, FAILED, USAGE, command_line

RECIPE = """name: ${NAME}
commands: { bootstrap: "localhost:9092", topic: orders, format: document }
target: { url: "http://new:9200", auth: { user: u, password: "${PASSWORD}" } }
indices: [ { to: orders-v2, mapping: mapping.json } ]
"""
SECRET = "hunter2-must-never-be-seen"


def run(*arguments, given="", folder=None, **env):
    environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"} | env
    return subprocess.run([*command_line(), *map(str, arguments)], input=given, capture_output=True, text=True,
                          cwd=folder,
                          env=environment, timeout=60)


@pytest.fixture
def recipe(folder):
    (folder / "mapping.json").write_text('{"properties": {}}')
    (folder / "r.yaml").write_text(RECIPE)
    (folder / "r.env").write_text(f"# secrets\nNAME=from-file\nPASSWORD='{SECRET}'\n")
    (folder / "sub").mkdir(exist_ok=True)
    return folder / "r.yaml"


def test_the_error_that_ends_a_process_is_a_line_of_the_log(recipe):
    """It was plain text between lines of JSON, which those who ship logs could not read."""
    given = {"NAME": "a", "PASSWORD": SECRET}
    recipe.write_text(recipe.read_text().replace("http://new:9200", "http://127.0.0.1:1"))
    for words, code, more in ((["history", recipe], FAILED, {"code": "unreachable"}),
                              (["receipts", "show", recipe, "--report", "x.txt"], USAGE, {"code": "usage"}),
                              (["history", recipe.parent / "none.yaml"], USAGE, {})):
        ended = run(*words, "--log", "json", folder=recipe.parent, **given)
        lines = [json.loads(line) for line in ended.stderr.splitlines()]
        assert ended.returncode == code and lines[-1].items() >= more.items(), ended
        assert all(line.keys() >= {"time", "level", "message"} for line in lines) and SECRET not in ended.stderr


# completions


@pytest.fixture(scope="session")
def scripts(tmp_path_factory):
    """The completion scripts, and `crossfade` in a folder for PATH."""
    base = tmp_path_factory.mktemp("completions")
    for shell in ("bash", "zsh", "fish"):
        made = run("completions", shell)
        assert made.returncode == DONE, made.stderr
        (base / f"crossfade.{shell}").write_text(made.stdout)
    return base


def bash(script, words, folder):
    """What bash's completion function offers for the last of `words`."""
    program = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _crossfade; '
               'if [[ ${#COMPREPLY[@]} -gt 0 ]]; then printf "%s\\n" "${COMPREPLY[@]}"; fi')
    done = subprocess.run(["bash", "--norc", "-c", program, str(script), *words], capture_output=True, text=True,
                          cwd=folder, timeout=30)
    assert not done.stderr, done.stderr
    return set(done.stdout.splitlines())


def fish(script, words, folder):
    line = " ".join(words)
    done = subprocess.run(["fish", "--no-config", "-c", 'source $argv[1]; complete -C "$argv[2]"', str(script), line],
                          capture_output=True, text=True, cwd=folder, timeout=30,
                          env={**os.environ, "HOME": str(folder)})
    assert not done.stderr, done.stderr
    return {offered.split("\t")[0] for offered in done.stdout.splitlines()}


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, program, folder, rows=50, columns=200, **env):
        os.environ.pop("COLUMNS", None)
        self.process, self.end = pty.fork()
        if self.process == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.chdir(folder)
            os.execvpe(program[0], program, {**os.environ, "TERM": "dumb", **env})
        self.said = ""

    def type(self, text):
        os.write(self.end, text.encode())

    def read(self, until, seconds=30):
        """What it said up to and with `until`, a regular expression."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(until, self.said)):
            left = deadline - time.monotonic()
            assert left > 0, f"no {until!r} in {self.said!r}"
            if select.select([self.end], [], [], left)[0]:
                try:
                    self.said += os.read(self.end, 65536).decode(errors="replace")
                except OSError:
                    raise AssertionError(f"it ended without {until!r}: {self.said!r}") from None
        text, self.said = self.said[:found.end()], self.said[found.end():]
        return text

    def close(self):
        os.close(self.end)
        try:
            os.kill(self.process, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.process, 0)


def zsh(script, words, folder):
    """What zsh lists at ^D behind the line."""
    terminal = Terminal(["zsh", "-f", "-i"], folder)
    try:
        terminal.type(f"PS1=; autoload -Uz compinit; compinit -u -D; source {script}; LISTMAX=0; echo rea''dy\n")
        # Bracketed paste is switched on when its line editor takes over.
        terminal.read(r"ready\r?\n[^\n]*\x1b\[\?2004h")
        line = " ".join(words)
        terminal.type(line + "\x04")
        terminal.type("\x15echo do''ne\n")
        listed = terminal.read("\ndone\r?\n")
    finally:
        terminal.close()
    offered = set()
    for text in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", listed).splitlines():
        if "crossfade " in text and line in text or "echo do" in text or text.strip() in ("done", ""):
            continue
        offered |= {text.split()[0]} if " -- " in text else set(text.split())
    return offered


COMPLETED = [
    (["crossfade", "p"], {"plan", "purge"}, {"recipe"}),
    (["crossfade", ""], {"plan", "dead-letters", "recipe", "man", "help"}, {"check", "embedded-log"}),
    (["crossfade", "recipe", ""], {"check", "schema"}, {"list", "plan"}),
    (["crossfade", "dead-letters", "r"], {"redrive"}, {"list", "replay"}),
    (["crossfade", "dead-letters", "list", "r.yaml", "--"], {"--reason", "--since", "--env-file", "--format"},
     {"--older-than"}),
    (["crossfade", "purge", "r.yaml", "--o"], {"--older-than"}, {"--offset"}),
    (["crossfade", "dead-letters", "list", "r.yaml", "--reason", "base_"], {"base_too_large"}, {"bad_base"}),
    (["crossfade", "plan", "r.yaml", "--format", ""], {"text", "json"}, {"r.yaml"}),
    (["crossfade", "recipe", "check", "--log", "j"], {"json"}, {"text"}),
    (["crossfade", "completions", ""], {"bash", "zsh", "fish"}, {"r.yaml"}),
    (["crossfade", "help", "dead-letters", ""], {"list", "show", "redrive"}, {"plan"}),
    (["crossfade", "plan", "r.y"], {"r.yaml"}, {"r.env"}),
    (["crossfade", "recipe", "check", "r.yaml", "--env-file", "r."], {"r.env"}, set()),
]


@pytest.mark.parametrize("shell", [bash, zsh, fish], ids=lambda shell: shell.__name__)
def test_completions_of_a_real_shell(shell, scripts, recipe):
    assert shutil.which(shell.__name__), f"no {shell.__name__}: scripts/setup installs it"
    script = scripts / f"crossfade.{shell.__name__}"
    if shell is zsh:  # a terminal each: one line of every kind is enough
        assert subprocess.run(["zsh", "-n", str(script)], capture_output=True).returncode == 0
    for words, offered, others in COMPLETED:
        found = {word.rstrip("/") for word in shell(script, words, recipe.parent)}
        assert offered <= found, f"{words}: {found}"
        assert not others & found, f"{words}: {found}"


def test_bash_takes_lists_equals_signs_and_names_with_blanks(scripts, recipe):
    script, folder = scripts / "crossfade.bash", recipe.parent
    (folder / "two words.yaml").write_text("")
    listed = ["crossfade", "dead-letters", "list", "r.yaml", "--reason"]
    assert bash(script, [*listed, "no_id,not_j"], folder) == {"no_id,not_json"}
    # As readline splits --format=j
    assert bash(script, ["crossfade", "plan", "--format", "=", "j"], folder) == {"json"}
    assert bash(script, ["crossfade", "plan", "--format", "="], folder) == {"text", "json"}
    assert bash(script, ["crossfade", "plan", "-v", "--log", "json", ""], folder) == {"r.yaml", "two words.yaml", "sub"}
    assert bash(script, ["crossfade", "copy", "r.yaml", "--confirm", ""], folder) == set()


# the manual


def test_manual_page(folder):
    page = run("man").stdout
    (folder / "crossfade.1").write_text(page)
    # mandoc's lint is the strictest: also matters of style end in a message.
    lint = subprocess.run(["mandoc", "-Tlint", "-Wstyle", "crossfade.1"], capture_output=True, text=True, cwd=folder,
                          timeout=30)
    assert (lint.stdout, lint.returncode) == ("", 0)
    shown = subprocess.run(["mandoc", "-Tutf8", "-Owidth=78", "crossfade.1"], capture_output=True, text=True,
                           cwd=folder, timeout=30)
    text = re.sub(".\b", "", shown.stdout)
    for words in ("crossfade dead-letters redrive RECIPE", "--older-than DURATION", "EXIT STATUS", "no_routing"):
        assert words in text
    assert "\\" not in text.replace("\\n", "").replace("\\r", "")


# help


def test_help_is_as_wide_as_the_terminal():
    for columns in (50, 80, 110):
        terminal = Terminal([*command_line(), "purge", "--help"], ".", columns=columns)
        try:
            seen = terminal.read("Print this help").replace("\r", "")
        finally:
            terminal.close()
        for lines in (seen.splitlines(), run("purge", "--help", COLUMNS=str(columns)).stdout.splitlines()):
            assert columns - 20 < max(map(len, lines)) <= columns
    lines = run("purge", "--help").stdout.splitlines()
    assert 60 < max(map(len, lines)) <= 80


@pytest.mark.parametrize("words, said", [
    (["stauts", "r.yaml"], 'Did you mean "crossfade status"?'),
    (["check", "r.yaml"], 'Did you mean "crossfade recipe check"?'),
    (["redrive"], 'Did you mean "crossfade dead-letters redrive"?'),
    (["dead-leters", "list"], 'Did you mean "crossfade dead-letters"?'),
    (["recipe", "--verbose", "check"], "options follow it"), (["r.yaml"], "crossfade plan r.yaml"),
    (["completions", "bsh"], 'Did you mean "bash"?'),
    (["plan", "r.yaml", "--envfile", "x"], "Did you mean --env-file?"),
    (["plan", "r.yaml", "-format", "json"], "Did you mean --format?"), (["qwertz"], "crossfade --help lists them all"),
    (["demo", "--name", "x"], "--kafka, --old and --new"),
])
def test_misspelt(words, said):
    result = run(*words)
    assert result.returncode == USAGE and said in result.stderr and not result.stdout
    assert result.stderr.count("\n") == 1


def test_version():
    versions = json.loads(run("version", "--format", "json").stdout)
    assert set(versions) >= {"crossfade", "librdkafka", "libcurl", "libyaml", "libxxhash", "libmicrohttpd"}
    assert all(re.match(r"\d+\.\d+", version) for version in versions.values())
    assert run("--version").stdout.splitlines()[0] == f"crossfade {versions['crossfade']}"


# where recipes come from


def test_recipe_from_standard_input(recipe):
    folder = recipe.parent
    good = run("recipe", "check", "-", "--env-file", "r.env", given="\ufeff" + RECIPE, folder=folder)
    assert good.returncode == DONE and "recipe is good" in good.stdout and SECRET not in good.stdout + good.stderr
    # Relative files begin at the working directory.
    elsewhere = run("recipe", "check", "-", "--env-file", "../r.env", given=RECIPE, folder=folder / "sub")
    assert elsewhere.returncode == USAGE
    assert "<stdin>:4:38: error: indices.mapping: the file mapping.json does not exist" in elsewhere.stderr
    wrong = run("recipe", "check", "-", given="\ufeffnane: x\n", folder=folder)
    assert "<stdin>:1:1: error: unknown key \"nane\"" in wrong.stderr and wrong.returncode == USAGE
    assert "<stdin>:1:1: error: the recipe is empty" in run("recipe", "check", "-").stderr


def test_recipe_typed_at_a_terminal(recipe):
    terminal = Terminal([*command_line(), "recipe", "check", "-", "--env-file", "r.env"], recipe.parent)
    try:
        terminal.read("Ctrl-D")
        terminal.type(RECIPE + "\x04")
        assert SECRET not in terminal.read("recipe is good")
    finally:
        terminal.close()


def test_env_file_is_for_the_recipe_alone(recipe):
    """Its variables go before the environment, and neither the process's environment nor its arguments show them."""
    folder = recipe.parent
    os.mkfifo(folder / "wait.env")
    try:
        process = subprocess.Popen(
            [*command_line(), "recipe", "check", "r.yaml", "--env-file", "r.env", "--env-file", "wait.env"], cwd=folder,
            env={**os.environ, "NAME": "from-environment"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # It opens the second file when it has read the first.
        with open(folder / "wait.env", "w") as second:
            proc = pathlib.Path(f"/proc/{process.pid}")
            shown = (proc / "environ").read_bytes() + (proc / "cmdline").read_bytes()
            assert SECRET.encode() not in shown and b"from-environment" in shown
            second.write("NAME=from-second\n")
        out, err = process.communicate(timeout=30)
    finally:
        (folder / "wait.env").unlink()
    assert process.returncode == DONE, err
    assert SECRET not in out + err and "recipe is good" in out
    wrong = folder / "wrong.env"
    wrong.write_text(f"NAME=x\n{SECRET}\n")
    result = run("plan", "r.yaml", "--env-file", "wrong.env", folder=folder)
    assert result.returncode == USAGE and "wrong.env:2:1: error: this is not KEY=VALUE" in result.stderr
    assert SECRET not in result.stderr
    missing = run("plan", "r.yaml", "--env-file", "no.env", folder=folder)
    assert missing.returncode == USAGE and "no.env:1:1: error: the environment file does not exist" in missing.stderr

"""Follows a guide to the letter: files that it shows are written, commands that it shows are run, and what they print
is compared with what it shows.

A block ```console has lines `$ COMMAND`, each with its output below. `$ COMMAND &` goes on in the background, and
`$ kill %1` ends it. Another block whose line above ends with `NAME`: is a file of that name.
"""
import getpass
import os
import re
import signal
import socket
import subprocess

from stack import wait_for

# what the log says now and then, or of this machine; docs do not show it
SOMETIMES = re.compile(r"info progress |operations are served|documents are not judged before|the port is taken"
                       r"|looking whether it lives|rebalanc|not ready for the rollover")
# what is another in each run; the longer patterns first
OTHERS = [
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?"), "TIME"), (re.compile(r"\b\d{8}-\d{6}-[0-9a-f]{6}\b"), "RECEIPT"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "FINGERPRINT"), (re.compile(r"\b[\w-]{22}\b(?=[^\w-]|$)"), "UUID"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b"), "UUID"),
    (re.compile(r"\d[\d.,]*( ms| s| min| h)\b( \d+ (s|min)\b)?"), "DURATION"), (re.compile(r"\d[\d.,]*"), "N"),
    (re.compile(r"[ \t]+"), " "), (re.compile(r"-{3,}"), "---"),
]


class Guide:
    """`names`: what the guide writes -> what it is here."""

    def __init__(self, path, folder, names, path_folder):
        self.path, self.folder, self.names = path, folder, names
        self.environment = {**os.environ, "PATH": f"{path_folder}:{os.environ['PATH']}", "COLUMNS": "120"}
        self.background, self.told, self.said = None, "", {}
        self.after_start = lambda: None

    def here(self, text):
        for name, real in self.names.items():
            text = text.replace(name, real)
        return text

    def there(self, text):
        for name, real in self.names.items():
            text = text.replace(real, name)
        text = re.sub(rf"\b{re.escape(getpass.getuser())}@{re.escape(socket.gethostname())}\b", "you@desk", text)
        text = text.replace(socket.gethostname(), "desk")
        lines = [line for line in text.splitlines() if not SOMETIMES.search(line)]
        return "\n".join(line.rstrip() for line in lines)

    def follow(self):
        """Runs all of it. Returns the guide with what was printed now."""
        out, lines, at = [], self.path.read_text().splitlines(), 0
        while at < len(lines):
            line = lines[at]
            at += 1
            out.append(line)
            if not line.startswith("```") or line == "```":
                continue
            end = lines.index("```", at)
            block = lines[at:end]
            at = end + 1
            above = next((text for text in reversed(out[:-1]) if text.strip()), "")
            name = re.search(r"`([\w./-]+)`:$", above)
            if line == "```console":
                block = [told for command in block if command.startswith("$ ") for told in self.run(command)]
            elif name:
                file = self.folder / name[1]
                file.write_text(self.here("\n".join(block) + "\n"))
                file.chmod(0o644)
            out += [*block, "```"]
        return "\n".join(out) + "\n"

    def run(self, command):
        """The lines of a command and of what it prints."""
        words = self.here(command[2:])
        for name, told in self.said.items():
            words = words.replace(name, told)
        if words.endswith(" &"):
            self.told, self.log = "", open(self.folder / "background.log", "w+")
            self.background = subprocess.Popen(
                ["sh", "-c", "exec " + words[:-2]], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)
            sign = "is done step=rollover" if " run " in words else "partitions assigned"
            wait_for(sign, lambda: sign in self.heard() or self.background.poll() is not None, 180)
            self.after_start()
            return [command, *self.news()]
        if words == "kill %1":
            self.background.send_signal(signal.SIGTERM)
            self.background.wait(60)
            return [command, *self.news()]
        done = subprocess.run(["sh", "-c", words], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180)
        text = self.there(done.stdout)
        found = re.findall(r"^fingerprint ([0-9a-f]{32})$", text, re.M)
        if found:
            self.said["FINGERPRINT"] = found[-1]
        # echo $? would say it; a reader must see that it is no success
        code = [] if done.returncode == 0 else [f"(exit code {done.returncode})"]
        return [command, *([text] if text else []), *code]

    def heard(self):
        return (self.folder / "background.log").read_text()

    def news(self):
        text = self.there(self.heard())
        new, self.told = text[len(self.told):].strip("\n"), text
        return [new] if new else []

    def close(self):
        if self.background and self.background.poll() is None:
            self.background.kill()
            self.background.wait()


def plain(text):
    """The text without what is another in each run."""
    for pattern, word in OTHERS:
        text = pattern.sub(word, text)
    return [line.strip() for line in text.splitlines()]

"""Servers from the binary itself, where there are no real ones: `crossfade embedded-node` and `crossfade
embedded-log`."""
import signal
import subprocess

from binary import command_line
from log import Log
from stack import wait_for


class Served:
    """A process of the binary that prints its address and then serves."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([*command_line(), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, start_new_session=True)
        self.address = self.process.stdout.readline().strip()
        assert self.address, f"crossfade {' '.join(arguments)} ended before it served"

    def tell(self, line):
        """Sends a line to its standard input; returns the line that it answers."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class EmbeddedStack:
    """The counterpart of `Stack` for embedded servers. A killed server comes back empty: nothing is on a disk."""

    def __init__(self):
        self.served = {}

    def start(self, name, ident=None, *options):
        assert not options, f"an embedded {name} knows no {options}"
        ident = ident or name
        if ident not in self.served:
            self.served[ident] = Served("embedded-log") if name.startswith("kafka") else Served("embedded-node",
                                                                                                "--persona", name)
        return self.served[ident].address

    def log(self):
        self.start("kafka-4.1")
        return EmbeddedLog(self.served["kafka-4.1"])

    def pause(self, ident):
        """The server hangs: it accepts connections and answers nothing."""
        self.served[ident].process.send_signal(signal.SIGSTOP)

    def resume(self, ident):
        self.served[ident].process.send_signal(signal.SIGCONT)

    def wipe(self, ident):
        self.served.pop(ident).end()

    def close(self):
        for ident in list(self.served):
            self.wipe(ident)


class EmbeddedLog(Log):
    """librdkafka's mock broker creates no topics by request, and never deletes one."""

    def __init__(self, served):
        super().__init__(served.address)
        self.served, self.made = served, set()

    def create(self, topic, partitions=6, **config):
        answer = self.served.tell(f"{topic}:{partitions}")
        assert answer == topic, f"the embedded log made no {topic}: {answer}"
        wait_for(f"{topic} to have leaders", lambda: len(self.leaders(topic)) == partitions, 60)
        self.made.add(topic)
        return topic

    def topics(self):
        """Topics that were created or that contain records; any other exists because a client asked about it."""
        return {topic for topic in super().topics() if topic in self.made or any(self.ends(topic).values())}

    def delete(self, topic):
        pass

"""Members of the group that die, hang, come and go."""
import signal
import time

from case import SESSION
from log import Writer
from suite import cell
from workload import Workload


@cell("kill -9", short={"commands": 6000, "points": 9}, long={"commands": 250_000, "points": 20})
def killed(make, size):
    """Kills at random points: a third in the copy, a third in the replay, a third in follow."""
    commands, points = size["commands"], size["points"]
    m = make(Workload(make.seed, commands, commands // 3, 2000, malformed=20), copied=0.6,
             copy={"slices": 8, "page": 200, "rate": f"{max(500, commands // 12)}/s"})
    m.prepare()
    m.init()
    kills = 0

    def rounds(command, count, most, instance=None):
        nonlocal kills
        for _ in range(count):
            if instance:
                # new commands for each member, however slow the machine is
                m.writer.hold += (commands - m.split) // (count + 1)
            run = m.member(instance) if instance else m.start(command)
            m.operated(m.random.randrange(1, most), run)
            if run.running:
                time.sleep(m.random.random() * 0.05)
                run.kill()
                kills += 1
            else:
                m.take(run.wait(1))
    third = points // 3
    rounds("copy", third, commands // 3 // third)
    m.copy()
    rounds("replay", third, commands // 6)
    m.replay()
    m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=commands / 12, fast=20_000, hold=0)
    m.writer.start()
    # a static member gets its partitions back at once, without waiting for the session's end
    rounds("follow", points - 2 * third, commands // 25, "one")
    m.writer.hurry()
    m.writer.finish()
    follow = m.member("one")
    m.caught_up(follow)
    m.stop(follow)
    truth = m.judge()
    m.letters(20)
    assert truth.records == commands
    assert kills >= points // 3, f"only {kills} of {points} runs lived long enough to be killed"
    m.note(f"{kills} kills")


@cell("SIGSTOP past the session timeout, SIGCONT", short={"commands": 3000}, long={"commands": 100_000})
def stopped(make, size):
    """The stopped member holds requests and commands; another takes over and writes newer ones; then it wakes."""
    m = make(Workload(make.seed, size["commands"], 500, 500), copied=0.4).ready()
    first = m.start("follow")
    first.assigned()
    m.proxy.rule("delay", 0.5, seconds=0.5)
    m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=size["commands"] / 8, fast=20_000)
    m.writer.start()
    m.operated(size["commands"] // 30, first)
    first.process.send_signal(signal.SIGSTOP)
    try:
        second = m.start("follow")
        m.proxy.clear()
        time.sleep(SESSION)
        m.writer.hurry()
        m.writer.finish()
        m.caught_up(second)
    finally:
        first.process.send_signal(signal.SIGCONT)
    # it notices that it is no longer a member, and joins again
    first.assigned(times=2)
    m.caught_up(first, second)
    m.stop(first)
    m.stop(second)
    m.judge()
    m.note(f"stopped for more than {SESSION} s")


@cell("members join and leave every 3 s", short={"commands": 6000, "seconds": 9},
      long={"commands": 150_000, "seconds": 60})
def churn(make, size):
    """Up to four members on twelve partitions: every 3 s one joins, leaves in order, or is killed."""
    m = make(Workload(make.seed, size["commands"], size["commands"] // 6, 500), partitions=12, copied=0.3).ready()
    m.writer = Writer(m.log, m.topic, m.records[m.split:], rate=0.7 * size["commands"] / size["seconds"], fast=20_000)
    m.writer.start()
    members, changes, end = [m.start("follow"), m.start("follow")], 0, time.monotonic() + size["seconds"]
    while time.monotonic() < end:
        time.sleep(3)
        for member in members:
            assert member.running, f"a member ended\n{member.result(member.process.returncode)}"
        if len(members) == 4 or (len(members) > 1 and m.random.random() < 0.5):
            leaver = members.pop(m.random.randrange(len(members)))
            if m.random.random() < 0.3:
                leaver.kill()
            else:
                leaver.assigned()
                m.stop(leaver)
        else:
            members.append(m.start("follow"))
        changes += 1
    m.writer.hurry()
    m.writer.finish()
    m.caught_up(*members)
    for member in members:
        m.stop(member)
    m.judge()
    m.note(f"{changes} changes")

"""The peak memory of a process, as the kernel counts it."""
import re
import time


def peak(pid):
    """The most bytes resident so far (VmHWM); 0 when the process is gone."""
    try:
        with open(f"/proc/{pid}/status") as status:
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
    except OSError:
        return 0
    return int(found.group(1)) << 10 if found else 0


def watch(run, until, seconds):
    """Watches the process until it ends or `until()` is true; returns its peak. AssertionError after `seconds`."""
    most, end = 0, time.monotonic() + seconds
    while run.running and not (until and until()):
        assert time.monotonic() < end, f"waited {seconds} s in vain\n{run.result(None)}"
        most = max(most, peak(run.process.pid))
        time.sleep(0.02)
    return max(most, peak(run.process.pid))


def finish_watched(run, seconds):
    """Its result and its peak."""
    most = watch(run, None, seconds)
    return run.wait(seconds), most

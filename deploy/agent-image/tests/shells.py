"""A rescue shell in the agent's image: busybox on a terminal, the drives' tools, and the end of all that it started."""

from __future__ import annotations

from collections.abc import Callable

from tests.daemon import Daemon
from tests.scenarios import GATEWAY, Bench, Failed
from tests.wipes import Disk, session, until


def shell(bench: Bench) -> None:
    """Two shells after each other: one that a person leaves, and one whose time is over."""
    disk = Disk(bench.folder / "nvme.raw")
    devices = (*disk.drive("nvme"), "-device", "nvme,serial=RESCUE,drive=nvme")
    console = bench.folder / "serial.log"
    with bench.network() as port, Daemon(bench.folder, GATEWAY) as daemon:
        with session(bench, daemon, port, devices):
            daemon.order("one", {"shell": {"_0": {"seconds": 600}}})
            until(lambda: "machine:rescue# " in daemon.printed, 60, "no prompt", console)
            daemon.keys += b"tty; pwd; nvme list; hdparm -V; sg_sanitize -V; echo $((6*7)); setsid sleep 5555 &\r"
            for words in ("/dev/pts/", "/root", "RESCUE", "hdparm v", "\r\n42\r\n"):
                until(lambda words=words: words in daemon.printed, 60, f"no {words!r} in {daemon.printed!r}", console)
            daemon.keys += b"exit\r"
            until(lambda: "one" in daemon.results, 60, "no end", console)
            if "it was left" not in str(daemon.results["one"]):
                raise Failed(str(daemon.results["one"]))
            daemon.order("two", {"shell": {"_0": {"seconds": 20}}})
            until(lambda: "machine:rescue# " in daemon.printed, 60, "no second prompt", console)
            daemon.keys += b"echo count-$(ps | grep -c '[s]leep 5555')\r"
            until(lambda: "count-0" in daemon.printed, 60, f"left: {daemon.printed!r}", console)
            until(lambda: "two" in daemon.results, 60, "no end", console)
            if "its time is over" not in str(daemon.results["two"]):
                raise Failed(str(daemon.results["two"]))


SCENARIOS: dict[str, Callable[[Bench], None]] = {"shell": shell}

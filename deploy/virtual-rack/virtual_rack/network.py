"""The rack's network: a namespace with a bridge, one tap per server, and no way out."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from .processes import ancestors, run, wait_until
from .shape import Rack


def inside(rack: Rack) -> list[str]:
    """The words that run the command after them in the rack's namespace."""
    return ["ip", "netns", "exec", rack.namespace]


def create(rack: Rack) -> None:
    run(["ip", "netns", "add", rack.namespace])
    ip = ["ip", "-n", rack.namespace]
    run([*ip, "link", "set", "lo", "up"])
    # No spanning tree and no learning delay: a real rack's ports are edge ports. Snooping would hold back multicast.
    run([*ip, "link", "add", rack.bridge, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0"])
    # A bridge has carrier only while a port has; this pair keeps it while all servers are off.
    run([*ip, "link", "add", "carrier0", "type", "veth", "peer", "name", "carrier1"])
    run([*ip, "link", "set", "carrier0", "master", rack.bridge, "up"])
    run([*ip, "link", "set", "carrier1", "up"])
    run([*ip, "link", "set", rack.bridge, "up"])
    for address in (rack.service_address, *(server.bmc_address for server in rack.servers)):
        run([*ip, "address", "add", f"{address}/{rack.prefix_length}", "dev", rack.bridge])
    for server in rack.servers:
        run([*ip, "tuntap", "add", server.tap, "mode", "tap"])
        run([*ip, "link", "set", server.tap, "master", rack.bridge, "up"])


def remove(namespace: str) -> None:
    """Ends whatever still runs in the namespace, `rack exec` commands too, and removes it with all its devices."""
    if not Path("/run/netns", namespace).exists():
        return
    for number, patience in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 5.0)):
        for pid in _inhabitants(namespace):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        if wait_until(lambda: not _inhabitants(namespace), patience):
            break
    run(["ip", "netns", "delete", namespace])


def _inhabitants(namespace: str) -> list[int]:
    """Living processes in the namespace, without ourselves, should `rack down` run in there."""
    pids = {int(word) for word in run(["ip", "netns", "pids", namespace]).split()}
    return sorted(pids - ancestors())

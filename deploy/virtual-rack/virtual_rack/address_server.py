"""Somebody else's DHCP server in the rack's network, for a daemon in proxy mode: dnsmasq, which hands out addresses and nothing else.

It lives in a network namespace without a name, as a host of its own behind a veth pair, and ends with the rack.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

from . import network, places, processes
from .errors import RackError
from .shape import Rack

_PORT = "dhcp0"


def start(rack: Rack) -> None:
    here = places.Places(rack)
    log = here.state / "dnsmasq.log"
    base = ipaddress.IPv4Interface(f"{rack.service_address}/{rack.prefix_length}").network
    dnsmasq = [
        *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--log-dhcp", "--log-facility=-"),
        *(f"--interface={_PORT}", "--bind-interfaces", "--user=root", "--dhcp-authoritative"),
        *(f"--dhcp-range={base[50]},{base[99]},{base.netmask},1h", f"--dhcp-leasefile={here.state / 'dnsmasq.leases'}"),
        *(f"--pid-file={here.state / 'dnsmasq.own-pid'}", "--dhcp-option=3"),
    ]
    # The namespace is there once the process is; its interface comes a moment later.
    script = f"""
        until ip link show {_PORT} >/dev/null 2>&1; do sleep 0.02; done
        ip link set lo up && ip address add {base[2]}/{base.prefixlen} dev {_PORT} && ip link set {_PORT} up
        exec "$@"
    """
    command = [*network.inside(rack), "unshare", "--net", "sh", "-ec", script, "dnsmasq", *dnsmasq]
    pid = processes.start_detached(command, log)
    processes.record(here.address_server_pid, pid)
    # Only the shell runs in the new namespace; before it the process is still in the rack's.
    running = Path(f"/proc/{pid}/cmdline")
    processes.wait_until(lambda: not running.exists() or running.read_bytes().startswith(b"sh\0"), 10)
    ip = ["ip", "-n", rack.namespace]
    processes.run([*ip, "link", "add", "dhcp1", "type", "veth", "peer", "name", _PORT])
    processes.run([*ip, "link", "set", "dhcp1", "master", rack.bridge, "up"])
    processes.run([*ip, "link", "set", _PORT, "netns", str(pid)])
    if not processes.wait_until(lambda: "DHCP, sockets bound" in log.read_text(), 10):
        raise RackError(f"dnsmasq is not ready:\n{log.read_text().strip()}")

"""The IPv6 router of the rack's network, which leads nowhere: it only answers that there is nothing to configure.

iPXE configures IPv4 and IPv6 together and gives up on a router solicitation (RFC 4861, 4.1) after 13 s. Run as
`python3 -m virtual_rack.router BRIDGE` in the rack's namespace.
"""

from __future__ import annotations

import socket
import struct
import sys

from . import network, places, processes
from .errors import RackError
from .shape import Rack

_ALL_NODES, _ALL_ROUTERS = "ff02::1", "ff02::2"
_SOLICITATION = 133
# RFC 4861, 4.2: type 134, hop limit 64, no DHCPv6, router lifetime 0 (no default route), no prefix; the kernel sums.
_ADVERTISEMENT = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 0, 0, 0)


def start(rack: Rack) -> None:
    here = places.Places(rack)
    command = [*network.inside(rack), sys.executable, "-m", "virtual_rack.router", rack.bridge]
    log = here.state / "router.log"
    pid = processes.start_detached(command, log, cwd=places.PACKAGE_PARENT)
    processes.record(here.router_pid, pid)
    if not processes.wait_until(lambda: "ready" in log.read_text() or not processes.is_running(pid), 10):
        raise RackError(f"the rack's IPv6 router is not ready: see {log}")
    if not processes.is_running(pid):
        raise RackError(f"the rack's IPv6 router did not start: {log.read_text().strip()}")


def serve(bridge: str) -> None:
    index = socket.if_nametoindex(bridge)
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as icmp:
        group = socket.inet_pton(socket.AF_INET6, _ALL_ROUTERS) + struct.pack("@I", index)
        icmp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        # Receivers drop router messages that any router could have forwarded.
        icmp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        print("ready", flush=True)
        while True:
            message, sender = icmp.recvfrom(1500)
            if message[:1] == bytes([_SOLICITATION]) and sender[3] == index:
                try:
                    icmp.sendto(_ADVERTISEMENT, (_ALL_NODES, 0, 0, index))
                except OSError as error:
                    # The bridge's own address may still be tentative; clients ask again.
                    print(error, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])

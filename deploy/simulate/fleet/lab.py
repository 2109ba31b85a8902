"""Two network namespaces joined by a veth pair: the daemon in one, every machine and BMC in the other. Nothing touches the host's own network."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
SERVER = "10.63.0.1"
ROUTER = "10.63.0.2"
# Of machines (10.64/14) and BMCs (10.68/14): all of it is the second namespace's own, so that each machine has an address.
FLEET = "10.64.0.0/13"
SUBNET, POOL = "10.64.0.0/14", "10.64.16.0-10.67.255.254"
FIRST_BMC = "10.68.1.0"


class Lab:
    """Use as a context manager."""

    def __init__(self) -> None:
        self.server, self.client = (f"slipway-simulate-{os.getpid()}-{end}" for end in "sc")

    def __enter__(self) -> Lab:
        for namespace in (self.server, self.client):
            _ip("netns", "add", namespace)
        _ip("-n", self.server, "link", "add", "fleet0", "type", "veth", "peer", "name", "fleet1", "netns", self.client)
        for namespace, link, address in ((self.server, "fleet0", SERVER), (self.client, "fleet1", ROUTER)):
            _ip("-n", namespace, "address", "add", f"{address}/30", "dev", link)
            for name in (link, "lo"):
                _ip("-n", namespace, "link", "set", name, "up")
        _ip("-n", self.server, "route", "add", FLEET, "via", ROUTER)
        _ip("-n", self.client, "route", "add", "local", FLEET, "dev", "lo")
        # An address that answers pings is not given to a machine; these all would.
        subprocess.run([*self.enter(self.client), "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1"], check=True)
        # Requests of this process and its threads go to the daemon.
        with open(f"/run/netns/{self.server}", "rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        return self

    def __exit__(self, *_: object) -> None:
        for namespace in (self.client, self.server):
            subprocess.run(["ip", "netns", "delete", namespace], check=False)

    @staticmethod
    def enter(namespace: str) -> list[str]:
        """The words that run a command there."""
        return ["nsenter", f"--net=/run/netns/{namespace}"]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)

"""What a rack looks like: pure values, worked out once by `rack up` and kept in rack.json."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import uuid
import zlib
from dataclasses import dataclass
from typing import Any, Literal

from .errors import RackError

Firmware = Literal["bios", "uefi", "uefi-http", "secureboot"]
DiskKind = Literal["virtio", "nvme", "sata"]
Accelerator = Literal["kvm", "tcg"]
BMCKind = Literal["ipmi", "redfish"]

# In the order in which a mixed rack takes them.
MIXED_FIRMWARE: tuple[Firmware, ...] = ("uefi", "bios")
MIXED_DISKS: tuple[DiskKind, ...] = ("virtio", "nvme", "sata")

# Server UUIDs are version 5 UUIDs of "RACK/NUMBER" in this namespace: the same rack has the same servers every time.
UUID_NAMESPACE = uuid.UUID("d3b5a1c2-6f0e-5d1b-9a58-3c1f6e0d7a77")

# The Xen OUI. QEMU's own 52:54:00 has the locally-administered bit, and such addresses identify no machine.
MAC_PREFIX = "00:16:3e"

MAXIMUM_SERVERS = 99


@dataclass(frozen=True)
class Server:
    """One server, fixed from `rack up` to `rack down`. `number` counts from 1."""

    number: int
    firmware: Firmware
    disk: DiskKind
    mac: str
    uuid: str
    serial: str
    asset_tag: str
    disk_serial: str
    bmc_address: str
    # Where ipmi_sim listens, on the namespace's loopback, for QEMU's side of the in-guest KCS interface.
    kcs_port: int

    @property
    def name(self) -> str:
        return f"server{self.number}"

    @property
    def tap(self) -> str:
        return f"tap{self.number}"


@dataclass(frozen=True)
class Rack:
    """A whole rack. `service_address` is the bridge's own, where the daemon listens."""

    name: str
    state: str
    bridge: str
    service_address: str
    prefix_length: int
    memory_mib: int
    cpus: int
    disk_gib: int
    accelerator: Accelerator
    # Each server has IPMI; with "redfish" that as well, at the same address.
    bmc: BMCKind
    kcs: bool
    router: bool
    servers: tuple[Server, ...]

    @property
    def namespace(self) -> str:
        return namespace_of(self.name)

    def server(self, number: int) -> Server:
        for server in self.servers:
            if server.number == number:
                return server
        raise RackError(f"rack {self.name} has no server {number}: it has 1 to {len(self.servers)}")

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(value: dict[str, Any]) -> Rack:
        servers = tuple(Server(**server) for server in value["servers"])
        return Rack(**{**value, "servers": servers})


def namespace_of(name: str) -> str:
    return f"slipway-rack-{name}"


def plan(
    *,
    name: str,
    state: str,
    servers: int,
    firmware: str,
    disk: str,
    memory_mib: int,
    cpus: int,
    disk_gib: int,
    accelerator: Accelerator,
    bmc: BMCKind = "ipmi",
    kcs: bool = True,
    router: bool = True,
    bridge: str = "br0",
    service: str = "10.77.0.1/24",
) -> Rack:
    """The rack that these options describe. BMC n has the service address's network + 100 + n."""
    if not re.fullmatch(r"[a-z0-9](-?[a-z0-9]){0,19}", name):
        raise RackError(f"--name {name!r}: 1 to 20 of a-z, 0-9 and single dashes inside")
    if not 1 <= servers <= MAXIMUM_SERVERS:
        raise RackError(f"--servers {servers}: 1 to {MAXIMUM_SERVERS}")
    if not re.fullmatch(r"[a-z][a-z0-9]{0,14}", bridge):
        raise RackError(f"--bridge {bridge!r}: an interface name of at most 15 letters and digits")
    try:
        interface = ipaddress.IPv4Interface(service)
    except ValueError as error:
        raise RackError(f"--address {service!r}: {error}") from error
    if interface.network.prefixlen > 24:
        raise RackError(f"--address {service!r}: the network must be a /24 or larger")
    base = int(interface.network.network_address)
    # Racks have networks of their own, so equal addresses do no harm; different ones make logs easier to tell apart.
    octet = zlib.crc32(name.encode()) & 0xFF
    return Rack(
        name=name,
        state=state,
        bridge=bridge,
        service_address=str(interface.ip),
        prefix_length=interface.network.prefixlen,
        memory_mib=memory_mib,
        cpus=cpus,
        disk_gib=disk_gib,
        accelerator=accelerator,
        bmc=bmc,
        kcs=kcs,
        router=router,
        servers=tuple(
            Server(
                number=number,
                firmware=_choose(firmware, MIXED_FIRMWARE, ("bios", "uefi", "uefi-http", "secureboot"), number, "--firmware"),
                disk=_choose(disk, MIXED_DISKS, MIXED_DISKS, number, "--disk"),
                mac=f"{MAC_PREFIX}:77:{octet:02x}:{number:02x}",
                uuid=str(uuid.uuid5(UUID_NAMESPACE, f"{name}/{number}")),
                serial=f"VR-{name.upper()}-{number:02}",
                asset_tag=f"RACK-{name.upper()}-U{number:02}",
                disk_serial=f"VRD{octet:02X}{number:04}",
                bmc_address=str(ipaddress.IPv4Address(base + 100 + number)),
                kcs_port=9000 + number,
            )
            for number in range(1, servers + 1)
        ),
    )


def _choose(wanted: str, mixed: tuple[Any, ...], known: tuple[Any, ...], number: int, option: str) -> Any:
    if wanted == "mixed":
        return mixed[(number - 1) % len(mixed)]
    if wanted in known:
        return wanted
    raise RackError(f"{option} {wanted!r}: one of mixed, {', '.join(known)}")

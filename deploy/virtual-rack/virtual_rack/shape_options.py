"""The options that say how large a rack is, shared by every command that makes one."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from . import accelerator, places
from .errors import RackError
from .shape import Rack, plan


def add_shape_options(parser: argparse.ArgumentParser, name: str = "rack") -> None:
    """The options that describe a rack; `demo` has them too."""
    add = parser.add_argument
    add("--name", default=name, help="racks with different names run side by side (default: %(default)s)")
    add("--servers", type=int, default=2, metavar="N", help="how many (default: %(default)s)")
    add("--firmware", default="mixed", help="mixed (uefi, bios, uefi, ...), uefi, uefi-http (without PXE), bios or secureboot")
    add("--disk", default="virtio", help="mixed (virtio, nvme, sata, ...), virtio, nvme or sata")
    add("--memory", type=int, default=768, metavar="MIB", help="per server (default: %(default)s)")
    add("--cpus", type=int, default=0, metavar="N", help="per server (default: 2 when cores outnumber servers, else 1)")
    add("--disk-size", type=int, default=4, metavar="GIB", help="sparse (default: %(default)s)")
    add("--state", type=Path, metavar="DIR", help="disks, logs, credentials (default: .cache/virtual-rack/NAME)")
    add("--accel", default="auto", help="auto, kvm or tcg; auto tries KVM for real")
    add("--bridge", default="br0", help="name of the bridge in the rack's namespace")
    add("--address", default="10.77.0.1/24", help="of the bridge, where the daemon listens (default: %(default)s)")
    add("--bmc", default="ipmi", choices=("ipmi", "redfish"), help="redfish: sushy-tools' emulator beside ipmi_sim")
    add("--no-kcs", action="store_true", help="no /dev/ipmi0 in the servers")
    add("--no-router", action="store_true", help="nobody answers IPv6 router solicitations: iPXE waits 13 s for that")


def planned(options: argparse.Namespace) -> Rack:
    if os.geteuid() != 0:
        raise RackError("a rack makes a network namespace and devices: run it as root")
    # Two virtual CPUs that share a core wait for each other's locks: an image took twice the CPU time to stream.
    cores = len(os.sched_getaffinity(0))
    return plan(
        name=options.name,
        state=str((options.state or places.default_state(options.name)).resolve()),
        servers=options.servers,
        firmware=options.firmware,
        disk=options.disk,
        memory_mib=options.memory,
        cpus=options.cpus or (2 if options.servers < cores else 1),
        disk_gib=options.disk_size,
        accelerator=accelerator.choose(options.accel),
        bmc=options.bmc,
        kcs=not options.no_kcs,
        router=not options.no_router,
        bridge=options.bridge,
        service=options.address,
    )

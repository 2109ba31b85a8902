"""The command line of `rack`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from . import accelerator, console, floor, lifecycle, network, places, power, status
from .errors import RackError
from .shape import Rack, plan


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except RackError as error:
        print(f"rack: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def add_shape_options(parser: argparse.ArgumentParser, name: str = "rack") -> None:
    """The options that describe a rack; `demo` has them too."""
    add = parser.add_argument
    add("--name", default=name, help="racks with different names run side by side (default: %(default)s)")
    add("--servers", type=int, default=2, metavar="N", help="how many (default: %(default)s)")
    add("--firmware", default="mixed", help="mixed (uefi, bios, uefi, ...), uefi, bios or secureboot")
    add("--disk", default="virtio", help="mixed (virtio, nvme, sata, ...), virtio, nvme or sata")
    add("--memory", type=int, default=768, metavar="MIB", help="per server (default: %(default)s)")
    add("--cpus", type=int, default=0, metavar="N", help="per server (default: 2 when cores outnumber servers, else 1)")
    add("--disk-size", type=int, default=4, metavar="GIB", help="sparse (default: %(default)s)")
    add("--state", type=Path, metavar="DIR", help="disks, logs, credentials (default: .cache/virtual-rack/NAME)")
    add("--accel", default="auto", help="auto, kvm or tcg; auto tries KVM for real")
    add("--bridge", default="br0", help="name of the bridge in the rack's namespace")
    add("--address", default="10.77.0.1/24", help="of the bridge, where the daemon listens (default: %(default)s)")
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
        kcs=not options.no_kcs,
        router=not options.no_router,
        bridge=options.bridge,
        service=options.address,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rack", description=__import__(__package__).__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="make a rack; its servers are off")
    add_shape_options(up)
    up.set_defaults(run=_up)

    down = _command(commands, "down", _down, "end a rack and remove all that it made")
    down.add_argument("--keep", action="store_true", help="keep the state directory")

    show = _command(commands, "status", _status, "the servers, their power and their firmware starts")
    show.add_argument("--json", action="store_true")

    execute = _command(commands, "exec", _exec, "run a command in the rack's network")
    execute.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND...")

    attach = _command(commands, "console", _console, "the serial console of a server")
    attach.add_argument("number", type=int)

    change = _command(commands, "power", _power, "change a server's power below its BMC")
    change.add_argument("number", type=int)
    change.add_argument("action", choices=["on", "off", "cut", "reset"], help="off asks the guest, cut does not")
    change.add_argument("--from-disk", action="store_true", help="with on: the disk before the network")

    floor.add_command(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: object, words: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words)
    parser.add_argument("--name", default="rack", help="which rack (default: %(default)s)")
    parser.set_defaults(run=run)
    return parser


def _up(options: argparse.Namespace) -> None:
    rack = planned(options)
    lifecycle.up(rack)
    here = places.Places(rack)
    print(status.table(rack))
    print(f"\n{rack.accelerator.upper()}, {rack.cpus} CPU and {rack.memory_mib} MiB each; all off.")
    print(f"Network {rack.namespace}, bridge {rack.bridge} {rack.service_address}/{rack.prefix_length}")
    print(f"BMC user and password: {here.credentials}")


def _down(options: argparse.Namespace) -> None:
    lifecycle.down(options.name, keep_state=options.keep)


def _status(options: argparse.Namespace) -> None:
    rack = places.load(options.name)
    print(json.dumps(status.describe(rack), indent=2) if options.json else status.table(rack))


def _exec(options: argparse.Namespace) -> int:
    rack = places.load(options.name)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise RackError("exec needs a command: rack exec -- COMMAND...")
    return subprocess.run([*network.inside(rack), *command], check=False).returncode


def _console(options: argparse.Namespace) -> None:
    rack = places.load(options.name)
    console.attach(rack, rack.server(options.number))


def _power(options: argparse.Namespace) -> None:
    rack = places.load(options.name)
    server = rack.server(options.number)
    if options.action == "on":
        power.on(rack, server, "disk" if options.from_disk else "network")
    else:
        {"off": power.press_power_button, "cut": power.cut, "reset": power.reset}[options.action](rack, server)

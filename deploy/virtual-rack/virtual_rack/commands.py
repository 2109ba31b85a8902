"""The command line of `rack`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from . import accelerator, console, floor, lifecycle, network, places, power, status
from .errors import RackError
from .shape_options import add_shape_options, planned


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except RackError as error:
        print(f"rack: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


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

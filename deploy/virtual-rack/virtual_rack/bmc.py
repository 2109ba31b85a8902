"""A BMC per server: OpenIPMI's ipmi_sim, whose chassis control is the server's real power."""

from __future__ import annotations

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from . import network, places, processes, redfish
from .errors import RackError
from .places import Places, ServerPlaces
from .shape import Rack, Server

PORT = 623
_MC = "0x20"


@dataclass(frozen=True)
class Credentials:
    """One account for all BMCs of a rack, with administrator rights; made anew by every `rack up`."""

    user: str
    password: str

    @staticmethod
    def create(path: Path) -> Credentials:
        # Names have at most 16 bytes; IPMI 2.0 allows passwords of 20 (22.30), but ipmi_sim cuts them to 16.
        made = Credentials(user=f"rack-{secrets.token_hex(3)}", password=secrets.token_hex(8))
        places.write_json(path, {"user": made.user, "password": made.password})
        return made

    @staticmethod
    def load(path: Path) -> Credentials:
        return Credentials(**places.read_json(path))


def start(rack: Rack, server: Server, credentials: Credentials) -> None:
    here = Places(rack).server(server)
    configuration, commands = here.bmc / "lan.conf", here.bmc / "commands.emu"
    configuration.touch(0o600)
    configuration.write_text(lan_configuration(rack, server, credentials))
    commands.write_text(_COMMANDS)
    arguments = ["ipmi_sim", "-n", "-c", str(configuration), "-f", str(commands), "-s", str(here.bmc)]
    pid = processes.start_detached([*network.inside(rack), *arguments], here.bmc / "ipmi_sim.log")
    processes.record(here.bmc_pid, pid)
    # It says nothing when it is ready; its socket appears in the namespace's table of UDP sockets.
    if not processes.wait_until(lambda: _listens(pid, server) or not processes.is_running(pid), 10):
        raise RackError(f"the BMC of {server.name} does not listen on {server.bmc_address}: see {here.bmc}")
    if not processes.is_running(pid):
        words = (here.bmc / "ipmi_sim.log").read_text(errors="replace").strip() or "no output"
        raise RackError(f"the BMC of {server.name} did not start: {words}")
    if rack.bmc == "redfish":
        redfish.start(rack, server, credentials.user, credentials.password)


def stop(server: ServerPlaces) -> None:
    processes.stop(server.bmc_pid, grace=1.0)
    processes.stop(server.redfish_pid, grace=1.0)


def lan_configuration(rack: Rack, server: Server, credentials: Credentials) -> str:
    """lan.conf (see ipmi_lan(5)). RMCP+ only; the levels below administrator have no account anyway."""
    chassis = places.PACKAGE_PARENT / "virtual_rack" / "chassis.py"
    lines = [
        f'name "{server.name}"',
        f"set_working_mc {_MC}",
        "startlan 1",
        f"  addr {server.bmc_address} {PORT}",
        "  priv_limit admin",
        "  allowed_auths_admin md5",
        f"  guid {server.uuid.replace('-', '')}",
        "endlan",
        f'chassis_control "{sys.executable} -IS {chassis} {rack.name} {server.number}"',
        *([f"serial 15 127.0.0.1 {server.kcs_port} codec VM"] if rack.kcs else []),
        # User 1 is the anonymous one: off.
        'user 1 false "" "" user 1 none',
        f'user 2 true "{credentials.user}" "{credentials.password}" admin 10 md5',
    ]
    return "\n".join(lines) + "\n"


# ipmi_sim_cmd(5). Device support 0x9f: chassis, event generator, FRU, SEL, SDR, sensors.
_COMMANDS = f"""\
mc_setbmc {_MC}
mc_add {_MC} 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable {_MC} 1000 0x0a
mc_enable {_MC}
"""


def _listens(pid: int, server: Server) -> bool:
    """Whether /proc/PID/net/udp, which is that of the process's namespace, has the BMC's socket (hex, host order)."""
    octets = [int(octet) for octet in server.bmc_address.split(".")]
    wanted = f"{octets[3]:02X}{octets[2]:02X}{octets[1]:02X}{octets[0]:02X}:{PORT:04X}"
    try:
        table = Path(f"/proc/{pid}/net/udp").read_text()
    except OSError:
        return False
    return any(line.split()[1] == wanted for line in table.splitlines()[1:])

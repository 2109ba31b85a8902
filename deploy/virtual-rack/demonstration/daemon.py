"""`slipwayd` in the rack's network: its configuration, its start, and when it is ready."""

from __future__ import annotations

import ipaddress
import os
import signal
from pathlib import Path

from virtual_rack import network, places, processes
from virtual_rack.errors import RackError
from virtual_rack.shape import Rack

API_PORT, BOOT_PORT = 8443, 8080
# The first start makes keys and a certificate; the rest is patience with a busy machine.
_START_SECONDS = 60.0
_LISTENING = "0A"


class Daemon:
    def __init__(
        self, rack: Rack, program: Path, agent_image: Path, boot_files: Path, dhcp: str, local_disk: str | None = None
    ) -> None:
        self._local_disk = local_disk
        self._rack, self._program, self._agent_image, self._dhcp = rack, program, agent_image, dhcp
        self._boot_files = boot_files
        self.state = places.Places(rack).state / "slipwayd"
        self.configuration = places.Places(rack).state / "slipwayd.yaml"
        self.log = places.Places(rack).state / "slipwayd.log"
        self.pid_file = places.Places(rack).state / "slipwayd.pid"
        self.token = self.state / "admin.token"
        self.authority = self.state / "ca.pem"

    @property
    def server(self) -> str:
        return f"https://{self._rack.service_address}:{API_PORT}"

    def start(self) -> None:
        """Returns when the API listens and the bootstrap token is written."""
        self.state.mkdir(mode=0o700, exist_ok=True)
        profiles = places.PROJECT_ROOT / "hardware-profiles"
        if self._local_disk:
            profiles = self._profiles(profiles)
        self.configuration.write_text(
            configuration(self._rack, self.state, self._agent_image, self._boot_files, self._dhcp, profiles)
        )
        command = [*network.inside(self._rack), str(self._program), "--config", str(self.configuration)]
        pid = processes.start_detached(command, self.log)
        processes.record(self.pid_file, pid)

        def ready() -> bool:
            return listens(pid, API_PORT) and self.token.exists() and self.authority.exists()

        if not processes.wait_until(lambda: ready() or not processes.is_running(pid), _START_SECONDS):
            raise RackError(f"slipwayd is not ready after {_START_SECONDS:.0f} s:\n{self.last_words()}")
        if not processes.is_running(pid):
            raise RackError(f"slipwayd stopped:\n{self.last_words()}")

    def _profiles(self, shipped: Path) -> Path:
        """The shipped profiles, with these ways to the disk in each."""
        own = self.configuration.parent / "hardware-profiles"
        own.mkdir(exist_ok=True)
        for profile in shipped.glob("*.yaml"):
            (own / profile.name).write_text(f"{profile.read_text()}local_disk: [{self._local_disk}]\n")
        return own

    def kill(self) -> None:
        """`kill -9`. Returns when it is gone."""
        pid = processes.recorded(self.pid_file)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            processes.wait_until(lambda: not processes.is_running(pid), 10)

    @property
    def is_running(self) -> bool:
        return processes.recorded(self.pid_file) is not None

    def last_words(self, lines: int = 12) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) or "(it said nothing)"


def configuration(
    rack: Rack, state: Path, agent_image: Path, boot_files: Path, dhcp: str,
    profiles: Path = places.PROJECT_ROOT / "hardware-profiles",
) -> str:
    """slipwayd.yaml for this rack: DHCP on the bridge, `pool` or `proxy`, all else beside the sources."""
    subnet = ipaddress.IPv4Interface(f"{rack.service_address}/{rack.prefix_length}").network
    pool = f"    subnet: {subnet}\n    pools: [{subnet[50]}-{subnet[99]}]\n" if dhcp == "pool" else ""
    # A machine that refuses iPXE is given shim at its next start; here nobody presses a button for that.
    secure = all(server.firmware == "secureboot" for server in rack.servers)
    programs = "boot_programs: {7: shimx64.efi}\n" if secure else ""
    return f"""\
# Written by the demo.
state_directory: {state}
address: {rack.service_address}
api_port: {API_PORT}
boot_port: {BOOT_PORT}
hardware_profiles: {profiles}
ipxe_scripts: {places.PROJECT_ROOT / "ipxe-scripts"}
boot_files: {boot_files.resolve()}
agent_image: {agent_image.resolve()}
{programs}dhcp:
  - interface: {rack.bridge}
    mode: {dhcp}
{pool}"""


def listens(pid: int, port: int) -> bool:
    """Whether a TCP socket listens on the port in the network namespace of this process."""
    for table in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                return True
    return False

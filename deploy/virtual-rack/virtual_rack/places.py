"""Where a rack keeps its files.

Bulk (disks, logs, firmware variables) lies in the state directory; sockets lie under /run, because the path of a
Unix socket may have 107 bytes at most, and so does the name of the state directory, so that `rack status` finds it.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from .errors import RackError
from .shape import Rack, Server

RUNTIME_ROOT = Path("/run/slipway-rack")
PROJECT_ROOT = Path(__file__).resolve().parents[3]
PACKAGE_PARENT = Path(__file__).resolve().parents[1]


def default_state(name: str) -> Path:
    return PROJECT_ROOT / ".cache" / "virtual-rack" / name


def runtime(name: str) -> Path:
    return RUNTIME_ROOT / name


class Places:
    """The paths of one rack."""

    def __init__(self, rack: Rack) -> None:
        self.state = Path(rack.state)
        self.runtime = runtime(rack.name)

    @property
    def credentials(self) -> Path:
        return self.state / "credentials.json"

    @property
    def router_pid(self) -> Path:
        return self.state / "router.pid"

    @property
    def address_server_pid(self) -> Path:
        return self.state / "dnsmasq.pid"

    def server(self, server: Server) -> ServerPlaces:
        return ServerPlaces(self.state / server.name, self.runtime, server)


class ServerPlaces:
    """The paths of one server."""

    def __init__(self, folder: Path, runtime_folder: Path, server: Server) -> None:
        self.folder = folder
        self.disk = folder / "disk.raw"
        self.variables = folder / "OVMF_VARS.fd"
        self.serial_log = folder / "serial.log"
        self.events = folder / "events.jsonl"
        self.log = folder / "qemu.log"
        self.status = folder / "status.json"
        self.lock = folder / "power.lock"
        self.supervisor_pid = folder / "supervisor.pid"
        self.qemu_pid = folder / "qemu.pid"
        self.bmc = folder / "bmc"
        self.bmc_pid = folder / "bmc.pid"
        self.redfish_pid = folder / "redfish.pid"
        self.control_socket = runtime_folder / f"{server.name}.qmp"
        self.console_socket = runtime_folder / f"{server.name}.console"


def create(rack: Rack) -> Places:
    """Makes the folders of a new rack; nobody but the owner may look into them."""
    places = Places(rack)
    # Only an empty folder or one that a rack made may become a rack's: `rack down` deletes it.
    if places.state.exists() and any(places.state.iterdir()) and not (places.state / "rack.json").exists():
        raise RackError(f"{places.state} is not empty and no rack made it: choose another --state")
    for folder in (places.state, places.runtime):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    write_json(places.state / "rack.json", rack.to_json())
    write_json(places.runtime / "state.json", {"state": str(places.state)})
    for server in rack.servers:
        places.server(server).bmc.mkdir(parents=True, exist_ok=True)
    return places


def load(name: str) -> Rack:
    """The rack of this name, running or left behind by a crash."""
    for candidate in _state_candidates(name):
        description = candidate / "rack.json"
        if description.exists():
            return Rack.from_json(read_json(description))
    raise RackError(f"no rack named {name!r} here: `rack up --name {name}` makes one")


def exists(name: str) -> bool:
    return any((candidate / "rack.json").exists() for candidate in _state_candidates(name))


def remove(rack: Rack, *, keep_state: bool) -> None:
    places = Places(rack)
    if not keep_state:
        shutil.rmtree(places.state, ignore_errors=True)
    shutil.rmtree(places.runtime, ignore_errors=True)


def write_json(path: Path, value: Any, mode: int = 0o600) -> None:
    """Replaces the file as a whole, so that a reader never sees half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    os.replace(temporary, path)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text())


def _state_candidates(name: str) -> list[Path]:
    pointer = runtime(name) / "state.json"
    found = [Path(read_json(pointer)["state"])] if pointer.exists() else []
    return [*found, default_state(name)]

"""`rack up` and `rack down`."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import bmc, network, places, power, router
from .errors import RackError
from .places import Places
from .processes import stop
from .qemu import FIRMWARE_VARIABLES
from .shape import Rack, namespace_of


def up(rack: Rack) -> bmc.Credentials:
    """Makes the rack with all servers off. One left behind by a crash under this name is cleared away first."""
    if places.exists(rack.name):
        if any(power.is_on(Places(old).server(s)) for old in [places.load(rack.name)] for s in old.servers):
            raise RackError(f"rack {rack.name} is up: `rack down --name {rack.name}` first, or choose another --name")
    down(rack.name, keep_state=False)
    here = places.create(rack)
    try:
        for server in rack.servers:
            files = here.server(server)
            with files.disk.open("wb") as disk:
                disk.truncate(rack.disk_gib << 30)
            if server.firmware in FIRMWARE_VARIABLES:
                source = Path(FIRMWARE_VARIABLES[server.firmware])
                if not source.exists():
                    raise RackError(f"{source} is missing: install the package ovmf")
                shutil.copyfile(source, files.variables)
        network.create(rack)
        if rack.router:
            router.start(rack)
        credentials = bmc.Credentials.create(here.credentials)
        for server in rack.servers:
            bmc.start(rack, server, credentials)
    except BaseException:
        down(rack.name, keep_state=True)
        raise
    return credentials


def down(name: str, *, keep_state: bool) -> None:
    """Ends all that belongs to the rack; does what is left to do after a crash, and nothing when nothing is left."""
    rack = places.load(name) if places.exists(name) else None
    if rack is not None:
        for server in rack.servers:
            files = Places(rack).server(server)
            # The BMC first: it could be asked to start the machine again.
            bmc.stop(files)
            power.cut(rack, server)
        stop(Places(rack).router_pid)
        stop(Places(rack).address_server_pid)
    network.remove(namespace_of(name))
    if rack is not None:
        for server in rack.servers:
            for left_over in (Places(rack).server(server).supervisor_pid, Places(rack).server(server).qemu_pid):
                stop(left_over)
        places.remove(rack, keep_state=keep_state)
    shutil.rmtree(places.runtime(name), ignore_errors=True)

"""Power of one server, below the BMC: what `rack power` and the BMC's chassis control both do."""

from __future__ import annotations

import sys
import time

from . import network, places
from .errors import RackError
from .places import Places, ServerPlaces
from .processes import is_running, kill, recorded, start_detached, stop, wait_until
from .qemu import StartFrom
from .qmp import QMP
from .shape import Rack, Server
from .supervisor import Status

_START_SECONDS = 20.0
_STOP_SECONDS = 10.0


def is_on(server: ServerPlaces) -> bool:
    return recorded(server.supervisor_pid) is not None


def on(rack: Rack, server: Server, start_from: StartFrom = "network") -> None:
    """Starts the machine and returns once it runs. Nothing to do for one that is on."""
    here = Places(rack).server(server)
    if is_on(here):
        return
    started = time.time()
    supervisor = [sys.executable, "-m", "virtual_rack.supervisor", rack.name, str(server.number), start_from]
    pid = start_detached([*network.inside(rack), *supervisor], here.log, cwd=places.PACKAGE_PARENT)

    def settled() -> bool:
        status = Status.load(here)
        return max(status.powered_on_at or 0, status.powered_off_at or 0) >= started

    # `ip netns exec` becomes the supervisor: it has the pid that we started.
    if not wait_until(lambda: settled() or not is_running(pid), _START_SECONDS) or not is_on(here):
        last = here.log.read_text(errors="replace").strip().splitlines()[-1:] or ["no output"]
        raise RackError(f"{server.name} did not start: {last[0]} (see {here.log})")


def cut(rack: Rack, server: Server) -> None:
    """Takes the power away at once: what the guest had not flushed is lost."""
    here = Places(rack).server(server)
    kill(here.qemu_pid)
    if not wait_until(lambda: not is_on(here), _STOP_SECONDS):
        stop(here.supervisor_pid)


def press_power_button(rack: Rack, server: Server) -> None:
    """Asks the guest to shut down (ACPI); it may take its time, or not listen at all."""
    here = Places(rack).server(server)
    if is_on(here):
        with QMP.connect(here.control_socket) as monitor:
            monitor.execute("system_powerdown")


def reset(rack: Rack, server: Server) -> None:
    """Starts the firmware anew without a change of power."""
    here = Places(rack).server(server)
    if is_on(here):
        with QMP.connect(here.control_socket) as monitor:
            monitor.execute("system_reset")

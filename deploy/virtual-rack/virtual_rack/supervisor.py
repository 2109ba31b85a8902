"""The process beside each running QEMU: starts it, counts its firmware starts, notes how it ended.

Run as `python3 -m virtual_rack.supervisor RACK NUMBER network|disk` in the rack's namespace; `power.on` does that.
A firmware start is the power-on itself and every RESET that QEMU reports after it: a guest's restart, a triple fault,
a watchdog, a reset by the BMC. kexec resets nothing and counts nothing. SeaBIOS answers a reset by restoring its own
image and resetting once more (seen 80 ms later), so resets that close together are one start.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from . import places
from .places import Places, ServerPlaces
from .processes import record
from .qemu import StartFrom, command
from .qmp import QMP
from .shape import Rack, Server

_SAME_START_SECONDS = 1.0


@dataclass
class Status:
    """What status.json says of a server. Times are seconds since 1970."""

    power: str = "off"
    pid: int | None = None
    powered_on_at: float | None = None
    powered_off_at: float | None = None
    # Since the last power-on.
    firmware_starts: int = 0
    # Since `rack up`.
    power_ons: int = 0
    total_firmware_starts: int = 0
    # Why it is off, in words; none while it is on.
    stopped_by: str | None = None

    @staticmethod
    def load(server: ServerPlaces) -> Status:
        try:
            return Status(**places.read_json(server.status))
        except FileNotFoundError:
            return Status()


class Supervisor:
    """Lives exactly as long as one power-on of one server."""

    def __init__(self, rack: Rack, server: Server) -> None:
        self.rack, self.server = rack, server
        self.places = Places(rack).server(server)
        self.status = Status.load(self.places)
        self.last_reset = 0.0

    def run(self, start_from: StartFrom) -> int:
        # Held until this process ends: two supervisors of one server would share a disk.
        lock = os.open(self.places.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("already on", file=sys.stderr)
            return 3
        record(self.places.supervisor_pid, os.getpid())
        for left_over in (self.places.control_socket, self.places.console_socket):
            left_over.unlink(missing_ok=True)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with self.places.log.open("ab") as log:
            process = subprocess.Popen(
                command(self.rack, self.server, self.places, start_from, theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
            )
        theirs.close()
        # SIGTERM ends the machine with us; the loop below sees its socket close.
        signal.signal(signal.SIGTERM, lambda *_: process.kill())
        reason = "QEMU did not start, see qemu.log"
        try:
            with QMP(ours) as monitor:
                record(self.places.qemu_pid, process.pid)
                self._powered_on(process.pid)
                monitor.execute("cont")
                reason = "QEMU was killed"
                for event in monitor.events():
                    reason = self._note(event) or reason
        finally:
            process.kill()
            self._powered_off(reason, process.wait())
        return 0

    def _powered_on(self, pid: int) -> None:
        status = self.status
        status.power, status.pid, status.stopped_by = "on", pid, None
        status.powered_on_at, status.powered_off_at = time.time(), None
        status.power_ons += 1
        status.firmware_starts = 1
        status.total_firmware_starts += 1
        self._save()
        self._log("POWER_ON", {})

    def _note(self, event: dict[str, Any]) -> str | None:
        """Counts and logs one event; the reason, if it is one to stop."""
        name, data = event["event"], event.get("data", {})
        self._log(name, data)
        if name == "RESET":
            now = time.monotonic()
            if now - self.last_reset > _SAME_START_SECONDS:
                self.status.firmware_starts += 1
                self.status.total_firmware_starts += 1
                self._save()
            self.last_reset = now
        if name == "SHUTDOWN":
            return str(data.get("reason", "unknown"))
        return None

    def _powered_off(self, reason: str, exit_status: int) -> None:
        self.status.power, self.status.pid = "off", None
        self.status.powered_off_at, self.status.stopped_by = time.time(), reason
        self._log("POWER_OFF", {"reason": reason, "exit": exit_status})
        self._save()
        self.places.qemu_pid.unlink(missing_ok=True)
        # Last: whoever waits for the machine to be off waits for this.
        self.places.supervisor_pid.unlink(missing_ok=True)

    def _save(self) -> None:
        places.write_json(self.places.status, asdict(self.status))

    def _log(self, event: str, data: dict[str, Any]) -> None:
        line = {"time": time.time(), "event": event, "data": data}
        with self.places.events.open("a") as file:
            file.write(json.dumps(line) + "\n")


def main() -> int:
    name, number, start_from = sys.argv[1:]
    rack = places.load(name)
    return Supervisor(rack, rack.server(int(number))).run("disk" if start_from == "disk" else "network")


if __name__ == "__main__":
    sys.exit(main())

"""A switch port in user space: one machine of QEMU's on one side, a tap interface of this network namespace on the other.

The kernel of a development host or a container often cannot tag frames; forty lines can.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import socket
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

_TUNSETIFF = 0x400454CA
_IFF_TAP = 0x0002
_IFF_NO_PI = 0x1000
_TAGGED = b"\x81\x00"


class SwitchPort:
    """Use as a context manager. With `vlan` it is a trunk's: only frames with that 802.1Q tag pass, and lose it.

    A trunk with a native VLAN lets untagged frames pass as well, and answers each station as it spoke last.
    """

    def __init__(
        self, folder: Path, interface: str, address: str, vlan: int | None = None, native: bool = False
    ) -> None:
        self.untagged = 0
        self.tagged: set[bytes] = set()
        self._native = native
        # A firewall: frames of the machine that it says yes to go no further.
        self.lost: Callable[[bytes], bool] = lambda _: False
        self._vlan = vlan
        self._interface, self._address = interface, address
        self._here, self._machine = folder / "switch.sock", folder / "machine.sock"
        self._stop, self._stopped = os.pipe()

    @property
    def netdev(self) -> str:
        """For QEMU's -netdev: one datagram is one frame."""
        return (
            f"dgram,id=net0,local.type=unix,local.path={self._machine},"
            f"remote.type=unix,remote.path={self._here}"
        )

    def __enter__(self) -> SwitchPort:
        self._tap = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(self._tap, _TUNSETIFF, struct.pack("16sH22x", self._interface.encode(), _IFF_TAP | _IFF_NO_PI))
        for command in (["address", "add", self._address, "dev", self._interface], ["link", "set", self._interface, "up"]):
            subprocess.run(["ip", *command], check=True)
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._wire.bind(str(self._here))
        self._thread = threading.Thread(target=self._forward)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._stopped)
        self._thread.join()
        self._wire.close()
        for descriptor in (self._tap, self._stop):
            os.close(descriptor)
        for path in (self._here, self._machine):
            path.unlink(missing_ok=True)

    def _forward(self) -> None:
        while True:
            ready, _, _ = select.select([self._wire, self._tap, self._stop], [], [])
            if self._stop in ready:
                return
            if self._wire in ready and (frame := self._inward(self._wire.recv(65536))) and not self.lost(frame):
                os.write(self._tap, frame)
            if self._tap in ready:
                # The machine may not be there yet, or not any more: a cable without an end.
                with contextlib.suppress(OSError):
                    for frame in self._outward(os.read(self._tap, 65536)):
                        self._wire.sendto(frame, str(self._machine))

    def _inward(self, frame: bytes) -> bytes | None:
        if self._vlan is None:
            return frame
        station = frame[6:12]
        if frame[12:14] != _TAGGED:
            self.untagged += 1
            self.tagged.discard(station)
            return frame if self._native else None
        if struct.unpack(">H", frame[14:16])[0] & 0xFFF != self._vlan:
            return None
        self.tagged.add(station)
        return frame[:12] + frame[16:]

    def _outward(self, frame: bytes) -> list[bytes]:
        if self._vlan is None:
            return [frame]
        tagged = frame[:12] + _TAGGED + struct.pack(">H", self._vlan) + frame[12:]
        if not self._native:
            return [tagged]
        if frame[0] & 1:
            return [frame, tagged]
        return [tagged if frame[:6] in self.tagged else frame]

"""A QEMU machine under TCG with real firmware, its serial console, and its monitor."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from .disk import Disk

FIRMWARES = ("bios", "uefi", "secureboot")
BUSES = ("virtio", "nvme", "sata")
_CODE = {"uefi": "/usr/share/OVMF/OVMF_CODE_4M.fd", "secureboot": "/usr/share/OVMF/OVMF_CODE_4M.ms.fd"}
_VARIABLES = {"uefi": "/usr/share/OVMF/OVMF_VARS_4M.fd", "secureboot": "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"}


class Timeout(Exception):
    """Something that should have appeared on the console did not."""


class Machine:
    """Use as a context manager; leaving it ends the machine."""

    def __init__(
        self, folder: Path, disk: Disk, firmware: str = "bios", bus: str = "virtio", *, nic: str = "virtio-net-pci",
        extra: tuple[str, ...] = (),
    ) -> None:
        self.log = folder / "serial.log"
        self._seen = 0
        self._control = folder / "qmp"
        for file in (self.log, self._control):
            file.unlink(missing_ok=True)
        self._command = [
            *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-nodefaults", "-no-user-config"),
            *("-machine", "q35,graphics=off" + (",smm=on" if firmware == "secureboot" else "")),
            *("-accel", "tcg,thread=multi", "-cpu", "max,la57=off", "-smp", "2", "-m", "512", "-display", "none"),
            *("-serial", f"file:{self.log}", "-qmp", f"unix:{self._control},server=on,wait=off"),
            # The disk is under test, not the host's; nothing is lost when the host's cache holds it.
            *("-blockdev", f"driver=raw,node-name=disk,file.driver=file,file.filename={disk.path},cache.no-flush=on"),
            *("-device", _DISKS[bus]),
            *("-netdev", "user,id=net0", "-device", f"{nic},netdev=net0,romfile="),
            *("-uuid", "a1b2c3d4-0000-4000-8000-00000000a001"),
            # The chipset's watchdog restarts the machine, as on a real board; QEMU has it strapped off.
            *("-global", "ICH9-LPC.noreboot=off"),
            *_firmware(firmware, folder),
            *extra,
        ]

    def __enter__(self) -> Machine:
        self.started = time.monotonic()
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def wait(self, pattern: str, seconds: float = 120) -> float:
        """Waits until a console line after the last one waited for matches. Returns the seconds since power-on."""
        deadline = time.monotonic() + seconds
        while True:
            text = self.console()
            found = re.compile(pattern).search(text, self._seen)
            if found:
                self._seen = found.end()
                return time.monotonic() - self.started
            if time.monotonic() > deadline or not self.running:
                state = "did not say it" if self.running else "is off"
                raise Timeout(f"no {pattern!r}; the machine {state}. Its console ends with:\n{text[-3000:]}")
            time.sleep(0.02)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def pause_while_running(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def console(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def monitor(self, command: str) -> None:
        """One QMP command without arguments."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._control))
            stream = connection.makefile("rw")
            stream.readline()
            for name in ("qmp_capabilities", command):
                stream.write(json.dumps({"execute": name}) + "\n")
                stream.flush()
                while True:
                    answer: dict[str, Any] = json.loads(stream.readline())
                    if "return" in answer:
                        break
                    assert "error" not in answer, answer

    def reset(self) -> None:
        """The reset button. Times count from here."""
        self.monitor("system_reset")
        self.started = time.monotonic()


_DISKS = {
    "virtio": "virtio-blk-pci,drive=disk,serial=TEST-1,bootindex=1",
    "nvme": "nvme,drive=disk,serial=TEST-1,bootindex=1",
    "sata": "ide-hd,bus=ide.0,drive=disk,serial=TEST-1,bootindex=1",
}


def _firmware(firmware: str, folder: Path) -> list[str]:
    if firmware == "bios":
        return []
    variables = folder / "variables.fd"
    # Left over from another machine they would name disks that are not there.
    shutil.copy(_VARIABLES[firmware], variables)
    return [
        *(["-global", "driver=cfi.pflash01,property=secure,value=on"] if firmware == "secureboot" else []),
        *("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={_CODE[firmware]}"),
        *("-drive", f"if=pflash,unit=1,format=raw,file={variables}"),
    ]

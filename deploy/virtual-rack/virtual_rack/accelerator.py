"""Whether KVM works here, found out by using it.

/dev/kvm alone proves nothing: in nested or restricted machines it opens, creates a virtual machine, and then hangs in
the first real-mode code. So the probe starts SeaBIOS under KVM and lets it run a boot sector.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from . import places
from .errors import RackError
from .shape import Accelerator

# A boot sector that writes 16 to port 0xf4, where isa-debug-exit turns it into exit status 2 * 16 + 1:
# mov dx, 0xf4; mov al, 0x10; out dx, al; cli; hlt; jmp back to hlt.
_BOOT_SECTOR = bytes.fromhex("baf400 b010 ee fa f4 ebfd".replace(" ", "")).ljust(510, b"\0") + b"\x55\xaa"
_PASSED = 33
_PATIENCE_SECONDS = 6.0


def choose(wanted: str) -> Accelerator:
    """The accelerator for `--accel auto|kvm|tcg`."""
    if wanted == "tcg":
        return "tcg"
    if wanted not in ("auto", "kvm"):
        raise RackError(f"--accel {wanted!r}: one of auto, kvm, tcg")
    if kvm_works():
        return "kvm"
    if wanted == "kvm":
        raise RackError("--accel kvm: KVM is absent here or does not run a boot sector")
    return "tcg"


def kvm_works() -> bool:
    """The probe's answer, remembered until the host restarts: a hanging KVM costs the whole patience each time."""
    memory = places.RUNTIME_ROOT / "kvm.json"
    try:
        return bool(places.read_json(memory)["works"])
    except (OSError, ValueError, KeyError):
        pass
    works = os.access("/dev/kvm", os.R_OK | os.W_OK) and runs_boot_sector("kvm", _PATIENCE_SECONDS)
    memory.parent.mkdir(parents=True, exist_ok=True)
    places.write_json(memory, {"works": works})
    return works


def runs_boot_sector(accelerator: Accelerator, patience: float) -> bool:
    cpu = ["-cpu", "host"] if accelerator == "kvm" else []
    with tempfile.TemporaryDirectory(prefix="rack-probe-") as folder:
        disk = Path(folder, "probe.raw")
        disk.write_bytes(_BOOT_SECTOR)
        # SeaBIOS reads no disk of less than one cylinder (16 heads of 63 sectors).
        os.truncate(disk, 8 << 20)
        command = [
            *("qemu-system-x86_64", "-machine", f"q35,accel={accelerator}", *cpu, "-m", "32", "-nodefaults"),
            *("-display", "none", "-drive", f"file={disk},format=raw", "-device", "isa-debug-exit,iobase=0xf4"),
        ]
        try:
            result = subprocess.run(command, capture_output=True, timeout=patience, check=False)
        except FileNotFoundError as error:
            raise RackError("qemu-system-x86_64 is not installed: see deploy/packages.txt") from error
        except subprocess.TimeoutExpired:
            return False
    return result.returncode == _PASSED

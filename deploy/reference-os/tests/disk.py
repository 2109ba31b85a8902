"""An installed disk as a file: what the agent does to it, and what a test looks at or breaks. Needs no loop devices."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_GRUBENV = "::/EFI/slipway/grubenv"


@dataclass(frozen=True)
class Partition:
    """In bytes."""

    offset: int
    size: int


class Disk:
    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def install(cls, image: Path, path: Path, files: dict[str, str], size: int = 4 << 30) -> Disk:
        """A copy of the raw image on a larger disk, with the files below slipway/ on its state partition."""
        subprocess.run(["cp", "--sparse=always", image, path], check=True)
        os.truncate(path, size)
        disk = cls(path)
        for name, content in files.items():
            disk.write_state(name, content)
        return disk

    def partitions(self) -> dict[str, Partition]:
        """By GPT name (UEFI 2.10, 5.3)."""
        with self.path.open("rb") as file:
            file.seek(512)
            header = file.read(92)
            first, count, size = struct.unpack_from("<QII", header, 72)
            file.seek(first * 512)
            entries = [file.read(size) for _ in range(count)]
        found = {}
        for entry in entries:
            start, end = struct.unpack_from("<QQ", entry, 32)
            if start:
                name = entry[56:128].decode("utf-16-le").rstrip("\0")
                found[name] = Partition(start * 512, (end + 1 - start) * 512)
        return found

    def write_state(self, name: str, content: str, mode: int = 0o600) -> None:
        with tempfile.NamedTemporaryFile("w") as source:
            source.write(content)
            source.flush()
            field = f"set_inode_field slipway/{name} mode 0{0o100000 | mode:o}"
            self._debugfs("-w", f"write {source.name} slipway/{name}", field)

    def make_state_folder(self, name: str) -> None:
        self._debugfs("-w", f"mkdir slipway/{name}")

    def read_state(self, name: str) -> str:
        return self._debugfs(f"cat slipway/{name}")

    def grubenv(self) -> dict[str, str]:
        block = subprocess.run(["mtype", "-i", self.esp, _GRUBENV], check=True, capture_output=True).stdout.decode()
        assert len(block) == 1024, f"grubenv has {len(block)} bytes"
        return dict(re.findall(r"^(\w+)=(.*)$", block, re.MULTILINE))

    def set_grubenv(self, **values: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder, "grubenv")
            subprocess.run(["mcopy", "-n", "-i", self.esp, _GRUBENV, local], check=True)
            words = [f"{key}={value}" for key, value in values.items()]
            subprocess.run(["grub-editenv", local, "set", *words], check=True)
            subprocess.run(["mcopy", "-o", "-i", self.esp, local, _GRUBENV], check=True)

    def ruin_grubenv(self) -> None:
        self.write_esp("EFI/slipway/grubenv", "?" * 1024)

    def write_esp(self, name: str, content: str) -> None:
        with tempfile.NamedTemporaryFile("w") as source:
            source.write(content)
            source.flush()
            subprocess.run(["mcopy", "-o", "-i", self.esp, source.name, f"::/{name}"], check=True)

    def set_serial(self, serial: bytes) -> None:
        """Gives the FAT file system of the ESP another serial number."""
        with self.path.open("r+b") as file:
            file.seek(self.partitions()["ESP"].offset + 67)
            file.write(serial)

    def state_is_clean(self) -> bool:
        return re.search(r"Filesystem state:\s+clean", self._debugfs("stats -h")) is not None

    def copy_boot_files(self, source: str, target: str) -> None:
        """Gives slot `target` the kernel of slot `source`."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("vmlinuz", "initrd", "slot.cfg", "kexec.conf"):
                subprocess.run(["mcopy", "-n", "-i", self.esp, f"::/EFI/slipway/{source}/{name}", folder], check=True)
                subprocess.run(
                    ["mcopy", "-o", "-i", self.esp, Path(folder, name), f"::/EFI/slipway/{target}/{name}"], check=True)

    def write_partition(self, name: str, content: bytes) -> None:
        with self.path.open("r+b") as file:
            file.seek(self.partitions()[name].offset)
            file.write(content)

    def read_partition(self, name: str, size: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.partitions()[name].offset)
            return file.read(size)

    def contains(self, text: str) -> bool:
        """Whether the bytes occur anywhere on the disk."""
        return subprocess.run(["grep", "-q", "-a", "-F", text, self.path], check=False).returncode == 0

    def file_system_blocks(self) -> int:
        """Size of the state partition's file system, in its blocks of 4 KiB."""
        return int(re.search(r"Block count:\s+(\d+)", self._debugfs("stats -h"))[1])  # type: ignore[index]

    @property
    def esp(self) -> str:
        """As mtools want it."""
        return f"{self.path}@@{self.partitions()['ESP'].offset}"

    def _debugfs(self, *commands: str) -> str:
        write = [commands[0]] if commands[0] == "-w" else []
        script = "\n".join(commands[len(write) :])
        target = f"{self.path}?offset={self.partitions()['slipway-state'].offset}"
        run = subprocess.run(
            ["debugfs", *write, "-f", "-", target], input=script, check=True, capture_output=True, text=True)
        # debugfs repeats each command with a prompt when it reads them from a file.
        return "".join(line for line in run.stdout.splitlines(keepends=True) if not line.startswith("debugfs: "))

"""Initramfs archives: reading what the kernel would unpack, writing what it will.

Format: Documentation/driver-api/early-userspace/buffer-format.rst ("newc", magic 070701), parts one after another, each
plain or compressed.
"""

from __future__ import annotations

import lzma
import stat
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import RackError

_TRAILER = "TRAILER!!!"
_HEADER_BYTES = 110


@dataclass(frozen=True)
class Entry:
    name: str
    mode: int
    data: bytes


def entries(archive: Path) -> Iterator[Entry]:
    """Every entry of an initramfs, in order; a later one replaces an earlier one of that name."""
    rest = archive.read_bytes()
    while rest := rest.lstrip(b"\0"):
        if rest.startswith(b"070701"):
            offset = 0
            while True:
                entry, offset = _entry(rest, offset, archive)
                if entry.name == _TRAILER:
                    break
                yield entry
            rest = rest[offset:]
        else:
            rest = decompressed(rest, str(archive))


def decompressed(data: bytes, name: str) -> bytes:
    """The content of data that gzip, xz or zstd made; `name` is for the error."""
    if data.startswith(b"\x1f\x8b"):
        inflater = zlib.decompressobj(wbits=31)
        return inflater.decompress(data) + inflater.flush() + inflater.unused_data
    if data.startswith(b"\xfd7zXZ"):
        return lzma.decompress(data)
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        result = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=False)
        if result.returncode == 0:
            return result.stdout
    raise RackError(f"{name}: neither a cpio archive nor one compressed with gzip, xz or zstd")


def write(path: Path, contents: list[Entry]) -> None:
    """An uncompressed archive; folders that the entries need are added."""
    folders: dict[str, Entry] = {}
    for entry in contents:
        for parent in reversed(Path(entry.name).parents):
            if str(parent) != ".":
                folders[str(parent)] = Entry(str(parent), stat.S_IFDIR | 0o755, b"")
    given = {entry.name for entry in contents}
    every = [folder for name, folder in folders.items() if name not in given] + contents
    with path.open("wb") as file:
        for number, entry in enumerate([*every, Entry(_TRAILER, 0, b"")], start=1):
            file.write(_encoded(entry, number))


def _entry(data: bytes, offset: int, archive: Path) -> tuple[Entry, int]:
    header = data[offset : offset + _HEADER_BYTES]
    if len(header) < _HEADER_BYTES or not header.startswith(b"070701"):
        raise RackError(f"{archive}: damaged cpio header at byte {offset}")
    fields = [int(header[start : start + 8], 16) for start in range(6, _HEADER_BYTES, 8)]
    mode, size, name_size = fields[1], fields[6], fields[11]
    name_start = offset + _HEADER_BYTES
    data_start = _aligned(name_start + name_size)
    name = data[name_start : name_start + name_size - 1].decode(errors="replace").removeprefix("./").lstrip("/")
    return Entry(name, mode, data[data_start : data_start + size]), _aligned(data_start + size)


def _encoded(entry: Entry, number: int) -> bytes:
    name = entry.name.encode() + b"\0"
    fields = (number, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return head.ljust(_aligned(len(head)), b"\0") + entry.data.ljust(_aligned(len(entry.data)), b"\0")


def _aligned(offset: int) -> int:
    return (offset + 3) & ~3

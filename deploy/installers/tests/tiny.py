"""Disk images that have a system's partitions, and nothing of the system."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

_MEBIBYTE = 1 << 20
# What btrfs takes at least, and a system partition ahead of it.
_START, _SIZE = 64, 192


def release(folder: Path, system: str, name: str, file_system: str) -> tuple[Path, int]:
    """The release.json of an image with one named partition beside another, and where that partition begins."""
    image, part, content = folder / "image.raw", folder / "part.raw", folder / "content"
    content.mkdir()
    (content / "kept").write_text("kept")
    for file, size in ((image, _START + _SIZE + 4), (part, _SIZE)):
        subprocess.run(["truncate", "-s", f"{size}M", file], check=True)
    make = {"ext4": ["mke2fs", "-q", "-t", "ext4", "-d"], "btrfs": ["mkfs.btrfs", "--quiet", "--label", "OEM", "--rootdir"]}
    subprocess.run([*make[file_system], content, part], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(
        [
            "sgdisk", "--clear", f"--new=1:1M:{_START - 1}M", "--change-name=1:EFI-SYSTEM",
            f"--new=12:{_START}M:+{_SIZE}M", f"--change-name=12:{name}", image,
        ], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["dd", f"if={part}", f"of={image}", "bs=1M", f"seek={_START}", "conv=notrunc", "status=none"], check=True)
    subprocess.run(["zstd", "-q", image], check=True)
    packed = folder / "image.raw.zst"
    file = {
        "file": packed.name, "sha256": hashlib.sha256(packed.read_bytes()).hexdigest(), "bytes": packed.stat().st_size,
        "compression": "zstd", "rawBytes": image.stat().st_size,
    }
    told = folder / "release.json"
    told.write_text(json.dumps({
        "os": system, "version": "1", "architecture": "amd64", "artifacts": {"image": file}, "route": "image",
        "minimumDiskBytes": image.stat().st_size,
    }))
    return told, _START * _MEBIBYTE

"""The initramfs of the streaming floor: busybox, zstd, and the modules for the rack's NIC and disks."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path

from . import cpio
from .cpio import Entry
from .errors import RackError

# What the rack's servers need. A kernel with one of these built in lacks the file, and needs none.
_WANTED = ("virtio_pci", "virtio_net", "virtio_blk", "nvme", "ahci", "sd_mod")

BEGIN, END = "floor: begin", "floor: end"

# The address and the image come from the kernel's command line. dd by its path, because busybox's shell prefers its
# own, which does not say when it is done.
_INIT = f"""\
#!/bin/busybox sh
export PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
for module in $(busybox cat /modules/order); do busybox insmod /modules/$module; done
for word in $(busybox cat /proc/cmdline); do case $word in floor.*=*) export "${{word#floor.}}";; esac; done
busybox ifconfig lo 127.0.0.1
busybox ifconfig eth0 "$address" netmask 255.255.255.0 up
for disk in /dev/vda /dev/nvme0n1 /dev/sda; do
    tries=0
    while [ ! -b $disk ] && [ $tries -lt 10 ]; do busybox sleep 0.1; tries=$((tries + 1)); done
    [ -b $disk ] && break
done
until busybox wget -q -O /dev/null "$probe"; do busybox sleep 0.1; done
echo "{BEGIN}"
busybox wget -q -O - "$image" | /bin/zstd -dcq | /bin/dd of=$disk bs=1M iflag=fullblock oflag=direct conv=fsync
echo "{END}"
busybox poweroff -f
"""


def build(path: Path, initrd: Path) -> None:
    """Writes the initramfs; its modules are those of the other initrd, so that kernel and modules fit."""
    modules = _modules(initrd)
    files = [_file("bin/busybox", Path("/bin/busybox"))]
    for program in ("zstd", "dd"):
        files += _program(program)
    files += [Entry(f"modules/{name}.ko", stat.S_IFREG | 0o644, data) for name, data in modules.items()]
    order = "".join(f"{name}.ko\n" for name in modules)
    files += [
        Entry("modules/order", stat.S_IFREG | 0o644, order.encode()),
        Entry("init", stat.S_IFREG | 0o755, _INIT.encode()),
        *(Entry(name, stat.S_IFDIR | 0o755, b"") for name in ("proc", "sys", "dev")),
    ]
    cpio.write(path, files)


def load_order(modules: dict[str, bytes], wanted: tuple[str, ...]) -> list[str]:
    """Those of the wanted modules that exist, each after what it depends on (`depends=` in its .modinfo)."""
    order: list[str] = []

    def add(name: str) -> None:
        if name in order or name not in modules:
            return
        found = re.search(rb"(?:^|\0)depends=([^\0]*)\0", modules[name])
        for dependency in filter(None, found.group(1).decode().split(",") if found else []):
            add(dependency.replace("-", "_"))
        order.append(name)

    for name in wanted:
        add(name)
    return order


def _modules(initrd: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for entry in cpio.entries(initrd):
        match = re.search(r"([^/]+)\.ko(\.gz|\.xz|\.zst)?$", entry.name)
        if match and stat.S_ISREG(entry.mode):
            data = cpio.decompressed(entry.data, entry.name) if match.group(2) else entry.data
            found[match.group(1).replace("-", "_")] = data
    if not found:
        raise RackError(f"{initrd} holds no kernel modules (*.ko): the streaming floor needs those of its kernel")
    return {name: found[name] for name in load_order(found, _WANTED)}


def _program(name: str) -> list[Entry]:
    """A program of this host with the libraries that its loader names."""
    path = Path("/usr/bin", name)
    result = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RackError(f"{path}: {result.stderr.strip() or 'not installed'}")
    libraries = re.findall(r"(/\S+) \(0x", result.stdout)
    return [_file(f"bin/{name}", path), *(_file(library.lstrip("/"), Path(library)) for library in libraries)]


def _file(name: str, source: Path) -> Entry:
    try:
        return Entry(name, stat.S_IFREG | 0o755, source.read_bytes())
    except OSError as error:
        raise RackError(f"{source}: {error.strerror}: install busybox-static and zstd") from error

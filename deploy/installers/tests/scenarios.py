"""One installer after another, each as far as it comes here."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from virtual_rack.bench import MAC, Bench, Failed, firmware
from virtual_rack.switch_port import SwitchPort

from . import tiny
from .mirror import mirror

_OVMF = "/usr/share/OVMF/OVMF"


def debian_bios(bench: Bench, installers: Path) -> None:
    """Debian's installer, by kexec from the agent."""
    _debian(bench, installers, lambda port: _machine(bench, port))


def debian_uefi(bench: Bench, installers: Path) -> None:
    """The same on UEFI."""
    _debian(
        bench, installers,
        lambda port: _machine(bench, port) + firmware(bench.folder, f"{_OVMF}_CODE_4M.fd", f"{_OVMF}_VARS_4M.fd"))


def _debian(bench: Bench, installers: Path, command: Callable[[SwitchPort], list[str]]) -> None:
    """It has read its answers, found its network and its disk, and asks the archive that they name: the archive here has nothing."""
    bench.profile = "priority: 100\nmatch: {architecture: amd64}\nconsole: [ttyS0]\n"
    disk = bench.folder / "disk.raw"
    subprocess.run(["truncate", "-s", "4G", disk], check=True)
    with bench.network() as port, mirror() as archive, bench.machine(command(port), memory=1024) as machine:
        machine.says("hardware reported", 240)
        bench.slipway("os", "add", str(installers / "debian/release.json"), "--name", "debian-12")
        bench.slipway("cluster", "add", "lab")
        bench.slipway("machine", "accept", MAC, "--name", "node-1")
        bench.slipway("machine", "provision", "node-1", "--cluster", "lab", "--os", "debian-12")
        bench.sees("enters the installer of debian-12 by kexec", 60, "event", "list", "--machine", "node-1")
        # Its first question of the archive is of the release that the answers say.
        _asks(archive.asked, "/debian/dists/bookworm/Release", 300)
        bench.sees("installing", 5, "machine", "show", "node-1")


_BOND = """\
nics:
  lan0: {port: "00:16:3e:00:00:61"}
  lan1: {port: "00:16:3e:00:00:62"}
bonds:
  bond0: {ports: [lan0, lan1], mode: active-backup}
vlans:
  prod: {id: 42, on: bond0, addresses: [10.97.0.77/24], gateways: [10.97.0.1]}
dns: {servers: [10.97.0.1]}
"""


def cloud_image(bench: Bench, installers: Path) -> None:
    """A Debian as for clouds, written by the agent with a NoCloud seed, entered by kexec, with a fixed address on a VLAN on a bond."""
    bench.profile = "priority: 100\nmatch: {architecture: amd64}\nconsole: [ttyS0]\n"
    bench.trunk = 42
    disk = bench.folder / "disk.raw"
    subprocess.run(["truncate", "-s", "2G", disk], check=True)
    (bench.folder / "network.yaml").write_text(_BOND)
    # Two NICs on one wire.
    second = [
        *("-netdev", "hubport,hubid=0,id=wire,netdev=net0", "-netdev", "hubport,hubid=0,id=one", "-netdev", "hubport,hubid=0,id=two"),
        *("-device", f"virtio-net-pci,netdev=one,mac={MAC},bootindex=0", "-device", "virtio-net-pci,netdev=two,mac=00:16:3e:00:00:62"),
    ]
    with bench.network() as port, bench.machine(_machine(bench, port, second), memory=1024) as machine:
        machine.says("hardware reported", 240)
        bench.slipway("os", "add", str(installers / "debian-cloud/release.json"), "--name", "debian-12")
        bench.slipway("cluster", "add", "lab")
        bench.slipway("machine", "accept", MAC, "--name", "node-1")
        bench.slipway("machine", "set", "node-1", "--network", str(bench.folder / "network.yaml"))
        bench.slipway("machine", "provision", "node-1", "--cluster", "lab", "--os", "debian-12")
        machine.says("entering the installed system by kexec", 300)
        bench.sees("joining", 10, "machine", "show", "node-1")
        bench.sees("node-1", 420, "node", "list")
        nodes = bench.slipway("node", "list")
        if "10.97.0.77" not in nodes or "debian-12" not in nodes:
            raise Failed(f"it is a node with another address or system:\n{nodes}")
        # The bond has an address of its own.
        if not port.tagged:
            raise Failed("it is a node, and speaks without its tag")
        bench.sees("ready", 10, "machine", "show", "node-1")


def ignition(bench: Bench, installers: Path) -> None:
    """An image whose own kernel and initramfs, entered once, have an Ignition config beside them: the real Ignition applies it."""
    bench.profile = "priority: 100\nmatch: {architecture: amd64}\nconsole: [ttyS0]\n"
    subprocess.run(["truncate", "-s", "2G", bench.folder / "disk.raw"], check=True)
    with bench.network() as port, bench.machine(_machine(bench, port), memory=1536) as machine:
        machine.says("hardware reported", 240)
        bench.slipway("os", "add", str(installers / "ignition/release.json"), "--name", "ignition-1")
        bench.slipway("cluster", "add", "lab")
        bench.slipway("machine", "accept", MAC, "--name", "node-1")
        bench.slipway("machine", "provision", "node-1", "--cluster", "lab", "--os", "ignition-1")
        machine.says("entering the installed system by kexec", 300)
        bench.sees("ignition-1", 300, "node", "list")
        bench.sees("ready", 10, "machine", "show", "node-1")


def bottlerocket(bench: Bench, installers: Path) -> None:
    """An image of Bottlerocket's layout: its private partition has what the machine is told, and nothing else was touched."""
    _named_partition(bench, "bottlerocket", "BOTTLEROCKET-PRIVATE", {
        "user-data.toml": ["hostname = \"node-1\"", "bootstrap-token = \"abcdef.0123456789abcdef\""],
        "net.toml": [f'["{MAC}"]', "dhcp4 = true"],
    })


def flatcar(bench: Bench, installers: Path) -> None:
    """An image of Flatcar's layout, whose OEM partition is btrfs."""
    _named_partition(bench, "flatcar", "OEM", {"config.ign": ["/etc/slipway/join.yaml"], "grub.cfg": ["console=ttyS0"]})


def _named_partition(bench: Bench, system: str, name: str, expected: dict[str, list[str]]) -> None:
    bench.profile = "priority: 100\nmatch: {architecture: amd64}\nconsole: [ttyS0]\n"
    release, offset = tiny.release(bench.folder, system, name, "btrfs" if system == "flatcar" else "ext4")
    disk = bench.folder / "disk.raw"
    subprocess.run(["truncate", "-s", "1G", disk], check=True)
    (bench.folder / "token").write_text("abcdef.0123456789abcdef\n")
    with bench.network() as port:
        with bench.machine(_machine(bench, port), memory=1024) as machine:
            machine.says("hardware reported", 240)
            bench.slipway("os", "add", str(release), "--name", "trial-1")
            bench.slipway(
                *("cluster", "add", "prod", "--kind", "kubernetes", "--endpoint", "https://10.97.0.9:6443"),
                *("--kubernetes-version", "1.28.15", "--cluster-ca", str(bench.folder / "state/ca.pem")),
                *("--token-file", str(bench.folder / "token")))
            bench.slipway("machine", "accept", MAC, "--name", "node-1")
            bench.slipway("machine", "provision", "node-1", "--cluster", "prod", "--os", "trial-1")
            machine.says("entering the installed system by reboot", 300)
        there = bench.folder / "there"
        there.mkdir()
        subprocess.run(["mount", "-o", f"ro,loop,offset={offset}", disk, there], check=True)
        try:
            for file, words in expected.items():
                text = (there / file).read_text()
                for word in words:
                    if word not in text:
                        raise Failed(f"{file} on {name} has no {word!r}:\n{text}")
                if (there / file).stat().st_uid != 0:
                    raise Failed(f"{file} on {name} is not root's")
            if (there / "kept").read_text() != "kept":
                raise Failed("what was on the partition is another thing now")
        finally:
            subprocess.run(["umount", there], check=True)


def _asks(asked: list[str], path: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while path not in asked:
        if time.monotonic() > deadline:
            raise Failed(f"nobody asked for {path}, but for {asked}")
        time.sleep(0.2)


def _machine(bench: Bench, port: SwitchPort, nics: list[str] | None = None) -> list[str]:
    return [
        *("qemu-system-x86_64", "-machine", "q35,graphics=off", "-accel", "tcg,thread=multi", "-smp", "2", "-cpu", "max,la57=off"),
        *("-vga", "none", "-netdev", port.netdev),
        *(nics or ["-device", f"virtio-net-pci,netdev=net0,mac={MAC},bootindex=0"]),
        *("-drive", f"if=none,id=disk0,format=raw,file={bench.folder / 'disk.raw'}"),
        *("-device", "virtio-blk-pci,drive=disk0,serial=INSTALLER1,bootindex=1"),
    ]


SCENARIOS = {
    "cloud-image": cloud_image, "ignition": ignition, "bottlerocket": bottlerocket, "flatcar": flatcar,
    "debian-bios": debian_bios, "debian-uefi": debian_uefi,
}

"""What the agent does on one machine after another; each waits for words on the machine's console."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from virtual_rack.switch_port import SwitchPort

MAC = "52:54:00:00:00:51"
GATEWAY = "10.97.0.1"
BUILD = Path(__file__).resolve().parents[1] / "build"


class Failed(Exception):
    """A machine did not say what it should have said."""


@dataclass(frozen=True)
class Bench:
    """What a scenario works with."""

    image: Path
    folder: Path

    @contextlib.contextmanager
    def network(self, vlan: int | None = None) -> Iterator[SwitchPort]:
        """A switch port with a DHCP server behind it."""
        with SwitchPort(self.folder, "lan0", f"{GATEWAY}/24", vlan) as port:
            log = self.folder / "dnsmasq.log"
            command = [
                *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=lan0"),
                *("--bind-interfaces", "--user=root", "--pid-file=", "--leasefile-ro", "--no-ping", "--log-facility=-"),
                "--dhcp-range=10.97.0.50,10.97.0.59,255.255.255.0,1h",
            ]
            with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
                try:
                    wait(log, "DHCP, sockets bound", 10)
                    yield port
                finally:
                    server.kill()

    @contextlib.contextmanager
    def machine(
        self, port: SwitchPort, nic: str, arguments: str = "", image: Path | None = None,
        devices: tuple[str, ...] = (), pin: str = f"sha256:{'0' * 64}",
    ) -> Iterator[Path]:
        """A machine that starts the agent's kernel at once. Gives the path of what its console says."""
        boot = image or self.image
        log = self.folder / "serial.log"
        log.unlink(missing_ok=True)
        words = (
            f"initrd=initrd console=ttyS0,115200 quiet cryptomgr.notests slipway.server=https://{GATEWAY}:8443"
            f" slipway.ca={pin} slipway.ticket=none slipway.mac={MAC} {arguments}"
        )
        command = [
            *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-nodefaults", "-no-user-config"),
            *("-machine", "q35,graphics=off", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off", "-m", "512"),
            *("-display", "none", "-serial", f"file:{log}", "-netdev", port.netdev),
            *("-device", f"{nic},netdev=net0,mac={MAC},romfile="),
            *devices,
            *("-kernel", str(boot / "vmlinuz"), "-initrd", str(boot / "initrd"), "-append", words),
        ]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as machine:
            try:
                yield log
            finally:
                machine.kill()


def wait(log: Path, words: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while words not in (text := log.read_text(errors="replace") if log.exists() else ""):
        if time.monotonic() > deadline:
            raise Failed(f"no {words!r} in {log.name}, which ends with:\n{text[-3000:]}")
        time.sleep(0.02)


def tagged(bench: Bench) -> None:
    """On a trunk port the agent talks in the VLAN it was told, and sends nothing without a tag."""
    with bench.network(vlan=7) as port, bench.machine(port, "virtio-net-pci", "slipway.vlan=7") as console:
        wait(console, ".7 has 10.97.0.5")
        if port.untagged:
            raise Failed(f"{port.untagged} frames had no tag")


def untagged(bench: Bench) -> None:
    """Without a tag it gets nowhere on such a port, and says where to look."""
    with bench.network(vlan=7) as port, bench.machine(port, "virtio-net-pci") as console:
        wait(console, "no DHCP server has answered for")
        wait(console, "is the switch port in the right VLAN")


def missing_firmware(bench: Bench) -> None:
    """This NIC needs a file that Debian main does not have: the console names it and the way to bring it."""
    with bench.network() as port, bench.machine(port, "i82551") as console:
        wait(console, "misses its firmware e100/d102e_ucode.bin: build the agent image with FIRMWARE_DIR")


def added_firmware(bench: Bench) -> None:
    """An image that was built with the file has it where the driver looks."""
    firmware = bench.folder / "firmware"
    (firmware / "e100").mkdir(parents=True)
    # The size that the driver asks for, all no-ops; QEMU's NIC takes any.
    (firmware / "e100/d102e_ucode.bin").write_bytes(bytes(134 * 4 + 3))
    image = bench.folder / "image"
    image.mkdir()
    # The unpacked kernel of the other image: this network has no way to a mirror.
    for name in (".kernel", ".kernel.key"):
        (image / name).symlink_to(bench.image / name)
    subprocess.run([BUILD, image, f"FIRMWARE_DIR={firmware}"], check=True)
    with bench.network() as port, bench.machine(port, "i82551", image=image) as console:
        wait(console, " has 10.97.0.5")
        if "misses its firmware" in console.read_text(errors="replace"):
            raise Failed("the firmware that is there is called missing")


SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "tagged": tagged, "untagged": untagged, "missing-firmware": missing_firmware, "added-firmware": added_firmware,
}

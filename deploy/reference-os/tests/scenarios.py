"""What the installed system must do. Every scenario starts from a freshly installed disk; its steps assert, and it notes figures."""

from __future__ import annotations

import re
import secrets
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .disk import Disk
from .machine import BUSES, FIRMWARES, Machine, Timeout
from .registry import Authority, Registry

# Patience on a busy host, not an expectation.
BOOT = 240.0
REGISTERED = r"slipway: registered as node node-1 with"
HEARTBEAT = r"slipway: registered as node node-1 before"


@dataclass
class Bench:
    """What a scenario works with."""

    folder: Path
    image: Path
    authority: Authority
    registry: Registry
    figures: dict[str, float] = field(default_factory=dict)
    token: str = field(default_factory=lambda: secrets.token_hex(32))

    def install(self, *, token_known: bool = True, certificate: str = "", **settings: str) -> Disk:
        if token_known:
            self.registry.tokens.add(self.token)
        values = {
            "HOSTNAME": "node-1", "MACHINE_ID": "0191b2c3-machine", "CLUSTER": "test", "OS_RELEASE": "reference-test",
            "SERVER": self.registry.url, "JOIN_TOKEN": self.token, "NETWORK": "dhcp", **settings,
        }
        configuration = "".join(f"{key}={value}\n" for key, value in values.items())
        files = {"machine.conf": configuration, "ca.pem": certificate or self.authority.pem}
        return Disk.install(self.image, self.folder / "disk.raw", files)

    def machine(self, disk: Disk, firmware: str = "bios", bus: str = "virtio", **options: object) -> Machine:
        return Machine(self.folder, disk, firmware, bus, **options)  # type: ignore[arg-type]

    def settled(self, machine: Machine) -> None:
        machine.wait(r"slipway: slot B was empty and is now a copy of slot A", BOOT)
        machine.wait(r"slipway: the state partition has grown", BOOT)


def first_and_second_boot(bench: Bench, firmware: str, bus: str, short: bool) -> None:
    """Registers once, forgets its token, grows, copies its slot; after a reset it only sends heartbeats."""
    disk = bench.install()
    with bench.machine(disk, firmware, bus) as machine:
        bench.figures["init"] = machine.wait(r"slipway: starting slot A", BOOT)
        bench.figures["address"] = machine.wait(r"has the address", BOOT)
        bench.figures["registered"] = machine.wait(REGISTERED, BOOT)
        _eventually(lambda: not disk.contains(bench.token), "the token is still on the disk")
        assert len(bench.registry.registrations) == 1, bench.registry.registrations
        first = bench.registry.registrations[0]
        assert first["machine"] == "0191b2c3-machine" and first["osRelease"] == "reference-test", first
        assert first["systemUUID"] == "a1b2c3d4-0000-4000-8000-00000000a001", first
        assert re.fullmatch(r"[0-9a-f]{64}", first["credential"]), first
        assert first["addresses"], first
        if short:
            return
        bench.settled(machine)
        _eventually(lambda: len(bench.registry.heartbeats) > 1, "no heartbeats")
        # The host's view of the disk is whole once the guest has written all of it.
        _eventually(lambda: disk.grubenv()["misses"] == "0", "the start was not marked as good")
        assert disk.grubenv()["good"] == "A"
        assert disk.read_partition("slipway-A", 1 << 20) == disk.read_partition("slipway-B", 1 << 20)

        before = len(bench.registry.heartbeats)
        machine.reset()
        bench.figures["restart: heartbeat"] = machine.wait(HEARTBEAT, BOOT)
        assert len(bench.registry.registrations) == 1, "registered again"
        _eventually(lambda: len(bench.registry.heartbeats) > before, "no heartbeats after the restart")
        assert bench.registry.heartbeats[-1]["bootID"] != first["bootID"]
        assert bench.registry.heartbeats[-1]["slot"] == "A"
    partitions = disk.partitions()
    assert partitions["slipway-state"].size > 3 << 30, partitions
    assert disk.file_system_blocks() * 4096 > 3 << 30
    check = subprocess.run(["sgdisk", "--verify", disk.path], capture_output=True, text=True, check=False)
    assert "No problems found" in check.stdout, check.stdout


def as_by_kexec(bench: Bench) -> None:
    """Kernel, initrd and command line as the agent finds them on the ESP; QEMU loads them instead of kexec."""
    disk = bench.install()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("vmlinuz", "initrd", "kexec.conf"):
            subprocess.run(["mcopy", "-n", "-i", disk.esp, f"::/EFI/slipway/A/{name}", folder], check=True)
        arguments = Path(folder, "kexec.conf").read_text().strip()
        direct = ("-kernel", f"{folder}/vmlinuz", "-initrd", f"{folder}/initrd", "-append", arguments)
        with bench.machine(disk, extra=direct) as machine:
            bench.figures["init"] = machine.wait(r"slipway: starting slot A", BOOT)
            bench.figures["registered"] = machine.wait(REGISTERED, BOOT)
            bench.settled(machine)
    # The ESP has a serial number of its own now, and kexec.conf follows it.
    with bench.machine(disk) as machine:
        machine.wait(HEARTBEAT, BOOT)
        passed = re.search(r"slipway.esp=(\S+)", _kexec_conf(disk, "A"))
        assert passed and passed[1] not in arguments
        assert "slipway.slot=B" in _kexec_conf(disk, "B")


def empty_new_slot(bench: Bench, firmware: str, bus: str) -> None:
    """A new slot whose root is all zeros is tried three times; then the good one is back."""
    disk = bench.install()
    disk.copy_boot_files("A", "B")
    disk.set_grubenv(good="A", **{"try": "B"}, left="3")
    with bench.machine(disk, firmware, bus) as machine:
        for attempt in (1, 2, 3):
            bench.figures[f"try {attempt} of B"] = machine.wait(r"slipway: slot B holds no root file system", BOOT)
        bench.figures["A"] = machine.wait(r"slipway: starting slot A", BOOT)
        bench.figures["registered"] = machine.wait(REGISTERED, BOOT)
        _eventually(lambda: disk.grubenv()["try"] == "", "B is still to be tried")
        assert disk.grubenv()["good"] == "A" and disk.grubenv()["failed"] == "B", disk.grubenv()


def hanging_new_slot(bench: Bench, watchdog: str) -> None:
    """A new slot that enters its root and then does nothing: the watchdog, only that one, restarts the machine."""
    disk = bench.install()
    disk.copy_boot_files("A", "B")
    disk.write_partition("slipway-B", _hanging_root(bench.folder, disk))
    disk.set_grubenv(good="A", **{"try": "B"}, left="1")
    other = {"softdog": "iTCO_wdt", "iTCO_wdt": "softdog"}[watchdog]
    disk.write_esp("EFI/slipway/local.cfg", f'set local_arguments="module_blacklist={other}"\n')
    with bench.machine(disk) as machine:
        hung = machine.wait(r"hanging on purpose", BOOT)
        bench.figures["hung until restart and init of A"] = machine.wait(r"slipway: starting slot A", BOOT) - hung
        machine.wait({"softdog": "watchdogs: Software Watchdog", "iTCO_wdt": "watchdogs: iTCO_wdt"}[watchdog], BOOT)
        bench.figures["registered"] = machine.wait(REGISTERED, BOOT)
        _eventually(lambda: disk.grubenv()["try"] == "", "B is still to be tried")
    assert disk.grubenv()["good"] == "A" and disk.grubenv()["failed"] == "B", disk.grubenv()


def good_new_slot(bench: Bench) -> None:
    """A new slot that reaches the cluster becomes the good one."""
    disk = bench.install()
    disk.copy_boot_files("A", "B")
    disk.write_partition("slipway-B", disk.read_partition("slipway-A", disk.partitions()["slipway-A"].size))
    disk.set_grubenv(good="A", **{"try": "B"}, left="3")
    with bench.machine(disk, "uefi", "nvme") as machine:
        machine.wait(r"slipway: slot B is on trial", BOOT)
        machine.wait(REGISTERED, BOOT)
        machine.wait(r"slipway: slot B is the good one now", BOOT)
        _eventually(lambda: disk.grubenv()["good"] == "B" and disk.grubenv()["try"] == "", "B was not marked as good")
        machine.reset()
        machine.wait(r"slipway: starting slot B", BOOT)
        machine.wait(HEARTBEAT, BOOT)


def damaged_good_slot(bench: Bench) -> None:
    """The good slot loses its root; after three starts the copy in the other slot takes over and becomes the good one."""
    disk = bench.install()
    with bench.machine(disk) as machine:
        machine.wait(REGISTERED, BOOT)
        bench.settled(machine)
    disk.write_partition("slipway-A", bytes(1 << 20))
    with bench.machine(disk) as machine:
        for _ in range(3):
            machine.wait(r"slipway: slot A holds no root file system", BOOT)
        machine.wait(r"slipway: starting slot B", BOOT)
        bench.figures["heartbeat from B"] = machine.wait(HEARTBEAT, BOOT)
        machine.wait(r"slipway: slot B is the good one now", BOOT)
        machine.wait(r"slipway: slot A was empty and is now a copy of slot B", BOOT)


def missing_kernel_and_lost_block(bench: Bench) -> None:
    """Without its kernel the new slot is skipped in the same run; a lost environment block means slot A.

    On the way: arguments of this machine's own reach the kernel.
    """
    disk = bench.install()
    disk.set_grubenv(good="A", **{"try": "B"}, left="3")
    with bench.machine(disk) as machine:
        machine.wait(r"slipway: slot B cannot be loaded", BOOT)
        machine.wait(REGISTERED, BOOT)
    disk.ruin_grubenv()
    disk.write_esp("EFI/slipway/local.cfg", 'set local_arguments="loglevel=7 slipway.local=yes"\n')
    with bench.machine(disk) as machine:
        machine.wait(r"Command line: .*slipway.local=yes slipway.slot=A slipway.esp=[0-9A-F]{4}-[0-9A-F]{4}", BOOT)
        machine.wait(HEARTBEAT, BOOT)
        _eventually(lambda: disk.grubenv().get("good") == "A", "the environment block was not written again")


def static_address(bench: Bench) -> None:
    """A static address from machine.conf on the NIC with that MAC, no DHCP."""
    disk = bench.install(NETWORK="static", MAC="52:54:00:12:34:56", ADDRESS="10.0.2.77/24", GATEWAY="10.0.2.2", DNS="10.0.2.3")
    with bench.machine(disk, nic="e1000e") as machine:
        machine.wait(r"eth0 has the static address 10.0.2.77/24", BOOT)
        bench.figures["registered (e1000e)"] = machine.wait(REGISTERED, BOOT)
    assert "10.0.2.77" in bench.registry.registrations[0]["addresses"]


def lost_answer_and_dead_server(bench: Bench) -> None:
    """The answer to the registration is lost: the same credential is sent again, and admitted. Then the clock of 2000."""
    disk = bench.install()
    bench.registry.drop_answers = 1
    with bench.machine(disk, extra=("-rtc", "base=2000-01-01T00:00:00")) as machine:
        machine.wait(r"slipway: not registered yet: curl", BOOT)
        machine.wait(r"the clock was set by", BOOT)
        machine.wait(REGISTERED, BOOT)
    credentials = {registration["credential"] for registration in bench.registry.registrations}
    assert len(bench.registry.registrations) == 2 and len(credentials) == 1, bench.registry.registrations


def refused(bench: Bench) -> None:
    """An unknown token, and a server that is not ours: the console says which; nothing secret is sent to the latter."""
    disk = bench.install(token_known=False)
    with bench.machine(disk) as machine:
        machine.wait(r"slipway: registration refused: HTTP 403 the join token is unknown", BOOT)
    assert not disk.contains("NODE=node-1")
    bench.registry.registrations.clear()
    stranger = Authority(bench.folder, "stranger")
    disk = bench.install(certificate=stranger.pem)
    with bench.machine(disk) as machine:
        machine.wait(r"slipway: not registered yet: curl: \(60\) SSL certificate problem", BOOT)
    assert not bench.registry.registrations


def no_configuration(bench: Bench) -> None:
    """A disk that nobody configured says so and stays up; hostile values are data."""
    disk = Disk.install(bench.image, bench.folder / "disk.raw", {})
    with bench.machine(disk) as machine:
        machine.wait(r"slipway: this machine has no configuration", BOOT)
        machine.wait(r"slipway: cannot register: machine.conf or ca.pem is missing", BOOT)
    disk = bench.install(CLUSTER="$(poweroff -f)", EVIL="x", HOSTNAME='a"b')
    with bench.machine(disk) as machine:
        machine.wait(r"the value of HOSTNAME has characters it must not have", BOOT)
        machine.wait(r"slipway: cannot register", BOOT)


def power_button(bench: Bench) -> None:
    """A BMC's soft shutdown is the power button: an orderly end, and a clean file system."""
    disk = bench.install()
    with bench.machine(disk) as machine:
        machine.wait(REGISTERED, BOOT)
        bench.settled(machine)
        deadline = time.monotonic() + BOOT
        while machine.running and time.monotonic() < deadline:
            machine.monitor("system_powerdown")
            machine.pause_while_running(2)
        assert not machine.running, "the machine did not switch off"
        assert "slipway: stopping" in machine.console()
    assert disk.state_is_clean()


def leaving(bench: Bench) -> None:
    """Asked to leave, it runs its release hooks in order: one that fails or hangs is told of, and it has not left.

    Taken back in between, it stays; asked again, it runs all of them again, says so until it is heard, and restarts.
    """
    disk = bench.install()
    disk.make_state_folder("release.d")
    gate = f"curl --silent --cacert /state/slipway/ca.pem {bench.registry.url}/gate"
    for name, work, mode in (
        ("10-first", "", 0o755),
        ("20-fails-once", "[ -e /run/tried ] || { : >/run/tried; exit 3; }", 0o755),
        ("30-waits", f"until [ \"$({gate})\" = open ]; do sleep 0.5; done", 0o755),
        ("40-no-program", "", 0o644),
    ):
        program = f'#!/bin/sh\necho "<11>hook {name} runs" >/dev/kmsg\n{work}\necho "<11>hook {name} ends" >/dev/kmsg\n'
        disk.write_state(f"release.d/{name}", program, mode)
    registry = bench.registry

    def told(words: str) -> Callable[[], bool]:
        return lambda: words in registry.heartbeats[-1].get("leaving", "")

    with bench.machine(disk) as machine:
        machine.wait(REGISTERED, BOOT)
        _eventually(lambda: len(registry.heartbeats) > 0, "no heartbeats")
        assert "leaving" not in registry.heartbeats[-1], registry.heartbeats[-1]

        registry.leaving = True
        machine.wait(r"slipway: leaving cluster test: no new work is taken", BOOT)
        machine.wait(r"slipway: release hook 10-first ended well", BOOT)
        machine.wait(r"slipway: release hook 20-fails-once failed with status 3, and is tried again", BOOT)
        _eventually(lambda: any("20-fails-once failed with status 3" in beat.get("leaving", "") for beat in registry.heartbeats),
                    "the heartbeat does not tell of the failure")
        assert not registry.left, "left, though a hook failed"
        machine.wait(r"slipway: release hook 20-fails-once ended well", BOOT)

        machine.wait(r"hook 30-waits runs", BOOT)
        _eventually(told("release hook 30-waits has not ended"), "the heartbeat does not tell of the hook that hangs", 120)
        before = len(registry.heartbeats)
        _eventually(lambda: len(registry.heartbeats) > before + 3, "no heartbeats while a hook hangs")
        assert not registry.left and "left cluster" not in machine.console(), "left, though a hook hangs"

        registry.leaving = False
        machine.wait(r"slipway: staying in cluster test", BOOT)
        _eventually(lambda: "leaving" not in registry.heartbeats[-1], "it still tells of its leaving")
        registry.gate = "open"
        registry.drop_farewells = 1
        registry.leaving = True
        asked = time.monotonic()
        machine.wait(r"slipway: release hook 40-no-program is not executable, and is left out", BOOT)
        machine.wait(r"slipway: left cluster test", BOOT)
        bench.figures["asked until left"] = time.monotonic() - asked
        registry.leaving = False
        assert registry.left == ["node-1", "node-1"], registry.left
        hooks = re.findall(r"hook (\d+)-\S+ (runs|ends)", machine.console())
        # The second hook failed once, and the third was ended when the node was to stay.
        assert [hook for hook, what in hooks if what == "runs"] == ["10", "20", "10", "20", "30", "10", "20", "30"], hooks
        assert [hook for hook, what in hooks if what == "ends"] == ["10", "10", "20", "10", "20", "30"], hooks
        machine.wait(r"slipway: restarting: this machine has no BMC", BOOT)
        machine.wait(r"slipway: stopping", BOOT)
        machine.wait(HEARTBEAT, BOOT)
        assert len({beat["bootID"] for beat in registry.heartbeats}) == 2 and len(registry.left) == 2, registry.left

        # Heard, but not told so, and known no more.
        registry.drop_farewells, registry.forgets, registry.leaving = 1, True, True
        machine.wait(r"slipway: left cluster test, which knows this node no more; restarting", BOOT)
        machine.wait(r"slipway: stopping", BOOT)
        machine.wait(r"slipway: starting slot", BOOT)
        assert len(registry.left) == 3, registry.left


def other_installation(bench: Bench) -> None:
    """An older installation on a second disk is left alone, whichever disk the kernel finds first."""
    other = Disk.install(bench.image, bench.folder / "older.raw", {"machine.conf": "HOSTNAME=older\nNETWORK=dhcp\n"})
    other.set_serial(b"\x01\x02\x03\x04")
    disk = bench.install()
    second = (
        "-blockdev", f"driver=raw,node-name=older,file.driver=file,file.filename={other.path}",
        "-device", "virtio-blk-pci,drive=older,serial=OLDER")
    with bench.machine(disk, "uefi", "nvme", extra=second) as machine:
        machine.wait(REGISTERED, BOOT)


def _eventually(holds: Callable[[], bool], problem: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, problem
        time.sleep(0.5)


def _kexec_conf(disk: Disk, slot: str) -> str:
    return subprocess.run(
        ["mtype", "-i", disk.esp, f"::/EFI/slipway/{slot}/kexec.conf"], check=True, capture_output=True, text=True).stdout


def _hanging_root(folder: Path, disk: Disk) -> bytes:
    """A root that the initrd accepts, whose init then sleeps."""
    slot, root, file = folder / "slot.squashfs", folder / "hanging", folder / "hanging.squashfs"
    slot.write_bytes(disk.read_partition("slipway-A", disk.partitions()["slipway-A"].size))
    subprocess.run(["unsquashfs", "-quiet", "-no-progress", "-d", root, slot, "usr/bin/busybox"], check=True, stdout=subprocess.DEVNULL)
    kernel = subprocess.run(
        ["unsquashfs", "-lls", "-max-depth", "4", slot, "usr/lib/modules"], check=True, capture_output=True, text=True).stdout
    (root / "usr/lib/modules" / re.findall(r"modules/(\S+)", kernel)[0].split("/")[0]).mkdir(parents=True)
    for name in ("dev", "proc", "sys", "sbin"):
        (root / name).mkdir()
    init = root / "sbin/init"
    init.write_text('#!/usr/bin/busybox sh\necho "<11>hanging on purpose" >/dev/kmsg\nwhile :; do busybox sleep 1000; done\n')
    init.chmod(0o755)
    subprocess.run(["mksquashfs", root, file, "-quiet", "-no-progress", "-noappend", "-all-root"], check=True, stdout=subprocess.DEVNULL)
    return file.read_bytes()


Scenario = Callable[[Bench], None]


def _boot(firmware: str, bus: str, short: bool) -> Scenario:
    return lambda bench: first_and_second_boot(bench, firmware, bus, short)


def quick() -> dict[str, Scenario]:
    return {
        "boot-bios-virtio": _boot("bios", "virtio", short=True),
        "boot-uefi-nvme": _boot("uefi", "nvme", short=True),
    }


def full() -> dict[str, Scenario]:
    def boots() -> Iterator[tuple[str, Scenario]]:
        for firmware in FIRMWARES:
            for bus in BUSES:
                # What comes after the registration does not depend on both: every firmware and every bus once is enough.
                short = FIRMWARES.index(firmware) != BUSES.index(bus)
                yield f"boot-{firmware}-{bus}", _boot(firmware, bus, short)

    return {
        **dict(boots()),
        "kexec": as_by_kexec,
        "empty-slot-bios": lambda bench: empty_new_slot(bench, "bios", "virtio"),
        "empty-slot-secureboot": lambda bench: empty_new_slot(bench, "secureboot", "sata"),
        "hang-softdog": lambda bench: hanging_new_slot(bench, "softdog"),
        "hang-chipset": lambda bench: hanging_new_slot(bench, "iTCO_wdt"),
        "good-new-slot": good_new_slot,
        "damaged-good-slot": damaged_good_slot,
        "missing-kernel": missing_kernel_and_lost_block,
        "static-address": static_address,
        "lost-answer": lost_answer_and_dead_server,
        "refused": refused,
        "no-configuration": no_configuration,
        "power-button": power_button,
        "leave": leaving,
        "other-installation": other_installation,
    }


@contextmanager
def bench(image: Path, folder: Path) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(dir=folder, prefix="reference-os-") as own:
        authority = Authority(Path(own))
        registry = Registry(authority)
        try:
            yield Bench(Path(own), image, authority, registry)
        finally:
            registry.close()


__all__ = ["Timeout", "bench", "full", "quick"]

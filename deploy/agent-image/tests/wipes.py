"""Wipes of QEMU's disks by signed orders. What they hold afterwards is read from their files, on this side."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.daemon import Daemon
from tests.scenarios import GATEWAY, Bench, Failed

_PATTERN = b"slipway pattern!"
_MIB = 1 << 20
_SMBIOS = ("-smbios", "type=1,uuid=6a6f2b0e-2d5c-4c5e-9a51-70a5a1f0c3d2,serial=WIPE-1")


@dataclass
class Disk:
    """A disk's file, full of the pattern."""

    path: Path
    mebibytes: int = 64

    def __post_init__(self) -> None:
        with self.path.open("wb") as file:
            for _ in range(self.mebibytes):
                file.write(_PATTERN * (_MIB // len(_PATTERN)))

    @property
    def patterns(self) -> int:
        """How much of the pattern is there still."""
        count = 0
        with self.path.open("rb") as file:
            while chunk := file.read(_MIB):
                count += chunk.count(_PATTERN)
        return count

    def drive(self, name: str, options: str = "") -> tuple[str, str]:
        return "-drive", f"file={self.path},format=raw,if=none,id={name},cache=unsafe{options}"


@contextlib.contextmanager
def session(bench: Bench, daemon: Daemon, port: Any, devices: tuple[str, ...]) -> Iterator[dict[str, dict[str, Any]]]:
    """A machine whose agent has reported. Gives its disks by serial, or by WWN where namespaces share one."""
    with bench.machine(port, "virtio-net-pci", devices=(*_SMBIOS, *devices), pin=daemon.pin) as console:
        until(lambda: daemon.hardware is not None, 180, "no hardware report", console)
        assert daemon.hardware is not None
        disks = daemon.hardware["disks"]
        yield {_name(disk, disks): disk for disk in disks}


def _name(disk: dict[str, Any], disks: list[dict[str, Any]]) -> str:
    same = [other for other in disks if other.get("serial") == disk.get("serial")]
    return disk["serial"] if len(same) == 1 else f"{disk['serial']}/{disk['path'][-1]}"


def until(condition: Callable[[], bool], seconds: float, what: str, console: Path | None = None) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            text = console.read_text(errors="replace")[-3000:] if console else ""
            raise Failed(f"{what} in {seconds:.0f} s\n{text}")
        time.sleep(0.05)


def task(disks: list[tuple[dict[str, Any], list[str]]], verify: str = "sampled") -> dict[str, Any]:
    def target(disk: dict[str, Any]) -> dict[str, Any]:
        return {key: disk[key] for key in ("serial", "wwn", "sizeBytes") if disk.get(key) is not None}

    return {"wipe": {"_0": {
        "disks": [{"disk": target(disk), "methods": methods, "whereFrozen": []} for disk, methods in disks],
        "verify": verify, "extras": {"bootEntries": True, "crashRecords": True, "tpm": False},
        "driveSecret": "qemu-has-no-security",
    }}}


def wipe(daemon: Daemon, name: str, work: dict[str, Any], console: Path) -> dict[str, Any]:
    daemon.order(name, work)
    until(lambda: name in daemon.results, 600, f"no result of {name}", console)
    return daemon.results[name]


def _expect(condition: bool, what: Any) -> None:
    if not condition:
        raise Failed(str(what))


def each_method(bench: Bench) -> None:
    """Two namespaces by NVMe format, SATA by overwriting, virtio by discarding and overwriting, one more by removal of labels."""
    files = {name: Disk(bench.folder / f"{name}.raw") for name in ("n1", "n2", "sata", "virtio", "quick")}
    devices = (
        *files["n1"].drive("n1"), *files["n2"].drive("n2"), *files["sata"].drive("sata"),
        *files["virtio"].drive("virtio", ",discard=unmap"), *files["quick"].drive("quick"),
        "-device", "nvme,id=nvme,serial=NV", "-device", "nvme-ns,drive=n1,bus=nvme,nsid=1",
        "-device", "nvme-ns,drive=n2,bus=nvme,nsid=2", "-device", "ide-hd,drive=sata,bus=ide.1,serial=SATA",
        "-device", "virtio-blk-pci,drive=virtio,serial=VIRTIO", "-device", "virtio-blk-pci,drive=quick,serial=QUICK",
    )
    with bench.network() as port, Daemon(bench.folder, GATEWAY) as daemon:
        with session(bench, daemon, port, devices) as disks:
            nvme = ["nvme-sanitize-block", "nvme-sanitize-crypto", "nvme-format", "overwrite"]
            result = wipe(daemon, "one", task([
                (disks["NV/1"], nvme), (disks["NV/2"], nvme), (disks["SATA"], ["ata-secure-erase", "overwrite"]),
                (disks["VIRTIO"], ["overwrite"]), (disks["QUICK"], ["quick"]),
            ], verify="full"), bench.folder / "serial.log")
            _expect("succeeded" in result["outcome"], result)
            methods = [disk["method"] for disk in result["disks"]]
            _expect(methods == ["nvme-format", "nvme-format", "overwrite", "overwrite", "quick"], methods)
            _expect(all("erased" in disk["outcome"] for disk in result["disks"]), result)
            steps = {disk["step"] for told in daemon.progress for disk in told.get("disks") or []}
            _expect({"erasing", "verifying"} & steps != set(), steps)
            for name in ("n1", "n2", "sata", "virtio"):
                _expect(files[name].patterns == 0, f"{name} holds {files[name].patterns} patterns")
            # Labels are at the ends: 16 of 64 MiB are left.
            _expect(0 < files["quick"].patterns <= 16 * _MIB // len(_PATTERN), files["quick"].patterns)
            # What the agent reports then is a machine with blank disks.
            until(lambda: all(not disk["signatures"] for disk in (daemon.hardware or {})["disks"]), 30, "not blank")


def faults(bench: Bench) -> None:
    """An I/O error on one disk and a read-only disk fail the wipe and are named; the others are erased, or not begun."""
    (bench.folder / "blkdebug").write_text('[inject-error]\nevent = "write_aio"\nerrno = "5"\nsector = "80000"\n')
    good, bad, fixed = (Disk(bench.folder / f"{name}.raw") for name in ("good", "bad", "fixed"))
    devices = (
        *good.drive("good"), *fixed.drive("fixed", ",readonly=on"),
        "-drive", f"file=blkdebug:{bench.folder}/blkdebug:{bad.path},format=raw,if=none,id=bad,cache=unsafe",
        "-device", "virtio-blk-pci,drive=good,serial=GOOD", "-device", "virtio-blk-pci,drive=fixed,serial=FIXED",
        "-device", "virtio-blk-pci,drive=bad,serial=BAD",
    )
    console = bench.folder / "serial.log"
    with bench.network() as port, Daemon(bench.folder, GATEWAY) as daemon:
        with session(bench, daemon, port, devices) as disks:
            every = task([(disks[name], ["overwrite"]) for name in ("GOOD", "FIXED")])
            refused = wipe(daemon, "one", every, console)
            _expect("refused" in refused["outcome"] and "FIXED" in str(refused) and "read-only" in str(refused), refused)
            _expect(good.patterns == good.mebibytes * _MIB // len(_PATTERN), "GOOD was begun")
            result = wipe(daemon, "two", task([(disks[name], ["overwrite"]) for name in ("GOOD", "BAD")]), console)
            words = str(result["outcome"].get("failed"))
            _expect("BAD" in words and "GOOD" not in words and "Input/output error" in words, result)
            _expect([sorted(disk["outcome"]) for disk in result["disks"]] == [["erased"], ["failed"]], result)
            _expect(good.patterns == 0 and bad.patterns > 0, (good.patterns, bad.patterns))


def power_cut(bench: Bench) -> None:
    """The machine loses power in the midst of a wipe; the next boot's agent gets the order anew and finishes."""
    disk = Disk(bench.folder / "disk.raw", 96)
    console = bench.folder / "serial.log"

    def device(options: str) -> tuple[str, ...]:
        return (*disk.drive("disk", options), "-device", "virtio-blk-pci,drive=disk,serial=CUT")

    with bench.network() as port, Daemon(bench.folder, GATEWAY) as daemon:
        with session(bench, daemon, port, device(",throttling.bps-write=6000000")) as disks:
            daemon.order("one", task([(disks["CUT"], ["overwrite"])]))

            def is_midway() -> bool:
                told = [part for told in daemon.progress for part in told.get("disks") or []]
                return any(part["step"] == "erasing" and (part.get("fraction") or 0) > 0.2 for part in told)

            until(is_midway, 120, "not midway", console)
        _expect("one" not in daemon.results and disk.patterns > 0, "it was over before the power was cut")
        with session(bench, daemon, port, device("")) as disks:
            result = wipe(daemon, "two", task([(disks["CUT"], ["overwrite"])]), console)
            _expect("succeeded" in result["outcome"] and disk.patterns == 0, result)


SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "wipe": each_method, "wipe-faults": faults, "wipe-power-cut": power_cut,
}

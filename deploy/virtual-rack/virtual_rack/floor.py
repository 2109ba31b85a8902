"""`rack floor`: how fast the same machines could possibly go, with the plainest means.

a. power-on to init by dnsmasq, nginx, this kernel and this initrd;
b. the image to the disk by `wget | zstd -dc | dd oflag=direct` in the same machine;
c. power-on from the installed disk to its registration.

Slipway's time from power-on to registered is compared with a + b + c. All servers run at once, as they do in the demo,
because they share the host's cores; `--one-by-one` measures each alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from . import lifecycle, power
from .errors import RackError
from .floor_initramfs import BEGIN, END, build
from .places import Places
from .plain_netboot import PlainNetboot
from .serial_log import SerialLog
from .shape import Rack, Server
from .shape_options import add_shape_options, planned
from .status import aligned
from .supervisor import Status

# The kernel's own words, so that any initrd will do.
INIT_PATTERN = r"Run \S+ as init process"
REGISTERED_PATTERN = r"slipway: registered"
_CONSOLE = "console=ttyS0,115200"
# Under TCG on a busy host; a boot that takes longer than this will not come.
_PATIENCE_SECONDS = 300.0


@dataclass
class Floor:
    """Seconds; none for what was not measured or did not happen."""

    server: str
    firmware: str
    disk: str
    netboot: float | None = None
    # Of netboot: until the kernel's first line.
    kernel: float | None = None
    stream: float | None = None
    disk_start: float | None = None

    @property
    def total(self) -> float | None:
        parts = (self.netboot, self.stream, self.disk_start)
        return None if None in parts else sum(part for part in parts if part is not None)


class Measurement:
    """Measures servers of one rack. Kernel, initrd and image are given as URLs that the machines can reach."""

    def __init__(self, rack: Rack, arguments: str = "") -> None:
        self._rack = rack
        self._arguments = f"{_CONSOLE} {arguments}".strip()

    def netboot_to_init(self, plain: PlainNetboot, server: Server, kernel: str, initrd: str, result: Floor) -> None:
        plain.script(server.mac, _script(kernel, initrd, self._arguments))
        log, started = self._power_on(server)
        try:
            result.kernel = round(self._wait(log, server, "Linux version") - started, 2)
            result.netboot = round(self._wait(log, server, INIT_PATTERN) - started, 2)
        finally:
            power.cut(self._rack, server)

    def stream_to_disk(
        self, plain: PlainNetboot, server: Server, kernel: str, initrd: str, image: str, result: Floor
    ) -> None:
        """Leaves the image on the server's disk. The initrd is that of `floor_initramfs`."""
        words = [
            *(self._arguments, f"floor.address={_address(self._rack, server)}", f"floor.image={image}"),
            f"floor.probe={plain.url(server.mac + '.ipxe')}",
        ]
        plain.script(server.mac, _script(kernel, initrd, " ".join(words)))
        log, _ = self._power_on(server)
        try:
            began = self._wait(log, server, BEGIN)
            # dd is the last to speak, and counts what reached the disk.
            done = self._wait(log, server, r"\d+ bytes .* copied")
            self._wait(log, server, END)
            result.stream = round(done - began, 2)
        finally:
            power.cut(self._rack, server)

    def disk_to_registered(self, server: Server, pattern: str, result: Floor) -> None:
        """Leaves the server on. A disk that never says the words costs the whole patience and measures nothing."""
        log, started = self._power_on(server, from_disk=True)
        came = log.wait_for(pattern, _PATIENCE_SECONDS, lambda: self._is_on(server))
        result.disk_start = None if came is None else round(came - started, 2)

    def _power_on(self, server: Server, *, from_disk: bool = False) -> tuple[SerialLog, float]:
        power.cut(self._rack, server)
        files = Places(self._rack).server(server)
        log = SerialLog(files.serial_log)
        power.on(self._rack, server, "disk" if from_disk else "network")
        started = Status.load(files).powered_on_at
        if started is None:
            raise RackError(f"{server.name} has no power-on time")
        return log, started

    def _wait(self, log: SerialLog, server: Server, pattern: str) -> float:
        came = log.wait_for(pattern, _PATIENCE_SECONDS, lambda: self._is_on(server))
        if came is None:
            raise RackError(f"{server.name}: no {pattern!r} on its serial log, which ends with:\n{log.tail()}")
        return came

    def _is_on(self, server: Server) -> bool:
        return power.is_on(Places(self._rack).server(server))


def measure(rack: Rack, kernel: Path, initrd: Path, image: Path | None, options: argparse.Namespace) -> list[Floor]:
    """Parts a and b, and c where `options.registered` is not empty, of every server."""
    for file in (kernel, initrd, *([image] if image else [])):
        if not file.is_file():
            raise RackError(f"{file} is no file")
    results = {server.number: Floor(server.name, server.firmware, server.disk) for server in rack.servers}
    with tempfile.TemporaryDirectory(prefix="rack-floor-") as folder:
        with PlainNetboot(rack, Path(folder)) as plain:
            measurement = Measurement(rack, options.append)
            started, loaded = plain.offer("kernel", kernel), plain.offer("initrd", initrd)
            if image:
                build(Path(folder, "floor.cpio"), initrd)
                streaming, source = plain.offer("floor", Path(folder, "floor.cpio")), plain.offer("image", image)

            def part(server: Server) -> None:
                result = results[server.number]
                measurement.netboot_to_init(plain, server, started, loaded, result)
                if image:
                    measurement.stream_to_disk(plain, server, started, streaming, source, result)
                    if options.registered:
                        measurement.disk_to_registered(server, options.registered, result)

            for group in [[server] for server in rack.servers] if options.one_by_one else [list(rack.servers)]:
                all_at_once(part, group)
    return [results[server.number] for server in rack.servers]


def table(floors: list[Floor]) -> str:
    header = ["SERVER", "FIRMWARE", "DISK", "KERNEL", "INIT (a)", "STREAM (b)", "DISK (c)", "FLOOR"]
    rows = [
        [floor.server, floor.firmware, floor.disk, *map(_seconds, (floor.kernel, floor.netboot, floor.stream))]
        + [_seconds(floor.disk_start), _seconds(floor.total)]
        for floor in floors
    ]
    return aligned([header, *rows])


def to_json(floors: list[Floor]) -> str:
    return json.dumps([{**asdict(floor), "total": floor.total} for floor in floors], indent=2)


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("floor", help="measure the floor on a rack made for it")
    add_shape_options(parser, name="floor")
    add = parser.add_argument
    add("--kernel", type=Path, required=True, metavar="FILE")
    add("--initrd", type=Path, required=True, metavar="FILE", help="its modules serve the streaming part, too")
    add("--image", type=Path, metavar="FILE.raw.zst", help="without it only part a is measured")
    add("--append", default="", metavar="WORDS", help="more kernel arguments")
    add("--registered", default=REGISTERED_PATTERN, metavar="REGEX", help="serial line that ends part c; '' skips it")
    add("--one-by-one", action="store_true", help="each server alone, not all at once")
    add("--json", type=Path, metavar="FILE", help="write the figures here, too")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    rack = planned(options)
    if any(server.firmware == "secureboot" for server in rack.servers):
        raise RackError("the floor starts iPXE, which Secure Boot refuses: use --firmware uefi or bios")
    lifecycle.up(rack)
    try:
        floors = measure(rack, options.kernel, options.initrd, options.image, options)
    finally:
        lifecycle.down(rack.name, keep_state=False)
    if options.json:
        options.json.write_text(to_json(floors) + "\n")
    print(to_json(floors))
    print(table(floors))


def _script(kernel: str, initrd: str, arguments: str) -> list[str]:
    # iPXE under UEFI hands the initrd over by its name.
    return [f"kernel {kernel} initrd=initrd {arguments}", f"initrd --name initrd {initrd}", "boot"]


def _address(rack: Rack, server: Server) -> str:
    """Outside dnsmasq's pool and the BMCs'."""
    return ".".join([*rack.service_address.split(".")[:3], str(200 + server.number)])


def all_at_once(work: Callable[[Server], None], servers: list[Server]) -> None:
    errors: list[BaseException] = []

    def guarded(server: Server) -> None:
        try:
            work(server)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(server,), name=server.name) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"

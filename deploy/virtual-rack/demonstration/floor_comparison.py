"""The demo's times beside the floor of the same servers (see virtual_rack/floor.py), measured right after them."""

from __future__ import annotations

import argparse
import dataclasses
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from virtual_rack import floor, lifecycle, places, power
from virtual_rack.errors import RackError
from virtual_rack.floor import Floor, Measurement
from virtual_rack.shape import Rack
from virtual_rack.status import aligned

PATTERN = floor.REGISTERED_PATTERN
# The target for power-on to registered, as a multiple of the floor.
TARGET = 1.5


def measure(
    rack: Rack, kernel: Path, initrd: Path, reference_os: Path, pattern: str, times: dict[str, float]
) -> tuple[list[str], list[dict[str, Any]]]:
    """A table and its figures. Part c runs in the demo's rack, whose daemon answers; a and b in an equal one."""
    installed = Measurement(rack)
    disk_starts = {server.number: Floor(server.name, server.firmware, server.disk) for server in rack.servers}
    floor.all_at_once(
        lambda server: installed.disk_to_registered(server, pattern, disk_starts[server.number]), list(rack.servers)
    )
    # The same cores cannot do both.
    for server in rack.servers:
        power.cut(rack, server)
    floors = _plain_parts(rack, kernel, initrd, _image(reference_os))
    for server in rack.servers:
        power.on(rack, server)
    for measured in floors:
        number = next(server.number for server in rack.servers if server.name == measured.server)
        measured.disk_start = disk_starts[number].disk_start
    return _table(floors, times), [_figures(measured, times) for measured in floors]


def _plain_parts(rack: Rack, kernel: Path, initrd: Path, image: Path) -> list[Floor]:
    name = f"{rack.name[:14]}-floor"
    twin = dataclasses.replace(rack, name=name, state=str(places.default_state(name)))
    lifecycle.up(twin)
    try:
        options = argparse.Namespace(append="", registered="", one_by_one=False)
        return floor.measure(twin, kernel, initrd, image, options)
    finally:
        lifecycle.down(twin.name, keep_state=False)


def _image(reference_os: Path) -> Path:
    description = reference_os / "release.json"
    image = reference_os / str(json.loads(description.read_text())["image"])
    if image.suffix != ".zst":
        raise RackError(f"{image}: the floor streams zstd images only")
    return image


def _ratio(measured: Floor, times: dict[str, float]) -> float | None:
    return None if not measured.total else times[measured.server] / measured.total


def _figures(measured: Floor, times: dict[str, float]) -> dict[str, Any]:
    ratio = _ratio(measured, times)
    return {
        **asdict(measured),
        "total": measured.total,
        "slipway": round(times[measured.server], 2),
        "ratio": None if ratio is None else round(ratio, 2),
    }


def _table(floors: list[Floor], times: dict[str, float]) -> list[str]:
    header = ["SERVER", "FIRMWARE", "INIT (a)", "STREAM (b)", "DISK (c)", "FLOOR", "SLIPWAY", "RATIO"]
    rows = [header]
    for measured in floors:
        ratio = _ratio(measured, times)
        parts = (measured.netboot, measured.stream, measured.disk_start, measured.total, times[measured.server])
        seconds = ["-" if value is None else f"{value:.1f} s" for value in parts]
        rows.append([measured.server, measured.firmware, *seconds, "-" if ratio is None else f"{ratio:.2f}"])
    return [aligned(rows), f"Target: at most {TARGET} times the floor."]

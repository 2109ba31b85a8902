"""What `rack status` shows, as data and as text."""

from __future__ import annotations

from typing import Any

from . import bmc, power
from .places import Places
from .processes import recorded
from .shape import Rack
from .supervisor import Status


def describe(rack: Rack) -> dict[str, Any]:
    """Everything a test or a person needs to reach the rack, without the BMCs' password."""
    here = Places(rack)
    return {
        "name": rack.name,
        "namespace": rack.namespace,
        "bridge": rack.bridge,
        "address": f"{rack.service_address}/{rack.prefix_length}",
        "accelerator": rack.accelerator,
        "state": rack.state,
        "credentials": str(here.credentials),
        "servers": [_describe_server(rack, number) for number in range(1, len(rack.servers) + 1)],
    }


def table(rack: Rack) -> str:
    header = ["SERVER", "FIRMWARE", "DISK", "POWER", "STARTS", "MAC", "BMC", "SERIAL"]
    rows = [
        [
            *(str(value["number"]), value["firmware"], value["disk"], value["power"], str(value["firmwareStarts"])),
            *(value["mac"], value["bmc"]["address"], value["serial"]),
        ]
        for value in describe(rack)["servers"]
    ]
    return aligned([header, *rows])


def aligned(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def _describe_server(rack: Rack, number: int) -> dict[str, Any]:
    server = rack.server(number)
    files = Places(rack).server(server)
    status = Status.load(files)
    # A supervisor that was killed could not write its last word.
    on = power.is_on(files)
    return {
        "number": server.number,
        "name": server.name,
        "firmware": server.firmware,
        "disk": server.disk,
        "power": "on" if on else "off",
        "pid": status.pid if on else None,
        "poweredOnAt": status.powered_on_at,
        "poweredOffAt": status.powered_off_at,
        "stoppedBy": None if on else status.stopped_by,
        "firmwareStarts": status.firmware_starts,
        "powerOns": status.power_ons,
        "totalFirmwareStarts": status.total_firmware_starts,
        "mac": server.mac,
        "uuid": server.uuid,
        "serial": server.serial,
        "assetTag": server.asset_tag,
        "diskSerial": server.disk_serial,
        "diskFile": str(files.disk),
        "serialLog": str(files.serial_log),
        "events": str(files.events),
        "bmc": {"address": server.bmc_address, "port": bmc.PORT, "running": recorded(files.bmc_pid) is not None},
    }

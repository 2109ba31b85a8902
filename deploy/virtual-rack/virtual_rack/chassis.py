"""What ipmi_sim runs for chassis commands: `chassis.py RACK NUMBER get NAME` or `... set NAME VALUE`.

ipmi_sim answers nobody until this returns, so reading the power imports nothing but the standard library's core and
starting a machine does not wait for it to boot. Started with -I -S: no site packages, no environment.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from virtual_rack import places, power  # noqa: E402
from virtual_rack.errors import RackError  # noqa: E402
from virtual_rack.qemu import StartFrom  # noqa: E402


def main(arguments: list[str]) -> int:
    rack_name, number, verb, *rest = arguments
    rack = places.load(rack_name)
    server = rack.server(int(number))
    here = places.Places(rack).server(server)
    with (here.bmc / "chassis.log").open("a") as log:
        log.write(f"{time.time():.3f} {verb} {' '.join(rest)}\n")
    if verb == "get":
        answers = {"power": "1" if power.is_on(here) else "0"}
        for name in rest:
            print(f"{name}:{answers.get(name, 'default')}")
        return 0
    for name, value in zip(rest[0::2], rest[1::2]):
        if name == "power" and value == "1":
            power.on(rack, server, next_start(here))
        elif name == "power":
            power.cut(rack, server)
        elif name == "reset":
            power.reset(rack, server)
        elif name == "shutdown":
            power.press_power_button(rack, server)
        elif name == "boot":
            # Without the valid, persistent and EFI bits: for one start, as all overrides that Slipway sets. A disk is "default".
            boot_override(here).write_text("disk" if value == "default" else value)
    return 0


def boot_override(here: places.ServerPlaces) -> Path:
    """Holds from where the next start is to be, `disk` or the network; read once."""
    return here.bmc / "boot-once"


def next_start(here: places.ServerPlaces) -> StartFrom:
    """From where the next start is to be; the one after it is from the network again."""
    override = boot_override(here)
    value = override.read_text() if override.exists() else ""
    override.unlink(missing_ok=True)
    return "disk" if value == "disk" else "network"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RackError as error:
        print(error, file=sys.stderr)
        sys.exit(1)

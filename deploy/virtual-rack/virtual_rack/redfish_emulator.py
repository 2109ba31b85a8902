"""What runs as a server's Redfish service: `redfish_emulator.py RACK NUMBER USER FOLDER`, in the environment of `make deps`.

sushy-tools' own Fake driver keeps a machine's state in a file; here it is the state of the rack's server.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bcrypt
from sushy_tools import error
from sushy_tools.emulator import main as emulator
from sushy_tools.emulator.resources.systems import fakedriver

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from virtual_rack import places, power  # noqa: E402
from virtual_rack.chassis import boot_override, next_start  # noqa: E402
from virtual_rack.errors import RackError  # noqa: E402
from virtual_rack.redfish import PORT  # noqa: E402
from virtual_rack.shape import Rack, Server  # noqa: E402

_rack: Rack
_server: Server


class RackDriver(fakedriver.FakeDriver):
    """The one system of this service."""

    def get_power_state(self, identity: str) -> str:
        self._get(identity)
        return "On" if power.is_on(_here()) else "Off"

    def set_power_state(self, identity: str, state: str) -> None:
        self._get(identity)
        try:
            if state in ("On", "ForceOn"):
                power.on(_rack, _server, next_start(_here()))
            elif state == "ForceOff":
                power.cut(_rack, _server)
            elif state == "GracefulShutdown":
                power.press_power_button(_rack, _server)
            elif state in ("ForceRestart", "GracefulRestart") and boot_override(_here()).exists():
                # QEMU takes its boot order at its start only.
                power.cut(_rack, _server)
                power.on(_rack, _server, next_start(_here()))
            elif state in ("ForceRestart", "GracefulRestart"):
                power.reset(_rack, _server)
            else:
                raise error.NotSupportedError(f"{state} is not supported")
        except RackError as problem:
            raise error.FishyError(str(problem)) from problem

    def get_boot_device(self, identity: str) -> str:
        return str(self._get(identity).get("boot_device", "Pxe"))

    def set_boot_device(self, identity: str, boot_source: str) -> None:
        super().set_boot_device(identity, boot_source)
        boot_override(_here()).write_text("disk" if boot_source == "Hdd" else "network")


def _here() -> places.ServerPlaces:
    return places.Places(_rack).server(_server)


def main(arguments: list[str]) -> None:
    global _rack, _server
    rack_name, number, user, folder = arguments
    _rack = places.load(rack_name)
    _server = _rack.server(int(number))
    accounts = Path(folder) / "accounts"
    password = (Path(folder) / "password").read_bytes()
    # The least work that bcrypt takes: the emulator checks the password of each request.
    accounts.write_text(f"{user}:{bcrypt.hashpw(password, bcrypt.gensalt(4)).decode()}\n")
    system: dict[str, Any] = {"uuid": _server.uuid, "name": _server.name, "power_state": "Off"}
    system["nics"] = [{"mac": _server.mac, "ip": "0.0.0.0"}]
    fakedriver.FakeDriver = RackDriver  # type: ignore[misc]
    emulator.app.configure(
        extra_config={
            "SUSHY_EMULATOR_FAKE_DRIVER": True,
            "SUSHY_EMULATOR_FAKE_SYSTEMS": [system],
            "SUSHY_EMULATOR_STATE_DIR": folder,
            "SUSHY_EMULATOR_AUTH_FILE": str(accounts),
            "SUSHY_EMULATOR_SSL_CERT": f"{folder}/certificate.pem",
            "SUSHY_EMULATOR_SSL_KEY": f"{folder}/key.pem",
            "SUSHY_EMULATOR_LISTEN_IP": _server.bmc_address,
            "SUSHY_EMULATOR_LISTEN_PORT": PORT,
        }
    )
    sys.argv = ["sushy-emulator", "--fake"]
    emulator.main()


if __name__ == "__main__":
    main(sys.argv[1:])

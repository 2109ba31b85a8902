"""A Redfish service per server: sushy-tools' emulator over TLS, whose power is the server's real power."""

from __future__ import annotations

import subprocess
from pathlib import Path

from . import network, places, processes
from .errors import RackError
from .places import Places
from .shape import Rack, Server

PORT = 443
_PYTHON = places.PROJECT_ROOT / ".cache" / "python" / "bin" / "python"


def start(rack: Rack, server: Server, user: str, password: str) -> None:
    if not _PYTHON.exists():
        raise RackError(f"{_PYTHON} is missing: run `make deps`")
    here = Places(rack).server(server)
    folder = here.bmc / "redfish"
    folder.mkdir(mode=0o700)
    _make_certificate(server, folder)
    secret = folder / "password"
    secret.touch(0o600)
    secret.write_text(password)
    program = places.PACKAGE_PARENT / "virtual_rack" / "redfish_emulator.py"
    arguments = [str(_PYTHON), str(program), rack.name, str(server.number), user, str(folder)]
    pid = processes.start_detached([*network.inside(rack), *arguments], folder / "emulator.log")
    processes.record(here.redfish_pid, pid)
    # It imports for a second or two; its socket appears in the namespace's table of TCP sockets.
    if not processes.wait_until(lambda: _listens(pid, server) or not processes.is_running(pid), 60):
        raise RackError(f"the Redfish service of {server.name} does not listen on {server.bmc_address}: see {folder}")
    if not processes.is_running(pid):
        words = (folder / "emulator.log").read_text(errors="replace").strip().splitlines()[-1:] or ["no output"]
        raise RackError(f"the Redfish service of {server.name} did not start: {words[0]}")


def _make_certificate(server: Server, folder: Path) -> None:
    """Self-signed and of no name that anybody checks, as BMCs come from the factory."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650"),
            *("-subj", f"/O=Virtual Rack/CN=bmc-{server.serial}"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
    )


def _listens(pid: int, server: Server) -> bool:
    octets = [int(octet) for octet in server.bmc_address.split(".")]
    wanted = f"{octets[3]:02X}{octets[2]:02X}{octets[1]:02X}{octets[0]:02X}:{PORT:04X}"
    try:
        table = Path(f"/proc/{pid}/net/tcp").read_text()
    except OSError:
        return False
    # 0A: listening.
    return any(line.split()[1] == wanted and line.split()[3] == "0A" for line in table.splitlines()[1:])

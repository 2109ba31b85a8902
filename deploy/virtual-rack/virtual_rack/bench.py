"""What a scenario works with: slipwayd on a switch port, machines behind it, and their words."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from virtual_rack.switch_port import SwitchPort

PROJECT = Path(__file__).resolve().parents[3]
# A kernel for arm64, and boot files whose GRUB knows our address.
ARM64 = PROJECT / ".cache/arm64-image"
ADDRESS, OTHER = "10.97.0.1", "10.97.0.2"
ADDRESS6, PREFIX6 = "fd97::1", "fd97::/64"
POOL = "    subnet: 10.97.0.0/24\n    mode: pool\n    pools: [10.97.0.50-10.97.0.59]\n"
MAC = "00:16:3e:00:00:61"


def prepare_arm64() -> None:
    """What the scenario arm64 needs of Debian's archive, which nobody reaches from inside."""
    tools = PROJECT / "deploy/boot-files"
    subprocess.run([tools / "tests/arm64-image", ARM64], check=True)
    subprocess.run([tools / "build", ARM64 / "boot-files", f"SERVER={ADDRESS}"], check=True)


Neighbour = Callable[[], contextlib.AbstractContextManager[None]]


class Failed(Exception):
    """Something did not happen in its time."""


@dataclass
class Bench:
    files: Path
    agent: Path
    folder: Path

    # What the profile of every machine says besides.
    boot: str = ""
    # A profile of its own, ahead of all others.
    profile: str = ""
    # Of a trunk whose native VLAN the machine boots from; None: an ordinary port.
    trunk: int | None = None

    def profiles(self) -> Path:
        own = self.folder / "hardware-profiles"
        shutil.rmtree(own, ignore_errors=True)
        shutil.copytree(PROJECT / "hardware-profiles", own)
        for file in own.glob("*.yaml"):
            file.write_text(file.read_text() + self.boot)
        if self.profile:
            (own / "own.yaml").write_text(self.profile)
        return own

    @contextlib.contextmanager
    def network(self, subnet: str = POOL, extra: str = "", address6: str = "", before: Neighbour | None = None) -> Iterator[SwitchPort]:
        """A switch port that slipwayd serves."""
        with SwitchPort(self.folder, "lan0", f"{ADDRESS}/24", self.trunk, native=True) as port:
            if address6:
                subprocess.run(["ip", "-6", "address", "add", address6, "dev", "lan0", "nodad"], check=True)
            (self.folder / "slipwayd.yaml").write_text(
                f"address: {ADDRESS}\nstate_directory: {self.folder}/state\n"
                f"hardware_profiles: {self.profiles()}\nipxe_scripts: {PROJECT}/ipxe-scripts\n"
                f"agent_image: {self.agent}\nboot_files: {self.files}\n{extra}dhcp:\n  - interface: lan0\n{subnet}"
            )
            command = [str(PROJECT / ".build/debug/slipwayd"), "--config", str(self.folder / "slipwayd.yaml")]
            log = self.folder / "slipwayd.log"
            with before() if before else contextlib.nullcontext(), log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as daemon:
                try:
                    wait(log, "listening on", 30)
                    yield port
                finally:
                    daemon.kill()

    @contextlib.contextmanager
    def other_server(self, *options: str, shares: bool = True) -> Iterator[None]:
        """dnsmasq beside slipwayd, on an address of its own: it gives the addresses. Unless it shares it has port 67 for itself."""
        subprocess.run(["ip", "address", "replace", f"{OTHER}/24", "dev", "lan0"], check=True)
        command = [
            *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root", "--pid-file="),
            *("--leasefile-ro", "--no-ping", "--log-facility=-", "--interface=lan0"),
            *(["--bind-dynamic"] if shares else []),
            *("--dhcp-range=10.97.0.100,10.97.0.150,255.255.255.0,1h", *options),
        ]
        log = self.folder / "dnsmasq.log"
        with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
            try:
                wait(log, "DHCP, ", 10)
                yield
            finally:
                server.kill()

    @contextlib.contextmanager
    def other_host(self, *options: str) -> Iterator[None]:
        """dnsmasq on another host of the network: as far as anybody can tell from outside."""
        begin = f"read go; ip address add {OTHER}/24 dev other0; ip link set other0 up; exec " + '"$@"'
        command = [
            *("unshare", "--net", "sh", "-ec", begin, "sh"),
            *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root", "--pid-file="),
            *("--leasefile-ro", "--no-ping", "--log-facility=-", "--log-dhcp", "--interface=other0"),
            *("--dhcp-range=10.97.0.100,10.97.0.150,255.255.255.0,1h", *options),
        ]
        log = self.folder / "dnsmasq.log"
        subprocess.run("ip link add link lan0 name other0 type macvlan mode bridge".split(), check=True)
        with log.open("wb") as output, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output) as host:
            try:
                while os.readlink(f"/proc/{host.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
                    time.sleep(0.01)
                subprocess.run(["ip", "link", "set", "other0", "netns", str(host.pid)], check=True)
                assert host.stdin
                host.stdin.write(b"go\n")
                host.stdin.flush()
                wait(log, "DHCP, ", 10)
                yield
            finally:
                host.kill()

    @contextlib.contextmanager
    def router(self, managed: bool) -> Iterator[None]:
        """radvd as the router of an IPv6 network: who has no address of DHCPv6 (managed) makes one of the prefix."""
        settings = self.folder / "radvd.conf"
        flags = "AdvManagedFlag on;" if managed else "AdvOtherConfigFlag on;"
        autonomous = "off" if managed else "on"
        settings.write_text(
            f"interface lan0 {{ AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; {flags}\n"
            f"prefix {PREFIX6} {{ AdvOnLink on; AdvAutonomous {autonomous}; }}; }};\n"
        )
        settings.chmod(0o644)
        log = self.folder / "radvd.log"
        command = ["radvd", "--nodaemon", "--logmethod=stderr", f"--config={settings}", f"--pidfile={self.folder}/radvd.pid"]
        with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as router:
            try:
                wait(log, "started", 10)
                yield
            finally:
                router.kill()

    @contextlib.contextmanager
    def machine(self, command: list[str], memory: int = 768) -> Iterator[Machine]:
        console, control = self.folder / "serial.log", self.folder / "qmp"
        for file in (console, control):
            file.unlink(missing_ok=True)
        common = [
            *("-nodefaults", "-no-user-config", "-m", str(memory), "-display", "none", "-serial", f"file:{console}"),
            *("-qmp", f"unix:{control},server=on,wait=off"),
        ]
        with subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command, *common], stdin=subprocess.DEVNULL) as qemu:
            try:
                yield Machine(console, control)
            finally:
                qemu.kill()

    def authorities(self, pem: Path) -> list[str]:
        """Gives OVMF a CA: a list of one X.509 certificate (UEFI 2.10 §32.4.1, EFI_SIGNATURE_LIST)."""
        certificate = ssl.PEM_cert_to_DER_cert(pem.read_text())
        kind = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072").bytes_le
        file = self.folder / "authorities.esl"
        file.write_bytes(
            kind + struct.pack("<III", 44 + len(certificate), 0, 16 + len(certificate)) + bytes(16) + certificate)
        return ["-fw_cfg", f"name=etc/edk2/https/cacerts,file={file}"]

    def slipway(self, *arguments: str) -> str:
        state = self.folder / "state"
        environment = os.environ | {
            "SLIPWAY_SERVER": f"https://{ADDRESS}:8443", "SLIPWAY_CA": str(state / "ca.pem"),
            "SLIPWAY_TOKEN": (state / "admin.token").read_text().strip(),
        }
        command = [str(PROJECT / ".build/debug/slipway"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    def sees(self, words: str, seconds: float, *question: str) -> None:
        """Waits until the answer of the CLI holds the words; what boots are known, unless another question is asked."""
        deadline = time.monotonic() + seconds
        while words not in (answer := self.slipway(*(question or ("boot", "list")))):
            if time.monotonic() > deadline:
                raise Failed(f"no {words!r} in:\n{answer}")
            time.sleep(0.5)


@dataclass
class Machine:
    console: Path
    control: Path

    def says(self, words: str, seconds: float, times: int = 1) -> None:
        wait(self.console, words, seconds, times)

    def reset(self) -> None:
        """The button on its front."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self.control))
            stream = monitor.makefile("rw")
            for command in ("qmp_capabilities", "system_reset"):
                stream.write(json.dumps({"execute": command}) + "\n")
                stream.flush()
                while "return" not in json.loads(stream.readline()):
                    pass


def firmware(folder: Path, code: str, variables: str) -> list[str]:
    own = folder / "variables.fd"
    shutil.copy(variables, own)
    return [
        *("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}"),
        *("-drive", f"if=pflash,unit=1,format=raw,file={own}"),
    ]


def wait(log: Path, words: str, seconds: float, times: int = 1) -> None:
    deadline = time.monotonic() + seconds
    while (text := log.read_text(errors="replace") if log.exists() else "").count(words) < times:
        if time.monotonic() > deadline:
            raise Failed(f"no {words!r} in {log.name}, which ends with:\n{text[-3000:]}")
        time.sleep(0.05)

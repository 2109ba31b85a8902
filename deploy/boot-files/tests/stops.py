"""Boots that stop, each of one cause that is made here, and what a person is told."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from virtual_rack.bench import ADDRESS, OTHER, POOL, Bench

Lost = Callable[[bytes], bool]
_TCP, _UDP = 6, 17

_ONE_ADDRESS = "10.97.0.50"


@dataclass
class Stop:
    """`before` changes the copies of boot files and agent that slipwayd serves, once it runs; `lost` makes a firewall on the way to it."""

    cause: str
    words: str
    firmware: str
    subnet: str = POOL
    settings: str = ""
    before: Callable[[Bench], None] = lambda _: None
    seconds: float = 90
    lost: Callable[[], Lost] = lambda: lambda _: False
    # Options of a DHCP server on another host of the network.
    beside: tuple[str, ...] = ()


def _to(protocol: int, ports: range) -> Lost:
    """Packets of IPv4 to these ports."""

    def matches(frame: bytes) -> bool:
        if frame[12:14] != b"\x08\x00" or frame[23] != protocol:
            return False
        transport = 14 + (frame[14] & 15) * 4
        return int.from_bytes(frame[transport + 2:transport + 4]) in ports

    return matches


def _after(count: int, matches: Lost) -> Lost:
    """All but the first `count` of them."""
    rest = iter(range(count))
    return lambda frame: matches(frame) and next(rest, None) is None


_HTTP = _to(_TCP, range(8080, 8081))
# Where the acknowledgments of a transfer go.
_TRANSFERS = _to(_UDP, range(10000, 65536))

# One address, and that is somebody else's.
_TAKEN = f'{POOL.replace("10.97.0.59", _ONE_ADDRESS)}    reservations: [{{mac: "02:00:00:00:00:01", address: {_ONE_ADDRESS}}}]\n'

STOPS = [
    Stop("ignored", "Slipway is not to serve it", "bios", settings="unknown_machines: ignore\n"),
    Stop("fileMissing", "it asked for snponly.efi by TFTP", "uefi", before=lambda bench: (bench.files / "snponly.efi").unlink()),
    Stop("fileMissing", "it asked for /agent/vmlinuz by HTTP", "bios", before=lambda bench: (bench.agent / "vmlinuz").unlink()),
    Stop("noFreeAddress", "every address of its subnet is taken", "bios", subnet=_TAKEN),
    # The firmware asks port 69, where nobody listens.
    Stop("noTransfer", "it never asked for the file", "uefi", settings="tftp_port: 6969\n", seconds=150),
    Stop(
        "programSilent", "it fetched grubx64.efi, and no configuration", "uefi",
        settings="boot_programs: {7: grubx64.efi, 9: grubx64.efi}\n",
        before=lambda bench: (bench.files / "grubx64.efi").write_bytes(bytes(65536)), seconds=180),
    # A kernel without its initramfs panics.
    Stop(
        "noAgent", "the agent opened no session", "bios", before=lambda bench: (bench.agent / "initrd").write_bytes(bytes(4096)),
        seconds=330),
    # And one that is told to restarts.
    Stop(
        "loop", "attempts in a row ended at the same stage", "bios", settings='agent_arguments: ["panic=1"]\n',
        before=lambda bench: (bench.agent / "initrd").write_bytes(bytes(4096)), seconds=330),
    Stop("noProgram", "a boot program for architecture 6: there is none", "ia32"),
    Stop("noScript", "it cannot reach the boot HTTP server", "bios", lost=lambda: _HTTP, seconds=180),
    Stop("noKernel", "it did not fetch the kernel", "bios", lost=lambda: lambda frame: b"GET /agent/vmlinuz" in frame, seconds=240),
    Stop("transferBroken", "the client closed the connection or vanished", "bios", lost=lambda: _after(300, _HTTP), seconds=240),
    Stop("tftpNegotiation", "did not answer the options we acknowledged", "uefi", lost=lambda: _TRANSFERS, seconds=240),
    Stop("tftpStalled", "packets are lost on the way", "uefi", lost=lambda: _after(20, _TRANSFERS), seconds=240),
    # iPXE takes the offer with the highest number (option 175.1).
    Stop("otherServer", f"it took the offer of {OTHER}", "bios", beside=("--dhcp-option-force=encap:175,1,100b",)),
    # Somebody else's configuration names our script, and not for whom.
    Stop(
        "scriptMissing", "no script has that address", "bios", subnet="    mode: proxy\n",
        beside=(f"--dhcp-boot=http://{ADDRESS}:8080/boot/ipxe", "--dhcp-option-force=encap:175,1,100b")),
    # Nobody gives an address beside which the offer would mean something.
    Stop("offerNotFollowed", "the firmware did not take the offer", "bios", subnet="    mode: proxy\n", seconds=240),
]


def run(bench: Bench, stop: Stop, machine: Callable[..., list[str]]) -> None:
    files, agent = bench.files, bench.agent
    bench.files, bench.agent = bench.folder / "files", bench.folder / "agent"
    # A machine that has a lease is not asked to share it.
    shutil.rmtree(bench.folder / "state", ignore_errors=True)
    try:
        for source, copy in ((files, bench.files), (agent, bench.agent)):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns(".*"))
        beside = bench.other_host(*stop.beside) if stop.beside else contextlib.nullcontext()
        with bench.network(stop.subnet, stop.settings) as port, beside:
            stop.before(bench)
            port.lost = stop.lost()
            with bench.machine(machine(bench, port)):
                bench.sees(stop.words, stop.seconds)
    finally:
        bench.files, bench.agent = files, agent
    print(f"  {stop.cause}: {stop.words}", flush=True)

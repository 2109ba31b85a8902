"""Boots that stop, each of one cause that is made here, and what a person is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from .bench import POOL, Bench

_ONE_ADDRESS = "10.97.0.50"


@dataclass
class Stop:
    """`before` changes the copies of boot files and agent that slipwayd serves, once it runs."""

    cause: str
    words: str
    firmware: str
    subnet: str = POOL
    settings: str = ""
    before: Callable[[Bench], None] = lambda _: None
    seconds: float = 90


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
        with bench.network(stop.subnet, stop.settings) as port:
            stop.before(bench)
            with bench.machine(machine(bench, port)):
                bench.sees(stop.words, stop.seconds)
    finally:
        bench.files, bench.agent = files, agent
    print(f"  {stop.cause}: {stop.words}", flush=True)

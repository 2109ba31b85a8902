"""What the agent reads of a machine with a disk of each kind, two NICs, a TPM, a BMC inside and a switch that says its name."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from virtual_rack.switch_port import SwitchPort

from virtual_rack.bench import MAC, Bench, Failed, wait

_SECOND = "00:16:3e:00:00:62"
_UUID = "4c4c4544-0042-3510-8052-b4c04f4e3132"
_BMC, _BMC_MAC = "10.97.0.9", "b8:ca:3a:00:00:09"
_SMBIOS = (
    f"type=1,manufacturer=Slipway,product=Inventory,serial=INV-1,sku=SKU-1,uuid={_UUID}",
    "type=2,manufacturer=Boards,product=B1,serial=BOARD-1",
    "type=3,manufacturer=Cases,serial=CASE-1,asset=A-1",
    "type=17,loc_pfx=DIMM,manufacturer=Samsung,serial=0123ABCD,part=M393A2K43DB3,speed=3200",
)


def run(bench: Bench) -> None:
    key = _endorsement_key(bench)
    with bench.network() as port, _bmc(bench) as inside, _switch(bench), _tpm(bench):
        with bench.machine(_machine(bench, port, inside, second=True)) as machine:
            machine.says("hardware reported", 240)
            report = _report(bench)
            _compare(report)
            _equal("TPM", report["tpm"], {"version": "2.0", "endorsementKeyHash": key})
            bench.sees('"leaf-7"', 90, "machine", "show", MAC, "--format", "json")
            neighbour = next(nic["neighbour"] for nic in _report(bench)["nics"] if nic["mac"] == MAC)
            _equal("neighbour", (neighbour["system"], neighbour["port"]), ("leaf-7", "Ethernet1/7"))
            _make_user(bench)
        # A NIC is taken out, and a module is another.
        with bench.machine(_machine(bench, port, inside, second=False)) as machine:
            machine.says("hardware reported", 240)
            bench.sees(f"NIC {_SECOND} gone", 30, "machine", "diff", MAC)
            bench.sees("memory module DIMM 0 serial: 0123ABCD → 0123ABCE", 10, "machine", "diff", MAC)


def _make_user(bench: Bench) -> None:
    """The agent makes a user in the BMC from within; the daemon logs in as that user on the LAN."""
    bench.slipway("machine", "accept", MAC, "--name", "inventory")
    made = bench.slipway("machine", "bmc", "set-up", "inventory", "--user", "slipway")
    if _BMC not in made:
        raise Failed(f"the BMC's user: {made}")
    _equal("power by the new user", bench.slipway("machine", "power", "status", "inventory").strip(), "on")
    shown = bench.slipway("machine", "bmc", "show", "inventory")
    if "IPMI 2.0" not in shown:
        raise Failed(f"the BMC by the new user: {shown}")


def _machine(bench: Bench, port: SwitchPort, bmc: int, *, second: bool) -> list[str]:
    for name in ("nvme", "sata", "virtio"):
        with (bench.folder / f"{name}.raw").open("wb") as disk:
            disk.truncate(2 << 30)
    smbios = _SMBIOS if second else tuple(text.replace("0123ABCD", "0123ABCE") for text in _SMBIOS)
    drives = (f"if=none,id={name},format=raw,file={bench.folder}/{name}.raw" for name in ("nvme", "sata", "virtio"))
    return [
        *("qemu-system-x86_64", "-machine", "q35,graphics=off", "-accel", "tcg,thread=multi", "-smp", "2", "-cpu", "max"),
        *("-vga", "none", "-netdev", port.netdev, "-device", f"virtio-net-pci,netdev=net0,mac={MAC},bootindex=0"),
        *(("-netdev", "hubport,id=net1,hubid=1", "-device", f"e1000e,netdev=net1,mac={_SECOND},romfile=") if second else ()),
        *(part for text in smbios for part in ("-smbios", text)),
        *(part for drive in drives for part in ("-drive", drive)),
        *("-device", "nvme,drive=nvme,serial=NVME-1", "-device", "ide-hd,bus=ide.0,drive=sata,serial=SATA-1"),
        *("-device", "virtio-blk-pci,drive=virtio,serial=VIRTIO-1"),
        *("-chardev", f"socket,id=tpm0,path={bench.folder}/tpm.ctrl", "-tpmdev", "emulator,id=tpm0,chardev=tpm0"),
        # Of each kind that Debian's kernel has built in.
        *("-device", f"{'tpm-crb' if second else 'tpm-tis'},tpmdev=tpm0"),
        *("-chardev", f"socket,id=ipmi0,host=127.0.0.1,port={bmc},reconnect=5"),
        *("-device", "ipmi-bmc-extern,chardev=ipmi0,id=bmc0", "-device", "isa-ipmi-kcs,bmc=bmc0"),
    ]


def _report(bench: Bench) -> dict:
    return json.loads(bench.slipway("machine", "show", MAC, "--format", "json"))["hardware"]


def _compare(report: dict) -> None:
    _equal("system", report["system"], {
        "manufacturer": "Slipway", "product": "Inventory", "serial": "INV-1", "sku": "SKU-1", "uuid": _UUID})
    _equal("board", report["board"]["serial"], "BOARD-1")
    _equal("chassis", (report["chassis"]["serial"], report["chassis"]["assetTag"]), ("CASE-1", "A-1"))
    memory = report["memory"]
    _equal("memory", (memory["installedBytes"], memory["sockets"], len(memory["nodes"])), (768 << 20, 1, 1))
    _equal("module", memory["modules"], [{
        "slot": "DIMM 0", "bank": "BANK 0", "sizeBytes": 768 << 20, "speedMTps": 3200, "manufacturer": "Samsung",
        "serial": "0123ABCD", "partNumber": "M393A2K43DB3"}] if "bank" in memory["modules"][0] else [{
        "slot": "DIMM 0", "sizeBytes": 768 << 20, "speedMTps": 3200, "manufacturer": "Samsung", "serial": "0123ABCD",
        "partNumber": "M393A2K43DB3"}])
    disks = {disk["transport"]: disk for disk in report["disks"]}
    _equal("disks", {kind: disk["serial"] for kind, disk in disks.items()}, {"nvme": "NVME-1", "sata": "SATA-1", "virtio": "VIRTIO-1"})
    _equal("SATA", (disks["sata"]["model"], disks["sata"]["names"][0]), ("QEMU HARDDISK", "ata-QEMU_HARDDISK_SATA-1"))
    _equal("NVMe", disks["nvme"]["names"][-1], "nvme-QEMU_NVMe_Ctrl_NVME-1")
    for kind in ("nvme", "sata"):
        _equal(f"health of {kind}", disks[kind]["health"]["isFailing"], False)
    # QEMU's controller formats, and says of no sanitize; its SATA disk has neither security nor sanitize.
    _equal("NVMe erases by", disks["nvme"]["eraseMethods"], ["nvme-format", "discard", "overwrite"])
    _equal("SATA erases by", disks["sata"]["eraseMethods"], ["discard", "overwrite"])
    _equal("controllers", [(each["kind"], each["disks"]) for each in report["controllers"]], [("sata", 1)])
    _equal("NICs", sorted(nic["mac"] for nic in report["nics"]), [MAC, _SECOND])
    _equal("flags", "hypervisor" in report["processor"]["flags"], True)
    _equal("BMC", {key: report["bmc"].get(key) for key in ("firmware", "specification", "manufacturer", "address", "mac")},
           {"firmware": "9.08", "specification": "2.0", "manufacturer": 0x1291, "address": _BMC, "mac": _BMC_MAC})


def _equal(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise Failed(f"{what} is\n{found}, not\n{expected}")


@contextlib.contextmanager
def _bmc(bench: Bench) -> Iterator[int]:
    """OpenIPMI's simulator, on a LAN and inside the machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        inside = probe.getsockname()[1]
    subprocess.run(["ip", "address", "replace", f"{_BMC}/32", "dev", "lo"], check=True)
    # How the simulator is told what its LAN is (ipmi_lan(5), lan_config_program): `program get NAME...`.
    network = bench.folder / "network"
    network.write_text(
        f'#!/bin/sh\nshift\nfor name; do\n  case $name in\n  ip_addr) echo "ip_addr:{_BMC}" ;;\n  mac_addr) echo "mac_addr:{_BMC_MAC}" ;;\n'
        "  esac\ndone\n")
    network.chmod(0o755)
    (bench.folder / "lan.conf").write_text(
        f'name "inventory"\nset_working_mc 0x20\nstartlan 1\n  addr {_BMC} 623\n  priv_limit admin\n'
        f'  allowed_auths_admin md5\n  lan_config_program "{network}"\n  guid a123456789abcdefa123456789abcdef\nendlan\nserial 15 127.0.0.1 {inside} codec VM\n'
        # User 1 is the anonymous one: off.
        f'user 1 false "" "" user 1 none\nuser 2 true "admin" "secret" admin 10 md5\n')
    (bench.folder / "commands.emu").write_text(
        "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\nsel_enable 0x20 1000 0x0a\nmc_enable 0x20\n")
    command = ["ipmi_sim", "-n", "-c", str(bench.folder / "lan.conf"), "-f", str(bench.folder / "commands.emu"), "-s", str(bench.folder)]
    with (bench.folder / "ipmi_sim.log").open("wb") as log, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as bmc:
        try:
            yield inside
        finally:
            bmc.kill()


def _endorsement_key(bench: Bench) -> str:
    """The hash of the TPM's key as tpm2-tools tell it: its name, without the two bytes of the algorithm."""
    (bench.folder / "tpm").mkdir()
    with _tpm(bench, "--server", f"type=unixio,path={bench.folder}/tpm.socket", "--flags", "not-need-init,startup-clear",
              control="tpm.socket.ctrl"):
        environment = os.environ | {"TPM2TOOLS_TCTI": f"swtpm:path={bench.folder}/tpm.socket"}
        for command in (("tpm2_createek", "-c", "key", "-G", "ecc", "-u", "key.public"), ("tpm2_readpublic", "-c", "key", "-n", "key.name")):
            told = subprocess.run(command, cwd=bench.folder, env=environment, capture_output=True, text=True)
            if told.returncode:
                raise Failed(f"{' '.join(command)}: {told.stderr}")
    return (bench.folder / "key.name").read_bytes()[2:].hex()


@contextlib.contextmanager
def _tpm(bench: Bench, *options: str, control: str = "tpm.ctrl") -> Iterator[None]:
    """swtpm, by the control channel that QEMU speaks; its state is kept."""
    path, log = bench.folder / control, bench.folder / "swtpm.log"
    command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={bench.folder}/tpm", "--ctrl", f"type=unixio,path={path}", *options]
    with log.open("wb") as output, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output) as tpm:
        try:
            deadline = time.monotonic() + 10
            while not path.exists():
                if time.monotonic() > deadline:
                    wait(log, "never", 0)
                time.sleep(0.1)
            yield
        finally:
            tpm.kill()


@contextlib.contextmanager
def _switch(bench: Bench) -> Iterator[None]:
    """lldpd at the machine's port."""
    # Where its own user may go.
    home, log = Path("/run/lldpd"), bench.folder / "lldpd.log"
    home.mkdir(exist_ok=True)
    control = home / f"slipway-{os.getpid()}"
    command = ["lldpd", "-d", "-u", str(control), "-p", str(bench.folder / "lldpd.pid"), "-I", "lan0"]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as daemon:
        try:
            deadline = time.monotonic() + 10
            while subprocess.run(["lldpcli", "-u", str(control), "show", "chassis"], capture_output=True).returncode:
                if time.monotonic() > deadline:
                    wait(log, "never", 0)
                time.sleep(0.1)
            for words in ("lldp tx-interval 2", "system hostname leaf-7", "ports lan0 lldp portidsubtype local Ethernet1/7"):
                subprocess.run(["lldpcli", "-u", str(control), "configure", *words.split()], check=True, capture_output=True)
            yield
        finally:
            daemon.kill()
            control.unlink(missing_ok=True)

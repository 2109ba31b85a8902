"""The QEMU command line of one server: a pure function of the rack, the server and what it starts from."""

from __future__ import annotations

from typing import Literal

from .places import ServerPlaces
from .shape import Rack, Server

StartFrom = Literal["network", "disk"]

_OVMF = "/usr/share/OVMF/OVMF"
_FIRMWARE_CODE = {
    "uefi": f"{_OVMF}_CODE_4M.fd",
    "uefi-http": f"{_OVMF}_CODE_4M.fd",
    "secureboot": f"{_OVMF}_CODE_4M.ms.fd",
}
# The .ms variables hold Microsoft's keys and have Secure Boot on.
FIRMWARE_VARIABLES = {
    "uefi": f"{_OVMF}_VARS_4M.fd",
    "uefi-http": f"{_OVMF}_VARS_4M.fd",
    "secureboot": f"{_OVMF}_VARS_4M.ms.fd",
}

# What TCG does at little cost: x86-64-v2, RDRAND (without which TLS waits for entropy) and AES. QEMU's `max` has AVX2,
# too, which the guest's libraries then use and TCG emulates slowly: streaming an image took twice the CPU time.
_TCG_CPU = "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand,+aes,+pclmulqdq"


def command(rack: Rack, server: Server, places: ServerPlaces, start_from: StartFrom, watch: int) -> list[str]:
    """`watch` is a descriptor of the supervisor's QMP socket. QEMU starts paused, so that no event is missed."""
    network, disk = (1, 2) if start_from == "network" else (2, 1)
    return [
        # Should the supervisor be killed, its QEMU goes with it.
        *("setpriv", "--pdeathsig", "KILL"),
        *("qemu-system-x86_64", "-name", f"{rack.name}-{server.name}", "-nodefaults", "-no-user-config", "-S"),
        *_machine(rack, server),
        *_smbios(server),
        *_firmware(server, places),
        *_disk(server, places, disk),
        *_network(server, network),
        *_consoles(places, watch),
        *(_kcs(server) if rack.kcs else []),
        # The chipset's watchdog restarts the machine, as on a real board; QEMU has it strapped off.
        *("-global", "ICH9-LPC.noreboot=off", "-action", "watchdog=reset"),
    ]


def _machine(rack: Rack, server: Server) -> list[str]:
    # Without a graphics card firmware and kernel talk on the serial port, and TCG does not have to draw text.
    secure = ",smm=on" if server.firmware == "secureboot" else ""
    if rack.accelerator == "kvm":
        accelerator, cpu = ["-accel", "kvm"], "host"
    else:
        accelerator, cpu = ["-accel", "tcg,thread=multi"], _TCG_CPU
    return [
        *("-machine", f"q35,graphics=off{secure}", *accelerator, "-cpu", cpu),
        *("-smp", str(rack.cpus), "-m", str(rack.memory_mib), "-display", "none", "-vga", "none"),
    ]


def _smbios(server: Server) -> list[str]:
    maker = "manufacturer=Slipway"
    return [
        *("-uuid", server.uuid),
        *("-smbios", f"type=1,{maker},product=Virtual Rack,version=1,serial={server.serial},uuid={server.uuid}"),
        *("-smbios", f"type=2,{maker},product=Virtual Rack Board,serial={server.serial}-B,asset={server.asset_tag}"),
        *("-smbios", f"type=3,{maker},serial={server.serial}-C,asset={server.asset_tag}"),
    ]


def _firmware(server: Server, places: ServerPlaces) -> list[str]:
    if server.firmware == "bios":
        return []
    protected = "cfi.pflash01,property=secure,value=on"
    return [
        *(["-global", f"driver={protected}"] if server.firmware == "secureboot" else []),
        *("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={_FIRMWARE_CODE[server.firmware]}"),
        *("-drive", f"if=pflash,unit=1,format=raw,file={_quoted(str(places.variables))}"),
        # bootindex puts every network entry before the disk, and OVMF waits half a minute for PXE over IPv6.
        *("-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"),
        # UEFI HTTP boot is what is left then.
        *(("-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n") if server.firmware == "uefi-http" else ()),
    ]


def _disk(server: Server, places: ServerPlaces, boot_index: int) -> list[str]:
    backing = f"driver=raw,node-name=disk,discard=unmap,file.driver=file,file.filename={_quoted(str(places.disk))}"
    common = f"drive=disk,serial={server.disk_serial},bootindex={boot_index}"
    device = {
        "virtio": f"virtio-blk-pci,{common}",
        "nvme": f"nvme,{common}",
        "sata": f"ide-hd,bus=ide.0,model=Virtual Rack SATA,{common}",
    }[server.disk]
    return ["-blockdev", f"{backing},file.discard=unmap", "-device", device]


def _network(server: Server, boot_index: int) -> list[str]:
    # On BIOS QEMU's iPXE option ROM is what boots; OVMF has a driver and a PXE client of its own, as servers have.
    rom = "" if server.firmware == "bios" else ",romfile="
    return [
        *("-netdev", f"tap,id=net0,ifname={server.tap},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=net0,mac={server.mac},bootindex={boot_index}{rom}"),
    ]


def _consoles(places: ServerPlaces, watch: int) -> list[str]:
    console, log = _quoted(str(places.console_socket)), _quoted(str(places.serial_log))
    return [
        *("-chardev", f"socket,id=console,path={console},server=on,wait=off,logfile={log},logappend=on"),
        *("-serial", "chardev:console"),
        *("-chardev", f"socket,id=watch,fd={watch}", "-mon", "chardev=watch,mode=control"),
        *("-chardev", f"socket,id=control,path={_quoted(str(places.control_socket))},server=on,wait=off"),
        *("-mon", "chardev=control,mode=control"),
    ]


def _kcs(server: Server) -> list[str]:
    return [
        *("-chardev", f"socket,id=ipmi0,host=127.0.0.1,port={server.kcs_port},reconnect=5"),
        *("-device", "ipmi-bmc-extern,chardev=ipmi0,id=bmc0", "-device", "isa-ipmi-kcs,bmc=bmc0"),
    ]


def _quoted(value: str) -> str:
    """A value for QEMU's comma-separated options, where a comma is written twice."""
    return value.replace(",", ",,")

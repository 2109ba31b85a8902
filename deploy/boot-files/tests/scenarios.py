"""One scenario after another; each waits for what a person would see."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator

from virtual_rack.switch_port import SwitchPort

from . import inventory, stops
from virtual_rack.bench import ADDRESS, ADDRESS6, ARM64, MAC, OTHER, PREFIX6, Bench, firmware, wait

_OVMF, _AAVMF = "/usr/share/OVMF/OVMF", "/usr/share/AAVMF/AAVMF"
_PROXY = "    mode: proxy\n"
_HTTP_ONLY = {"IPv4PXESupport": "n", "IPv6PXESupport": "n"}
_SIGNED_FIRST = "boot_programs: {7: shimx64.efi}\n"


def arm64(bench: Bench) -> None:
    """GRUB says that there is no agent and tries again; with an operator's kernel and initrd it starts them, by PXE, by HTTP, and
    beside another host's DHCP server."""
    image = f"agent_image_arm64: {ARM64}\n"
    with bench.network() as port, bench.machine(_arm64(bench, port), memory=512) as machine:
        machine.says("Slipway: this Slipway has no agent for arm64", 180)
        machine.says("Slipway: this Slipway has no agent for arm64", 180, times=2)
    for transport, protocols in (("TFTP", {"IPv6PXESupport": "n"}), ("HTTP", _HTTP_ONLY)):
        with bench.network(extra=image) as port:
            _boots_arm64(bench, port, transport, **protocols)
    files, bench.files = bench.files, ARM64 / "boot-files"
    try:
        with bench.network(_PROXY, image) as port, bench.other_host():
            _boots_arm64(bench, port, "TFTP")
    finally:
        bench.files = files


def _boots_arm64(bench: Bench, port: SwitchPort, transport: str, **support: str) -> None:
    with bench.machine(_arm64(bench, port, **support), memory=512) as machine:
        # The kernel's own word, on the console that the firmware told it; `quiet` is the first of Slipway's arguments.
        machine.says("This is aarch64, booted with BOOT_IMAGE=/agent/arm64/vmlinuz quiet", 240)
        machine.says(f"slipway.mac={MAC}", 10)
        # GRUB acknowledges the last block once and is gone: by TFTP an end that got lost is told minutes later.
        end = "begins" if transport == "TFTP" else "completed"
        bench.sees(f"{transport} /agent/arm64/initrd {end}", 10, "machine", "boot-trace", MAC)


def ia32(bench: Bench) -> None:
    """An operator's own program for firmware of 32 bits on a processor of 64: GRUB, which starts the agent."""
    files, bench.files = bench.files, bench.folder / "files"
    try:
        shutil.copytree(files, bench.files, ignore=shutil.ignore_patterns(".*"))
        modules = "efinet tftp net normal configfile echo linux test search regexp sleep minicmd reboot"
        subprocess.run(["grub-mkimage", "-O", "i386-efi", "-p", "/grub", "-o", bench.files / "own-ia32.efi", *modules.split()], check=True)
        with bench.network(extra="boot_programs: {6: own-ia32.efi}\n") as port, bench.machine(_ia32(bench, port)) as machine:
            machine.says("Slipway: booting the agent", 120)
            machine.says("hardware reported", 240)
    finally:
        bench.files = files


def secure_boot(bench: Bench) -> None:
    """iPXE is refused; from then on the machine is given shim, which starts GRUB, which starts the agent."""
    with bench.network() as port, bench.machine(_secure(bench, port)) as machine:
        machine.says("Access Denied", 120)
        bench.sees("snponly.efi begins, signed by nobody", 10, "machine", "boot-trace", MAC)
        bench.sees("never asked for its script: Secure Boot is on", 90)
        machine.says("No bootable option or device was found", 120)
        machine.reset()
        machine.says("Slipway: booting the agent", 120)
        machine.says("hardware reported", 240)
        bench.sees("shimx64.efi begins, signed by Microsoft", 10, "machine", "boot-trace", MAC)
        # The agent's own word is known now.
        bench.sees('"secureBoot" : true', 10, "machine", "show", MAC, "--format", "json")


def secure_boot_beside_another_server(bench: Bench) -> None:
    """GRUB asks whoever gave the address: the trace says so, and pointing that server here helps."""
    with bench.network(_PROXY, _SIGNED_FIRST) as port:
        with bench.other_server(f"--dhcp-boot=none,,{OTHER}"), bench.machine(_secure(bench, port)):
            bench.sees("GRUB asks the server that gave the address", 180)
        with bench.other_server(f"--dhcp-boot=none,,{ADDRESS}"), bench.machine(_secure(bench, port)) as machine:
            machine.says("Slipway: booting the agent", 120)
            machine.says("hardware reported", 240)


def proxy_forms(bench: Bench) -> None:
    """OVMF follows the forms of a proxy's offer that are not the first. (SeaBIOS has no PXE of its own but iPXE, which knows one.)"""
    for form in ("boot-server", "boot-menu"):
        bench.boot = f"proxy_form: {form}\n"
        with bench.network(_PROXY) as port, bench.other_server(), bench.machine(_uefi(bench, port)) as machine:
            machine.says("hardware reported", 240)
            machine.reset()
            machine.says("hardware reported", 240, times=2)
            bench.sees(f"({form})", 10, "machine", "boot-trace", MAC)


def http_proxy(bench: Bench) -> None:
    """UEFI HTTP boot beside another host's DHCP server, which knows nothing of it."""
    with bench.network(_PROXY) as port, bench.other_host():
        with bench.machine(_uefi(bench, port, **_HTTP_ONLY)) as machine:
            machine.says("hardware reported", 240)
            bench.sees(f"boot file http://{ADDRESS}:8080/boot/files/snponly.efi", 10, "machine", "boot-trace", MAC)


def same_host(bench: Bench) -> None:
    """Another DHCP server of the same host has port 67: packets are captured and injected, and both kinds of firmware boot."""
    with bench.network(_PROXY, before=lambda: bench.other_server(shares=False)) as port:
        wait(bench.folder / "slipwayd.log", "listens by capture", 10)
        for command in (_uefi(bench, port), _bios(bench, port)):
            with bench.machine(command) as machine:
                machine.says("hardware reported", 240)
        bench.sees("agent", 10)


def https(bench: Bench) -> None:
    """UEFI HTTP boot over TLS: of firmware without a CA, of one that knows another CA only, and of one that knows ours."""
    with bench.network(extra="boot_tls_port: 8444\nfirmware_https: true\n") as port:
        command = _uefi(bench, port, **_HTTP_ONLY)
        with bench.machine(command):
            bench.sees("as firmware without any CA certificate does", 120)
        other = bench.folder / "other.pem"
        subprocess.run(
            [*"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -keyout /dev/null -out".split(), str(other)],
            check=True, capture_output=True)
        with bench.machine([*command, *bench.authorities(other)]):
            bench.sees("over TLS, which failed: the client broke off the handshake", 120)
        with bench.machine([*command, *bench.authorities(bench.folder / "state/boot-ca.pem")]) as machine:
            machine.says("hardware reported", 240)
            bench.sees(f"boot file https://{ADDRESS}:8444/boot/files/snponly.efi", 10, "machine", "boot-trace", MAC)


def ipv6(bench: Bench) -> None:
    """PXE by IPv6: DHCPv6 gives address and URL, TFTP the program, HTTP script and agent, all of it by IPv6."""
    with _network6(bench, "address") as port, bench.machine(_uefi6(bench, port)) as machine:
        machine.says("hardware reported", 240)
        _came_by_ipv6(bench, f"tftp://[{ADDRESS6}]/snponly.efi")


def ipv6_http(bench: Bench) -> None:
    """UEFI HTTP boot by IPv6."""
    with _network6(bench, "address") as port, bench.machine(_uefi6(bench, port, pxe=False)) as machine:
        machine.says("hardware reported", 240)
        _came_by_ipv6(bench, f"http://[{ADDRESS6}]:8080/boot/files/snponly.efi")


def ipv6_stateless(bench: Bench) -> None:
    """An iPXE ROM that made its address of the router's prefix asks for the script only."""
    with _network6(bench, "stateless") as port, bench.machine(_bios(bench, port)) as machine:
        machine.says("hardware reported", 240)
        _came_by_ipv6(bench)


def _came_by_ipv6(bench: Bench, *urls: str) -> None:
    for url in [*urls, f"http://[{ADDRESS6}]:8080/boot/ipxe?mac={MAC}"]:
        bench.sees(f"boot file {url}", 10, "machine", "boot-trace", MAC)


def stopping(bench: Bench) -> None:
    """What a person is told of boots that stop."""
    for stop in stops.STOPS:
        stops.run(bench, stop, {"uefi": _uefi, "ia32": _ia32, "bios": _bios}[stop.firmware])


SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "arm64": arm64,
    "ia32": ia32,
    "inventory": inventory.run,
    "stops": stopping,
    "proxy-forms": proxy_forms,
    "http-proxy": http_proxy,
    "same-host": same_host,
    "https": https,
    "ipv6": ipv6,
    "ipv6-http": ipv6_http,
    "ipv6-stateless": ipv6_stateless,
    "secure-boot": secure_boot,
    "secure-boot-proxy": secure_boot_beside_another_server,
}


def _arm64(bench: Bench, port: SwitchPort, **support: str) -> list[str]:
    return [
        *("qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a57"),
        *firmware(bench.folder, f"{_AAVMF}_CODE.fd", f"{_AAVMF}_VARS.fd"),
        *("-netdev", port.netdev, "-device", f"virtio-net-pci,netdev=net0,mac={MAC},romfile=,bootindex=0"),
        # This firmware has no network without a source of randomness.
        *("-device", "virtio-rng-pci"),
        *_supporting(support),
    ]


@contextlib.contextmanager
def _network6(bench: Bench, mode: str) -> Iterator[SwitchPort]:
    """Booted by IPv6. IPv4 is there for the agent, from a server that knows of no booting."""
    section = f"dhcpv6:\n  - interface: lan0\n    mode: {mode}\n    prefix: {PREFIX6}\n    server: {ADDRESS6}\n"
    with bench.network("    mode: off\n", section, f"{ADDRESS6}/64") as port:
        with bench.other_server(), bench.router(managed=mode == "address"):
            yield port


def _uefi6(bench: Bench, port: SwitchPort, pxe: bool = True) -> list[str]:
    """OVMF without IPv4, and in UEFI HTTP boot without PXE."""
    return _uefi(bench, port, IPv4PXESupport="n", IPv6PXESupport="y" if pxe else "n")


def _uefi(bench: Bench, port: SwitchPort, **support: str) -> list[str]:
    """OVMF, with what it is told to support."""
    return [
        *("qemu-system-x86_64", "-machine", "q35,graphics=off", "-accel", "tcg,thread=multi", "-smp", "2"),
        *("-cpu", "max,la57=off", "-vga", "none"),
        *firmware(bench.folder, f"{_OVMF}_CODE_4M.fd", f"{_OVMF}_VARS_4M.fd"),
        *("-netdev", port.netdev, "-device", f"virtio-net-pci,netdev=net0,mac={MAC},romfile=,bootindex=0"),
        *_supporting(support),
    ]


def _supporting(support: dict[str, str]) -> list[str]:
    """What EDK2's builds for QEMU can be told."""
    return [part for name, value in support.items() for part in ("-fw_cfg", f"name=opt/org.tianocore/{name},string={value}")]


def _bios(_: Bench, port: SwitchPort) -> list[str]:
    """SeaBIOS, with the iPXE ROM of the NIC."""
    return [
        *("qemu-system-x86_64", "-machine", "q35,graphics=off", "-accel", "tcg,thread=multi", "-smp", "2", "-cpu", "max"),
        *("-vga", "none", "-netdev", port.netdev, "-device", f"virtio-net-pci,netdev=net0,mac={MAC},bootindex=0"),
    ]


def _ia32(bench: Bench, port: SwitchPort) -> list[str]:
    return _with_smm(bench, port, f"{_OVMF}32_CODE_4M.secboot.fd", f"{_OVMF}32_VARS_4M.fd")


def _secure(bench: Bench, port: SwitchPort) -> list[str]:
    return _with_smm(bench, port, f"{_OVMF}_CODE_4M.ms.fd", f"{_OVMF}_VARS_4M.ms.fd")


def _with_smm(bench: Bench, port: SwitchPort, code: str, variables: str) -> list[str]:
    return [
        *("qemu-system-x86_64", "-machine", "q35,graphics=off,smm=on", "-accel", "tcg,thread=multi", "-smp", "2"),
        *("-cpu", "max,la57=off", "-vga", "none", "-global", "driver=cfi.pflash01,property=secure,value=on"),
        *firmware(bench.folder, code, variables),
        *("-netdev", port.netdev, "-device", f"virtio-net-pci,netdev=net0,mac={MAC},romfile=,bootindex=0"),
        *("-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"),
    ]

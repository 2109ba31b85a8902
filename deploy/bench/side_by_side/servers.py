"""How each server is started, so that it does the same work as the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from .lab import SERVER, Lab

PROJECT = Path(__file__).resolve().parents[3]


def files(folder: Path) -> Path:
    """What is fetched: made once, the same for all."""
    served = folder / "files"
    if not served.exists():
        served.mkdir(mode=0o755)
        for name, size in (("1m.efi", 1 << 20), ("1g.img", 1 << 30)):
            with Path("/dev/urandom").open("rb") as noise, (served / name).open("wb") as file:
                for _ in range(size >> 20):
                    file.write(noise.read(1 << 20))
        (served / "boot.ipxe").write_text("#!ipxe\n" + "echo a boot script line of forty bytes ...\n" * 24)
        for name in ("undionly.kpxe", "snponly.efi"):
            shutil.copy(f"/usr/lib/ipxe/{name}", served / name)
    return served


def slipwayd(lab: Lab, dhcp: str = "") -> list[str]:
    agent = lab.folder / "agent"
    agent.mkdir(exist_ok=True)
    for name in ("vmlinuz", "initrd"):
        (agent / name).write_text("x")
    state = lab.folder / "slipway"
    shutil.rmtree(state, ignore_errors=True)
    configuration = lab.folder / "slipwayd.yaml"
    configuration.write_text(f"""\
address: {SERVER}
state_directory: {state}
hardware_profiles: {PROJECT}/hardware-profiles
ipxe_scripts: {PROJECT}/ipxe-scripts
boot_files: {files(lab.folder)}
agent_image: {agent}
dhcp_packets_per_second: 0
{dhcp}""")
    return [str(PROJECT / ".build/release/slipwayd"), "--config", str(configuration), "--log-level", "warning"]


def slipwayd_proxy(lab: Lab) -> list[str]:
    return slipwayd(lab, "dhcp:\n  - {interface: bms, mode: proxy}\n")


def slipwayd_pool(lab: Lab) -> list[str]:
    return slipwayd(
        lab, "dhcp:\n  - {interface: bms, subnet: 10.99.0.0/16, mode: pool, pools: [10.99.1.0-10.99.250.255]}\n")


def _dnsmasq(lab: Lab, *lines: str) -> list[str]:
    leases = lab.folder / "dnsmasq.leases"
    leases.unlink(missing_ok=True)
    configuration = lab.folder / "dnsmasq.conf"
    configuration.write_text("\n".join((
        "port=0", "interface=bms", "bind-interfaces", "user=root", "pid-file=", "quiet-dhcp", "log-facility=/dev/null",
        f"dhcp-leasefile={leases}", *lines, "")))
    return ["dnsmasq", "-k", "-C", str(configuration)]


def dnsmasq_proxy(lab: Lab) -> list[str]:
    return _dnsmasq(
        lab, "dhcp-range=10.99.0.0,proxy,255.255.0.0", 'pxe-service=x86PC,"boot",undionly.kpxe',
        'pxe-service=7,"boot",snponly.efi', 'pxe-service=9,"boot",snponly.efi')


def dnsmasq_tftp(lab: Lab) -> list[str]:
    return _dnsmasq(lab, "enable-tftp", f"tftp-root={files(lab.folder)}", "tftp-max=4000", "quiet-tftp")


def kea(lab: Lab) -> list[str]:
    for old in lab.folder.glob("kea*"):
        old.unlink()
    configuration = lab.folder / "kea.json"
    configuration.write_text(json.dumps({"Dhcp4": {
        "interfaces-config": {"interfaces": ["bms"], "dhcp-socket-type": "raw"},
        "lease-database": {"type": "memfile", "persist": True, "name": str(lab.folder / "kea.csv"), "lfc-interval": 0},
        "valid-lifetime": 43200, "multi-threading": {"enable-multi-threading": False},
        "boot-file-name": "snponly.efi", "next-server": SERVER,
        "subnet4": [{"subnet": "10.99.0.0/16", "pools": [{"pool": "10.99.1.0 - 10.99.250.255"}]}],
        "loggers": [{"name": "kea-dhcp4", "severity": "WARN", "output_options": [{"output": str(lab.folder / "kea.log")}]}],
    }}))
    return [
        "env", f"KEA_PIDFILE_DIR={lab.folder}", f"KEA_LOCKFILE_DIR={lab.folder}", "kea-dhcp4", "-c", str(configuration)]


def atftpd(lab: Lab) -> list[str]:
    return [
        *("atftpd", "--daemon", "--no-fork", "--bind-address", SERVER, "--user", "root", "--group", "root"),
        *("--maxthread", "4000", "--verbose=3", "--logfile", "/dev/null", str(files(lab.folder)))]


def tftpd_hpa(lab: Lab) -> list[str]:
    # Where `make bench` unpacks it.
    program = str(PROJECT / ".cache/bench/tftpd-hpa/usr/sbin/in.tftpd")
    return [program, "--foreground", "--address", f"{SERVER}:69", "--user", "root", "--secure", str(files(lab.folder))]


def nginx(lab: Lab) -> list[str]:
    configuration = lab.folder / "nginx.conf"
    temporary = " ".join(f"{kind}_temp_path {lab.folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    configuration.write_text(f"""\
worker_processes 1; pid {lab.folder}/nginx.pid; error_log {lab.folder}/nginx.err; daemon off; worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{ sendfile on; tcp_nopush on; access_log off; keepalive_requests 1000000; default_type application/octet-stream; {temporary}
  server {{ listen {SERVER}:80 backlog=4096; root {files(lab.folder)}; }} }}
""")
    return ["nginx", "-c", str(configuration)]

"""The plainest netboot that the floor is measured against: dnsmasq and nginx in the rack's namespace."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from . import network, processes
from .errors import RackError
from .shape import Rack

PORT = 8080


class PlainNetboot:
    """Serves one iPXE script at a time, and the files linked into its folder, until it is closed."""

    def __init__(self, rack: Rack, folder: Path) -> None:
        self._rack = rack
        self._folder = folder
        self._root = folder / "www"
        self._pids = (folder / "dnsmasq.pid", folder / "nginx.pid")

    def __enter__(self) -> PlainNetboot:
        self._root.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "nginx.conf"
        configuration.write_text(self._nginx())
        try:
            self._start(self._pids[0], self._dnsmasq(), "dnsmasq.log")
            self._start(self._pids[1], ["nginx", "-c", str(configuration), "-p", str(self._folder)], "nginx.log")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self._pids:
            processes.stop(pid)

    def url(self, name: str) -> str:
        return f"http://{self._rack.service_address}:{PORT}/{name}"

    def offer(self, name: str, file: Path) -> str:
        """Serves a file under this name; its URL."""
        link = self._root / name
        link.unlink(missing_ok=True)
        link.symlink_to(file.resolve(strict=True))
        return self.url(name)

    def script(self, mac: str, lines: list[str]) -> None:
        """What iPXE on the NIC with this MAC shall do."""
        (self._root / f"{mac}.ipxe").write_text("\n".join(["#!ipxe", *lines, ""]))

    def _start(self, pid_file: Path, command: list[str], log: str) -> None:
        pid = processes.start_detached([*network.inside(self._rack), *command], self._folder / log)
        processes.record(pid_file, pid)
        # Both fail at once or not at all.
        if processes.wait_until(lambda: not processes.is_running(pid), 0.5):
            words = (self._folder / log).read_text(errors="replace").strip() or "no output"
            raise RackError(f"{command[0]} did not start: {words}")

    def _dnsmasq(self) -> list[str]:
        base = int(ipaddress.IPv4Interface(f"{self._rack.service_address}/{self._rack.prefix_length}").network[0])
        first, last = (ipaddress.IPv4Address(base + number) for number in (50, 99))
        return [
            *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root", "--pid-file="),
            *(f"--interface={self._rack.bridge}", "--bind-interfaces", "--log-dhcp", "--log-facility=-"),
            *(f"--dhcp-range={first},{last},1h", "--dhcp-authoritative", "--no-ping"),
            f"--dhcp-leasefile={self._folder / 'leases'}",
            *("--enable-tftp", "--tftp-root=/usr/lib/ipxe", "--dhcp-userclass=set:ipxe,iPXE"),
            *("--dhcp-match=set:uefi,option:client-arch,7", "--dhcp-match=set:bios,option:client-arch,0"),
            "--dhcp-boot=tag:ipxe," + self.url("${net0/mac}.ipxe"),
            *("--dhcp-boot=tag:!ipxe,tag:uefi,snponly.efi", "--dhcp-boot=tag:!ipxe,tag:bios,undionly.kpxe"),
        ]

    def _nginx(self) -> str:
        folder = self._folder
        return f"""\
daemon off;
worker_processes 1;
user root;
pid {folder}/nginx-own.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 128; }}
http {{
    access_log {folder}/nginx-access.log;
    sendfile on;
    client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
    uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
    server {{ listen {self._rack.service_address}:{PORT}; root {folder}/www; }}
}}
"""

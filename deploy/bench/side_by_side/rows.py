"""The rows of the table: what is measured of whom, and the bar."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import servers
from .lab import CLIENT, SERVER, Lab

Figures = dict[str, float]
Server = Callable[[Lab], list[str]]


@dataclass(frozen=True)
class Side:
    """One server, what it is asked first, and the load."""

    label: str
    server: Server
    probe: tuple[str, ...]
    load: tuple[str, ...]

    def at(self, rate: float) -> Side:
        """The same with so many requests a second where the load says `_RATE_OF_PEER`."""
        return replace(self, load=tuple(str(int(rate)) if word == _RATE_OF_PEER else word for word in self.load))


@dataclass(frozen=True)
class Bar:
    """Slipway's figure against the peer's: at least, or at most, so many times; or, absolute, against a number."""

    figure: str
    times: float
    at_least: bool = True
    unit: str = ""
    absolute: bool = False

    def holds(self, ours: float, theirs: float) -> bool:
        theirs = 1 if self.absolute else theirs
        return ours >= self.times * theirs if self.at_least else ours <= self.times * theirs

    @property
    def words(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.times:g}{'' if self.absolute else '×'}"


@dataclass(frozen=True)
class Row:
    name: str
    work: str
    peer: Side
    ours: Side
    bars: tuple[Bar, ...]
    # Load that saturates the peer: half of what it then does is the rate for both.
    saturation: tuple[str, ...] = ()


_RATE_OF_PEER = "half of the peer's saturation"
_PXE = ("pxeload", "-H", SERVER, "-i", "bmc")
_TFTP = ("tftpload", "-H", SERVER, "-f", "1m.efi", "-s")
_CROWD = ("-b", "512", "-c", "1000", "-n", "1000")
_RATE = Bar("ok_per_s", 1, unit="/s")


def _dhcp(mode: str, *more: str) -> tuple[str, ...]:
    return (*_PXE, "-m", mode, "-t", "4", *more)


def _proxy(name: str, work: str, load: tuple[str, ...], *bars: Bar, saturation: tuple[str, ...] = ()) -> Row:
    probe = (*_PXE, "-m", "proxy", "-t", "10")
    return Row(
        name, work, Side("dnsmasq", servers.dnsmasq_proxy, probe, load), Side("slipway", servers.slipwayd_proxy, probe, load), bars,
        saturation)


def _tftp(name: str, work: str, peer: str, server: Server, options: tuple[str, ...], *bars: Bar) -> Row:
    probe = (*_TFTP, "-X", "10")
    load = (*_TFTP, *options)
    return Row(name, work, Side(peer, server, probe, load), Side("slipway", servers.slipwayd, probe, load), bars)


def _http(name: str, work: str, clients: int, *bars: Bar) -> Row:
    def side(label: str, server: Server, port: str, path: str) -> Side:
        base = ("httpload", "-H", SERVER, "-P", port, "-u", path)
        return Side(label, server, (*base, "-t", "10"), (*base, "-c", str(clients), "-t", "4", "-d"))

    return Row(
        name, work, side("nginx", servers.nginx, "80", "/1g.img"),
        side("slipway", servers.slipwayd, "8080", "/boot/files/1g.img"), bars)


def _get(port: str, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    base = ("httpload", "-H", SERVER, "-P", port, "-u", path)
    return (*base, "-t", "10"), (*base, "-c", "64", "-t", "4")


ROWS = (
    _proxy(
        "dhcp-proxy", "proxyDHCP offers, 64 outstanding", _dhcp("proxy", "-c", "64"),
        Bar("ok_per_s", 2, unit="/s"), Bar("srv_cpu_per_100k", 0.5, at_least=False, unit=" CPU s/100k")),
    _proxy(
        "dhcp-latency", "proxyDHCP offers, half the peer's rate", _dhcp("proxy", "-r", _RATE_OF_PEER),
        Bar("p99_us", 1, at_least=False, unit=", µs p99"), saturation=_dhcp("proxy", "-c", "64")),
    Row(
        "dhcp-lease", "DORA of PXE clients, durable leases, 64 outstanding",
        Side("kea", servers.kea, (*_PXE, "-m", "pxedora", "-t", "10"), _dhcp("pxedora", "-n", "20000", "-c", "64")),
        Side("slipway", servers.slipwayd_pool, (*_PXE, "-m", "pxedora", "-t", "10"), _dhcp("pxedora", "-n", "20000", "-c", "64")),
        (_RATE,)),
    _tftp(
        "tftp-1000", "TFTP 1 MiB, 1000 clients, blocks of 512", "dnsmasq", servers.dnsmasq_tftp,
        (*_CROWD, "-X", "60"), Bar("done", 1), Bar("done_p99_s", 1, at_least=False, unit=" s p99"),
        Bar("rss0_kib", 60 * 1024, at_least=False, unit=", KiB idle", absolute=True),
        Bar("rssmax_kib", 250 * 1024, at_least=False, unit=", KiB most", absolute=True)),
    Row(
        "tftp-1000w", "TFTP 1 MiB, 1000 clients, ours with window 16",
        Side("dnsmasq", servers.dnsmasq_tftp, (*_TFTP, "-X", "10"), (*_TFTP, *_CROWD)),
        Side("slipway", servers.slipwayd, (*_TFTP, "-X", "10"), (*_TFTP, *_CROWD, "-w", "16")),
        (Bar("done", 1), Bar("done_p99_s", 0.5, at_least=False, unit=" s p99"))),
    _tftp(
        "tftp-loss", "TFTP 1 MiB, 1000 clients, 1 % loss", "dnsmasq", servers.dnsmasq_tftp,
        (*_CROWD, "-l", "1", "-X", "180"), Bar("done", 1), Bar("done_p99_s", 1, at_least=False, unit=" s p99")),
    _tftp(
        "tftp-single", "TFTP 1 MiB, one client, blocks of 1468", "tftpd-hpa", servers.tftpd_hpa,
        ("-b", "1468", "-c", "1", "-n", "100", "-X", "30"), Bar("MB_per_s", 1, unit=" MB/s")),
    _tftp(
        "tftp-window", "TFTP 1 MiB, 100 clients, blocks of 1468, window 16", "atftpd", servers.atftpd,
        ("-b", "1468", "-w", "16", "-c", "100", "-n", "400", "-X", "30"),
        Bar("MB_per_s", 1.5, unit=" MB/s"), Bar("srv_cpu_per_GiB", 0.5, at_least=False, unit=" CPU s/GiB")),
    _http("http-1", "HTTP 1 GiB, 1 client", 1, Bar("MB_per_s", 0.95, unit=" MB/s"), Bar("srv_cpu_per_GiB", 1.2, at_least=False, unit=" CPU s/GiB")),
    _http("http-64", "HTTP 1 GiB, 64 clients", 64, Bar("MB_per_s", 0.95, unit=" MB/s"), Bar("srv_cpu_per_GiB", 1.2, at_least=False, unit=" CPU s/GiB")),
    _http("http-512", "HTTP 1 GiB, 512 clients", 512, Bar("MB_per_s", 0.95, unit=" MB/s"), Bar("srv_cpu_per_GiB", 1.2, at_least=False, unit=" CPU s/GiB")),
    Row(
        "http-script", "a machine's script, 64 clients",
        Side("nginx", servers.nginx, *_get("80", "/boot.ipxe")),
        Side("slipway", servers.slipwayd, *_get("8080", "/boot/ipxe?mac=52:54:00:12:34:56&arch=7")),
        (Bar("req_per_s", 0.5, unit=", requests/s"),)),
)


def measure(lab: Lab, row: Row, runs: int) -> tuple[Figures, Figures]:
    """Medians of the peer and of Slipway, run in turn."""
    found: dict[str, list[Figures]] = {row.peer.label: [], row.ours.label: []}
    rate = 0.0
    if row.saturation:
        with lab.running(row.peer.server(lab), row.peer.probe) as pid:
            rate = lab.measure(pid, row.saturation)["ok_per_s"] / 2
    for _ in range(runs):
        for side in (row.peer.at(rate), row.ours.at(rate)):
            with lab.running(side.server(lab), side.probe) as pid:
                found[side.label].append(lab.measure(pid, side.load))
    medians = [
        {name: statistics.median(run.get(name, 0) for run in side) for name in side[0]} for side in found.values()]
    return medians[0], medians[1]


__all__ = ["CLIENT", "ROWS", "Bar", "Row", "measure"]

"""A registry that speaks just enough of docs/reference-os.md to tell whether the installed system does."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# The host, as a machine behind QEMU's user network sees it.
HOST_ADDRESS = "10.0.2.2"

_CA_CONFIG = """\
[ca]
default_ca = test
[test]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
[leaf]
basicConstraints = critical,CA:FALSE
subjectAltName = IP:{address}
"""


class Authority:
    """A CA and one server certificate, valid since 1970 as the daemon's are, since servers wake up then."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder / name
        self.folder.mkdir()
        (self.folder / "openssl.cnf").write_text(_CA_CONFIG.format(address=HOST_ADDRESS))
        (self.folder / "index").touch()
        (self.folder / "serial").write_text("01\n")
        self._sign("ca", f"/CN={name}", "authority", ["-selfsign", "-keyfile", "ca.key"])
        self._sign("leaf", "/CN=registry", "leaf", ["-cert", "ca.pem", "-keyfile", "ca.key"])

    @property
    def pem(self) -> str:
        return (self.folder / "ca.pem").read_text()

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "leaf.pem", self.folder / "leaf.key")
        return context

    def _sign(self, name: str, subject: str, extensions: str, signer: list[str]) -> None:
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]
        self._openssl("req", "-new", *key, "-subj", subject, "-out", f"{name}.csr")
        dates = ["-startdate", "19700101000000Z", "-enddate", "20500101000000Z"]
        config = ["-config", "openssl.cnf", "-extensions", extensions, "-batch", "-notext"]
        self._openssl("ca", *config, *signer, *dates, "-in", f"{name}.csr", "-out", f"{name}.pem")

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A machine that trusts another CA, or is switched off in mid-sentence: the scenario says what it expects."""


@dataclass
class Registry:
    """Admits each token once, and remembers every request. `drop_answers` loses that many answers to registrations.

    While `leaving` nodes are asked to leave; `gate` is what a hook on the node can wait for, by `GET /gate`. `drop_farewells` loses that many
    answers to nodes that left, and `forgets` those nodes at once.
    """

    authority: Authority
    tokens: set[str] = field(default_factory=set)
    drop_answers: int = 0
    leaving: bool = False
    gate: str = "closed"
    drop_farewells: int = 0
    forgets: bool = False
    left: list[str] = field(default_factory=list)
    registrations: list[dict[str, Any]] = field(default_factory=list)
    heartbeats: list[dict[str, Any]] = field(default_factory=list)
    credentials: dict[str, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        # The handshake belongs to the connection's own thread: a machine that is reset in the middle must not block the others.
        self._server.socket = self.authority.context().wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://{HOST_ADDRESS}:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, credential: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        """Status and body, or none to lose the answer."""
        if path == "/api/v1/nodes/register":
            return self._register(body)
        name, _, message = path.removeprefix("/api/v1/nodes/").partition("/")
        if self.credentials.get(name) != credential:
            return 404, {"title": "Not found", "detail": "no node has this name and credential"}
        if message == "left":
            self.left.append(name)
            if self.forgets:
                del self.credentials[name]
            if self.drop_farewells > 0:
                self.drop_farewells -= 1
                return None
            # As the daemon answers for a machine without a BMC.
            return 200, {"leave": False, "restart": True}
        self.heartbeats.append(body)
        return (200, {"leave": True, "restart": False}) if self.leaving else (204, {})

    def _register(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        self.registrations.append(body)
        token, credential = body["token"], body["credential"]
        if token not in self.tokens:
            return 403, {"title": "Refused", "detail": "the join token is unknown"}
        first = token not in self.used
        if self.used.setdefault(token, credential) != credential:
            return 403, {"title": "Refused", "detail": "the join token was used already"}
        self.credentials[body["name"]] = credential
        if self.drop_answers > 0:
            self.drop_answers -= 1
            return None
        return (201 if first else 200), {"node": body["name"], "heartbeatSeconds": 2}


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            self.close_connection = True
            self._send(200, registry.gate.encode())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
            credential = self.headers.get("Authorization", "").removeprefix("Bearer ")
            answer = registry.answer(self.path, credential, body)
            self.close_connection = True
            if answer is None:
                return
            status, content = answer
            self._send(status, b"" if status == 204 else json.dumps(content).encode())

        def _send(self, status: int, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    return Handler

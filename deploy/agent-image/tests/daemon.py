"""As much of a daemon as an agent needs: a session over TLS, its hardware report, and signed orders. The keys are its own."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# JSONEncoder's dates count from here.
_REFERENCE = 978307200


class Daemon:
    """Use as a context manager."""

    def __init__(self, folder: Path, address: str, port: int = 8443) -> None:
        self._folder = folder
        self.hardware: dict[str, Any] | None = None
        self.results: dict[str, dict[str, Any]] = {}
        self.progress: list[dict[str, Any]] = []
        # Of the newest shell: what it printed, and what is to be typed.
        self.printed = ""
        self.keys = b""
        self._orders: list[dict[str, str]] = []
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ca.key")
        self._openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=ca", "-days", "30", "-out", "ca.pem")
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "leaf.key")
        self._openssl("req", "-new", "-key", "leaf.key", "-subj", f"/CN={address}", "-out", "leaf.csr")
        self._openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", "30", "-out", "leaf.pem")
        self._openssl("genpkey", "-algorithm", "ED25519", "-out", "order.key")
        (folder / "chain.pem").write_bytes((folder / "leaf.pem").read_bytes() + (folder / "ca.pem").read_bytes())
        public = self._openssl("pkey", "-in", "ca.key", "-pubout", "-outform", "DER")
        self.pin = "sha256:" + hashlib.sha256(public).hexdigest()
        self._order_key = self._openssl("pkey", "-in", "order.key", "-pubout", "-outform", "DER")[-32:]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "chain.pem", folder / "leaf.key")
        daemon = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None: ...

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, answer = daemon._answer(self.command, self.path, json.loads(body) if body else None)
                content = json.dumps(answer).encode() if answer is not None else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = _answer  # noqa: N815

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, request: Any, client_address: Any) -> None:
                # The handshake is waited for here, where it keeps nobody else waiting.
                with context.wrap_socket(request, server_side=True) as secured:
                    super().finish_request(secured, client_address)

            def handle_error(self, *_: object) -> None: ...

        self._server = Server((address, port), Handler)

    def __enter__(self) -> Daemon:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _openssl(self, *arguments: str, data: bytes | None = None) -> bytes:
        return subprocess.run(
            ["openssl", *arguments], cwd=self._folder, check=True, input=data, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ).stdout

    def _answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/agent/v1/sessions":
            self.hardware = None
            return 201, {
                "session": "s", "token": "t", "machine": "m", "name": "machine", "time": time.time() - _REFERENCE,
                "orderKey": base64.b64encode(self._order_key).decode(), "pollSeconds": 2, "idleSeconds": 0,
            }
        if path == "/agent/v1/hardware":
            self.hardware = body
        elif path.endswith("/progress"):
            self.progress.append(body)
        elif path.endswith("/shell/output"):
            data = base64.b64decode(body["data"])
            self.printed += data.decode(errors="replace")
            end = body["position"] + len(data)
            return 200, {"next": end, "kept": end, "isOver": "end" in body}
        elif "/shell/input?" in path:
            after = int(path.split("after=")[1])
            if after >= len(self.keys):
                time.sleep(0.2)
            keys = base64.b64encode(self.keys[after:]).decode()
            return 200, {"epoch": "e", "next": len(self.keys), "data": keys, "isOver": False}
        elif path.endswith("/result"):
            self.results[path.split("/")[-2]] = body
        elif method == "GET":
            if self._orders:
                return 200, self._orders.pop(0)
            time.sleep(0.5)
        return 204, None

    def order(self, name: str, task: dict[str, Any]) -> None:
        """Signs a task for the machine that reported its hardware, and hands it out once."""
        assert self.hardware is not None
        self.printed, self.keys = "", b""
        system = self.hardware["system"]
        macs = [nic["permanentMAC"] for nic in self.hardware["nics"] if nic.get("pciAddress") and nic.get("permanentMAC")]
        now = time.time() - _REFERENCE
        order = {
            "id": name, "issuedAt": now, "expiresAt": now + 3600, "task": task,
            "machine": {
                "uuid": system.get("uuid"), "serial": system.get("serial"), "macs": sorted(macs),
            },
        }
        payload = json.dumps(order).encode()
        signed = self._folder / "signed"
        signed.write_bytes(b"slipway-order-v1\n" + payload)
        signature = self._openssl("pkeyutl", "-sign", "-rawin", "-inkey", "order.key", "-in", "signed")
        self._orders.append({
            "payload": base64.b64encode(payload).decode(), "signature": base64.b64encode(signature).decode(),
        })

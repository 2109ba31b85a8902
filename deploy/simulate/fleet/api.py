"""The REST API, over kept connections: one for each thread."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .lab import SERVER


class APIError(Exception):
    """The daemon refused something."""


class API:
    def __init__(self, state: Path) -> None:
        self._token = (state / "admin.token").read_text().strip()
        self._tls = ssl.create_default_context(cafile=str(state / "ca.pem"))
        self._own = threading.local()

    def call(self, method: str, path: str, body: Any = None, raw: bytes | None = None) -> bytes:
        """The answer's body. Repeats what did not arrive."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        for attempt in range(5):
            connection = getattr(self._own, "connection", None)
            if connection is None:
                connection = http.client.HTTPSConnection(SERVER, 8443, timeout=120, context=self._tls)
                self._own.connection = connection
            try:
                connection.request(method, path, data, headers)
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                self._own.connection = None
                if attempt == 4:
                    raise
                time.sleep(0.2)
                continue
            if answer.status >= 300:
                raise APIError(f"{method} {path}: {answer.status} {content[:300].decode(errors='replace')}")
            return content
        raise AssertionError

    def json(self, method: str, path: str, body: Any = None) -> Any:
        content = self.call(method, path, body)
        return json.loads(content) if content else None

    def for_all(self, items: Iterable[Any], work: Callable[[Any], Any]) -> list[Any]:
        """Eight at once."""
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(work, items))

    def add_release_and_cluster(self) -> None:
        image = os.urandom(1 << 20)
        digest = hashlib.sha256(image).hexdigest()
        self.call("PUT", f"/api/v1/images/{digest}", raw=image)
        self.json("POST", "/api/v1/os-releases", {
            "name": "simulated-1", "os": "slipway-reference", "version": "1", "architecture": "amd64",
            "artifacts": {"image": {"sha256": digest, "compression": "none", "bytes": len(image), "rawBytes": len(image)}},
            "minimumDiskBytes": len(image)})
        self.json("POST", "/api/v1/clusters", {"name": "simulated", "kind": "standalone"})

"""Shows a folder to a browser on this computer: files to be read, by whom the address was told, and nothing else."""

from __future__ import annotations

import mimetypes
import os
import secrets
import shutil
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

LOOPBACK = "127.0.0.1"
_HOSTS = (LOOPBACK, "localhost")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'none'",
}


class FolderServer(ThreadingHTTPServer):
    """Serves the files below a folder on the loopback address. Its address holds a random token, as other users of the
    computer, and pages in the same browser, can reach every port.

    Args:
        folder: What is shown. Files that links lead out of it to, and hidden ones, are not there.
        port: 0 for any that is free.

    Raises:
        OSError: If the port is taken.
    """

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder.resolve()
        self.token = secrets.token_urlsafe(24)
        super().__init__((LOOPBACK, port), _Handler)

    def address(self, name: str) -> str:
        """Of a file in the folder."""
        return f"http://{LOOPBACK}:{self.server_port}/{self.token}/{quote(name)}"

    def file_at(self, target: str) -> Path | None:
        """The file that a request asks for; None for what is not to be seen."""
        token, _, path = urlsplit(target).path.removeprefix("/").partition("/")
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            return None
        names = os.fsdecode(unquote_to_bytes(path)).split("/")
        # A name with a separator, a drive or a null in it is no name; one that begins with a dot is hidden or leads up.
        if any(not name or name.startswith(".") or set(name) & set("\\:\0") for name in names):
            return None
        file = self.folder.joinpath(*names).resolve()
        return file if file.is_relative_to(self.folder) and os.path.isfile(file) else None


class _Handler(BaseHTTPRequestHandler):
    server: FolderServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "", ""
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the token would stand in it."""

    def do_GET(self) -> None:
        # A name that leads here from elsewhere is a page's attempt to read this as its own site (DNS rebinding).
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        file = self.server.file_at(self.path) if host in _HOSTS else None
        if file is None:
            self._head(HTTPStatus.NOT_FOUND, "text/plain", 0)
            return
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        try:
            with file.open("rb") as content:
                charset = "; charset=utf-8" if kind.startswith("text/") else ""
                self._head(HTTPStatus.OK, kind + charset, os.fstat(content.fileno()).st_size)
                if self.command == "GET":
                    shutil.copyfileobj(content, self.wfile)
        except PermissionError:
            self._head(HTTPStatus.NOT_FOUND, "text/plain", 0)
        except (BrokenPipeError, ConnectionResetError):  # the browser went away
            self.close_connection = True

    do_HEAD = do_GET

    def _head(self, status: HTTPStatus, kind: str, length: int) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()

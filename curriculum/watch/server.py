"""The page's server: for browsers of this machine that know the token, and nobody else.

It listens on 127.0.0.1 alone. Other users of the machine lack the token; a page from elsewhere in
the same browser can't guess it, and a name of its own that it lets point here is refused.
"""

from __future__ import annotations

import secrets
import sys
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import quote, unquote

from curriculum.core.errors import UserError
from curriculum.core.terminal import shown
from curriculum.watch.site import Answer, Site, text

HOST = "127.0.0.1"
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # addresses have the token in them
    "X-Content-Type-Options": "nosniff",
}


def serve(folder: Path, port: int) -> None:
    """Serve the page of a run or a sweep until Ctrl-C, and say where.

    Args:
        port: 0: any that is free.

    Raises:
        UserError: where the folder is of neither, or the port is taken.
    """
    site = Site(folder)
    try:
        server = Server(site, port)
    except (OSError, OverflowError) as error:
        raise UserError(f"--port {port} can't be served on: {error}") from error
    with server:
        print(f"{shown(folder)} is at {server.url}  (Ctrl-C ends)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print(f"\n{shown(folder)} is watched no more")


class Server(ThreadingHTTPServer):
    """Of one site, at an address that has a token in it."""

    daemon_threads = True

    def __init__(self, site: Site, port: int = 0) -> None:
        super().__init__((HOST, port), _Handler)
        self.site, self.token = site, secrets.token_urlsafe(24)
        self.hosts = {f"{name}:{self.server_port}" for name in (HOST, "localhost")}

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """One that is gone before it has its answer is nothing to report."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    server_version, sys_version = "curriculum", ""
    timeout = 10.0  # seconds for a client to say what it wants

    def do_GET(self) -> None:
        """Answer, or refuse."""
        if self.headers.get_all("Host") not in [[host] for host in self.server.hosts]:
            return self._send(text(HTTPStatus.FORBIDDEN, "this is not served under that name"))
        _, _, path = self.path.partition("?")[0].partition("/")
        token, slash, rest = path.partition("/")
        if not compare_digest(token.encode(), self.server.token.encode()):
            return self._send(text(HTTPStatus.FORBIDDEN, "the address needs its token"))
        if not slash:
            return self._send(Answer(HTTPStatus.FOUND, location=f"/{token}/"))
        return self._send(self.server.site.answer([unquote(each) for each in rest.split("/")]))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library refuses: what is no HTTP, and any other method."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else code
        self.close_connection = True
        self._send(text(HTTPStatus(status), HTTPStatus(status).phrase))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Requests are not told of."""

    def _send(self, answer: Answer) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", answer.policy)
        self.send_header("Content-Type", f"{answer.kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if answer.location:
            self.send_header("Location", quote(answer.location))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

"""A transparent HTTP proxy in front of an S3 server that counts the requests, and can do to one what networks and servers do.

The ``Host`` header goes upstream as it came, since the client's signature covers it; everything else is streamed through.
"""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "expect", "te", "trailer", "upgrade", "proxy-connection"})
PIECE_BYTES = 1 << 18


@dataclass(frozen=True)
class Request:
    """One request and its answer. ``path`` is unquoted, without the query; ``lost`` if the client never saw the reply."""

    method: str
    path: str
    query: str
    status: int
    bytes_up: int
    bytes_down: int
    lost: bool = False


@dataclass(frozen=True)
class Fault:
    """What happens to a request. ``status`` and ``code``: the server's answer, without doing it. The others say it themselves."""

    status: int = 0
    code: str = ""
    reset: bool = False
    stalls: bool = False  # until the client gives up
    ignores_condition: bool = False
    short: bool = False  # half of the body, then nothing
    flipped: bool = False  # one byte of the body is another


class CountingProxy:
    """What has passed: ``with proxy.counting() as seen`` fills ``seen`` with the requests of that block."""

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._to_lose: list[Callable[[Request], bool]] = []
        self._faults: list[tuple[Callable[[Request], bool], Fault]] = []
        self.closing = threading.Event()

    @property
    def requests(self) -> tuple[Request, ...]:
        with self._lock:
            return tuple(self._requests)

    @contextmanager
    def counting(self) -> Iterator[list[Request]]:
        seen: list[Request] = []
        before = len(self.requests)
        try:
            yield seen
        finally:
            seen.extend(self.requests[before:])

    def lose_reply(self, which: Callable[[Request], bool], *, times: int = 1) -> None:
        """Let the server act on the next request that ``which`` picks, then drop the connection instead of answering."""
        with self._lock:
            self._to_lose.extend([which] * times)

    def spoil(self, which: Callable[[Request], bool], fault: Fault, *, times: int = 1) -> None:
        """Let ``fault`` happen to the next requests that ``which`` picks. Their ``status`` and ``bytes_down`` are not known yet: 0."""
        with self._lock:
            self._faults.extend([(which, fault)] * times)

    def heal(self) -> None:
        with self._lock:
            self._faults.clear()
            self._to_lose.clear()

    def fault_of(self, request: Request) -> Fault | None:
        with self._lock:
            found = next((planned for planned in self._faults if planned[0](request)), None)
            if found is None:
                return None
            self._faults.remove(found)
        return found[1]

    def record(self, request: Request) -> bool:
        """Note a request that was answered upstream; False if its reply is to be lost."""
        with self._lock:
            which = next((pick for pick in self._to_lose if pick(request)), None)
            if which is not None:
                self._to_lose.remove(which)
            self._requests.append(Request(**{**vars(request), "lost": which is not None}))
        return which is None


@contextmanager
def counting_proxy(upstream_url: str) -> Iterator[CountingProxy]:
    """A proxy before ``upstream_url``; hand its ``endpoint_url`` to the client (``S3Server.behind``)."""
    upstream = urlsplit(upstream_url).netloc
    server = _Server(("127.0.0.1", 0), _Handler)
    server.upstream, server.proxy = upstream, CountingProxy(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.proxy
    finally:
        server.proxy.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    upstream: str
    proxy: CountingProxy


class _Handler(BaseHTTPRequestHandler):
    """One client connection, with one connection upstream of its own; both are kept alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.upstream = http.client.HTTPConnection(self.server.upstream, timeout=120)

    def finish(self) -> None:
        self.upstream.close()
        super().finish()

    def pass_on(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        asked = urlsplit(self.path)
        fault = self.server.proxy.fault_of(Request(self.command, unquote(asked.path), asked.query, 0, length, 0)) or Fault()
        if fault.status or fault.reset or fault.stalls:
            self._fail(fault, length)
            return
        if fault.ignores_condition:
            del self.headers["If-None-Match"]
        try:
            answer = self._ask_upstream(length)
        except (OSError, http.client.HTTPException):  # a client that was killed leaves half a request
            self.close_connection = True
            return
        body = b"" if self.command == "HEAD" else answer.read()
        path = urlsplit(self.path)
        request = Request(self.command, unquote(path.path), path.query, answer.status, length, len(body))
        if fault.flipped and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        if self.server.proxy.record(request):
            self._answer(answer, body, short=fault.short)
        else:
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_OPTIONS = pass_on  # noqa: N815

    def _ask_upstream(self, length: int) -> http.client.HTTPResponse:
        self.upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.upstream.putheader(name, value)
        self.upstream.endheaders()
        while length > 0 and (piece := self.rfile.read(min(length, PIECE_BYTES))):
            self.upstream.send(piece)
            length -= len(piece)
        return self.upstream.getresponse()

    def _fail(self, fault: Fault, length: int) -> None:
        if fault.stalls:
            self.server.proxy.closing.wait(30)
        if not fault.status:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not a goodbye
            self.close_connection = True
            return
        self.rfile.read(length)
        body = f"<Error><Code>{fault.code}</Code><Message>planted</Message></Error>".encode()
        self.send_response_only(fault.status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _answer(self, answer: http.client.HTTPResponse, body: bytes, *, short: bool) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP and (name.lower() != "content-length" or self.command == "HEAD"):
                self.send_header(name, value)
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if short else body)
        if short:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what passed is in ``proxy.requests``."""

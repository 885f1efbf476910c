"""An HTTP server on loopback that keeps what it is sent, for what calls webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Listener:
    """Where it listens, and the bodies that arrived, in order. ``answers`` is the code that it answers with."""

    url: str
    heard: list[str] = field(default_factory=list)
    answers: int = 200


@contextmanager
def listening() -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            listener.heard.append(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
            self.send_response(listener.answers)
            self.end_headers()

        def log_message(self, format: str, *given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener = Listener(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()

"""Who hears of alerts, on loopback: a web hook and a mail server that keep what they are sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, TCPServer, ThreadingTCPServer
from typing import Any


@contextmanager
def _served(server: TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Receiver:
    """A web hook that may be taken away and brought back at the same address.

    It keeps what it has answered, by the path that it was sent to. While it `breaks` it hangs up on everybody: a
    process that is killed while it is being told.
    """

    def __init__(self) -> None:
        self.heard: dict[str, list[dict[str, Any]]] = {}
        self.breaks = False
        self.broken = 0  # how often
        self.port = 0
        self._served = ExitStack()

    def open(self) -> None:
        """Begins to listen, at first on any free port of loopback."""
        self.port = self._served.enter_context(_served(ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())))

    def close(self) -> None:
        """Nobody listens any more."""
        self._served.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if receiver.breaks:
                    receiver.broken += 1
                    return
                receiver.heard.setdefault(self.path, []).append(told)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                """Says nothing."""

        return Handler


@contextmanager
def mail_server(heard: dict[str, EmailMessage]) -> Iterator[int]:
    """Keeps the last message to each recipient; speaks as much SMTP as that takes."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            to = ""
            self._say("220 sink")
            while line := self.rfile.readline():
                word = line.strip().decode()
                if word.upper().startswith("RCPT TO:"):
                    to = word.split("<")[1].split(">")[0]
                if word.upper() == "DATA":
                    self._say("354 go on")
                    heard[to] = self._message()
                self._say("221 bye" if word.upper() == "QUIT" else "250 well")

        def _message(self) -> EmailMessage:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            return message_from_bytes(b"".join(lines), policy=policy.default)

        def _say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

    with _served(ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port

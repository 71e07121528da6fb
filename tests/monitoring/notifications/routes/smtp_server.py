"""A small SMTP server on this machine: takes mails, with STARTTLS or TLS and a login where it is asked to."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO


@dataclass
class SmtpServer:
    """What the server does, and what it was given."""

    port: int = 0
    context: ssl.SSLContext | None = None
    tls: bool = False
    login: tuple[str, str] | None = None
    refused: str = ""
    drips: bool = False
    mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def smtp_server(server: SmtpServer) -> Iterator[SmtpServer]:
    """Serve one connection after the other, for as long as the context lasts."""
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]

    def serve() -> None:
        while not server.over.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                session = _Session(server, connection)
                try:
                    session.run()
                finally:
                    session.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1):
            pass
        thread.join()
        listener.close()


class _Session:
    def __init__(self, server: SmtpServer, connection: socket.socket) -> None:
        self._server, self._connection = server, connection
        self._encrypted = False
        self._known = server.login is None
        self._files: list[BinaryIO] = []

    def close(self) -> None:
        for file in self._files:
            file.close()
        self._connection.close()

    def run(self) -> None:
        if self._server.tls:
            self._encrypt()
        if self._server.drips:
            while not self._server.over.wait(0.05):
                self._connection.sendall(b"220-wait\r\n")
            return
        lines = self._lines()
        self._say("220 ready")
        while line := lines.readline().decode("ascii", "replace").strip():
            verb, _, rest = line.partition(" ")
            if verb.upper() == "STARTTLS":
                self._say("220 go on")
                self._encrypt()
                lines = self._lines()
            elif verb.upper() == "DATA":
                self._take(lines)
            elif verb.upper() == "QUIT":
                self._say("221 bye")
                return
            else:
                self._answer(verb.upper(), rest)

    def _answer(self, verb: str, rest: str) -> None:
        server = self._server
        if verb == "EHLO":
            offers = ["STARTTLS"] if server.context is not None and not self._encrypted else []
            self._say("250-localhost", *(f"250-{offer}" for offer in [*offers, "AUTH PLAIN"]), "250 8BITMIME")
        elif verb == "AUTH":
            _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
            self._known = (user, password) == server.login
            self._say("235 welcome" if self._known else f"535 {password} is wrong")
        elif verb == "RCPT" and server.refused and server.refused in rest:
            self._say("550 nobody here")
        elif verb in {"MAIL", "RCPT"} and not self._known:
            self._say("530 log in first")
        else:
            if verb == "RCPT":
                server.recipients.append(rest)
            self._say("250 fine")

    def _take(self, lines: BinaryIO) -> None:
        self._say("354 go on")
        mail = []
        while (line := lines.readline()) not in {b".\r\n", b""}:
            mail.append(line)
        self._server.mails.append(b"".join(mail))
        self._server.secure.append(self._encrypted)
        self._say("250 taken")

    def _encrypt(self) -> None:
        assert self._server.context is not None
        self._connection = self._server.context.wrap_socket(self._connection, server_side=True)
        self._encrypted = True

    def _lines(self) -> BinaryIO:
        self._files.append(self._connection.makefile("rb"))
        return self._files[-1]

    def _say(self, *lines: str) -> None:
        self._connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

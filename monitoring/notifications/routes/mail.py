"""The email route: one mail by SMTP, encrypted except on this machine."""

from __future__ import annotations

import hashlib
import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal

from monitoring.notifications.digest import Message
from monitoring.notifications.notification import one_line
from monitoring.notifications.routes.post import TIMEOUT, reason_of
from monitoring.notifications.routes.request import shortened

_SUBJECT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def mail_of(message: Message, *, sender: str, to: tuple[str, ...], link: str | None) -> EmailMessage:
    """The mail of a message. What comes from data is in the body, or in a subject without line ends."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = shortened(one_line(message.headline), _SUBJECT)
    mail["Message-ID"] = f"<{hashlib.sha256(message.event.encode()).hexdigest()[:32]}@pitfalls.invalid>"
    mail["References"] = f"<{message.key}@pitfalls.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    facts = [*message.facts, *([("Dashboard", link)] if link is not None else [])]
    lines = [message.text, "", *(f"{name:12}{value}" for name, value in facts)]
    mail.set_content("\n".join(lines) + "\n")
    return mail


def send_mail(mail: EmailMessage, server: MailServer, *, timeout: float = TIMEOUT) -> tuple[str, ...]:
    """Hand in a mail.

    Args:
        timeout: Seconds that all of it may take.

    Raises:
        ConnectionError: It was not taken; the text has no secret.
    """
    clients: list[smtplib.SMTP] = []
    over = threading.Event()

    def end() -> None:
        over.set()
        for client in clients:
            if client.sock is not None:
                with suppress(OSError):
                    client.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timeout, end)
    timer.daemon = True
    timer.start()
    kind = _TlsClient if server.security == "tls" else _Client
    try:
        with kind(server, timeout, clients) as client:
            return _hand_in(client, mail, server)
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        late = over.is_set() or isinstance(error, TimeoutError)
        raise ConnectionError(f"no response within {timeout:g} s" if late else _refusal(error)) from error
    finally:
        timer.cancel()


class _Client(smtplib.SMTP):
    """A client that is known to its deadline before it connects."""

    def __init__(self, server: MailServer, timeout: float, clients: list[smtplib.SMTP]) -> None:
        clients.append(self)
        super().__init__(server.host, server.port, timeout=timeout)


class _TlsClient(smtplib.SMTP_SSL):
    """The same by TLS from the start."""

    def __init__(self, server: MailServer, timeout: float, clients: list[smtplib.SMTP]) -> None:
        clients.append(self)
        super().__init__(server.host, server.port, timeout=timeout, context=ssl.create_default_context())


def _hand_in(client: smtplib.SMTP, mail: EmailMessage, server: MailServer) -> tuple[str, ...]:
    if server.security == "starttls":
        client.starttls(context=ssl.create_default_context())
    if server.user is not None:
        client.login(server.user, server.password or "")
    return tuple(sorted(client.send_message(mail)))


def _refusal(error: Exception) -> str:
    """Why a mail was not taken: a status, or the operating system's text; a server's own words may quote a secret."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"SMTP {error.smtp_code}: user or password refused"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"SMTP {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"SMTP {', '.join(map(str, codes))}: recipients refused: {', '.join(sorted(error.recipients))}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the server has no STARTTLS or no login"
    return reason_of(error)

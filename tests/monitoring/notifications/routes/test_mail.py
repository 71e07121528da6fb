from __future__ import annotations

import email
import email.policy
import ssl
import time
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.notifications.routes.mail import MailServer, mail_of, send_mail
from tests.incident_words import worded
from tests.monitoring.notifications.receivers import OPENED, PAGE
from tests.monitoring.notifications.routes.smtp_server import SmtpServer, smtp_server
from tests.serving.certificates import OTHERS, OURS, Authority

SENDER, TO = "monitor@example.org", ("a@example.org", "b@example.org")
MAIL = mail_of(OPENED, sender=SENDER, to=TO, link="https://m/3")


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's context, whose authority is trusted."""
    (tmp_path / "ca.pem").write_bytes(OURS.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return context_of(tmp_path, OURS)


def context_of(folder: Path, authority: Authority) -> ssl.SSLContext:
    party = authority.party("localhost")
    (folder / "server.pem").write_bytes(party.certificate + party.key)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "server.pem")
    return made


def test_a_mail_by_starttls_with_a_login_arrives_whole(context: ssl.SSLContext) -> None:
    with smtp_server(SmtpServer(context=context, login=("me", "pass word"))) as server:
        at = MailServer(host="localhost", port=server.port, security="starttls", user="me", password="pass word")
        send_mail(MAIL, at)
    assert server.secure == [True]
    assert server.recipients == ["TO:<a@example.org>", "TO:<b@example.org>"]
    mail = email.message_from_bytes(server.mails[0], policy=email.policy.default)
    assert (mail["From"], mail["Subject"]) == (
        SENDER,
        "flights-eu: page: Brier score above expectation at origin = EWR: the model is wrong",
    )
    body = mail.get_content().replace("\r\n", "\n")
    assert body.startswith("Brier rose by .063 — more than harmless.\n\nDeployment  flights-eu (4)")
    assert "Dashboard   https://m/3" in body


def test_a_mail_by_tls_and_one_in_plain_text_arrive(context: ssl.SSLContext) -> None:
    with smtp_server(SmtpServer(context=context, tls=True)) as server:
        send_mail(MAIL, MailServer(host="localhost", port=server.port, security="tls"))
    with smtp_server(SmtpServer()) as plain:
        send_mail(MAIL, MailServer(host="127.0.0.1", port=plain.port, security="none"))
    assert (server.secure, plain.secure) == ([True], [False])


def test_a_slice_cannot_add_a_header_or_a_recipient() -> None:
    hostile = replace(PAGE, diagnoses=worded("x\r\nBcc: e@f.org"), slice="y\nTo: z")
    mail = mail_of(replace(OPENED, incident=hostile), sender=SENDER, to=TO, link=None)
    parsed = email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)
    assert parsed["Bcc"] is None
    assert parsed.get_all("Subject") == [
        "flights-eu: page: Brier score above expectation at y\ufffdTo: z: x\ufffd\ufffdBcc: e@f.org"
    ]


def test_the_id_of_a_mail_is_that_of_its_event() -> None:
    again = mail_of(OPENED, sender=SENDER, to=TO, link=None)
    other = mail_of(replace(OPENED, event="other", state="closed"), sender=SENDER, to=TO, link=None)
    assert MAIL["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert MAIL["References"] == other["References"]


def test_a_wrong_password_is_said_without_it(context: ssl.SSLContext) -> None:
    with smtp_server(SmtpServer(context=context, login=("me", "right"))) as server:
        wrong = MailServer(host="localhost", port=server.port, security="starttls", user="me", password="hidden")
        with pytest.raises(ConnectionError, match="SMTP 535: user or password refused") as caught:
            send_mail(MAIL, wrong)
    assert "hidden" not in str(caught.value)
    assert "hidden" not in repr(wrong)


def test_a_server_that_nobody_vouches_for_gets_neither_password_nor_mail(
    context: ssl.SSLContext, tmp_path: Path
) -> None:
    with smtp_server(SmtpServer(context=context_of(tmp_path, OTHERS), login=("me", "x"))) as server:
        at = MailServer(host="localhost", port=server.port, security="starttls", user="me", password="x")
        with pytest.raises(ConnectionError, match="certificate refused"):
            send_mail(MAIL, at)
    assert server.mails == []


def test_a_server_without_starttls_gets_nothing_in_plain_text() -> None:
    with smtp_server(SmtpServer()) as server, pytest.raises(ConnectionError, match="no STARTTLS"):
        send_mail(MAIL, MailServer(host="localhost", port=server.port, security="starttls"))
    assert server.mails == []


def test_a_refused_recipient_is_named_and_the_others_get_the_mail() -> None:
    with smtp_server(SmtpServer(refused="b@example.org")) as server:
        at = MailServer(host="127.0.0.1", port=server.port, security="none")
        assert send_mail(MAIL, at) == ("b@example.org",)
        assert len(server.mails) == 1
        alone = mail_of(OPENED, sender=SENDER, to=("b@example.org",), link=None)
        with pytest.raises(ConnectionError, match=r"SMTP 550: recipients refused: b@example\.org"):
            send_mail(alone, at)


def test_a_server_that_drips_or_is_not_there_is_left_in_time() -> None:
    began = time.monotonic()
    with smtp_server(SmtpServer(drips=True)) as server:
        at = MailServer(host="127.0.0.1", port=server.port, security="none")
        with pytest.raises(ConnectionError, match=r"no response within 0\.3 s"):
            send_mail(MAIL, at, timeout=0.3)
    assert time.monotonic() - began < 5
    with pytest.raises(ConnectionError, match="Connection refused"):
        send_mail(MAIL, at, timeout=5)

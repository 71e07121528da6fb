from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config.addresses import redacted
from monitoring.config.routes import WebhookRoute
from tests.monitoring.config.configs import LEAST, load, problems


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ('""', "not a path"),
        ('"a\\u0000b"', "not a path"),
        ('"://traffic"', "only [traffic] path and labels may be URLs"),
    ],
)
def test_a_path_that_is_none_is_refused(tmp_path: Path, path: str, part: str) -> None:
    (line,) = problems(tmp_path, LEAST.replace('"traffic"', path))
    assert line.startswith("line 4, [traffic] path: ")
    assert part in line


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/secret",
        "http://127.0.0.1.example.org/secret",
        "ftp://127.0.0.1/secret",
        "https:///secret",
        "https://user:secret@[::1/secret",
        "https://host:99999/secret",
        "https://host/secret\\n",
        "secret",
    ],
)
def test_a_webhook_is_encrypted_or_local_and_its_secret_stays_out_of_messages(tmp_path: Path, url: str) -> None:
    (line,) = problems(tmp_path, f'{LEAST}[[notify]]\nwebhook = "{url}"\n')
    assert line.startswith("line 6, [[notify]] 1 webhook: not a webhook")
    assert "secret" not in line


@pytest.mark.parametrize(
    "url", ["https://h.example/x", "http://127.0.0.1:8000", "http://localhost/a", "http://[::1]:1/"]
)
def test_webhooks_on_this_machine_need_no_encryption(tmp_path: Path, url: str) -> None:
    (webhook,) = load(tmp_path, f'{LEAST}[[notify]]\nwebhook = "{url}"\nlevel = "notice"\n').notify
    assert isinstance(webhook, WebhookRoute)
    assert (webhook.webhook, webhook.level) == (url, "notice")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@h.example:8443/secret?key=secret", "https://h.example:8443/…"),
        ("https://h.example/", "https://h.example"),
        ("http://[::1]:1/secret", "http://[::1]:1/…"),
        ("https://h.example:99999/secret", "an invalid URL"),
        ("secret", "a URL without scheme and host"),
    ],
)
def test_a_redacted_url_keeps_scheme_host_and_port(url: str, shown: str) -> None:
    assert redacted(url) == shown


def test_the_store_stays_where_the_file_is(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, f'{LEAST}[store]\nurl = "sqlite:///a%3Fb/x?y"\n[windows]\nmin_rows = 0\n')
    assert "min_rows" in line
    config = load(tmp_path, f'{LEAST}[store]\nurl = "sqlite:///state/p.db"\n')
    assert config.store.url == f"sqlite:///{tmp_path}/state/p.db"

"""Apprise's own program tells a receiver; its configuration holds secrets, and is never shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.errors import BadInput
from monitoring.notifications.digest import Digest
from monitoring.notifications.routes.apprise import apprise_command, send_by_apprise
from tests.monitoring.notifications.receivers import DEPLOYMENT, OPENED, PAGE, Receiver


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "apprise.cfg"
    file.write_text("json://hidden@127.0.0.1:1/x\n")
    file.chmod(0o600)
    return file


def test_a_service_gets_title_text_and_link(config: Path, receiver: Receiver) -> None:
    config.write_text(receiver.url.replace("http://", "json://") + "\n")
    send_by_apprise(OPENED, config, link="https://monitor.example.org/d/1", timeout=20.0)
    (document,) = receiver.documents
    assert document["title"] == OPENED.headline
    assert document["message"].startswith(OPENED.text)
    assert document["message"].endswith("Dashboard: https://monitor.example.org/d/1")
    assert document["type"] == "warning"


def test_one_that_is_not_reached_is_an_outcome_without_its_secret(config: Path) -> None:
    with pytest.raises(ConnectionError, match="exit status 1") as failed:
        send_by_apprise(OPENED, config, link=None, timeout=20.0)
    assert "hidden" not in str(failed.value)


def test_a_configuration_that_others_may_read_is_refused(config: Path) -> None:
    config.chmod(0o644)
    with pytest.raises(BadInput, match="others may read"):
        send_by_apprise(OPENED, config, link=None, timeout=20.0)


def test_the_kind_follows_the_state(config: Path) -> None:
    kinds = [apprise_command(replace(OPENED, state=state), config)[-2] for state in ("worse", "closed")]
    kinds.append(apprise_command(Digest(event="e", events=1, incidents=(PAGE,), deployment=DEPLOYMENT), config)[-2])
    assert kinds == [f"--notification-type={kind}" for kind in ("warning", "success", "warning")]

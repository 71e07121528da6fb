from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from monitoring.config.routes import WebhookRoute
from monitoring.records import IncidentRecord, WindowRecord
from monitoring.store import DeploymentRecord, Store
from monitoring.store.notifications import Attempt
from tests.monitoring.store.conftest import deployment_record, incident, window

__all__ = ["deployment_record", "incident", "window"]

HOOK = WebhookRoute(webhook="https://hooks.example.org/secret")
CONFIG = f'[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n[[notify]]\nwebhook = "{HOOK.webhook}"\n'
OTHER = "a receiver that the config does not have"
Pitfalls = Callable[..., Result]


@pytest.fixture
def config(
    tmp_path: Path, deployment_record: DeploymentRecord, window: Callable[..., WindowRecord], incident: IncidentRecord
) -> Path:
    """A config whose store has one delivered, one given up and one pending notification."""
    path = tmp_path / "monitor.toml"
    path.write_text(CONFIG)
    with Store.open(f"sqlite:///{tmp_path}/pitfalls.db") as store:
        number = store.find_or_create(replace(deployment_record, traffic=""))
        at = incident.opened_at + timedelta(days=1)
        moved = incident.entered("worse", at).entered("worse", at + timedelta(days=1))
        store.commit_window(number, window(0), states={}, label_cursor={}, incidents=[moved])
        done = datetime(2013, 5, 1, tzinfo=UTC)
        store.outbox.save_attempt(number, 1, Attempt(reached=frozenset({HOOK.receiver}), completed_at=done))
        lost = Attempt(reached=frozenset({"x"}), abandoned=frozenset({HOOK.receiver}), given_up_at=done)
        store.outbox.save_attempt(number, 2, lost)
    return path


def test_what_is_pending_or_was_given_up_is_listed_without_secrets(config: Path, pitfalls: Pitfalls) -> None:
    done = pitfalls("monitor", "notify", "list", "--config", config)
    assert done.exit_code == 0, done.output
    hook = HOOK.redacted_address
    assert done.stdout.splitlines() == [
        f"flights/1/1/1  worse  2013-04-03 06:00 UTC  given up, 1 attempt; reached: {OTHER}; given up: {hook}",
        "flights/1/1/2  worse  2013-04-04 06:00 UTC  pending, 0 attempts; reached: nobody",
    ]
    found = json.loads(pitfalls("monitor", "notify", "list", "--config", config, "--all", "--json").stdout)
    assert [one["outcome"] for one in found["notifications"]] == ["delivered", "given up", "pending"]
    assert found["notifications"][0]["reached"] == ["https://hooks.example.org/…"]


def test_nothing_to_list_is_said(tmp_path: Path, pitfalls: Pitfalls) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(CONFIG)
    Store.open(f"sqlite:///{tmp_path}/pitfalls.db").close()
    done = pitfalls("monitor", "notify", "list", "--config", path)
    assert done.stdout == "No notification is pending, and none was given up.\n"


def test_without_a_route_nothing_is_pending(config: Path, pitfalls: Pitfalls) -> None:
    config.write_text(CONFIG.partition("[[notify]]")[0])
    done = pitfalls("monitor", "notify", "list", "--config", config)
    assert done.stdout.startswith(f"Nobody is notified: {config} has no section [[notify]].")
    assert "pending" not in done.stdout
    assert "given up" in done.stdout  # it was sent along a route of before

"""A store with an open page and an open notice, and the verbs that act on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from monitoring.store import Store
from tests.dashboard_store import fill
from tests.small_deployment import CONFIG


@pytest.fixture
def incidents(tmp_path: Path, pitfalls: Callable[..., Result]) -> Callable[..., Result]:
    """Run ``pitfalls monitor incidents ...`` on that store."""
    (tmp_path / "monitor.toml").write_text(CONFIG)
    with Store.open(f"sqlite:///{tmp_path / 'pitfalls.db'}") as store:
        fill(store, "flights")

    def run(*arguments: str) -> Result:
        place = ("--config", str(tmp_path / "monitor.toml"), "--deployment", "1")
        return pitfalls("monitor", "incidents", *arguments, *place)

    return run


@pytest.fixture
def document(incidents: Callable[..., Result]) -> Callable[..., dict[str, Any]]:
    """The JSON document of such a verb."""

    def run(*arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(incidents(*arguments, "--json").stdout)
        return found

    return run

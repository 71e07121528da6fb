"""A label of a running server is moved in its model config file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.actions.server_label import ServerLabel
from monitoring.errors import CannotRun
from tests.monitoring.actions.label_server import label_server, models_config


def label_of(file: Path, port: int) -> ServerLabel:
    return ServerLabel(
        file=file, server=f"http://127.0.0.1:{port}", model="flights", label="stable", section="[rollout]"
    )


def test_a_label_is_moved_and_moving_it_again_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "models.config"
    file.write_text(models_config((42, 43), stable=42))
    with label_server(file, (42, 43)) as port:
        label = label_of(file, port)
        assert (label.version(), label.states()) == (42, {42: "AVAILABLE", 43: "AVAILABLE"})
        assert (
            label.move(43) == "The label stable of flights went from version 42 to version 43; the server has taken it."
        )
        written = file.stat().st_mtime_ns
        assert label.move(43) == "The label stable of flights names version 43; the server has taken it."
        assert (label.version(), file.stat().st_mtime_ns) == (43, written)


def test_a_server_that_does_not_follow_is_told(tmp_path: Path) -> None:
    file, other = tmp_path / "models.config", tmp_path / "other.config"
    for path in (file, other):
        path.write_text(models_config((42, 43), stable=42))
    with label_server(other, (42, 43)) as port:
        label = replace(label_of(file, port), timeout=timedelta(seconds=0.05))
        with pytest.raises(CannotRun, match=r"but the server has not taken it.*SIGHUP"):
            label.move(43, sleep=lambda _: None)
        assert label.version() == 43

"""Configs written into a folder, and the errors that they are refused with."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config import MonitorConfig, load_config
from monitoring.errors import InvalidSettings

LEAST = '[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n'


def load(folder: Path, text: str) -> MonitorConfig:
    """The config of that text."""
    path = folder / "monitor.toml"
    path.write_text(text, "utf-8")
    return load_config(path)


def problems(folder: Path, text: str) -> list[str]:
    """The lines that a text is refused with."""
    with pytest.raises(InvalidSettings) as caught:
        load(folder, text)
    head, *lines = str(caught.value).splitlines()
    count = "1 error" if len(lines) == 1 else f"{len(lines)} errors"
    assert head == f"{count} in {folder / 'monitor.toml'}:"
    return [line.strip() for line in lines]

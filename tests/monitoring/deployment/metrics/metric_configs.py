"""Configs with one metric, and their folders."""

from __future__ import annotations

from pathlib import Path

from monitoring.config import MonitorConfig
from monitoring.config.loading import parse_config

MISSED = 'def missed(rows):\n    return rows.label == "late"\n'


def config_of(folder: Path, function: str = "own:missed", code: str | None = MISSED) -> MonitorConfig:
    folder.mkdir(parents=True, exist_ok=True)
    if code is not None:
        (folder / "own.py").write_text(code)
    text = '[model]\nbundle = "m"\n[traffic]\npath = "t"\n[[metric]]\nname = "missed"\n'
    config = parse_config(f'{text}function = "{function}"\n', folder)
    assert isinstance(config, MonitorConfig), config
    return config

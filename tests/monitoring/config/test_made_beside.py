"""What is made for a config whose folder cannot be written; the whole service has it in `test_serve_read_only.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config import load_config, made_beside

OWN = '[model]\nbaseline = "baseline"\n[traffic]\nevent_time = "ts"\nscores = ["p"]\n'
SECTION = '[baseline]\npath = "{}"\nsince = 2026-04-05T00:00:00Z\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config whose folder counts as one that cannot be written, as root may write every folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(made_beside, "is_read_only", lambda _: True)
    path = tmp_path / "monitor.toml"
    path.write_text(OWN)
    return path


def test_a_section_is_kept_elsewhere_until_it_is_undone(config: Path, tmp_path: Path) -> None:
    made_beside.write_section(config, OWN, SECTION.format(tmp_path / "new"))
    assert config.read_text() == OWN
    assert load_config(config).baseline.path == tmp_path / "new"
    made_beside.write_section(config, OWN, "")
    assert load_config(config).baseline.path is None
    assert made_beside.kept_file(config) is None


def test_a_config_that_has_another_section_by_now_holds(config: Path, tmp_path: Path) -> None:
    made_beside.write_section(config, OWN, SECTION.format(tmp_path / "new"))
    config.write_text(OWN + SECTION.format(tmp_path / "deployed"))
    assert load_config(config).baseline.path == tmp_path / "deployed"


def test_a_kept_file_that_is_damaged_is_no_section(config: Path) -> None:
    kept = made_beside.made_beside(config) / "baseline.toml"
    kept.parent.mkdir(parents=True)
    kept.write_text("in_place_of = 3")
    assert load_config(config).baseline.path is None

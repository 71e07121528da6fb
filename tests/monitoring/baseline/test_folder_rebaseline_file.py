"""The file beside a baseline that was made from traffic."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitoring.baseline.folder import REBASELINE, read_rebaseline, write_rebaseline
from monitoring.errors import CannotRun
from monitoring.records import Rebaseline

DAY = datetime(2026, 4, 5, tzinfo=UTC)
CHANGE = Rebaseline(
    at=DAY, by="ada", reason="Preise é", start=DAY, end=DAY, since=DAY, former_basis="ab", former_section="[baseline]\n"
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_rebaseline(tmp_path) is None
    write_rebaseline(CHANGE, tmp_path)
    assert read_rebaseline(tmp_path) == CHANGE


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"at": 1}'])
def test_a_damaged_file_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / REBASELINE).write_text(text)
    with pytest.raises(CannotRun, match=r"cannot be read.*rebaseline\.json"):
        read_rebaseline(tmp_path)

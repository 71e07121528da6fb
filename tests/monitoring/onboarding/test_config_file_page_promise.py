"""A config promises fewer false pages where its baseline has enough windows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.config import load_config
from monitoring.config.template import PAGE_BUDGET
from monitoring.evidence.calibration import MIN_CALIBRATION_WINDOWS
from monitoring.onboarding.config_file import FEW_WINDOWS_BUDGET
from tests.own_table import REFERENCE, own_rows, watch


@pytest.mark.parametrize(("days", "promised"), [(45, FEW_WINDOWS_BUDGET), (100, PAGE_BUDGET)])
def test_a_baseline_of_few_windows_promises_more_pages_and_says_so(tmp_path: Path, days: int, promised: str) -> None:
    found = watch(tmp_path, own_rows(replace(REFERENCE, days=days)), every="4d").adopted
    assert load_config(found.config).budget.page == promised
    notes = [note for note in found.notes if "windows of losses, and evidence grows slowly" in note]
    assert len(notes) == (promised == FEW_WINDOWS_BUDGET)
    assert all(f"fewer than {MIN_CALIBRATION_WINDOWS}: " in note and FEW_WINDOWS_BUDGET in note for note in notes)


def test_a_promise_that_was_asked_for_stays(tmp_path: Path) -> None:
    rows = own_rows(replace(REFERENCE, days=45))
    found = watch(tmp_path, rows, every="4d", settings={"budget": {"page": "1 per 1000 windows"}}).adopted
    assert load_config(found.config).budget.page == "1 per 1000 windows"
    assert not [note for note in found.notes if "budget of false pages" in note]

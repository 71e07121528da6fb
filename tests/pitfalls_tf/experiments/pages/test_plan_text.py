"""The plan in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pitfalls_tf.experiments.pages.plan_text import plan_section, write_plan_page
from pitfalls_tf.experiments.power_plan import PlannedClaim, PlannedSource

if TYPE_CHECKING:
    from pathlib import Path


def planned(*looks: int, runs: int | None) -> PlannedSource:
    """A plan of one claim."""
    claim = PlannedClaim(
        claim="c", where="letters", smallest_effect="a factor of 2", standard_error=0.3, runs=runs, power=0.91
    )
    return PlannedSource(source="letters", looks=looks, domains=48, claims=(claim,))


def test_a_section_has_a_row_per_source_and_claim() -> None:
    section = plan_section({"letters": planned(32, runs=32)})
    assert "| letters | c | a factor of 2 | 0.3 | 32 | 32 | 48 | 0.91 |" in section
    assert plan_section({}) == ""


def test_sequential_runs_list_their_looks_and_missing_ones_are_said(tmp_path: Path) -> None:
    page = write_plan_page(
        {"x": {"letters": planned(16, 32, 64, runs=200)}, "y": {"letters": planned(runs=None)}}, tmp_path
    )
    text = page.read_text("utf-8")
    assert "| 200 | 16, 32, 64 |" in text
    assert "| no fresh runs | 0 |" in text

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.results import Result, Table
from benchmarks.speed_page import Goal, write_page


@pytest.mark.parametrize(
    ("goal", "reached"),
    [
        (Goal(model="m", of="of it", got=0.5, least=0.6), False),
        (Goal(model="m", of="of it", got=0.5, least=0.5), True),
        (Goal(model="m", of="of it", got=2.0, most=2.5), True),
        (Goal(model="m", of="of it", got=2.6, most=2.5), False),
    ],
)
def test_a_goal_is_reached_within_its_bound(goal: Goal, reached: bool) -> None:
    assert goal.reached is reached


def test_tables_and_remarks_become_a_page(tmp_path: Path) -> None:
    tables = (Table(title="Rates", columns=("server", "rate"), rows=(("a", 1234.5),)),)
    write_page(tmp_path / "speed.md", Result(tables=tables, remarks=("Left out.",)))
    page = (tmp_path / "speed.md").read_text("utf-8")
    assert "## Rates\n\n| server | rate |\n|---|---:|\n| a | 1,234 |\n" in page
    assert page.endswith("## Remarks\n\n- Left out.\n")

"""Rules of a config open incidents when rows break them, and close them when none does any more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.sentences.incident_text import incident_text
from tests.own_table import own_rows, watch
from tests.small_deployment import LIVE, Days

RULES = """
[[rule]]
name = "temperatures are on Earth"
column = "temp"
high = 150.0
[[rule]]
name = "airports are known"
level = "notice"
column = "origin"
values = ["EWR", "JFK"]
[[rule]]
name = "it is warm in Newark"
expression = "origin != 'EWR' or temp > -200"
"""


def test_a_broken_rule_is_a_page_or_a_notice_at_once_and_closes(tmp_path: Path) -> None:
    live = own_rows(Days(days=8))
    temp, origin = live["temp"].to_numpy().copy(), np.array(live["origin"].to_pylist(), dtype=object)
    temp[125], origin[127] = 999.0, "LGA"  # two rows of the third day
    broken = live.set_column(2, "temp", pa.array(temp)).set_column(3, "origin", pa.array(origin, pa.string()))
    monitor = watch(tmp_path / "ruled")
    monitor.adopted.config.write_text(monitor.adopted.config.read_text("utf-8") + RULES, "utf-8")
    monitor.live("a.parquet", broken)
    _, status = monitor.run()
    ruled = [one for one in status.incidents if "rule" in incident_text(one).cause]
    assert [(one.level, one.slice, one.opened_at) for one in ruled] == [
        ("page", "rule temperatures are on Earth", LIVE + timedelta(days=3)),
        ("notice", "rule airports are known", LIVE + timedelta(days=3)),
    ]
    assert "temp is above 150 in 1 of 60 rows (1.7%). " in incident_text(ruled[0]).message
    assert {one.state for one in ruled} == {"closed"}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ('column = "temp"', "a rule needs one condition"),
        ('column = "temp"\nlow = 1\nunique = true', "a rule needs one condition"),
        ("low = 1", "is about a column"),
        ('expression = "temp > 1"\ncolumn = "temp"', "has no column"),
        ("gap = 0.1", "group and gap go together"),
        ('column = "temp"\nlow = 2\nhigh = 1', "low is above high"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_its_line(tmp_path: Path, rule: str, words: str) -> None:
    text = '[model]\nbundle = "m"\n[traffic]\npath = "traffic"\n[[rule]]\nname = "r"\n'
    (tmp_path / "monitor.toml").write_text(text + rule)
    with pytest.raises(BadInput, match=words):
        load_config(tmp_path / "monitor.toml")

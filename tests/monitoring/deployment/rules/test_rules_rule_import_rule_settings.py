"""Rules of a config open incidents when rows break them, and close them when none does any more."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitoring.config import load_config
from monitoring.deployment.rules import rule_columns
from monitoring.errors import BadInput
from monitoring.sentences.incident_text import incident_text
from monitoring.tasks.classification import Classification
from monitoring.tasks.regression import Regression
from pitfalls_tf.cli.monitor.import_rules import command
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
        ('column = "temp"\nstatistic = "mean"\nmissing = 0.1', "a statistic has bounds"),
        ('column = "temp"\nstatistic = "mode"\nlow = 0.1', "statistic"),
        ('columns = ["temp"]\nunique = true', "columns go with unique"),
        ('columns = ["temp", "origin"]\nlow = 1', "columns go with unique"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_its_line(tmp_path: Path, rule: str, words: str) -> None:
    text = '[model]\nbundle = "m"\n[traffic]\npath = "traffic"\n[[rule]]\nname = "r"\n'
    (tmp_path / "monitor.toml").write_text(text + rule)
    with pytest.raises(BadInput, match=words):
        load_config(tmp_path / "monitor.toml")


SUITE = {
    "expectations": [
        {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}},
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "late", "max_value": 0.999}},
        {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "temp", "max_value": 100}},
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "y", "value_set": ["on_time", "late"]}},
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "tail_number"}},
    ]
}


def test_an_imported_suite_runs_and_what_cannot_is_left_out_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monitor = watch(tmp_path / "ruled")
    config = monitor.adopted.config
    (tmp_path / "suite.json").write_text(json.dumps(SUITE))
    words = [str(tmp_path / "suite.json"), "--config", str(config)]
    assert command.main(words, standalone_mode=False) == 1, "two expectations are no rules here"
    out, err = capsys.readouterr()
    assert "y is known: The rule 'y is known' is about labels." in err
    assert "is about a column that is not watched" in err
    config.write_text(config.read_text("utf-8") + "\n" + out, "utf-8")
    rows = own_rows(Days(days=8))
    hot = pc.if_else(pc.greater_equal(rows["ts"], pa.scalar(LIVE + timedelta(days=6), rows["ts"].type)), 300.0, 0.0)
    monitor.live("a.parquet", rows.set_column(2, "temp", pc.add(rows["temp"], hot)))
    _, status = monitor.run()
    ruled = {one.slice for one in status.incidents if one.slice.startswith("rule ")}
    assert ruled == {"rule mean of temp is in range"}


def test_a_predicted_number_is_a_column_of_rules_and_a_predicted_class_is_none(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text('[model]\nbundle = "m"\n[traffic]\npath = "t"\npredicted = "answer"\n')
    config = load_config(tmp_path / "monitor.toml")
    assert rule_columns(config, Regression()).scores == ("answer",)
    assert rule_columns(config, Classification(classes=("no", "yes"), has_probabilities=False)).scores == ()

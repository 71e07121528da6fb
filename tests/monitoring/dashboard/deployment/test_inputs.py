from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from monitoring.dashboard.deployment.inputs import PAGE_INPUTS, input_charts, inputs_view
from monitoring.dashboard.view.history import DeploymentHistory
from monitoring.records import ColumnNote, ScoreRecord
from monitoring.reports.sections.inputs import NO_NOTES, inputs_of, series_of


def with_scores(history: DeploymentHistory, words: Mapping[str, ColumnNote] = NO_NOTES) -> DeploymentHistory:
    """The history with an input that rises by 0.1 a window, and one that was never scored."""
    score = ScoreRecord(level="notice", watch="input:temp:location", slice="", rows=9, value=0.0, log_evidence=-1.0)
    windows = tuple(
        replace(window, scores=(replace(score, value=0.1 * place),)) for place, window in enumerate(history.windows)
    )
    inputs = inputs_of(history.last, history.baseline, words)
    return replace(history, inputs=inputs, scores=series_of(windows, inputs), table_rows=5)


def test_an_input_is_drawn_with_its_size_its_alarms_and_its_table(history: DeploymentHistory) -> None:
    (chart,) = input_charts(with_scores(history), "/d/shop/1")
    assert (chart.name, chart.title) == ("effect:input:temp", "temp")
    assert chart.href == "/d/shop/1/input?of=input%3Atemp"
    assert chart.note.startswith("Mean quantile of temp ")
    assert chart.note.endswith(" standard deviations. 1 alarm.")
    assert [path.style for path in chart.drawings[0].paths if path.style.endswith("-mark")] == ["notice-mark"]
    assert chart.table is not None
    assert (len(chart.table.rows), chart.table.total, chart.table.left_out) == (5, len(history.windows), True)
    assert chart.table.rows[0][0].value == history.windows[-1].start
    assert [cell.value for cell in chart.table.rows[0][1:3]] == [
        "input:temp:location",
        0.1 * (len(history.windows) - 1),
    ]


def test_all_inputs_are_in_the_table_with_their_open_alarm(history: DeploymentHistory) -> None:
    found = inputs_of(history.last, history.baseline)
    view = inputs_view(with_scores(history), found, "/d/shop/1", ("", 1))
    assert [row[0].value for row in view.overall.rows] == [one.key for one in found]
    opened = next(row for row in view.overall.rows if row[0].value == "input:temp")
    assert (opened[5].value, opened[6].text, opened[6].style) == (1, "#2", "notice")
    assert {one.name for one in view.tables} == {"inputs", "effect:input:temp"}
    assert (view.page, view.pages, view.matches <= PAGE_INPUTS) == (1, 1, True)


def test_the_words_of_the_dictionary_stand_beside_an_input(history: DeploymentHistory) -> None:
    words = {"temp": ColumnNote(unit="°C", description="of the <air>.")}
    found = inputs_of(history.last, history.baseline, words)
    bare = inputs_view(history, inputs_of(history.last, history.baseline), "/d/shop/1", ("", 1)).overall
    table = inputs_view(history, found, "/d/shop/1", ("", 1)).overall
    assert (bare.columns[-1], table.columns[-1]) == ("Open", "Description")
    row = next(row for row in table.rows if row[0].value == "input:temp")
    assert (row[0].text, row[-1].text) == ("temp [°C]", "of the <air>.")
    (chart,) = input_charts(with_scores(history, words), "/d/shop/1")
    assert chart.title == "temp [°C]"
    assert chart.note.startswith("of the <air>. Mean quantile of temp ")

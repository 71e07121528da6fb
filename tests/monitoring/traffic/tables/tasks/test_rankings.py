"""Tables of rankings: lists, or the text of lists; judged, or refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitoring import Monitor
from monitoring.errors import BadInput
from monitoring.onboarding.table_description import columns_described, described
from monitoring.reports.page import page_charts
from monitoring.sentences.incident_text import incident_text
from monitoring.traffic.tables.column_findings import column_findings
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.reference import read_all
from monitoring.traffic.tables.rows import coded_labels
from monitoring.traffic.tables.tasks.rankings import check_ranking_columns

PLACES, CATALOGUE, ROWS = 4, 40, 100


def days(first: str, count: int, seed: int, fault: str = "") -> pd.DataFrame:
    """100 rankings a day of four of forty items; in nine of ten rows the clicked one is among them, mostly high."""
    rng, rows = np.random.default_rng(seed), count * ROWS
    shares = 1.0 / np.arange(1, CATALOGUE + 1)
    shown = np.argsort(rng.exponential(1.0, (rows, CATALOGUE)) / shares, axis=1)[:, :PLACES]
    place = np.minimum(rng.geometric(0.5, rows) - 1, PLACES - 1)
    clicked = np.where(rng.random(rows) < 0.9, shown[np.arange(rows), place], rng.integers(0, CATALOGUE, rows))
    answers = shown[:, ::-1] if fault == "reversed" else (shown + 1) % CATALOGUE if fault == "shifted" else shown
    return pd.DataFrame(
        {
            "id": [f"{first}-{row}" for row in range(rows)],
            "ts": pd.Timestamp(first, tz="UTC") + pd.to_timedelta(np.arange(rows) * 86_400 // ROWS, unit="s"),
            "x": rng.normal(size=rows),
            "shown": [[f"item-{one}" for one in row] for row in answers],
            "scores": np.sort(rng.random((rows, PLACES)))[:, ::-1].tolist(),
            "clicked": [f"item-{one}" for one in clicked],
        }
    )


SAID: dict[str, Any] = {"event_time": "ts", "task": "ranking", "predicted": "shown", "prediction_id": "id", "rows": 100}


def columns_of(frame: pd.DataFrame, folder: Path, *, text: bool = False, **said: Any) -> TableColumns:
    path = folder / ("table.csv" if text else "table.parquet")
    frame.to_csv(path, index=False) if text else frame.to_parquet(path)
    description = described(**{**SAID, "label": "clicked", **said})
    return columns_described(read_all(pieces_of(path)), description)[0]


def test_lists_and_their_text_are_the_same_ranking(tmp_path: Path) -> None:
    frame = days("2024-01-01", 5, 0)
    lists = columns_of(frame, tmp_path, scores=("scores",))
    assert lists.ranking is not None
    assert (lists.ranking.places, lists.ranking.scored, lists.answer) == (PLACES, True, ("shown", "scores"))
    assert lists.inputs == {"x": "number"}
    assert lists.ranking.first[0][1] == "item-0"
    joined = frame.assign(shown=frame["shown"].map("|".join))
    assert columns_of(joined, tmp_path, text=True, scores=("scores",)).ranking == lists.ranking
    assert (
        columns_of(frame, tmp_path, text=True, scores=("scores",)).ranking == lists.ranking
    )  # ['item-1', 'item-2', …]


@pytest.mark.parametrize(
    ("change", "said", "reason"),
    [
        ({"clicked": "other"}, {}, "No label is ever among the answered ids"),
        ({"clicked": [[f"item-{one}" for one in range(40)]] * 100}, {}, "Labels have too many ids"),
        ({"shown": [[]] * 100}, {}, "cannot be the answers of a ranking"),
        ({"scores": [[0.5]] * 100}, {"scores": ("scores",)}, "Most rows of the reference have no usable ranking"),
        ({}, {"classes": ("a", "b")}, "no classes"),
        ({}, {"scores": ("x", "scores")}, "one column of lists of ids"),
        ({}, {"label": ("x", "clicked")}, "one of labels"),
    ],
    ids=["labels", "many", "empty", "scores", "classes", "columns", "label columns"],
)
def test_what_does_not_fit_is_refused(
    change: dict[str, Any], said: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=reason):
        columns_of(days("2024-01-01", 1, 0).assign(**change), tmp_path, **said)


@pytest.fixture(scope="module")
def monitor() -> Monitor:
    return Monitor.from_reference(days("2024-01-01", 30, 0), label="clicked", scores="scores", **SAID)


def test_quiet_traffic_pages_nothing_and_a_reversed_ranking_does(monitor: Monitor) -> None:
    found = monitor.run(pd.concat([days("2024-03-01", 4, 1), days("2024-03-05", 4, 2, "reversed")]))
    first = found.status.windows[0]
    scores = {score.watch: score.value for score in first.scores if not score.slice}
    assert {"estimated_ndcg_loss", "surprise_recall_loss", "prediction:new_ids"} <= set(scores)
    assert "prediction:first:item-0" in scores
    shown = {metric.metric: metric for metric in first.measured}
    assert shown["recall_at_k"].value == pytest.approx(0.9, abs=0.1)
    assert shown["mean_reciprocal_rank"].low < shown["mean_reciprocal_rank"].value < 1.0
    assert {metric.metric for metric in found.benchmark.metrics} == {"recall_loss", "ndcg_loss", "reciprocal_rank_loss"}
    page = next(incident for incident in found.incidents if incident.level == "page")
    assert page.window_end.day >= 5
    assert "NDCG@k" in incident_text(page).message or "reciprocal rank" in incident_text(page).message
    titles = [chart.title for chart in page_charts(found.status, found.benchmark)]
    assert any("NDCG@k" in title for title in titles)


def test_labels_may_come_in_a_table_of_their_own_as_one_id_or_as_lists(monitor: Monitor) -> None:
    live = days("2024-03-01", 3, 3, "shifted")
    labels = live[["id", "clicked", "ts"]].rename(columns={"ts": "label_time"})
    labels["clicked"] = [[one] if place % 2 else [one, "item-0"] for place, one in enumerate(labels["clicked"])]
    watching = Monitor.from_reference(
        days("2024-01-01", 30, 0).drop(columns="scores"),
        label="clicked",
        settings={"windows": {"lateness": "0h"}},
        **SAID,
    )
    found = watching.run(live.drop(columns=["clicked", "scores"]), labels)
    assert sum(window.labels for window in found.windows) == len(live)
    assert [incident for incident in found.incidents if incident.level == "page"]


def test_a_column_of_ids_that_holds_none_any_more_is_a_fact(monitor: Monitor) -> None:
    live = days("2024-04-01", 2, 4)
    gone = live["ts"].dt.day == 2
    found = monitor.run(live.assign(shown=live["shown"].where(~gone, None)))
    page = next(incident for incident in found.incidents if incident.window_start.month == 4)
    assert (page.level, incident_text(page).cause) == ("page", "unusable answers")


@pytest.mark.parametrize(("scores", "predicted"), [((), None), (("x",), None), (("x", "y"), "ids")])
def test_a_ranking_is_one_column_of_ids_and_one_of_scores_at_most(
    scores: tuple[str, ...], predicted: str | None
) -> None:
    check_ranking_columns(scores[:1], "ids")
    with pytest.raises(BadInput, match="A ranking is one column of lists of ids") as refused:
        check_ranking_columns(scores, predicted)
    assert refused.value.got == (f"--score {','.join(scores)}" if scores else "no --predicted")


def test_lists_of_labels_are_read_and_are_no_finding(tmp_path: Path) -> None:
    frame = days("2024-01-01", 2, 5)
    lists = frame.assign(clicked=frame["clicked"].map(lambda one: [one, "item-1"]))
    found = columns_of(lists, tmp_path)
    assert found.ranking is not None
    assert found.lists_labels
    texts = read_all(pieces_of(tmp_path / "table.parquet"))[0]
    labels = coded_labels(texts.raw, found).dictionary_decode()
    assert labels[0].as_py() == "|".join(lists["clicked"][0])
    assert [finding for finding in column_findings(texts.raw, found) if finding.kind == "type changed"] == []

"""Anyone's table: the same findings as by the bundle's road, each row and label once, whatever way files come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.inspection.status import status
from monitoring.records import MonitorStatus
from monitoring.runs.run import run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from monitoring.traffic.labels.label_log import LabelLog
from tests.own_table import NOW, REFERENCE, Watched, own_rows, watch
from tests.small_deployment import LATER, Days

BROKEN = Days(days=16, broken_from=6, broken_part=0.5)


def judged(status: MonitorStatus) -> list[tuple[object, ...]]:
    """What each window came to, without what depends on the road."""
    return [
        (w.start, w.end, w.rows, w.labels, w.status, w.page_log_evidence, w.notice_log_evidence, w.scores)
        for w in status.windows
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Watched, MonitorStatus]:
    """Sixteen days in one file, judged at once."""
    watched = watch(tmp_path_factory.mktemp("whole"))
    watched.live("all.parquet", own_rows(BROKEN))
    return watched, watched.run()[1]


def test_a_table_comes_to_the_same_evidence_as_the_bundle_with_the_same_rows(
    whole: tuple[Watched, MonitorStatus], deployed: Path, send: Callable[..., None]
) -> None:
    send(deployed, BROKEN)
    path = deployed / "monitor.toml"
    promised = load_config(whole[0].adopted.config).budget.page
    path.write_text(f'{path.read_text()}\n[budget]\npage = "{promised}"\n')
    config = load_config(path)
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: NOW)
        bundle = status(store, "flights")
    _, table = whole
    assert judged(table) == judged(bundle)
    assert table.incidents == bundle.incidents
    (page,) = (i for i in table.incidents if i.level == "page")
    assert "the model is overconfident" in incident_text(page).cause
    assert (table.baseline, table.sensitivity, table.coverage) == (bundle.baseline, bundle.sensitivity, bundle.coverage)


def test_files_that_grow_and_come_in_any_order_give_the_same_as_one_file(
    whole: tuple[Watched, MonitorStatus], tmp_path: Path
) -> None:
    watched = watch(tmp_path)
    rows = own_rows(BROKEN)
    day = np.asarray(pc.day(rows["ts"]))
    shuffled = rows.filter(pa.array(day <= 5)).take(pa.array(np.random.default_rng(0).permutation(5 * 60)))
    watched.live("z.parquet", shuffled)
    watched.run(now=datetime(2013, 4, 6, 6, tzinfo=UTC))
    # A file is written anew with more rows, and one before it by name appears, with rows that are there already.
    watched.live("z.parquet", pa.concat_tables([shuffled, rows.filter(pa.array((day > 5) & (day <= 9)))]))
    watched.live("a.parquet", rows.filter(pa.array((day == 9) | (day == 10))))
    watched.run(now=datetime(2013, 4, 11, 6, tzinfo=UTC))
    watched.live("b.parquet", rows.filter(pa.array(day > 10)))
    end = datetime(2013, 4, 17, 6, tzinfo=UTC)  # traffic that is followed and stops would be an incident later
    _, found = watched.run(now=end)
    _, expected = whole
    assert judged(found) == judged(expected)
    assert found.coverage.repeats == 60
    again, after = watched.run(now=end)
    assert (again.judged, after) == (0, found)


def test_a_run_that_is_stopped_goes_on_to_the_same(whole: tuple[Watched, MonitorStatus], tmp_path: Path) -> None:
    watched = watch(tmp_path)
    watched.live("all.parquet", own_rows(BROKEN))
    stops = iter([False] * 3 + [True] + [False] * 5 + [True])
    runs = [watched.run(stop=lambda: next(stops, False)) for _ in range(3)]
    assert [run.stopped for run, _ in runs] == [True, True, False]
    assert runs[-1][1] == whole[1]


def test_csv_with_plain_times_and_without_ids_gives_the_same(
    whole: tuple[Watched, MonitorStatus], tmp_path: Path
) -> None:
    def plain(table: pa.Table) -> pa.Table:
        for name in ("ts", "known_at"):
            place = table.column_names.index(name)
            table = table.set_column(place, name, pc.strftime(table[name], "%Y-%m-%d %H:%M:%S"))
        for name in ("temp", "on_time", "late"):  # so that every digit of the floats is written
            table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.float64()))
        return table.drop_columns(["id"])

    watched = watch(tmp_path, plain(own_rows(REFERENCE)), prediction_id=None)
    assert any("taken as UTC" in note for note in watched.adopted.notes)
    (tmp_path / "live").mkdir()
    pyarrow.csv.write_csv(plain(own_rows(BROKEN)), tmp_path / "live" / "all.csv")
    _, found = watched.run(traffic="live/*.csv")
    assert judged(found) == judged(whole[1])


def test_labels_without_a_time_count_with_their_rows_or_when_they_are_first_seen(tmp_path: Path) -> None:
    watched = watch(tmp_path, own_rows(REFERENCE).drop_columns(["known_at"]), label_time=None)
    rows = own_rows(Days(days=6)).drop_columns(["known_at"])
    hidden = pc.less_equal(pc.day(rows["ts"]), 2)
    early = rows.set_column(6, "y", pc.if_else(hidden, pa.scalar(None, pa.string()), rows["y"]))
    watched.live("all.parquet", early)
    _, first = watched.run(now=datetime(2013, 4, 5, 6, tzinfo=UTC))
    assert [w.labels > 0 for w in first.windows] == [False, False, True, True]
    watched.live("all.parquet", rows)
    _, found = watched.run()
    late = sum(w.labels for w in first.windows)
    assert found.windows[4].labels > 100  # its own, and those of the first two days
    assert found.coverage.labels == rows.num_rows - rows["y"].null_count > late
    assert LabelLog(load_config(watched.adopted.config).traffic.label_log).summary().repeats == 0


def test_labels_may_stand_in_a_table_apart(whole: tuple[Watched, MonitorStatus], tmp_path: Path) -> None:
    watched = watch(tmp_path)
    rows = own_rows(BROKEN)
    watched.live("all.parquet", rows.drop_columns(["y", "known_at"]))
    (tmp_path / "truth").mkdir()
    pyarrow.csv.write_csv(rows.select(["id", "y", "known_at"]), tmp_path / "truth" / "one.csv")
    text = watched.adopted.config.read_text("utf-8")
    changed = text.replace('# labels = "labels/*.parquet"', f'labels = "{tmp_path}/truth"')
    assert changed != text
    watched.adopted.config.write_text(changed, "utf-8")
    assert judged(watched.run()[1]) == judged(whole[1])


def test_an_answer_alone_is_watched_for_its_error(tmp_path: Path) -> None:
    def answered(days: Days) -> pa.Table:
        rows = own_rows(days)
        answer = pc.if_else(pc.greater(rows["late"], 0.5), "late", "on_time")
        return rows.append_column("answer", answer).drop_columns(["on_time", "late"])

    watched = watch(tmp_path, answered(REFERENCE), scores=(), predicted="answer", classes=())
    assert watched.adopted.classes == ("late", "on_time")
    watched.live("all.parquet", answered(BROKEN))
    _, found = watched.run()
    names = {score.watch for score in found.windows[0].scores}
    assert {"error", "output:on_time"} <= names
    assert not [name for name in names if "brier" in name or "surprise" in name or "confidence" in name]
    assert any(i.level == "page" for i in found.incidents)


def test_three_scores_go_by_the_names_of_their_columns(tmp_path: Path, rng: np.random.Generator) -> None:
    def rows(days: Days) -> pa.Table:
        table = own_rows(days).drop_columns(["on_time", "late", "y"])
        scores = rng.dirichlet([2.0, 1.0, 1.0], table.num_rows)
        labels = [str(rng.choice(["cat", "dog", "cow"], p=row)) for row in scores]
        for place, name in enumerate(("cat", "dog", "cow")):
            table = table.append_column(name, pa.array(scores[:, place]))
        return table.append_column("y", pa.array(labels))

    watched = watch(tmp_path, rows(Days(days=30)), scores=("cat", "dog", "cow"), classes=())
    watched.live("all.parquet", rows(Days(days=5)))
    _, found = watched.run()
    assert watched.adopted.classes == ("cat", "dog", "cow")
    assert watched.adopted.inputs == ("temp", "origin")
    assert found.coverage.labels == 300
    assert {"output:cat", "output:dog", "output:cow"} <= {score.watch for score in found.windows[0].scores}


def test_one_score_is_about_the_second_class(tmp_path: Path) -> None:
    watched = watch(tmp_path, own_rows(REFERENCE).drop_columns(["on_time"]), scores=("late",))
    watched.live("all.parquet", own_rows(Days(days=2)).drop_columns(["on_time"]))
    _, found = watched.run()
    assert found.coverage.labels > 100
    assert not [i for i in found.incidents if i.level == "page"]


def test_windows_of_rows_are_cut_by_count_whatever_the_run_saw_first(tmp_path: Path) -> None:
    rows = own_rows(Days(days=10))
    found = []
    for name, firsts in (("whole", [600]), ("pieces", [130, 131, 410, 600])):
        watched = watch(tmp_path / name, rows=100)
        assert "rows = 100" in watched.adopted.config.read_text("utf-8")
        for first in firsts:
            watched.live("all.parquet", rows.slice(0, first))
            watched.run()
        found.append(watched.run()[1])
    assert [w.rows for w in found[0].windows] == [100] * 6
    assert judged(found[0]) == judged(found[1])
    assert all(a.end == b.start for a, b in zip(found[0].windows, found[0].windows[1:], strict=False))


def test_days_follow_the_zone_and_the_changes_of_its_clocks(tmp_path: Path) -> None:
    watched = watch(tmp_path, timezone="America/New_York")
    watched.live("all.parquet", own_rows(Days(days=4, start=datetime(2013, 3, 9, 12, tzinfo=UTC))))
    _, found = watched.run()
    lengths = {w.start.isoformat(): w.end - w.start for w in found.windows}
    assert lengths["2013-03-10T05:00:00+00:00"] == timedelta(hours=23)


def test_times_without_a_zone_are_of_the_one_that_was_said(tmp_path: Path) -> None:
    zone, start = "America/New_York", datetime(2013, 11, 1, 4, tzinfo=UTC)

    def on_the_wall(days: Days) -> pa.Table:
        rows = own_rows(days)
        for name in ("ts", "known_at"):
            wall = pc.local_timestamp(pc.cast(rows[name], pa.timestamp("us", zone)))
            rows = rows.set_column(rows.column_names.index(name), name, wall)
        return rows

    found, notes = [], ""
    for name, rows in (("aware", own_rows), ("naive", on_the_wall)):
        watched = watch(tmp_path / name, rows(REFERENCE), timezone=zone, naive_timezone=zone)
        notes = " ".join(watched.adopted.notes)
        watched.live("all.parquet", rows(Days(days=5, start=start)))
        found.append(watched.run(now=LATER)[1])
    assert f"taken as {zone}" in notes
    assert [(w.start, w.rows) for w in found[0].windows] == [(w.start, w.rows) for w in found[1].windows]
    assert max(w.end - w.start for w in found[1].windows) == timedelta(hours=25)
    twice = {w.start.day: f.message for w in found[1].windows for f in w.findings if f.kind == "event time twice"}
    assert list(twice) == [3], "told with the day of the change"
    assert "the clocks went back" in twice[3]
    assert not [f for w in found[0].windows for f in w.findings]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"naive_timezone": "Mars/Olympus"}, "--naive-timezone: unknown time zone"),
        ({"event_time": "when"}, "when (--event-time)"),
        ({"scores": ("late", "q")}, "q (--score)"),
        ({"scores": ()}, "neither a score nor a predicted class"),
        ({"scores": ("late",), "classes": ()}, "The classes have to be named"),
        ({"classes": ("no", "late")}, "labels on_time"),
        ({"classes": ("a", "b", "c")}, "for 2 scores"),
        ({"inputs": ("tmp",)}, "tmp"),
        ({"inputs": ("y",)}, "Not an input"),
        ({"event_time": "temp"}, "no row of the reference has an event time"),
        ({"scores": ("temp",)}, "most scores of the reference are no probabilities"),
        ({"every": "90d"}, "too short"),
        ({"label": "temp", "classes": ()}, "more than 1,000 different values"),
    ],
)
def test_what_does_not_fit_is_one_error_and_leaves_nothing(tmp_path: Path, change: dict[str, Any], part: str) -> None:
    with pytest.raises(BadInput) as caught:
        watch(tmp_path, **change)
    assert part.lower() in str(caught.value).lower()
    assert not (tmp_path / "flights").exists()


def test_a_row_without_a_time_is_told_with_its_neighbour_whichever_run_comes_to_it(tmp_path: Path) -> None:
    rows = own_rows(Days(days=6))
    when = rows["ts"].to_pylist()
    for place in (0, 130, 131, 359):
        when[place] = None
    rows = rows.set_column(1, "ts", pa.array(when, pa.timestamp("us", "UTC")))
    found = []
    for name, stops in (("whole", []), ("pieces", [True, False, False, True])):
        watched = watch(tmp_path / name)
        watched.live("all.parquet", rows)
        asked = iter(stops)

        def stop(asked: Iterator[bool] = asked) -> bool:
            return next(asked, False)

        for _ in range(2):
            watched.run(stop=stop)
        found.append(watched.run(stop=stop)[1])
    assert judged(found[0]) == judged(found[1])
    told = [[(w.start.day, f.message) for w in status.windows for f in w.findings] for status in found]
    assert told[0] == told[1]
    assert [(day, message.split()[0]) for day, message in told[0]] == [(1, "1"), (3, "2"), (6, "1")]


def test_the_notes_say_what_was_left_out(tmp_path: Path) -> None:
    rows = own_rows(REFERENCE)
    spoiled = pa.concat_tables([rows, rows.slice(0, 3)])
    p = np.asarray(spoiled["late"]).copy()
    p[10:14] = [np.nan, np.inf, -0.1, 1.1]
    when = spoiled["ts"].to_pylist()
    when[20], when[21] = None, datetime(9000, 1, 1, tzinfo=UTC)
    spoiled = spoiled.set_column(5, "late", pa.array(p)).set_column(1, "ts", pa.array(when, pa.timestamp("us", "UTC")))
    spoiled = spoiled.append_column("tags", pa.array([{"a": 1}] * spoiled.num_rows))
    watched = watch(tmp_path, spoiled)
    notes = " ".join(watched.adopted.notes)
    for part in (
        "1 rows of REF.parquet have no event time",
        "1 rows of REF.parquet lie more than a day",
        "3 rows repeat",
        "4 rows without a",
    ):
        assert part in notes
    assert "tags (of type struct" in notes
    assert watched.adopted.rows == rows.num_rows - 6


@pytest.mark.parametrize("told", ["answers", "labels"])
def test_booleans_on_one_side_are_the_numbers_of_the_other(tmp_path: Path, told: str) -> None:
    def answered(days: Days) -> pa.Table:
        rows = own_rows(days)
        answer, truth = pc.greater(rows["late"], 0.5), pc.equal(rows["y"], "late")
        answer, truth = (answer, truth.cast("int8")) if told == "answers" else (answer.cast("int8"), truth)
        return rows.drop_columns(["on_time", "late", "y"]).append_column("answer", answer).append_column("y", truth)

    watched = watch(tmp_path, answered(REFERENCE), scores=(), predicted="answer", classes=())
    assert watched.adopted.classes == ("0", "1")
    live = answered(Days(days=2))
    watched.live("all.parquet", live)
    _, found = watched.run()
    error = next(score for score in found.windows[0].scores if score.watch == "error" and not score.slice)
    assert error.value is not None
    assert 0 < error.value < 0.5
    assert sum(w.labels for w in found.windows) == live.num_rows - live["y"].null_count
    assert not any(w.labels_unknown for w in found.windows)


def test_answers_that_are_never_a_label_are_one_error(tmp_path: Path) -> None:
    rows = own_rows(REFERENCE)
    answer = pc.if_else(pc.greater(rows["late"], 0.5), "Late", "On time")
    with pytest.raises(BadInput, match="No answer is ever the name of a label"):
        watch(
            tmp_path,
            rows.append_column("answer", answer).drop_columns(["on_time", "late"]),
            scores=(),
            predicted="answer",
            classes=(),
        )

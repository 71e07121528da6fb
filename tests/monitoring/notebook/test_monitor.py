"""The Python door: the same findings as by files, from frames."""

from __future__ import annotations

import inspect
import json
import re
import shutil
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest
from jsonschema import Draft202012Validator

from monitoring import BadInput, Monitor
from monitoring.config.table_section import TableFormat, TableSection
from monitoring.config.template import settings_named
from monitoring.onboarding.table_description import TableDescription, described
from monitoring.records import ColumnNote
from monitoring.sentences.incident_text import incident_text
from tests.own_table import NOW, REFERENCE, own_rows, watch
from tests.small_deployment import Days

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "schema" / "status.json"
SAID: dict[str, Any] = {
    "event_time": "ts",
    "scores": ["on_time", "late"],
    "label": "y",
    "label_time": "known_at",
    "slices": "origin",
    "every": "5d",
}


def test_frames_are_watched_as_their_files_are(tmp_path: Path) -> None:
    live = own_rows(Days(days=20, broken_from=10))
    monitor = Monitor.from_reference(own_rows(REFERENCE), prediction_id="id", clock=lambda: NOW, **SAID)
    with pytest.raises(BadInput, match="Nothing was judged yet"):
        monitor.result()
    found = monitor.run(live)
    again = monitor.result()
    assert (again.status, again.judged) == (found.status, 0)
    assert monitor.to_pandas("incidents").equals(found.to_pandas("incidents"))
    files = watch(tmp_path, every="5d", min_rows=200)
    files.live("a.parquet", live)
    _, expected = files.run()
    assert [w.scores for w in found.windows] == [w.scores for w in expected.windows]
    assert found.incidents == expected.incidents
    assert found.judged == len(found.windows) == 5
    assert len(found.to_pandas("windows")) == len(found.windows)
    assert {"brier", "error"} <= set(found.to_pandas()["watch"])
    shown = found._repr_html_()
    assert "5 windows judged" in shown
    assert shown.count("data:image/svg+xml") == 2
    assert "<script" not in shown
    assert found.to_arrow("windows").num_rows == 5
    document = found.to_dict()
    assert [window["rows"] for window in document["windows"]] == [window.rows for window in found.windows]
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(document)
    json.dumps(document, allow_nan=False)
    assert len(found.plot().axes) == 2
    assert repr(found).startswith("MonitorResult(table: 5 windows to 2013-")
    assert len(repr(found.windows)) + len(repr(found.status)) < 20_000
    picture = found.plot(found.inputs[0])
    assert len(picture.svg) == 2
    with pytest.raises(BadInput, match="no such input"):
        found.plot("nothing")
    assert monitor.run(live).judged == 0


def test_a_relation_of_duckdb_is_judged_judged_again_and_reported_as_its_frame_is(tmp_path: Path) -> None:
    live, found = own_rows(Days(days=20, broken_from=10)), []
    connection = duckdb.connect()
    connection.register("given", live)
    connection.execute("CREATE TABLE live AS SELECT * FROM given")
    for name, rows in (("frame", live), ("relation", connection.table("live"))):
        monitor = Monitor.from_reference(
            own_rows(REFERENCE), prediction_id="id", clock=lambda: NOW, out=tmp_path / name, **SAID
        )
        monitor.run(rows)
        last = monitor.result().windows[-1]
        again = monitor.backfill(rows, last.start, last.end)
        assert again.judged == 1
        report = monitor.report(rows, tmp_path / name / "report")
        assert report.drift is not None
        found.append((again.windows, again.incidents, report.drift))
    assert found[0] == found[1]


def test_every_column_that_a_config_names_is_a_parameter_and_each_has_a_line_of_its_own() -> None:
    parameters = inspect.signature(Monitor.from_reference).parameters
    columns = set(TableSection.model_fields) - set(TableFormat.model_fields)  # frames have no format of a file
    assert columns - {"id_scores"} <= set(parameters)  # of a ranking, whose scores they are
    others = {field.name for field in fields(TableDescription)} | set(inspect.signature(described).parameters)
    others |= {"reference", "out", "force", "clock", "rules"}
    assert set(settings_named(dict.fromkeys(set(parameters) - others))) == {"traffic", "windows", "model"}
    documented = inspect.getdoc(Monitor.from_reference) or ""
    assert [name for name in parameters if f"\n    {name}: " not in documented] == []


def test_settings_of_the_config_are_arguments_and_labels_may_come_apart() -> None:
    rows = own_rows(Days(days=8))
    settings = {"windows": {"label_horizon": "21d", "min_rows": 20}, "budget": {"page": "1 per 90 windows"}}
    said = {**SAID, "prediction_id": "id", "every": "1d", "settings": settings}
    said["dictionary"] = {"temp": {"unit": "°C", "description": "of the air"}}
    monitor = Monitor.from_reference(own_rows(REFERENCE), clock=lambda: NOW, **said)
    found = monitor.run(rows.drop_columns(["y", "known_at"]), labels=rows.select(["id", "y", "known_at"]))
    assert found.status.page_budget == "1 per 90 windows"
    assert 0 < found.status.coverage.labels <= rows.num_rows
    assert found.status.columns["temp"] == ColumnNote(unit="°C", description="of the air")
    assert next(one for one in monitor.columns if one.name == "temp").unit == "°C"
    picture = found.plot("temp")
    assert (picture.titles, picture.notes[0][:12]) == (("temp [°C]",), "of the air. ")
    assert 'label_horizon = "21d"' in monitor.config.read_text("utf-8")
    with pytest.raises(BadInput, match="Did you mean min_rows"):
        Monitor.from_reference(own_rows(REFERENCE), **{**said, "settings": {"windows": {"min_row": 20}}})
    with pytest.raises(BadInput, match=r"Did you mean unit\?"):
        Monitor.from_reference(own_rows(REFERENCE), **{**said, "dictionary": {"temp": {"unt": "°C"}}})
    with pytest.raises(BadInput, match=r"columns\.toml"):
        Monitor.from_reference(own_rows(REFERENCE), **{**said, "dictionary": "none/columns.toml"})


def test_a_day_that_came_late_is_judged_again() -> None:
    live = own_rows(Days(days=8))
    late = [not 5 * 60 <= row < 6 * 60 for row in range(8 * 60)]
    daily = {**SAID, "every": "1d"}
    monitor = Monitor.from_reference(own_rows(REFERENCE), prediction_id="id", clock=lambda: NOW, **daily)
    before = monitor.run(live.filter(late))
    assert [one.rows for one in before.windows][4:7] == [60, 0, 60]
    start = before.windows[0].start
    after = monitor.backfill(live, start, start + timedelta(days=30), only="missing", by="ada")
    assert (after.judged, [one.rows for one in after.windows]) == (3, [60] * 8)


def test_pandas_frames_without_ids_may_grow_or_come_one_after_the_other(tmp_path: Path) -> None:
    rows = own_rows(Days(days=20)).drop_columns(["id"]).to_pandas()
    reference = own_rows(REFERENCE).drop_columns(["id"]).to_pandas()
    reference["mixed"] = rows["mixed"] = "a"
    rows.loc[3, "mixed"] = 5
    found = []
    # The second frame is the whole, or begins with the window that was not due at the first run.
    for name, first in (("grown", 0), ("the rest", 7 * 60)):
        Monitor.from_reference(reference, out=tmp_path / name, clock=lambda: NOW, **SAID)
        Monitor.open(tmp_path / name, clock=lambda: datetime(2013, 4, 12, tzinfo=UTC)).run(rows.iloc[:600])
        found.append(Monitor.open(tmp_path / name, clock=lambda: NOW).run(rows.iloc[first:]))
        assert 0 < found[-1].judged < len(found[-1].windows)
    assert [w.scores for w in found[0].windows] == [w.scores for w in found[1].windows]
    assert found[0].status.coverage.rows == 1200
    assert found[0].status.coverage.repeats == 0


def paired_rows(days: int, strength: float, *, first: datetime, seed: int) -> pd.DataFrame:
    """A hundred rows a day of two normal numbers of that correlation; the answers depend on neither."""
    rng = np.random.default_rng(seed)
    one, noise = rng.normal(size=(2, days * 100))
    return pd.DataFrame(
        {
            "ts": pd.date_range(first, periods=days * 100, freq="864s"),
            "one": one,
            "other": strength * one + np.sqrt(1 - strength**2) * noise,
            "p": rng.uniform(0.2, 0.8, days * 100),
        }
    )


def test_inputs_that_change_together_alone_are_a_notice_of_their_own_with_the_pair_named(tmp_path: Path) -> None:
    reference = paired_rows(40, 0.8, first=datetime(2013, 1, 1, tzinfo=UTC), seed=1)
    quiet = paired_rows(10, 0.8, first=datetime(2013, 4, 1, tzinfo=UTC), seed=2)
    turned = paired_rows(8, -0.8, first=datetime(2013, 4, 11, tzinfo=UTC), seed=3)
    said: dict[str, Any] = {"event_time": "ts", "scores": "p", "classes": ("no", "yes")}
    monitor = Monitor.from_reference(reference, out=tmp_path / "one", clock=lambda: NOW, **said)
    (tmp_path / "one" / "monitor.toml").write_text(
        re.sub(r"min_rows = \d+", "min_rows = 50", (tmp_path / "one" / "monitor.toml").read_text())
    )
    found = monitor.run(pd.concat([quiet, turned], ignore_index=True))
    (incident,) = found.incidents
    assert (incident.level, incident.watch, incident.slice) == ("notice", "joint", "")
    assert incident.window_start >= datetime(2013, 4, 11, tzinfo=UTC)
    assert incident_text(incident).cause.startswith("Joint input drift 0.5")
    assert "Pairs whose joint distribution changed most: one with other" in incident_text(incident).message
    scores = [s.value for w in found.windows for s in w.scores if s.watch == "joint"]
    assert scores[0] is None  # there was no earlier window to learn from
    assert scores[-1] is not None
    assert scores[-1] > 0.65
    # in two runs, what is remembered goes through the store
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    for path in (tmp_path / "two").glob("pitfalls.db*"):
        path.unlink()
    part = datetime(2013, 4, 13, 12, tzinfo=UTC)
    live = pd.concat([quiet, turned], ignore_index=True)
    assert Monitor.open(tmp_path / "two", clock=lambda: part).run(live).judged == 12
    end = datetime(2013, 4, 19, 12, tzinfo=UTC)  # traffic that is followed and stops would be an incident later
    again = Monitor.open(tmp_path / "two", clock=lambda: end).run(live)
    assert [w.scores for w in again.windows] == [w.scores for w in found.windows]
    assert again.incidents == found.incidents


@pytest.mark.parametrize(
    ("reference", "said", "part"),
    [
        (5, {"event_time": "ts", "scores": "late"}, "a int"),
        (pd.DataFrame({"ts": []}), {"event_time": "ts", "scores": "late"}, "empty"),
        ("nowhere.csv", {"event_time": "ts", "scores": "late"}, "nowhere.csv"),
        (pd.DataFrame({"ts": [NOW], "late": [0.5]}), {"scores": "late"}, "--event-time ts"),
    ],
)
def test_what_is_no_table_is_one_error(reference: Any, said: dict[str, Any], part: str) -> None:
    with pytest.raises(BadInput, match=part):
        Monitor.from_reference(reference, **said)


def test_a_batch_of_a_frame_is_a_window() -> None:
    days = [Days(days=90), Days(days=5, seed=4)]
    reference, live = (
        rows.drop_columns(["ts", "known_at"]).append_column("batch", pc.strftime(rows["ts"], format="night %Y-%m-%d"))
        for rows in map(own_rows, days)
    )
    columns = {name: value for name, value in SAID.items() if name not in {"event_time", "label_time", "rows"}}
    monitor = Monitor.from_reference(reference, batch_column="batch", clock=lambda: NOW, **columns)
    windows = monitor.run(live).windows
    assert [window.batch for window in windows] == pc.unique(live["batch"]).to_pylist()
    with pytest.raises(BadInput, match="Batches stand in place of event times"):
        Monitor.from_reference(reference, batch_column="batch", rows=100, **columns)

"""Rows are drawn once, kept for their owner alone, and asked for until they have their label."""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.asking.ask import Asked, ask, labels_root, open_asked
from monitoring.config import MonitorConfig, load_config
from monitoring.erasure.erase import ErasureRequest, Waiting, erase
from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import as_microseconds
from monitoring.traffic.labels.asked_rows import ASKED, AskedRows
from monitoring.traffic.labels.label_writer import LabelWriter
from tests.own_table import own_rows, watch
from tests.small_deployment import LIVE, ROWS_A_DAY, Days, table_of

DAYS = 21


@pytest.fixture
def config(budgeted: Path, send: Callable[..., None]) -> MonitorConfig:
    send(budgeted, Days(days=DAYS), labels=False)
    return load_config(budgeted / "monitor.toml")


def _asked(config: MonitorConfig, day: int, seed: int | None = None) -> Asked:
    now = LIVE + timedelta(days=day, hours=7)
    return ask(config, clock=lambda: now, seed=seed)


def _label(config: MonitorConfig, asked: Asked, count: int) -> None:
    writer = LabelWriter(labels_root(config), clock=lambda: asked.at)
    times = np.full(count, as_microseconds(asked.at))
    writer.append(asked.rows.ids[:count], ["late"] * count, times)
    writer.close()


def test_a_week_of_days_draws_what_a_week_allows_and_no_row_twice(config: MonitorConfig) -> None:
    first = _asked(config, 7, seed=3)
    assert first.draw is not None
    assert (len(first.draw), first.draw.rows, first.draw.seed) == (50, 7 * ROWS_A_DAY, 3)
    assert set(first.draw.probabilities.tolist()) == {50 / (7 * ROWS_A_DAY)}
    later = [_asked(config, day) for day in range(8, 15)]
    draws = [each.draw for each in later if each.draw is not None]
    assert sum(map(len, draws)) == 50
    assert {draw.seed for draw in draws} == {3}
    ids = [name for draw in (first.draw, *draws) for name in draw.ids.to_pylist()]
    assert len(set(ids)) == 100
    assert set(later[-1].rows.ids.to_pylist()) == set(ids)
    assert _asked(config, 14).draw is None


def test_it_goes_on_where_it_was_stopped_and_a_labelled_row_is_not_asked_for(config: MonitorConfig) -> None:
    asked = _asked(config, 7)
    again = _asked(config, 7)
    assert again.draw is None
    assert again.rows.ids.equals(asked.rows.ids)
    _label(config, asked, 20)
    left = open_asked(config, clock=lambda: asked.at)
    assert left.rows.ids.to_pylist() == asked.rows.ids.to_pylist()[20:]
    assert left.due == LIVE + timedelta(days=28)
    late = open_asked(config, clock=lambda: LIVE + timedelta(days=40))
    assert (len(late.rows), late.due) == (0, None)


def test_the_file_has_inputs_and_no_answer(config: MonitorConfig) -> None:
    table = _asked(config, 7).table()
    assert table.column_names == ["prediction_id", "event_time", "label", "label_time", "temp", "origin"]
    assert table["label"].null_count == 50
    truth = {row["prediction_id"]: row for row in table_of(Days(days=DAYS)).to_pylist()}
    for row in table.to_pylist():
        assert row["origin"] == truth[row["prediction_id"]]["origin"]
        assert row["event_time"] == truth[row["prediction_id"]]["event_time"]


def test_the_same_seed_draws_the_same_rows(
    config: MonitorConfig, deploy: Callable[[str], Path], send: Callable[..., None]
) -> None:
    other = deploy("other")
    (other / "monitor.toml").write_text((labels_root(config).parent / "monitor.toml").read_text())
    send(other, Days(days=DAYS), labels=False)
    ids = [_asked(each, 7, seed=5).rows.ids.to_pylist() for each in (config, load_config(other / "monitor.toml"))]
    assert ids[0] == ids[1]


def test_after_a_pause_a_week_is_asked_for_and_no_row_whose_label_would_come_late(config: MonitorConfig) -> None:
    _asked(config, 2)
    draw = _asked(config, 20).draw
    assert draw is not None
    assert (draw.start, draw.end, len(draw)) == (LIVE + timedelta(days=13), LIVE + timedelta(days=20), 50)
    short = config.model_copy(update={"windows": config.windows.replaced(label_horizon=timedelta(days=7))})
    short = short.model_copy(update={"deployment": config.deployment.replaced(name="short")})
    draw = _asked(short, 14).draw
    assert draw is not None
    assert (draw.start, draw.end, len(draw)) == (LIVE + timedelta(days=11), LIVE + timedelta(days=14), 50)


def test_a_time_of_the_past_is_asked_for_as_of_then(config: MonitorConfig) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    asked = ask(config, clock=lambda: now, until=date(2013, 4, 8))
    assert (len(asked.rows), asked.at) == (50, LIVE + timedelta(days=7, hours=6))
    nothing = ask(config, clock=lambda: now)
    assert (nothing.draw, len(nothing.rows)) == (None, 0)
    with pytest.raises(BadInput, match="not over"):
        ask(config, clock=lambda: now, until=date(2026, 1, 1))


def test_what_was_drawn_is_for_its_owner_alone(config: MonitorConfig) -> None:
    _asked(config, 7)
    folder = labels_root(config) / ASKED
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((folder / config.name).stat().st_mode) == 0o700
    (folder / config.name / "20130401T000000Z.parquet").write_bytes(b"PAR1")
    with pytest.raises(CannotRun, match="cannot be read which rows"):
        _asked(config, 8)


def test_an_erased_row_is_asked_for_no_more(config: MonitorConfig) -> None:
    asked = _asked(config, 7)
    name = asked.rows.ids[0].as_py()
    waiting = Waiting(seconds=0, clock=lambda: asked.at, elapsed=lambda: 0.0, sleep=lambda _: None, tell=lambda _: None)
    receipt, _ = erase(ErasureRequest(root=labels_root(config), ids=(name,), by="ada"), waiting)
    assert any(file.file.endswith("20130401T000000Z.parquet") for file in receipt.files)
    (draw,) = AskedRows(labels_root(config), config.name).draws()
    assert (len(draw), draw.rows) == (49, 7 * ROWS_A_DAY)
    assert name not in draw.ids.to_pylist()
    assert not [path for path in (labels_root(config) / ASKED).rglob("*.parquet") if name.encode() in path.read_bytes()]


def test_without_a_budget_nothing_is_asked_for(config: MonitorConfig) -> None:
    none = config.model_copy(update={"labels": config.labels.replaced(budget=None)})
    with pytest.raises(BadInput, match="no budget of labels"):
        _asked(none, 7)
    batches = config.model_copy(update={"windows": config.windows.replaced(by_file=True)})
    with pytest.raises(BadInput, match="have no times"):
        _asked(batches, 7)


def test_rows_of_a_table_are_asked_for(tmp_path: Path) -> None:
    own_table, rows = watch(tmp_path / "own"), own_rows(Days(days=8))
    for name in ("y", "known_at"):
        rows = rows.set_column(rows.column_names.index(name), name, pa.nulls(rows.num_rows, rows[name].type))
    temps = np.where(np.arange(rows.num_rows) % 3, np.asarray(rows["temp"]), np.nan)
    rows = rows.set_column(rows.column_names.index("temp"), "temp", pa.array(temps))
    own_table.live("live.parquet", rows)
    text = own_table.adopted.config.read_text()
    own_table.adopted.config.write_text(text + '\n[labels]\nbudget = "6 per day"\n')
    config = load_config(own_table.adopted.config)
    config = config.model_copy(update={"traffic": config.traffic.with_path(own_table.folder / "live")})
    asked = _asked(config, 3, seed=2)
    assert asked.draw is not None
    assert (len(asked.draw), asked.draw.rows) == (6, ROWS_A_DAY)
    assert labels_root(config) == config.traffic.label_log
    known = dict(zip(rows["id"].to_pylist(), pa.array(temps, from_pandas=True).to_pylist(), strict=True))
    later = _asked(config, 4)
    assert len(later.rows) == 12
    assert later.table()["temp"].to_pylist() == [known[name] for name in later.rows.ids.to_pylist()]
    assert 0 < later.table()["temp"].null_count < 12


def test_of_a_log_at_a_url_nothing_is_asked_for_and_nothing_written(
    config: MonitorConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    there = config.model_copy(update={"traffic": config.traffic.with_path(labels_root(config).as_uri())})
    before = set(tmp_path.rglob("*"))
    for read in (lambda: _asked(there, 7), lambda: open_asked(there, clock=lambda: LIVE), lambda: labels_root(there)):
        with pytest.raises(BadInput, match="at a URL are not written from here"):
            read()
    assert set(tmp_path.rglob("*")) == before

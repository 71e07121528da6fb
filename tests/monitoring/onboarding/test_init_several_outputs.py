"""A reference table with several labelled outputs becomes a monitor that judges live tables of the same columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitoring import Monitor
from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.sentences.incident_text import incident_text
from monitoring.subgroups import run_search

ROWS = 60
SAID: dict[str, Any] = {
    "label": {"kind": "was_kind", "price": "paid"},
    "scores": {"kind": ("kind_late", "kind_lost")},
    "predicted": {"price": "price"},
    "classes": {"kind": ("late", "lost")},
    "settings": {"windows": {"min_rows": 40}},
}


def rows(days: int, first: datetime, seed: int, raised: float = 1.0) -> pd.DataFrame:
    """Calibrated probabilities and prices of which the labels differ by noise; paid more in the second half."""
    rng, count = np.random.default_rng(seed), days * ROWS
    lost, price = rng.uniform(0.05, 0.95, count), rng.normal(20.0, 4.0, count)
    paid = (price + rng.normal(0.0, 1.0, count)) * np.where(np.arange(count) < count // 2, 1.0, raised)
    return pd.DataFrame(
        {
            "prediction_id": [f"{seed}-{row}" for row in range(count)],
            "event_time": [first + timedelta(days=row / ROWS) for row in range(count)],
            "x": rng.normal(size=count),
            "kind_late": 1 - lost,
            "kind_lost": lost,
            "price": price,
            "was_kind": np.where(rng.random(count) < lost, "lost", "late"),
            "paid": paid,
        }
    )


NOW = datetime(2025, 6, 1, tzinfo=UTC)
REFERENCE = datetime(2025, 1, 1, tzinfo=UTC)
LIVE = datetime(2025, 3, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Monitor:
    reference = rows(60, REFERENCE, 1)
    return Monitor.from_reference(reference, out=tmp_path_factory.mktemp("watched"), clock=lambda: NOW, **SAID)


def test_the_columns_of_each_output_are_in_the_config_and_named(made: Monitor) -> None:
    outputs = load_config(made.config).traffic.outputs
    assert (outputs["kind"].scores, outputs["price"].predicted) == (("kind_late", "kind_lost"), "price")
    assert {one.name: (one.role, one.why) for one in made.columns}["paid"] == ("label", "of output price")
    assert [one.name for one in made.columns if one.role == "input"] == ["x"]


def test_a_live_table_pages_for_the_output_at_fault(made: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_search, "SEARCHED_WINDOWS", 5)  # subgroups are searched too
    live = rows(14, LIVE, 2, raised=1.3)
    found = made.run(live)
    assert found.status.coverage.labels == len(live)
    page = next(one for one in found.incidents if one.level == "page")
    assert "error of price" in incident_text(page).message
    assert page.window_start >= LIVE + timedelta(days=7)


@pytest.fixture
def anew(made: Monitor, tmp_path: Path) -> Monitor:
    """The monitor before anything was judged."""
    for name in ("baseline", "monitor.toml"):
        (tmp_path / name).symlink_to(made.config.parent / name)
    return Monitor(tmp_path / "monitor.toml", clock=lambda: NOW)


def test_a_label_counts_for_the_outputs_whose_part_it_has(anew: Monitor) -> None:
    live = rows(4, LIVE, 2)
    live.loc[live.index % 3 == 0, "paid"] = np.nan  # never known
    live.loc[live.index % 4 == 1, "was_kind"] = None
    found = anew.run(live)
    assert found.status.coverage.labels == int((live.paid.notna() | live.was_kind.notna()).sum())
    for window in found.windows:
        own = live[(live.event_time >= window.start) & (live.event_time < window.end)]
        scored = {(one.watch, one.slice): one.rows for one in window.scores}
        assert scored["of:price:absolute_error", ""] == own.paid.notna().sum()
        assert scored["surprise_of:kind:brier", ""] == own.was_kind.notna().sum()
        shown = {one.metric: one for one in window.measured}
        assert shown["of:kind:auc"].rows == own.was_kind.notna().sum()
        (settled,) = window.realised_losses
        errors = (own.price - own.paid).abs().mean()
        assert settled.mean("of:price:absolute_error") == pytest.approx(errors, rel=0.05)


def test_a_part_that_becomes_known_later_counts_then_and_is_no_second_label(anew: Monitor) -> None:
    whole = rows(6, LIVE, 2)
    early = whole.copy()
    early["paid"] = np.where(early.index < ROWS, np.nan, early.paid)
    anew = Monitor(anew.config, clock=lambda: LIVE + timedelta(days=4))
    first = anew.run(early)
    assert first.judged >= 2
    late = Monitor(anew.config, clock=lambda: NOW).run(whole)
    assert late.status.coverage.labels == len(whole)
    counted = sum(
        one.rows for window in late.windows for one in window.scores if one.watch == "of:price:absolute_error"
    )
    assert counted == len(whole)
    assert sum(one.rows for w in late.windows for one in w.scores if one.watch == "of:kind:error") == len(whole)
    assert late.status.coverage.labels_conflicting == 0


@contextmanager
def changed(config: Path, old: str, new: str) -> Iterator[None]:
    before = config.read_text()
    config.write_text(before.replace(old, new))
    yield
    config.write_text(before)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("outputs.price", "# outputs.price", "expected the outputs kind, price"),
        ("outputs.price = { predicted", "outputs.price = { scores = ['p'], predicted", "an output has one answer"),
        ("[traffic]", '[traffic]\npredicted = "price"', "outputs and columns of one output are both set"),
    ],
)
def test_columns_that_do_not_fit_the_outputs_are_one_error(made: Monitor, old: str, new: str, part: str) -> None:
    with changed(made.config, old, new), pytest.raises(BadInput) as refused:
        made.run(rows(10, LIVE, 2))
    assert part in str(refused.value)

"""Prepared rows: encoded by the rows that a fit learns from, and by no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.rows.table import Table
from pitfalls_tf.training.prepared_rows import PreparedRows, load_table, prepare, with_remedy
from pitfalls_tf.training.setup import FLIGHTS, HeldOut, Setup
from tests.pitfalls_tf.small_table import small_setup


def test_the_demos_flights_are_those_of_january_to_march_by_new_yorks_calendar() -> None:
    table = load_table(FLIGHTS)
    assert len(table) == 80_789
    assert {day.month for day in table.days.unique().to_pylist()} == {1, 2, 3}
    assert len(table.days.unique()) == 90


def test_a_held_out_part_is_encoded_by_the_training_rows(tmp_path: Path) -> None:
    prepared = prepare(small_setup(tmp_path / "rows.parquet"))
    (fit,) = prepared.fits
    assert prepared.deployed is None
    assert prepared.encoding is not None
    sizes = fit.rows.training.inputs[:, 0]
    assert sizes.mean() == pytest.approx(0, abs=1e-5)
    assert sizes.std() == pytest.approx(1, abs=1e-5)
    assert abs(fit.scored.inputs[:, 0].mean()) > 1e-3
    assert len(fit.positions) == len(fit.scored)
    assert "blocks of 7 days" in prepared.described


def columns_of(prepared: PreparedRows) -> dict[str, slice]:
    """Where each category's columns stand."""
    assert prepared.encoding is not None
    found, start = {}, prepared.encoding.width - sum(len(one.vocabulary) for one in prepared.encoding.categories)
    for category in prepared.encoding.categories:
        found[category.name] = slice(start, start + len(category.vocabulary))
        start += len(category.vocabulary)
    return found


def test_folds_share_columns_and_zero_what_their_training_rows_do_not_have(small: Setup, few_flights: Table) -> None:
    prepared = prepare(small)
    assert prepared.encoding is not None
    assert prepared.deployed is not None
    assert len(prepared.deployed.training) == len(few_flights)
    destinations = columns_of(prepared)["dest"]
    zeroed = 0
    for fit in prepared.fits:
        assert fit.rows.training.shape.inputs == prepared.deployed.training.shape.inputs
        assert fit.rows.training.inputs[:, 0].mean() == pytest.approx(0, abs=1e-4)
        unseen = ~fit.rows.training.inputs.any(axis=0)
        assert not fit.scored.inputs[:, unseen].any()
        zeroed += int((fit.scored.inputs[:, destinations].sum(axis=1) == 0).sum())
        known = fit.scored.inputs[:, destinations].sum(axis=1)
        assert set(known.tolist()) <= {0.0, 1.0}
    assert zeroed > 0, "some airport is in one fold alone"


def test_a_held_out_value_moves_no_constant_of_its_fold(
    small: Setup, few_flights: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = prepare(small)
    rows = few_flights.rows
    spoilt = rows["temp"].to_numpy().copy()
    spoilt[before.fits[0].positions] += 1e6
    changed = rows.set_column(rows.column_names.index("temp"), "temp", pa.array(spoilt, from_pandas=False))
    monkeypatch.setattr("pitfalls_tf.sources.flights.load", lambda: replace(few_flights, rows=changed))
    after = prepare(small)
    assert (before.fits[0].rows.training.inputs == after.fits[0].rows.training.inputs).all()
    assert (before.fits[1].rows.training.inputs != after.fits[1].rows.training.inputs).any()
    assert before.digest != after.digest


def test_a_remedy_of_rows_is_fitted_anew_for_each_fit(small: Setup) -> None:
    plain = prepare(small)
    changed = with_remedy(plain, replace(small, remedy="standardised"))
    for before, after in zip(plain.fits, changed.fits, strict=True):
        assert after.rows.training.inputs[:, 0].std() == pytest.approx(1, abs=1e-4)
        assert (after.scored.targets == before.scored.targets).all()
    assert changed.deployed is not None
    assert with_remedy(plain, small) is plain


def test_images_are_prepared_without_a_table() -> None:
    prepared = prepare(Setup(source="digits"))
    (fit,) = prepared.fits
    assert prepared.table is None
    assert prepared.encoding is None
    assert set(fit.rows.training.domains) == {"mnist"}
    assert set(fit.scored.domains) == {"font", "uci"}
    assert (np.diff(fit.positions) > 0).all()


def test_letters_are_trained_on_monospaced_families_and_scored_on_others() -> None:
    (fit,) = prepare(Setup(source="letters")).fits
    assert {name.split("/")[0] for name in fit.rows.training.names} == {"monospaced"}
    assert {name.split("/")[0] for name in fit.scored.names} == {"ornamental", "other", "sans", "serif"}
    (left_out,) = prepare(Setup(source="letters", held_out=HeldOut(domains=("monospaced/Courier Prime",)))).fits
    assert left_out.scored.names == ("monospaced/Courier Prime",)


def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    setup = small_setup(tmp_path / "rows.parquet", held_out=HeldOut(split="random"))
    (tmp_path / "rows.parquet").write_text("no table", "utf-8")
    with pytest.raises(BadInput, match="cannot be read"):
        prepare(setup)

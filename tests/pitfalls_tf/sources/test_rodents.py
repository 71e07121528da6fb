"""Rodents: the captures that the paper counts, nothing that tells the answer, and a species from the future."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pytest

from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.architectures.optimiser import Optimiser
from pitfalls_tf.fitting import ensemble
from pitfalls_tf.fitting.recipe import Recipe
from pitfalls_tf.rows import feature_encoding
from pitfalls_tf.rows.examples import Examples
from pitfalls_tf.rows.splits import random_split
from pitfalls_tf.rows.table import Table
from pitfalls_tf.sources import rodents

FILE = "portal_rodents_ratdat.csv.gz"


@pytest.fixture(scope="module")
def table() -> Table:
    return rodents.load()


def raw() -> pa.Table:
    with (files("pitfalls_tf.data") / FILE).open("rb") as file:
        return pa_csv.read_csv(pa.CompressedInputStream(file, "gzip"))


def test_the_file_is_the_one_whose_origin_is_documented() -> None:
    data = files("pitfalls_tf.data")
    assert hashlib.sha256((data / FILE).read_bytes()).hexdigest() in (data / "PROVENANCE.md").read_text("utf-8")


def test_every_measured_capture_of_the_ten_commonest_species_is_there_once(table: Table) -> None:
    assert len(table) == 28_575
    assert table.rows["sex"].to_pylist().count("unknown") == 53
    everything = raw()
    kept = everything.filter(pc.and_(pc.is_valid(everything["weight"]), pc.is_valid(everything["hindfoot_length"])))
    counts = sorted(kept["species_id"].value_counts().to_pylist(), key=lambda one: -one["counts"])
    assert sorted(one["values"] for one in counts[:10]) == list(rodents.CLASSES)
    assert len(table) == sum(one["counts"] for one in counts[:10])
    assert len(set(table.rows["row_id"].to_pylist())) == len(table)


def test_a_row_is_its_record(table: Table) -> None:
    first = table.rows.slice(0, 1).to_pylist()[0]
    record = raw().filter(pc.equal(raw()["record_id"], first["row_id"])).to_pylist()[0]
    assert (first["weight"], first["hindfoot_length"]) == (record["weight"], record["hindfoot_length"])
    assert (first["label"], first["sex"], first["plot_type"]) == (
        record["species_id"],
        record["sex"],
        record["plot_type"],
    )
    assert first["event_time"] == datetime(record["year"], record["month"], record["day"], 7, tzinfo=UTC)
    assert table.domains[0].as_py() == f"{record['plot_type']}/{record['year']}"
    assert table.days[0].as_py().isoformat() == "1977-08-19"


def test_time_runs_forward_and_the_truth_comes_after_the_event(table: Table) -> None:
    times, known = (table.rows[name].cast(pa.int64()).to_numpy() for name in ("event_time", "label_time"))
    assert (np.diff(times) >= 0).all()
    assert ((known - times) == 30 * 86_400_000_000).all()


def test_no_feature_names_the_species(table: Table) -> None:
    names = [feature.name for feature in table.features]
    assert names == ["weight", "hindfoot_length", "sex", "month", "plot_type"]
    for name in ("sex", "month", "plot_type"):
        values = pc.unique(table.rows[name]).to_pylist()
        assert None not in values
        for value in values:
            species = pc.unique(table.rows["label"].filter(pc.equal(table.rows[name], value)))
            assert len(species) >= 9, (name, value)


def test_one_species_is_unseen_before_1984_and_the_commonest_at_the_end(table: Table) -> None:
    training = table.between(datetime(1977, 1, 1, tzinfo=UTC), datetime(1984, 1, 1, tzinfo=UTC))
    last = table.between(datetime(2002, 1, 1, tzinfo=UTC), datetime(2003, 1, 1, tzinfo=UTC))
    assert set(rodents.CLASSES) - set(training.rows["label"].to_pylist()) == {"PB"}
    commonest = max(last.rows["label"].value_counts().to_pylist(), key=lambda one: one["counts"])
    assert commonest["values"] == "PB"


@pytest.mark.slow
def test_years_later_the_accuracy_is_half_and_the_confidence_is_not() -> None:
    everything = rodents.load()
    early = everything.between(datetime(1977, 1, 1, 7, tzinfo=UTC), datetime(1984, 1, 1, 7, tzinfo=UTC))
    late = everything.between(datetime(2001, 1, 1, 7, tzinfo=UTC), datetime(2003, 1, 1, 7, tzinfo=UTC))
    split = random_split(len(early), share=0.2, seed=0)
    training = early.take(split.training)
    encoding = feature_encoding.fit(training.rows, training.features)
    recipe = Recipe(architecture=Mlp(), epochs=10, batch=128, optimiser=Optimiser(kind="adam", learning_rate=3e-3))
    fits = ensemble.fit(recipe, Examples.from_table(training, encoding), seeds=(0,))

    def judged(table: Table) -> tuple[float, float]:
        shares = fits.predict(Examples.from_table(table, encoding).inputs)[0]
        return float((shares.argmax(axis=1) == table.targets()).mean()), float(shares.max(axis=1).mean())

    accuracy, confidence = judged(early.take(split.held_out))
    later_accuracy, later_confidence = judged(late)
    assert accuracy > 0.8
    assert later_accuracy < 0.55
    assert confidence - later_confidence < 0.7 * (accuracy - later_accuracy)

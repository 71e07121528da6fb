"""The schema: inferred as TFDV infers it, stored, and checked in every window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline import schema
from monitoring.baseline import schema as module
from monitoring.baseline.comparators import Comparators
from monitoring.baseline.profile import Bins, commonest
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.baseline.schema import (
    MAX_MESSAGE,
    SERVING,
    TRAINING,
    infer_schema,
    load_schema,
    table_statistics,
    validate,
    write_schema,
)
from monitoring.baseline.statistics import dataset_statistics
from monitoring.errors import BadInput, CannotRun
from monitoring.sentences.finding_text import finding_text
from tests.monitoring.baseline.wide_table import ROWS, tfdv_statistics, wide_table


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return wide_table()


@pytest.fixture(scope="module")
def theirs(table: pa.Table) -> dict[str, Any]:
    return tfdv_statistics(table)


def test_the_schema_inferred_is_tfdvs_own(table: pa.Table, theirs: dict[str, Any]) -> None:
    import tensorflow_data_validation as tfdv
    from tensorflow_metadata.proto.v0 import statistics_pb2

    listed = statistics_pb2.DatasetFeatureStatisticsList()
    listed.datasets.add(num_examples=ROWS).features.extend(theirs.values())
    expected = tfdv.infer_schema(listed, infer_feature_shape=False)
    found = infer_schema(table)
    del found.default_environment[:]
    assert sorted(map(str, found.feature)) == sorted(map(str, expected.feature))
    assert sorted(map(str, found.string_domain)) == sorted(map(str, expected.string_domain))


def test_a_name_with_a_point_is_found_by_its_own_name() -> None:
    schema = infer_schema(pa.table({"sepal.length": [1.0, 2.0], "note.words": [1.0, 2.0]}))
    found = validate(table_statistics(pa.table({"note.words": [1.0, 2.0]})), schema)
    assert {(one.kind, one.feature) for one in found} == {("column gone", "sepal.length")}


def test_rows_like_the_schemas_pass_and_others_do_not(table: pa.Table) -> None:
    schema = infer_schema(table)
    assert validate(table_statistics(table), schema) == ()
    strange = table.set_column(6, "few", pa.array([f"new {row}" for row in range(ROWS)]))
    kinds = {(f.kind, f.feature) for f in validate(table_statistics(strange.drop_columns(["wide"])), schema)}
    assert {("unseen values", "few"), ("column gone", "wide")} <= kinds


def test_columns_validated_in_parts_give_what_they_give_together(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 11
    numbers = {f"f{place}": pa.array(np.arange(40.0)) for place in range(count)}
    sound = pa.table(numbers | {"w": pa.array(["a", "b"] * 20)})
    schema = infer_schema(sound)
    strange = sound.drop_columns(["f3"]).append_column("new", pa.array(np.arange(40)))
    strange = strange.set_column(0, "f0", pa.array(["x"] * 40)).set_column(
        strange.column_names.index("w"), "w", pa.array(["a", "c"] * 20)
    )
    strange = strange.set_column(1, "f1", pa.array([None] * 40, pa.float64()))
    whole = validate(table_statistics(strange), schema)
    assert {f.feature for f in whole} >= {"f0", "f1", "f3", "new", "w"}
    monkeypatch.setattr(module, "MAX_COLUMNS", 4)
    assert validate(table_statistics(strange), schema) == whole


def test_a_check_without_histograms_finds_what_one_with_them_finds(table: pa.Table) -> None:
    schema = infer_schema(table)
    ruled = next(feature for feature in schema.feature if feature.name == "wide")
    ruled.float_domain.max, ruled.float_domain.disallow_inf = 100.0, True
    bins = tuple(
        Bins(feature=name, categories=commonest(table[name].combine_chunks(), 200))
        if pa.types.is_string(table[name].type)
        else Bins(feature=name, edges=(0.0, 1.0))
        for name in table.column_names
    )
    drawn = Comparators.of(schema, bins).with_histograms
    assert drawn & {"wide", "skewed", "holes", "constant"} == {"wide"}
    wild = np.where(np.arange(ROWS) % 2, np.inf, 200.0)
    odd = table.set_column(0, "wide", pa.array(wild)).set_column(1, "skewed", pa.nulls(ROWS, pa.float64()))
    counts = ProfileBuilder(bins).count(odd)
    bare = dataset_statistics(counts, bins, histograms=drawn)
    assert [len(one.num_stats.histograms) for one in bare.datasets[0].features][:4] == [2, 0, 0, 0]
    found = validate(bare, schema)
    assert found == validate(dataset_statistics(counts, bins), schema)
    assert {one.feature for one in found} == {"wide", "skewed"}


def test_a_label_is_required_in_training_and_absent_in_serving(tmp_path: Path) -> None:
    rows = pa.table({"x": [1.0, 2.0], "y": [3.0, 4.0], "late": ["no", "yes"]})
    schema = infer_schema(rows, label="late")
    write_schema(schema, tmp_path / "schema.pbtxt")
    assert load_schema(tmp_path / "schema.pbtxt") == schema
    assert list(schema.default_environment) == [TRAINING, SERVING]
    assert validate(table_statistics(rows.drop_columns(["late"])), schema) == ()
    (found,) = validate(table_statistics(rows.drop_columns(["x", "late"])), schema)
    assert (found.kind, found.feature, found.fact) == ("column gone", "x", True)


def test_a_type_that_changed_is_a_fact_and_unseen_values_are_none() -> None:
    schema = infer_schema(pa.table({"x": [1.0, 2.0], "c": ["a", "b"]}))
    (number,) = validate(table_statistics(pa.table({"x": ["one", "two"], "c": ["a", "b"]})), schema)
    assert (number.kind, number.feature, number.fact) == ("type changed", "x", True)
    (text,) = validate(table_statistics(pa.table({"x": [1.0, 2.0], "c": ["a", "new"]})), schema)
    assert (text.kind, text.feature, text.fact) == ("unseen values", "c", False)


def test_an_empty_window_has_no_findings() -> None:
    rows = pa.table({"x": [1.0, 2.0]})
    assert validate(table_statistics(rows.slice(0, 0)), infer_schema(rows)) == ()


def test_a_finding_is_bounded_however_long_the_values_of_the_traffic_are() -> None:
    schema = infer_schema(pa.table({"c": ["a", "b"] * 20}))
    (found,) = validate(table_statistics(pa.table({"c": ["y" * 100_000] * 3})), schema)
    assert len(finding_text(found)) <= MAX_MESSAGE + 3


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([1, 2], pa.int8()), "INT"),
        (pa.array([True, False]), "INT"),
        (pa.array([1, 2]).cast(pa.timestamp("us", "UTC")), "INT"),
        (pa.array([1.5, 2.5], pa.float32()), "FLOAT"),
        (pa.nulls(2), "FLOAT"),
        (pa.array(["a", "b"]), "STRING"),
        (pa.array(["a", "b"], pa.large_string()), "STRING"),
        (pa.array([b"a", b"b"]), "STRING"),
        (pa.array(["a", "b"]).dictionary_encode(), "STRING"),
    ],
)
def test_columns_of_every_kind_are_described(column: pa.Array, kind: str) -> None:
    (dataset,) = table_statistics(pa.table({"x": column})).datasets
    assert dataset.features[0].Type.Name(dataset.features[0].type) == kind
    assert dataset.num_examples == 2


def test_a_column_that_no_schema_describes_is_refused_by_its_name() -> None:
    with pytest.raises(BadInput, match="x, of type list"):
        table_statistics(pa.table({"x": [[1.0], [2.0]]}))


def test_a_reference_without_rows_has_no_schema() -> None:
    with pytest.raises(BadInput, match="No rows"):
        infer_schema(pa.table({"x": pa.array([], pa.float64())}))


def test_a_schema_that_is_missing_or_is_none_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="has no schema"):
        load_schema(tmp_path / "schema.pbtxt")
    (tmp_path / "schema.pbtxt").write_text("feature { name: 3 }")
    with pytest.raises(CannotRun, match="cannot be read"):
        load_schema(tmp_path / "schema.pbtxt")


def test_without_tfdv_a_baseline_says_that_it_has_no_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"x": [1.0, 2.0]})
    monkeypatch.setattr(schema, "find_spec", lambda _: None)
    schema.write_inferred(table, tmp_path / "schema.pbtxt")
    assert schema.load_schema(tmp_path / "schema.pbtxt") is None
    monkeypatch.undo()
    assert schema.load_schema(tmp_path / "schema.pbtxt") is None, "the complete distribution reads it too"
    schema.write_inferred(table, tmp_path / "other.pbtxt")
    monkeypatch.setattr(schema, "find_spec", lambda _: None)
    with pytest.raises(CannotRun, match=r"pip install 'pitfalls-tf-monitor\[tfdv\]'"):
        schema.load_schema(tmp_path / "other.pbtxt")

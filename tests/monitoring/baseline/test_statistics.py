"""Statistics made of a profile, held against what TFDV's own generator says of the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline import schema as module
from monitoring.baseline.comparators import Comparators
from monitoring.baseline.profile import Bins, commonest
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.baseline.schema import infer_schema, table_statistics, validate
from monitoring.baseline.statistics import dataset_statistics

ROWS = 20_000


@pytest.fixture(scope="module")
def table() -> pa.Table:
    rng = np.random.default_rng(5)
    wide = rng.normal(3.0, 2.0, ROWS)
    skewed = rng.lognormal(0.0, 1.5, ROWS)
    holes = np.where(rng.random(ROWS) < 0.1, np.nan, wide)
    return pa.table(
        {
            "wide": wide,
            "skewed": skewed,
            "holes": pa.array(holes, mask=rng.random(ROWS) < 0.05),
            "constant": np.full(ROWS, 7.5),
            "counted": rng.poisson(1.0, ROWS).astype(np.float64),
            "negative": -skewed,
            "few": pa.array(rng.choice(["a", "b", "ü \U0001f600", ""], ROWS), mask=rng.random(ROWS) < 0.2),
            "many": pa.array([f"w{int(place)}" for place in rng.zipf(1.3, ROWS) % 900]),
        }
    )


@pytest.fixture(scope="module")
def theirs(table: pa.Table) -> dict[str, Any]:
    import tensorflow_data_validation as tfdv
    from tensorflow_data_validation.statistics import stats_impl
    from tfx_bsl.arrow import table_util

    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        whole = column.combine_chunks()
        if pa.types.is_floating(whole.type):
            values = np.asarray(whole)
            whole = pa.array(values, mask=np.isnan(values))
        columns[name] = whole
    batch = table_util.CanonicalizeRecordBatch(pa.record_batch(columns))
    options = tfdv.StatsOptions(num_quantiles_histogram_buckets=10)
    with np.errstate(all="ignore"):
        found = stats_impl.generate_statistics_in_memory(batch, options)
    return {one.path.step[0]: one for one in found.datasets[0].features}


@pytest.fixture(scope="module")
def ours(table: pa.Table) -> dict[str, Any]:
    bins = []
    for name in table.column_names:
        column = table[name].combine_chunks()
        if pa.types.is_floating(column.type):
            values = np.asarray(column)
            inner = np.quantile(values[np.isfinite(values)], np.linspace(0, 1, 65)[1:-1])
            bins.append(Bins(feature=name, edges=tuple(np.unique(inner).tolist())))
        else:
            bins.append(Bins(feature=name, categories=commonest(column, 200)))
    found = dataset_statistics(ProfileBuilder(tuple(bins)).count(table), tuple(bins))
    return {one.path.step[0]: one for one in found.datasets[0].features}


NUMBERS = ("wide", "skewed", "holes", "constant", "counted", "negative")
WORDS = ("few", "many")


@pytest.mark.parametrize("name", [*NUMBERS, *WORDS])
def test_counts_are_equal(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    kind = "num_stats" if name in NUMBERS else "string_stats"
    mine, other = getattr(ours[name], kind).common_stats, getattr(theirs[name], kind).common_stats
    for count in (
        "num_non_missing",
        "num_missing",
        "min_num_values",
        "max_num_values",
        "avg_num_values",
        "tot_num_values",
    ):
        assert getattr(mine, count) == getattr(other, count), count
    assert ours[name].type == theirs[name].type


@pytest.mark.parametrize("name", NUMBERS)
def test_moments_are_equal(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    mine, other = ours[name].num_stats, theirs[name].num_stats
    assert (mine.min, mine.max, mine.num_zeros) == (other.min, other.max, other.num_zeros)
    size = max(abs(other.mean), other.std_dev)
    assert mine.mean == pytest.approx(other.mean, abs=1e-9 * size)
    assert mine.std_dev == pytest.approx(other.std_dev, abs=1e-9 * size)


@pytest.mark.parametrize("name", [name for name in NUMBERS if name != "counted"])
def test_quantiles_are_right_to_a_share_of_one_in_64(name: str, table: pa.Table, ours: dict[str, Any]) -> None:
    values = np.asarray(table[name].combine_chunks())
    values = values[np.isfinite(values)]
    (quantiles,) = [h for h in ours[name].num_stats.histograms if h.type == h.QUANTILES]
    ends = [bucket.high_value for bucket in quantiles.buckets[:-1]]
    for end, share in [*zip(ends, np.linspace(0.1, 0.9, 9), strict=True), (ours[name].num_stats.median, 0.5)]:
        at_most, below = (values <= end).mean(), (values < end).mean()
        assert below - 1 / 64 <= share <= at_most + 1 / 64, (end, share)


def test_quantiles_of_repeated_values_lie_in_their_bins(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    ends = []
    for side in (ours["counted"].num_stats, theirs["counted"].num_stats):
        (quantiles,) = [h for h in side.histograms if h.type == h.QUANTILES]
        ends.append([int(bucket.high_value) for bucket in quantiles.buckets])
    assert ends[0] == ends[1], "bins of a whole number begin at it"


@pytest.mark.parametrize("name", ["wide", "skewed", "holes", "negative", "constant"])
def test_histograms_are_near(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for kind in ("STANDARD", "QUANTILES"):
        drawn = []
        for side in (ours[name].num_stats, theirs[name].num_stats):
            (histogram,) = [h for h in side.histograms if h.type == h.HistogramType.Value(kind)]
            ends = [histogram.buckets[0].low_value, *(bucket.high_value for bucket in histogram.buckets)]
            below = np.cumsum([0.0, *(bucket.sample_count for bucket in histogram.buckets)])
            drawn.append((np.array(ends), below))
        (x, mine), (u, other) = drawn
        assert mine[-1] == pytest.approx(other[-1], rel=1e-6)
        if name != "constant":
            grid = u if kind == "STANDARD" else u[1:-1]
            apart = np.abs(np.interp(grid, x, mine) - np.interp(grid, u, other)) / mine[-1]
            assert apart.max() < 2 / 64, kind


@pytest.mark.parametrize("name", WORDS)
def test_words_are_equal(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    mine, other = ours[name].string_stats, theirs[name].string_stats
    assert mine.unique == other.unique
    assert mine.avg_length == pytest.approx(other.avg_length, rel=1e-6)
    counts = [{b.label: b.sample_count for b in side.rank_histogram.buckets} for side in (mine, other)]
    assert counts[0] == counts[1]
    tops = [[v.frequency for v in side.top_values] for side in (mine, other)]
    assert tops[0] == tops[1]


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

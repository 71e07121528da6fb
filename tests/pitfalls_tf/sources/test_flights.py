"""Flights: no leak, weather of the right hour, labels in their own time."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.rows.table import Feature, Table
from pitfalls_tf.sources import flights

# Known only after the prediction is due, or naming what the timetable does not.
FORBIDDEN = {"dep_delay", "dep_time", "arr_time", "air_time", "arr_delay", "tailnum", "label", "label_time"}


@pytest.fixture(scope="module")
def table() -> Table:
    return flights.load()


def raw(name: str) -> pa.Table:
    with (files("pitfalls_tf.data") / name).open("rb") as file:
        return pq.read_table(file)


def leaks(table: Table, after_the_fact: dict[str, np.ndarray]) -> set[str]:
    """Features that carry a forbidden name, or whose values are those of a forbidden column."""
    named = {feature.name for feature in table.features} & FORBIDDEN
    numbers = [feature.name for feature in table.features if feature.kind == "number"]
    copied = set()
    for name in numbers:
        values = table.rows[name].to_numpy()
        for truth in after_the_fact.values():
            both = np.isfinite(values) & np.isfinite(truth)
            if both.any() and abs(np.corrcoef(values[both], truth[both])[0, 1]) > 0.999:
                copied.add(name)
    return named | copied


@pytest.fixture(scope="module")
def after_the_fact(table: Table) -> dict[str, np.ndarray]:
    columns = raw("nycflights13_flights.parquet").take(table.rows["row_id"].combine_chunks())
    return {name: columns[name].to_numpy().astype(np.float64) for name in ("dep_delay", "arr_delay")}


def test_no_feature_is_known_only_afterwards(table: Table, after_the_fact: dict[str, np.ndarray]) -> None:
    assert not leaks(table, after_the_fact)


@pytest.mark.parametrize("name", ["dep_delay", "innocent"])
def test_a_leak_would_be_found_whatever_its_name(
    table: Table, after_the_fact: dict[str, np.ndarray], name: str
) -> None:
    leaking = Table(
        source=table.source,
        rows=table.rows.append_column(name, pa.array(after_the_fact["dep_delay"].astype(np.float32))),
        days=table.days,
        domains=table.domains,
        features=(*table.features, Feature(name=name, kind="number", meaning="how late it left")),
        classes=table.classes,
    )
    assert leaks(leaking, after_the_fact) == {name}


def test_every_column_is_a_feature_or_belongs_to_the_frame(table: Table) -> None:
    names = [feature.name for feature in table.features]
    assert table.rows.column_names == ["row_id", "event_time", *names, "label", "label_time"]
    kinds = {"number": pa.float32(), "category": pa.string()}
    assert [table.rows[feature.name].type for feature in table.features] == [
        kinds[feature.kind] for feature in table.features
    ]


def test_weather_is_the_report_of_the_airport_in_the_utc_hour_of_departure(table: Table) -> None:
    reports = raw("nycflights13_weather.parquet")
    keys = zip(
        reports["origin"].to_pylist(), (str(hour)[:13] for hour in reports["time_hour"].to_pylist()), strict=True
    )
    by_hour = dict(
        zip(keys, zip(reports["temp"].to_pylist(), reports["wind_gust"].to_pylist(), strict=True), strict=True)
    )
    # Fixed rows from all seasons, both sides of both clock changes among them.
    chosen = table.take(np.arange(0, len(table), 997))
    for row in chosen.rows.to_pylist():
        hour = f"{row['event_time']:%Y-%m-%dT%H}"
        temp, gust = by_hour.get((row["origin"], hour), (None, None))
        for name, expected in (("temp", temp), ("wind_gust", gust)):
            assert row[name] == pytest.approx(np.nan if expected is None else expected, nan_ok=True), (hour, name)


def test_event_time_is_the_scheduled_departure_in_new_york(table: Table) -> None:
    zone = "America/New_York"
    local = pc.assume_timezone(pc.cast(table.days, pa.timestamp("us")), zone)
    minutes = np.array(pc.hour(table.rows["event_time"].cast(pa.timestamp("us", tz=zone)))) * 60 + np.array(
        pc.minute(table.rows["event_time"].cast(pa.timestamp("us", tz=zone)))
    )
    assert (minutes == table.rows["departure_minute"].to_numpy()).all()
    days = pc.cast(
        pc.strftime(table.rows["event_time"].cast(pa.timestamp("us", tz=zone)), format="%Y-%m-%d"), pa.string()
    )
    assert pc.all(pc.equal(days.combine_chunks(), pc.strftime(local, format="%Y-%m-%d"))).as_py()
    assert pc.all(pc.less_equal(table.rows["event_time"][:-1], table.rows["event_time"][1:])).as_py()


def test_a_label_is_missing_together_with_its_time_for_flights_that_never_arrived(table: Table) -> None:
    missing = table.rows["label"].is_null().to_numpy()
    assert (missing == table.rows["label_time"].is_null().to_numpy()).all()
    assert missing.mean() == pytest.approx(0.028, abs=0.0005)
    storm = np.isin(table.days.to_numpy(zero_copy_only=False).astype(str), ["2013-02-08", "2013-02-09"])
    assert 0.5 < missing[storm].mean() < 0.6


def test_labels_come_at_their_own_times(table: Table) -> None:
    known = table.labelled().rows
    waited = (known["label_time"].to_numpy() - known["event_time"].to_numpy()).astype("timedelta64[s]").astype(
        float
    ) / 3600
    assert waited.min() > 0
    assert np.quantile(waited, [0.5, 0.95]) == pytest.approx([2.35, 5.85], abs=0.05)


def test_late_means_more_than_fifteen_minutes(table: Table, after_the_fact: dict[str, np.ndarray]) -> None:
    delay = after_the_fact["arr_delay"]
    arrived = np.isfinite(delay)
    assert ((delay[arrived] > 15) == (table.targets()[arrived] == 1)).all()
    assert (table.targets()[~arrived] == -1).all()


def test_domains_are_airports_and_months(table: Table) -> None:
    assert len(pc.unique(table.domains)) == 3 * 12


def test_between_is_half_open_and_wants_aware_times(table: Table) -> None:
    start, end = datetime(2013, 3, 1, 5, tzinfo=UTC), datetime(2013, 3, 2, 5, tzinfo=UTC)
    day = table.between(start, end)
    assert set(day.days.to_pylist()) == {start.date()}
    assert len(day) + len(table.between(end, datetime(2014, 1, 2, tzinfo=UTC))) == len(
        table.between(start, datetime(2014, 1, 2, tzinfo=UTC))
    )
    with pytest.raises(BadInput, match="time zone"):
        table.between(start.replace(tzinfo=None), end)


def test_the_digest_sees_values_and_not_chunks(table: Table) -> None:
    few = table.take(np.arange(1000))
    halves = pa.concat_tables([few.rows.slice(0, 500), few.rows.slice(500)])
    same = Table(
        source=few.source, rows=halves, days=few.days, domains=few.domains, features=few.features, classes=few.classes
    )
    assert same.digest() == few.digest()
    assert table.take(np.arange(1, 1001)).digest() != few.digest()


def test_the_vendored_files_are_those_of_the_provenance_page() -> None:
    page = (files("pitfalls_tf.data") / "PROVENANCE.md").read_text("utf-8")
    for name in ("nycflights13_flights.parquet", "nycflights13_weather.parquet"):
        assert hashlib.sha256((files("pitfalls_tf.data") / name).read_bytes()).hexdigest() in page

"""A table file of your own, Parquet or CSV, as a source: you name its label, time and domain columns.

All other columns are features.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from monitoring.errors import BadInput
from pitfalls_tf.rows.table import Feature, FeatureKind, Table

NAME: Final = "table"
WHOLE: Final = "all"
RESERVED: Final = frozenset({"row_id", "event_time", "label", "label_time"})
# A category with more distinct values than this share of the rows identifies rows: it does not generalise.
MOST_VALUES: Final = 0.5
FEW_ROWS: Final = 20  # in fewer rows, many distinct values are no sign of that
LARGEST_NUMBER: Final = 1e18  # its square, and the variance of many such, is still a number in single precision

TEXTUAL: Final = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
)

_MICROSECONDS: Final = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """A file, and the role of its columns.

    label       the class; its values, as text and sorted, are the classes. Null: unknown
    time        when the row happened, with a time zone; without one, wall-clock time in `timezone`. Dates are midnights
    domain      site, scanner or group; None for a single one, "all"
    label_time  when the label became known; None if at once
    features    the inputs; None for every other column that is not ignored
    ignored     columns that are not inputs: ids, and what is known only afterwards
    categories  columns of whole numbers that are codes, not quantities
    timezone    of wall-clock times and calendar days; rows of one day are held out together
    """

    path: Path
    label: str
    time: str
    domain: str | None = None
    label_time: str | None = None
    features: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    timezone: str = "UTC"

    def load(self) -> Table:
        """Read the file.

        Returns:
            Every row, in order of time; rows of one moment stay in the order of the file, whose row number is `row_id`.
            Numbers and booleans become float32, text and `categories` become categories with "" for null.

        Raises:
            BadInput: the file cannot be read, a column is missing or cannot be used, or there are fewer than two
                classes.
        """
        raw_table = self._read()
        zone = self._zone()
        moments = _moments(raw_table[self.time], self.time, zone)
        labels, classes = _labels(raw_table[self.label], self.label)
        rows: dict[str, pa.Array] = {
            "row_id": pa.array(np.arange(raw_table.num_rows, dtype=np.int64)),
            "event_time": moments,
        }
        features = []
        for name in self._feature_names(raw_table):
            column, kind = _feature(raw_table[name], name, category=name in self.categories)
            rows[name] = column
            features.append(Feature(name=name, kind=kind, meaning=f"column {name} of {self.path.name}"))
        label_times = (
            moments if self.label_time is None else _moments(raw_table[self.label_time], self.label_time, zone, labels)
        )
        rows["label"] = labels
        rows["label_time"] = pc.if_else(pc.is_valid(labels), label_times, pa.scalar(None, _MICROSECONDS))
        table = Table(
            source=NAME,
            rows=pa.table(rows),
            days=pc.local_timestamp(moments.cast(pa.timestamp("us", tz=zone.key))).cast(pa.date32(), safe=False),
            domains=self._domains(raw_table),
            features=tuple(features),
            classes=classes,
        )
        return table.take(np.argsort(moments.cast(pa.int64()).to_numpy(), kind="stable"))

    def _read(self) -> pa.Table:
        try:
            table = (
                pa_csv.read_csv(self.path, convert_options=pa_csv.ConvertOptions(strings_can_be_null=True))
                if self.path.suffix.lower() == ".csv"
                else pq.ParquetFile(self.path).read()
            )
        except (OSError, pa.ArrowException) as error:
            raise BadInput(
                "The table cannot be read.",
                got=f"{self.path}: {error}",
                expected="a Parquet file, or a CSV file with a header",
                fix="Check the path and the file.",
            ) from error
        roles = [name for name in (self.label, self.time, self.domain, self.label_time) if name is not None]
        if len(set(roles)) < len(roles):
            _refuse("One column cannot have two roles.", ", ".join(roles), "different columns", "Name each once.")
        named = [*roles, *(self.features or ()), *self.ignored, *self.categories]
        missing = sorted(set(named) - set(table.column_names))
        if missing:
            _refuse(
                "The table lacks columns that were named.",
                ", ".join(missing),
                f"of: {', '.join(table.column_names)}",
                "Correct the names.",
            )
        if table.num_rows == 0:
            _refuse("The table has no rows.", str(self.path), "at least one", "Name another file.")
        return table

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise BadInput(
                "No such time zone.",
                got=repr(self.timezone),
                expected="a name of the time zone database",
                fix="For example America/New_York or UTC.",
            ) from error

    def _feature_names(self, table: pa.Table) -> list[str]:
        roles = {self.label, self.time, self.domain, self.label_time}
        if self.features is not None:
            names = list(self.features)
            leaks = sorted({self.label, self.label_time or self.label} & set(names))
            if leaks:
                _refuse("The label cannot be an input.", ", ".join(leaks), "other columns", "Take it out of features.")
        else:
            names = [name for name in table.column_names if name not in {*roles, *self.ignored}]
        clash = sorted(RESERVED & set(names))
        if clash:
            _refuse(
                "These column names are reserved.",
                ", ".join(clash),
                f"features with names other than {', '.join(sorted(RESERVED))}",
                "Rename the columns, or ignore them.",
            )
        if not names:
            _refuse("The table has no inputs.", str(self.path), "at least one feature", "Ignore fewer columns.")
        return names

    def _domains(self, table: pa.Table) -> pa.Array:
        if self.domain is None:
            return pa.array([WHOLE] * table.num_rows)
        column = table[self.domain].combine_chunks()
        if column.null_count:
            _refuse(
                "Rows without a domain.",
                f"{column.null_count} nulls in {self.domain}",
                "a domain for every row",
                "Fill them in, for example with a domain of their own.",
            )
        return _text(column, self.domain)


def _moments(column: pa.ChunkedArray, name: str, zone: ZoneInfo, labels: pa.Array | None = None) -> pa.Array:
    """The column as UTC microseconds. Nulls are refused, unless `labels` is given and has none there either."""
    moments = column.combine_chunks()
    if pa.types.is_date(moments.type):
        moments = moments.cast(pa.timestamp("us"))
    if not pa.types.is_timestamp(moments.type):
        _refuse(
            "The time column does not hold times.",
            f"{name} of type {moments.type}",
            "timestamps or dates, in CSV as 2013-01-31 or 2013-01-31T17:45:00Z",
            "Convert the column.",
        )
    needed = pa.array(np.ones(len(moments), dtype=np.bool_)) if labels is None else pc.is_valid(labels)
    absent = pc.sum(pc.and_(needed, pc.is_null(moments))).as_py()
    if absent:
        _refuse(
            "Rows without a time.", f"{absent} nulls in {name}", "a time for every row", "Fill in or drop the rows."
        )
    if moments.type.tz is None:
        try:
            moments = pc.assume_timezone(moments.cast(pa.timestamp("us"), safe=False), zone.key)
        except pa.ArrowInvalid as error:
            raise BadInput(
                "A wall-clock time does not exist in the time zone, or exists twice.",
                got=f"{name}: {error}",
                expected=f"unambiguous times in {zone.key}",
                fix="Give the times with their offset or in UTC.",
            ) from error
    return moments.cast(_MICROSECONDS, safe=False)


def _labels(column: pa.ChunkedArray, name: str) -> tuple[pa.Array, tuple[str, ...]]:
    labels = column.combine_chunks()
    if pa.types.is_floating(labels.type) and pc.all(pc.equal(pc.round(labels), labels), min_count=0).as_py():
        labels = labels.cast(pa.int64())  # whole numbers that a null has made floats
    elif pa.types.is_floating(labels.type):
        _refuse(
            "The label is a number, not a class.",
            f"{name} of type {labels.type}",
            "classes",
            "Name a column of classes.",
        )
    labels = _text(labels, name)
    classes = tuple(sorted(pc.unique(labels.drop_null()).to_pylist()))
    if len(classes) < 2:
        _refuse(
            "The label has fewer than two classes.",
            f"{name} with {', '.join(map(repr, classes)) or 'nulls only'}",
            "at least two classes",
            "Name another column, or a file with rows of several classes.",
        )
    return labels, classes


def _feature(column: pa.ChunkedArray, name: str, *, category: bool) -> tuple[pa.Array, FeatureKind]:
    values = column.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if values.null_count == len(values):
        _refuse("A feature has no values.", f"{name}, nulls only", "some values", "Ignore the column.")
    kind = values.type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not category and (numeric or pa.types.is_boolean(kind)):
        numbers = pc.fill_null(values.cast(pa.float32(), safe=False), float("nan"))
        if pc.any(pc.is_inf(numbers)).as_py():
            _refuse(
                "A feature has infinite values.",
                f"infinity in {name}",
                "finite numbers or nulls",
                "Correct the column.",
            )
        largest = pc.max(pc.abs(pc.filter(numbers, pc.invert(pc.is_nan(numbers))))).as_py() or 0.0
        if largest > LARGEST_NUMBER:
            _refuse(
                "A number is too large to be standardised in single precision.",
                f"{largest:.3g} in {name}",
                f"at most {LARGEST_NUMBER:.0e} in size",
                "Convert the column to another unit, or take its logarithm.",
            )
        return numbers, "number"
    text = pc.fill_null(_text(values, name), "")
    distinct = len(pc.unique(text))
    if len(text) >= FEW_ROWS and distinct > MOST_VALUES * len(text):
        _refuse(
            "A category has nearly as many values as there are rows.",
            f"{name} with {distinct} values in {len(text)} rows",
            f"at most {MOST_VALUES:.0%} as many values as rows: more identify rows",
            "Ignore the column.",
        )
    return text, "category"


def _text(values: pa.Array, name: str) -> pa.Array:
    plain = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
    if not any(is_such(plain.type) for is_such in TEXTUAL):
        _refuse(
            "A column has a type that cannot be used.",
            f"{name} of type {plain.type}",
            "numbers, booleans or text",
            "Convert the column, or ignore it.",
        )
    return plain.cast(pa.string())


def _refuse(what: str, got: str, expected: str, fix: str) -> NoReturn:
    raise BadInput(what, got=got, expected=expected, fix=fix)

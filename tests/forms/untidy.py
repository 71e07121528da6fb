"""Small untidy tables, drawn at random, and the types in which their cells may be kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import strategies as st

from monitoring.timestamps import as_microseconds
from monitoring.traffic.cells import is_text, value_type
from tests.forms.streams import REFERENCE_DAYS, START

FIRST = START + timedelta(days=REFERENCE_DAYS)
DAYS = 3

_UNITS = {"day": 86_400_000_000, "hour": 3_600_000_000, "second": 1_000_000, "milli": 1_000, "micro": 1}
_NUMBERS: Mapping[str, Sequence[float]] = {
    "quarters": [0.0, 0.25, -1.5, 12.75, 1024.0],
    "cents": [0.35, 0.41, 19.99, 1234.56, -0.07, 87.0],
    "whole": [0.0, 1.0, 2.0, 7.0, 127.0],
    "odd": [-0.0, 5e-324, 1e300, -1e-7, 2.0**53, 2.0**63, 0.1 + 0.2, math.inf, -math.inf, 1e22],
}
_COUNTS = {"few": [0, 1, 2, 3, 17], "some": [-1, 200, 40_000], "many": [2**31, -(2**53), 2**53]}
_CODES = {"known": [0, 1, 2, 3, 4], "new": [-1, 7, 1000]}
_WORDS = {
    "known": ["web", "shop", "phone"],
    "odd": ["Web", "ä", "日本", "it's", 'a "b"', "a,b", "a;b", "1.0", "NA", "nan", "null", "true", "2024-03-04", " x "],
}
_SCORES = {"exact": [0.0, 0.25, 0.5, 0.75, 1.0], "three": [0.123, 0.35, 0.41, 0.999, 0.001]}


@st.composite
def untidy_rows(draw: st.DrawFn, *, rounded: bool = False) -> pa.Table:
    """Rows of three live days in plain types: ties, gaps, prefixes, numbers at the edge of a type, odd words.

    Args:
        rounded: Whether numbers have 15 digits at most, none is infinite or -0.0, and times are whole milliseconds:
            what spreadsheets hold, and JSON of pandas.
    """
    count = draw(st.integers(1, 14))
    unit = _UNITS[draw(st.sampled_from(sorted({*_UNITS} - ({"micro"} if rounded else set()))))]
    numbers = {name: pool for name, pool in _NUMBERS.items() if not rounded or name != "odd"}
    prefix = draw(st.sampled_from(["", "EU-", "00", "é/"]))
    places = draw(_cells(count, st.integers(0, DAYS * _UNITS["day"] // unit - 1), missing=False))

    def column(pools: Mapping[str, Sequence[Any]], kind: pa.DataType) -> pa.Array:
        pool = pools[draw(st.sampled_from(sorted(pools)))]
        return pa.array(draw(_cells(count, st.sampled_from(pool), missing=True)), kind)

    return pa.table(
        {
            "id": pa.array([f"{prefix}{each}" for each in draw(st.permutations(range(count)))]),
            "ts": pa.array([as_microseconds(FIRST) + place * unit for place in places]).cast(pa.timestamp("us", "UTC")),
            "amount": column(numbers, pa.float64()),
            "count": column(_COUNTS, pa.int64()),
            "code": column(_CODES, pa.int64()),
            "channel": column(_WORDS, pa.string()),
            "flag": column({"both": [True, False]}, pa.bool_()),
            "p": column(_SCORES, pa.float64()),
            "y": column({"both": [0, 1]}, pa.int64()),
        }
    )


def _cells(count: int, values: st.SearchStrategy[Any], *, missing: bool) -> st.SearchStrategy[list[Any]]:
    some = st.lists(values, min_size=count, max_size=count)
    return some | st.lists(values | st.none(), min_size=count, max_size=count) if missing else some


#: Cells in another type. Raises an error of Arrow or of arithmetic where it does not hold them.
Encode = Callable[[pa.Array], pa.Array]


def cast(kind: pa.DataType) -> Encode:
    """Cells of another type."""
    return lambda cells: cells.cast(kind)


def _coded(kind: pa.DataType, index: pa.DataType) -> Encode:
    return lambda cells: cells.cast(kind).dictionary_encode().cast(pa.dictionary(index, kind))


def _with_nan(kind: pa.DataType) -> Encode:
    return lambda cells: pc.fill_null(cells.cast(pa.float64()), math.nan).cast(kind)


def _decimals(kind: pa.DataType) -> Encode:
    return lambda cells: pa.array([None if cell is None else Decimal(repr(cell)) for cell in cells.to_pylist()], kind)


def _texts(text: Callable[[Any], str]) -> Encode:
    return lambda cells: pa.array([None if cell is None else text(cell) for cell in cells.to_pylist()], pa.string())


def _whole(kind: pa.DataType) -> Encode:
    def encode(cells: pa.Array) -> pa.Array:
        found = cells.cast(kind)
        if found.cast(pa.string()) != cells:
            raise ArithmeticError("a zero in front")
        return found

    return encode


_ARROW_NUMBERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
_DECIMALS = [pa.decimal32(9, 2), pa.decimal64(18, 3), pa.decimal128(38, 10), pa.decimal256(60, 20)]
_TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary()]

NUMBERS: dict[str, Encode] = {
    **{str(kind): cast(kind) for kind in [*_ARROW_NUMBERS, pa.float16(), pa.float32(), pa.float64()]},
    **{f"{kind} with NaN": _with_nan(kind) for kind in (pa.float32(), pa.float64())},
    **{str(kind): _decimals(kind) for kind in _DECIMALS},
    "coded": lambda cells: cells.dictionary_encode(),
}
WORDS: dict[str, Encode] = {
    **{str(kind): cast(kind) for kind in _TEXTS},
    "coded": _coded(pa.string(), pa.int8()),
    "coded large": _coded(pa.large_string(), pa.int32()),
}

#: By column, the forms that its cells may have.
CELLS: dict[str, dict[str, Encode]] = {
    "id": {**WORDS, "int64": _whole(pa.int64()), "int32": _whole(pa.int32())},
    "ts": {
        **{f"{unit}": cast(pa.timestamp(unit, "UTC")) for unit in ("s", "ms", "us", "ns")},
        **{f"{unit}, no zone": cast(pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")},
        "us, New York": cast(pa.timestamp("us", "America/New_York")),
        "date32": cast(pa.date32()),
        "date64": cast(pa.date64()),
        "text": _texts(lambda moment: moment.isoformat().replace("+00:00", "Z")),
        "text, no zone": _texts(lambda moment: moment.replace(tzinfo=None).isoformat(sep=" ")),
        "text, coded": lambda cells: _texts(lambda moment: moment.isoformat())(cells).dictionary_encode(),
    },
    "amount": NUMBERS,
    "count": NUMBERS,
    "code": NUMBERS,
    "channel": WORDS,
    "flag": {"bool": cast(pa.bool_()), "text": cast(pa.string()), "coded": _coded(pa.string(), pa.int8())},
    "p": NUMBERS,
    "y": {
        **NUMBERS,
        "bool": cast(pa.bool_()),
        "text": cast(pa.string()),
        "text view": lambda cells: cells.cast(pa.string()).cast(pa.string_view()),
        "text, coded": _coded(pa.string(), pa.int8()),
        "text of floats": _texts(lambda cell: f"{cell}.0"),
        "text of booleans": _texts(lambda cell: str(bool(cell))),
    },
}


def forms_of(cells: pa.Array, forms: Mapping[str, Encode]) -> list[str]:
    """The forms that hold all of some cells."""
    return [name for name, encode in forms.items() if _holds(cells, encode)]


def _holds(cells: pa.Array, encode: Encode) -> bool:
    try:
        found = encode(cells)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ArithmeticError):
        return False
    as_words = is_text(cells.type) or is_text(value_type(found.type)) or pa.types.is_boolean(found.type)
    return as_words or [*map(meaning, found.to_pylist())] == [*map(meaning, cells.to_pylist())]


def meaning(cell: Any) -> Any:
    """What a cell says, whatever its type: numbers as the text of the nearest double, times in microseconds of UTC."""
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN
        return None
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, int | float | Decimal | np.floating):
        return repr(float(cell))
    if isinstance(cell, datetime):
        return as_microseconds(cell if cell.tzinfo else cell.replace(tzinfo=UTC))
    if isinstance(cell, date):
        return as_microseconds(datetime(cell.year, cell.month, cell.day, tzinfo=UTC))
    return cell.decode() if isinstance(cell, bytes) else cell

"""Packed records: the same to the last bit, one object once, and nothing made that is no record of this package."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np
import pytest

from monitoring.baseline.binning import Binner
from monitoring.errors import BadInput
from monitoring.fits.packing import pack, unpack
from monitoring.records import ScoreSum, WatchKey

KEY = WatchKey(watch="error", slice="origin=JFK")


def test_values_come_back_to_the_last_bit() -> None:
    value = (
        None,
        True,
        -(10**30),
        0.1 + 0.2,
        float("-inf"),
        "ﬁt\0\ud800",
        b"\0\xff",
        timedelta(days=-1, microseconds=1),
        datetime(2024, 2, 29, 12, tzinfo=UTC),
        np.float32(0.1),
        {KEY: ScoreSum(3, 1 << 40), "a": ()},
    )
    found = unpack(pack(value))
    assert found == value
    assert isinstance(found[9], np.float32)
    assert list(unpack(pack(MappingProxyType({"b": 1, "a": 2})))) == ["b", "a"]


@pytest.mark.parametrize(
    "values",
    [
        np.array([0.1, -0.0, np.nan, 5e-324]),
        np.arange(6, dtype=np.int64).reshape(2, 3),
        np.zeros((0, 4), dtype=np.float32),
        np.array(True),
        np.array(["JFK", "überall"]),
        np.arange(8.0)[::2],
    ],
)
def test_arrays_keep_type_shape_and_bits(values: np.ndarray) -> None:
    found, other = unpack(pack((values, values + values if values.dtype.kind == "f" else values)))
    assert (found.dtype, found.shape, found.tobytes()) == (values.dtype, values.shape, values.tobytes())
    assert other.shape == values.shape


def test_an_object_in_two_places_is_one_object() -> None:
    scores = np.arange(3.0)
    first, second = unpack(pack(((KEY, scores), (KEY, scores))))
    assert first[0] is second[0]
    assert first[1] is second[1]


def test_a_binner_counts_as_before() -> None:
    edges, values = np.sort(np.random.default_rng(0).normal(size=30)), np.random.default_rng(1).normal(size=10_000)
    assert unpack(pack(Binner(edges))).counts(values).tolist() == Binner(edges).counts(values).tolist()


@pytest.mark.parametrize("value", [{1, 2}, [1], np.array([object()]), BadInput, timedelta])
def test_what_is_no_record_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="not kept in files"):
        pack((1, value))


def test_a_class_of_another_package_is_not_made() -> None:
    data = pack(KEY)
    assert b"monitoring.records.watch:WatchKey" in data
    for other in (b"subprocess.popen.watch___:WatchKey", b"monitoring.records.watch:__doc___"):
        with pytest.raises(ValueError, match=r"no record|not packed"):
            unpack(_replaced(data, b"monitoring.records.watch:WatchKey"[: len(other)], other))


def _replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    """The packed file with other bytes in its document, written as a whole archive again."""
    with np.load(io.BytesIO(data)) as file:
        arrays = {name: file[name] for name in file.files}
    text = arrays["contents"].tobytes().replace(old, new)
    out = io.BytesIO()
    np.savez(out, **{**arrays, "contents": np.frombuffer(text, dtype=np.uint8)})
    return out.getvalue()


@pytest.mark.parametrize("data", [b"", b"PK", pack(KEY)[:-30], pack(KEY)[:40]])
def test_damage_is_one_kind_of_error(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of whatever words
        unpack(data)

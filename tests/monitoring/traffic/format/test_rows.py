"""Batches of rows are consistent, and a file's schema says whose answers it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.traffic.format.rows import FIRST_US, LAST_US, RATE_KEY, AnsweredRows, ModelKey, sampling_rate_of

Answer = Callable[..., AnsweredRows]
KEYS = st.builds(
    ModelKey,
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(0, 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"])),
)


@given(KEYS)
def test_a_key_comes_back_from_the_metadata_of_a_schema(key: ModelKey) -> None:
    assert ModelKey.of(pa.schema([], metadata=key.metadata)) == key


@pytest.mark.parametrize("missing", list(ModelKey("m", 1, "s").metadata))
def test_a_schema_without_a_key_names_what_is_missing_and_the_file(missing: bytes) -> None:
    metadata = {name: value for name, value in ModelKey("m", 1, "s").metadata.items() if name != missing}
    with pytest.raises(BadInput, match=rf"part\.parquet, a schema without {missing.decode()}"):
        ModelKey.of(pa.schema([], metadata=metadata), "part.parquet")
    with pytest.raises(BadInput, match="Got a schema without"):
        ModelKey.of(pa.schema([]))


def test_the_rate_is_one_where_the_schema_does_not_say() -> None:
    assert sampling_rate_of(pa.schema([])) == 1.0
    assert sampling_rate_of(pa.schema([], metadata={RATE_KEY: b"0.25"})) == 0.25


@pytest.mark.parametrize("part", ["rows", "event_times_us", "latencies_us", "inputs", "outputs"])
def test_each_part_must_have_an_entry_per_row(answer: Answer, part: str) -> None:
    batch = answer("r", 3)
    batch.check_lengths()
    longer = np.zeros(4, np.int64)
    changed: dict[str, Any] = {part: {"temp": longer} if part in {"inputs", "outputs"} else longer}
    wrong = replace(batch, **changed)
    with pytest.raises(BadInput, match=rf"'{'temp' if part in {'inputs', 'outputs'} else part}'.*Got 4.*expected 3"):
        wrong.check_lengths()


def test_a_number_without_rows_is_not_a_tensor_of_a_batch(answer: Answer) -> None:
    with pytest.raises(BadInput, match="Got a single number"):
        replace(answer("r", 1), inputs={"temp": np.asarray(1.0)}).check_lengths()


@pytest.mark.parametrize("as_list", [False, True], ids=["array", "list"])
@pytest.mark.parametrize(
    ("time", "valid"), [(FIRST_US, True), (LAST_US, True), (FIRST_US - 1, False), (LAST_US + 1, False)]
)
def test_event_times_must_be_in_the_years_of_the_calendar(
    answer: Answer, time: int, valid: bool, as_list: bool
) -> None:
    times = [0, time]
    batch = replace(answer("r", 2), event_times_us=times if as_list else np.array(times))
    if valid:
        batch.check_times()
    else:
        with pytest.raises(BadInput, match=r"out of range.*microseconds, not nanoseconds"):
            batch.check_times()

"""What an owner says of a table becomes its columns, or is one error that names the option."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.config import parse_dictionary
from monitoring.errors import BadInput
from monitoring.onboarding.table_description import TableDescription, columns_described, columns_to_come, described
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.reference import LoadedPiece, types_of

SAID: dict[str, Any] = {
    "event_time": "ts",
    "scores": ("p",),
    "label": "y",
    "label_time": "known_at",
    "prediction_id": "id",
}
DESCRIPTION = described(**SAID)
COLUMNS = {
    "id": pa.array(["a", "b"]),
    "ts": pa.array([datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in (0, 1)]),
    "p": pa.array([0.25, 0.75]),
    "y": pa.array([0, 1]),
    "known_at": pa.array([datetime(2024, 1, 2, tzinfo=UTC)] * 2),
    "age": pa.array([30.0, 40.0]),
    "city": pa.array(["Bonn", "Rome"]),
    "tags": pa.array([["x"], []]),
}


def pieces(*names: str) -> tuple[LoadedPiece, ...]:
    """A table with those of the columns."""
    table = pa.table({name: COLUMNS[name] for name in names or COLUMNS})
    return (LoadedPiece(name="rows.parquet", first_row=0, raw=RawRows.of(table)),)


def test_columns_have_the_names_that_were_given_and_inputs_are_all_others_that_can_be_one() -> None:
    columns, left_out = columns_described(pieces(), DESCRIPTION)
    assert columns.mapped == ("ts", "id", "y", "known_at", "p")
    assert columns.inputs == {"age": "number", "city": "category", "tags.length": "number"}
    assert columns.classes == ("0", "1")
    assert left_out == {}


def test_columns_that_are_not_named_have_their_usual_names() -> None:
    columns, _ = columns_described(pieces(), described(event_time="ts", scores=("p",)))
    assert columns.mapped == ("ts", "prediction_id", "label", "label_time", "p")


def test_only_the_inputs_that_are_named_are_inputs() -> None:
    columns, _ = columns_described(pieces(), described(**SAID, inputs=("age:category",), slices=("city",)))
    assert columns.inputs == {"age": "category", "city": "category"}


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"event_time": "tz"}, "no column tz (--event-time); ts (timestamp[us, tz=UTC])"),
        ({"label": "truth"}, "truth (--label)"),
        ({"scores": ("p", "q")}, "q (--score)"),
        ({"scores": (), "predicted": "answer"}, "answer (--predicted)"),
        ({"scores": ()}, "neither a score nor a predicted class"),
        ({"naive_timezone": "Europe/Atlantis"}, "--naive-timezone: unknown time zone."),
    ],
)
def test_what_the_table_has_not_is_one_error_that_names_the_option(change: dict[str, object], part: str) -> None:
    with pytest.raises(BadInput) as caught:
        columns_described(pieces(), described(**SAID | change))
    assert part in str(caught.value)


def test_ids_and_label_times_may_come_with_the_traffic_unless_their_name_is_misspelt() -> None:
    without = pieces("ts", "p", "y", "age")
    columns, _ = columns_described(without, DESCRIPTION)
    assert (columns.prediction_id, columns.label_time) == ("id", "known_at")
    assert columns_to_come(types_of(without), DESCRIPTION) == {"--prediction-id": "id", "--label-time": "known_at"}
    assert columns_to_come(types_of(pieces()), DESCRIPTION) == {}
    with pytest.raises(BadInput, match=r"known_att \(--label-time\)"):
        columns_described(pieces(), described(**SAID | {"label_time": "known_att"}))


@given(st.sets(st.sampled_from(["id", "known_at", "age", "city", "tags"])))
def test_every_column_of_a_table_is_mapped_an_input_or_left_out(others: set[str]) -> None:
    names = ("ts", "p", "y", *sorted(others))
    columns, left_out = columns_described(pieces(*names), DESCRIPTION)
    found = [
        *(name for name in columns.mapped if name in names),
        *columns.plain_inputs,
        *(each.source for each in columns.described),
        *left_out,
    ]
    assert sorted(found) == sorted(names)


def test_a_reference_may_have_no_times_and_the_traffic_has_them() -> None:
    columns, _ = columns_described(pieces("id", "p", "y", "age"), DESCRIPTION)
    assert columns.event_time == "ts"
    assert columns_to_come(types_of(pieces("id", "p", "y")), DESCRIPTION)["--event-time"] == "ts"
    unnamed = described(**SAID | {"event_time": None, "label_time": None})
    assert columns_described(pieces("p", "y", "age"), unnamed)[0].event_time == "event_time"


def test_a_column_of_times_without_a_role_may_be_that_of_event_times_unless_it_is_ignored() -> None:
    unnamed = described(**SAID | {"event_time": None})
    with pytest.raises(BadInput, match=r"Name it: --event-time ts.*--ignore ts"):
        columns_described(pieces("id", "ts", "p", "y"), unnamed)
    columns, left_out = columns_described(pieces("id", "ts", "p", "y"), replace(unnamed, ignore=("ts",)))
    assert (columns.event_time, left_out) == ("event_time", {"ts": "ignored"})


def test_roles_may_be_declared() -> None:
    said = described(**SAID, categorical=("age",), ignore=("tags",), group="city")
    columns, left_out = columns_described(pieces(), said)
    assert (columns.inputs, left_out) == ({"age": "category"}, {"tags": "ignored", "city": "the group"})
    for change in ({"ignore": ("age",)}, {"group": "age"}):
        with pytest.raises(BadInput, match="one role"):
            columns_described(pieces(), replace(said, **change))
    with pytest.raises(BadInput, match=r"town \(--group\)"):
        columns_described(pieces(), replace(said, group="town"))


def test_scores_and_the_predicted_class_may_both_be_named() -> None:
    columns, left_out = columns_described(pieces("ts", "p", "y", "city"), described(**SAID, predicted="city"))
    assert (columns.answer, columns.predicted, columns.inputs) == (("p",), None, {})
    assert left_out == {"city": "the predicted class, as scores have it"}


def said(**columns: dict[str, str]) -> TableDescription:
    return described(**SAID, dictionary=parse_dictionary(columns))


def test_the_dictionary_says_kinds_and_roles_of_columns_that_no_field_names() -> None:
    own = said(age={"kind": "category"}, city={"role": "group"}, tags={"role": "ignored"}, y={"kind": "number"})
    columns, left_out = columns_described(pieces(), own)
    assert columns.inputs == {"age": "category"}
    assert left_out == {"city": "the group", "tags": "ignored"}
    assert own.group_column == "city"


def test_fields_win_over_the_dictionary() -> None:
    own = replace(said(age={"role": "ignored"}, city={"kind": "text"}, tags={"role": "input"}), categorical=("city",))
    named = replace(own, inputs=("age", "city"))
    assert columns_described(pieces(), named)[0].inputs == {"age": "number", "city": "category"}
    assert "age" not in columns_described(pieces(), own)[0].inputs
    ignored = replace(said(city={"role": "group"}), ignore=("city",), group="age")
    assert columns_described(pieces(), ignored)[1] == {"city": "ignored", "age": "the group"}


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (said(aeg={"unit": "years"}), r"aeg \(--dictionary\).*Did you mean age\?"),
        (replace(said(city={"role": "group"}), group="age"), r"two groups.*age \(--group\), and city"),
    ],
)
def test_a_dictionary_that_does_not_fit_is_refused(own: TableDescription, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        columns_described(pieces(), own)

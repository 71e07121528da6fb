"""A batch encoded without Arrow is, byte for byte, the one that Arrow makes; batches of one key fit one segment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.traffic.format.ipc_messages import MessageTemplate
from monitoring.traffic.format.row_encoding import RowLayout, segment_key
from monitoring.traffic.format.rows import AnsweredRows, ModelKey, is_quarantined, sampling_rate_of

Answer = Callable[..., AnsweredRows]


def layout_of(rows: AnsweredRows) -> RowLayout:
    return RowLayout.of(rows, segment_key(rows), tuple(rows.inputs), tuple(rows.outputs))


def by_arrow(rows: AnsweredRows) -> pa.Buffer:
    layout = layout_of(rows)
    return pa.RecordBatch.from_arrays(layout.columns(rows), schema=layout.schema(layout.shapes)).serialize()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # `answer` has no state
@given(
    template=st.integers(1, 5),
    ids=st.lists(st.text(st.characters(codec="ascii"), max_size=12), min_size=1, max_size=6),
    as_lists=st.booleans(),
    carriers=st.binary(max_size=5),
)
def test_both_encodings_of_a_batch_are_equal(
    answer: Answer, template: int, ids: list[str], as_lists: bool, carriers: bytes
) -> None:
    batch = answer("r", len(ids))
    rows = replace(
        batch,
        request_ids=ids,
        rows=list(range(len(ids))) if as_lists else batch.rows,
        latencies_us=[7] * len(ids) if as_lists else batch.latencies_us,
        inputs={**batch.inputs, "carrier": np.array([carriers] * len(ids), object)},
    )
    layout = layout_of(rows)
    body = layout.body(rows)
    assert body is not None
    encoded = MessageTemplate.of(by_arrow(answer("other request", template))).encode(layout.batch_shape, body)
    assert encoded == by_arrow(rows).to_pybytes()


TEXTS = st.text(st.characters(codec="ascii"), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # `answer` has no state
@given(st.data(), st.integers(1, 5))
def test_callers_and_own_ids_are_encoded_as_arrow_does_whether_all_some_or_none_are_there(
    answer: Answer, data: st.DataObject, count: int
) -> None:
    columns: st.SearchStrategy[list[str]] = (
        st.just([]) | TEXTS.map(lambda text: [text] * count) | st.lists(TEXTS, min_size=count, max_size=count)
    )
    answer_ids, principals, peers = (data.draw(columns) for _ in range(3))
    rows = replace(answer("r", count), answer_ids=answer_ids, principals=principals, peers=peers)
    rows.check_lengths()
    layout = layout_of(rows)
    body = layout.body(rows)
    assert body is not None
    assert MessageTemplate.of(by_arrow(rows)).encode(layout.batch_shape, body) == by_arrow(rows).to_pybytes()
    batch = pa.ipc.read_record_batch(by_arrow(rows), layout.schema(layout.shapes))
    stored = [batch[name].to_pylist() for name in ("answer_id", "caller_principal", "caller_peer")]
    assert stored == [texts or [""] * count for texts in (answer_ids, principals, peers)]


@pytest.mark.parametrize("texts", [["é"] * 2, ["a", "é"]], ids=["all", "some"])
def test_names_beyond_ascii_are_left_to_arrow(answer: Answer, texts: list[str]) -> None:
    rows = replace(answer("r", 2), principals=texts)
    layout = layout_of(rows)
    assert layout.body(rows) is None
    assert (
        pa.ipc.read_record_batch(by_arrow(rows), layout.schema(layout.shapes))["caller_principal"].to_pylist() == texts
    )


def test_rows_without_a_caller_each_are_refused(answer: Answer) -> None:
    with pytest.raises(BadInput, match="'peers' and request_ids"):
        replace(answer("r", 2), peers=["10.0.0.7"]).check_lengths()


def test_rows_in_quarantine_fit_no_segment_of_others(answer: Answer) -> None:
    rows = replace(answer("r", 1), quarantined=True)
    assert segment_key(rows) != segment_key(answer("r", 1))
    layout = layout_of(rows)
    assert is_quarantined(layout.schema(layout.shapes))
    other = layout_of(answer("r", 1))
    assert not is_quarantined(other.schema(other.shapes))


def test_what_only_arrow_can_convert_has_no_body(answer: Answer) -> None:
    batch = answer("r", 1)
    for rows in (replace(batch, request_ids=["é"]), replace(batch, inputs={"x": np.array([1 + 2j])})):
        layout = layout_of(rows)
        assert layout.body(rows) is None
        assert layout.columns(rows)[0].to_pylist() == list(rows.request_ids)


def test_batches_share_a_segment_whatever_their_rows_shapes_and_order_of_inputs(answer: Answer) -> None:
    batch = answer("r", 2)
    key = segment_key(batch)
    turned = replace(answer("s", 5), inputs=dict(reversed(list(answer("s", 5).inputs.items()))))
    assert segment_key(turned) == key
    for other in (
        answer("r", 2, model="boats"),
        answer("r", 2, version=2),
        answer("r", 2, signature="explain"),
        replace(batch, sampling_rate=0.5),
        replace(batch, inputs={**batch.inputs, "wind": np.zeros(2)}),
        replace(batch, inputs={**batch.inputs, "temp": np.zeros(2)}),
        replace(batch, inputs={**batch.inputs, "temp": np.zeros((2, 1), np.float32)}),
    ):
        assert segment_key(other) != key


def test_a_schema_names_the_model_the_rate_and_the_shapes(answer: Answer) -> None:
    rows = replace(answer("r", 2), sampling_rate=0.25)
    layout = layout_of(rows)
    assert layout.shapes == ((), (), (2,))
    schema = layout.schema(((), (), (-1,)))
    assert ModelKey.of(schema) == ModelKey("flights", 1, "serving_default")
    assert sampling_rate_of(schema) == 0.25
    assert schema.names[-3:] == ["input:temp", "input:carrier", "output:probabilities"]
    assert schema.field("output:probabilities").metadata[b"shape"] == b"[-1]"
    assert b"pitfalls.sampling_rate" not in (layout_of(answer("r", 2)).schema(layout.shapes).metadata or {})


def test_a_tensor_that_no_column_holds_is_refused(answer: Answer) -> None:
    with pytest.raises(BadInput, match="datetime64"):
        segment_key(replace(answer("r", 1), inputs={"day": np.zeros(1, "datetime64[D]")}))

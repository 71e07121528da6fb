"""Runs have allowed sizes only, and nobody sees the rows that fill them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.capture.capture import Caller, Capture
from serving.inference.batch_runner import run_filled
from serving.inference.inference import Inference
from serving.inference.requests import InferenceRequest
from serving.models.batch_settings import BatchSettings
from serving.models.runner import Runner
from tests.serving.memory_log import MemoryLog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serving.models.versions import Models

    Array = np.ndarray[Any, Any]


@given(
    rows=st.integers(1, 40),
    allowed=st.sets(st.integers(1, 16), min_size=1, max_size=4).map(sorted),
    splits=st.booleans(),
)
def test_every_row_is_answered_once_in_runs_of_allowed_sizes(rows: int, allowed: list[int], *, splits: bool) -> None:
    sizes: list[int] = []

    def run(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        sizes.append(len(inputs["x"]))
        return {"y": inputs["x"] * 2, "text": inputs["text"]}

    settings = BatchSettings(allowed_rows=tuple(allowed), max_run_rows=allowed[-1] if splits else None)
    numbers = np.arange(rows)
    outputs = run_filled(run, {"x": numbers, "text": numbers.astype(str).astype(object)}, settings)
    assert outputs is not None
    assert outputs["y"].tolist() == [2 * number for number in range(rows)]
    assert outputs["text"].tolist() == [str(number) for number in range(rows)]
    if splits or rows <= allowed[-1]:
        assert set(sizes) <= set(allowed)
        assert sum(sizes) - rows < max(np.diff([0, *allowed]))
    else:
        assert sizes == [rows], "a larger request runs whole"


def test_outputs_without_a_row_for_each_row_are_not_cut() -> None:
    settings = BatchSettings(allowed_rows=(4,))
    assert run_filled(lambda inputs: {"sum": inputs["x"].sum()}, {"x": np.ones(3)}, settings) is None
    assert run_filled(dict, {"x": np.ones(0)}, settings) is None, "there is nothing to repeat"


@pytest.mark.parametrize(("joined", "sizes"), [(1, [2]), (3, [4]), (6, [4, 2])])
def test_batches_are_filled_and_the_log_has_the_callers_rows_alone(
    models: Models, monkeypatch: pytest.MonkeyPatch, joined: int, sizes: list[int]
) -> None:
    log, runs = MemoryLog(), []
    real = Runner.run

    def run(runner: Runner, signature: Any, inputs: Any, wanted: Any) -> Any:
        runs.append(len(inputs["a"]))
        return real(runner, signature, inputs, wanted)

    monkeypatch.setattr(Runner, "run", run)
    settings = BatchSettings(max_rows=8, allowed_rows=(2, 4), max_run_rows=4)
    inference = Inference(capture=Capture(log), batches=settings)

    async def ask() -> list[float]:
        with models.lease("named") as served:
            signature = served.runner.signatures["two_float"]
            requests = [
                InferenceRequest(
                    served=served,
                    signature=signature,
                    inputs={"a": np.full((1, 2), number, np.float32), "b": np.zeros((1, 3), np.float32)},
                    caller=Caller(request_id=str(number), event_time_us=0, arrived_us=0),
                )
                for number in range(joined)
            ]
            results = await asyncio.gather(*map(inference.infer, requests))
        return [float(result.outputs["p"][0]) for result in results]

    assert asyncio.run(ask()) == [2 * number for number in range(joined)]
    inference.close()
    assert runs == sizes
    assert log.rows == [(str(number), 0) for number in range(joined)]


def test_a_graph_that_mixes_rows_is_not_given_others(models: Models) -> None:
    inference = Inference(capture=Capture(None), batches=BatchSettings(allowed_rows=(8,), max_rows=8))

    async def ask() -> list[Any]:
        with models.lease("named") as served:
            request = InferenceRequest(
                served=served,
                signature=served.runner.signatures["distinct"],
                inputs={"x": np.array([1.0, 1.0, 2.0], np.float32)},
                caller=Caller(request_id="r", event_time_us=0, arrived_us=0),
            )
            return list((await inference.infer(request)).outputs.values())

    (answer,) = asyncio.run(ask())
    inference.close()
    assert np.asarray(answer).tolist() == [1.0, 2.0]

"""Sampling and sinks as TensorFlow Serving's `logging_config` has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from monitoring.errors import BadInput
from monitoring.traffic.log.redaction import Redaction
from serving.capture.capture import AnsweredBatch, Caller, Capture
from serving.capture.log_sink import LogSink
from serving.capture.model_logging import ModelLogging, logging_by_model
from serving.models.model_config import sources_of

if TYPE_CHECKING:
    from monitoring.traffic.format.rows import AnsweredRows
    from serving.models.served_version import ServedVersion
    from serving.models.versions import Models


class Rows(list["AnsweredRows"]):
    """A log in memory."""


@pytest.fixture
def served(models: Models) -> ServedVersion:
    with models.lease("half_plus_two") as one:
        return one


def batch(served: ServedVersion, requests: int) -> AnsweredBatch:
    """Two rows of each request, whose tensors say whose they are."""
    numbers = np.repeat(np.arange(requests, dtype=np.float32), 2)
    return AnsweredBatch(
        served=served,
        signature=served.runner.signatures["serving_default"],
        callers=[Caller(request_id=str(index), event_time_us=index, arrived_us=0) for index in range(requests)],
        counts=[2] * requests,
        inputs={"x": numbers},
        outputs={"y": numbers},
        answered_us=0,
    )


def asked(text: str) -> dict[str, ModelLogging]:
    model = f'model_config_list {{ config {{ name: "flights" base_path: "/m" {text} }} }}'
    return logging_by_model(sources_of(text_format.Parse(model, model_server_config_pb2.ModelServerConfig())))


def test_what_a_config_asks_for() -> None:
    collector = 'log_collector_config { filename_prefix: "/logs/flights" }'
    text = f"logging_config {{ {collector} sampling_config {{ sampling_rate: 0.25 }} }}"
    assert asked(text) == {"flights": ModelLogging(sampling_rate=0.25, folder=Path("/logs/flights"))}
    assert asked("logging_config { }") == {"flights": ModelLogging(sampling_rate=0.0)}
    assert asked("") == {}
    with pytest.raises(BadInput, match=r"flights.*type: 'kafka'"):
        asked('logging_config { log_collector_config { type: "kafka" } }')
    with pytest.raises(BadInput, match=r"0 to 1"):
        ModelLogging(sampling_rate=1.5)


def test_requests_are_taken_whole_and_about_as_many_as_was_asked_for(served: ServedVersion) -> None:
    rows = Rows()
    capture = Capture(rows)
    capture.log_models({"half_plus_two": ModelLogging(sampling_rate=0.25)})
    assert capture.record(batch(served, 400))
    [logged] = rows
    assert logged.sampling_rate == 0.25
    assert logged.inputs["x"].tolist() == [float(request) for request in logged.request_ids]
    assert all(logged.request_ids.count(request) == 2 for request in set(logged.request_ids))
    # Five standard deviations of 400 draws.
    assert abs(logged.count / 2 - 100) < 5 * (400 * 0.25 * 0.75) ** 0.5
    assert (capture.counts().rows_logged, capture.counts().rows_unsampled) == (logged.count, 800 - logged.count)
    capture.record(batch(served, 400))
    assert rows[1].request_ids == logged.request_ids, "a request that is sent again is in the sample again, or is not"


def test_parts_of_a_request_are_in_the_sample_together() -> None:
    half = ModelLogging(sampling_rate=0.5)
    assert all(half.is_sampled(f"{number}/classify") == half.is_sampled(str(number)) for number in range(50))


def test_a_model_is_logged_where_its_config_says_and_others_in_the_servers_own_log(served: ServedVersion) -> None:
    own, elsewhere = Rows(), Rows()
    opened: list[Path] = []

    def open_sink(folder: Path) -> LogSink:
        opened.append(folder)
        return LogSink(elsewhere)

    capture = Capture(own, open_sink=open_sink)
    there = ModelLogging(folder=Path("there"))
    for models in ({"half_plus_two": there}, {"half_plus_two": there, "another": there}):
        capture.log_models(models)
        capture.record(batch(served, 1))
    capture.log_models({"half_plus_two": ModelLogging(sampling_rate=0.0)})
    capture.record(batch(served, 1))
    capture.log_models({})
    capture.record(batch(served, 1))
    assert (opened, len(own), len(elsewhere)) == ([Path("there")], 1, 2)
    assert (capture.counts().rows_logged, capture.counts().rows_unsampled) == (6, 2)


def test_a_model_that_is_to_be_logged_needs_a_log() -> None:
    with pytest.raises(BadInput, match="no traffic log"):
        Capture(None).log_models({"m": ModelLogging(sampling_rate=0.5)})
    capture = Capture(None)
    capture.log_models({"m": ModelLogging(sampling_rate=0.0)})


def test_what_is_redacted_never_reaches_the_writer(served: ServedVersion) -> None:
    rows = Rows()
    Capture(rows, redaction=Redaction(dropped=frozenset({"x"}))).record(batch(served, 1))
    assert (rows[0].inputs, list(rows[0].outputs)) == ({}, ["y"])


def test_without_the_key_nobody_knows_which_ids_are_sampled() -> None:
    half, ids = ModelLogging(sampling_rate=0.5), [str(number) for number in range(400)]
    picked = [one for one in ids if not half.is_sampled(one)]
    found = sum(half.sample(picked, b"secret"))
    assert len(picked) / 3 < found < 2 * len(picked) / 3
    assert half.sample(picked, b"secret") == half.sample(picked, b"secret")

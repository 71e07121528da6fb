"""Classify, Regress and MultiInference over gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from tensorflow.core.example.example_pb2 import Example
from tensorflow_serving.apis import classification_pb2, inference_pb2, regression_pb2

from tests.serving.memory_log import MemoryLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.serving.grpc_api.conftest import OpenSite, Site

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


def example(x: float) -> Example:
    made = Example()
    made.features.feature["x"].float_list.value.append(x)
    return made


def fill(request: Any, signature: str, *xs: float, model: str = "half_plus_two") -> Any:
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    request.input.example_list.examples.extend(map(example, xs))
    return request


def several(*tasks: tuple[str, str, str]) -> Any:
    """Tasks are model, signature and method."""
    request = inference_pb2.MultiInferenceRequest()
    for model, signature, method in tasks:
        added = request.tasks.add(method_name=method)
        added.model_spec.name = model
        added.model_spec.signature_name = signature
    request.input.example_list.examples.extend([example(2.0), example(4.0)])
    return request


def failure(call: Callable[[Any], Any], request: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    return caught.value.code(), caught.value.details()


def test_classify_gives_labelled_scores(site: Site) -> None:
    request = fill(classification_pb2.ClassificationRequest(), "classify_x_to_y", 2.0, 4.0)
    answer = site.predictions.Classify(request)
    scores = [[(one.label, one.score) for one in row.classes] for row in answer.result.classifications]
    assert scores == [[("", 3.0)], [("", 4.0)]]
    spec = answer.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("half_plus_two", 123, "classify_x_to_y")


def test_regress_gives_values_and_a_context_supplies_missing_features(site: Site) -> None:
    answer = site.predictions.Regress(fill(regression_pb2.RegressionRequest(), "regress_x_to_y", 2.0, 4.0))
    assert [one.value for one in answer.result.regressions] == [3.0, 4.0]
    request = fill(regression_pb2.RegressionRequest(), "regress_x_to_y")
    request.input.example_list_with_context.context.CopyFrom(example(4.0))
    request.input.example_list_with_context.examples.extend([Example(), example(8.0)])
    assert [one.value for one in site.predictions.Regress(request).result.regressions] == [4.0, 6.0]


@pytest.mark.parametrize(
    ("signature", "code", "text"),
    [
        ("s", "INVALID_ARGUMENT", "No signature was found with the name: s"),
        ("", "INVALID_ARGUMENT", "No classification inputs found in SignatureDef: serving_default"),
        ("classify_x_to_y", "INVALID_ARGUMENT", "Input is empty."),
    ],
)
def test_what_cannot_be_classified(site: Site, signature: str, code: str, text: str) -> None:
    request = fill(classification_pb2.ClassificationRequest(), signature)
    assert failure(site.predictions.Classify, request) == (grpc.StatusCode[code], text)


def test_several_tasks_have_a_result_and_a_row_in_the_log_each(open_site: OpenSite) -> None:
    log = MemoryLog()
    tasks = [("half_plus_two", "classify_x_to_y", CLASSIFY), ("half_plus_two", "regress_x_to_y", REGRESS)]
    with open_site(writer=log) as site:
        answer = site.predictions.MultiInference(several(*tasks), metadata=(("x-request-id", "r"),))
    first, second = answer.results
    assert [row.classes[0].score for row in first.classification_result.classifications] == [3.0, 4.0]
    assert [one.value for one in second.regression_result.regressions] == [3.0, 4.0]
    assert (second.model_spec.signature_name, second.model_spec.version.value) == ("regress_x_to_y", 123)
    assert log.request_ids == ["r/classify_x_to_y"] * 2 + ["r/regress_x_to_y"] * 2


@pytest.mark.parametrize(
    ("tasks", "code", "text"),
    [
        ([], "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        (
            [("half_plus_two", "regress_x_to_y", REGRESS), ("half_plus_three", "regress_x_to_y", REGRESS)],
            "INVALID_ARGUMENT",
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
        ),
        (
            [("half_plus_two", "regress_x_to_y", REGRESS)] * 2,
            "INVALID_ARGUMENT",
            "Duplicate evaluation of signature: regress_x_to_y",
        ),
        ([("half_plus_two", "s", REGRESS)], "INVALID_ARGUMENT", "Requested signature not found in model graph: s"),
        ([("half_plus_two", "regress_x_to_y", "m")], "UNIMPLEMENTED", "Unsupported signature method_name: m"),
    ],
)
def test_tasks_that_do_not_go_together(site: Site, tasks: list[tuple[str, str, str]], code: str, text: str) -> None:
    assert failure(site.predictions.MultiInference, several(*tasks)) == (grpc.StatusCode[code], text)

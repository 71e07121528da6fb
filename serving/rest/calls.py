"""Predict, classify and regress: a JSON body in, the model's answer out, in TensorFlow Serving's order of checks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, final

from serving.inference.callers import read_caller
from serving.inference.inference import InferenceRequest, InferenceResult, RowRequest
from serving.models.heads import read_head
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.rest.encoding import write_batch, write_columns
from serving.rest.examples import read_examples, serialise, write_results
from serving.rest.instances import (
    promised_kinds,
    read_columns,
    read_instances,
    read_plain_numbers,
    read_plain_rows,
    read_rows,
    read_signature_name,
)
from serving.rest.number_rows import NumberRows, has_many_lists, nested, read_number_rows
from serving.status import invalid
from serving.transport.http_response import HttpResponse
from serving.transport.json_parsing import parse_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from serving.capture.capture import Caller
    from serving.inference.inference import Inference
    from serving.inference.request_ids import RequestIds
    from serving.models.named_tensors import Kinds
    from serving.models.signatures import Signature
    from serving.models.versions import Models, ServedVersion
    from serving.rest.routes import RestRoute
    from serving.transport.http_request import Headers

    Array = np.ndarray[Any, Any]
    Rows = Sequence[Any] | NumberRows
    Done = Callable[[HttpResponse | BaseException], None]


class RestCall(NamedTuple):
    """One request to a model."""

    route: RestRoute
    headers: Headers
    body: bytes
    arrived_us: int


@dataclass(frozen=True, slots=True)
class InstancesFormat:
    """Row form, as `serving.inference.inference` reads and writes it in bulk."""

    def promise(self, rows: Rows, signature: Signature) -> Kinds:
        """What tensors rows like the first of these belong to."""
        if isinstance(rows, NumberRows):
            return tuple((name, spec.element.numpy, rows.shape[1:]) for name, spec in signature.inputs.items())
        return promised_kinds(rows[0], signature.inputs)

    def read_plain(self, asked: Sequence[Rows], signature: Signature) -> dict[str, Array] | None:
        """The tensors of regular rows, those of all requests together."""
        if type(asked[0]) is NumberRows:
            tensors = read_plain_numbers(asked, signature.inputs)
            if tensors is not None:
                return tensors
        rows = [nested(one) for one in asked]
        return read_plain_rows(rows[0] if len(rows) == 1 else list(chain.from_iterable(rows)), signature.inputs)

    def read(self, rows: Rows, signature: Signature) -> dict[str, Array]:
        """The tensors of any rows, or what is wrong with them."""
        return read_rows(nested(rows), signature.inputs)

    def write(self, outputs: Mapping[str, Array], counts: Sequence[int]) -> list[bytes]:
        """A body for each request."""
        return write_batch(outputs, counts)


INSTANCES = InstancesFormat()


@final
class PredictionEndpoint:
    """Translates calls into questions and answers into responses."""

    def __init__(self, *, models: Models, inference: Inference, ids: RequestIds) -> None:
        self._models = models
        self._inference = inference
        self._ids = ids

    def start(self, call: RestCall, done: Done) -> None:
        """Answer a call: ``done`` is given the response, which carries the request's id, or a `Failure`.

        Raises:
            Failure: the request is wrong; ``done`` is not called then.
        """
        route = call.route
        caller = read_caller(call.headers, new_id=self._ids.new, arrived_us=call.arrived_us)
        numbers = None
        if route.verb == "predict" and has_many_lists(call.body):
            numbers = read_number_rows(call.body)
        if numbers is not None:
            document: dict[str, Any] = {"instances": numbers}
            name, examples = numbers.signature, None
        else:
            document = parse_object(call.body)
            name = read_signature_name(document)
            # Examples are checked before the model is looked up, instances after it.
            examples = None if route.verb == "predict" else read_examples(document)
        served = self._models.take(route.model, route.version, route.label)

        def answered(outcome: InferenceResult | bytes | BaseException) -> None:
            served.give_back()
            if isinstance(outcome, bytes):
                done(HttpResponse(200, outcome, headers=((b"x-request-id", caller.request_id.encode()),)))
            elif isinstance(outcome, BaseException):
                done(outcome)

        is_put = False
        try:
            if examples is None:
                question = _predict(document, name, served, caller)
            else:
                question = _examples(examples, name, served, caller, route.verb)
            self._inference.put(question, answered)
            is_put = True
        finally:
            if not is_put:
                served.give_back()


def _predict(
    document: dict[str, Any], name: str, served: ServedVersion, caller: Caller
) -> InferenceRequest | RowRequest:
    signature = served.runner.signatures.get(name or DEFAULT_SIGNATURE)
    if signature is None:
        asked = name or DEFAULT_SIGNATURE
        raise invalid(f'Serving signature name: "{asked}" not found in signature def')
    if not signature.inputs:
        raise invalid(f"Failed to get input map for signature: {name or 'DEFAULT'}")
    given = document.get("instances")
    instances = given if isinstance(given, NumberRows) else read_instances(document)
    if instances is not None:
        return RowRequest(served, signature, instances, caller, INSTANCES)
    inputs = read_columns(document["inputs"], signature.inputs)
    return InferenceRequest(served=served, signature=signature, inputs=inputs, caller=caller, write=write_columns)


def _examples(examples: Sequence[Any], name: str, served: ServedVersion, caller: Caller, verb: str) -> InferenceRequest:
    """Classify and regress: the model parses ``tf.Example`` messages itself, so that is what it is given."""
    signature = served.runner.signatures.get(name or DEFAULT_SIGNATURE)
    if signature is None:
        raise invalid(f"No signature was found with the name: {name or DEFAULT_SIGNATURE}")
    head = read_head(signature, verb)
    return InferenceRequest(
        served=served,
        signature=signature,
        inputs={head.input: serialise(examples)},
        caller=caller,
        outputs=head.outputs,
        write=lambda outputs: write_results(verb, outputs, len(examples)),
    )

"""Predict, classify and regress: a JSON body in, the model's answer out, in TensorFlow Serving's order of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from serving.inference.callers import id_headers, version_header
from serving.inference.requests import InferenceRequest, InferenceResult, RowRequest
from serving.models.heads import read_head
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.rest.encoding import write_columns
from serving.rest.examples import read_examples, serialise, write_results
from serving.rest.instances import INSTANCES_FORMAT, read_columns, read_instances, read_signature_name
from serving.rest.number_rows import NumberRows, has_many_lists, read_number_rows
from serving.split.routing import Wanted, acquire, values_in
from serving.status import InvalidArgument
from serving.transport.http_response import HttpResponse
from serving.transport.json_parsing import parse_object

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from serving.capture.capture import Caller
    from serving.inference.callers import CallerReader
    from serving.inference.inference import Inference
    from serving.models.served_version import ServedVersion
    from serving.models.versions import Models
    from serving.rest.routes import RestRoute
    from serving.transport.http_request import HttpRequest

    Done = Callable[[HttpResponse | BaseException], None]


@final
class PredictionEndpoint:
    """Translates HTTP requests to inference requests, and results to HTTP responses."""

    def __init__(self, *, models: Models, inference: Inference, callers: CallerReader) -> None:
        self._models = models
        self._inference = inference
        self._callers = callers

    def start(self, route: RestRoute, request: HttpRequest, arrived_us: int, done: Done) -> None:
        """Answer a request.

        Args:
            arrived_us: When it arrived, in microseconds since 1970.

        Raises:
            Failure: The request is invalid; ``done`` is not called then.
        """
        caller = self._callers.read(request.headers, arrived_us=arrived_us, identity=request.identity)
        body = request.body
        numbers = None
        if route.verb == "predict" and has_many_lists(body):
            numbers = read_number_rows(body)
        if numbers is not None:
            document: dict[str, Any] = {"instances": numbers}
            name, examples = numbers.signature, None
        else:
            document = parse_object(body)
            name = read_signature_name(document)
            # Examples are checked before the model is looked up, instances after it.
            examples = None if route.verb == "predict" else read_examples(document)
        wanted = Wanted(route.model, route.version, route.label)
        served, caller = acquire(self._models, wanted, caller, request.headers, values_in(document))

        def finish(outcome: InferenceResult | bytes | BaseException) -> None:
            served.release()
            if isinstance(outcome, bytes):
                done(HttpResponse(200, outcome, headers=(*id_headers(caller), *version_header(caller, served.number))))
            elif isinstance(outcome, BaseException):
                done(outcome)

        is_submitted = False
        try:
            if examples is None:
                inference_request = _predict(document, name, served, caller)
            else:
                inference_request = _examples(examples, name, served, caller, route.verb)
            self._inference.submit(inference_request, finish)
            is_submitted = True
        finally:
            if not is_submitted:
                served.release()


def _predict(
    document: dict[str, Any], name: str, served: ServedVersion, caller: Caller
) -> InferenceRequest | RowRequest:
    signature = served.runner.signatures.get(name or DEFAULT_SIGNATURE)
    if signature is None:
        raise InvalidArgument(f'Serving signature name: "{name or DEFAULT_SIGNATURE}" not found in signature def')
    if not signature.inputs:
        raise InvalidArgument(f"Failed to get input map for signature: {name or 'DEFAULT'}")
    rows = document.get("instances")
    instances = rows if isinstance(rows, NumberRows) else read_instances(document)
    if instances is not None:
        return RowRequest(served, signature, instances, caller, INSTANCES_FORMAT)
    inputs = read_columns(document["inputs"], signature.inputs)
    return InferenceRequest(served=served, signature=signature, inputs=inputs, caller=caller, write=write_columns)


def _examples(examples: Sequence[Any], name: str, served: ServedVersion, caller: Caller, verb: str) -> InferenceRequest:
    """Classify and regress: the graph parses ``tf.Example`` messages itself."""
    signature = served.runner.signatures.get(name or DEFAULT_SIGNATURE)
    if signature is None:
        raise InvalidArgument(f"No signature was found with the name: {name or DEFAULT_SIGNATURE}")
    head = read_head(signature, verb)
    return InferenceRequest(
        served=served,
        signature=signature,
        inputs={head.input: serialise(examples)},
        caller=caller,
        outputs=head.outputs,
        write=lambda outputs: write_results(verb, outputs, len(examples)),
    )

"""Predict, classify and regress: a JSON body in, the model's answer out, in TensorFlow Serving's order of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from serving.inference.callers import id_headers, version_header
from serving.inference.requests import InferenceRequest, InferenceResult, RowRequest
from serving.models.heads import read_head
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.rest.documents import read_document, rows_of
from serving.rest.encoding import write_columns
from serving.rest.examples import serialise, write_results
from serving.rest.instances import INSTANCES_FORMAT, read_columns
from serving.split.routing import Wanted, acquire, values_in
from serving.status import InvalidArgument
from serving.transport.http_response import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from serving.capture.capture import Caller
    from serving.inference.callers import CallerReader
    from serving.inference.inference import Inference
    from serving.models.served_version import ServedVersion
    from serving.models.signatures import Signature
    from serving.models.versions import Models
    from serving.rest.routes import RestRoute
    from serving.transport.body_process import BodyProcess
    from serving.transport.http_request import HttpRequest

    Array = np.ndarray[Any, Any]
    Done = Callable[[HttpResponse | BaseException], None]


@final
class PredictionEndpoint:
    """Translates HTTP requests to inference requests, and results to HTTP responses."""

    def __init__(
        self, *, models: Models, inference: Inference, callers: CallerReader, bodies: BodyProcess | None = None
    ) -> None:
        self._models = models
        self._inference = inference
        self._callers = callers
        self._bodies = bodies

    def start(self, route: RestRoute, request: HttpRequest, arrived_us: int, done: Done) -> None:
        """Answer a request.

        Args:
            arrived_us: When it arrived, in microseconds since 1970.

        Raises:
            Failure: The request is invalid; ``done`` is not called then.
        """
        caller = self._callers.read(request.headers, arrived_us=arrived_us, identity=request.identity)
        if self._bodies is not None and self._bodies.takes(len(request.body)):
            self._bodies.start(self._start_large(self._bodies, route, request, caller, done), done)
            return
        document, name, examples = read_document(request.body, route.verb)
        served, caller = acquire(self._models, _wanted(route), caller, request.headers, values_in(document))

        def make() -> InferenceRequest | RowRequest:
            signature = find_signature(served, name, route.verb)
            if examples is not None:
                return _examples(serialise(examples), signature, served, caller, route.verb)
            return _predict(document, signature, served, caller)

        self._submit(make, served, caller, done)

    async def _start_large(
        self, bodies: BodyProcess, route: RestRoute, request: HttpRequest, caller: Caller, done: Done
    ) -> None:
        """As `start`, with a body that is read by another process."""
        found: list[tuple[ServedVersion, Caller, Signature]] = []

        def specs_for(asked: Any) -> dict[str, tuple[int, str]]:
            served, its_caller = acquire(self._models, _wanted(route), caller, request.headers, asked["keys"].get)
            try:
                signature = find_signature(served, asked["signature"], route.verb)
                if route.verb != "predict":
                    read_head(signature, route.verb)
            except BaseException:
                served.release()
                raise
            found.append((served, its_caller, signature))
            return {name: (spec.element.number, spec.element.name) for name, spec in signature.inputs.items()}

        split = self._models.splits.get(route.model)
        keys = [] if split is None or split.key is None else [split.key]
        try:
            is_rows, tensors = await bodies.read("rest", request.body, {"verb": route.verb, "keys": keys}, specs_for)
        except BaseException:
            for served, *_ in found:
                served.release()
            raise
        ((served, its_caller, signature),) = found

        def make() -> InferenceRequest:
            if route.verb != "predict":
                return _examples(tensors[""], signature, served, its_caller, route.verb)
            write = _write_rows if is_rows else write_columns
            return InferenceRequest(served=served, signature=signature, inputs=tensors, caller=its_caller, write=write)

        self._submit(make, served, its_caller, done)

    def _submit(
        self, make: Callable[[], InferenceRequest | RowRequest], served: ServedVersion, caller: Caller, done: Done
    ) -> None:
        """Hand a request to the model. The lease on the version ends with the answer, or if there is no request."""

        def finish(outcome: InferenceResult | bytes | BaseException) -> None:
            served.release()
            if isinstance(outcome, bytes):
                done(HttpResponse(200, outcome, headers=(*id_headers(caller), *version_header(caller, served.number))))
            elif isinstance(outcome, BaseException):
                done(outcome)

        is_submitted = False
        try:
            self._inference.submit(make(), finish)
            is_submitted = True
        finally:
            if not is_submitted:
                served.release()


def _wanted(route: RestRoute) -> Wanted:
    return Wanted(route.model, route.version, route.label)


def find_signature(served: ServedVersion, name: str, verb: str) -> Signature:
    """The signature of a request. Raises `Failure` if the version does not have it, or it takes nothing."""
    signature = served.runner.signatures.get(name or DEFAULT_SIGNATURE)
    if signature is None and verb != "predict":
        raise InvalidArgument(f"No signature was found with the name: {name or DEFAULT_SIGNATURE}")
    if signature is None:
        raise InvalidArgument(f'Serving signature name: "{name or DEFAULT_SIGNATURE}" not found in signature def')
    if not signature.inputs and verb == "predict":
        raise InvalidArgument(f"Failed to get input map for signature: {name or 'DEFAULT'}")
    return signature


def _predict(
    document: dict[str, Any], signature: Signature, served: ServedVersion, caller: Caller
) -> InferenceRequest | RowRequest:
    instances = rows_of(document)
    if instances is not None:
        return RowRequest(served, signature, instances, caller, INSTANCES_FORMAT)
    inputs = read_columns(document["inputs"], signature.inputs)
    return InferenceRequest(served=served, signature=signature, inputs=inputs, caller=caller, write=write_columns)


def _write_rows(outputs: Mapping[str, Array]) -> bytes:
    return INSTANCES_FORMAT.write(outputs, ())[0]


def _examples(
    examples: Array, signature: Signature, served: ServedVersion, caller: Caller, verb: str
) -> InferenceRequest:
    """Classify and regress: the graph parses ``tf.Example`` messages itself."""
    head = read_head(signature, verb)
    return InferenceRequest(
        served=served,
        signature=signature,
        inputs={head.input: examples},
        caller=caller,
        outputs=head.outputs,
        write=lambda outputs: write_results(verb, outputs, len(examples)),
    )

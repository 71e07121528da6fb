"""Predict, classify and regress: a JSON body in, the model's answer out, in TensorFlow Serving's order of checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from serving.inference import Question
from serving.rest.callers import read_caller
from serving.rest.encoding import write_columns, write_rows
from serving.rest.examples import read_examples, read_head, serialise, write_results
from serving.rest.instances import read_inputs, read_signature_name
from serving.rest.parsing import parse_object
from serving.rest.responses import Response
from serving.signatures import DEFAULT_SIGNATURE
from serving.status import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.capture import Caller
    from serving.identity import RequestIds
    from serving.inference import Inference
    from serving.rest.routes import Route
    from serving.versions import Models


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a model, read off the wire."""

    route: Route
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    arrived_us: int


@final
class Calls:
    """Translates calls into questions and answers into responses."""

    def __init__(self, *, models: Models, inference: Inference, ids: RequestIds) -> None:
        self._models = models
        self._inference = inference
        self._ids = ids

    async def answer(self, call: Call) -> Response:
        """The response, which carries the request's id.

        Raises:
            Failure: the request is wrong, or the model cannot answer it.
        """
        caller = read_caller(call.headers, new_id=self._ids.new, arrived_us=call.arrived_us)
        ask = self._predict if call.route.verb == "predict" else self._examples
        body = await ask(call, caller)
        return Response(status=200, body=body, headers=((b"x-request-id", caller.request_id.encode()),))

    async def _predict(self, call: Call, caller: Caller) -> bytes:
        document = parse_object(call.body)
        name = read_signature_name(document)
        with self._models.lease(call.route.model, call.route.version, call.route.label) as served:
            signature = served.runner.signatures.get(name or DEFAULT_SIGNATURE)
            if signature is None:
                asked = name or DEFAULT_SIGNATURE
                raise invalid(f'Serving signature name: "{asked}" not found in signature def')
            if not signature.inputs:
                raise invalid(f"Failed to get input map for signature: {name or 'DEFAULT'}")
            inputs, by_row = read_inputs(document, signature)
            answer = await self._inference.ask(
                Question(served=served, signature=signature, inputs=inputs, caller=caller)
            )
        return write_rows(answer.outputs) if by_row else write_columns(answer.outputs)

    async def _examples(self, call: Call, caller: Caller) -> bytes:
        """Classify and regress: the model parses ``tf.Example`` messages itself, so that is what it is given."""
        document = parse_object(call.body)
        name = read_signature_name(document)
        examples = read_examples(document)
        with self._models.lease(call.route.model, call.route.version, call.route.label) as served:
            signature = served.runner.signatures.get(name or DEFAULT_SIGNATURE)
            if signature is None:
                raise invalid(f"No signature was found with the name: {name or DEFAULT_SIGNATURE}")
            head = read_head(signature, call.route.verb)
            inputs = {head.input: serialise(examples)}
            answer = await self._inference.ask(
                Question(served=served, signature=signature, inputs=inputs, caller=caller, outputs=head.outputs)
            )
        return write_results(call.route.verb, answer.outputs, len(examples))

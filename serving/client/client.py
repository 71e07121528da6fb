"""`serving.Client`: predictions with ids and event times, and labels later, by REST or gRPC."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import numpy as np

from monitoring.errors import BadInput
from serving.client.grpc import GrpcConnection
from serving.client.rest import RestConnection, part_of
from serving.client.wire import Array, Time, from_json, plain, rows_of, time_text, typed
from serving.models.signatures import DEFAULT_SIGNATURE

#: Characters of the id of a request.
MOST_ID = 128
#: Labels of one request.
AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The answer to one request.

    >>> Prediction(outputs={"risk": np.array([0.3])}, ids=("order-7:0",), version=2).output
    array([0.3])

    Attributes:
        outputs: Arrays by output name, of the model's types; texts are objects.
        ids: The id of each row in the traffic log, for its label.
        version: The version that answered; None where the server does not say it (a prediction over REST that no split
            has assigned).
    """

    outputs: Mapping[str, Array]
    ids: tuple[str, ...]
    version: int | None

    @property
    def output(self) -> Array:
        """The only output. Raises BadInput where there are several."""
        if len(self.outputs) != 1:
            raise BadInput(
                "The model has several outputs.",
                got=", ".join(self.outputs),
                expected="one",
                fix="Take one of `outputs` by its name.",
            )
        return next(iter(self.outputs.values()))


@dataclass(frozen=True, slots=True)
class _Signature:
    """Element types by name, as ``DT_FLOAT``."""

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


class Client:
    """A client of one server; a context manager. Safe for threads; connections are kept open.

    Values are converted to the types that the model takes, which the server is asked for once, and again after it has
    refused a request: it may have another version by then. Nothing is sent twice by itself. TensorFlow is not imported.

    >>> from monitoring import CannotRun
    >>> with Client("http://127.0.0.1:9", timeout=5.0) as client:  # where no server listens
    ...     try:
    ...         prediction = client.predict("flowers", {"petal": [0.1], "sepal": [-0.4]}, request_id="order-7")
    ...         client.send_labels(prediction.ids, ["rose"])
    ...     except CannotRun as error:
    ...         print(error.what)
    The server did not answer.
    """

    def __init__(
        self,
        url: str,
        *,
        grpc: str | None = None,
        token: str | None = None,
        timeout: float = 30.0,
        ca_file: str | None = None,
    ) -> None:
        """Describe the server; nothing is sent yet.

        Args:
            url: The address of the REST interface, such as ``http://127.0.0.1:8501``.
            grpc: The address of the gRPC interface, such as ``127.0.0.1:8500``: predictions go there, and labels to
                `url`. With an ``https://`` `url` it is encrypted too.
            token: A token of the server's.
            timeout: Seconds for each request.
            ca_file: A PEM file of certificates that the server's certificate is checked by.

        Raises:
            BadInput: The address is none, or the file cannot be read.
        """
        self._rest = RestConnection(url, timeout, token, ca_file)
        encrypted = url.startswith("https:")
        self._grpc = None if grpc is None else GrpcConnection(grpc, timeout, token, ca_file, encrypted=encrypted)
        self._signatures: dict[str, Mapping[str, _Signature]] = {}

    def predict(
        self,
        model: str,
        inputs: Any,
        *,
        version: int | str | None = None,
        signature: str = DEFAULT_SIGNATURE,
        request_id: str | None = None,
        event_time: Time | None = None,
    ) -> Prediction:
        """Predictions for rows.

        Args:
            model: The model's name.
            inputs: Arrays or sequences of n rows by input name, or of a model with one input only that input's.
            version: The number of a version, or its label; None: the one that the server gives.
            signature: The signature.
            request_id: The id in the traffic log, 1 to 128 visible ASCII characters; None: the server makes one. Rows
                are called ``<id>:0``, ``<id>:1``, …
            event_time: When what the rows tell of happened: with an offset, or seconds since 1970; None: now.

        Returns:
            The outputs, and the ids by which labels are sent.

        Raises:
            BadInput: An input lacks, is unknown or of another type, or the server refused the request.
            CannotRun: The server did not answer in time, or could not.
        """
        place = _place(model, version)
        known = self._signature(place, signature)
        arrays = _arrays(inputs, known)
        headers = {} if request_id is None else {"X-Request-Id": _request_id(request_id)}
        if event_time is not None:
            headers["X-Event-Time"] = time_text(event_time)
        try:
            if self._grpc is not None:
                outputs, number, said = self._grpc.predict(model, version, signature, arrays, headers)
            else:
                outputs, number, said = self._predict_by_rest(place, signature, known, arrays, headers)
        except BadInput:
            self._signatures.pop(place, None)
            raise
        name = said.get("x-request-id", request_id or "")
        ids = tuple(f"{name}:{row}" for row in range(rows_of(arrays)))
        return Prediction(outputs=outputs, ids=ids, version=version if isinstance(version, int) else number)

    def send_labels(
        self,
        ids: Sequence[str],
        labels: Any,
        *,
        times: Time | Sequence[Time] | None = None,
        model: str | None = None,
        version: int | None = None,
    ) -> int:
        """Send the labels of earlier predictions, in requests of 10,000, of each of which all are written or none.

        Args:
            ids: The ids of n rows, as `predict` gives them.
            labels: n labels: texts, numbers, lists where a row may have several classes; or of a model with several
                outputs a mapping of output names to n labels.
            times: When each label became known, or all of them; None: now.
            model: The model whose prediction it was, where one id was sent to several.
            version: Its version.

        Returns:
            How many were written.

        Raises:
            BadInput: Ids and labels are not as many, or the server refused them.
            CannotRun: The server did not answer in time, or could not; what was sent before is written, and sending all
                of them again does no harm.
        """
        values = _labels(labels)
        stamps = list(times) if isinstance(times, Sequence) else [time.time() if times is None else times] * len(ids)
        if not len(ids) == len(values) == len(stamps):
            raise BadInput(
                "Each id has one label and one time.",
                got=f"{len(ids)} ids, {len(values)} labels, {len(stamps)} times",
                expected="as many of each",
                fix="Send the label of each id.",
            )
        owner: dict[str, Any] = {} if model is None else {"model": model}
        if version is not None:
            owner["version"] = version
        entries = [
            {"prediction_id": row, "label": label, "label_time": float(time_text(stamp)), **owner}
            for row, label, stamp in zip(ids, values, stamps, strict=True)
        ]
        written = 0
        for start in range(0, len(entries), AT_ONCE):
            answer = self._rest.post("/monitor/labels", {"labels": entries[start : start + AT_ONCE]}, {})
            written += int(part_of(answer.document, "accepted"))
        return written

    def close(self) -> None:
        """Close the connections."""
        self._rest.close()
        if self._grpc is not None:
            self._grpc.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _predict_by_rest(
        self, place: str, signature: str, known: _Signature, arrays: Mapping[str, Array], headers: Mapping[str, str]
    ) -> tuple[dict[str, Array], int | None, Mapping[str, str]]:
        body = {"signature_name": signature, "inputs": {name: plain(array) for name, array in arrays.items()}}
        answer = self._rest.post(f"{place}:predict", body, headers)
        given = part_of(answer.document, "outputs")
        by_name = {next(iter(known.outputs)): given} if len(known.outputs) == 1 else given
        outputs = {name: from_json(value, known.outputs.get(name, "")) for name, value in by_name.items()}
        number = answer.headers.get("x-model-version")
        return outputs, None if number is None else int(number), answer.headers

    def _signature(self, place: str, name: str) -> _Signature:
        """A signature of a model, as the server describes it."""
        signatures = self._signatures.get(place)
        if signatures is None:
            document = self._rest.get(f"{place}/metadata")
            described = part_of(document, "metadata", "signature_def", "signature_def")
            signatures = self._signatures[place] = {
                key: _Signature(_types(value.get("inputs", {})), _types(value.get("outputs", {})))
                for key, value in described.items()
            }
        if name not in signatures:
            raise BadInput(
                "The model has no such signature.",
                got=name,
                expected=f"one of {', '.join(sorted(signatures))}",
                fix="Leave `signature` out for the default one.",
            )
        return signatures[name]


def _request_id(given: str) -> str:
    """An id that a header can hold. Raises BadInput for another."""
    if not 0 < len(given) <= MOST_ID or not all("!" <= letter <= "~" for letter in given):
        raise BadInput(
            "This is no id of a request.",
            got=repr(given[:MOST_ID]),
            expected=f"1 to {MOST_ID} visible ASCII characters, without spaces",
            fix="Send another id, or none: the server makes one.",
        )
    return given


def _place(model: str, version: int | str | None) -> str:
    """The path of a model, a version or a label.

    >>> _place("a b", None), _place("m", 3), _place("m", "stable")
    ('/v1/models/a%20b', '/v1/models/m/versions/3', '/v1/models/m/labels/stable')
    """
    path = f"/v1/models/{quote(model, safe='')}"
    if version is None:
        return path
    return f"{path}/labels/{quote(version, safe='')}" if isinstance(version, str) else f"{path}/versions/{version}"


def _types(tensors: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(tensor["dtype"]) for name, tensor in tensors.items()}


def _arrays(inputs: Any, signature: _Signature) -> dict[str, Array]:
    """The inputs as arrays of the model's types. Raises BadInput for one that lacks, is unknown or of another type."""
    expected = signature.inputs
    if not isinstance(inputs, Mapping):
        if len(expected) != 1:
            raise BadInput(
                "The model has several inputs.",
                got=f"a {type(inputs).__name__}",
                expected=f"a mapping with {', '.join(expected)}",
                fix="Name each input; of a data frame: dict(frame).",
            )
        inputs = {next(iter(expected)): inputs}
    if wrong := sorted(set(inputs) ^ set(expected)):
        raise BadInput(
            "The inputs are not the model's.",
            got=f"{', '.join(inputs) or 'none'}",
            expected=f"{', '.join(expected)}",
            fix=f"Correct {', '.join(wrong)}.",
        )
    return {name: typed(name, inputs[name], element) for name, element in expected.items()}


def _labels(labels: Any) -> list[Any]:
    """Labels as JSON has them, one for each row."""
    if isinstance(labels, Mapping):
        columns = {name: _labels(values) for name, values in labels.items()}
        if len({len(column) for column in columns.values()}) > 1:
            raise BadInput(
                "The outputs have labels of different numbers of rows.",
                got=json.dumps({name: len(column) for name, column in columns.items()}),
                expected="as many for each output",
                fix="Send a label of each output for each row.",
            )
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [
        value.tolist() if isinstance(value, np.generic | np.ndarray) else value
        for value in (labels.tolist() if isinstance(labels, np.ndarray) else labels)
    ]

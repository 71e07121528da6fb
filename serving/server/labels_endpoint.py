"""``POST /monitor/labels``: labels of earlier predictions.

Body: ``{"labels": [{"prediction_id": "...", "label": "late", "label_time": "2013-04-01T09:00:00Z"}, ...]}``; a label is
text, a number where a model predicts one, a list of names, or of a 0 or 1 for each class, where a row may have several
classes, or an object with a label for each of several outputs. ``"model"`` and ``"version"`` say which model's
prediction it is for, where one id was sent to several; without them it is for all. ``"output"`` says which of several
outputs. All of them are written, or none. Requests carry a token that may send labels: ``Authorization: Bearer TOKEN``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from monitoring.errors import CannotRun
from monitoring.tasks.label_objects import label_object
from monitoring.traffic.format.rows import ID_CHARACTERS, LABEL_CHARACTERS
from serving.access.guard import Guard
from serving.access.tokens import Scope
from serving.inference.timestamps import parse_time_us
from serving.status import Code, Failure, InvalidArgument
from serving.transport.http_response import HttpResponse
from serving.transport.json_parsing import parse_object

#: Whole numbers beyond it are not told apart as floats.
_LARGEST_WHOLE = 2**53

#: Characters of a label that an error shows.
_SHOWN = 60


class LabelAppender(Protocol):
    """Writes labels, as `monitoring.traffic.labels.label_log.LabelWriter` does."""

    def append(
        self,
        prediction_ids: Sequence[str],
        labels: Sequence[str],
        label_times_us: Sequence[int],
        *,
        models: Sequence[str | None] | None = None,
        versions: Sequence[int | None] | None = None,
    ) -> int:
        """Write the labels, all or none of those whose predictions were not erased; gives their number.

        Raises:
            OSError: The disk fails.
            CannotRun: It cannot be read which were erased.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsEndpoint:
    """Writes labels for clients whose token allows it. Without a writer or a token every request is refused."""

    writer: LabelAppender | None = None
    guard: Guard = field(default_factory=Guard)
    outputs: Callable[[str | None], tuple[str, ...]] = lambda _: ()
    """The outputs of a model, or of the only one, that have a label each."""

    def post(self, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> HttpResponse:
        """Check the token, read the labels and write them. Returns ``{"accepted": N}``."""
        token = next((value for name, value in headers if name == b"authorization"), b"")
        who = self.guard.check(Scope.LABELS, token)
        if self.writer is None:
            raise Failure(Code.FAILED_PRECONDITION, "This server has no traffic log: start it with --traffic DIR.")
        labels = read_labels(parse_object(body))
        self._check_outputs(labels)
        try:
            self.writer.append(
                [label.prediction_id for label in labels],
                [label.label for label in labels],
                [label.label_time_us for label in labels],
                models=[label.model for label in labels],
                versions=[label.version for label in labels],
            )
        except (OSError, CannotRun) as error:
            why = error.what.rstrip(".") if isinstance(error, CannotRun) else error.strerror
            raise Failure(Code.UNAVAILABLE, f"No label was written: {why}. Send the labels again.") from error
        self.guard.record("labels", who, labels=len(labels))
        return HttpResponse(status=200, body=b'{"accepted": %d}\n' % len(labels))

    def _check_outputs(self, labels: Sequence[SentLabel]) -> None:
        """Raises InvalidArgument for a label of one value where each of several outputs has one."""
        outputs_by_model: dict[str | None, tuple[str, ...]] = {}
        for index, label in enumerate(labels):
            outputs = outputs_by_model.get(label.model)
            if outputs is None:
                outputs = outputs_by_model[label.model] = self.outputs(label.model)
            if outputs and not label.label.startswith("{"):
                parts = ", ".join(f"{json.dumps(name)}: ..." for name in outputs)
                raise InvalidArgument(
                    f"labels[{index}].label must be an object with the label of each output that is known, "
                    f"{{{parts}}}, or name its output; it is {label.label[:_SHOWN]!r}."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class SentLabel:
    """One label of a request: its time is in microseconds since 1970, UTC; the model and version may be named."""

    prediction_id: str
    label: str
    label_time_us: int
    model: str | None = None
    version: int | None = None


def read_labels(document: dict[str, Any]) -> list[SentLabel]:
    """Read a labels document.

    >>> read_labels({"labels": [{"prediction_id": "a:0", "label": "late", "label_time": 0}]})
    [SentLabel(prediction_id='a:0', label='late', label_time_us=0, model=None, version=None)]
    """
    entries = document.get("labels")
    if not isinstance(entries, list):
        raise InvalidArgument('Expecting {"labels": [{"prediction_id": ..., "label": ..., "label_time": ...}, ...]}.')
    labels = []
    for index, entry in enumerate(entries):
        fields = entry if isinstance(entry, dict) else {}
        prediction_id, label, time = (fields.get(name) for name in ("prediction_id", "label", "label_time"))
        model, version = _owner(index, fields)
        label = _of_output(index, fields.get("output"), label) if "output" in fields else _label_text(label)
        if not isinstance(prediction_id, str) or not 0 < len(prediction_id) <= ID_CHARACTERS:
            raise InvalidArgument(f"labels[{index}].prediction_id must be text of 1 to {ID_CHARACTERS} characters.")
        if not isinstance(label, str) or not 0 < len(label) <= LABEL_CHARACTERS:
            raise InvalidArgument(
                f"labels[{index}].label must be text of 1 to {LABEL_CHARACTERS} characters, as long a list of names "
                "or of finite numbers, a finite number, or an object with a label for each output."
            )
        label_time_us = parse_time_us(time) if isinstance(time, str) else _seconds_us(time)
        if label_time_us is None:
            raise InvalidArgument(
                f"labels[{index}].label_time must be ISO 8601 with an offset, such as 2013-04-01T09:00:00Z, "
                "or seconds since 1970."
            )
        labels.append(
            SentLabel(
                prediction_id=prediction_id, label=label, label_time_us=label_time_us, model=model, version=version
            )
        )
    return labels


def _owner(index: int, fields: dict[str, Any]) -> tuple[str | None, int | None]:
    """The model and the version that a label names."""
    model, version = fields.get("model"), fields.get("version")
    if model is not None and not (isinstance(model, str) and 0 < len(model) <= ID_CHARACTERS):
        raise InvalidArgument(f"labels[{index}].model must be the name of a model.")
    is_whole = isinstance(version, int) and not isinstance(version, bool) and 0 <= version < 2**63
    if version is not None and (model is None or not is_whole):
        raise InvalidArgument(f"labels[{index}].version must be a whole number, beside the name of the model.")
    return model, version


def _of_output(index: int, output: Any, label: Any) -> str | None:
    """A label of one of several outputs as the text of an object."""
    if not (isinstance(output, str) and 0 < len(output) <= ID_CHARACTERS):
        raise InvalidArgument(f"labels[{index}].output must be the name of one of the model's outputs.")
    return label_object({output: label}) if isinstance(label, str | int | float) else None


def _label_text(value: Any) -> Any:
    """A label as text: an object with a label for each of several outputs, a list, or one value; else as it is."""
    if isinstance(value, dict):
        return label_object(value)
    return _list_text(value) if isinstance(value, list) else _number_text(value)


def _number_text(value: Any) -> Any:
    """A finite number as text, 1.0 as "1", from which the same number is read; anything else as it is."""
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < _LARGEST_WHOLE else repr(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _list_text(values: list[Any]) -> str | None:
    """A list of names, of 0 and 1, or of finite numbers, as JSON; None for any other.

    >>> _list_text(["sports", "arts"]), _list_text([0, 1, True]), _list_text([0, 2.5]), _list_text([1, "arts"])
    ('["sports","arts"]', '[0,1,1]', '[0,2.5]', None)
    """
    if all(isinstance(value, str) for value in values):
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    if all(isinstance(value, int | float) and value in (0, 1) for value in values):
        return json.dumps([int(value) for value in values], separators=(",", ":"))
    if all(isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) for value in values):
        return json.dumps(values, separators=(",", ":"))
    return None


def _seconds_us(value: Any) -> int | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return parse_time_us(f"{value:.6f}")
    except OverflowError:  # more digits than a float can have
        return None

"""``tensorflow.serving.ModelSpec``: which model, version and signature a request wants, and which one answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serving.models.signatures import DEFAULT_SIGNATURE
from serving.status import invalid

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from serving.models.versions import Models, ServedVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ServableRequest:
    """What a request asks for."""

    model: str
    version: int | None = None
    label: str | None = None
    signature: str = DEFAULT_SIGNATURE

    def lease(self, models: Models) -> AbstractContextManager[ServedVersion]:
        """The version, held while the block runs; errors as in `Models.lease`."""
        return models.lease(self.model, self.version, self.label)


def read_model_spec(request: Any) -> ServableRequest:
    """What the ``model_spec`` of a request asks for.

    Raises:
        Failure: there is none, or it names no model.
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    wanted = read_spec(request.model_spec)
    if not wanted.model:
        raise invalid("ModelSpec has no name specified.")
    return wanted


def read_spec(spec: Any) -> ServableRequest:
    """What a ``ModelSpec`` asks for, its name unchecked."""
    choice = spec.WhichOneof("version_choice")
    return ServableRequest(
        model=spec.name,
        version=spec.version.value if choice == "version" else None,
        label=spec.version_label if choice == "version_label" else None,
        signature=spec.signature_name or DEFAULT_SIGNATURE,
    )


def write_spec(spec: Any, model: str, number: int, signature: str = "") -> None:
    """Fill the ``model_spec`` of an answer: the version is the one that answered, whatever was asked for."""
    spec.name = model
    spec.version.value = number
    spec.signature_name = signature

"""The tensors of a signature that Classify and Regress use: the rules that REST and gRPC share.

Checks and texts are TensorFlow Serving's (``classifier.cc``, ``regressor.cc``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.status import InvalidArgument

if TYPE_CHECKING:
    from serving.models.signatures import Signature

INPUT = "inputs"
OUTPUTS = {"classify": ("classes", "scores"), "regress": ("outputs",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The input and the outputs of a signature that classifies or regresses."""

    input: str
    outputs: tuple[str, ...]


def read_head(signature: Signature, verb: str) -> Head:
    """Find the tensors that a verb uses. `verb`: ``classify`` or ``regress``."""
    if len(signature.inputs) != 1:
        raise InvalidArgument("Expected one input Tensor.")
    kind = "classification" if verb == "classify" else "regression"
    if INPUT not in signature.inputs:
        raise InvalidArgument(f"No {kind} inputs found in SignatureDef: {signature.name}")
    outputs = tuple(name for name in OUTPUTS[verb] if name in signature.outputs)
    if not outputs and verb == "regress":
        raise InvalidArgument(f"No {kind} outputs found in SignatureDef: {signature.name}")
    if not outputs:
        wanted = " or ".join(f'"{name}"' for name in OUTPUTS[verb])
        raise InvalidArgument(
            f"Expected {kind} signature outputs to contain at least one of {wanted}. Signature was: {signature.name}"
        )
    return Head(input=INPUT, outputs=outputs)

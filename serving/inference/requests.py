"""Requests and results of inference, in no dialect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence, Sized

    import numpy as np

    from serving.capture.capture import Caller
    from serving.models.named_tensors import TensorTypes
    from serving.models.served_version import ServedVersion
    from serving.models.signatures import Signature

    Array = np.ndarray[Any, Any]


class RowFormat(Protocol):
    """How a dialect reads rows and writes responses to them: in bulk, for all requests that share a run."""

    def expected_types(self, rows: Any, signature: Signature) -> TensorTypes:
        """The types of the tensors if all rows are like the first; called where the signature leaves them open."""

    def read_regular(self, requests: Sequence[Any], signature: Signature) -> Mapping[str, Array] | None:
        """Read the rows of all requests together. Returns a tensor for each input; None unless every row is regular."""

    def read(self, rows: Any, signature: Signature) -> Mapping[str, Array]:
        """Read the rows of one request.

        Raises:
            Failure: The rows are not valid.
        """

    def write(self, outputs: Mapping[str, Array], counts: Sequence[int]) -> Sequence[bytes]:
        """Write the responses to the requests that shared a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceRequest:
    """A request with its tensors. Strings are object arrays of bytes."""

    served: ServedVersion
    signature: Signature
    inputs: Mapping[str, Array]
    caller: Caller
    outputs: tuple[str, ...] = ()
    """Names of the wanted outputs; empty for all."""
    write: Callable[[Mapping[str, Array]], bytes] | None = None
    """Writes the response's body in the model's thread, before the answer is logged; None gives the tensors."""
    timeout_s: float | None = None
    """The caller's own deadline in seconds; None for the server's."""
    is_logged_later: bool = False
    """Whether the caller logs the answer itself: `Inference.infer_all` logs those of several requests together."""


class RowRequest(NamedTuple):
    """A request whose rows are read together with those of the requests that share its run.

    Reading one row of 16 columns costs 80 µs alone, and 5 µs among 64 others. (A named tuple: one is made for every
    request.)
    """

    served: ServedVersion
    signature: Signature
    rows: Sized
    """At least one, in the dialect's own form."""
    caller: Caller
    row_format: RowFormat
    outputs: tuple[str, ...] = ()
    """Names of the wanted outputs; empty for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceResult:
    """The model's outputs by name."""

    outputs: Mapping[str, Array]


AnyRequest = InferenceRequest | RowRequest
#: Tensors; or the body, if the request has what writes it.
Outcome = InferenceResult | bytes

"""The row form of a predict request (``instances``), as `serving.inference` reads and writes it in bulk."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from serving.rest.encoding import write_batch
from serving.rest.instances import expected_types, read_regular_numbers, read_regular_rows, read_rows
from serving.rest.number_rows import NumberRows, as_lists

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from serving.models.named_tensors import TensorTypes
    from serving.models.signatures import Signature

    Array = np.ndarray[Any, Any]
    Rows = Sequence[Any] | NumberRows


@dataclass(frozen=True, slots=True)
class InstancesFormat:
    """Reads and writes rows; implements `serving.inference.requests.RowFormat`."""

    def expected_types(self, rows: Rows, signature: Signature) -> TensorTypes:
        """The types of the tensors if all rows are like the first."""
        if isinstance(rows, NumberRows):
            return tuple((name, spec.element.numpy, rows.shape[1:]) for name, spec in signature.inputs.items())
        return expected_types(rows[0], signature.inputs)

    def read_regular(self, requests: Sequence[Rows], signature: Signature) -> dict[str, Array] | None:
        """The tensors of the rows of all requests together; None unless every row is regular."""
        if type(requests[0]) is NumberRows:
            tensors = read_regular_numbers(requests, signature.inputs)
            if tensors is not None:
                return tensors
        rows = [as_lists(request) for request in requests]
        return read_regular_rows(rows[0] if len(rows) == 1 else list(chain.from_iterable(rows)), signature.inputs)

    def read(self, rows: Rows, signature: Signature) -> dict[str, Array]:
        """The tensors of any rows. Raises `Failure` for invalid ones."""
        return read_rows(as_lists(rows), signature.inputs)

    def write(self, outputs: Mapping[str, Array], counts: Sequence[int]) -> list[bytes]:
        """A body for each request, given its number of rows. Raises `Failure` if the outputs cannot be written."""
        return write_batch(outputs, counts)


INSTANCES_FORMAT = InstancesFormat()

"""Bodies of predict, classify and regress: their documents, here or in the process that reads large ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from serving.models.signatures import ELEMENT_TYPES, ElementType, TensorSpec
from serving.rest.examples import Features, read_examples, serialise
from serving.rest.instances import read_columns, read_instances, read_regular_numbers, read_rows, read_signature_name
from serving.rest.number_rows import NumberRows, as_lists, has_many_lists, read_number_rows
from serving.split.routing import key_of, values_in
from serving.transport.json_parsing import parse_object

if TYPE_CHECKING:
    import numpy as np

    from serving.transport.body_process import Ask

    Array = np.ndarray[Any, Any]


def read_document(body: bytes, verb: str) -> tuple[dict[str, Any], str, list[Features] | None]:
    """Read a body: its document, in which rows may be `NumberRows`; the signature's name; and examples, if it has them.

    Examples are checked before the model is looked up, instances after it.
    """
    numbers = read_number_rows(body) if verb == "predict" and has_many_lists(body) else None
    if numbers is not None:
        return {"instances": numbers}, numbers.signature, None
    document = parse_object(body)
    return document, read_signature_name(document), None if verb == "predict" else read_examples(document)


def rows_of(document: dict[str, Any]) -> Sequence[Any] | NumberRows | None:
    """The rows of a request; None for a request in columnar form."""
    rows = document.get("instances")
    return rows if isinstance(rows, NumberRows) else read_instances(document)


def read_large(body: bytes, facts: Any, ask: Ask) -> tuple[bool, dict[str, Array]]:
    """Read a body to tensors, after asking for the element types of the signature that it names.

    Implements `serving.transport.body_process.Reader`.

    Returns:
        Whether it has rows, and the tensors by input; of examples, those by an empty name.
    """
    document, name, examples = read_document(body, facts["verb"])
    keys = {key: key_of(values_in(document)(key)) for key in facts["keys"]}
    specs = {
        each: TensorSpec(name=each, graph_name="", element=_element(number, text), shape=None)
        for each, (number, text) in ask({"signature": name, "keys": keys}).items()
    }
    if examples is not None:
        return True, {"": serialise(examples)}
    rows = rows_of(document)
    if rows is None:
        return False, read_columns(document["inputs"], specs)
    tensors = read_regular_numbers([rows], specs) if isinstance(rows, NumberRows) else None
    return True, tensors or read_rows(as_lists(rows), specs)


def _element(number: int, name: str) -> ElementType:
    return ELEMENT_TYPES.get(number) or ElementType(number=number, name=name, numpy=None)

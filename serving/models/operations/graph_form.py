"""What a graph's messages must look like before anybody can say what it does.

TensorFlow finds functions by name, puts in what a caller binds to an attribute, and runs a function's gradient or
another function of its interface in its place. A graph in which a name is missing or has two meanings is refused; what
TensorFlow exports has none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_NAME = re.compile(r"[\w.<>][\w.<>/\\-]*")
#: Characters of a name that a message quotes.
_SHOWN = 100

NO_NAME = "has no name, or not one that TensorFlow gives"
TWICE = "is there twice"
NAMED_AS_OPERATION = "is a function with the name of an operation"
NOT_THERE = "is a function that is called and not there"
UNBOUND = "has an attribute that its caller binds"
GENERIC = "is a function whose arguments depend on its caller"


class Refusal(NamedTuple):
    """An operation that the graph must not have, or not in this place; or a function or node of such a form."""

    operation: str
    reason: str


#: What no list of allowed operations permits: nobody can know what such a graph runs.
OF_FORM = frozenset({NO_NAME, TWICE, NAMED_AS_OPERATION, NOT_THERE, UNBOUND, GENERIC})


def values_of(attributes: Mapping[str, Any]) -> Iterator[Any]:
    """Every value of attributes, those that they bind to a function included, each a ``tensorflow.AttrValue``."""
    for value in attributes.values():
        yield value
        kind = value.WhichOneof("value")
        if kind == "func":
            yield from values_of(value.func.attr)
        elif kind == "list":
            for function in value.list.func:
                yield from values_of(function.attr)


def functions_of(attributes: Mapping[str, Any]) -> Iterator[str]:
    """The functions that attributes name, at any depth."""
    for value in values_of(attributes):
        kind = value.WhichOneof("value")
        if kind == "func":
            yield value.func.name
        elif kind == "list":
            yield from (function.name for function in value.list.func)


def defaults_of(function: Any) -> Mapping[str, Any]:
    """The attributes of a ``tensorflow.FunctionDef`` that its callers may leave out."""
    return {each.name: each.default_value for each in function.signature.attr}


def ill_formed(graph: Any) -> Iterator[Refusal]:
    """Find what is missing or has two meanings in a ``tensorflow.GraphDef``."""
    from tensorflow.python.framework import op_def_registry  # noqa: PLC0415 - loaded by the first model only

    functions = [function.signature.name for function in graph.library.function]
    yield from _names(functions)
    yield from (Refusal(shown(name), NAMED_AS_OPERATION) for name in functions if op_def_registry.get(name) is not None)
    yield from _nodes(graph.node, (), set(functions))
    for function in graph.library.function:
        arguments = [argument.name for argument in function.signature.input_arg]
        yield from _nodes(function.node_def, arguments, set(functions))
        own = (function.attr, defaults_of(function), *(each.attr for each in function.arg_attr.values()))
        for attributes in own:
            yield from _attributes(function.signature.name, attributes, set(functions))
        if any(each.type_attr or each.number_attr or each.type_list_attr for each in function.signature.input_arg):
            yield Refusal(shown(function.signature.name), GENERIC)
    for gradient in graph.library.gradient:
        named = (gradient.function_name, gradient.gradient_func)
        yield from (Refusal(shown(name), NOT_THERE) for name in named if name not in functions)


def _names(names: list[str]) -> Iterator[Refusal]:
    for name, count in Counter(names).items():
        if not _NAME.fullmatch(name):
            yield Refusal(shown(name), NO_NAME)
        if count > 1:
            yield Refusal(shown(name), TWICE)


def _nodes(nodes: Any, arguments: tuple[str, ...] | list[str], functions: set[str]) -> Iterator[Refusal]:
    yield from _names([*arguments, *(node.name for node in nodes)])
    for node in nodes:
        yield from _attributes(node.op, node.attr, functions)


def _attributes(owner: str, attributes: Mapping[str, Any], functions: set[str]) -> Iterator[Refusal]:
    for value in values_of(attributes):
        kind = value.WhichOneof("value")
        if kind == "placeholder":
            yield Refusal(shown(owner), UNBOUND)
        elif kind in {"func", "list"}:
            called = (value.func,) if kind == "func" else value.list.func
            yield from (Refusal(shown(each.name), NOT_THERE) for each in called if each.name not in functions)


def shown(name: str) -> str:
    """A name of a graph as a message may quote it: on one line, and short.

    >>> shown("MatMul"), shown(""), shown("two words")
    ('MatMul', "''", "'two words'")
    """
    return name[:_SHOWN] if _NAME.fullmatch(name[:_SHOWN]) else repr(name[:_SHOWN])

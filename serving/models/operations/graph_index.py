"""A graph by names: its nodes, those of its functions, who calls them, and where a tensor comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, final

#: Their inputs are the arguments of the function that they call, in its order.
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
#: They take a variable's handle and do not assign to it.
_LOOK_ONLY = frozenset({"ReadVariableOp", "VarIsInitializedOp"})


class Place(NamedTuple):
    """A node, and the name of the function that it stands in; empty for the graph itself."""

    function: str
    node: Any


@final
class GraphIndex:
    """The nodes of a graph and of its library of functions. `graph`: a ``tensorflow.GraphDef``."""

    def __init__(self, graph: Any) -> None:
        self._functions = {function.signature.name: function for function in graph.library.function}
        self._nodes: dict[str, dict[str, Any]] = {"": {node.name: node for node in graph.node}}
        for name, function in self._functions.items():
            self._nodes[name] = {node.name: node for node in function.node_def}
        self._callers: dict[str, list[Place]] = defaultdict(list)
        for place in self.places():
            for name in self._called(place.node):
                self._callers[name].append(place)

    def places(self) -> Iterator[Place]:
        """Every node, wherever it stands."""
        for function, nodes in self._nodes.items():
            for node in nodes.values():
                yield Place(function, node)

    @property
    def functions(self) -> frozenset[str]:
        """The names of the library's functions; a node whose operation has such a name calls it."""
        return frozenset(self._functions)

    def operations(self) -> set[str]:
        """The operations of all nodes, calls of functions left out."""
        return {place.node.op for place in self.places()} - self._functions.keys()

    def reachable(self, starts: Iterable[str]) -> list[Place]:
        """The nodes that run for these tensors or nodes of the graph, those of called functions among them."""
        waiting = [Place("", node) for name in starts if (node := self._nodes[""].get(node_name(name))) is not None]
        visited: set[tuple[str, str]] = set()
        places: list[Place] = []
        while waiting:
            place = waiting.pop()
            key = (place.function, place.node.name)
            if key in visited:
                continue
            visited.add(key)
            places.append(place)
            nodes = self._nodes[place.function]
            waiting += [
                Place(place.function, nodes[name]) for name in map(node_name, place.node.input) if name in nodes
            ]
            for function in self._called(place.node):
                waiting += [Place(function, node) for node in self._nodes[function].values()]
        return places

    def origins(
        self, place: Place, number: int, *, passes: Callable[[Any], bool] = lambda node: node.op == "Identity"
    ) -> list[Place | None]:
        """The nodes that an input of a node may come from, through calls of functions and through variables.

        Returns:
            The nodes; None among them if the tensor is an argument that cannot be followed. Empty if the node is in a
            function that nobody calls.
        """
        origins: list[Place | None] = []
        waiting: list[tuple[Place, int]] = [(place, number)]
        visited: set[tuple[str, str, int]] = set()
        while waiting:
            here, index = waiting.pop()
            key = (here.function, here.node.name, index)
            if key in visited:
                continue
            visited.add(key)
            inputs = [name for name in here.node.input if not name.startswith("^")]
            name = node_name(inputs[index]) if index < len(inputs) else ""
            node = self._nodes[here.function].get(name)
            if node is not None and passes(node):
                waiting.append((Place(here.function, node), 0))
            elif node is not None and node.op == "ReadVariableOp":
                assigned = self._assigned(here.function, node)
                origins += [None] if assigned is None else []
                waiting += assigned or ()
            elif node is not None:
                origins.append(Place(here.function, node))
            else:
                callers = self._calls_with(here.function, name)
                origins += [None for caller in callers if caller is None]
                waiting += [caller for caller in callers if caller is not None]
        return origins

    def _assigned(self, function: str, read: Any) -> list[tuple[Place, int]] | None:
        """What is assigned to the variable that is read; None unless the graph alone, and openly, assigns to it."""
        handle = self._nodes[function].get(node_name(read.input[0]))
        if handle is None or handle.op != "VarHandleOp":
            return None
        same = [
            place
            for place in self.places()
            if place.node.op == "VarHandleOp" and _variable(place.node) == _variable(handle)
        ]
        if any(place.function for place in same):
            return None
        names = {place.node.name for place in same}
        assigned: list[tuple[Place, int]] = []
        for node in self._nodes[""].values():
            places = [number for number, tensor in enumerate(node.input) if tensor.partition(":")[0] in names]
            if node.op == "AssignVariableOp" and places == [0]:
                assigned.append((Place("", node), 1))
            elif places and node.op not in _LOOK_ONLY:
                return None
        return assigned

    def _calls_with(self, function: str, argument: str) -> list[tuple[Place, int] | None]:
        """Each call of a function, and which of its inputs is the argument; None if that cannot be known."""
        names = [each.name for each in self._functions[function].signature.input_arg] if function else []
        if argument not in names:
            return [None]
        number = names.index(argument)
        return [
            (caller, number) if caller.node.op in _CALLS or caller.node.op == function else None
            for caller in self._callers[function]
        ]

    def _called(self, node: Any) -> Iterator[str]:
        """Names of the functions that a node calls: by its own name, or by an attribute, in a list or not."""
        if node.op in self._functions:
            yield node.op
        for value in node.attr.values():
            for function in (value.func, *value.list.func):
                if function.name in self._functions:
                    yield function.name


def _variable(handle: Any) -> tuple[bytes, bytes]:
    """What makes two handles name one variable."""
    return handle.attr["container"].s, handle.attr["shared_name"].s or handle.name.encode()


def node_name(tensor: str) -> str:
    """The node of a tensor or control input, or the argument of a function.

    >>> node_name("dense/MatMul:1"), node_name("^init")
    ('dense/MatMul', 'init')
    """
    return tensor.removeprefix("^").partition(":")[0]

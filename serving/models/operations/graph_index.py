"""A graph by names: its nodes, those of its functions, who calls them, and where a tensor comes from.

It takes a graph to be well formed: see `serving.models.operations.graph_form`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, final

from serving.models.operations.graph_form import defaults_of, functions_of

#: Their inputs are the arguments of the function that they call, in its order.
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
#: They take a variable's handle and do not assign to it.
_LOOK_ONLY = frozenset({"ReadVariableOp", "VarIsInitializedOp"})
#: Functions with the same value of this attribute may run in each other's place.
_INTERFACE = "api_implements"


class Place(NamedTuple):
    """A node, and the name of the function that it stands in; empty for the graph itself."""

    function: str
    node: Any

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from every other node."""
        return self.function, self.node.name


class Origins(NamedTuple):
    """Where a tensor comes from."""

    nodes: tuple[Place | None, ...]
    """The nodes; None among them if the tensor is an argument that cannot be followed. Empty if it is one of a function
    that nobody calls: such a tensor is of unknown origin, too."""
    assigned: frozenset[tuple[str, str]]
    """The keys of the assignments to variables that it went through."""

    def all_are(self, wanted: Callable[[Place], bool]) -> bool:
        """Whether every origin is known, there is one, and each is as wanted."""
        return bool(self.nodes) and all(place is not None and wanted(place) for place in self.nodes)


def _identity(place: Place) -> bool:
    return bool(place.node.op == "Identity")


@final
class GraphIndex:
    """The nodes of a graph and of its library of functions. `graph`: a ``tensorflow.GraphDef``."""

    def __init__(self, graph: Any) -> None:
        self._functions = {function.signature.name: function for function in graph.library.function}
        self._nodes: dict[str, dict[str, Any]] = {"": {node.name: node for node in graph.node}}
        for name, function in self._functions.items():
            self._nodes.setdefault(name, {}).update((node.name, node) for node in function.node_def)
        self._in_its_place = self._implied(graph.library)
        self._callers: dict[str, list[Place | None]] = defaultdict(list)
        for place in self.places():
            direct = self._calls_directly(place.node)
            for name in self._called(place.node):
                self._callers[name].append(place if name == direct else None)

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
            if place.key in visited:
                continue
            visited.add(place.key)
            places.append(place)
            nodes = self._nodes[place.function]
            waiting += [
                Place(place.function, nodes[name]) for name in map(node_name, place.node.input) if name in nodes
            ]
            for function in self._called(place.node):
                waiting += [Place(function, node) for node in self._nodes[function].values()]
        return places

    def origins(self, place: Place, number: int, *, passes: Callable[[Place], bool] = _identity) -> Origins:
        """Find where an input of a node comes from, through calls of functions and through variables.

        Args:
            passes: Whether a node hands on its first input.
        """
        nodes: list[Place | None] = []
        assigned: set[tuple[str, str]] = set()
        waiting: list[tuple[Place, int]] = [(place, number)]
        visited: set[tuple[str, str, int]] = set()
        while waiting:
            here, index = waiting.pop()
            if (*here.key, index) in visited:
                continue
            visited.add((*here.key, index))
            inputs = [name for name in here.node.input if not name.startswith("^")]
            name = node_name(inputs[index]) if index < len(inputs) else ""
            node = self._nodes[here.function].get(name)
            if node is not None and passes(Place(here.function, node)):
                waiting.append((Place(here.function, node), 0))
            elif node is not None and node.op == "ReadVariableOp":
                assignments = self._assignments(here.function, node)
                nodes += [None] if assignments is None else []
                assigned |= {each.key for each in assignments or ()}
                waiting += [(each, 1) for each in assignments or ()]
            elif node is not None:
                nodes.append(Place(here.function, node))
            else:
                callers = self._calls_with(here.function, name)
                nodes += [None for caller in callers if caller is None]
                waiting += [caller for caller in callers if caller is not None]
        return Origins(tuple(nodes), frozenset(assigned))

    def _assignments(self, function: str, read: Any) -> list[Place] | None:
        """What assigns to the variable that is read; None unless the graph alone, and openly, assigns to it."""
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
        assignments: list[Place] = []
        for node in self._nodes[""].values():
            places = [number for number, tensor in enumerate(node.input) if tensor.partition(":")[0] in names]
            if node.op == "AssignVariableOp" and places == [0]:
                assignments.append(Place("", node))
            elif places and node.op not in _LOOK_ONLY:
                return None
        return assignments or None

    def _calls_with(self, function: str, argument: str) -> list[tuple[Place, int] | None]:
        """Each call of a function, and which of its inputs is the argument; None if that cannot be known."""
        names = [each.name for each in self._functions[function].signature.input_arg] if function else []
        if argument not in names:
            return [None]
        number = names.index(argument)
        return [None if caller is None else (caller, number) for caller in self._callers[function]]

    def _calls_directly(self, node: Any) -> str:
        """The function whose arguments are the node's inputs; empty if there is none."""
        if node.op in _CALLS and "f" in node.attr:
            return str(node.attr["f"].func.name)
        return str(node.op) if node.op in self._functions else ""

    def _called(self, node: Any) -> set[str]:
        """Functions that may run for a node: of its name, of its attributes, and what runs in their place."""
        named = {node.op, *functions_of(node.attr)} & self._functions.keys()
        called: set[str] = set()
        while named:
            name = named.pop()
            if name not in called:
                called.add(name)
                named |= self._in_its_place[name]
        return called

    def _implied(self, library: Any) -> dict[str, set[str]]:
        """By function, what may run where it is named: gradients, functions of its interface, those it names."""
        implied: dict[str, set[str]] = {name: set() for name in self._functions}
        interfaces: dict[bytes, set[str]] = defaultdict(set)
        for name, function in self._functions.items():
            implied[name] |= {*functions_of(function.attr), *functions_of(defaults_of(function))}
            if _INTERFACE in function.attr:
                interfaces[function.attr[_INTERFACE].s].add(name)
        for names in interfaces.values():
            for name in names:
                implied[name] |= names
        for gradient in library.gradient:
            implied.setdefault(gradient.function_name, set()).add(gradient.gradient_func)
        return {name: names & self._functions.keys() for name, names in implied.items()}


def _variable(handle: Any) -> tuple[bytes, bytes]:
    """What makes two handles name one variable."""
    return text_of(handle, "container"), text_of(handle, "shared_name") or handle.name.encode()


def text_of(node: Any, attribute: str) -> bytes:
    """A text that a ``tensorflow.NodeDef`` has as an attribute; the message stays as it is if it has none."""
    return bytes(node.attr[attribute].s) if attribute in node.attr else b""


def node_name(tensor: str) -> str:
    """The node of a tensor or control input, or the argument of a function.

    >>> node_name("dense/MatMul:1"), node_name("^init")
    ('dense/MatMul', 'init')
    """
    return tensor.removeprefix("^").partition(":")[0]

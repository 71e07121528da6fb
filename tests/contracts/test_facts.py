"""A fact is made of typed parts: what an incident says of it is worded where a person reads it."""

from __future__ import annotations

import ast

from tests.contracts.conftest import Nodes


def _findings(nodes: Nodes) -> list[tuple[str, dict[str, ast.expr]]]:
    """Where findings are made, each with its arguments."""
    return [
        (f"{name}:{node.lineno}", {word.arg: word.value for word in node.keywords if word.arg})
        for name, inside in nodes.items()
        for node in inside
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
    ]


def test_no_fact_has_a_sentence(nodes: Nodes) -> None:
    found = _findings(nodes)
    assert len(found) > 40
    assert any("fact" in arguments for _, arguments in found)
    assert [where for where, arguments in found if "fact" in arguments and "message" in arguments] == []

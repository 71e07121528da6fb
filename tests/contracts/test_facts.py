"""A fact is made of typed parts: what an incident says of it is worded where a person reads it."""

from __future__ import annotations

import ast
from pathlib import Path

import monitoring

ROOT = Path(monitoring.__file__).parent


def _findings() -> list[tuple[str, dict[str, ast.expr]]]:
    """Where findings are made, each with its arguments."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", {word.arg: word.value for word in node.keywords if word.arg})
        for path in sorted(ROOT.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
    ]


def test_no_fact_has_a_sentence() -> None:
    found = _findings()
    assert len(found) > 40
    assert any("fact" in arguments for _, arguments in found)
    assert [where for where, arguments in found if "fact" in arguments and "message" in arguments] == []

"""Findings as plain data, for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from monitoring.records.finding_parts import FindingParts
from monitoring.records.window import Finding


def finding_node(finding: Finding) -> dict[str, Any]:
    """What `finding_of` reads; either a message or parts."""
    node = asdict(finding)
    if finding.parts is None:
        del node["parts"]
    elif not finding.message:
        del node["message"]
    return node


def finding_of(node: Mapping[str, Any]) -> Finding:
    """Read what `finding_node` wrote, or a finding of an earlier store, which has its message alone.

    >>> finding_of({"kind": "traffic volume", "feature": "row count", "message": "No rows arrived.", "fact": True})
    Finding(kind='traffic volume', feature='row count', message='No rows arrived.', fact=True, parts=None)
    """
    parts = node.get("parts")
    return Finding(**{**node, "parts": None if parts is None else _adapter().validate_python(parts)})


@cache
def _adapter() -> TypeAdapter[FindingParts]:
    return TypeAdapter(FindingParts)

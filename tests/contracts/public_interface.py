"""What `docs/project/stability.md` calls stable, by name; ``python -m tests.contracts.public_interface`` writes it."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import click

from docs.reference_tables import verbs
from monitoring.config.sections import SECTIONS
from monitoring.documents.schemas import SCHEMAS, schema_text

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).with_name("public_interface.json")

#: Names of one part of the interface, sorted, by what they are of.
Names: TypeAlias = dict[str, list[str]]


def interface() -> dict[str, Names]:
    """The interface of this code. Cost: a second, as all verbs are imported."""
    return {
        "Python": python_names(),
        "command line": {path: flags(command) for path, command in verbs()},
        "monitor.toml": {name: sorted(section.model_fields) for name, section in SECTIONS.items()},
        "schemas": {name: sorted(set(keys(json.loads(schema_text(name))))) for name in SCHEMAS},
        "HTTP API": routes(json.loads((ROOT / "docs/reference/openapi.json").read_text("utf-8"))),
        "metrics": {"names": sorted(set(metrics()))},
    }


def python_names() -> Names:
    """What `monitoring` and `serving` export, with parameters; of `pitfalls_tf`, which loads TensorFlow, the names."""
    found: Names = {"pitfalls_tf": sorted(importlib.import_module("pitfalls_tf").__all__)}
    for package in map(importlib.import_module, ("monitoring", "serving")):
        for name in package.__all__:
            value = getattr(package, name)
            found[f"{package.__name__}.{name}"] = (
                sorted(_members(value)) if inspect.isclass(value) else _parameters(value)
            )
    return found


def _members(value: type) -> Iterator[str]:
    """The public methods and attributes of a class, methods with their parameters."""
    for name, member in inspect.getmembers(value):
        is_own = any(name in vars(parent) for parent in value.__mro__ if parent.__module__.split(".")[0] in _OURS)
        if is_own and not name.startswith("_"):
            yield f"{name}({', '.join(_parameters(member))})" if callable(member) else name


_OURS = ("monitoring", "serving", "pitfalls_tf")


def _parameters(value: Any) -> list[str]:
    return [name for name in inspect.signature(value).parameters if name not in ("self", "cls")]


def flags(command: click.Command) -> list[str]:
    """The flags and arguments of a verb that are shown."""
    return sorted(
        flag
        for parameter in command.params
        if not getattr(parameter, "hidden", False)
        for flag in (*parameter.opts, *parameter.secondary_opts)
    )


def keys(schema: Mapping[str, Any]) -> Iterator[str]:
    """The keys that a schema and its definitions have, each with the definition that it is of."""
    for name, definition in (("", schema), *schema.get("$defs", {}).items()):
        yield from (f"{name}.{key}" if name else key for key in definition.get("properties", {}))


def routes(document: Mapping[str, Any]) -> Names:
    """The methods of each path of an OpenAPI document."""
    return {path: sorted(set(methods) - {"parameters"}) for path, methods in document["paths"].items()}


def metrics() -> Iterator[str]:
    """The names of metrics, which are words of their own in the code of `serving` and of the dashboard."""
    for folder in ("monitoring/dashboard", "serving"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
                if re.fullmatch(r"pitfalls_[a-z_]+[a-z]", text) and text != "pitfalls_tf":
                    yield text


if __name__ == "__main__":
    KEPT.write_text(json.dumps(interface(), indent=1, sort_keys=True) + "\n")

"""Rules out of a schema of TFDV and of a suite of Great Expectations; what does not map is listed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitoring.config.rule_section import RuleSection
from monitoring.errors import BadInput

#: Bytes of a file that is read.
MOST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRules:
    """The rules of a file.

    Attributes:
        rules: As sections of a config.
        unmapped: What of the file is no rule here, each with the reason.
    """

    rules: tuple[RuleSection, ...]
    unmapped: tuple[str, ...]


def import_rules(path: Path) -> ImportedRules:
    """Read a TFDV schema (``.pbtxt``) or a Great Expectations suite (``.json``).

    Raises:
        BadInput: It cannot be read, or is neither.
    """
    try:
        text = _bounded_text(path)
        found = list(_of_suite(json.loads(text)) if path.suffix == ".json" else _of_schema(text))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(
            "No rules can be read from this file.",
            got=f"{path} ({type(error).__name__}: {str(error)[:200]})",
            expected="a schema of TFDV as text (.pbtxt), or a suite of Great Expectations (.json)",
            fix="Check the path and its ending.",
        ) from error
    rules: dict[str, RuleSection] = {}
    for one in found:
        if isinstance(one, dict):
            name = _free(one["name"], rules)
            rules[name] = RuleSection(**{**one, "name": name})
    return ImportedRules(rules=tuple(rules.values()), unmapped=tuple(one for one in found if isinstance(one, str)))


def _bounded_text(path: Path) -> str:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES:,} bytes")
    return path.read_text("utf-8")


def _free(name: str, taken: Mapping[str, object]) -> str:
    number = 1
    while (name if number == 1 else f"{name} {number}") in taken:
        number += 1
    return name if number == 1 else f"{name} {number}"


_Found = Iterator[dict[str, Any] | str]


def _of_schema(text: str) -> _Found:
    from google.protobuf import text_format  # noqa: PLC0415 - not needed for a suite
    from tensorflow_metadata.proto.v0 import schema_pb2  # noqa: PLC0415 - as above

    schema = schema_pb2.Schema()
    try:
        text_format.Parse(text, schema)
    except text_format.ParseError as error:
        raise ValueError(str(error)) from None
    domains = {one.name: list(one.value) for one in schema.string_domain}
    for feature in schema.feature:
        name = feature.name
        if feature.HasField("presence") and feature.presence.min_fraction > 0:
            most = round(1.0 - feature.presence.min_fraction, 9)
            yield {"name": f"{name} is there", "column": name, "missing": most}
        share = 1.0 - feature.distribution_constraints.min_domain_mass
        share = round(share, 9) if feature.HasField("distribution_constraints") else 0.0
        values = list(feature.string_domain.value) or domains.get(feature.domain, [])
        if values:
            yield {"name": f"{name} is known", "column": name, "values": tuple(values), "share": share}
        for domain in (feature.int_domain, feature.float_domain):
            bounds = {
                mine: float(getattr(domain, theirs))
                for mine, theirs in (("low", "min"), ("high", "max"))
                if domain.HasField(theirs)
            }
            if bounds:
                yield {"name": f"{name} is in range", "column": name, **bounds}
        if feature.HasField("unique_constraints"):
            yield f"{name}: unique_constraints bound the number of distinct values, of which there is no rule"
        for part in ("drift_comparator", "skew_comparator", "value_count"):
            if feature.HasField(part):
                yield f"{name}: {part} is no rule about rows; drift is watched by itself"


def _of_suite(document: Any) -> _Found:
    expectations = document["expectations"]
    for one in expectations:
        kind = one.get("expectation_type") or one["type"]
        given = dict(one.get("kwargs", {}))
        name = given.get("column", "")
        mapped = _EXPECTATIONS.get(kind)
        problem = _not_mapped(given)
        if mapped is None or problem:
            shown = ", ".join(f"{key}={value!r}" for key, value in given.items())[:200]
            yield f"{kind}({shown}): {problem or 'there is no such rule'}"
            continue
        share = round(1.0 - float(given.get("mostly", 1.0)), 9)
        yield from mapped(name, given, share)


def _not_mapped(given: Mapping[str, Any]) -> str:
    """Why an expectation cannot be a rule although its kind could."""
    if given.get("row_condition"):
        return "a rule has no condition on other rows"
    if given.get("strict_min") or given.get("strict_max"):
        return "a rule's bounds are part of its range"
    if any(isinstance(value, dict) for value in given.values()):
        return "its values are computed when it is evaluated"
    return ""


_Mapped = Iterator[dict[str, Any]]


def _range(name: str, given: Mapping[str, Any], share: float) -> _Mapped:
    bounds = {
        mine: float(given[theirs])
        for mine, theirs in (("low", "min_value"), ("high", "max_value"))
        if given.get(theirs) is not None
    }
    if bounds:
        yield {"name": f"{name} is in range", "column": name, **bounds, "share": share}


def _rows(_name: str, given: Mapping[str, Any], _share: float) -> _Mapped:
    bounds = {
        mine: int(given[theirs])
        for mine, theirs in (
            ("min_rows", "min_value"),
            ("max_rows", "max_value"),
            ("min_rows", "value"),
            ("max_rows", "value"),
        )
        if given.get(theirs) is not None
    }
    if bounds:
        yield {"name": "number of rows", **bounds}


def _pair(_name: str, given: Mapping[str, Any], share: float) -> _Mapped:
    first, second = given["column_A"], given["column_B"]
    sign = ">=" if given.get("or_equal") else ">"
    text = f"col({json.dumps(first)}) {sign} col({json.dumps(second)})"
    yield {"name": f"{first} {sign} {second}", "expression": text, "share": share}


def _one(words: str, **make: Callable[[Mapping[str, Any]], Any]) -> Callable[[str, Mapping[str, Any], float], _Mapped]:
    def mapped(name: str, given: Mapping[str, Any], share: float) -> _Mapped:
        rule = {"name": f"{name} {words}", "column": name, **{key: value(given) for key, value in make.items()}}
        yield rule if "missing" in make else {**rule, "share": share}

    return mapped


_EXPECTATIONS: Mapping[str, Callable[[str, Mapping[str, Any], float], _Mapped]] = {
    "expect_column_values_to_be_between": _range,
    "expect_column_values_to_not_be_null": _one(
        "is there", missing=lambda given: 1.0 - float(given.get("mostly", 1.0))
    ),
    "expect_column_values_to_be_unique": _one("is unique", unique=lambda _: True),
    "expect_column_values_to_be_in_set": _one("is known", values=lambda given: tuple(given["value_set"])),
    "expect_column_values_to_match_regex": _one("has its form", pattern=lambda given: f".*(?:{given['regex']}).*"),
    "expect_table_row_count_to_be_between": _rows,
    "expect_table_row_count_to_equal": _rows,
    "expect_column_pair_values_a_to_be_greater_than_b": _pair,
}

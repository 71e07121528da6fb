"""Rules out of a schema of TFDV and of a suite of Great Expectations; what does not map is listed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import tomlkit
from pydantic import ValidationError

from monitoring.config.rule_section import RuleSection
from monitoring.deployment.rules import rules_of
from monitoring.errors import BadInput
from monitoring.judging.rules.rule_check import Rule

#: Bytes of a file that is read.
MOST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRules:
    """The rules of a file."""

    rules: tuple[RuleSection, ...]
    unmapped: tuple[str, ...]


def import_rules(path: Path) -> ImportedRules:
    """Read a TFDV schema (``.pbtxt``) or a Great Expectations suite (``.json``)."""
    try:
        text = _bounded_text(path)
        items = list(_of_suite(json.loads(text)) if path.suffix == ".json" else _of_schema(text))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(
            "No rules can be read from this file.",
            got=f"{path} ({type(error).__name__}: {str(error)[:200]})",
            expected="a schema of TFDV as text (.pbtxt), or a suite of Great Expectations (.json)",
            fix="Check the path and its ending.",
        ) from error
    rules: dict[str, RuleSection] = {}
    unmapped = []
    for item in items:
        problem = item if isinstance(item, str) else _problem(item)
        if problem:
            unmapped.append(problem)
        elif isinstance(item, dict):
            name = _free(item["name"], rules)
            rules[name] = RuleSection(**{**item, "name": name})
    return ImportedRules(rules=tuple(rules.values()), unmapped=tuple(unmapped))


def fitting(imported: ImportedRules, check: Callable[[Rule], None]) -> ImportedRules:
    """The rules that can be held against the columns of a deployment; the others are unmapped, with the reason.

    Args:
        imported: the rules of a file.
        check: raises BadInput for a rule that cannot.
    """
    kept, unmapped = [], [*imported.unmapped]
    for section in imported.rules:
        try:
            check(*rules_of([section]))
        except BadInput as error:
            unmapped.append(f"{section.name}: {error}")
        else:
            kept.append(section)
    return ImportedRules(rules=tuple(kept), unmapped=tuple(unmapped))


def _problem(item: Mapping[str, Any]) -> str:
    """Why a rule that another tool takes is none here; empty where it is one."""
    try:
        section = RuleSection(**item)
        pc.match_substring_regex(pa.array([""]), section.pattern or "")
    except ValidationError as error:
        told = [f"{'.'.join(map(str, each['loc']))} {each['msg']}".strip() for each in error.errors()]
        return f"{item['name'] or 'a rule without a name'}: {'; '.join(told)}"
    except pa.ArrowException as error:
        return f"{item['name']}: {str(error).splitlines()[0]}"
    return ""


def _bounded_text(path: Path) -> str:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES:,} bytes")
    return path.read_text("utf-8")


def rule_text(rule: RuleSection) -> str:
    """A [[rule]] section that says what the rule does.

    >>> print(rule_text(RuleSection(name="fares are sane", column="fare", low=0.0)), end="")
    [[rule]]
    name = "fares are sane"
    column = "fare"
    low = 0.0
    """
    table = tomlkit.table()
    for key, value in rule.model_dump(exclude_defaults=True).items():
        table.add(key, _plain(value))
    rules = tomlkit.aot()
    rules.append(table)
    document = tomlkit.document()
    document.add("rule", rules)
    return tomlkit.dumps(document)


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return f"{round(value.total_seconds())}s"
    return list(value) if isinstance(value, tuple) else value


def _free(name: str, names: Mapping[str, object]) -> str:
    number = 1
    while (name if number == 1 else f"{name} {number}") in names:
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
    domains = {domain.name: list(domain.value) for domain in schema.string_domain}
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
                key: float(getattr(domain, theirs))
                for key, theirs in (("low", "min"), ("high", "max"))
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
    for expectation in expectations:
        kind = expectation.get("expectation_type") or expectation["type"]
        arguments = dict(expectation.get("kwargs", {}))
        name = arguments.get("column", "")
        mapped = _EXPECTATIONS.get(kind)
        problem = _not_mapped(arguments)
        if kind == "expect_column_to_exist":
            yield f"{kind}({name}): an input that is gone is a page without a rule"
            continue
        if mapped is None or problem:
            shown = ", ".join(f"{key}={value!r}" for key, value in arguments.items())[:200]
            yield f"{kind}({shown}): {problem or 'there is no such rule'}"
            continue
        share = round(1.0 - float(arguments.get("mostly", 1.0)), 9)
        yield from mapped(name, arguments, share)


def _not_mapped(arguments: Mapping[str, Any]) -> str:
    """Why an expectation cannot be a rule although its kind could."""
    if arguments.get("row_condition"):
        return "a rule has no condition on other rows"
    if arguments.get("strict_min") or arguments.get("strict_max"):
        return "a rule's bounds are part of its range"
    if any(isinstance(value, dict) for value in arguments.values()):
        return "its values are computed when it is evaluated"
    return ""


_Mapped = Iterator[dict[str, Any]]


def _range(name: str, arguments: Mapping[str, Any], share: float) -> _Mapped:
    bounds = {
        key: float(arguments[theirs])
        for key, theirs in (("low", "min_value"), ("high", "max_value"))
        if arguments.get(theirs) is not None
    }
    if bounds:
        yield {"name": f"{name} is in range", "column": name, **bounds, "share": share}


def _rows(_name: str, arguments: Mapping[str, Any], _share: float) -> _Mapped:
    bounds = {
        key: int(arguments[theirs])
        for key, theirs in (
            ("min_rows", "min_value"),
            ("max_rows", "max_value"),
            ("min_rows", "value"),
            ("max_rows", "value"),
        )
        if arguments.get(theirs) is not None
    }
    if bounds:
        yield {"name": "number of rows", **bounds}


def _pair(_name: str, arguments: Mapping[str, Any], share: float) -> _Mapped:
    first, second = arguments["column_A"], arguments["column_B"]
    sign = ">=" if arguments.get("or_equal") else ">"
    text = f"col({json.dumps(first)}) {sign} col({json.dumps(second)})"
    yield {"name": f"{first} {sign} {second}", "expression": text, "share": share}


def _column_rule(
    words: str, **make: Callable[[Mapping[str, Any]], Any]
) -> Callable[[str, Mapping[str, Any], float], _Mapped]:
    def mapped(name: str, arguments: Mapping[str, Any], share: float) -> _Mapped:
        rule = {"name": f"{name} {words}", "column": name, **{key: value(arguments) for key, value in make.items()}}
        yield rule if "missing" in make else {**rule, "share": share}

    return mapped


def _statistic(statistic: str) -> Callable[[str, Mapping[str, Any], float], _Mapped]:
    def mapped(name: str, arguments: Mapping[str, Any], _share: float) -> _Mapped:
        for rule in _range(name, arguments, 0.0):
            yield {**rule, "name": f"{statistic} of {name} is in range", "statistic": statistic}

    return mapped


def _expression(make: Callable[[str, Mapping[str, Any]], str]) -> Callable[[str, Mapping[str, Any], float], _Mapped]:
    def mapped(name: str, arguments: Mapping[str, Any], share: float) -> _Mapped:
        text = make(f"col({json.dumps(name)})", arguments)
        if not text:
            return
        yield {"name": text[:100], "expression": text, "share": share}

    return mapped


def _lengths(column: str, arguments: Mapping[str, Any]) -> str:
    equal = arguments.get("value")
    low, high = arguments.get("min_value", equal), arguments.get("max_value", equal)
    bounds = ((low, ">="), (high, "<="))
    return " and ".join(f"length({column}) {sign} {bound}" for bound, sign in bounds if bound is not None)


def _whole(regex: str) -> str:
    """A pattern that texts match as a whole, of one that is searched in them."""
    anchored = regex.startswith("^") and regex.endswith("$") and not regex.endswith("\\$") and "|" not in regex
    return regex[1:-1] if anchored else f".*(?:{regex}).*"


def _together(_name: str, arguments: Mapping[str, Any], share: float) -> _Mapped:
    columns = tuple(arguments["column_list"])
    yield {"name": f"{' and '.join(columns)} are unique", "columns": columns, "unique": True, "share": share}


_EXPECTATIONS: Mapping[str, Callable[[str, Mapping[str, Any], float], _Mapped]] = {
    "expect_column_values_to_be_between": _range,
    "expect_column_values_to_not_be_null": _column_rule(
        "is there", missing=lambda arguments: 1.0 - float(arguments.get("mostly", 1.0))
    ),
    "expect_column_values_to_be_unique": _column_rule("is unique", unique=lambda _: True),
    "expect_compound_columns_to_be_unique": _together,
    "expect_column_values_to_be_in_set": _column_rule(
        "is known", values=lambda arguments: tuple(arguments["value_set"])
    ),
    "expect_column_values_to_not_be_in_set": _expression(
        lambda column, arguments: f"{column} not in {json.dumps(list(arguments['value_set']))}"
    ),
    "expect_column_values_to_match_regex": _column_rule(
        "has its form", pattern=lambda arguments: _whole(arguments["regex"])
    ),
    "expect_column_value_lengths_to_be_between": _expression(_lengths),
    "expect_column_value_lengths_to_equal": _expression(_lengths),
    "expect_column_mean_to_be_between": _statistic("mean"),
    "expect_column_median_to_be_between": _statistic("median"),
    "expect_column_stdev_to_be_between": _statistic("stdev"),
    "expect_column_unique_value_count_to_be_between": _statistic("distinct"),
    "expect_table_row_count_to_be_between": _rows,
    "expect_table_row_count_to_equal": _rows,
    "expect_column_pair_values_a_to_be_greater_than_b": _pair,
}

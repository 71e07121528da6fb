"""Rules of other tools, taken over; what is no rule here is listed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from monitoring.config.rule_section import RuleSection
from monitoring.deployment.rule_import import import_rules, rule_text
from monitoring.errors import BadInput

SCHEMA = """
feature { name: "fare" type: FLOAT presence { min_fraction: 0.95 } float_domain { min: 0.0 max: 500.0 } }
feature { name: "code" type: BYTES domain: "codes" distribution_constraints { min_domain_mass: 0.9 }
  drift_comparator { infinity_norm { threshold: 0.1 } } }
string_domain { name: "codes" value: "EWR" value: "JFK" }
"""
SUITE = {
    "expectation_suite_name": "taxi",
    "expectations": [
        {
            "expectation_type": "expect_column_values_to_be_between",
            "kwargs": {"column": "fare", "min_value": 0, "mostly": 0.99},
        },
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "fare"}},
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "code", "value_set": ["EWR", "JFK"]}},
        {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "code", "regex": "^[A-Z]+$"}},
        {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 10, "max_value": None}},
        {
            "type": "expect_column_pair_values_a_to_be_greater_than_b",
            "kwargs": {"column_A": "drop off", "column_B": "pickup", "or_equal": True},
        },
        {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "fare", "min_value": 1}},
        {
            "type": "expect_column_values_to_be_unique",
            "kwargs": {"column": "trip", "row_condition": "fare > 0", "condition_parser": "pandas"},
        },
        {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["trip", "code"]}},
        {
            "type": "expect_column_value_lengths_to_be_between",
            "kwargs": {"column": "code", "min_value": 2, "max_value": 3},
        },
        {"type": "expect_column_to_exist", "kwargs": {"column": "fare"}},
        {"type": "expect_column_values_to_not_be_in_set", "kwargs": {"column": "code", "value_set": ["LGA"]}},
        {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "code", "regex": "(?=E)EWR"}},
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "fare", "min_value": 9, "max_value": 3}},
        {"type": "expect_column_value_lengths_to_be_between", "kwargs": {"column": "code"}},
    ],
}


def test_a_schema_of_tfdv_has_presence_domains_and_ranges(tmp_path: Path) -> None:
    (tmp_path / "schema.pbtxt").write_text(SCHEMA)
    found = import_rules(tmp_path / "schema.pbtxt")
    assert [one.model_dump(exclude_defaults=True) for one in found.rules] == [
        {"name": "fare is there", "column": "fare", "missing": 0.05},
        {"name": "fare is in range", "column": "fare", "low": 0.0, "high": 500.0},
        {"name": "code is known", "column": "code", "values": ("EWR", "JFK"), "share": 0.1},
    ]
    assert [one.partition(" is no rule")[0] for one in found.unmapped] == ["code: drift_comparator"]


def test_a_suite_of_great_expectations_is_taken_over_where_it_maps(tmp_path: Path) -> None:
    (tmp_path / "suite.json").write_text(json.dumps(SUITE))
    found = import_rules(tmp_path / "suite.json")
    assert [one.name for one in found.rules] == [
        "fare is in range",
        "fare is there",
        "code is known",
        "code has its form",
        "number of rows",
        "drop off >= pickup",
        "mean of fare is in range",
        "trip and code are unique",
        'length(col("code")) >= 2 and length(col("code")) <= 3',
        'col("code") not in ["LGA"]',
    ]
    assert found.rules[0].share == 0.01
    assert found.rules[5].expression == 'col("drop off") >= col("pickup")'
    assert [found.rules[3].pattern, found.rules[9].expression] == ["[A-Z]+", 'col("code") not in ["LGA"]']
    assert [one.partition("(")[0] for one in found.unmapped] == [
        "expect_column_values_to_be_unique",
        "expect_column_to_exist",
        "code has its form: Invalid regular expression: invalid perl operator: ",
        "fare is in range: low is above high.",
    ]
    text = "\n".join(map(rule_text, found.rules))
    again = [RuleSection(**one) for one in tomllib.loads(text)["rule"]]
    assert tuple(again) == found.rules


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{"),
        ("a.json", "[]"),
        ("a.json", '{"expectations": [3]}'),
        ("a.pbtxt", "feature {"),
        ("gone.json", None),
    ],
)
def test_a_file_that_is_neither_is_refused(tmp_path: Path, name: str, text: str | None) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match="No rules can be read"):
        import_rules(tmp_path / name)

"""A rule as a section of `monitor.toml`."""

from __future__ import annotations

from datetime import timedelta

import tomlkit

from monitoring.config.rule_section import RuleSection


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

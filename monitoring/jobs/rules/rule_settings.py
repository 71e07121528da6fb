"""Rules as the config has them, for the judge."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.config.rule_section import RuleSection
from monitoring.judging.rules.rule import Rule


def rules_of(sections: Sequence[RuleSection]) -> tuple[Rule, ...]:
    """The rules of a config.

    Args:
        sections: Its [[rule]] sections.

    Returns:
        A rule for each.
    """
    return tuple(
        Rule(
            name=one.name,
            level=one.level,
            column=one.column or "",
            low=one.low,
            high=one.high,
            missing=one.missing,
            unique=one.unique,
            values=one.values,
            pattern=one.pattern,
            expression=one.expression,
            fresh=one.fresh,
            rows=(one.min_rows, one.max_rows),
            group=one.group or "",
            gap=one.gap,
            share=one.share,
        )
        for one in sections
    )

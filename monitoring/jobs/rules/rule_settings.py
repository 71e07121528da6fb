"""Rules as the config has them, for the judge."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.config.rule_section import RuleSection
from monitoring.judging.rules.rule import Rule


def rules_of(sections: Sequence[RuleSection]) -> tuple[Rule, ...]:
    """The rules of a config."""
    return tuple(
        Rule(
            name=section.name,
            level=section.level,
            column=section.column or "",
            low=section.low,
            high=section.high,
            missing=section.missing,
            unique=section.unique,
            values=section.values,
            pattern=section.pattern,
            expression=section.expression,
            fresh=section.fresh,
            rows=(section.min_rows, section.max_rows),
            group=section.group or "",
            gap=section.gap,
            share=section.share,
        )
        for section in sections
    )

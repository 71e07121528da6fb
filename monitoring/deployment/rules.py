"""The rules of a config, and the columns that they may read."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.config import MonitorConfig
from monitoring.config.rule_section import RuleSection
from monitoring.config.table_section import columns_named
from monitoring.judging.rules.rule_check import Rule
from monitoring.judging.rules.rule_columns import RuleColumns
from monitoring.tasks.task import Task


def rule_columns(config: MonitorConfig, task: Task) -> RuleColumns:
    """What a config calls the columns of its table that rules read beside the inputs: a predicted class is none."""
    traffic = config.traffic
    numbers = (traffic.predicted,) if traffic.predicted and not task.classes else ()
    return RuleColumns(
        event_time=traffic.event_time,
        prediction_id=traffic.prediction_id,
        scores=traffic.scores or numbers,
        labels={name for _, name, role in columns_named(traffic) if role in {"label", "label time"}},
    )


def rules_of(sections: Sequence[RuleSection]) -> tuple[Rule, ...]:
    """The rules of a config."""
    return tuple(
        Rule(
            name=section.name,
            level=section.level,
            column=section.column or "",
            together=section.columns,
            statistic=section.statistic,
            low=section.low,
            high=section.high,
            missing=section.missing,
            unique=section.unique,
            values=section.values,
            pattern=section.pattern,
            expression=section.expression,
            unknown_breaks=section.unknown_breaks,
            fresh=section.fresh,
            rows=(section.min_rows, section.max_rows),
            group=section.group or "",
            gap=section.gap,
            share=section.share,
        )
        for section in sections
    )

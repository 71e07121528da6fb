"""What a rollout is decided by: the loss, the smallest difference that matters, the guards and their limits."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitoring.config import MonitorConfig
from monitoring.errors import BadInput
from monitoring.records import MissingLabels, Requirement
from monitoring.rollout.evidence.terms import DEFAULT, SURPRISE_SCALE, Rules, wrong_budget

#: The smallest difference that matters where none is given: a share of the loss's largest value.
MIN_EFFECT = 0.005

#: What a slice and the calibration may be worse by where no limit is given: so many smallest differences. A slice has a
#: part of the rows, and would take as much longer to be shown to be not worse by as little.
GUARD_EFFECTS = 4.0

#: The share of rows on which the candidate may have no answer where the champion has one: the least and the largest of
#: limits that are not given, and in how many days rows without an error have to meet it.
ERROR_SHARE, MOST_ERRORS, ERROR_DAYS = 0.001, 0.02, 14

#: The candidate's 99th percentile of latency over the champion's.
LATENCY_RATIO = 1.2

#: The guards of a rollout, by name, and those that are used where none are named.
SLICES, ERRORS, LATENCY, CALIBRATION = "slices", "errors", "latency_p99", "calibration"
GUARDS = (SLICES, ERRORS, LATENCY, CALIBRATION)

_GUARD = re.compile(r"\s*(\w+)\s*(?:<=\s*([0-9.eE+-]+)\s*)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRule:
    """A guard, and how much worse the candidate may be by it. `limit`: in the guard's own unit; None: the usual one."""

    name: str
    limit: float | None = None

    @classmethod
    def parsed(cls, text: str) -> GuardRule:
        """Read a guard: its name, or NAME <= LIMIT.

        >>> GuardRule.parsed("latency_p99 <= 1.2")
        GuardRule(name='latency_p99', limit=1.2)

        Raises:
            ValueError: it is none.
        """
        match = _GUARD.fullmatch(text)
        if match is None or match[1] not in GUARDS:
            raise ValueError(text)
        limit = None if match[2] is None else float(match[2])
        if limit is not None and not 0.0 < limit < 1e12:
            raise ValueError(text)
        return cls(name=match[1], limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRules:
    """What a rollout is decided by.

    Attributes:
        min_effect: The smallest difference that matters, in the loss's own unit; None: `MIN_EFFECT` of its largest.
    """

    loss: str = DEFAULT
    min_effect: float | None = None
    require: Requirement = "better"
    wrong: float = 0.05
    guards: tuple[GuardRule, ...] = tuple(GuardRule(name=name) for name in GUARDS)
    missing_labels: MissingLabels = "bounded"
    horizon: timedelta = timedelta(days=7)
    give_up: timedelta = timedelta(days=60)

    def margin(self, scale: float) -> float:
        """The smallest difference that matters, for a loss whose largest value is `scale`."""
        return MIN_EFFECT * scale if self.min_effect is None else self.min_effect

    def guard(self, name: str) -> GuardRule | None:
        """The guard with a name; None where it is none of the rules'."""
        return next((guard for guard in self.guards if guard.name == name), None)

    def limit(self, name: str, scale: float, rows_per_day: float = math.inf) -> float:
        """How much worse the candidate may be by a guard, for a loss whose largest value is `scale`.

        n rows without an error bound its share by about 1.6 log(1 / wrong) / n: few rows a day cannot show
        `ERROR_SHARE` in weeks, so that without a limit of its own the share may be larger where there are few.

        >>> rules = DecisionRules()
        >>> rules.limit("slices", 1.0), DecisionRules(min_effect=0.01).limit("calibration", 1.0)
        (0.02, 0.04)
        >>> [round(rules.limit("errors", 1.0, rows_per_day=rows), 4) for rows in (5, 150, 2_000)]
        [0.02, 0.0029, 0.001]
        """
        guard = self.guard(name)
        if guard is not None and guard.limit is not None:
            return guard.limit
        if name == ERRORS:
            within_reach = 2.0 * math.log(1.0 / self.wrong) / (ERROR_DAYS * max(rows_per_day, 1e-9))
            return min(max(ERROR_SHARE, within_reach), MOST_ERRORS)
        return LATENCY_RATIO if name == LATENCY else GUARD_EFFECTS * self.margin(scale)

    def calibration(self, scale: float) -> Rules:
        """What calibration is compared by, for a loss whose largest value is `scale`: twice, each by half of `wrong`.

        It passes if the candidate's surprise does not exceed the champion's by the limit, or does not exceed 0 by it.
        """
        return Rules(
            margin=self.limit(CALIBRATION, scale),
            alpha=self.wrong / 2.0,
            scale=SURPRISE_SCALE * scale,
            missing=self.missing_labels,
        )


def parsed_guards(texts: Sequence[str]) -> tuple[GuardRule, ...]:
    """The guards that some texts name."""
    try:
        guards = tuple(map(GuardRule.parsed, texts))
    except ValueError as error:
        raise BadInput(
            "Not a guard.",
            got=repr(str(error)),
            expected=f"one of {', '.join(GUARDS)}, or one with its limit",
            fix='Write, for example, "slices <= 0.02".',
        ) from error
    names = [guard.name for guard in guards]
    if len(set(names)) < len(names):
        raise BadInput(
            "A guard is named twice.", got=", ".join(texts), expected="each guard once", fix="Remove one of them."
        )
    return guards


def parsed_budget(text: str) -> float:
    """How probable a wrong promotion may be, from "1 in N"."""
    try:
        return wrong_budget(text)
    except ValueError as error:
        raise BadInput(
            "Not a budget of wrong promotions.",
            got=repr(text),
            expected="1 in N, such as 1 in 20",
            fix="Write it in this form.",
        ) from error


def rules_of(config: MonitorConfig) -> DecisionRules:
    """What a config decides a rollout by."""
    section = config.rollout.deciding
    return DecisionRules(
        loss=section.loss,
        min_effect=section.min_effect,
        require=section.require,
        wrong=parsed_budget(section.wrong),
        guards=parsed_guards(section.guards),
        missing_labels=section.missing_labels,
        horizon=config.windows.label_horizon if section.horizon is None else section.horizon,
        give_up=section.give_up,
    )

"""Answers, or labelled numbers, that are constant or nearly so where the baseline's were not.

A model that gives every row the same answer looks right by its own probabilities, and so does a label feed that fills
zeros. One window shows it, without a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.judging.facts.gross_failures import ANSWERS_SUBJECT, LABELS_SUBJECT
from monitoring.judging.facts.log_facts import binomial_tail
from monitoring.records import Finding
from monitoring.records.finding_parts import AlikeValues, ConstantValues
from monitoring.tasks.label_scores import VarietyPart
from monitoring.tasks.output_names import is_of_numbers
from monitoring.tasks.task import Whole
from monitoring.watches.variety import Variety

#: Values hardly differ where every score's standard deviation is below this part of the baseline's smallest one.
SPREAD_LEFT = 0.1

#: And if the window has at least this part of the rows of the baseline's median window: few rows are often alike.
ROWS_SHARE = 0.5

#: Ranks whose mean is no farther than this from 0 or 1 are those of numbers beyond the baseline's.
OUTERMOST = 0.02

#: The kinds of findings.
CONSTANT_ANSWERS = "answers constant"
CONSTANT_LABELS = "labels constant"

#: What the scores of a class's probability are named by.
_OUTPUT = "output:"

#: Parts that a finding names.
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class VarietyLimit:
    """How alike the values of one part may be. `rows`: the rows from which on the spread of a window says something."""

    part: VarietyPart
    commonest: float
    deviations: tuple[float, ...]
    rows: int

    @classmethod
    def fit(cls, part: VarietyPart, windows: Sequence[Variety]) -> VarietyLimit | None:
        """From the baseline's windows. Returns the limit; None where values were constant in a window of usual size."""
        rows = sorted(window.rows for window in windows)
        enough = round(ROWS_SHARE * rows[len(rows) // 2]) if rows else 0
        whole = [window for window in windows if window.rows >= max(enough, 1)]
        commonest = max((window.commonest / window.rows for window in whole), default=1.0)
        if commonest >= 1.0:
            return None
        deviations = zip(*(window.deviations for window in whole), strict=True)
        return cls(part=part, commonest=commonest, deviations=tuple(map(min, deviations)), rows=enough)

    def alike(self, variety: Variety, alpha: float) -> AlikeValues | None:
        """What is wrong with a window's values; None where nothing is.

        Args:
            alpha: The probability of a sound window that has as many rows with one value.
        """
        rows = variety.rows
        rate, null = (1.0 + self.commonest) / 2.0, (1.0 + 3.0 * self.commonest) / 4.0
        if rows and variety.commonest >= rate * rows and binomial_tail(variety.commonest, rows, null) <= alpha:
            return AlikeValues(
                part=self.part.name, rows=rows, same=variety.commonest, usual=self.commonest, value=self._value(variety)
            )
        narrow = [now < SPREAD_LEFT * before for now, before in zip(variety.deviations, self.deviations, strict=True)]
        if rows >= max(self.rows, 1) and narrow and all(narrow) and not self._is_out_of_range(variety):
            left = max(now / before for now, before in zip(variety.deviations, self.deviations, strict=True))
            return AlikeValues(part=self.part.name, rows=rows, spread=left)
        return None

    def _value(self, variety: Variety) -> tuple[str, float] | None:
        """The class and its probability that all rows have, where the answer is one probability."""
        if len(self.part.scores) != 1 or variety.commonest < variety.rows:
            return None
        name = self.part.scores[0]
        return (name.removeprefix(_OUTPUT), round(variety.means[0], 4)) if name.startswith(_OUTPUT) else None

    def _is_out_of_range(self, variety: Variety) -> bool:
        """Whether numbers lie beyond the baseline's, as in another unit: their ranks say nothing of their spread."""
        ranks = [mean for name, mean in zip(self.part.scores, variety.means, strict=True) if is_of_numbers(name)]
        return any(not OUTERMOST < mean < 1.0 - OUTERMOST for mean in ranks)


def constant_findings(
    limits: Sequence[VarietyLimit | None], tally: Whole | None, *, labels: bool, alpha: float
) -> tuple[Finding, ...]:
    """The finding that values are constant or nearly so.

    Args:
        tally: The window's tallies of all parts, [parts, sums]; None without rows.
        labels: Whether the values are labels; otherwise they are answers.
    """
    if tally is None:
        return ()
    alike = [
        values
        for limit, sums in zip(limits, tally, strict=False)
        if limit is not None and (values := limit.alike(Variety.of(limit.part, sums), alpha)) is not None
    ]
    if not alike:
        return ()
    parts = ConstantValues(
        of="labels" if labels else "answers", parts=tuple(alike[:_NAMED]), more=max(len(alike) - _NAMED, 0)
    )
    kind, subject = (CONSTANT_LABELS, LABELS_SUBJECT) if labels else (CONSTANT_ANSWERS, ANSWERS_SUBJECT)
    return (Finding(kind=kind, feature=subject, fact=True, parts=parts),)

"""What one window brought, as its judgement needs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from monitoring.baseline.batch import Batch
from monitoring.judging.window.window_sums import AnsweredSums, LabelledSums
from monitoring.records import Finding
from monitoring.traffic.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTraffic:
    """What one window brought: its rows and the labels that arrived, gathered, and the repeats dropped from them.

    `unknown` labels named no prediction within reach, `conflicts` came for a prediction that had another label;
    `problems` are inputs that were absent or of another type; `findings` what reading found out besides; `unseen` rows
    that were answered and could not be read; `late` rows are of windows that had been judged already. `again` brings
    the rows once more, answered and labelled, for the few windows with a cause to name.
    """

    window: Window
    answered: AnsweredSums
    labelled: LabelledSums
    again: Rows
    repeats: int = 0
    unknown: int = 0
    conflicts: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    unseen: int = 0
    late: int = 0


class Rows(Protocol):
    """A window's rows, batch by batch, as often as they are asked for."""

    def answered(self) -> Iterator[Batch]:
        """Those answered in the window."""

    def labelled(self) -> Iterator[Batch]:
        """Those whose labels arrived in it."""

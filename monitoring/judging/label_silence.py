"""Times without labels: labels that stop, while rows go on being answered."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from monitoring.records import LABELS_STOPPED, Finding
from monitoring.records.finding_parts import StoppedLabels
from monitoring.watches.label_coverage import LabelWindow

SUBJECT = "label arrivals"

#: Windows with labels, and the days that they span, before a time without labels can be called unusual.
MIN_LABELLED_WINDOWS = 14
MIN_DAYS = 14

#: So many windows with labels are enough where the reference says when its labels came.
MIN_KNOWN_WINDOWS = 3

#: Labels have stopped when none came for more windows than this, and for longer than so many times the longest time
#: without labels before.
MIN_SILENT_WINDOWS = 2
FACTOR = 2

#: Rows were answered in this share of the windows within the label horizon, at least: else there is little to label.
ANSWERED_SHARE = 2.0 / 3.0

_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSilence:
    """When labels arrived so far, in microseconds.

    >>> days = [LabelWindow(start=day * 86_400_000_000, end=(day + 1) * 86_400_000_000, horizon=0) for day in range(30)]
    >>> state = LabelSilence()
    >>> for day in days[:20]:
    ...     state = state.updated(day, arrived=day.start // 86_400_000_000 % 7 < 5, answered_windows=1)
    >>> for day in days[20:26]:
    ...     state = state.updated(day, arrived=False, answered_windows=1)
    ...     print((day.end - state.last) // 86_400_000_000, state.silent)
    2 False
    3 False
    4 False
    5 True
    6 True
    7 True
    >>> state.findings(days[25].end, is_open=True)[0].parts.silence_us // 86_400_000_000
    7
    """

    first: int = 0
    last: int = 0
    windows: int = 0
    longest: int = 0
    silent: bool = False
    new: bool = False

    def updated(
        self,
        window: LabelWindow,
        *,
        arrived: bool,
        answered_windows: int,
        expected: bool = True,
        usual_gap: int | None = None,
    ) -> LabelSilence:
        """The state after one more window.

        Args:
            answered_windows: In how many windows within the label horizon rows were answered, this one among them.
            usual_gap: The longest time without labels in the reference, in microseconds; None where it is not known.
        """
        if arrived:
            gap = window.start - self.last if self.windows and not self.silent else 0
            return LabelSilence(
                first=self.first if self.windows else window.start,
                last=window.end,
                windows=self.windows + 1,
                longest=max(self.longest, gap),
            )
        if not expected:
            return replace(self, last=window.end if self.windows and not self.silent else self.last, new=False)
        silent = self.silent or self._is_unusual(window, answered_windows, usual_gap)
        return replace(self, silent=silent, new=silent and not self.silent)

    def _is_unusual(self, window: LabelWindow, answered_windows: int, usual_gap: int | None) -> bool:
        """Whether no label has come for long in comparison with the time before, though there are rows to label."""
        has_history = self.windows >= MIN_LABELLED_WINDOWS and self.last - self.first >= MIN_DAYS * _DAY_US
        has_history = has_history or (usual_gap is not None and self.windows >= MIN_KNOWN_WINDOWS)
        longest = max(self.longest, usual_gap or 0)
        length = window.end - window.start
        span = min(window.horizon, window.end - self.first)
        answered = answered_windows * length >= ANSWERED_SHARE * span
        return has_history and answered and window.end - self.last > max(FACTOR * longest, MIN_SILENT_WINDOWS * length)

    def findings(self, now: int, *, is_open: bool) -> tuple[Finding, ...]:
        """The finding that labels have stopped.

        Returns:
            A fact, which pages, in the first window and while its incident is open: one that a person has closed does
            not come back until labels have come back.
        """
        if not self.silent:
            return ()
        parts = StoppedLabels(silence_us=now - self.last, longest_us=self.longest)
        return (Finding(kind=LABELS_STOPPED, feature=SUBJECT, fact=self.new or is_open, parts=parts),)

    def to_text(self) -> str:
        """The state as integers, separated by spaces."""
        return " ".join(str(int(getattr(self, field.name))) for field in fields(self))

    @classmethod
    def from_text(cls, text: str) -> LabelSilence:
        """Read what `to_text` wrote; nothing is the state before the first window.

        >>> LabelSilence.from_text(LabelSilence(first=1, last=9, windows=3, silent=True).to_text())
        LabelSilence(first=1, last=9, windows=3, longest=0, silent=True, new=False)
        """
        if not text:
            return cls()
        first, last, windows, longest, silent, new = map(int, text.split())
        return cls(first=first, last=last, windows=windows, longest=longest, silent=bool(silent), new=bool(new))

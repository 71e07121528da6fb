"""Has the candidate answer logged requests, and keeps the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from monitoring.jobs.sources.log_source import LogSource
from monitoring.rollout.log.candidate_log import CandidateLog
from monitoring.rollout.log.paired_log import Chosen, unanswered
from monitoring.rollout.scoring import Scorer
from monitoring.traffic.windows import Window


@dataclass(slots=True)
class Answering:
    """A candidate at work."""

    champion: LogSource
    scorer: Scorer
    answers: CandidateLog
    rows: int = 0
    failures: dict[str, None] = field(default_factory=dict)
    _checked: bool = False

    def answer(self, window: Window, chosen: Chosen, after_each: Callable[[], None] = lambda: None) -> None:
        """Answer what is chosen and not answered yet of a window."""
        for rows in unanswered(self.champion, window, chosen, self.answers.ids(window.start, window.end)):
            if not self._checked:
                self.scorer.check(rows)
                self._checked = True
            scored = self.scorer.score(rows)
            self.answers.append(rows, scored)
            self.rows += rows.num_rows
            self.failures |= dict.fromkeys(scored.reasons)
            after_each()

"""Labels whose predictions the log lacks, and predictions that were sent again and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.judging.facts.log_facts import repeat_findings, unmatched_findings
from monitoring.records import WindowRecord
from monitoring.sentences.finding_text import finding_text

ALPHA = 1e-6
START = datetime(2024, 1, 1, tzinfo=UTC)


def history(windows: int, *, unknown: int = 0, repeats: int = 0, status: str = "ok") -> tuple[WindowRecord, ...]:
    return tuple(
        WindowRecord(
            start=START + timedelta(days=day),
            end=START + timedelta(days=day + 1),
            rows=300,
            labels=300,
            labels_due=300,
            labels_unknown=unknown,
            repeats=repeats,
            status=status,  # type: ignore[arg-type]  # a test names the status by a string
            page_log_evidence=0.0,
            notice_log_evidence=0.0,
        )
        for day in range(windows)
    )


def test_labels_of_lost_predictions_are_a_fact_with_their_numbers() -> None:
    (fact,) = unmatched_findings(180, 120, history(14, unknown=1), alpha=ALPHA)
    assert fact.fact
    assert (fact.kind, fact.feature) == ("labels without predictions", "prediction ids")
    assert finding_text(fact).startswith(
        "180 of 300 labels that arrived are of no known prediction; in the windows before at "
    )


@pytest.mark.parametrize(
    ("unknown", "matched", "before"),
    [(10, 290, history(14)), (15, 2, history(14)), (180, 120, history(14, unknown=300)), (180, 120, history(6))],
    ids=["few", "fewer than twenty", "as before", "nothing usual yet"],
)
def test_few_or_usual_ones_are_none(unknown: int, matched: int, before: tuple[WindowRecord, ...]) -> None:
    assert unmatched_findings(unknown, matched, before, alpha=ALPHA) == ()


def test_windows_with_a_page_make_nothing_usual() -> None:
    before = (*history(14), *history(14, unknown=300, status="page"))
    assert unmatched_findings(180, 120, before, alpha=ALPHA) != ()


def test_a_retry_storm_is_a_fact_and_a_client_that_repeats_some_rows_is_none() -> None:
    (fact,) = repeat_findings(1200, 300, history(14, repeats=6), alpha=ALPHA)
    assert (fact.kind, fact.fact) == ("predictions repeated", True)
    assert repeat_findings(1200, 300, history(14, repeats=900), alpha=ALPHA) == ()
    assert repeat_findings(30, 300, history(14, repeats=6), alpha=ALPHA) == ()
    assert repeat_findings(0, 300, history(14), alpha=ALPHA) == ()

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from monitoring.reports.sections.formatting import format_evidence, format_window


@pytest.mark.parametrize(
    ("log_evidence", "words"),
    [(9.21034, "10,000"), (23.02585, "1.0 \N{MULTIPLICATION SIGN} 10¹⁰"), (1e4, "8.8 \N{MULTIPLICATION SIGN} 10⁴³⁴²")],
)
def test_large_evidence(log_evidence: float, words: str) -> None:
    assert format_evidence(log_evidence) == words


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ((2013, 3, 10, 5), (2013, 3, 11, 4), "10 Mar 2013"),  # 23 hours: the clocks went forward
        ((2013, 4, 1, 4), (2013, 4, 8, 4), "1 Apr 2013 \N{EN DASH} 7 Apr 2013"),
        ((2013, 4, 1, 10), (2013, 4, 1, 16), "1 Apr 2013 06:00\N{EN DASH}12:00"),
        ((2013, 4, 1, 22), (2013, 4, 2, 4), "1 Apr 2013 18:00 \N{EN DASH} 2 Apr 2013"),
    ],
)
def test_windows_are_shown_in_the_deployments_zone(
    start: tuple[int, int, int, int], end: tuple[int, int, int, int], words: str
) -> None:
    first, last = datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC)
    assert format_window(first, last, ZoneInfo("America/New_York")) == words

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.reports.formatting import LONGEST, evidence_words, printable, watch_words, window_words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("error", "Error rate"),
        ("surprise_brier", "Surprise in Brier score"),
        ("unseen:carrier", "Unseen carrier"),
        ("output:late", "Probability of late"),
        ("output:confidence", "Confidence of the model"),
        ("input:a:b:spread", "Spread of a:b"),
        ("input:carrier=UA", "Share of carrier = UA"),
        ("stale", "stale"),
        ("input:", "Share of "),
    ],
)
def test_watches_have_words(name: str, words: str) -> None:
    assert watch_words(name) == words


@given(st.text())
def test_every_name_has_words_without_control_characters(name: str) -> None:
    for kind in ("", "surprise_", "input:", "missing:", "output:"):
        words = watch_words(kind + name)
        assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in words)
        assert len(words) < LONGEST + 40


def test_bidirectional_overrides_and_escapes_are_shown_as_broken() -> None:
    assert printable("a\u202eb\x1b[31m\x00") == "a\ufffdb\ufffd[31m\ufffd"


@pytest.mark.parametrize(
    ("log_evidence", "words"),
    [(9.21034, "10,000"), (23.02585, "1.0 \N{MULTIPLICATION SIGN} 10¹⁰"), (1e4, "8.8 \N{MULTIPLICATION SIGN} 10⁴³⁴²")],
)
def test_large_evidence(log_evidence: float, words: str) -> None:
    assert evidence_words(log_evidence) == words


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ((2013, 3, 10, 5), (2013, 3, 11, 4), "10 Mar 2013"),  # 23 hours: the clocks went forward
        ((2013, 4, 1, 4), (2013, 4, 8, 4), "1 Apr 2013 \N{EN DASH} 7 Apr 2013"),
        ((2013, 4, 1, 10), (2013, 4, 1, 16), "1 Apr 2013 06:00\N{EN DASH}12:00"),
        ((2013, 4, 1, 22), (2013, 4, 2, 4), "1 Apr 2013 18:00 \N{EN DASH} 2 Apr 2013"),
    ],
)
def test_windows_are_told_in_the_deployments_zone(
    start: tuple[int, int, int, int], end: tuple[int, int, int, int], words: str
) -> None:
    first, last = datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC)
    assert window_words(first, last, ZoneInfo("America/New_York")) == words


def test_importing_the_room_loads_nothing_that_draws() -> None:
    probe = "import sys, monitoring.reports; print(sorted({'plotly', 'jinja2', 'matplotlib', 'evidently', 'pandas', 'rich', 'pyarrow', 'tensorflow'} & set(sys.modules)))"  # noqa: E501 - one program
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

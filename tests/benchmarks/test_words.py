"""The checker of sentences' numbers: right ones are right, and a wrong digit is found."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benchmarks.words.checked import checked_numbers
from benchmarks.words.faults import FIRST, made_rows

REFERENCE = made_rows(FIRST, 4, 1)
LIVE = made_rows(FIRST + timedelta(days=4), 2, 2)
WRONG = [100.0 * float(((rows["score"] > 0.5) != (rows["label"] == 1)).mean()) for rows in (REFERENCE, LIVE)]


def test_right_numbers_are_right_and_wrong_ones_are_wrong() -> None:
    before, _ = WRONG
    arrived = LIVE[LIVE["known_at"] < FIRST + timedelta(days=6)]
    now = 100.0 * float(((arrived["score"] > 0.5) != (arrived["label"] == 1)).mean())
    sentence = f"Error rate {before:.1f} \N{RIGHTWARDS ARROW} {now:.1f} % since 5 March 2026 ({len(arrived):,} rows)"
    assert checked_numbers(sentence, REFERENCE, LIVE) == (3, 0, 0)
    false = f"Error rate {before + 1:.1f} \N{RIGHTWARDS ARROW} {now - 1:.1f} % since 5 March 2026 (17 rows)"
    assert checked_numbers(false, REFERENCE, LIVE) == (0, 3, 0)


@pytest.mark.parametrize(
    ("sentence", "counts"),
    [
        ("Out of range: the mean of age is 1,000 over 300 rows", (1, 1, 0)),
        ("Values missing: 0 % of 300 values of income are missing", (2, 0, 0)),
        ("Something with 3 numbers that has 2 without a rule", (0, 0, 2)),
    ],
)
def test_numbers_without_a_rule_are_counted_apart(sentence: str, counts: tuple[int, int, int]) -> None:
    assert checked_numbers(sentence, REFERENCE, LIVE) == counts

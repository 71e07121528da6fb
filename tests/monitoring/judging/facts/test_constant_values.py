"""Answers and labelled numbers that are constant, or hardly differ."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.judging.facts.constant_values import VarietyLimit, constant_findings
from monitoring.sentences.finding_text import finding_text
from monitoring.tasks.classification import Classification
from monitoring.tasks.label_scores import VarietyPart
from monitoring.watches.variety import Variety, tally_of

TASK = Classification(classes=("no", "yes"))
RNG = np.random.default_rng(0)
ALPHA = 1e-6


def answers(rows: int, values: np.ndarray | None = None) -> np.ndarray:
    chances = RNG.beta(2.0, 5.0, rows) if values is None else values
    return np.stack([1.0 - chances, chances], axis=1)


(PART,) = TASK.varied_parts(answers(400))


def tally(rows: np.ndarray, part: VarietyPart = PART) -> np.ndarray:
    return tally_of(part, rows, TASK.outputs(rows))


def fitted(windows: list[np.ndarray]) -> VarietyLimit | None:
    return VarietyLimit.fit(PART, [Variety.of(PART, tally(one)) for one in windows])


LIMIT = fitted([answers(400) for _ in range(30)])


def messages(rows: np.ndarray) -> list[str]:
    return [finding_text(one) for one in constant_findings([LIMIT], tally(rows)[None], labels=False, alpha=ALPHA)]


@pytest.mark.parametrize("value", [0.5, 0.02, 0.0, 1.0])
def test_one_answer_to_all_rows_is_a_fact(value: float) -> None:
    (message,) = messages(answers(400, np.full(400, value)))
    assert message.startswith(f"All 400 answers are {value:g} for class yes; in the baseline's windows at most ")
    assert constant_findings([LIMIT], tally(answers(400, np.full(400, value)))[None], labels=False, alpha=ALPHA)[0].fact


def test_one_answer_to_most_rows_is_a_fact() -> None:
    mixed = answers(400)
    mixed[:300] = (0.7, 0.3)
    (message,) = messages(mixed)
    assert message.startswith(("75 % of 400 answers are the same", "76 % of 400 answers are the same"))


def test_answers_that_hardly_differ_are_a_fact() -> None:
    (message,) = messages(answers(400, 0.3 + 0.002 * RNG.standard_normal(400)))
    assert "400 answers hardly differ" in message


@pytest.mark.parametrize("flattened", [0.5, 0.3])
def test_flattened_answers_are_none(flattened: float) -> None:
    chances = answers(400)[:, 1]
    odds = flattened * np.log(chances / (1.0 - chances))
    assert messages(answers(400, 1.0 / (1.0 + np.exp(-odds)))) == []


def test_sound_windows_and_few_rows_are_none() -> None:
    for rows in (400, 40, 10, 3, 1):
        for _ in range(20):
            assert messages(answers(rows)) == []
    assert messages(answers(4, np.full(4, 0.5))) == []
    assert constant_findings([LIMIT], None, labels=False, alpha=ALPHA) == ()


def test_answers_that_were_constant_in_the_baseline_have_no_limit() -> None:
    assert fitted([answers(400, np.full(400, 0.5)) for _ in range(30)]) is None
    assert fitted([]) is None


def test_where_one_answer_is_common_a_little_more_of_it_is_no_fact() -> None:
    """Predicted classes alone: between 90 and 95 % of a window's rows have the first."""
    classes = [answers(400, (RNG.random(400) < share).astype(np.float64)) for share in np.linspace(0.05, 0.1, 30)]
    limit = fitted(classes)
    assert limit is not None
    for share, told in ((0.04, False), (0.0, True)):
        rows = answers(400, (np.arange(400) < share * 400).astype(np.float64))
        assert bool(constant_findings([limit], tally(rows)[None], labels=False, alpha=1e-4)) is told

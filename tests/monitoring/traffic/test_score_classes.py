"""Score columns are matched to classes by their names, and an order that answers worse than another is found."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from monitoring.traffic.score_classes import better_order, matched_classes

CARDS = ("prepaid_card", "highstreet_card", "upmarket_card")


@pytest.mark.parametrize(
    ("scores", "labels", "classes"),
    [
        ([f"y_pred_proba_{card}" for card in CARDS], set(CARDS), CARDS),
        ([f"{card}_score" for card in CARDS], set(CARDS), CARDS),
        ([f"p_{card}_score" for card in CARDS], set(CARDS[:2]), CARDS),
        (["p_1", "p_0", "p_10"], {"0", "1", "10"}, ("1", "0", "10")),
        (["cat", "dog"], {"dog"}, ("cat", "dog")),
        (["a", "b"], set(), ("a", "b")),
        (["first", "second"], {"no", "yes"}, ("no", "yes")),
    ],
)
def test_columns_are_named_after_classes(scores: list[str], labels: set[str], classes: tuple[str, ...]) -> None:
    assert matched_classes(tuple(scores), labels) == tuple(classes)


def test_the_order_that_answers_best_is_found_from_any_other() -> None:
    rng = np.random.default_rng(0)
    answers = rng.dirichlet([0.3] * 3, 2_000)
    truth = np.array([rng.choice(3, p=row) for row in answers])
    for order in permutations(range(3)):
        classes = tuple("abc"[place] for place in order)
        labels = np.array([classes.index("abc"[label]) for label in truth])
        found = better_order(answers, labels, classes)
        assert found == (None if classes == ("a", "b", "c") else ("a", "b", "c"))


def test_answers_that_say_nothing_have_no_better_order() -> None:
    rng = np.random.default_rng(1)
    assert better_order(rng.dirichlet([1.0] * 3, 5_000), rng.integers(0, 3, 5_000), ("a", "b", "c")) is None
    assert better_order(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), ("a", "b")) is None

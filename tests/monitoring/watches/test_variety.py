"""Whether answers take many values or one: sums that add up, for every kind of answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.tasks.classification import Classification
from monitoring.tasks.label_scores import MAX_COLUMNS, VarietyPart
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import OutputTask, Task
from monitoring.watches.variety import Variety, tally_of

RNG = np.random.default_rng(0)
SHARES = RNG.dirichlet(np.ones(5), 400)


def varieties(task: Task, answers: np.ndarray) -> list[Variety]:
    scores = task.outputs(answers)
    return [Variety.of(part, tally_of(part, answers, scores)) for part in task.varied_parts(answers)]


@pytest.mark.parametrize(
    ("task", "answers", "parts"),
    [
        (Classification(classes=("no", "yes")), SHARES[:, :2], 1),
        (Classification(classes=tuple("abcde")), SHARES, 1),
        (Multilabel(classes=("dog", "cat", "cow")), SHARES[:, :3], 3),
        (Regression(bound=1.0, knots=(0.1, 0.2, 0.3)), SHARES[:, :1], 1),
        (Ranking(places=4), np.round(1e6 * SHARES[:, :4]), 1),
        (
            SeveralTasks(
                outputs_judged=(
                    OutputTask(output="kind", task=Classification(classes=("no", "yes")), numbers=2),
                    OutputTask(output="price", task=Regression(bound=1.0, knots=(0.1,)), numbers=1),
                )
            ),
            SHARES[:, :3],
            2,
        ),
    ],
)
def test_answers_that_differ_have_variety_and_constant_ones_have_none(
    task: Task, answers: np.ndarray, parts: int
) -> None:
    found = varieties(task, answers)
    assert len(found) == parts
    assert all(one.rows == 400 and one.commonest < 60 for one in found)
    for one in varieties(task, np.repeat(answers[:1], 400, axis=0)):
        assert (one.rows, one.commonest) == (400, 400)
        assert all(deviation < 1e-4 for deviation in one.deviations)


def test_of_many_classes_those_are_looked_at_that_vary_most() -> None:
    answers = np.concatenate([np.full((400, 20), 0.01), SHARES * 0.8], axis=1)
    (part,) = Classification(classes=tuple(f"c{place}" for place in range(25))).varied_parts(answers)
    assert len(part.columns) == MAX_COLUMNS
    assert min(part.columns) >= 20


def test_noise_of_floating_point_is_no_variety() -> None:
    part = VarietyPart(name="", columns=(0,), scores=())
    noisy = np.float64(np.float32(0.3)) * (1.0 + 1e-7 * RNG.standard_normal((400, 1)))
    assert Variety.of(part, tally_of(part, noisy, {})).commonest == 400


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=40), st.integers(1, 39))
def test_tallies_of_parts_add_up_in_any_order(values: list[float], cut: int) -> None:
    part = VarietyPart(name="", columns=(0,), scores=("p",))
    rows = np.array(values)[:, None]
    first, second = rows[:cut], rows[cut:]
    whole = tally_of(part, rows, {"p": rows[:, 0]})
    added = tally_of(part, second, {"p": second[:, 0]}) + tally_of(part, first, {"p": first[:, 0]})
    assert (whole == added).all()
    assert Variety.of(part, whole).deviations[0] == pytest.approx(float(np.std(values)), abs=2e-5)

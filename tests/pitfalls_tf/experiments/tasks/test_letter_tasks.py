"""Tasks of letters."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.experiments.tasks import letter_tasks
from pitfalls_tf.experiments.tasks.source_tasks import load
from pitfalls_tf.sources import letters


def test_every_family_has_one_role_and_trained_ones_are_of_one_kind() -> None:
    roles = letter_tasks.families()
    every = (*roles.trained, *roles.left_out, *roles.first, *roles.fresh)
    assert sorted(every) == sorted(letters.load().examples.names)
    assert {letters.kind_of(name) for name in (*roles.trained, *roles.left_out)} == {"monospaced"}
    assert "monospaced" not in {letters.kind_of(name) for name in (*roles.first, *roles.fresh)}
    assert len(roles.fresh) == letter_tasks.FRESH


def test_deployed_families_are_neither_trained_on_nor_those_of_first_runs() -> None:
    roles = letter_tasks.families()
    first, fresh = load("letters"), load("letters", fresh=10)
    assert set(first.training.names) == set(roles.trained)
    assert [part.domain for part in first.parts] == ["all", "all", *roles.first]
    assert [part.domain for part in fresh.parts if part.split == "deployed"] == list(roles.fresh[:10])
    assert set(first.parts[1].examples.names) == set(roles.left_out)
    assert set(first.parts[0].examples.names) <= set(roles.trained)
    assert np.array_equal(first.training.inputs, fresh.training.inputs)


def test_raw_letters_keep_their_range() -> None:
    plain, raw = load("letters", quick=True), load("letters", quick=True, preprocessing="raw")
    assert np.allclose(raw.training.inputs, plain.training.inputs * 255)
    assert len(plain.parts) == 2 + letter_tasks.QUICK


def test_targets_share_no_family_and_no_letter_is_adapted_to_and_scored() -> None:
    targets = letter_tasks.targets(quick=True)
    families = [name for adapted, scored in targets for name in {*adapted.names, *scored.names}]
    assert len(families) == len(set(families)) == len(targets) * letter_tasks.TOGETHER
    for adapted, scored in targets:
        assert abs(len(adapted) - len(scored)) <= 1


def test_there_are_only_so_many_fresh_families() -> None:
    with pytest.raises(BadInput, match="not so many fresh families"):
        load("letters", fresh=letter_tasks.FRESH + 1)


def test_a_period_has_fifteen_families() -> None:
    roles = letter_tasks.families()
    periods = [letter_tasks.arrival(name) for name in (*roles.first, *roles.fresh)]
    assert periods == sorted(periods)
    assert set(np.unique(periods, return_counts=True)[1][:-1].tolist()) == {letter_tasks.ARRIVAL}

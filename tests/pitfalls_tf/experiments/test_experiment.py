"""What every experiment of the catalogue promises."""

from __future__ import annotations

import pytest

from pitfalls_tf.experiments.catalogue import ALL, find
from pitfalls_tf.experiments.experiment import Experiment

EVERY = find([ALL])


@pytest.mark.parametrize("experiment", EVERY, ids=lambda one: one.name)
def test_sources_and_claims_agree_with_each_other(experiment: Experiment) -> None:
    names = [claim.name for claim in experiment.claims]
    assert len(set(names)) == len(names)
    assert set(experiment.quick_sources) <= set(experiment.sources)
    if experiment.fresh is not None:
        assert set(experiment.fresh.most) <= set(experiment.sources)
        assert set(experiment.fresh.domains) <= set(experiment.fresh.most)
        assert all(most >= 2 for most in experiment.fresh.most.values())


@pytest.mark.parametrize("experiment", EVERY, ids=lambda one: one.name)
def test_every_claim_has_a_smallest_effect_within_its_bounds(experiment: Experiment) -> None:
    for claim in experiment.claims:
        assert claim.distance > 0
        assert claim.first is None or claim.first.name == claim.name
        assert (claim.matters > 1) == (claim.scale == "log")


def test_letters_are_a_source_of_every_experiment() -> None:
    assert [one.name for one in EVERY if "letters" not in one.sources] == []

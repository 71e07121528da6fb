"""Small files of pitfalls_tf.experiments, each test named after what it is about."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from pitfalls_tf.experiments.catalogue import ALL, FIGURES, find, paper_order
from pitfalls_tf.experiments.experiment import Experiment
from pitfalls_tf.experiments.grid_size import GridSize
from pitfalls_tf.experiments.scale import distance, inverse, transform


def test_every_name_finds_experiments_named_after_their_files() -> None:
    assert [one.name for one in find([ALL])] == list(paper_order())
    for name, modules in FIGURES.items():
        assert [one.name for one in find([name, name])] == list(modules)


def test_an_unknown_figure_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="No such figure") as caught:
        find(["figure11"])
    assert "figure1" in str(caught.value.fix)


def test_every_claim_has_a_bound_and_its_own_name() -> None:
    for experiment in find([ALL]):
        assert experiment.claims
        assert len({claim.name for claim in experiment.claims}) == len(experiment.claims)
        assert not [
            claim.name for claim in experiment.claims if claim.above == -float("inf") and claim.below == float("inf")
        ]


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


def test_quick_and_full_grids_have_their_own_numbers_of_seeds() -> None:
    assert GridSize().seed_numbers(full=20, quick=4) == range(20)
    assert GridSize(quick=True).seed_numbers(full=20, quick=4) == range(4)


def test_a_number_of_seeds_overrides_both() -> None:
    for quick in (False, True):
        assert GridSize(quick=quick, seeds=7).seed_numbers(full=20, quick=4) == range(7)
        assert GridSize(quick=quick, seeds=0).seed_numbers(full=20, quick=4) == range(0)


def test_other_values_depend_on_quick_only() -> None:
    assert GridSize(seeds=7).choose(full=("a", "b"), quick=("a",)) == ("a", "b")
    assert GridSize(quick=True, seeds=7).choose(full=("a", "b"), quick=("a",)) == ("a",)


@given(st.sampled_from(["identity", "log", "fisher"]), st.floats(0.01, 0.99))
def test_the_inverse_undoes_the_transform(name: str, value: float) -> None:
    assert inverse(name, transform(name, value)) == pytest.approx(value)  # type: ignore[arg-type]


def test_what_a_scale_does_not_have_is_unknown() -> None:
    assert math.isnan(transform("log", 0.0))
    assert math.isnan(transform("log", -1.0))
    assert transform("fisher", 1.0) > 5


def test_a_distance_is_that_to_the_nearer_side() -> None:
    assert distance("fisher", 0.5, 0.2) == pytest.approx(math.atanh(0.5) - math.atanh(0.3))
    assert distance("log", 7.0, 1.5) == pytest.approx(math.log(1.5))

"""Which experiments there are."""

from __future__ import annotations

import pytest

from monitoring.errors import BadInput
from pitfalls_tf.experiments.catalogue import ALL, FIGURES, find, paper_order


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

"""The size of a grid."""

from __future__ import annotations

from pitfalls_tf.experiments.grid_size import GridSize


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

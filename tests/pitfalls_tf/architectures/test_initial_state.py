"""Initial weights: from the seed alone, drawn by each layer's own initialiser; copies that are independent."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pitfalls_tf.architectures.initial_state import initial_state, network_with
from pitfalls_tf.architectures.mlp import Mlp
from tests.pitfalls_tf.architectures.families import FAMILIES, SHAPES, TABLE


@pytest.mark.parametrize("name", FAMILIES)
def test_kernels_follow_from_the_seed_and_all_else_starts_constant(name: str) -> None:
    network = FAMILIES[name].build(SHAPES[name])
    before = [variable.numpy() for variable in network.trainable_variables]
    one, again, other = (initial_state([network], seed)[0] for seed in (0, 0, 1))
    assert all((left == right).all() for left, right in zip(one, again, strict=True))
    drawn = [
        variable.name
        for variable, left, right in zip(network.trainable_variables, one, other, strict=True)
        if (left != right).any()
    ]
    assert set(drawn) == {"kernel"}
    assert len(drawn) == sum(variable.name == "kernel" for variable in network.trainable_variables)
    for variable, value in zip(network.trainable_variables, one, strict=True):
        if variable.name == "kernel" and variable.shape[-1] > 1:
            assert 0.3 < np.std(value) / np.std(variable.numpy()) < 3, "drawn at the scale of its initialiser"
    assert all(
        (left == right.numpy()).all() for left, right in zip(before, network.trainable_variables, strict=True)
    ), "the network itself is not changed"


def test_the_global_generators_are_neither_read_nor_set() -> None:
    network = Mlp(dropout=0.5).build(TABLE)
    keras.utils.set_random_seed(3)
    first = initial_state([network], 5)
    drawn = np.random.random()  # noqa: NPY002 - the global generator is the point
    keras.utils.set_random_seed(3)
    assert np.random.random() == drawn  # noqa: NPY002 - as above
    second = initial_state([network], 5)
    for one, other in zip((*first[0], *first[1]), (*second[0], *second[1]), strict=True):
        assert (one == other).all()


def test_dropout_has_a_seed_of_its_own_that_starts_at_step_zero() -> None:
    network = Mlp(hidden=(4, 4), dropout=0.5).build(TABLE)
    _, state = initial_state([network], 5)
    assert [value.shape for value in state] == [(2,), (2,)]
    assert all(value[1] == 0 for value in state)
    assert state[0][0] != state[1][0]


def test_two_networks_are_drawn_one_after_the_other() -> None:
    first, second = Mlp(hidden=(4,)).build(TABLE), Mlp(hidden=(4,)).build(TABLE)
    weights, _ = initial_state([first, second], 0)
    count = len(first.trainable_variables)
    assert len(weights) == 2 * count
    assert (weights[0] != weights[count]).any()


def test_a_copy_holds_the_weights_and_is_independent() -> None:
    network = Mlp(hidden=(4,), norm="batch").build(TABLE)
    weights, state = initial_state([network], 7)
    copy = network_with(network, weights, state)
    pairs = zip((*copy.trainable_variables, *copy.non_trainable_variables), (*weights, *state), strict=True)
    assert all((np.asarray(variable) == value).all() for variable, value in pairs)
    copy.trainable_variables[0].assign(np.zeros_like(weights[0]))
    assert (network.trainable_variables[0].numpy() != 0).any()

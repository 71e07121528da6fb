"""The weights and state that a network starts with, from a seed alone, without building the network again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

Arrays = tuple[NDArray[Any], ...]


def initial_state(networks: Sequence[keras.Model], seed: int) -> tuple[Arrays, Arrays]:
    """Draw the weights and state that networks start with.

    Every random initialiser of a layer is run again with a seed of its own, drawn from `seed` and the position of the
    weight; what starts constant stays so; generators of dropout get seeds of their own. Neither the process's global
    generators nor the networks are changed.

    Args:
        seed: 0 or more.

    Returns:
        All trainable weights, and all other variables, of the networks in order.
    """
    initialisers = dict(pair for network in networks for pair in _initialisers(network))
    trainable = [variable for network in networks for variable in network.trainable_variables]
    others = [variable for network in networks for variable in network.non_trainable_variables]
    children = np.random.SeedSequence([seed, 0]).spawn(len(trainable) + len(others))
    words = [int(child.generate_state(1)[0]) for child in children]
    weights = tuple(
        _drawn(variable, initialisers.get(id(variable)), word) for variable, word in zip(trainable, words, strict=False)
    )
    state = tuple(
        np.array([word, 0], dtype=np.uint32).astype(keras.backend.standardize_dtype(variable.dtype))
        if variable.name == "seed_generator_state"
        else np.asarray(_drawn(variable, initialisers.get(id(variable)), word))
        for variable, word in zip(others, words[len(trainable) :], strict=True)
    )
    return weights, state


def network_with(network: keras.Model, weights: Arrays, state: Arrays) -> keras.Model:
    """A copy of a network that holds these weights and state.

    Cost: as much as building the network.
    """
    copy = keras.models.clone_model(network)
    for variable, value in zip(copy.trainable_variables, weights, strict=True):
        variable.assign(value)
    for variable, value in zip(copy.non_trainable_variables, state, strict=True):
        variable.assign(value)
    return copy


def _initialisers(network: keras.Model) -> Iterator[tuple[int, Any]]:
    """The initialiser of each weight by the id of its variable: by Keras' convention, the attribute named after it."""
    for layer in network._flatten_layers():  # noqa: SLF001 - the one way to every inner layer
        for variable in layer.weights:
            for name in (f"{variable.name}_initializer", "depthwise_initializer", "embeddings_initializer"):
                if (initialiser := getattr(layer, name, None)) is not None:
                    yield id(variable), initialiser
                    break


def _drawn(variable: Any, initialiser: Any, word: int) -> NDArray[Any]:
    config = {} if initialiser is None else initialiser.get_config()
    if "seed" not in config:
        values: NDArray[Any] = variable.numpy()
        return values
    again = type(initialiser).from_config({**config, "seed": word})
    drawn: NDArray[Any] = np.asarray(again(variable.shape, dtype=variable.dtype))
    return drawn

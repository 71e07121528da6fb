"""A compiled recipe: one epoch of one member is one call of a function of its state, the same for every seed.

On a processor this is faster than stacking the weights of all seeds, see docs/decisions/0014-ensembles.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from pitfalls_tf.architectures.dropout import with_keras_dropout
from pitfalls_tf.architectures.initial_state import initial_state, network_with
from pitfalls_tf.fitting.recipe import Batch, Outputs, Recipe
from pitfalls_tf.rows.examples import Shape

Arrays = tuple[NDArray[Any], ...]

ROWS_AT_ONCE = 4_096  # when predicting
NORMALISATION_LAYERS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
)


class State(NamedTuple):
    """What changes while a member is fitted, as tensors. `average` is empty unless the optimiser keeps one."""

    weights: Any
    others: Any
    slots: Any
    average: Any
    memory: Any
    step: Any


class DeviceRows(NamedTuple):
    """Rows on the device: inputs [n, *shape], truths [n, classes], domains int32 [n]; the last may be padding."""

    inputs: Any
    truths: Any
    domains: Any


class EpochOrder(NamedTuple):
    """The rows of one epoch, batch by batch: positions int32 [steps, b] in the training and the target rows.

    `steps` of the member may be fewer than there are batches of positions, so that members with fewer rows share the
    compiled epoch. The whole fit has `total` steps; the random numbers of transforms follow from `seed`, int32.
    """

    training: Any
    target: Any
    steps: Any
    total: Any
    seed: Any


class Program:
    """One recipe for rows of one shape. Compiles in the first epoch: 1 to 3 s for a small dense network."""

    def __init__(self, recipe: Recipe, shape: Shape) -> None:
        self.recipe = recipe
        self.shape = shape
        self.network = recipe.architecture.build(shape)
        width = int(self.network.output["embedding"].shape[-1])
        self._heads = [penalty.head(shape, width) for penalty in recipe.penalties]
        self._networks = [self.network, *(head for head in self._heads if head is not None)]
        self._network_counts = len(self.network.trainable_variables), len(self.network.non_trainable_variables)
        self._is_trained = self._trained()
        self.run_epoch = tf.function(self._epoch, jit_compile=recipe.architecture.uses_xla)
        self._run_outputs = tf.function(self._predicted, reduce_retracing=True)

    def start(self, seed: int, weights: Arrays | None = None, others: Arrays | None = None) -> State:
        """The state before the first step.

        Args:
            weights: trainable weights of the network to start from; None for fresh ones.
            others: its other variables to start from; None for fresh ones.
        """
        fresh, fresh_others = initial_state(self._networks, seed)
        if weights is not None and others is not None:
            fresh = (*weights, *fresh[self._network_counts[0] :])
            fresh_others = (*_counters_of(fresh_others, others, self.network), *fresh_others[self._network_counts[1] :])
        initial = tuple(tf.constant(weight) for weight in fresh)
        trained_weights = [weight for weight, trained in zip(initial, self._is_trained, strict=True) if trained]
        weighting = self.recipe.weighting
        return State(
            weights=initial,
            others=tuple(tf.constant(value) for value in fresh_others),
            slots=tuple(
                tuple(tf.zeros_like(weight) for weight in trained_weights) for _ in range(self.recipe.optimiser.slots)
            ),
            average=initial if self.recipe.optimiser.average is not None else (),
            memory=tf.constant(np.zeros(()) if weighting is None else weighting.initial(self.shape), tf.float32),
            step=tf.constant(0.0),
        )

    def fitted(self, state: State) -> tuple[Arrays, Arrays]:
        """The weights that predict, and the other variables, of the network without heads."""
        weights = state.average if self.recipe.optimiser.average is not None else state.weights
        return (
            tuple(weight.numpy() for weight in weights[: self._network_counts[0]]),
            tuple(value.numpy() for value in state.others[: self._network_counts[1]]),
        )

    def outputs(self, weights: Arrays, others: Arrays, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The network's outputs without dropout.

        Args:
            inputs: float32 [n, *shape].

        Returns:
            "logits" float32 [n, classes] and "embedding" float32 [n, width].
        """
        held = tuple(map(tf.constant, weights)), tuple(map(tf.constant, others))
        parts = [
            self._run_outputs(*held, tf.constant(inputs[start : start + ROWS_AT_ONCE]))
            for start in range(0, max(len(inputs), 1), ROWS_AT_ONCE)
        ]
        return {name: np.concatenate([part[name].numpy() for part in parts]) for name in ("logits", "embedding")}

    def model(self, weights: Arrays, others: Arrays) -> keras.Model:
        """A Keras model of Keras' own layers with these weights."""
        return with_keras_dropout(network_with(self.network, weights, others))

    def gradients(self, state: State, rows: DeviceRows, positions: Any) -> tuple[Any, Any]:
        """Loss and gradients of the trained weights on one batch, as the first step of an epoch takes them."""
        loss, gradients, _, _ = self._gradients(state, self._batch(rows, positions), None, tf.constant(0), 0.0)
        return loss, gradients

    def _predicted(self, weights: Any, others: Any, inputs: Any) -> Any:
        outputs, _ = self.network.stateless_call(list(weights), list(others), inputs, training=False)
        return outputs

    def _trained(self) -> tuple[bool, ...]:
        """For each weight, heads included, whether the optimiser updates it."""
        trained: set[int] = set()
        for layer in self.network._flatten_layers():  # noqa: SLF001 - the only access to inner layers
            wanted = (
                self.recipe.trained == "all"
                or (self.recipe.trained == "normalisation" and isinstance(layer, NORMALISATION_LAYERS))
                or (self.recipe.trained == "logits" and layer.name.endswith("logits"))
            )
            trained |= {id(variable) for variable in layer.trainable_variables} if wanted else set()
        flags = tuple(id(variable) in trained for variable in self.network.trainable_variables)
        return flags + (True,) * sum(len(head.trainable_variables) for head in self._networks[1:])

    def _epoch(self, state: State, rows: DeviceRows, target: DeviceRows | None, order: EpochOrder) -> Any:
        total, largest = tf.constant(0.0), tf.constant(0.0)
        for step in tf.range(order.steps):
            batch = self._batch(rows, order.training[step])
            target_batch = None if target is None else self._batch(target, order.target[step])
            loss, gradients, others, memory = self._gradients(
                state, batch, target_batch, order.seed, state.step / tf.maximum(order.total, 1.0)
            )
            state = self._updated(state, gradients, order.total)._replace(others=others, memory=memory)
            total += loss
            largest = tf.maximum(largest, tf.linalg.global_norm(gradients))
        return state, total / tf.cast(order.steps, tf.float32), largest

    def _updated(self, state: State, gradients: Sequence[Any], total: Any) -> State:
        optimiser = self.recipe.optimiser
        trained = tuple(
            weight for weight, is_trained in zip(state.weights, self._is_trained, strict=True) if is_trained
        )
        moved, slots = optimiser.update(trained, state.slots, gradients, step=state.step, total=total)
        updated = iter(moved)
        weights = tuple(
            next(updated) if is_trained else weight
            for weight, is_trained in zip(state.weights, self._is_trained, strict=True)
        )
        average = state.average
        if optimiser.average is not None:
            average = tuple(
                optimiser.average * old + (1 - optimiser.average) * new
                for old, new in zip(average, weights, strict=True)
            )
        return state._replace(weights=weights, slots=slots, average=average, step=state.step + 1.0)

    @staticmethod
    def _batch(rows: DeviceRows, positions: Any) -> Batch:
        return Batch(
            inputs=tf.gather(rows.inputs, positions),
            truths=tf.gather(rows.truths, positions),
            domains=tf.gather(rows.domains, positions),
        )

    def _gradients(
        self, state: State, batch: Batch, target: Batch | None, seed: Any, progress: Any
    ) -> tuple[Any, Any, Any, Any]:
        """Loss, gradients of the trained weights, other variables and memory after the batch."""
        for position, transform in enumerate(self.recipe.transforms):
            step = tf.cast(state.step, tf.int32)
            batch = transform(batch, tf.stack([seed + position * 7919, step]))
        with tf.GradientTape() as tape:
            tape.watch(state.weights)
            loss, others, memory = self._loss(state, batch, target, progress)
        trained = [weight for weight, is_trained in zip(state.weights, self._is_trained, strict=True) if is_trained]
        gradients = tape.gradient(loss, trained, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return loss, gradients, others, memory

    def _loss(self, state: State, batch: Batch, target: Batch | None, progress: Any) -> tuple[Any, Any, Any]:
        counts = self._network_counts
        weights, others = list(state.weights[: counts[0]]), list(state.others[: counts[1]])
        source, there, others = self._forward(weights, others, batch, target)
        losses = self.recipe.loss(batch.truths, source.logits)
        memory = state.memory
        if self.recipe.weighting is not None:
            counted, memory = self.recipe.weighting(
                batch, tf.stop_gradient(losses), tf.stop_gradient(source.logits), memory
            )
            losses = losses * tf.stop_gradient(counted)
        loss = tf.reduce_mean(losses)
        head_weights, head_others = list(state.weights[counts[0] :]), list(state.others[counts[1] :])
        after: list[Any] = list(others)
        for penalty, head in zip(self.recipe.penalties, self._heads, strict=True):
            bound = None
            if head is not None:
                count, other_count = len(head.trainable_variables), len(head.non_trainable_variables)
                bound = _BoundHead(head, head_weights[:count], head_others[:other_count])
                head_weights, head_others = head_weights[count:], head_others[other_count:]
            loss += penalty(source, there, head=bound, progress=progress)
            after += [] if bound is None else bound.others
        return loss, tuple(after), memory

    def _forward(
        self, weights: list[Any], others: list[Any], batch: Batch, target: Batch | None
    ) -> tuple[Outputs, Outputs | None, list[Any]]:
        """The network's outputs for the batch and, where a penalty compares them, for the target's rows, in one pass.

        In one pass batch normalisation takes one mean and variance of both, and keeps those for predictions. In two, a
        penalty would compare embeddings that are each normalised by their own statistics, and the target's rows would
        be predicted with statistics of the others.

        Returns:
            Outputs of the batch; outputs of the target's rows, None where they are not needed; the other variables.
        """
        if target is None or not any(penalty.needs_target for penalty in self.recipe.penalties):
            outputs, others = self.network.stateless_call(weights, others, batch.inputs, training=True)
            return _outputs(outputs, batch), None, others
        both = tf.concat([batch.inputs, target.inputs], axis=0)
        outputs, others = self.network.stateless_call(weights, others, both, training=True)
        count = batch.inputs.shape[0]
        source, there = ({name: outputs[name][rows] for name in outputs} for rows in (slice(count), slice(count, None)))
        return _outputs(source, batch), _outputs(there, target), others


class _BoundHead:
    """A head with the member's own weights, called like a network, perhaps several times."""

    def __init__(self, head: keras.Model, weights: list[Any], others: list[Any]) -> None:
        self._head, self._weights, self.others = head, weights, others

    def __call__(self, embedding: Any) -> Any:
        output, self.others = self._head.stateless_call(self._weights, self.others, embedding, training=True)
        return output


def _outputs(outputs: Any, batch: Batch) -> Outputs:
    return Outputs(logits=outputs["logits"], embedding=outputs["embedding"], truths=batch.truths, domains=batch.domains)


def _counters_of(fresh: Arrays, counters: Arrays, network: keras.Model) -> Arrays:
    """The given variables with fresh seeds of dropout: a second fit must not repeat the masks of the first."""
    return tuple(
        new if variable.name == "seed_generator_state" else old
        for new, old, variable in zip(fresh, counters, network.non_trainable_variables, strict=False)
    )

"""Optimisers: their settings, and one update as a function of tensors alone.

Updates are those of Keras 3's SGD, Adam and AdamW to the last operation, without their variables, so that a whole epoch
is one compiled function of a member's state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Tensors = tuple[Any, ...]

EPSILON = 1e-7  # Keras' epsilon


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimiser:
    """An update rule, its learning rate schedule, and stabilisers.

    kind           sgd; adam (Kingma and Ba, ICLR 2015); adamw (Loshchilov and Hutter, ICLR 2019)
    learning_rate  the largest, once warmed up
    momentum       of sgd, Nesterov's; 0 for none
    weight_decay   decoupled: weights shrink by this times the rate at every step, biases too, as Keras does
    warm_up        share of all steps over which the rate rises linearly from 0 (Goyal et al., 2017)
    schedule       after that: constant; a half cosine down to 0 (Loshchilov and Hutter, ICLR 2017); or annealed,
                   (1 + 10 p)^-.75 for progress p (Ganin et al., JMLR 2016, section 5.2.2)
    clip_norm      the gradient of all weights together is scaled down to this norm (Pascanu et al., ICML 2013)
    average        decay of an exponential moving average of the weights, which then predicts (Polyak and Juditsky,
                   1992); it starts at the initial weights, so it needs a few times 1 / (1 - average) steps
    """

    kind: Literal["sgd", "adam", "adamw"] = "adamw"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.0
    warm_up: float = 0.0
    schedule: Literal["constant", "cosine", "annealed"] = "constant"
    clip_norm: float | None = None
    average: float | None = None

    @property
    def slots(self) -> int:
        """Number of tensors that it keeps for each weight, without the average."""
        return {"sgd": 1, "adam": 2, "adamw": 2}[self.kind]

    def rate(self, step: Any, total: Any) -> Any:
        """The learning rate of a step. Returns scalar float32.

        Args:
            step: scalar float32, 0 to `total` - 1.
            total: scalar float32, how many steps the fit has.
        """
        import tensorflow as tf  # noqa: PLC0415 - settings are read without it

        warm = self.warm_up * total
        rising = tf.minimum(1.0, (step + 1.0) / tf.maximum(warm, 1.0)) if self.warm_up else 1.0
        if self.schedule == "constant":
            return self.learning_rate * rising * tf.ones(())
        done = tf.clip_by_value((step - warm) / tf.maximum(total - warm, 1.0), 0.0, 1.0)
        if self.schedule == "annealed":
            return self.learning_rate * rising * tf.pow(1.0 + 10.0 * done, -0.75)
        return self.learning_rate * rising * 0.5 * (1.0 + tf.cos(3.141592653589793 * done))

    def update(
        self, weights: Tensors, slots: tuple[Tensors, ...], gradients: Sequence[Any], *, step: Any, total: Any
    ) -> tuple[Tensors, tuple[Tensors, ...]]:
        """One step."""
        import tensorflow as tf  # noqa: PLC0415 - as above

        rate = self.rate(step, total)
        if self.clip_norm is not None:
            norm = tf.linalg.global_norm(gradients)
            scale = self.clip_norm / tf.maximum(norm, self.clip_norm)
            gradients = [gradient * scale for gradient in gradients]
        if self.weight_decay:
            weights = tuple(weight - weight * (self.weight_decay * rate) for weight in weights)
        if self.kind == "sgd":
            return self._descend(weights, slots[0], gradients, rate)
        first = tuple(old + (new - old) * (1 - 0.9) for old, new in zip(slots[0], gradients, strict=True))
        second = tuple(old + (new * new - old) * (1 - 0.999) for old, new in zip(slots[1], gradients, strict=True))
        size = rate * tf.sqrt(1.0 - tf.pow(0.999, step + 1.0)) / (1.0 - tf.pow(0.9, step + 1.0))
        moved = tuple(
            weight - mean * size / (tf.sqrt(square) + EPSILON)
            for weight, mean, square in zip(weights, first, second, strict=True)
        )
        return moved, (first, second)

    def _descend(
        self, weights: Tensors, velocity: Tensors, gradients: Sequence[Any], rate: Any
    ) -> tuple[Tensors, tuple[Tensors, ...]]:
        pairs = list(zip(velocity, gradients, strict=True))
        velocity = tuple(self.momentum * old - rate * new for old, new in pairs)
        steps = (self.momentum * fast - rate * new for fast, (_, new) in zip(velocity, pairs, strict=True))
        return tuple(weight + step for weight, step in zip(weights, steps, strict=True)), (velocity,)

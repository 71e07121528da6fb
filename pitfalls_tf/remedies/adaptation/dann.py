"""Domain-adversarial training: an embedding from which a classifier cannot predict the domain.

Source: Ganin et al., *Domain-Adversarial Training of Neural Networks* (JMLR 2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pitfalls_tf.architectures.optimiser import Optimiser

if TYPE_CHECKING:
    import keras

    from pitfalls_tf.fitting.recipe import Outputs
    from pitfalls_tf.rows.examples import Shape

    Tensor = Any  # a tf.Tensor; TensorFlow has no types


# Sections 5.2.2 and 5.2.3; the paper's momentum is not Nesterov's.
ANNEALED: Final = Optimiser(kind="sgd", learning_rate=0.01, momentum=0.9, schedule="annealed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dann:
    """weight x the domain classifier's cross-entropy, which it minimises and the embedding maximises.

    The embedding's share of the gradient is reversed and scaled by the paper's schedule, 2 / (1 + exp(-10 p)) - 1 for
    progress p. `domains` 0: between training rows and target rows; otherwise the number of source domains. `units` of
    one hidden layer, as in the paper's smallest network.

    The embedding's gain is unbounded, so convergence depends on the optimiser. On MNIST and UCI digits Adam diverged
    within a few epochs, with a constant rate and with a falling one; `ANNEALED`, the paper's own optimiser, brought the
    penalty near log 2, where domains cannot be distinguished, after four to six epochs.
    """

    weight: float = 1.0
    domains: int = 0
    units: int = 100

    @property
    def needs_target(self) -> bool:
        """Whether the penalty is with a target rather than between source domains."""
        return not self.domains

    def head(self, shape: Shape, width: int) -> keras.Model | None:
        """float32 [n, width] to logits of the domains [n, 2 or `domains`]."""
        import keras  # noqa: PLC0415 - a recipe is read without it

        del shape
        embedding = keras.Input((width,), name="embedding")
        hidden = keras.layers.Dense(self.units, activation="relu", kernel_initializer="he_normal", name="hidden")
        domain = keras.layers.Dense(self.domains or 2, name="domain")(hidden(embedding))
        return keras.Model(embedding, domain, name="domain_classifier")

    def __call__(
        self, source: Outputs, target: Outputs | None, *, head: keras.Model | None, progress: Tensor
    ) -> Tensor:
        """A scalar. Each domain in the batch has the same weight, whatever its number of rows."""
        import tensorflow as tf  # noqa: PLC0415 - as above

        from pitfalls_tf.remedies.adaptation.populations import populations  # noqa: PLC0415 - loads TensorFlow

        assert head is not None  # noqa: S101 - `head` gives one
        embedding, member = populations(source, target, self.domains)
        logits = head(reverse_gradient(embedding, schedule(progress)))
        errors = -tf.reduce_sum(member * tf.nn.log_softmax(logits), axis=1)
        counts = tf.reduce_sum(member, axis=0)
        means = tf.math.divide_no_nan(tf.linalg.matvec(member, errors, transpose_a=True), counts)
        return self.weight * tf.reduce_sum(means) / tf.reduce_sum(tf.cast(counts > 0, tf.float32))


def schedule(progress: Tensor) -> Tensor:
    """The weight of the reversed gradient: from 0 at the start to 1 (Ganin et al., section 5.2.2).

    Args:
        progress: of the fit, 0 to 1.

    Returns:
        2 / (1 + exp(-10 x progress)) - 1.

    >>> float(schedule(0.0)), round(float(schedule(0.1)), 4)
    (0.0, 0.4621)
    """
    import tensorflow as tf  # noqa: PLC0415 - as above

    return 2.0 / (1.0 + tf.exp(-10.0 * progress)) - 1.0


def reverse_gradient(signal: Tensor, factor: Tensor) -> Tensor:
    """The signal unchanged, with its gradient multiplied by -`factor`."""
    import tensorflow as tf  # noqa: PLC0415 - as above

    # signal - (1 + factor) x (signal - signal): exact in value, and no custom gradient that XLA would have to support.
    return signal - (1.0 + factor) * (signal - tf.stop_gradient(signal))

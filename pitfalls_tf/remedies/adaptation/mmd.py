"""Maximum mean discrepancy: a penalty on different distributions of the embeddings of two domains, by a kernel.

Sources: Gretton et al., *A Kernel Two-Sample Test* (JMLR 2012), also for the median as bandwidth; Long et al.,
*Learning Transferable Features with Deep Adaptation Networks* (ICML 2015), for the penalty and for several bandwidths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pitfalls_tf.fitting.recipe import Outputs as Made

if TYPE_CHECKING:
    import keras

    from pitfalls_tf.fitting.recipe import Outputs
    from pitfalls_tf.rows.examples import Shape

    Tensor = Any  # a tf.Tensor; TensorFlow has no types

MEDIAN_ROWS = 64  # of which the median distance is taken: sorting all pairs of a batch costs more than the network


@dataclass(frozen=True, slots=True, kw_only=True)
class Mmd:
    """weight x MMD² (the biased estimate, never negative), averaged over pairs of domains.

    The kernel is the mean of exp(-|x - y|² / (factor x median)) over `factors`, the median being that of the squared
    distances in the batch, of which no gradient is taken. `rows` of each side count, since the kernel is their square.
    `domains` 0: between training rows and target rows; otherwise the number of source domains, between each other.
    """

    weight: float = 1.0
    domains: int = 0
    factors: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
    rows: int = 256

    @property
    def needs_target(self) -> bool:
        """Whether the penalty is with a target rather than between source domains."""
        return not self.domains

    def head(self, shape: Shape, width: int) -> keras.Model | None:
        """None: there is no head."""
        del shape, width
        return None

    def __call__(
        self, source: Outputs, target: Outputs | None, *, head: keras.Model | None, progress: Tensor
    ) -> Tensor:
        """A scalar."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        from pitfalls_tf.remedies.adaptation.populations import mean_over_pairs, populations  # noqa: PLC0415 - loads TensorFlow

        del head, progress
        sides = 2 if self.domains else 1  # all rows of a batch are source rows then
        some = _first(source, self.rows * sides)
        embedding, member = populations(some, None if target is None else _first(target, self.rows), self.domains)
        squares = squared_distances(embedding)
        bandwidth = tf.stop_gradient(median(squared_distances(embedding[:: _stride(embedding)])))
        kernel = tf.add_n([tf.exp(-squares / (factor * bandwidth)) for factor in self.factors]) / len(self.factors)
        counts = tf.reduce_sum(member, axis=0)
        shares = tf.math.divide_no_nan(member, counts)
        between = tf.matmul(shares, tf.matmul(kernel, shares), transpose_a=True)
        diagonal = tf.linalg.diag_part(between)
        return self.weight * mean_over_pairs(diagonal[:, None] + diagonal[None, :] - 2 * between, counts)


def squared_distances(embedding: Tensor) -> Tensor:
    """float32 [n, n] of rows [n, width], without the square root, whose gradient at 0 is none."""
    import tensorflow as tf  # noqa: PLC0415 - as above

    sizes = tf.reduce_sum(embedding**2, axis=1)
    products = tf.matmul(embedding, embedding, transpose_b=True)
    return tf.maximum(sizes[:, None] + sizes[None, :] - 2 * products, 0.0)


def median(squares: Tensor) -> Tensor:
    """The median off the diagonal of [n, n], the upper of the middle two; at least a little, so that it divides."""
    import tensorflow as tf  # noqa: PLC0415 - as above

    count = int(squares.shape[0])
    # The diagonal's zeros come first when sorted.
    ascending = tf.sort(tf.reshape(tf.linalg.set_diag(squares, tf.zeros(count)), [-1]))
    return tf.maximum(ascending[count + (count * count - count) // 2], 1e-6)


def _first(outputs: Outputs, rows: int) -> Outputs:
    return Made(
        logits=outputs.logits[:rows],
        embedding=outputs.embedding[:rows],
        truths=outputs.truths[:rows],
        domains=outputs.domains[:rows],
    )


def _stride(embedding: Tensor) -> int:
    return max(int(embedding.shape[0]) // MEDIAN_ROWS, 1)

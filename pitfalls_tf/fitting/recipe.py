"""A recipe: everything that decides a fit but its rows and its seed, and the interfaces that a remedy implements.

A remedy is a frozen dataclass that implements one of the protocols below; its fields are its settings. All of them get
one member at a time, as plain tensors of one batch, and several can be combined. Write them with TensorFlow's
functions: they become part of the compiled epoch, so no Python state, and no random numbers but from the given seed.

| a remedy that | is a | and is called |
|---|---|---|
| measures the error of a row differently | `Loss` | for every batch |
| adds a term of embeddings or logits, over domains or with unlabelled target rows | `Penalty` | for every batch |
| changes rows before the network sees them | `BatchTransform` | for every batch |
| weights rows by their losses or domains | `RowWeighting` | for every batch |
| changes fitted weights | `PostFitStep` | once, when every seed is fitted |

Optimisers, schedules, clipping, averaged weights and regularising layers are settings of `Optimiser` and of the
architectures. A recipe can be hashed, and two that are equal share one compiled program.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from pitfalls_tf.architectures.optimiser import Optimiser

if TYPE_CHECKING:
    import keras

    from pitfalls_tf.rows.examples import Examples, Shape

    Tensor = Any  # a tf.Tensor; TensorFlow has no types


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows on their way into the network.

    inputs   float32 [b, *shape]
    truths   float32 [b, classes]: one-hot, all zero where there is no label; shares once a transform mixed rows
    domains  int32 [b], position in `Examples.names` of the training rows; -1 for target rows
    """

    inputs: Tensor
    truths: Tensor
    domains: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The network's outputs for a batch: logits [b, classes] and embedding [b, width], with its truths and domains."""

    logits: Tensor
    embedding: Tensor
    truths: Tensor
    domains: Tensor


class Architecture(Protocol):
    """A family of networks with its settings: a frozen dataclass."""

    @property
    def uses_xla(self) -> bool:
        """Whether XLA is faster than TensorFlow's own kernels: true of dense layers, not of convolutions."""

    def build(self, shape: Shape) -> keras.Model:
        """Build the network. Returns float32 [n, *shape.inputs] to {"logits" [n, classes], "embedding" [n, width]}.

        Weights are redrawn from the seed of each member by the layers' own initialisers, see
        `architectures.initial_state`; no layer needs a seed.
        """


class Loss(Protocol):
    """The loss of each row."""

    def __call__(self, truths: Tensor, logits: Tensor) -> Tensor:
        """float32 [b] of truths and logits [b, classes]."""


class Penalty(Protocol):
    """A term added to the mean loss of every batch."""

    @property
    def needs_target(self) -> bool:
        """Whether it needs unlabelled rows of a target."""

    def head(self, shape: Shape, width: int) -> keras.Model | None:
        """A network that is trained along, such as a domain classifier of embeddings [n, width]; None without one."""

    def __call__(
        self, source: Outputs, target: Outputs | None, *, head: keras.Model | None, progress: Tensor
    ) -> Tensor:
        """A scalar. Call `head` as ``head(embedding)``; `progress` runs from 0 to 1 over the fit."""


class BatchTransform(Protocol):
    """A change of the batch before the network gets it."""

    def __call__(self, batch: Batch, seed: Tensor) -> Batch:
        """A batch of the same shapes; `seed` is int32 [2], new at every step, for tf.random.stateless_*."""


class RowWeighting(Protocol):
    """The weight of each row of a batch, with a memory from batch to batch."""

    def initial(self, shape: Shape) -> Any:
        """The memory before the first step: a float32 array; ``np.zeros(())`` for none."""

    def __call__(self, batch: Batch, losses: Tensor, logits: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Weights [b], of which no gradient is taken, and the new memory; the loss is mean(weights x losses)."""


FitsT = TypeVar("FitsT")  # `pitfalls_tf.fitting.fits.Fits`, which knows recipes


class PostFitStep(Protocol[FitsT]):
    """A step after the fit, over all seeds."""

    def __call__(self, fits: FitsT, training: Examples, target: Examples | None) -> FitsT:
        """The same seeds with other weights; see `Fits.map_members` and `FitOptions.start`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossEntropy:
    """Cross-entropy, with label smoothing (Szegedy et al., CVPR 2016); 0 for a row without a label."""

    smoothing: float = 0.0

    def __call__(self, truths: Tensor, logits: Tensor) -> Tensor:
        """float32 [b]."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        labelled = tf.reduce_sum(truths, axis=1, keepdims=True)
        if self.smoothing:
            truths = (1 - self.smoothing) * truths + self.smoothing * labelled / logits.shape[1]
        losses = tf.nn.softmax_cross_entropy_with_logits(truths, logits)
        # Its gradient assumes that truths sum to 1: without this, rows without a label would change the weights.
        return tf.where(labelled[:, 0] > 0, losses, tf.zeros_like(losses))


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStopping:
    """Stop a seed whose validation log-loss has not improved by `min_delta` for `patience` epochs; keep its best."""

    patience: int
    min_delta: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to fit. `trained` names the weights that are updated: all, normalisation layers', or the last layer's."""

    architecture: Architecture
    epochs: int
    batch: int
    optimiser: Optimiser = field(default_factory=Optimiser)
    loss: Loss = field(default_factory=CrossEntropy)
    penalties: tuple[Penalty, ...] = ()
    transforms: tuple[BatchTransform, ...] = ()
    weighting: RowWeighting | None = None
    post_fit: tuple[PostFitStep[Any], ...] = ()
    stopping: EarlyStopping | None = None
    trained: Literal["all", "normalisation", "logits"] = "all"

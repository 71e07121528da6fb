"""A recipe: everything that decides a fit, apart from its rows and its seed, and the places where a remedy enters.

A remedy is a frozen dataclass that fits one of the protocols below; its fields are its settings. All of them see one
member at a time, as plain tensors of one batch, and may be stacked. Write them with TensorFlow's functions: they become
part of the compiled epoch, so no Python state, no random numbers but from the seed that is handed over.

| a remedy that | is a | and is asked |
|---|---|---|
| measures the error of a row differently | `Loss` | for every batch |
| adds a term of embeddings or logits, over domains or against unlabelled target rows | `Penalty` | for every batch |
| changes rows before the network sees them | `BatchTransform` | for every batch |
| makes some rows count more, from their losses or domains | `RowWeighting` | for every batch |
| changes what a fit has learnt | `PostFitStep` | once, when every seed is fitted |

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
    """What the network made of a batch: logits [b, classes] and embedding [b, width], with its truths and domains."""

    logits: Tensor
    embedding: Tensor
    truths: Tensor
    domains: Tensor


class Architecture(Protocol):
    """A family of networks with its settings: a frozen dataclass."""

    @property
    def uses_xla(self) -> bool:
        """Whether XLA makes an epoch faster than TensorFlow's own kernels: so of dense layers, not of convolutions."""

    def build(self, shape: Shape) -> keras.Model:
        """float32 [n, *shape.inputs] to {"logits" [n, classes], "embedding" [n, width]}.

        Weights are redrawn from the seed of each member by the layers' own initialisers, see `networks.initial`; no
        layer needs a seed.

        Raises:
            BadInput: rows of this shape do not fit the family.
        """


class Loss(Protocol):
    """Error of each row."""

    def __call__(self, truths: Tensor, logits: Tensor) -> Tensor:
        """float32 [b] of truths and logits [b, classes]."""


class Penalty(Protocol):
    """A term added to the mean loss of every batch."""

    @property
    def needs_target(self) -> bool:
        """Whether it compares with unlabelled rows of a target: `fit` then asks for them."""

    def head(self, shape: Shape, width: int) -> keras.Model | None:
        """A network of its own that is trained along, such as a domain classifier of embeddings [n, width]; or None."""

    def __call__(
        self, source: Outputs, target: Outputs | None, *, head: keras.Model | None, progress: Tensor
    ) -> Tensor:
        """A scalar. `head` is called as ``head(embedding)``; `progress` runs from 0 to 1 over the fit."""


class BatchTransform(Protocol):
    """A change of the batch before the network sees it."""

    def __call__(self, batch: Batch, seed: Tensor) -> Batch:
        """A batch of the same shapes; `seed` is int32 [2], new at every step, for tf.random.stateless_*."""


class RowWeighting(Protocol):
    """How much each row of a batch counts, possibly remembering something from batch to batch."""

    def initial(self, shape: Shape) -> Any:
        """What it remembers before the first step: a float32 array; ``np.zeros(())`` for nothing."""

    def __call__(self, batch: Batch, losses: Tensor, logits: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Weights [b], of which no gradient is taken, and the new memory; the loss is mean(weights x losses)."""


FitsT = TypeVar("FitsT")  # `pitfalls_tf.fitting.fits.Fits`, which knows recipes


class PostFitStep(Protocol[FitsT]):
    """A step after fitting, over all seeds."""

    def __call__(self, fits: FitsT, training: Examples, target: Examples | None) -> FitsT:
        """The same seeds with other weights; see `Fits.map_members` and `FitOptions.start`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossEntropy:
    """The conventional loss, with labels smoothed if asked (Szegedy et al., CVPR 2016); 0 without a label."""

    smoothing: float = 0.0

    def __call__(self, truths: Tensor, logits: Tensor) -> Tensor:
        """float32 [b]."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        known = tf.reduce_sum(truths, axis=1, keepdims=True)
        if self.smoothing:
            truths = (1 - self.smoothing) * truths + self.smoothing * known / logits.shape[1]
        losses = tf.nn.softmax_cross_entropy_with_logits(truths, logits)
        # Its gradient takes for granted that truths sum to 1, so a row without a label would pull at the weights.
        return tf.where(known[:, 0] > 0, losses, tf.zeros_like(losses))


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStopping:
    """Stop a seed whose validation log-loss has not improved for `patience` epochs; its best epoch's weights stay."""

    patience: int
    smallest: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to fit. `trained` leaves all other weights as they start: normalisation layers alone, or the last layer."""

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

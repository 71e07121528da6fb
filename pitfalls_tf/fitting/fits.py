"""Fitted seeds: their weights, their epochs, and the predictions of their networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras
    from numpy.typing import NDArray

    from pitfalls_tf.fitting.program import Program
    from pitfalls_tf.fitting.recipe import Recipe
    from pitfalls_tf.rows.examples import Shape

    Arrays = tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One pass over the training rows, and the scores on the validation rows if there are any."""

    number: int  # from 1
    loss: float  # mean over the steps, penalties and dropout included; not finite when the fit diverged
    gradient_norm: float  # the largest of any step, before clipping
    validation_log_loss: float | None = None
    validation_brier: float | None = None
    validation_error: float | None = None

    @property
    def diverged(self) -> bool:
        """Whether the loss is NaN or infinite: no later epoch can recover from that."""
        return not np.isfinite(self.loss)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One fitted seed.

    weights  the trainable weights that predict: the average if the recipe keeps one, and the best epoch's if it stops
             early
    state    all other variables of the network: statistics of batch normalisation, counters of dropout
    weights_epoch  the number of the epoch whose weights these are
    """

    seed: int
    weights: Arrays
    state: Arrays
    epochs: tuple[Epoch, ...]
    weights_epoch: int

    @property
    def diverged(self) -> bool:
        """Whether its loss became NaN or infinite; its predictions cannot be used."""
        return any(epoch.diverged for epoch in self.epochs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """The fitted seeds of a recipe, in the order of the call. Diverged ones stay; `healthy` leaves them out."""

    recipe: Recipe
    program: Program
    members: tuple[Member, ...]

    @property
    def shape(self) -> Shape:
        """The shape of the rows."""
        return self.program.shape

    @property
    def seeds(self) -> tuple[int, ...]:
        """One per member."""
        return tuple(member.seed for member in self.members)

    @property
    def diverged(self) -> tuple[int, ...]:
        """Seeds whose loss became NaN or infinite."""
        return tuple(member.seed for member in self.members if member.diverged)

    @property
    def healthy(self) -> Fits:
        """Without the diverged seeds."""
        return replace(self, members=tuple(member for member in self.members if not member.diverged))

    def __len__(self) -> int:
        return len(self.members)

    def of_seed(self, seed: int) -> Fits:
        """The fits of one seed alone."""
        members = tuple(member for member in self.members if member.seed == seed)
        if not members:
            raise BadInput(
                "That seed was not fitted.",
                got=str(seed),
                expected=f"of: {', '.join(map(str, self.seeds))}",
                fix="Fit it, or choose among those.",
            )
        return replace(self, members=members)

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [seeds, n, classes]."""
        return self._outputs(inputs, "logits")

    def embedding(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [seeds, n, width]."""
        return self._outputs(inputs, "embedding")

    def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities, float64 [seeds, n, classes]; NaN for a diverged seed."""
        return softmax(self.logits(inputs))

    def model(self, seed: int) -> keras.Model:
        """A Keras model of that seed, of plain Keras layers: encoded inputs to {"logits", "embedding"}."""
        (member,) = self.of_seed(seed).members
        return self.program.model(member.weights, member.state)

    def map_members(self, change: Callable[[Member], Member]) -> Fits:
        """Fits whose members are changed, for example given other batch-normalisation statistics; not diverged ones."""
        return replace(self, members=tuple(member if member.diverged else change(member) for member in self.members))

    def history(self) -> pa.Table:
        """One row per seed and epoch: seed, epoch, loss, gradient_norm and the validation scores (null without)."""
        rows = [
            {
                "seed": member.seed,
                "epoch": epoch.number,
                **{
                    name: getattr(epoch, name)
                    for name in ("loss", "gradient_norm", "validation_log_loss", "validation_brier", "validation_error")
                },
            }
            for member in self.members
            for epoch in member.epochs
        ]
        return pa.Table.from_pylist(rows, schema=HISTORY)

    def _outputs(self, inputs: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        return np.stack([self.program.outputs(member.weights, member.state, inputs)[name] for member in self.members])


HISTORY = pa.schema(
    [
        ("seed", pa.int64()),
        ("epoch", pa.int64()),
        ("loss", pa.float64()),
        ("gradient_norm", pa.float64()),
        ("validation_log_loss", pa.float64()),
        ("validation_brier", pa.float64()),
        ("validation_error", pa.float64()),
    ]
)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities over the last axis. Returns float64 of the same shape.

    Args:
        logits: float32 [..., classes].

    >>> softmax(np.array([[0.0, 0.0]], dtype=np.float32)).tolist()
    [[0.5, 0.5]]
    """
    raised = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return shares

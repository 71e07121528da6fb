"""The conventional recipe of each source: a widely used architecture, trained as its paper recommends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pitfalls_tf.architectures.catalogue import IMAGE_NETWORKS, TABLE_NETWORKS
from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.fitting.recipe import Recipe

if TYPE_CHECKING:
    from pitfalls_tf.architectures.catalogue import ImageNetwork, TableNetwork

NETWORKS: Final[dict[str, TableNetwork | ImageNetwork]] = {
    "flights": TABLE_NETWORKS["mlp"],
    "rodents": TABLE_NETWORKS["mlp"],
    "digits": IMAGE_NETWORKS["lenet"],
    "letters": Mlp(hidden=(128, 64)),  # an eighth of the time of a convolutional one, for runs in the thousands
}
BATCHES: Final = {"flights": 256, "rodents": 128, "digits": 64, "letters": 64}
EPOCHS: Final = {"flights": 12, "rodents": 40, "digits": 15, "letters": 20}
QUICK_EPOCHS: Final = {"flights": 9, "rodents": 15, "digits": 6, "letters": 8}


def recipe(source: str, *, quick: bool = False, network: TableNetwork | ImageNetwork | None = None) -> Recipe:
    """The conventional recipe of a source, or with another network; no stabiliser, no early stopping."""
    chosen = NETWORKS[source] if network is None else network
    return Recipe(
        architecture=chosen,
        epochs=(QUICK_EPOCHS if quick else EPOCHS)[source],
        batch=BATCHES[source],
        optimiser=chosen.optimiser,
    )

"""A setup: everything that decides a run but its seed, composed of names and numbers."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from monitoring.errors import BadInput
from pitfalls_tf.architectures.catalogue import IMAGE_NETWORKS, TABLE_NETWORKS, ImageNetwork, TableNetwork
from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.fitting.recipe import EarlyStopping, Recipe
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.remedies.remedy import Remedy
from pitfalls_tf.rows.folds import Folds
from pitfalls_tf.rows.splits import SplitKind
from pitfalls_tf.sources.table import TableFile

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


SourceName = Literal["flights", "rodents", "digits", "letters", "table"]

SOURCES: Final[tuple[SourceName, ...]] = ("flights", "rodents", "digits", "letters", "table")
IMAGES: Final = frozenset({"digits", "letters"})  # sources of images, which have no times and no table
# A table file has no usual settings; it gets those of rodents, which has about as many rows as most tables.
LIKE: Final = {"table": "rodents"}
COLUMNS: Final = ("features", "ignored", "categories")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Which rows are held out to be scored.

    split    one part: at random, in blocks of days, by time or by domain; or folds of blocks of days, which hold out
             every row once; None for the source's own: domains of images, blocks of all others
    at       of a split by time, the first moment held out, ISO 8601; None for the source's own
    domains  of a split by domain, those held out: whole names, or the part before the first slash
    folds    of a split by folds; None for five of the source's blocks
    """

    split: SplitKind | None = None
    at: str | None = None
    domains: tuple[str, ...] = ()
    folds: Folds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Rows whose event time lies in [start, end), aware datetimes."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Everything that decides a run but its seed and its rows. What is None is the source's or the network's own.

    architecture   a name of `architectures.catalogue`
    remedy         a name of `remedies.catalogue`, or several joined by `+`
    stopping       epochs without a better validation log-loss after which a seed stops; None: none stops early
    table          of source "table", the columns of the file
    dropout        of the network
    weight_decay   of the optimiser
    period         the rows of the source that are used; None for all
    known_as       the name of a setup of `SETUPS`; None for one that is named after its parts
    """

    source: SourceName
    architecture: str | None = None
    remedy: str | None = None
    held_out: HeldOut = field(default_factory=HeldOut)
    epochs: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    stopping: int | None = None
    table: TableFile | None = None
    dropout: float | None = None
    weight_decay: float | None = None
    period: Period | None = None
    known_as: str | None = None

    @property
    def name(self) -> str:
        """The name of the folder of its runs: source, network, remedy and split, as far as they were chosen.

        >>> Setup(source="rodents", remedy="batch_norm", held_out=HeldOut(split="time")).name
        'rodents-batch_norm-time'
        """
        if self.known_as is not None:
            return self.known_as
        source = self.source if self.table is None else self.table.path.stem
        chosen = (source, self.architecture, self.remedy, self.held_out.split)
        return "-".join(part for part in chosen if part is not None)

    @property
    def split(self) -> SplitKind:
        """The split that was chosen, or the source's own."""
        return self.held_out.split or ("domain" if self.source in IMAGES else "blocked")

    @property
    def network(self) -> TableNetwork | ImageNetwork:
        """The network, with its own paper's settings where the setup has none."""
        network = self._architecture()
        return network if self.dropout is None else replace(network, dropout=self.dropout)

    @property
    def recipe(self) -> Recipe:
        """How to fit, before a remedy changes it."""
        network, like = self.network, LIKE.get(self.source, self.source)
        optimiser = network.optimiser
        rate = optimiser.learning_rate if self.learning_rate is None else self.learning_rate
        if not (rate > 0 and math.isfinite(rate)):
            raise BadInput(
                "The learning rate must be a finite number above 0.",
                got=f"{rate:g}",
                expected=f"such as the network's own {optimiser.learning_rate:g}",
                fix="Leave out --learning-rate, or give a small positive number.",
            )
        decay = optimiser.weight_decay if self.weight_decay is None else self.weight_decay
        return Recipe(
            architecture=network,
            epochs=self.epochs or EPOCHS[like],
            batch=self.batch or BATCHES[like],
            optimiser=replace(optimiser, learning_rate=rate, weight_decay=decay),
            stopping=None if self.stopping is None else EarlyStopping(patience=self.stopping),
        )

    def find_remedy(self) -> Remedy | None:
        """The remedy, or the chain of those joined by `+`. Returns the remedy; None without one."""
        return None if self.remedy is None else catalogue.find(self.remedy)

    def document(self) -> dict[str, Any]:
        """The setup as a run's manifest holds it; `read` reads it back."""
        return {"name": self.name, "kind": "composed", **asdict(self)}

    def _architecture(self) -> TableNetwork | ImageNetwork:
        if self.architecture is None:
            return NETWORKS[LIKE.get(self.source, self.source)]
        fitting: Mapping[str, TableNetwork | ImageNetwork] = IMAGE_NETWORKS if self.source in IMAGES else TABLE_NETWORKS
        if self.architecture in fitting:
            return fitting[self.architecture]
        networks = [*TABLE_NETWORKS, *IMAGE_NETWORKS]
        near = difflib.get_close_matches(self.architecture, fitting, n=1)
        raise BadInput(
            "No such network." if self.architecture not in networks else "This network is for rows of another kind.",
            got=repr(self.architecture),
            expected=f"for {self.source}: {', '.join(fitting)}",
            fix=f"Did you mean {near[0]}?" if near else "Choose one of those.",
        )


FLIGHTS: Final = Setup(
    source="flights",
    held_out=HeldOut(split="folds", folds=Folds(count=5, block_days=3, seed=2013)),
    epochs=4,
    batch=256,  # the largest of which a sum is the same on every processor
    learning_rate=2e-3,
    dropout=0.5,
    weight_decay=1e-2,
    # January to March 2013 by New York's calendar.
    period=Period(start=datetime(2013, 1, 1, 5, tzinfo=UTC), end=datetime(2013, 4, 1, 4, tzinfo=UTC)),
    known_as="flights",
)

#: Tuned setups by name; the name of a source without flags means the setup here, if there is one.
SETUPS: Final[dict[str, Setup]] = {"flights": FLIGHTS}


def read(document: Mapping[str, Any]) -> Setup:
    """Read a setup from a manifest.

    Raises:
        BadInput: it is not a setup, or one of a training that no longer exists.
    """
    if "optimisation" in document and "kind" not in document:
        raise BadInput(
            "This run was trained by an earlier version, whose training of flights no longer exists.",
            got=f"a manifest of setup {document.get('name')!r} without kind",
            expected='a manifest whose setup has "kind": "composed"',
            fix="Train it again: pitfalls train flights. Its runs can still be compared and exported as they are.",
        )
    try:
        fields = {name: value for name, value in document.items() if name not in {"name", "kind"}}
        table = fields.pop("table")
        if table is not None:
            lists = {name: None if table[name] is None else tuple(table[name]) for name in COLUMNS}
            table = TableFile(**{**table, **lists, "path": Path(table["path"])})
        period = fields.pop("period", None)
        if period is not None:
            period = Period(**{bound: datetime.fromisoformat(moment) for bound, moment in period.items()})
        return Setup(held_out=_held_out(fields.pop("held_out")), table=table, period=period, **fields)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(
            "The manifest's setup cannot be read.",
            got=f"{type(error).__name__}: {error}",
            expected="what `pitfalls train` wrote into a manifest",
            fix="Name the manifest.json of a run.",
        ) from error


def _held_out(document: Mapping[str, Any]) -> HeldOut:
    folds = document.get("folds")
    return HeldOut(
        split=document["split"],
        at=document["at"],
        domains=tuple(document["domains"]),
        folds=None if folds is None else Folds(**folds),
    )

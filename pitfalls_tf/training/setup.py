"""A setup composed of names: the source, the network, the remedies, and which rows are held out."""

from __future__ import annotations

import difflib
import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from monitoring.errors import BadInput
from pitfalls_tf.architectures.catalogue import IMAGES, TABLES
from pitfalls_tf.fitting.recipe import Recipe, Stopping
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.sources.table import OwnTable
from pitfalls_tf.training.conventional import BATCHES, EPOCHS, NETWORKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pitfalls_tf.architectures.catalogue import Imaging, Tabular
    from pitfalls_tf.remedies.remedy import Remedy

Source = Literal["flights", "rodents", "digits", "table"]
SplitKind = Literal["random", "blocked", "time", "domain"]

SOURCES: Final[tuple[Source, ...]] = ("flights", "rodents", "digits", "table")
SPLITS: Final[tuple[SplitKind, ...]] = ("random", "blocked", "time", "domain")
# Of a table of one's own, nobody knows; these are those of rodents, which are as many as most tables have.
LIKE: Final = {"table": "rodents"}
COLUMNS: Final = ("features", "ignored", "categories")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Which rows no seed learns from and all are scored on.

    split    at random, in blocks of days, by time or by domain; None for the source's own: domains of digits, blocks
             of all others
    at       of a split by time, the first moment held out, ISO 8601; None for the source's own
    domains  of a split by domain, those held out: whole names, or what stands before the first slash
    """

    split: SplitKind | None = None
    at: str | None = None
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedSetup:
    """Everything that decides a run but its seed and its rows. What is None is as the source has it.

    architecture   a name of `architectures.catalogue`
    remedy         a name of `remedies.catalogue`, or several joined by `+`
    stopping       epochs without a better validation log-loss after which a seed stops; None: none stops early
    table          of source "table", the columns of the file
    """

    source: Source
    architecture: str | None = None
    remedy: str | None = None
    held_out: HeldOut = field(default_factory=HeldOut)
    epochs: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    stopping: int | None = None
    table: OwnTable | None = None

    @property
    def name(self) -> str:
        """Of the folder of its runs: source, network, remedy and split, as far as they were chosen.

        >>> ComposedSetup(source="rodents", remedy="batch_norm", held_out=HeldOut(split="time")).name
        'rodents-batch_norm-time'
        """
        source = self.source if self.table is None else self.table.path.stem
        chosen = (source, self.architecture, self.remedy, self.held_out.split)
        return "-".join(part for part in chosen if part is not None)

    @property
    def split(self) -> SplitKind:
        """The split that was chosen, or the source's own."""
        return self.held_out.split or ("domain" if self.source == "digits" else "blocked")

    @property
    def network(self) -> Tabular | Imaging:
        """The network with its own paper's settings.

        Raises:
            BadInput: no such network, or none for rows of this kind.
        """
        if self.architecture is None:
            return NETWORKS[LIKE.get(self.source, self.source)]
        fitting: Mapping[str, Tabular | Imaging] = IMAGES if self.source == "digits" else TABLES
        if self.architecture in fitting:
            return fitting[self.architecture]
        known = [*TABLES, *IMAGES]
        near = difflib.get_close_matches(self.architecture, fitting, n=1)
        raise BadInput(
            "No such network." if self.architecture not in known else "This network is for rows of another kind.",
            got=repr(self.architecture),
            expected=f"for {self.source}: {', '.join(fitting)}",
            fix=f"Did you mean {near[0]}?" if near else "Choose one of those.",
        )

    @property
    def fix(self) -> Remedy | None:
        """The remedy; None without one.

        Raises:
            BadInput: there is none of that name.
        """
        return None if self.remedy is None else catalogue.find(self.remedy)

    @property
    def recipe(self) -> Recipe:
        """How to fit before the remedy has its say.

        Raises:
            BadInput: as of `network`; or a learning rate that is not above 0.
        """
        network, like = self.network, LIKE.get(self.source, self.source)
        rate = network.optimiser.learning_rate if self.learning_rate is None else self.learning_rate
        if not (rate > 0 and math.isfinite(rate)):
            raise BadInput(
                "No step goes downhill at this learning rate.",
                got=f"{rate:g}",
                expected=f"a finite number above 0, such as the network's own {network.optimiser.learning_rate:g}",
                fix="Leave out --learning-rate, or give a small one.",
            )
        return Recipe(
            architecture=network,
            epochs=self.epochs or EPOCHS[like],
            batch=self.batch or BATCHES[like],
            optimiser=replace(network.optimiser, learning_rate=rate),
            stopping=None if self.stopping is None else Stopping(patience=self.stopping),
        )

    def document(self) -> dict[str, Any]:
        """As a run's manifest keeps it; `read` reads it back."""
        return {"name": self.name, "kind": "composed", **asdict(self)}


def read(document: Mapping[str, Any]) -> ComposedSetup:
    """The setup of a document.

    Raises:
        BadInput: it is none.
    """
    try:
        given = {name: value for name, value in document.items() if name not in {"name", "kind"}}
        held_out = dict(given.pop("held_out"))
        table = given.pop("table")
        if table is not None:
            lists = {name: None if table[name] is None else tuple(table[name]) for name in COLUMNS}
            table = OwnTable(**{**table, **lists, "path": Path(table["path"])})
        domains = tuple(held_out.pop("domains"))
        return ComposedSetup(held_out=HeldOut(**held_out, domains=domains), table=table, **given)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(
            "This is no setup of ours.",
            got=f"{type(error).__name__}: {error}",
            expected="what `pitfalls train` wrote into a manifest",
            fix="Name the manifest.json of a run.",
        ) from error

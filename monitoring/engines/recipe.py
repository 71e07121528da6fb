"""What a task needs to know to read rows and sum them up: nothing of what was judged, and no rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.profile import Bins
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.baseline.spec import BaselineSpec
from monitoring.distribution import installed_version
from monitoring.errors import BadInput, CannotRun
from monitoring.fits.packing import pack, unpack
from monitoring.judging.window.row_scorer import RowScorer
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.traffic.descriptors.vocabulary import HashedVocabulary
from monitoring.traffic.tables.columns import TableColumns
from monitoring.watches.catalogue import Catalogue

#: Bytes of a recipe, without the ids of labels that come apart from their rows: more is refused.
MOST_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """What every task of a deployment's windows needs.

    Attributes:
        threshold: the confidence below which a row counts as an error in thresholded estimates; None for none.
        confusion_classes: models with at most so many classes get an expected confusion matrix.
        labelled_apart: keys of the ids whose labels come apart from their rows; None where there are no such labels.
    """

    catalogue: Catalogue
    threshold: float | None
    confusion_classes: int
    vocabularies: Mapping[str, HashedVocabulary]
    spec: BaselineSpec
    columns: TableColumns
    labelled_apart: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls,
        aggregator: WindowAggregator,
        spec: BaselineSpec,
        columns: TableColumns,
        labelled_apart: NDArray[np.int64] | None = None,
    ) -> Recipe:
        """What an aggregator of a window does, on rows of a table."""
        scorer = aggregator.scorer
        _require_plain(scorer.catalogue)
        return cls(
            catalogue=replace(scorer.catalogue, feature_space=None),
            threshold=scorer.threshold,
            confusion_classes=scorer.confusion_classes,
            vocabularies=dict(aggregator.profiles.vocabularies),
            spec=spec,
            columns=columns,
            labelled_apart=labelled_apart,
        )

    @cached_property
    def packed(self) -> bytes:
        """The recipe as bytes, with the version of the code that wrote them."""
        data = pack({"version": installed_version(), "recipe": tuple(getattr(self, name) for name in _FIELDS)})
        beyond = len(data) - (0 if self.labelled_apart is None else self.labelled_apart.nbytes)
        if beyond > MOST_BYTES:
            raise BadInput(
                "What each task needs of the baseline is too large to be sent.",
                got=f"{beyond:,} bytes",
                expected=f"at most {MOST_BYTES:,}, which thousands of inputs need",
                fix='Remove `kind` from the [engine] section: "local" sends nothing.',
            )
        return data

    @cached_property
    def digest(self) -> str:
        """What the recipe comes to: partials of another are not merged with its own.

        Each part counts by itself: `pack` says too which objects are one, and a fit that was read back shares others.
        """
        parts = (hashlib.sha256(pack(getattr(self, name))).digest() for name in _FIELDS)
        return hashlib.sha256(b"".join([installed_version().encode(), *parts])).hexdigest()

    @cached_property
    def edges_digest(self) -> str:
        """What inputs are counted on: the bins alone."""
        return bins_digest(self.catalogue.bins)

    @cached_property
    def scorer(self) -> RowScorer:
        """Makes the tallies."""
        return RowScorer(self.catalogue, threshold=self.threshold, confusion_classes=self.confusion_classes)

    @cached_property
    def profiles(self) -> ProfileBuilder:
        """Counts the inputs."""
        return ProfileBuilder(self.catalogue.bins, vocabularies=self.vocabularies)


_FIELDS = ("catalogue", "threshold", "confusion_classes", "vocabularies", "spec", "columns", "labelled_apart")


@lru_cache(maxsize=4)
def unpacked(data: bytes) -> Recipe:
    """The recipe that `Recipe.packed` wrote; the last few are kept.

    Args:
        data: The bytes.

    Raises:
        CannotRun: They were written by another version of the code, or are damaged.
    """
    try:
        document: dict[str, Any] = unpack(data)
        wrote, fields = document["version"], document["recipe"]
    except (ValueError, LookupError, TypeError) as error:
        wrote, fields, reason = "another release", None, str(error)
    else:
        reason = wrote
    if fields is None or wrote != installed_version():
        raise CannotRun(
            "A task was given by another version of pitfalls.",
            got=reason,
            expected=f"version {installed_version()}, which is installed where the task runs",
            fix="Install the same version on every machine that runs tasks, and on the one that judges.",
        )
    return Recipe(**dict(zip(_FIELDS, fields, strict=True)))


def bins_digest(bins: tuple[Bins, ...]) -> str:
    """A digest of bins: of their inputs, edges and categories."""
    return hashlib.sha256(pack(bins)).hexdigest()


def _require_plain(catalogue: Catalogue) -> None:
    """Check that tasks can be run elsewhere. Raises BadInput if not."""
    what = None
    if catalogue.losses.custom.metrics:
        what = "metrics of your own in Python, which only the monitor's own process runs"
    elif catalogue.embedding is not None:
        what = "an embedding, which the model computes"
    if what is not None:
        raise BadInput(
            "The rows of this deployment are read by one process.",
            got=what,
            expected="watches that every task can compute",
            fix='Remove `kind` and `keep` from the [engine] section: the engine is "local" then.',
        )

"""Live rows as a person reads them: some by their ids, or the most typical ones of a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import final
from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.baseline.spec import BaselineSpec, Embedding, FeatureSpec
from monitoring.config import MonitorConfig
from monitoring.judging.window.bottom_k_sample import BottomKSample
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import open_traffic, with_labels
from monitoring.traffic.cells import decoded
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors
from monitoring.traffic.descriptors.image import ImageDescriptors
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.ranked_ids import ids_by_code
from monitoring.traffic.windows import Window
from monitoring.watches.sampling import sample_hashes
from monitoring.watches.scoring import slice_codes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiveRows:
    """Reads live rows. `labels`: the last label of each prediction."""

    judged: TrafficSource
    shown: TrafficSource
    labels: pa.Table
    spec: BaselineSpec

    @classmethod
    def open(
        cls, config: MonitorConfig, baseline: Baseline, version: int, *, since: datetime, clock: Callable[[], datetime]
    ) -> LiveRows:
        """Open the traffic of a config. Cost: all labels are read.

        Raises:
            BadInput: The config names no traffic, or none that can be used.
        """
        specs = (replace(baseline.spec, embedding=None), readable(baseline.spec))
        judged, shown = (
            open_traffic(
                config, replace(baseline, spec=spec), version, clock=clock, scope=ReadScope(since=since, lean=True)
            )
            for spec in specs
        )
        return cls(judged=judged, shown=shown, labels=shown.latest_labels(), spec=baseline.spec)

    def some(self, ids: pa.Array, window: Window) -> Predictions:
        """The rows of a window with these ids, in their order, with their labels; those that are there."""
        predictions, _ = self.shown.rows(window).select(IdSet(ids))
        places = {name: place for place, name in enumerate(predictions.ids.to_pylist())}
        indices = [places[name] for name in ids.to_pylist() if name in places]
        return with_labels(predictions.take(np.array(indices, dtype=np.int64)), self._last_first(ids), self.spec.task)

    def _last_first(self, ids: pa.Array) -> pa.Table:
        """The labels of these predictions, the last to arrive first."""
        those = self.labels.filter(pc.is_in(self.labels["prediction_id"], value_set=ids.cast(pa.string())))
        return those.take(pa.array(np.arange(those.num_rows)[::-1]))

    def images(self, ids: pa.Array, window: Window) -> dict[str, tuple[bytes | None, ...]]:
        """The images of some rows of a window that are files, in the order of their ids, by column."""
        wanted = IdSet(ids)
        by_column = {name: self.judged.images(name, window, wanted) for name in image_files_of(self.spec)}
        return {name: tuple(map(files.get, ids.to_pylist())) for name, files in by_column.items()}

    def id_names(self, ids: pa.Array, window: Window) -> dict[int, str]:
        """Of a ranking the ids that some rows of a window were answered or have as labels, by their codes."""
        if not self.spec.task.answers_are_hashes:
            return {}
        return self.judged.answered_ids(window, IdSet(ids)) | ids_by_code(decoded(self._last_first(ids)["label"]))

    def first_window(self, length: timedelta) -> Window | None:
        """The first window of some length in the traffic; None where there is no row."""
        spans = self.judged.spans(length)
        return Window(start=spans[0][0], end=spans[0][0] + length) if spans else None

    def typical(self, window: Window, part: str, most: int) -> Predictions:
        """The most typical rows of a slice of a window, at most so many, of a sample of its rows."""
        sample = BottomKSample()
        for batch in self.judged.rows(window).batches():
            sample.add(batch, sample_hashes(batch), in_slice(batch.features, part))
        rows = sample.rows(no_predictions(self.spec))
        return self.some(rows.ids.take(pa.array(most_typical(rows.features, most))), window)


def in_slice(inputs: pa.Table, part: str) -> NDArray[np.bool_] | None:
    """Which rows are in a slice of an input.

    Args:
        part: The slice, `COLUMN=VALUE`.

    Returns:
        [n]; None for all of them, as where the slice is of classes, or there is none.

    >>> in_slice(pa.table({"shop": ["north", "south"]}), "shop=south").tolist()
    [False, True]
    """
    column, _, value = part.partition("=")
    if column not in inputs.column_names:
        return None
    return np.asarray(slice_codes(inputs[column], (value,)) == 0, dtype=np.bool_)


#: Columns that a person looks at, rather than at the inputs that describe them.
_LOOKED_AT = ("text", "image")


def readable(spec: BaselineSpec) -> BaselineSpec:
    """The specification by which live rows are read with their texts and images.

    Returns:
        Texts are categories, images are the tensors of an embedding without numbers, and those in files are left out;
        other inputs stay as they are.
    """
    looked_at = [descriptor for descriptor in spec.described if descriptor.kind in _LOOKED_AT]
    instead = {name for descriptor in looked_at for name in descriptor.kinds}
    images = images_of(spec)
    return replace(
        spec,
        features=(
            *(
                FeatureSpec(name=descriptor.source, kind="category")
                for descriptor in looked_at
                if descriptor.kind == "text"
            ),
            *(feature for feature in spec.features if feature.name not in instead),
        ),
        described=tuple(descriptor for descriptor in spec.described if descriptor.kind not in _LOOKED_AT),
        embedding=Embedding(tensors=images, columns=()) if images else None,
    )


def images_of(spec: BaselineSpec) -> tuple[str, ...]:
    """The columns of images as the numbers that a model takes."""
    return tuple(descriptor.source for descriptor in spec.described if isinstance(descriptor, ImageDescriptors))


def image_files_of(spec: BaselineSpec) -> tuple[str, ...]:
    """The columns of images as files."""
    return tuple(descriptor.source for descriptor in spec.described if isinstance(descriptor, EncodedImageDescriptors))


def texts_of(spec: BaselineSpec) -> tuple[str, ...]:
    """The columns of texts."""
    return tuple(descriptor.source for descriptor in spec.described if descriptor.kind == "text")


Floats = NDArray[np.float64]


def typicality(inputs: pa.Table) -> Floats:
    """How typical each row is of all of them: the mean over its inputs.

    A number counts 1 at the median and 0 at either end of the ranks; a category its share of rows over that of the most
    frequent one; what is missing counts 0.

    >>> typicality(pa.table({"age": [1.0, 2.0, 50.0], "shop": ["a", "a", "b"]})).round(2).tolist()
    [0.67, 1.0, 0.42]
    """
    if not inputs.num_columns:
        return np.zeros(inputs.num_rows)
    columns = [column.combine_chunks() for column in final(inputs).columns]
    each = [_of_numbers(column) if pa.types.is_floating(column.type) else _of_words(column) for column in columns]
    mean: Floats = np.mean(each, axis=0)
    return mean


def most_typical(inputs: pa.Table, most: int) -> NDArray[np.int64]:
    """The indices of the most typical rows, at most so many, the most typical first."""
    order: NDArray[np.int64] = np.argsort(-typicality(inputs), kind="stable")
    return order[:most]


def _of_numbers(column: pa.Array) -> Floats:
    values = np.asarray(column, dtype=np.float64)
    is_finite = np.isfinite(values)
    scores = np.zeros(values.size)
    ordered = np.sort(values[is_finite])
    if ordered.size:
        first, last = (np.searchsorted(ordered, values[is_finite], side=side) for side in ("left", "right"))
        scores[is_finite] = 1.0 - np.abs((first + last) / ordered.size - 1.0)
    return scores


def _of_words(column: pa.Array) -> Floats:
    coded = column.cast(pa.string()).dictionary_encode()
    codes = np.asarray(pc.fill_null(coded.indices, -1), dtype=np.int64)
    counts = np.append(np.bincount(codes[codes >= 0], minlength=len(coded.dictionary)), 0).astype(np.float64)
    return np.asarray(counts[codes] / max(counts.max(), 1.0), dtype=np.float64)

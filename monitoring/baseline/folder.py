"""The baseline on disk: what the model and its traffic looked like when it was good."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.baseline.predictions import Predictions, predictions_from
from monitoring.baseline.profile import Bins, FeatureCounts, Profile, fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.reference import MAX_BATCH_ROWS, ReferenceFile, ReferenceRows, how_to_rewrite, unreadable
from monitoring.baseline.spec import BaselineSpec, Embedding, FeatureSpec
from monitoring.errors import BadInput, CannotRun
from monitoring.records import Rebaseline
from monitoring.tasks.registry import read_task, task_document
from monitoring.tasks.task import WatchedOutput
from monitoring.traffic.descriptors.registry import read_descriptors

FORMAT = 1
DESCRIPTION = "baseline.json"
REFERENCE = "reference.parquet"
_WRITTEN = "the description that was written with the baseline"

#: Pages are small, as a reader holds one or two of every column.
_PARQUET: Final[dict[str, Any]] = {
    "compression": "zstd",
    "row_group_size": MAX_BATCH_ROWS,
    "data_page_size": 1 << 17,
    "dictionary_pagesize_limit": 1 << 17,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A model's inputs and classes, the bins and counts of its reference rows, and the `rows` themselves."""

    spec: BaselineSpec
    bins: tuple[Bins, ...]
    profile: Profile
    rows: ReferenceRows

    @property
    def reference(self) -> Predictions:
        """All rows in memory, read at each access."""
        return self.rows.whole()

    @property
    def input_bins(self) -> tuple[tuple[Bins, ...], tuple[FeatureCounts, ...]]:
        """Bins and counts of the features that are inputs, not answers of other outputs."""
        outputs = self.spec.of_outputs
        pairs = [pair for pair in zip(self.bins, self.profile.features, strict=True) if pair[0].feature not in outputs]
        return tuple(bins for bins, _ in pairs), tuple(counts for _, counts in pairs)


def write_baseline(reference: pa.Table, *, folder: Path, spec: BaselineSpec) -> None:
    """Write a baseline: ``reference.parquet`` (the rows) and ``baseline.json`` (classes, inputs, bins and counts).

    The rows' own ids are not kept: each row is given its place, in the order of event times, then of ids.

    Args:
        reference: One row per prediction that the model made on rows it was not fitted on. Columns: `prediction_id`,
            `event_time`, every input of `spec`, `probabilities` (list of floats), `label` and `label_time` (null where
            there is no label), and those of the embedding if there is one.
        folder: Where to write it; created if needed.
    """
    embedding = () if spec.embedding is None else spec.embedding.columns
    inputs = [*(f.name for f in spec.features), *embedding]
    needed = ["prediction_id", "event_time", *inputs, "probabilities", "label", "label_time"]
    there = set(reference.column_names)
    absent = [name for name in needed if name not in there]
    if absent or reference.num_rows == 0:
        raise BadInput(
            "Not a reference table.",
            got=f"no column {', '.join(absent)}" if absent else "no rows",
            expected=f"rows with the columns {', '.join(needed)}",
            fix="Give the table of out-of-fold predictions.",
        )
    rows = reference.select(needed).sort_by([("event_time", "ascending"), ("prediction_id", "ascending")])
    rows = rows.set_column(0, rows.schema.field("prediction_id").with_type(pa.string()), _places(rows.num_rows))
    predictions = predictions_from(rows, spec)
    if predictions.problems:
        raise BadInput(
            "An input of the reference table has the wrong type.",
            got="; ".join(f"{name}: {problem}" for name, problem in predictions.problems),
            expected="numbers for number inputs, text for categories",
            fix="Cast the column, or declare the input as what it is.",
        )
    if spec.other_task is not None:
        spec = replace(spec, other_task=spec.other_task.fitted(predictions.probabilities, predictions.labels))
    bins = fit_bins(predictions, spec)
    counts = profile(predictions, bins)
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, folder / REFERENCE, **_PARQUET)
    document = _description(spec, bins, counts, digest=_digest(folder / REFERENCE))
    (folder / DESCRIPTION).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _places(rows: int) -> pa.Array:
    """The places of rows as ids that sort as the rows do: `reference-007:0`."""
    width = len(str(max(rows - 1, 0)))
    return pa.array([f"reference-{row:0{width}}:0" for row in range(rows)], pa.string())


def _digest(path: Path) -> str:
    with path.open("rb") as rows:
        return hashlib.file_digest(rows, "sha256").hexdigest()


def load_baseline(folder: Path) -> Baseline:
    """Read what `write_baseline` wrote; the rows stay in their file."""
    description = folder / DESCRIPTION
    if not description.is_file() or not (folder / REFERENCE).is_file():
        raise CannotRun(
            "There is no baseline here.",
            got=str(folder),
            expected=f"a folder with {DESCRIPTION} and {REFERENCE}",
            fix=how_to_rewrite(folder),
        )
    document = _document(description)
    if document.get("format") != FORMAT:
        raise CannotRun(
            "The baseline has another format.",
            got=f"format {document.get('format')}",
            expected=f"format {FORMAT}",
            fix=how_to_rewrite(folder),
        )
    spec, bins, counts = _described(document, description)
    rows = ReferenceFile(folder / REFERENCE, spec)
    rows.check(counts.rows)
    return Baseline(spec=spec, bins=bins, profile=counts, rows=rows)


def _description(spec: BaselineSpec, bins: tuple[Bins, ...], counts: Profile, *, digest: str) -> dict[str, Any]:
    """What `_parsed` reads."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "classes": list(spec.classes),
        "rows": counts.rows,
        "reference": digest,
        "features": [
            {
                "name": feature.name,
                "kind": feature.kind,
                **({"code": True} if feature.is_code else {}),
                **({"source": feature.source} if feature.source else {}),
                "edges": None if b.edges is None else list(b.edges),
                "categories": None if b.categories is None else list(b.categories),
                "counts": list(c.counts),
                "missing": c.missing,
            }
            for feature, b, c in zip(spec.features, bins, counts.features, strict=True)
        ],
    }
    if spec.columns:  # of a table; a bundle's description stays as it was
        document |= {"scored": spec.has_probabilities, "columns": dict(spec.columns)}
    if spec.output is not None:
        document["output"] = spec.output
    if spec.id_scores is not None:
        document["id_scores"] = spec.id_scores
    document |= task_document(spec.other_task)
    if spec.other_outputs:
        document["other_outputs"] = [output.document() for output in spec.other_outputs]
    if spec.rows_per_window is not None:
        document["rows_per_window"] = spec.rows_per_window
    if spec.described:
        document["described"] = [each.document() for each in spec.described]
    if spec.embedding is not None:
        document["embedding"] = {"tensors": list(spec.embedding.tensors), "columns": list(spec.embedding.columns)}
    return document


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise unreadable(path, str(error), _WRITTEN) from error
    if not isinstance(document, dict):
        raise unreadable(path, f"a {type(document).__name__}", _WRITTEN)
    return document


def _described(document: dict[str, Any], path: Path) -> tuple[BaselineSpec, tuple[Bins, ...], Profile]:
    """Specification, bins and counts of a description; CannotRun for one that lacks any of them."""
    try:
        return _parsed(document)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise unreadable(path, f"{type(error).__name__}: {error}", _WRITTEN) from error


def _feature(entry: Mapping[str, Any]) -> FeatureSpec:
    return FeatureSpec(
        name=entry["name"], kind=entry["kind"], is_code=entry.get("code", False), source=entry.get("source", "")
    )


def _parsed(document: dict[str, Any]) -> tuple[BaselineSpec, tuple[Bins, ...], Profile]:
    features = document["features"]
    embedding = document.get("embedding")
    spec = BaselineSpec(
        classes=tuple(document["classes"]),
        features=tuple(map(_feature, features)),
        has_probabilities=document.get("scored", True),
        columns=tuple(document.get("columns", {}).items()),
        other_task=read_task(document),
        output=document.get("output"),
        id_scores=document.get("id_scores"),
        other_outputs=tuple(map(WatchedOutput.of, document.get("other_outputs", ()))),
        rows_per_window=document.get("rows_per_window"),
        described=tuple(map(read_descriptors, document.get("described", ()))),
        embedding=None
        if embedding is None
        else Embedding(tensors=tuple(embedding["tensors"]), columns=tuple(embedding["columns"])),
    )
    bins = tuple(
        Bins(
            feature=f["name"],
            edges=None if f["edges"] is None else tuple(f["edges"]),
            categories=None if f["categories"] is None else tuple(f["categories"]),
        )
        for f in features
    )
    counts = Profile(
        rows=document["rows"], features=tuple(FeatureCounts(tuple(f["counts"]), f["missing"]) for f in features)
    )
    return spec, bins, counts


REBASELINE = "rebaseline.json"

_TIMES = ("at", "start", "end", "since")
_TEXTS = ("by", "reason", "former_basis", "former_section")


def write_rebaseline(rebaseline: Rebaseline, folder: Path) -> None:
    """Write the file. What a store adds later, such as the incidents that were closed, is not in it."""
    document = {name: getattr(rebaseline, name).isoformat() for name in _TIMES}
    document |= {name: getattr(rebaseline, name) for name in _TEXTS}
    (folder / REBASELINE).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_rebaseline(folder: Path) -> Rebaseline | None:
    """Read the file of a baseline. Returns how it was made; None for one that was not made from traffic."""
    path = folder / REBASELINE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        at, start, end, since = (datetime.fromisoformat(document[name]) for name in _TIMES)
        by, reason, former_basis, former_section = (str(document[name]) for name in _TEXTS)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CannotRun(
            "The record of a new baseline cannot be read.",
            got=f"{path}: {error}",
            expected="the file that `pitfalls monitor rebaseline` wrote",
            fix="Restore the file, or make the baseline again.",
        ) from error
    return Rebaseline(
        at=at,
        by=by,
        reason=reason,
        start=start,
        end=end,
        since=since,
        former_basis=former_basis,
        former_section=former_section,
    )

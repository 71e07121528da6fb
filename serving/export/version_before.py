"""What becomes of the version that is in a model's folder already, and how it did beside the one that is exported."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.baseline.benchmark import ReferenceMetric
from monitoring.config.sections import CANDIDATE
from monitoring.deployment.places import BASELINE, EXTRAS, published_versions
from monitoring.watches.descriptions import lower_first, metric_title

_MANIFEST, _REFERENCE = "manifest.json", "reference.parquet"
#: Metrics that are compared.
_MOST = 4


def remarks_on_version_before(bundle: Path, metrics: Sequence[ReferenceMetric]) -> tuple[str, ...]:
    """Sentences on what servers do with a bundle, and on the newest of the earlier versions in its folder.

    Cost: reading both references, where they have as many rows.

    Args:
        bundle: What was exported: MODELS/NAME/N, or MODELS/NAME/N.candidate.
        metrics: Of the version that was exported, on its reference.

    Returns:
        None of a first version.
    """
    folder, version = bundle.parent, int(bundle.name.removesuffix(CANDIDATE))
    earlier = {number: path for number, path in published_versions(folder).items() if number < version}
    before = max(earlier, default=0)
    if bundle.name.endswith(CANDIDATE):
        served = "No server takes up a candidate. `pitfalls rollout start` has it answer in the dark" + (
            f" beside version {before}, `pitfalls rollout promote` puts it in use." if earlier else "."
        )
    else:
        served = (
            f"Version {before} is in the folder, too: a server that takes the newest version answers with version "
            f"{version} from its next look at the folder. A model config with `specific {{ versions: {before} }}` "
            f"keeps version {before}; `--candidate` exports where no server takes it up."
        )
    if not earlier:
        return (served,) if bundle.name.endswith(CANDIDATE) else ()
    compared = _compared(_metrics_of(earlier[before]), metrics)
    if not compared:
        return (served,)
    same = _rows_of(earlier[before])
    where = "On the same rows" if same is not None and same == _rows_of(bundle) else "On its own rows"
    return (served, f"{where} version {before} had: {', '.join(compared)}.")


def _compared(before: Mapping[str, float], metrics: Sequence[ReferenceMetric]) -> list[str]:
    whole = [metric for metric in metrics if not metric.slice and metric.metric in before]
    return [
        f"{lower_first(metric_title(metric.metric))} {before[metric.metric]:.4f} (now {metric.mean:.4f})"
        for metric in whole[:_MOST]
    ]


def _metrics_of(bundle: Path) -> dict[str, float]:
    """The metrics of a bundle's manifest; none where there is none, or it was written by others."""
    try:
        document: dict[str, Any] = json.loads((bundle / EXTRAS / _MANIFEST).read_text("utf-8"))
        return {str(entry["metric"]): float(entry["mean"]) for entry in document["metrics"]}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _rows_of(bundle: Path) -> pa.Table | None:
    """Times, inputs and labels of a bundle's reference; None where it has none."""
    try:
        table = pq.read_table(bundle / EXTRAS / BASELINE / _REFERENCE)
    except (OSError, pa.ArrowException):
        return None
    of_rows = [name for name in table.column_names if name not in {"probabilities", "embedding"}]
    return table.select(sorted(of_rows)).replace_schema_metadata(None)

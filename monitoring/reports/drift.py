"""Evidently's drift report on one window: effect sizes of single columns, descriptive and never a trigger."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitoring.atomic import write_text
from monitoring.errors import BadInput
from monitoring.reports.drift_summary import ColumnDrift, DriftSubject, DriftSummary, WatchVerdict

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from monitoring.baseline.spec import BaselineSpec
    from monitoring.reports.drift_sample import DriftSample

#: Effect sizes, each with the size from which a column is called drifted: Wasserstein's distance in standard
#: deviations of the reference, and the Jensen-Shannon distance. Unlike a p-value, both mean the same at any number of
#: rows.
NUMBER_METHOD, NUMBER_THRESHOLD = "wasserstein", 0.1
CATEGORY_METHOD, CATEGORY_THRESHOLD = "jensenshannon", 0.1

#: Rows of each side at most: enough for an effect size of .02, and seconds instead of minutes.
MOST_ROWS = 5000

#: Ends the page's heading.
TITLE = "Effect sizes are descriptive and trigger no alarm; alarms come from the monitor's evidence."

#: Evidently's page runs its own scripts; this policy forbids every request to another host.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; font-src data:; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)


def write_drift_report(
    current: pa.Table,
    reference: pa.Table,
    *,
    spec: BaselineSpec,
    paths: tuple[Path, Path],
    rng: np.random.Generator,
    subject: DriftSubject | None = None,
) -> DriftSummary:
    """Compare a window's rows with the baseline's, and write Evidently's report of it.

    Numbers are compared by normed Wasserstein distance, categories by Jensen-Shannon distance; so are the model's
    answers, and its accuracy (for two classes also AUC and log loss) where both sides have labels of every class; of
    predicted numbers the mean, mean absolute and root mean squared error.
    Columns that cannot be compared are left out and listed.

    Nothing is sent anywhere: Evidently's telemetry is switched off before it is imported, and the page (about 4 MB)
    loads nothing. Cost: some 5 s for the import and 2 s for 20 columns.

    Args:
        current: The window's rows: `event_time`, the inputs, `probabilities` and, where labels exist, `label` (the
            class's name or the number, as text; null while it has not arrived).
        rng: Draws at most 5,000 rows of each side.
        subject: Heads the page; its verdicts are shown next to Evidently's own metrics, a level's with a test that
            fails when it has alarmed.
    """
    for table, words in ((current, "current"), (reference, "reference")):
        if table.num_rows == 0:
            raise BadInput(
                "A drift report needs rows on both sides.",
                got=f"no {words} rows",
                expected="at least one row on each side",
                fix="Choose a window that has traffic.",
            )
    from monitoring.reports.drift_sample import drift_sample, plain  # noqa: PLC0415  # brings PyArrow

    sample = drift_sample(current, reference, spec=spec, rows=MOST_ROWS, rng=rng)
    subject = subject or DriftSubject()
    snapshots = _snapshots(sample, subject.verdicts)
    heading = (
        f"{plain(subject.title)}: {_drawn(len(sample.current), current.num_rows)} against "
        f"{_drawn(len(sample.reference), reference.num_rows)} of the baseline. {TITLE}"
    )
    document = _document(sample, snapshots, subject, (current.num_rows, reference.num_rows))
    summary = _summary(document, sample)
    _write(paths[0], _page(snapshots, sample.left_out, heading))
    _write(paths[1], json.dumps(document, allow_nan=False, indent=1) + "\n")
    return summary


def _document(
    sample: DriftSample, snapshots: Sequence[Any], subject: DriftSubject, rows: tuple[int, int]
) -> dict[str, Any]:
    """What Evidently found as one JSON document; `rows` are those of both sides before drawing."""
    from monitoring.reports.drift_sample import plain  # noqa: PLC0415  # brings PyArrow

    runs = [_finite(json.loads(snapshot.json())) for snapshot in snapshots]
    return {
        "subject": plain(subject.title),
        "rows": {
            "current": {"compared": len(sample.current), "all": rows[0]},
            "reference": {"compared": len(sample.reference), "all": rows[1]},
        },
        "metrics": [metric for run in runs for metric in run["metrics"]],
        "tests": [test for run in runs for test in run["tests"]],
        "left_out": [{"column": name, "reason": reason} for name, reason in sample.left_out],
    }


def _snapshots(sample: DriftSample, verdicts: Sequence[WatchVerdict]) -> list[Any]:
    """Run Evidently: verdicts and drift on all rows, and the model's quality on those that have a label.

    Two runs, because Evidently treats a missing label as one more class.
    """
    # Read by Evidently when it is imported.
    os.environ["DO_NOT_TRACK"] = "1"
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415  # seconds
    from evidently.presets import DataDriftPreset  # noqa: PLC0415  # as above

    from monitoring.reports.verdict_metric import verdict_metadata, verdict_metrics  # noqa: PLC0415  # as above

    columns = [*sample.numbers, *sample.categories]
    metrics = verdict_metrics(verdicts)
    if columns:
        drift = DataDriftPreset(
            columns=columns,
            num_method=NUMBER_METHOD,
            num_threshold=NUMBER_THRESHOLD,
            cat_method=CATEGORY_METHOD,
            cat_threshold=CATEGORY_THRESHOLD,
        )
        metrics.append(drift)
    plain = DataDefinition(numerical_columns=list(sample.numbers), categorical_columns=list(sample.categories))
    evidence = verdict_metadata(verdicts)
    now = Dataset.from_pandas(sample.current[columns], data_definition=plain, metadata=evidence)
    then = Dataset.from_pandas(sample.reference[columns], data_definition=plain)
    snapshots = [Report(metrics, include_tests=True).run(now, then)]
    if sample.quality:
        labelled, losses = _quality(sample)
        sides = [
            Dataset.from_pandas(side.dropna(subset=[sample.label]), data_definition=labelled)
            for side in (sample.current, sample.reference)
        ]
        with warnings.catch_warnings():
            # Evidently has scikit-learn count these as well, of classes or parts without rows; no page shows them.
            warnings.filterwarnings("ignore", r"\s*(Precision|Recall|F-score) is ill-defined", UserWarning)
            warnings.filterwarnings("ignore", r"R\^2 score is not well-defined", UserWarning)
            snapshots.append(Report(losses, include_tests=True).run(*sides))
    return snapshots


def _quality(sample: DriftSample) -> tuple[Any, list[Any]]:
    """The columns and the model's task as Evidently calls them, and the metrics of its quality."""
    from evidently import BinaryClassification, DataDefinition, MulticlassClassification, Regression  # noqa: PLC0415  # seconds
    from evidently.metrics import MAE, RMSE, Accuracy, LogLoss, MeanError, RocAuc  # noqa: PLC0415  # as above

    numbers, categories = list(sample.numbers), list(sample.categories)
    if sample.answer in sample.numbers:
        task = Regression(target=sample.label, prediction=sample.answer)
        columns = DataDefinition(
            numerical_columns=[*numbers, sample.label], categorical_columns=categories, regression=[task]
        )
        return columns, [MAE(), RMSE(), MeanError()]
    classes: Any = MulticlassClassification(target=sample.label, prediction_labels=sample.answer)
    losses: list[Any] = [Accuracy()]
    if sample.probability in sample.numbers:
        classes = BinaryClassification(
            target=sample.label,
            prediction_labels=sample.answer,
            prediction_probas=sample.probability,
            pos_label=sample.positive,
        )
        losses += [RocAuc(), LogLoss()]
    categories.append(sample.label)
    return DataDefinition(numerical_columns=numbers, categorical_columns=categories, classification=[classes]), losses


def _drawn(compared: int, there: int) -> str:
    """Say how many rows of how many are compared.

    >>> _drawn(900, 900), _drawn(5000, 78000)
    ('900 rows', '5,000 of 78,000 rows, drawn at random,')
    """
    return f"{there:,} rows" if compared == there else f"{compared:,} of {there:,} rows, drawn at random,"


def _page(snapshots: list[Any], left_out: tuple[tuple[str, str], ...], heading: str) -> str:
    """Render all runs and the columns left out as one page that may send no request."""
    from evidently.core.metric_types import render_widgets  # noqa: PLC0415  # seconds
    from evidently.legacy.renderers.html_widgets import group_widget, table_data  # noqa: PLC0415  # as above

    models = [snapshot.to_snapshot_model() for snapshot in snapshots]
    widgets = [widget for model in models for widget in model.widgets]
    if left_out:
        widgets.append(table_data(title="Not compared", column_names=["Column", "Why"], data=left_out))
    shown = [group_widget(title=heading, widgets=widgets)]
    shown += [widget for model in models for widget in model.tests_widgets]
    policy = f'<head>\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return str(render_widgets(shown)).replace("<head>", policy, 1).lstrip()


def _summary(document: dict[str, Any], sample: DriftSample) -> DriftSummary:
    columns = []
    for metric in document["metrics"]:
        config = metric["config"]
        if config["type"].rpartition(":")[2] != "ValueDrift":
            continue
        score = float(metric["value"])
        columns.append(
            ColumnDrift(
                column=config["column"],
                method=config["method"],
                score=score,
                threshold=config["threshold"],
                drifted=score >= config["threshold"],
            )
        )
    return DriftSummary(
        columns=tuple(columns),
        left_out=sample.left_out,
        current_rows=len(sample.current),
        reference_rows=len(sample.reference),
        quality=sample.quality,
    )


def _finite(node: Any) -> Any:
    """The same document with null for every number that is not finite."""
    if isinstance(node, dict):
        return {name: _finite(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_finite(value) for value in node]
    if isinstance(node, float) and not math.isfinite(node):
        return None
    return node


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text, durable=False)

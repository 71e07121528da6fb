"""The losses of all tasks, as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from monitoring.tasks import classification, multilabel, ranking, regression, vector_regression
from monitoring.tasks.output_names import named, split_output
from monitoring.tasks.task import Metric

#: Losses over all rows by name.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *classification.METRICS,
        classification.COST,
        *multilabel.METRICS,
        *regression.METRICS,
        *ranking.METRICS,
    )
}

#: Losses of one class of several, or of one number, by what precedes the colon and its name in their names.
CLASS_METRICS: dict[str, Metric] = {metric.name: metric for metric in multilabel.CLASS_METRICS}
NUMBER_METRICS: dict[str, Metric] = {metric.name: metric for metric in vector_regression.NUMBER_METRICS}

#: The user's own metrics, by what precedes the colon and their name: losses, and scores of which more is better.
CUSTOM_METRICS: dict[str, Metric] = {
    "metric": Metric(name="metric", title="Metric", unit="score"),
    "complement": Metric(name="complement", title="Metric 1 \N{MINUS SIGN}", unit="score"),
}

#: A mean of errors is larger than that of the same errors with their bound by more than rounding.
ROUNDING = 1e-6

#: What is shown beside the losses and not tested, by name.
SHOWN_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(name="auc", title="AUC", unit="score"),
        Metric(name="f1", title="F1", unit="score"),
        Metric(name="precision", title="Precision", unit="share"),
        Metric(name="recall", title="Recall", unit="share"),
        Metric(name="calibration_error", title="Expected calibration error", unit="score"),
        Metric(name="macro_auc", title="Macro AUC", unit="score"),
        Metric(name="macro_f1", title="Macro F1", unit="score"),
        Metric(name="macro_precision", title="Macro precision", unit="share"),
        Metric(name="macro_recall", title="Macro recall", unit="share"),
        Metric(name="macro_calibration_error", title="Macro expected calibration error", unit="score"),
        Metric(name="recall_at_k", title="Recall@k", unit="share"),
        Metric(name="ndcg_at_k", title="NDCG@k", unit="score"),
        Metric(name="mean_reciprocal_rank", title="Mean reciprocal rank", unit="score"),
        Metric(name="log_loss", title="Log loss", unit="score"),
        Metric(name="mean_absolute_error", title="MAE", unit="target"),
        Metric(name="root_mean_squared_error", title="RMSE", unit="target"),
        Metric(name="mean_absolute_percentage_error", title="MAPE", unit="share"),
        Metric(name="r_squared", title="R\N{SUPERSCRIPT TWO}", unit="score"),
    )
}


def find_metric(name: str) -> Metric | None:
    """The loss with a name.

    >>> find_metric("class_brier:dog").title, find_metric("missing:temp")
    ('Brier score of class', None)
    >>> find_metric("metric:missed_calls").title, find_metric("of:price:bias").title
    ('Metric', 'Bias of price')
    """
    output, metric_name = split_output(name)
    if output:
        metric = find_metric(metric_name)
        return None if metric is None else replace(metric, name=name, title=f"{metric.title} of {output}")
    kind, of_class, _ = name.partition(":")
    return (CLASS_METRICS | NUMBER_METRICS | CUSTOM_METRICS).get(kind) if of_class else METRICS.get(name)


def unbounded_loss(loss: str, bounded: float, measured: Mapping[str, float]) -> float:
    """A mean loss without the bound up to which errors of predicted numbers count, where some lie above it.

    >>> unbounded_loss("absolute_error", 5.0, {"mean_absolute_error": 8.0}), unbounded_loss("bias", -0.2, {})
    (8.0, -0.2)

    Args:
        measured: The metrics that are shown, by name.
    """
    output, metric = split_output(loss)
    mean, root = (
        measured.get(named(output, name) if output else name, 0.0)
        for name in ("mean_absolute_error", "root_mean_squared_error")
    )
    value = {"absolute_error": mean, "squared_error": root**2}.get(metric, bounded)
    return value if value > bounded + ROUNDING * abs(bounded) else bounded


def is_custom(metric: str) -> bool:
    """Whether a loss is a metric of the user's own, by its name.

    >>> is_custom("metric:missed_calls"), is_custom("brier")
    (True, False)
    """
    return metric.partition(":")[0] in CUSTOM_METRICS


def mean_of_parts(metric: str) -> str | None:
    """The loss over all classes, or numbers, that the loss of one is a part of; None of other losses.

    >>> mean_of_parts("class_brier:dog"), mean_of_parts("number_absolute_error:day_2"), mean_of_parts("brier")
    ('macro_brier', 'absolute_error', None)
    """
    kind, of_part, _ = metric.partition(":")
    if of_part and kind in NUMBER_METRICS:
        return kind.removeprefix(vector_regression.OF_NUMBER)
    pairs = zip(multilabel.CLASS_METRICS, multilabel.METRICS, strict=True)
    return {part.name: mean.name for part, mean in pairs}.get(kind)


def part_of(metric: str) -> str | None:
    """The class or the number that a loss is of; None where it is over all of them.

    >>> part_of("class_error:dog"), part_of("number_bias:day_2"), part_of("macro_brier")
    ('dog', 'day_2', None)
    """
    kind, _, name = metric.partition(":")
    return name if kind in CLASS_METRICS or kind in NUMBER_METRICS else None

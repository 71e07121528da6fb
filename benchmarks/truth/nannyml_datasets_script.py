"""Run in NannyML's environment: FOLDER writes its datasets and alerts by chunk, FOLDER NAME how far chunks deviate."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHUNK = 5_000


#: Thresholds at this multiple of the standard deviation are never clipped: mean and deviation are read from them.
SMALL = 0.01


def main() -> None:
    """Write what is missing of all datasets; or of the one that is named `NAME-scores.json`."""
    import nannyml  # noqa: PLC0415  # not a dependency of the project
    import pandas as pd  # noqa: PLC0415  # in NannyML's environment

    pd.options.future.infer_string = False  # NannyML's loss estimation cannot take Arrow's strings
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        write_scores(nannyml, folder, sys.argv[2], sys.argv[3])
    else:
        write_datasets(nannyml, folder)


def write_datasets(nannyml: Any, folder: Path) -> None:
    """Write reference, later rows with their labels, and each chunk's alerts, of each dataset that has none yet."""
    loaders = {
        "car_loan": (nannyml.load_synthetic_car_loan_dataset, "repaid"),
        "multiclass": (nannyml.load_synthetic_multiclass_classification_dataset, "y_true"),
        "car_price": (nannyml.load_synthetic_car_price_dataset, "y_true"),
        "census": (nannyml.load_us_census_ma_employment_data, "employed"),
    }
    for name, (load, label) in loaders.items():
        if (folder / f"{name}-alerts.json").is_file():
            continue
        reference, analysis, target = load()
        later = analysis.merge(target[["id", label]], on="id") if "id" in target else analysis.join(target[[label]])
        reference.to_parquet(folder / f"{name}-reference.parquet")
        later.to_parquet(folder / f"{name}-later.parquet")
        chunk_alerts = alerts(nannyml, reference, later, label)
        (folder / f"{name}-alerts.json").write_text(json.dumps(chunk_alerts), "utf-8")


def write_scores(nannyml: Any, folder: Path, name: str, label: str) -> None:
    """Write the deviations of clean chunks, two for each of the orders in `NAME-orders.npy`, and of later ones."""
    import numpy as np  # noqa: PLC0415  # in NannyML's environment
    import pandas as pd  # noqa: PLC0415  # as above

    reference, later = (pd.read_parquet(folder / f"{name}-{part}.parquet") for part in ("reference", "later"))
    clean: dict[str, list[float]] = {}
    for order in np.load(folder / f"{name}-orders.npy"):
        rows = reference.iloc[order].reset_index(drop=True)
        judging, judged = rows.iloc[2 * CHUNK :].reset_index(drop=True), rows.iloc[: 2 * CHUNK]
        for kind, some in deviations(nannyml, judging, judged, label).items():
            clean.setdefault(kind, []).extend(some)
    scores = {"clean": clean, "later": deviations(nannyml, reference, later, label)}
    (folder / f"{name}-scores.json").write_text(json.dumps(scores), "utf-8")


def deviations(nannyml: Any, reference: Any, later: Any, label: str) -> dict[str, list[float]]:
    """How many deviations of the reference's chunks the figures of each later chunk lie off their mean, at most."""
    import numpy as np  # noqa: PLC0415  # in NannyML's environment

    threshold = nannyml.thresholds.StandardDeviationThreshold(std_lower_multiplier=SMALL, std_upper_multiplier=SMALL)
    by_kind = {}
    for kind, calculate in calculators(nannyml, reference, label, threshold).items():
        table = calculate(later).filter(period="analysis").to_df()
        off = []
        for column in [name[:-1] for name in table if name[-1] == "upper_threshold"]:
            parts = (table[(*column, part)] for part in ("lower_threshold", "upper_threshold", "value"))
            low, high, value = (np.asarray(part, dtype=float) for part in parts)
            off.append(abs(value - (low + high) / 2) / np.maximum((high - low) / (2 * SMALL), 1e-12))
        by_kind[kind] = np.max(off, axis=0).tolist()
    return by_kind


def alerts(nannyml: Any, reference: Any, later: Any, label: str) -> dict[str, list[bool]]:
    """Whether each chunk of `CHUNK` rows alerts: univariate drift, the estimated and the realised performance."""
    by_kind = {}
    for kind, calculate in calculators(nannyml, reference, label).items():
        table = calculate(later).filter(period="analysis").to_df()
        of_chunks = table.loc[:, [column for column in table if column[-1] == "alert"]]
        by_kind[kind] = [bool(flag) for flag in of_chunks.any(axis=1)]
    return by_kind


def calculators(nannyml: Any, reference: Any, label: str, threshold: Any = None) -> dict[str, Callable[[Any], Any]]:
    """What judges later rows, fitted to a reference; with the thresholds of NannyML, or one for everything."""
    answers = [name for name in reference if name.startswith(("y_pred", "pred"))]
    inputs = [name for name in reference if name not in {label, "id", "timestamp", "year", *answers}]
    problem = "regression"
    if any("prob" in name for name in answers):
        problem = "classification_multiclass" if "y_pred_proba_prepaid_card" in answers else "classification_binary"
    arguments: dict[str, Any] = {"y_true": label, "y_pred": "prediction" if "prediction" in answers else "y_pred"}
    if problem == "classification_multiclass":
        arguments["y_pred_proba"] = {name.removeprefix("y_pred_proba_"): name for name in answers if "proba" in name}
    elif problem == "classification_binary":
        arguments["y_pred_proba"] = next(name for name in answers if "prob" in name)
    options = {} if threshold is None else {"thresholds": {"jensen_shannon": threshold}}
    drift = nannyml.UnivariateDriftCalculator(column_names=inputs, chunk_size=CHUNK, **options).fit(reference)
    if problem == "regression":
        arguments["metrics"] = ["mae"]
        arguments |= {} if threshold is None else {"thresholds": {"mae": threshold}}
        estimator = nannyml.DLE(feature_column_names=inputs, chunk_size=CHUNK, **arguments)
    else:
        arguments["metrics"] = ["accuracy"]
        arguments |= {} if threshold is None else {"thresholds": {"accuracy": threshold}}
        estimator = nannyml.CBPE(problem_type=problem, chunk_size=CHUNK, **arguments)
    realised = nannyml.PerformanceCalculator(problem_type=problem, chunk_size=CHUNK, **arguments).fit(reference)
    return {"drift": drift.calculate, "estimated": estimator.fit(reference).estimate, "realised": realised.calculate}


if __name__ == "__main__":
    main()

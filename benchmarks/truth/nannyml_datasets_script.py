"""Run by `nannyml_datasets` in NannyML's environment: FOLDER; writes its datasets, and its alerts by chunk."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CHUNK = 5_000


def main() -> None:
    """Write reference, later rows with their labels, and each chunk's alerts, of each dataset that has none yet."""
    import nannyml  # noqa: PLC0415  # not a dependency of the project
    import pandas as pd  # noqa: PLC0415  # in NannyML's environment

    pd.options.future.infer_string = False  # NannyML's loss estimation cannot take Arrow's strings
    folder = Path(sys.argv[1])
    loaders = {
        "car_loan": (nannyml.load_synthetic_car_loan_dataset, "repaid", "classification_binary"),
        "multiclass": (nannyml.load_synthetic_multiclass_classification_dataset, "y_true", "classification_multiclass"),
        "car_price": (nannyml.load_synthetic_car_price_dataset, "y_true", "regression"),
        "census": (nannyml.load_us_census_ma_employment_data, "employed", "classification_binary"),
    }
    for name, (load, label, problem) in loaders.items():
        if (folder / f"{name}-alerts.json").is_file():
            continue
        reference, analysis, target = load()
        later = analysis.merge(target[["id", label]], on="id") if "id" in target else analysis.join(target[[label]])
        reference.to_parquet(folder / f"{name}-reference.parquet")
        later.to_parquet(folder / f"{name}-later.parquet")
        found = alerts(nannyml, reference, later, label, problem)
        (folder / f"{name}-alerts.json").write_text(json.dumps(found), "utf-8")


def alerts(nannyml: Any, reference: Any, later: Any, label: str, problem: str) -> dict[str, list[bool]]:
    """Whether each chunk of `CHUNK` rows alerts: univariate drift, the estimated and the realised performance."""
    answers = [name for name in reference if name.startswith(("y_pred", "pred"))]
    inputs = [name for name in reference if name not in {label, "id", "timestamp", "year", *answers}]
    said: dict[str, Any] = {"y_true": label, "y_pred": "prediction" if "prediction" in answers else "y_pred"}
    if problem == "classification_multiclass":
        said["y_pred_proba"] = {name.removeprefix("y_pred_proba_"): name for name in answers if "proba" in name}
    elif problem == "classification_binary":
        said["y_pred_proba"] = next(name for name in answers if "prob" in name)
    drift = nannyml.UnivariateDriftCalculator(column_names=inputs, chunk_size=CHUNK).fit(reference)
    if problem == "regression":
        said["metrics"] = ["mae"]
        estimator = nannyml.DLE(feature_column_names=inputs, chunk_size=CHUNK, **said)
    else:
        said["metrics"] = ["accuracy"]
        estimator = nannyml.CBPE(problem_type=problem, chunk_size=CHUNK, **said)
    realised = nannyml.PerformanceCalculator(problem_type=problem, chunk_size=CHUNK, **said).fit(reference)
    calculators = {
        "drift": drift.calculate,
        "estimated": estimator.fit(reference).estimate,
        "realised": realised.calculate,
    }
    found = {}
    for kind, calculate in calculators.items():
        table = calculate(later).filter(period="analysis").to_df()
        of_chunks = table.loc[:, [column for column in table if column[-1] == "alert"]]
        found[kind] = [bool(one) for one in of_chunks.any(axis=1)]
    return found


if __name__ == "__main__":
    main()

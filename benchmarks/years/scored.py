"""A deployment's rows with the answers of its model: trained over seeds as `pitfalls train` does, the median seed's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.years.deployments import YearsDeployment
from pitfalls_tf.fitting.arithmetic import pin_arithmetic

SEEDS = 5

#: Columns that are no inputs.
KEPT = ("time", "label_time", "label")


def scored(deployment: YearsDeployment, folder: Path, *, seeds: int = SEEDS) -> pd.DataFrame:
    """The rows from the reference on, with a column `p_CLASS` for each class; kept in the folder once they are made.

    Labels of classes that the model has never seen stay as they are. Cost: ten seconds of a core or two for a model.
    """
    path = folder / "scored.parquet"
    if path.is_file():
        return pd.read_parquet(path)
    folder.mkdir(parents=True, exist_ok=True)
    rows = deployment.rows()
    rows["time"], rows["label_time"] = (rows[name].dt.tz_localize("UTC") for name in ("time", "label_time"))
    known = rows[rows["time"] < pd.Timestamp(deployment.live, tz="UTC")]
    known = known[known["label"].isin(set(known.loc[known["time"] < _at(deployment.reference), "label"]))]
    known.to_parquet(folder / "known.parquet", index=False)
    pin_arithmetic()
    from pitfalls_tf import train  # noqa: PLC0415 - loads TensorFlow

    result = train(
        "table",
        seeds=seeds,
        out=folder / "runs",
        table=folder / "known.parquet",
        label="label",
        time="time",
        label_time="label_time",
        split="time",
        at=deployment.reference,
        epochs=deployment.epochs,
    )
    classes = sorted(known["label"].unique())
    watched = rows[rows["time"] >= _at(deployment.reference)].reset_index(drop=True)
    answers = _answers(result.ensemble.folder / "model.keras", watched)
    answered = watched.assign(**{f"p_{name}": answers[:, at] for at, name in enumerate(classes)})
    answered.insert(0, "row_id", np.arange(len(answered)).astype(str))
    answered.to_parquet(path, index=False)
    return answered


def _at(date: str) -> pd.Timestamp:
    return pd.Timestamp(date, tz="UTC")


def _answers(model: Path, rows: pd.DataFrame) -> NDArray[np.float64]:
    """The probabilities of each row, [rows, classes], by the model that takes raw inputs."""
    import keras  # noqa: PLC0415 - loads TensorFlow
    import tensorflow as tf  # noqa: PLC0415 - as above

    loaded = keras.saving.load_model(model, compile=False)
    given = {}
    for tensor in loaded.inputs:
        values = rows[tensor.name]
        is_text = tensor.dtype == "string"
        column = values.fillna("").astype(str) if is_text else values.astype(np.float32)
        given[tensor.name] = tf.constant(column.to_numpy()[:, None], tf.string if is_text else tf.float32)
    return np.asarray(loaded(given)["probabilities"], dtype=np.float64)

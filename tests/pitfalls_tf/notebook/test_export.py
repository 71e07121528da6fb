from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import pitfalls_tf


@pytest.mark.slow
def test_a_model_in_memory_is_exported_with_its_held_out_rows(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((1,), name="income"), keras.layers.Dense(1, "sigmoid", name="late")])
    rng = np.random.default_rng(1)
    days = pa.array(np.repeat(np.arange(30), 20) * 86_400_000_000, pa.timestamp("us", "UTC"))
    rows = pa.table({"income": rng.normal(size=600), "was": rng.choice(["no", "yes"], 600), "when": days})
    bundle = pitfalls_tf.export(
        model,
        "lender",
        models=tmp_path,
        reference=rows.to_pandas(),
        label="was",
        classes=["no", "yes"],
        event_time="when",
        dictionary={"income": {"unit": "EUR"}},
    )
    assert bundle.path == tmp_path / "lender" / "1"
    assert bundle.has_baseline
    assert {metric.metric for metric in bundle.metrics} >= {"auc", "brier"}


def test_only_what_is_offered_is_listed() -> None:
    assert [name for name in dir(pitfalls_tf) if not name.startswith("__")] == ["compare", "export", "train"]

"""Several outputs with a label each are exported as one task, whose losses are named after them."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pyarrow as pa

from monitoring.baseline.folder import load_baseline
from serving.export.export import Reference, export_bundle
from serving.export.manifest import Provenance
from tests.serving.export_model import now


def test_a_bundle_judges_each_output_by_its_own_label(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    x = keras.Input((1,), name="x")
    heads = {"late": keras.layers.Dense(1, activation="sigmoid")(x), "price": x * 2.0, "other": x + 1.0}
    rng = np.random.default_rng(0)
    values = rng.normal(size=400).astype(np.float32)
    table = pa.table(
        {"x": values, "was": rng.choice(["no", "yes"], 400), "paid": 2.0 * values + rng.choice([-1.0, 1.0], 400)}
    )
    bundle = export_bundle(
        keras.Model(x, heads),
        folder=tmp_path / "own",
        reference=Reference(table=table, label_of={"late": "was", "price": "paid"}, classes_of={"late": ("no", "yes")}),
        provenance=Provenance(),
        clock=now,
    )
    spec = load_baseline(bundle.path / "assets.extra/baseline").spec
    assert len(spec.task.outputs_judged) == 2
    assert spec.task.metrics[:3] == ("of:late:error", "of:late:brier", "of:price:absolute_error")
    assert spec.of_outputs == {"output other"}
    assert bundle.remarks[:3] == (
        "Output late is judged as one of 2 classes (no, yes).",
        "Output price is judged as a predicted number.",
        "Watched for drift, and not for losses: other; the label is the truth of late, price.",
    )
    means = {one.metric: one.mean for one in bundle.metrics if not one.slice}
    np.testing.assert_allclose(means["of:price:absolute_error"], 1.0, rtol=1e-5)

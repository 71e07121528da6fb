"""What is compared on NannyML's datasets: where the loss rises, and when each monitor alarms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.truth import nannyml_datasets
from benchmarks.truth.nannyml_datasets import CHUNK, Dataset, as_texts, losses_by_chunk, rise_of_loss


@pytest.mark.parametrize(
    ("after", "rise"), [([0.1, 0.3, 0.3], CHUNK), ([0.3, 0.3], 0), ([0.3, 0.1, 0.3], None), ([0.2, 0.2], None)], ids=str
)
def test_a_loss_rises_where_two_chunks_in_a_row_exceed_every_chunk_before(after: list[float], rise: int | None) -> None:
    assert rise_of_loss([0.1, 0.2], after) == rise


def test_losses_are_errors_of_classes_or_of_numbers() -> None:
    half = np.arange(2 * CHUNK) < CHUNK
    classes = pd.DataFrame({"y_pred": np.ones(2 * CHUNK, dtype=int), "y": np.where(half, 1.0, 0.0)})
    assert losses_by_chunk(classes, "y") == [0.0, 1.0]
    names = pd.DataFrame({"y_pred": "yes", "y": np.where(half, "yes", "no")})
    assert losses_by_chunk(names, "y") == [0.0, 1.0]
    numbers = pd.DataFrame({"y_pred": np.zeros(2 * CHUNK), "y": np.where(half, 2.0, np.arange(2 * CHUNK) % 5)})
    assert losses_by_chunk(numbers, "y") == [2.0, 2.0]


def test_text_and_truth_values_are_text_for_evidently() -> None:
    found = as_texts(pd.DataFrame({"a": [1.5, 2.0], "b": [True, False], "c": ["x", None]}))
    assert [found[name].dtype.kind for name in ("a", "b", "c")] == ["f", "O", "O"]
    assert found["b"].tolist() == ["True", "False"]


def test_rows_are_counted_until_the_end_of_the_window_that_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.DataFrame({"x": np.arange(2.0 * CHUNK), "y_pred": 1, "y": 1})
    later = rows.assign(y=np.where(np.arange(2 * CHUNK) < CHUNK, 1, 0))
    monkeypatch.setattr(nannyml_datasets, "alarms_of_monitor", lambda *_: {"this monitor, pages": [7_000]})
    monkeypatch.setattr(nannyml_datasets, "evidently_preset", lambda *_: {})
    alerts = {"drift": [True, True], "estimated": [False, False], "realised": [False, True]}
    found = nannyml_datasets.dataset_rows(Dataset(name="own", title="own", label="y"), rows, later, alerts)
    assert found == [
        ("(the loss rises from here)", None, None),
        ("this monitor, pages", 7.0, 1),
        ("NannyML, univariate drift", 5.0, 2),
        ("NannyML, estimated performance", None, 0),
        ("NannyML, realised performance", 10.0, 1),
    ]

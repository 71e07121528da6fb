"""What a config names as its traffic is opened as a log or a table, or is one clear error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.folder import load_baseline
from monitoring.baseline.predictions import Predictions
from monitoring.config import MonitorConfig, load_config
from monitoring.deployment.places import find_baseline
from monitoring.errors import BadInput
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.sources.log_source import LogSource
from monitoring.sources.table_source import TableSource
from monitoring.sources.traffic import columns_of, open_traffic, traffic_path, with_labels
from monitoring.tasks.classification import Classification
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import UNKNOWN_CLASS, OutputTask
from tests.small_deployment import LATER, Days, table_of

Send = Callable[..., None]


@pytest.fixture
def config(deployed: Path) -> MonitorConfig:
    return load_config(deployed / "monitor.toml")


def with_path(config: MonitorConfig, path: Path | None) -> MonitorConfig:
    return config.model_copy(update={"traffic": config.traffic.model_copy(update={"path": path})})


def opened(config: MonitorConfig) -> TrafficSource:
    return open_traffic(config, load_baseline(find_baseline(config).baseline), 1, clock=lambda: LATER)


def test_a_log_and_a_table_are_told_apart_by_what_is_there(
    config: MonitorConfig, deployed: Path, send: Send, tmp_path: Path
) -> None:
    send(deployed, Days(days=1))
    assert isinstance(opened(config), LogSource)
    pq.write_table(table_of(Days(days=1)), tmp_path / "rows.parquet")
    for path in (tmp_path / "rows.parquet", tmp_path / "*.parquet"):
        assert isinstance(opened(with_path(config, path)), TableSource)


def test_a_table_knows_no_callers_to_exclude(config: MonitorConfig, tmp_path: Path) -> None:
    pq.write_table(table_of(Days(days=1)), tmp_path / "rows.parquet")
    section = config.traffic.model_copy(update={"path": tmp_path / "rows.parquet", "exclude_callers": ("load-test",)})
    with pytest.raises(BadInput, match="Callers are known in a traffic log only"):
        opened(config.model_copy(update={"traffic": section}))


def test_a_config_without_traffic_says_what_to_add(config: MonitorConfig) -> None:
    with pytest.raises(BadInput, match=r"does not say where the traffic is.*Add `path`, or give --traffic"):
        traffic_path(with_path(config, None))


@pytest.mark.parametrize(
    ("files", "got", "fix"),
    [
        ((), "an empty folder", "Check the path."),
        (("notes.txt",), "a folder with notes.txt", "Check the path."),
        (("2013/a.parquet",), "a folder with 2013", "Name the tables in its folders by a pattern"),
    ],
)
def test_a_folder_of_something_else_is_one_error(
    config: MonitorConfig, tmp_path: Path, files: tuple[str, ...], got: str, fix: str
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    for name in files:
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(b"something")
    with pytest.raises(BadInput) as caught:
        opened(with_path(config, place))
    assert "is neither a traffic log nor a folder of tables" in str(caught.value)
    assert got in str(caught.value)
    assert fix in str(caught.value)


def test_columns_are_those_of_the_config_with_the_baselines_inputs(config: MonitorConfig) -> None:
    baseline = load_baseline(find_baseline(config).baseline)
    section = config.traffic.model_copy(update={"event_time": "ts", "scores": ("late",)})
    columns = columns_of(config.model_copy(update={"traffic": section}), baseline)
    assert (columns.event_time, columns.scores, columns.classes) == ("ts", ("late",), ("on_time", "late"))
    assert columns.inputs == {"temp": "number", "origin": "category"}
    assert columns_of(config, baseline).scores == (config.model.probabilities,)


@given(st.lists(st.integers(0, 9), unique=True), st.dictionaries(st.integers(0, 9), st.sampled_from(["a", "b", "x"])))
def test_each_prediction_gets_the_label_of_its_id(rows: list[int], labels: dict[int, str]) -> None:
    predictions = Predictions(
        ids=pa.array([str(row) for row in rows], pa.string()),
        event_times=np.zeros(len(rows), dtype=np.int64),
        features=pa.table({"x": pa.array([0.0] * len(rows))}),
        probabilities=np.full((len(rows), 2), 0.5),
        labels=np.full(len(rows), -1, dtype=np.int64),
        label_times=np.zeros(len(rows), dtype=np.int64),
    )
    table = pa.table(
        {
            "prediction_id": pa.array([str(row) for row in labels], pa.string()),
            "label": pa.array(list(labels.values()), pa.string()),
            "label_time": pa.array([row + 1 for row in labels], pa.int64()).cast(pa.timestamp("us", "UTC")),
        }
    )
    found = with_labels(predictions, table, Classification(classes=("a", "b")))
    classes = {"a": 0, "b": 1, "x": UNKNOWN_CLASS}
    assert found.labels.tolist() == [classes[labels[row]] if row in labels else -1 for row in rows]
    assert found.label_times.tolist() == [row + 1 if row in labels else 0 for row in rows]


def test_rows_of_several_outputs_have_a_code_for_each_where_none_has_a_label() -> None:
    outputs = (
        OutputTask(output="kind", task=Classification(classes=("a", "b")), numbers=2),
        OutputTask(output="price", task=Regression(), numbers=1),
    )
    predictions = Predictions(
        ids=pa.array(["a", "b"]),
        event_times=np.zeros(2, dtype=np.int64),
        features=pa.table({"x": [0.0, 1.0]}),
        probabilities=np.full((2, 3), 0.5),
        labels=np.full(2, -1, dtype=np.int64),
        label_times=np.zeros(2, dtype=np.int64),
    )
    words = {"prediction_id": pa.array([], pa.string()), "label": pa.array([], pa.string())}
    none = pa.table({**words, "label_time": pa.array([], pa.timestamp("us", "UTC"))})
    found = with_labels(predictions, none, SeveralTasks(outputs_judged=outputs))
    assert found.labels.tolist() == [[-1, -1], [-1, -1]]

"""What is older than it is to be kept is deleted, and later windows are judged as if it were not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitoring.config import load_config
from monitoring.deployment.deployment import Deployment
from monitoring.deployment.deployment import deploy as fit
from monitoring.runs.run import ExternalServices, run_due_windows
from monitoring.store.store import Store
from monitoring.timestamps import as_microseconds
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.labels.label_writer import LabelWriter
from tests.small_deployment import LIVE, Days, table_of

Send = Callable[..., None]
HORIZON = 'min_rows = 20\nlabel_horizon = "2d"'


def send_labels(folder: Path, first: int, last: int) -> None:
    """Write the labels of some days, each day in a segment of its own."""
    labels = table_of(Days(days=14))
    for day in range(first, last):
        writer = LabelWriter(folder / "traffic", clock=lambda at=day: LIVE + timedelta(days=at + 1))  # type: ignore[misc]
        rows = labels.slice(day * 60, 60).drop_columns(["temp"])
        rows = rows.filter(rows["label"].is_valid())
        times = rows["label_time"].cast("int64").to_numpy()
        writer.append(rows["prediction_id"].combine_chunks(), rows["label"].combine_chunks(), times)
        writer.close()


def test_labels_that_no_window_needs_are_deleted_and_the_windows_after_are_the_same(
    deploy: Callable[[str], Path], send: Send
) -> None:
    found = {}
    fits: list[Deployment] = []  # the same for both
    services = ExternalServices(deploy=lambda *_: fits[0])
    for name, retention in (("kept", ""), ("deleted", '[retention]\nlabels = "1d"\nnotifications = "1d"\n')):
        folder = deploy(name)
        config_file = folder / "monitor.toml"
        config_file.write_text(config_file.read_text().replace("min_rows = 20", HORIZON) + retention)
        send(folder, Days(days=14), labels=False)
        config = load_config(config_file)
        if not fits:
            fits.append(fit(config))
        with Store.open(config.store.url) as store:
            for days in (range(12), range(12, 14)):
                send_labels(folder, days.start, days.stop)
                now = datetime(2013, 4, 1, 7, tzinfo=UTC) + timedelta(days=days.stop)
                run_due_windows(config, store, clock=lambda at=now: at, services=services)  # type: ignore[misc]
            found[name] = store.windows.read(1)
        left = LabelLog(folder / "traffic").read()
        first = min(left["label_time"].cast("int64").to_pylist())
        if retention:  # all but those of three horizons, which late labels and a backfill may need
            assert as_microseconds(LIVE + timedelta(days=6)) < first < as_microseconds(LIVE + timedelta(days=9))
            assert left["sequence"][0].as_py() > 0
        else:
            assert left["sequence"][0].as_py() == 0
    assert found["deleted"] == found["kept"]
    assert len(found["kept"]) == 14

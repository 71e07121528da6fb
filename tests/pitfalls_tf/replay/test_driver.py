"""A replay to a server in this process: both request forms, labels, resuming, refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from monitoring.config.table_section import TableSection
from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter
from pitfalls_tf.replay import LoggedTraffic, ReplayOptions, ReplayPlan, ReplayProgress, already_logged, replay
from serving.access.guard import Guard
from serving.access.tokens import Token
from serving.server.labels_endpoint import LabelsEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Literal

    from tests.serving.conftest import OpenWebsite, Website

START = datetime(2013, 4, 1, tzinfo=UTC)
ROWS = 300
TOKEN = "secret"
LABELLED = ReplayPlan(rows_per_request=16, label="late", columns=TableSection(label_time="known"))


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Three hundred rows over ten hours, out of order, every 7th without a value; labels two hours later."""
    rng = np.random.default_rng(7)
    minutes = rng.integers(0, 600, ROWS).tolist()
    moments = [START + timedelta(minutes=minute) for minute in minutes]
    known = [None if row % 5 == 0 else moment + timedelta(hours=2) for row, moment in enumerate(moments)]
    moment = pa.timestamp("us", "UTC")
    return pa.table(
        {
            "event_time": pa.array(moments, moment),
            "known": pa.array(known, moment),
            "late": pa.array(rng.choice(["late", "on_time"], ROWS)),
            "x": pa.array([None if row % 7 == 0 else float(row) for row in range(ROWS)], pa.float32()),
        }
    )


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    return tmp_path / "traffic"


@pytest.fixture
def site(open_website: OpenWebsite, traffic: Path) -> Iterator[Website]:
    rows, labels = TrafficWriter(traffic, clock=now), LabelWriter(traffic, clock=now)
    with open_website(
        writer=rows, labels_endpoint=LabelsEndpoint(writer=labels, guard=Guard([Token.of(TOKEN)]))
    ) as website:
        yield website
    rows.close()
    labels.close()


def send(
    site: Website,
    table: pa.Table,
    plan: ReplayPlan,
    already: LoggedTraffic = LoggedTraffic(),  # noqa: B008 - frozen
) -> tuple[int, int, int, int]:
    options = ReplayOptions(token=TOKEN, already=already)
    done = replay(table, url=site.url, model="half_plus_two", plan=plan, options=options)
    return done.rows, done.labels, done.skipped_rows, done.skipped_labels


@pytest.mark.parametrize("form", ["columns", "rows"])
def test_every_row_and_label_arrives_once(
    site: Website, traffic: Path, table: pa.Table, form: Literal["columns", "rows"]
) -> None:
    plan = ReplayPlan(rows_per_request=16, label="late", columns=TableSection(label_time="known"), form=form)
    assert send(site, table, plan) == (ROWS, ROWS * 4 // 5, 0, 0)
    logged = TrafficLog(traffic).table(model="half_plus_two")
    assert logged.num_rows == ROWS
    expected = table.sort_by([("event_time", "ascending")])
    # A request's rows share the event time of its first row, so the order within an hour is that of the requests.
    sent = sorted(np.nan_to_num(expected.column("x").to_numpy(), nan=-1.0).tolist())
    assert sorted(np.nan_to_num(logged.column("x").to_numpy(), nan=-1.0).tolist()) == sent
    y = logged.column("y").to_numpy()
    np.testing.assert_allclose(y, logged.column("x").to_numpy() / 2 + 2, rtol=1e-6)
    truth = dict(zip(table.column("x").to_pylist(), table.column("late").to_pylist(), strict=True))
    for x, label in zip(logged.column("x").to_pylist(), logged.column("label").to_pylist(), strict=True):
        assert np.isnan(x) or label in {None, truth[x]}
    labels = LabelLog(traffic).read()
    assert labels.column("label_time").to_pylist() == sorted(labels.column("label_time").to_pylist())


def test_an_interrupted_replay_resumes(site: Website, traffic: Path, table: pa.Table) -> None:
    whole = table.sort_by([("event_time", "ascending")])
    cut = int(np.searchsorted(whole.column("event_time").to_numpy(), np.datetime64(START.replace(hour=5, tzinfo=None))))
    first = send(site, whole.slice(0, cut), LABELLED)
    second = send(site, whole, LABELLED, already_logged(traffic))
    assert first[:2] == (second[2], second[3])
    assert first[0] + second[0] == ROWS
    assert first[1] + second[1] == ROWS * 4 // 5
    assert send(site, whole, LABELLED, already_logged(traffic)) == (0, 0, ROWS, ROWS * 4 // 5)
    summary = TrafficLog(traffic).summary()
    assert (summary.rows, summary.repeats) == (ROWS, 0)


def test_progress_rises_to_the_number_of_rows(site: Website, table: pa.Table) -> None:
    seen: list[ReplayProgress] = []
    replay(table, url=site.url, model="half_plus_two", plan=ReplayPlan(), progress=seen.append)
    assert [one.rows for one in seen] == sorted(one.rows for one in seen)
    assert (seen[-1].rows, seen[-1].total) == (ROWS, ROWS)


def test_refusals_have_the_text_of_the_server(site: Website, table: pa.Table) -> None:
    with pytest.raises(BadInput, match=r"Use the same token for server and replay"):
        replay(table, url=site.url, model="half_plus_two", plan=LABELLED, options=ReplayOptions(token="wrong"))
    with pytest.raises(BadInput, match=r"Servable not found for request: Latest\(nobody\)"):
        replay(table, url=site.url, model="nobody", plan=ReplayPlan())
    with pytest.raises(BadInput, match="lacks columns that the model needs: feat, ints, name"):
        replay(table, url=site.url, model="named", plan=ReplayPlan())
    with pytest.raises(BadInput, match=r"has no single model.*Pass --model"):
        replay(table, url=site.url, model=None, plan=ReplayPlan())
    with pytest.raises(BadInput, match="Invalid server URL"):
        replay(table, url="localhost", model="m", plan=ReplayPlan())


def test_a_server_that_does_not_respond(table: pa.Table) -> None:
    with pytest.raises(CannotRun, match="The server does not respond"):
        replay(table, url="http://127.0.0.1:9", model="m", plan=ReplayPlan())


def test_a_server_that_stays_gone_is_given_up(table: pa.Table) -> None:
    restarts: list[str] = []

    def restart() -> str:
        restarts.append("restart")
        return "http://127.0.0.1:9"

    with pytest.raises(CannotRun, match="it disconnects on every request"):
        replay(
            table, url="http://127.0.0.1:9", model="m", plan=ReplayPlan(), options=ReplayOptions(on_disconnect=restart)
        )
    assert len(restarts) == 6

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitoring.config import load_config
from monitoring.deployment.deployment import deploy
from monitoring.documents.status import status_document
from monitoring.errors import CannotRun
from monitoring.evidence import sensitivity
from monitoring.inspection.status import status
from monitoring.records import MonitorStatus
from monitoring.runs.run import RunResult, run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.gaps import Gap, GapFile, LostRows
from monitoring.traffic.log.writer import TrafficWriter
from tests.small_deployment import table_of

NOW = datetime(2013, 5, 15, tzinfo=UTC)
DAY_US = 86_400_000_000
Send = Callable[..., None]


def run(
    folder: Path, *, now: datetime = NOW, stop: Callable[[], bool] = lambda: False
) -> tuple[RunResult, MonitorStatus]:
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: now, stop=stop)
        return done, status(store, "flights")


def test_quiet_traffic_is_judged_window_by_window_and_raises_no_page(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=30))
    done, found = run(deployed)
    assert done.judged == 30
    assert not [i for i in found.incidents if i.level == "page"]
    assert found.coverage.rows == 30 * 60
    assert 0.95 < found.coverage.labels / found.coverage.labels_due < 1.0
    assert found.coverage.labels_unknown == 0
    assert {s.metric for s in found.sensitivity} == {"error", "brier"}


def test_a_model_gone_wrong_pages_and_the_cause_says_that_the_model_is_overconfident(
    deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=30, broken_from=15, broken_part=0.4))
    done, found = run(deployed)
    page = next(i for i in found.incidents if i.level == "page")
    assert datetime(2013, 4, 16, tzinfo=UTC) <= page.window_start <= datetime(2013, 4, 20, tzinfo=UTC)
    assert page.number in [incident.number for incident in done.opened]
    assert "the model is overconfident" in incident_text(page).cause
    assert incident_text(page).message.startswith("Error rate ")
    assert " unexplained: the model is overconfident." in incident_text(page).message
    assert found.windows[-1].status == "page"
    detail = page.detail
    assert detail.split is not None
    assert detail.split.surprise > detail.split.difficulty
    document = next(i for i in status_document(found).plain()["incidents"] if i["number"] == page.number)
    (by_origin,) = document["decomposition"]
    assert by_origin["column"] == "origin"
    assert {part["slice"] for part in by_origin["parts"]} == {"origin=EWR", "origin=JFK"}
    assert sum(part["mix"] + part["loss"] for part in by_origin["parts"]) == pytest.approx(by_origin["change"])
    largest = max(by_origin["parts"], key=lambda part: part["loss"])
    assert f" comes from {largest['slice'].replace('=', ' = ')}." in incident_text(page).message
    assert [row["score"] for row in document["rows"]] == sorted((r["score"] for r in document["rows"]), reverse=True)
    day = f"20130401-{(page.window_start - datetime(2013, 4, 1, tzinfo=UTC)).days}-"
    assert len(document["rows"]) == 10
    assert all(row["prediction_id"].startswith(day) for row in document["rows"])
    assert document["inputs"] == []  # the labels changed, and no input did
    assert "No input moved since then (" in incident_text(page).message
    evidence = [w.page_log_evidence for w in found.windows]  # starts again after every alarm
    assert max(evidence[:15]) < max(evidence[15:])


def test_a_second_run_judges_nothing_and_finds_the_same(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=12))
    _, before = run(deployed)
    again, after = run(deployed)
    assert again.judged == 0
    assert after == before


def test_a_run_stopped_between_windows_and_run_again_gives_the_same_store_and_words(
    deploy: Callable[[str], Path], send: Send, days: Any
) -> None:
    folders = [deploy("whole"), deploy("pieces")]
    for folder in folders:
        send(folder, days(days=25, broken_from=12))
    _, whole = run(folders[0])
    stops = iter([False] * 7 + [True] + [False] * 3 + [True])  # the last run begins by learning memories
    judged = [run(folders[1], stop=lambda: next(stops, False))[0] for _ in range(3)]
    _, pieces = run(folders[1])
    assert [r.stopped for r in judged] == [True, True, False]
    assert sum(r.judged for r in judged) == 25
    assert pieces == whole


def test_a_window_is_not_judged_before_it_is_due(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=5))
    assert run(deployed, now=datetime(2013, 4, 4, 5, 59, tzinfo=UTC))[0].judged == 2
    assert run(deployed, now=datetime(2013, 4, 4, 6, 0, tzinfo=UTC))[0].judged == 1


def test_labels_written_after_their_window_was_judged_count_in_the_next_one_once(
    deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=6), labels=False)
    assert run(deployed, now=datetime(2013, 4, 4, 6, tzinfo=UTC))[1].coverage.labels == 0
    send(deployed, days(days=6), requests=False)
    _, found = run(deployed)
    by_window = [w.labels for w in found.windows]
    assert by_window[:3] == [0, 0, 0]
    assert by_window[3] > 200
    assert sum(by_window) == found.coverage.labels > 330
    send(deployed, days(days=6), requests=False)
    assert run(deployed)[1].coverage.labels == found.coverage.labels


def test_a_column_that_is_gone_pages_at_once_and_is_over_when_it_is_back(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=3, without="temp"))
    _, found = run(deployed)
    incident = next(i for i in found.incidents if i.level == "page")
    assert (incident.watch, incident.slice, incident_text(incident).cause) == ("schema", "temp", "column gone")
    assert incident.opened_at == datetime(2013, 4, 2, tzinfo=UTC)
    assert [i.watch for i in found.incidents].count("schema") == 1
    send(deployed, days(days=4, start=datetime(2013, 4, 4, tzinfo=UTC)))
    _, after = run(deployed)
    closed = next(i for i in after.incidents if i.watch == "schema")
    assert closed.state == "closed"
    assert closed.closed_at == datetime(2013, 4, 7, tzinfo=UTC)


def test_labels_that_come_for_sure_answers_alone_are_a_notice_and_contradictions_are_counted(
    deployed: Path, send: Send, days: Any
) -> None:
    made = days(days=40, seed=8)
    send(deployed, made, labels=False)
    table = table_of(made)
    late = np.array(table["probabilities"].to_pylist())[:, 1]
    day = np.arange(table.num_rows) // 60
    chosen = table.filter(pa.array((late > np.median(late)) | (day < 15))).filter(pc.field("label").is_valid())
    writer = LabelWriter(deployed / "traffic", clock=lambda: NOW)
    ids, times = chosen["prediction_id"].to_pylist(), np.asarray(chosen["label_time"].cast(pa.int64()))
    writer.append(ids, chosen["label"].to_pylist(), times)
    other = ["on_time" if label == "late" else "late" for label in chosen["label"].to_pylist()[:5]]
    writer.append(ids[:5], other, times[:5] + DAY_US)
    writer.close()
    _, found = run(deployed)
    notice = next(i for i in found.incidents if i.watch.startswith("labelled:"))
    # the first day of which only some labels came is waited for until a week is over
    assert datetime(2013, 4, 16, tzinfo=UTC) + timedelta(days=7) <= notice.window_start
    assert notice.window_start <= datetime(2013, 4, 16, tzinfo=UTC) + timedelta(days=14)
    assert notice.level == "notice"
    assert "the share of these rows among labelled rows" in incident_text(notice).message
    scores = {s.watch: s.value for s in found.windows[-1].scores if s.watch.startswith("labelled:")}
    assert set(scores) == {f"labelled:score={q}" for q in ("lowest", "low", "high", "highest")} | {
        "labelled:origin=EWR",
        "labelled:origin=JFK",
    }
    assert scores["labelled:score=highest"] == pytest.approx(0.25, abs=0.15)
    assert found.coverage.labels_conflicting == 5
    assert found.coverage.labels == chosen.num_rows
    document = status_document(found).plain()["coverage"]
    assert document["labels_conflicting"] == 5
    event = np.asarray(chosen["event_time"].cast(pa.int64()))
    assert document["arrival"][-1]["share"] == 1.0
    for one in document["arrival"]:
        assert one["share"] == pytest.approx(np.mean(times - event <= one["within"] * 1_000_000))


def test_a_missing_bundle_is_one_clear_message(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=1))
    text = (deployed / "monitor.toml").read_text()
    (deployed / "monitor.toml").write_text(text.replace("models/flights", "models/trains"))
    with pytest.raises(CannotRun, match="The bundle to watch is not there"):
        run(deployed)


def _judge(folder: str, judged: multiprocessing.Queue[tuple[int, str]]) -> None:
    sensitivity.SIMULATIONS = 20  # in this process, as in the tests' own
    try:
        judged.put((run(Path(folder))[0].judged, ""))
    except CannotRun as error:
        judged.put((0, error.what))


def test_two_runs_at_once_judge_every_window_once(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=20))
    deploy(load_config(deployed / "monitor.toml"))  # keeps the fit, which both would make at the same time
    context = multiprocessing.get_context("spawn")
    judged: multiprocessing.Queue[tuple[int, str]] = context.Queue()
    processes = [context.Process(target=_judge, args=(str(deployed), judged)) for _ in range(2)]
    for process in processes:
        process.start()
    results = [judged.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(60)
    windows = run(deployed)[1].windows
    assert sum(count for count, _ in results) == 20
    assert len({w.start for w in windows}) == len(windows) == 20


def test_rows_that_the_log_lost_or_left_out_are_answered_and_not_seen(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=4))
    noon = datetime(2013, 4, 2, 12, tzinfo=UTC)
    at_us = as_microseconds(noon)
    gaps = GapFile(deployed / "traffic", noon)
    both = LostRows(model="flights", version=1, rows=8, first_event_us=at_us, last_event_us=at_us + DAY_US - 1)
    other = LostRows(model="flights", version=2, rows=99, first_event_us=at_us, last_event_us=at_us)
    gaps.write(Gap(first_us=at_us, last_us=at_us, reason="no space", lost=(both, other)))
    gaps.close()
    writer = TrafficWriter(deployed / "traffic", clock=lambda: NOW)
    writer.append(
        AnsweredRows(
            model="flights",
            version=1,
            signature="serving_default",
            request_ids=["sampled"] * 5,
            rows=range(5),
            event_times_us=np.full(5, at_us + 2 * DAY_US),
            answered_at_us=0,
            latencies_us=np.zeros(5, np.int64),
            inputs={"temp": np.zeros(5, np.float32), "origin": np.array([b"JFK"] * 5, object)},
            outputs={"probabilities": np.full((5, 2), 0.5, np.float32)},
            sampling_rate=0.25,
        )
    )
    writer.close()
    _, found = run(deployed)
    assert [window.rows for window in found.windows] == [60, 60, 60, 65]
    assert [window.unseen for window in found.windows] == [0, 4, 4, 15]
    assert (found.coverage.rows, found.coverage.answered) == (245, 268)
    about = [f.message for window in found.windows for f in window.findings if f.kind == "capture gap"]
    assert about == ["4 rows were answered and are not in the traffic log."] * 2
    assert status_document(found).plain()["coverage"]["answered"] == 268

"""The reports of a deployment: the monitor's page, a picture, and the drift report of one window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from monitoring.baseline.benchmark import benchmark
from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.config import MonitorConfig
from monitoring.deployment.baseline_in_use import baseline_in_use
from monitoring.deployment.configured_spec import configured
from monitoring.deployment.data_dictionary import column_notes
from monitoring.deployment.deployment_lookup import DeploymentLookup, look_up_deployment
from monitoring.errors import BadInput, CannotRun
from monitoring.evidence.budget import finite_evidence
from monitoring.inspection.status import first_page, status
from monitoring.records import MonitorStatus, ScoreRecord, WindowRecord
from monitoring.reports.charts.summary import write_picture
from monitoring.reports.drift import write_drift_report
from monitoring.reports.drift_summary import DriftSubject, DriftSummary, WatchVerdict
from monitoring.reports.page import write_page
from monitoring.reports.sections.benchmark import Benchmark, BenchmarkMetric, Interval
from monitoring.reports.sections.formatting import format_window
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import open_traffic, with_labels
from monitoring.store.store import Store
from monitoring.traffic.windows import Window
from monitoring.watches.descriptions import slice_title, watch_title

PAGE = "report.html"
PICTURE = "report.png"

#: How many watches the drift report shows next to Evidently's columns: those with most evidence.
VERDICTS = 6

#: The 95 % interval of the benchmark is a bootstrap over days, seeded, so that a report written again is the same.
SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """The reports that were written.

    Attributes:
        drift_html: Evidently's report; None if it was not requested, or its window has no rows.
        note: why the reports are of another deployment than the config's; empty if they are not.
    """

    page: Path
    picture: Path
    drift_html: Path | None
    drift_json: Path | None
    drift: DriftSummary | None
    window: WindowRecord | None
    note: str = ""


def write_reports(
    config: MonitorConfig,
    store: Store,
    *,
    out: Path,
    day: date | None = None,
    drift: bool = True,
    deployment: int | None = None,
) -> Reports:
    """Write ``report.html`` and ``report.png``, and Evidently's drift report of one window.

    Cost: Evidently's import and 10 to 20 s for its report; the rest takes two.

    Args:
        day: the drift report is of the first window that begins on that day, in the config's time zone; a datetime with
            a time of day names the window that holds it. None: the window of the first page, else the last with rows.
    """
    lookup = look_up_deployment(config, store) if deployment is None else DeploymentLookup(number=deployment)
    monitor_status = replace(status(store, config.name, lookup.number), columns=column_notes(config))
    baseline = baseline_in_use(config)
    reference = reference_benchmark(baseline, config)
    _make_folder(out)
    window = chosen_window(monitor_status, day)
    html = json = summary = None
    if drift and window is not None and window.rows:
        html, json = drift_files(out, window.start, ZoneInfo(monitor_status.timezone))
        summary = _write_drift(config, baseline, monitor_status, window, (html, json))
    write_page(monitor_status, path=out / PAGE, benchmark=reference, drift_report=html)
    write_picture(monitor_status, path=out / PICTURE, benchmark=reference)
    return Reports(
        page=out / PAGE,
        picture=out / PICTURE,
        drift_html=html,
        drift_json=json,
        drift=summary,
        window=window,
        note=lookup.note,
    )


def write_drift(config: MonitorConfig, store: Store, *, out: Path, start: datetime, deployment: int) -> DriftSummary:
    """Write Evidently's drift report of one window.

    Cost: Evidently's import and 10 to 20 s.

    Raises:
        BadInput: there is no such deployment or window, or the window has no rows.
    """
    monitor_status = status(store, config.name, deployment)
    window = next((window for window in monitor_status.windows if window.start == start and window.rows), None)
    if window is None:
        raise BadInput(
            "There is no drift report of this window.",
            got=start.isoformat(),
            expected="a judged window with rows",
            fix="Choose another window.",
        )
    baseline = baseline_in_use(config)
    _make_folder(out)
    return _write_drift(
        config, baseline, monitor_status, window, drift_files(out, start, ZoneInfo(monitor_status.timezone))
    )


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRun(
            "The reports cannot be written.",
            got=f"{out}: {error.strerror}",
            expected="a folder this user may write",
            fix="Give another folder with --out.",
        ) from error


def reference_benchmark(baseline: Baseline, config: MonitorConfig) -> Benchmark:
    """The model's metrics on the reference rows, which it was not fitted on: of all rows and by slice."""
    spec = configured(config, baseline.spec)
    metrics = benchmark(baseline.reference, spec, np.random.default_rng(SEED), timezone=config.windows.timezone)
    intervals = {(m.metric, m.slice): Interval(mean=m.mean, low=m.low, high=m.high) for m in metrics}
    return Benchmark(
        metrics=tuple(
            BenchmarkMetric(
                metric=metric,
                mean=whole.mean,
                low=whole.low,
                high=whole.high,
                by_slice={part: value for (other, part), value in intervals.items() if other == metric and part},
            )
            for (metric, slice_), whole in intervals.items()
            if not slice_
        )
    )


def chosen_window(monitor_status: MonitorStatus, day: date | None) -> WindowRecord | None:
    """The window that begins on that day or holds that moment, else that of the first page, else the last with rows."""
    zone = ZoneInfo(monitor_status.timezone)
    if day is not None:
        match = next((w for w in monitor_status.windows if _is_on(w, day, zone)), None)
        if match is None:
            raise BadInput(
                "No window begins on that day.",
                got=day.isoformat(),
                expected=_span(monitor_status, zone),
                fix="Choose a day that was judged; `pitfalls monitor status --json` lists them.",
            )
        return match
    page = first_page(monitor_status)
    if page is not None:
        return next((w for w in monitor_status.windows if w.end == page[0]), None)
    return next((w for w in reversed(monitor_status.windows) if w.rows), None)


def _is_on(window: WindowRecord, day: date, zone: ZoneInfo) -> bool:
    if not isinstance(day, datetime):
        return window.start.astimezone(zone).date() == day
    if day.time() == time():
        return window.start.astimezone(zone).date() == day.date()
    return window.start <= day.replace(tzinfo=zone) < window.end


def _write_drift(
    config: MonitorConfig,
    baseline: Baseline,
    monitor_status: MonitorStatus,
    window: WindowRecord,
    paths: tuple[Path, Path],
) -> DriftSummary:
    labelled = labelled_rows(config, baseline, monitor_status.version, Window(start=window.start, end=window.end))
    scores = sorted(
        (score for score in window.scores if score.level == "page"), key=lambda s: (-s.log_evidence, s.watch, s.slice)
    )
    return write_drift_report(
        plain_table(labelled, baseline),
        plain_table(baseline.reference, baseline),
        spec=baseline.spec,
        paths=paths,
        rng=np.random.default_rng(SEED),
        subject=DriftSubject(
            title=drift_title(monitor_status.model, monitor_status.version, window, ZoneInfo(monitor_status.timezone)),
            verdicts=(
                _verdict("Page level, all watches", window.page_log_evidence, monitor_status.page_threshold),
                _verdict("Notice level, all watches", window.notice_log_evidence, monitor_status.notice_threshold),
                *(_verdict(_score_words(score), score.log_evidence) for score in scores[:VERDICTS]),
            ),
        ),
    )


def labelled_rows(config: MonitorConfig, baseline: Baseline, version: int | None, window: Window) -> Predictions:
    """The rows of a window that was judged, each with the label that is known for it now."""
    traffic = open_traffic(config, baseline, version, clock=lambda: window.end, scope=ReadScope(since=window.start))
    current, _ = traffic.read(window)
    return with_labels(current, traffic.latest_labels(), baseline.spec.task)


def _verdict(name: str, log_evidence: float, threshold: float | None = None) -> WatchVerdict:
    return WatchVerdict(name=name, evidence=finite_evidence(log_evidence), threshold=threshold)


def _score_words(score: ScoreRecord) -> str:
    name = watch_title(score.watch)
    return f"{name} at {slice_title(score.slice)}" if score.slice else name


def drift_title(model: str, version: int, window: WindowRecord, zone: ZoneInfo) -> str:
    """What a drift report is about."""
    return f"{model} version {version}, {format_window(window.start, window.end, zone)}"


def drift_files(out: Path, start: datetime, zone: ZoneInfo) -> tuple[Path, Path]:
    """The files of the drift report of a window.

    >>> from datetime import UTC
    >>> page, document = drift_files(Path("report"), datetime(2026, 5, 1, 6, 30, tzinfo=UTC), ZoneInfo("UTC"))
    >>> page.name, document.name
    ('drift-2026-05-01T0630.html', 'drift-2026-05-01T0630.json')
    """
    begun = start.astimezone(zone)
    stem = f"drift-{begun:%Y-%m-%d}" + (f"T{begun:%H%M}" if begun.time() != time() else "")
    return out / f"{stem}.html", out / f"{stem}.json"


def plain_table(predictions: Predictions, baseline: Baseline) -> pa.Table:
    """Predictions as a table: event_time, the inputs, probabilities, and the label's text (null without one)."""
    return (
        predictions.features.append_column("event_time", pa.array(predictions.event_times, pa.timestamp("us", "UTC")))
        .append_column("probabilities", pa.array(list(predictions.probabilities), pa.list_(pa.float64())))
        .append_column("label", baseline.spec.task.label_texts(predictions.labels))
    )


def _span(monitor_status: MonitorStatus, zone: ZoneInfo) -> str:
    if not monitor_status.windows:
        return "a day that was judged (none was)"

    def local(moment: datetime) -> str:
        return moment.astimezone(zone).date().isoformat()

    return f"a day from {local(monitor_status.windows[0].start)} to {local(monitor_status.windows[-1].start)}"

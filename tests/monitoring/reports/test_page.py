from __future__ import annotations

import base64
import hashlib
import math
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from monitoring.records import MonitorStatus, ScoreRecord
from monitoring.reports import Benchmark, write_page
from monitoring.reports.charts.incident_span import span_drawing
from monitoring.reports.page import MOST_CLOSED, listed, page_charts

HOSTILE = """</script><script>alert(1)</script><img src=x onerror=alert(2)>"'&{{7*7}}"""


class Document(HTMLParser):
    """What a browser would make of the page: elements with their attributes, scripts, and text outside of them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self.style = ""
        self._inside: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
        if tag not in {"meta", "img", "link", "input", "br"}:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._inside and self._inside[-1] == "script":
            self.scripts[-1] += data
        elif self._inside and self._inside[-1] == "style":
            self.style += data
        elif self._inside:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def read(folder: Path, **more: Any) -> Document:
    path = folder / "report.html"
    write_page(more.pop("status"), path=path, **more)
    return Document(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, status: MonitorStatus, benchmark: Benchmark) -> Document:
    return read(tmp_path_factory.mktemp("page"), status=status, benchmark=benchmark)


def test_headline_says_what_when_why_and_at_what_budget(page: Document) -> None:
    assert "flights version 1 · 1 Apr 2013 \N{EN DASH} 31 Dec 2013 (UTC)" in page.text
    assert "2 pages in 275 windows, 1 still open" in page.text
    assert (
        "Page #3, opened 8 Dec 2013 06:00 for the window 7 Dec 2013: Brier score at origin = EWR: the traffic is harder"
        in page.text
    )
    assert "False-alarm budget: pages at most 1 per 365 windows, notices" in page.text


def test_an_open_page_marks_the_headline(page: Document) -> None:
    assert [heading["class"] for heading in page.of("h1")] == re.findall(r"h1\.([\w-]+)::before", page.style)


def test_sections_stand_in_order(page: Document) -> None:
    places = [
        page.text.index(words)
        for words in (
            "2 pages in 275 windows, 1 still open 1",
            "Incidents",
            "Benchmark against deployment",
            "Evidence over time",
            "Window by window",
            "Sensitivity",
            "Coverage",
            "Data findings",
            "Watches",
        )
        if words in page.text
    ]
    assert len(places) >= 8
    assert places == sorted(places)


def test_tables_hold_incidents_sensitivity_coverage_findings_and_watches(page: Document) -> None:
    assert "Mean quantile of temp rose from 0.500 to 0.640" in page.text
    assert "Error rate +16.1 points +8.1 points not within 90" in page.text
    assert "Labels arrived 241,150" in page.text
    assert "half arrived within 18 h, 90 % within 2 days" in page.text
    assert "unexpected values carrier 11 May 2013 22 May 2013 12 1 value not in the domain: UA" in page.text
    assert "column missing page visib 31 May 2013 31 May 2013 1 visib was absent" in page.text
    assert re.search(r"page Brier score all traffic 0\.146 ± 0\.045 0\.\d{3} 1\.\d . 10¹² \d+ %", page.text)


def test_every_chart_is_drawn_described_and_given_as_a_table(
    page: Document, status: MonitorStatus, benchmark: Benchmark
) -> None:
    charts = page_charts(status, benchmark)
    assert [chart.name for chart in charts] == [
        "months-brier",
        "months-error",
        "slices-brier",
        "slices-error",
        "evidence",
        "windows-brier",
        "windows-surprise_brier",
        "effect:input:temp",
        "effect:input:carrier",
        "effect:answers",
        "arrivals",
    ]
    drawn = [attributes for attributes in page.of("svg") if attributes.get("role") == "img"]
    spans = [attributes for attributes in drawn if attributes["class"] == "span"]
    assert len(spans) == len(status.incidents)
    assert len(drawn) - len(spans) == sum(len(chart.drawings) for chart in charts)
    assert all(len(attributes["aria-label"] or "") > 40 for attributes in drawn if attributes not in spans)
    assert page.text.count("Data of this chart") == len(charts)
    assert re.search(r"23 Apr 2013 920 page 450 0 \d\.\d\d ", page.text)


def test_the_tables_say_what_they_leave_out(page: Document) -> None:
    assert "The newest 60 of 275 windows, and the newest 60 that opened an incident" in page.text


def test_the_incidents_are_those_that_are_not_closed_and_the_first_others(status: MonitorStatus) -> None:
    first, second = status.incidents[:2]
    closed = [replace(first, number=3 + number) for number in range(MOST_CLOSED + 7)]
    found = listed((first, second, *closed))
    assert [one.number for one in found] == [first.number, 2, *(one.number for one in closed[: MOST_CLOSED - 1])]
    assert listed(status.incidents) == status.incidents


def test_a_span_is_the_part_of_the_period_in_which_an_incident_was_open(status: MonitorStatus) -> None:
    since, until = status.windows[0].start, status.windows[-1].end
    half = replace(status.incidents[0], window_start=since, closed_at=since + (until - since) / 2)
    assert span_drawing(half, since, until).paths[1].d == "M0 0h70v10h-70z"
    late = replace(half, window_start=until - timedelta(minutes=1), closed_at=None)
    assert span_drawing(late, since, until).paths[1].d == "M137 0h3v10h-3z"


def test_incidents_whose_windows_were_pruned_have_a_line_too(tmp_path: Path, status: MonitorStatus) -> None:
    none = replace(status, windows=())
    page = read(tmp_path, status=none)
    spans = [attributes for attributes in page.of("svg") if attributes["class"] == "span"]
    assert len(spans) == len(status.incidents)


def test_nothing_is_loaded_from_elsewhere_and_no_script_runs(page: Document) -> None:
    policy = next(a["content"] or "" for a in page.of("meta") if a.get("http-equiv") == "Content-Security-Policy")
    for _, attributes in page.elements:
        for name in ("src", "href", "action", "srcset", "data", "poster"):
            assert name not in attributes, attributes
        assert not [name for name in attributes if name.startswith("on")]
    assert not [tag for tag, _ in page.elements if tag in {"link", "iframe", "object", "embed", "base", "img"}]
    assert page.scripts == []
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not [attributes for _, attributes in page.elements if "style" in attributes]
    assert not re.search(r"url\(|@import|https?:", page.style)


def test_text_from_traffic_cannot_leave_its_place(
    tmp_path: Path, status_of: Callable[..., MonitorStatus], benchmark: Benchmark
) -> None:
    def owned(found: MonitorStatus, owner: str) -> MonitorStatus:
        return replace(found, incidents=tuple(replace(one, owner=owner, previous=7) for one in found.incidents))

    benign = read(tmp_path, benchmark=benchmark, status=owned(status_of(label="B6"), "B6"))
    hostile = read(tmp_path, benchmark=benchmark, status=owned(status_of(label=HOSTILE, model="<b>m</b>"), HOSTILE))
    assert f"owner {HOSTILE}" in hostile.text
    assert "came back, see #7" in hostile.text
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in benign.elements]
    assert hostile.scripts == []
    assert hostile.style == benign.style
    assert HOSTILE in hostile.text
    assert "<b>m</b> version 1" in hostile.text


def test_drift_report_is_linked_relative_to_the_page(tmp_path: Path, status: MonitorStatus) -> None:
    page = read(tmp_path, status=status, drift_report=tmp_path / "drift reports" / "2013-04-23.html")
    assert [a["href"] for a in page.of("a")] == ["drift%20reports/2013-04-23.html"]


def test_healthy_deployment_without_a_benchmark(tmp_path: Path, status_of: Callable[..., MonitorStatus]) -> None:
    page = read(tmp_path, status=status_of(windows=20, incidents=False))
    assert "Healthy: no page in 20 windows" in page.text
    assert "Smallest rise detected within 30 windows: Brier score +0.047, error rate +8.1 points." in page.text
    assert "losses are compared with the baseline's mean" in page.text
    assert "Dashed line: the baseline's mean, 0.146." in page.text
    assert "◇ baseline ● deployed, whole period." in page.text


def test_deployment_without_windows(tmp_path: Path, status_of: Callable[..., MonitorStatus]) -> None:
    page = read(tmp_path, status=status_of(windows=0, incidents=False))
    assert "No window judged yet" in page.text
    assert "No window has enough labels to score yet." in page.text
    assert not page.of("svg") or page.text.count("Data of this chart") == 1


def test_page_replaces_itself_whole_and_leaves_nothing_aside(
    tmp_path: Path, status_of: Callable[..., MonitorStatus]
) -> None:
    path = tmp_path / "deep" / "report.html"
    write_page(status_of(windows=3, incidents=False), path=path)
    first = path.read_bytes()
    write_page(status_of(windows=3, incidents=False), path=path)
    assert path.read_bytes() == first
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]


def with_inputs(status: MonitorStatus, inputs: int, windows: int) -> MonitorStatus:
    """The same deployment with so many more inputs, of six watches each, and with so many windows."""
    names = [f"input:column_{place // 5}={place % 5}" for place in range(5 * inputs)]
    names += [f"missing:column_{place}" for place in range(inputs)]
    known = replace(status.baseline[-1], level="notice", slice="", mean=0.2, deviation=0.05)
    days = status.windows[-1].end - status.windows[0].start
    made = tuple(
        replace(
            window,
            start=window.start + turn * days,
            end=window.end + turn * days,
            scores=(
                *window.scores,
                *(
                    ScoreRecord(
                        level="notice",
                        watch=name,
                        slice="",
                        rows=900,
                        value=0.2 + 0.1 * math.sin(place * turn + number + place**2),
                        log_evidence=math.cos(place + number),
                    )
                    for number, name in enumerate(names)
                ),
            ),
        )
        for turn in range(-(-windows // len(status.windows)))
        for place, window in enumerate(status.windows)
    )[:windows]
    return replace(status, windows=made, baseline=(*status.baseline, *(replace(known, watch=name) for name in names)))


@pytest.mark.parametrize(("inputs", "windows"), [(16, 275), (30, 500)])
def test_a_report_is_small_enough_for_a_mail(
    tmp_path: Path, status: MonitorStatus, benchmark: Benchmark, inputs: int, windows: int
) -> None:
    write_page(with_inputs(status, inputs, windows), path=tmp_path / "report.html", benchmark=benchmark)
    assert (tmp_path / "report.html").stat().st_size <= 500_000


def test_importing_the_package_loads_nothing_that_draws() -> None:
    libraries = ("plotly", "jinja2", "matplotlib", "evidently", "pandas", "rich", "pyarrow", "tensorflow")
    probe = f"import sys, monitoring.reports; print(sorted(set({libraries}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""The pictures of the dashboard in docs/images: ``python -m tests.browser.dashboard_pictures [FOLDER]``."""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import sync_playwright
from starlette.applications import Starlette

from monitoring.config.files import read_files
from monitoring.dashboard.access.access import Access
from monitoring.dashboard.stores.named_store import NamedStore, named_stores
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.web.app import Changes, dashboard_app
from monitoring.dashboard.web.server import address_of, bind, serving
from monitoring.records import IncidentRecord, MonitorStatus, WindowRecord
from monitoring.reports.sections.formatting import format_date
from monitoring.store import DeploymentRecord, Store
from tests.dashboard_store import EXAMPLES, STEP, described_stores
from tests.incident_words import worded

#: When the pictures are taken.
NOW = datetime(2014, 1, 1, 9, tzinfo=UTC)

#: Deployments: name, team, tags, state, the first of its windows in a made-up year, and how many it has.
DEPLOYMENTS = (
    ("flights", "travel", ("us",), "page", 155, 120),
    ("credit-eu", "credit", ("eu", "batch"), "notice", 155, 80),
    ("returns", "logistics", ("eu",), "late", 155, 75),
    ("parcels", "logistics", ("us",), "ok", 130, 80),
)

#: The window in which the input of a page and of a notice begins to drift.
DRIFT = 68

#: Pictures: name, path, width, height, theme.
PICTURES: tuple[tuple[str, str, int, int, Literal["light", "dark"]], ...] = (
    ("dashboard-overview", "/", 1200, 490, "light"),
    ("dashboard-deployment", "/d/flights/1", 1200, 1590, "light"),
    ("dashboard-overview-phone", "/", 390, 760, "dark"),
    ("dashboard-incident", "/d/flights/1/incidents/2", 1200, 1240, "light"),
    ("dashboard-incident-phone", "/d/flights/1/incidents/2", 390, 980, "dark"),
)

#: Pictures of a deployment whose rows have photos and texts.
PICTURES_OF_ROWS: tuple[tuple[str, str, int, int, Literal["light", "dark"]], ...] = (
    ("dashboard-rows", "/d/shop/1/incidents/1/rows", 1200, 1180, "light"),
    ("dashboard-rows-phone", "/d/shop/1/incidents/1/rows", 390, 980, "dark"),
    ("dashboard-answers", "/d/shop/1/outcomes", 1200, 400, "light"),
    ("dashboard-answers-phone", "/d/shop/1/outcomes", 390, 620, "dark"),
)

#: What the notice and the page say.
QUANTILES = (
    "Mean quantile of temp 0.500 \N{RIGHTWARDS ARROW} 0.560. That is the mean of the values' quantiles in the baseline "
    "(location): 0.5 is no shift."
)
CAUSE = (
    "Error rate at origin = EWR 21 \N{RIGHTWARDS ARROW} 30 % since 28 November 2013 (3,410 rows): the model is "
    "overconfident"
)
PROOF = (
    "Brier score at origin = EWR 0.158 \N{RIGHTWARDS ARROW} 0.231. Of this the model's own probabilities explain "
    "+0.020 and leave +0.053 unexplained: the model is overconfident. How sure it is: evidence 700 (page "
    "threshold 365), 63 % of it from the Brier score at origin = EWR."
)

ACCESS = Access(names=frozenset({"localhost", "127.0.0.1"}))

CONFIG = """[model]
bundle = "models/{name}"
[traffic]
path = "traffic"
[deployment]
team = "{team}"
tags = {tags}
[store]
url = "sqlite:///{store}"
"""


def fill(store: Store, place: int) -> None:
    """Judge the windows of one of `DEPLOYMENTS`."""
    name, _, _, state, first, count = DEPLOYMENTS[place]
    status: MonitorStatus = EXAMPLES["make_status"](windows=275, model=name)
    away = timedelta(days=3) if state == "late" else timedelta(0)
    number = store.find_or_create(
        DeploymentRecord(
            model=name,
            version=1 + place % 3,
            settings_digest=f"{place:02d}" * 32,
            created_at=NOW - timedelta(hours=3) - away,
            timezone="UTC",
            page_budget=status.page_budget,
            page_threshold=status.page_threshold,
            notice_budget=status.notice_budget,
            notice_threshold=status.notice_threshold,
        )
    )
    found = status.windows[first : first + count]
    shift = status.windows[-1].end - found[-1].end - away
    windows = [_of_state(one, state, turn, place, shift) for turn, one in enumerate(found)]
    for window in windows:
        incidents = _incidents(status, state, windows, shift) if window is windows[-1] else ()
        store.commit_window(number, window, states={}, label_cursor={}, incidents=incidents)
    store.deployments.save_baseline(number, status.baseline)
    store.deployments.save_sensitivity(number, status.sensitivity)


def _of_state(window: WindowRecord, state: str, turn: int, place: int, shift: timedelta) -> WindowRecord:
    noise = 0.03 * math.sin(1.7 * turn + place)
    drift = 0.005 * max(0, turn - DRIFT) if state in ("page", "notice") else 0.0
    values = {"input:temp:location": 0.5 + noise + drift, "input:carrier=UA": 0.172 + 0.4 * noise}
    scores = tuple(
        replace(one, value=values[one.watch], log_evidence=min(4.0, 30 * noise + 30 * drift))
        if one.watch in values
        else one
        for one in window.scores
    )
    notice = min(4.5, 20 * noise + 40 * drift)
    moved = replace(
        window, start=window.start + shift, end=window.end + shift, scores=scores, notice_log_evidence=notice
    )
    if state == "page":
        return moved
    low = -0.2 + 0.5 * ((turn * 7 + place) % 5) / 5
    calm = replace(moved, page_log_evidence=min(window.page_log_evidence, low))
    if state == "notice":
        return calm
    return replace(calm, status="ok")


def _incidents(
    status: MonitorStatus, state: str, windows: Sequence[WindowRecord], shift: timedelta
) -> tuple[IncidentRecord, ...]:
    """A notice of the input that drifts, and for a page the page after it."""
    _, notice, page = status.incidents
    if state not in ("page", "notice"):
        return ()
    began = windows[min(DRIFT + 12, len(windows) - 2)]
    notice = replace(
        notice,
        number=1,
        diagnoses=worded(
            f"Median of temp rose from 55.4 to 61.2 in the last window; drift since {format_date(began.start.date())} "
            "(920 rows)",
            f"{QUANTILES} Next step: compare the inputs with the baseline.",
        ),
        opened_at=began.end + timedelta(hours=6),
        window_start=began.start,
        window_end=began.end,
    )
    if state == "notice":
        return (notice,)
    times = {name: getattr(page, name) + shift for name in ("opened_at", "window_start", "window_end")}
    return notice, replace(page, number=2, diagnoses=worded(CAUSE, f"{CAUSE}. {PROOF} {STEP}"), **times)


def dashboard(folder: Path) -> tuple[Starlette, tuple[NamedStore, ...]]:
    """A dashboard of all `DEPLOYMENTS`, written into a folder."""
    url = folder / "pitfalls.db"
    with Store.open(f"sqlite:///{url}") as store:
        for place in range(len(DEPLOYMENTS)):
            fill(store, place)
    paths = []
    for name, team, tags, *_ in DEPLOYMENTS:
        path = folder / f"{name}.toml"
        path.write_text(CONFIG.format(name=name, team=team, tags=list(tags), store=url).replace("'", '"'))
        paths.append(path)
    files = read_files(paths)
    stores = Stores(stores=named_stores(files), files=files, clock=lambda: NOW)
    return dashboard_app(lambda: stores, ACCESS, Changes(stores.fingerprint)), stores.stores


def parcel_photos(rows: int = 120) -> NDArray[np.float64]:
    """Made-up photos of 8 by 8 pixels, brown parcels on grey ground, [rows, 192]."""
    rng = np.random.default_rng(5)
    found = np.empty((rows, 8, 8, 3))
    for photo in found:
        photo[:] = rng.uniform(0.72, 0.9)
        top, left = rng.integers(1, 4, 2)
        photo[top:7, left : left + rng.integers(4, 6)] = np.array([0.62, 0.43, 0.24]) * rng.uniform(0.8, 1.1)
        photo[top + 2, left : left + 4] = (0.9, 0.86, 0.7)
    return found.reshape(rows, -1)


def take(folder: Path) -> Iterator[Path]:
    """Take the pictures with Chromium. Yields their paths."""
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        many, sources = dashboard(Path(work))
        parcels = Path(work) / "parcels"
        parcels.mkdir()
        described = described_stores(parcels, photos=parcel_photos())
        few = dashboard_app(lambda: described, ACCESS, Changes(described.fingerprint))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for made, pictures in ((many, PICTURES), (few, PICTURES_OF_ROWS)):
            listening = bind("127.0.0.1", 0)
            with serving(made, listening):
                for name, path, width, height, theme in pictures:
                    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
                    page.goto(address_of(listening).rstrip("/") + path)
                    page.wait_for_timeout(300)
                    page.screenshot(path=folder / f"{name}.png")
                    page.close()
                    yield folder / f"{name}.png"
        browser.close()
        for source in (*sources, *described.stores):
            source.close()


if __name__ == "__main__":
    for picture in take(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "docs" / "images"):
        sys.stdout.write(f"{picture}\n")

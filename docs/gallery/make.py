"""The pictures of the gallery: `make gallery`. Judges the deployments of `deployments`, and photographs what it sees.

Monitors are kept in build/gallery and made once; `--fresh` makes them anew. Needs Chromium.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from docs.gallery.deployments import DEPLOYMENTS
from monitoring import Monitor, drill_monitor

FOLDER = Path(__file__).parents[2] / "build" / "gallery"
IMAGES = Path(__file__).parent / "images"
#: Pictures are shown in two columns, and opened alone.
WIDTH, LARGEST = 1_100, 80_000


class Picture(NamedTuple):
    """What is photographed.

    Attributes:
        name: The file's name.
        page: `report:DEPLOYMENT`, or a path of the dashboard, in which {DEPLOYMENT} stands for that deployment's place.
        at: The text of a heading that is to be at the top; empty: the top of the page.
        width: Of the window, in pixels.
        height: Of the picture, in pixels.
        theme: "light" or "dark".
    """

    name: str
    page: str
    at: str = ""
    width: int = 1_200
    height: int = 900
    theme: str = "light"


PICTURES = (
    Picture("overview", "/"),
    Picture("wall", "/?wall", theme="dark"),
    Picture("late-report", "report:flights-late"),
    Picture("late-deployment", "{flights-late}"),
    Picture("late-drill", "{flights-late}/drills"),
    Picture("kilometres-incident", "{flights-kilometres}/incidents/worst"),
    Picture("kilometres-input", "{flights-kilometres}/inputs"),
    Picture("cost-report", "report:flights-cost"),
    Picture("delay-deployment", "{flights-delay}", theme="dark"),
    Picture("in-the-air-report", "report:flights-in-the-air"),
    Picture("at-most-report", "report:flights-at-most"),
    Picture("destination-report", "report:flights-destination"),
    Picture("airports-outcomes", "{flights-airports}/outcomes", height=480),
    Picture("weather-inputs", "{weather}/inputs"),
    Picture("species-incident", "{rodents-species}/incidents/worst"),
    Picture("species-outcomes", "{rodents-species}/outcomes", height=660),
    Picture("weight-report", "report:rodents-weight"),
    Picture("digits-rows", "{digits}/incidents/worst/rows"),
    Picture("letters-deployment", "{letters}"),
    Picture("phone", "{rodents-species}", width=420, height=900, theme="dark"),
)


def judge(name: str) -> None:
    """Make the monitor of a deployment, judge its live rows, drill it, and write its report."""
    deployment, folder = DEPLOYMENTS[name], FOLDER / name
    table = deployment.table()
    live = folder / "live.parquet"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    table[table["time"] >= deployment.split].to_parquet(live)
    settings = {"deployment": {"name": name}, "store": {"url": f"sqlite:///{FOLDER / 'store.db'}"}}
    monitor = Monitor.from_reference(
        table[table["time"] < deployment.split],
        **deployment.watched,
        traffic=str(live),
        settings={**settings, **deployment.settings},
        out=folder / "monitor",
    )
    print(monitor.run(live), flush=True)  # noqa: T201 - progress
    if deployment.faults:
        print(drill_monitor(monitor, live, faults=deployment.faults, replicates=1), flush=True)  # noqa: T201 - as above
    monitor.report(live, folder / "report", drift=False)


@contextmanager
def dashboard() -> Iterator[str]:
    """The dashboard of all of them, at the address that is given."""
    command = [sys.executable, "-m", "pitfalls_tf", "monitor", "ui", "--port", "0", "--json", "--configs"]
    server = subprocess.Popen([*command, f"{FOLDER}/*/monitor/monitor.toml"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None  # noqa: S101 - for the type checker
        document = ""
        while not document.rstrip().endswith("}"):
            document += server.stdout.readline()
        yield json.loads(document)["url"].rstrip("/")
    finally:
        server.terminate()
        server.wait()


def places(browser: Browser, url: str) -> dict[str, str]:
    """The path of each deployment's page, by its name."""
    page = browser.new_page()
    page.goto(f"{url}/")
    script = "all => all.map(a => [a.getAttribute('href'), a.innerText])"
    links: list[list[str]] = page.eval_on_selector_all("a", script)
    page.close()
    return {name: href for href, text in links for name in DEPLOYMENTS if re.search(rf"^{name}\b", text.strip())}


def address(picture: Picture, url: str, paths: dict[str, str]) -> str:
    """Where the picture's page is; the incident `worst` is the newest page, or else the newest notice."""
    if picture.page.startswith("report:"):
        return (FOLDER / picture.page.partition(":")[2] / "report" / "report.html").as_uri()
    path = re.sub(r"\{(.*?)\}", lambda match: paths[match[1]], picture.page)
    if "/incidents/worst" in path:
        name = re.findall(r"\{(.*?)\}", picture.page)[0]
        incidents = Monitor.open(FOLDER / name / "monitor").result().incidents
        worst = max(incidents, key=lambda incident: (incident.level == "page", incident.number))
        path = path.replace("/incidents/worst", f"/incidents/{worst.number}")
    return url + path


def photograph(browser: Browser, picture: Picture, where: str) -> int:
    """Take a picture of a page, and keep it as WebP. Gives its size in bytes."""
    settings: Any = {"color_scheme": picture.theme, "reduced_motion": "reduce"}
    context = browser.new_context(viewport={"width": picture.width, "height": picture.height}, **settings)
    page = context.new_page()
    page.goto(where)
    if picture.at:
        page.get_by_text(picture.at).first.evaluate("element => element.scrollIntoView()")
    page.wait_for_timeout(500)
    image: Image.Image = Image.open(BytesIO(page.screenshot()))
    context.close()
    if image.width > WIDTH:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    path = IMAGES / f"{picture.name}.webp"
    for quality in (80, 70, 60, 45, 30):
        image.save(path, quality=quality, method=6)
        if path.stat().st_size <= LARGEST:
            break
    return path.stat().st_size


def main() -> None:
    """Judge what was not judged yet, and take all pictures, or those that are named."""
    names = [name for name in sys.argv[1:] if name != "--fresh"]
    if "--fresh" in sys.argv:
        shutil.rmtree(FOLDER, ignore_errors=True)
    for name in DEPLOYMENTS:
        if not (FOLDER / name / "report").exists():
            begun = time.monotonic()
            judge(name)
            print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)  # noqa: T201 - progress
    IMAGES.mkdir(exist_ok=True)
    with dashboard() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        paths = places(browser, url)
        for picture in PICTURES:
            if not names or picture.name in names:
                size = photograph(browser, picture, address(picture, url, paths))
                print(f"{picture.name}.webp {size / 1_000:.0f} kB", flush=True)  # noqa: T201 - progress
        browser.close()


if __name__ == "__main__":
    main()

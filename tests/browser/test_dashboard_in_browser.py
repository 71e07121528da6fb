"""The dashboard in a real browser: its policy, without a script, by keyboard, for screen readers, hostile values."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from monitoring.dashboard.access.access import host_names
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.web.app import Changes, dashboard_app
from monitoring.dashboard.web.server import address_of, bind
from monitoring.records import IncidentAction
from monitoring.store import Store
from tests.dashboard_access import access_with
from tests.dashboard_store import HOSTILE, NOW, described_stores, make_store, stores_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATHS = (
    *("/", "/d/shop/1", "/d/shop/1/incidents/1", "/d/shop/1/windows/2013-05-01T00:00:00Z", "/d/shop/1/runs", "/none"),
    *("/d/shop/1/inputs", "/d/shop/1/input?of=input:temp", "/jobs", "/d/shop/1/compare", "/?wall", "/?group=model"),
    *("/d/shop/1/rebaseline?incident=1", "/d/shop/1/drills", "/d/shop/2/drills"),
    *("/d/shop/1/outcomes", "/d/shop/1/incidents/1/rows", "/d/shop/1/windows/2013-05-01T00:00:00Z/drift"),
)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@contextmanager
def served(shown: str | Stores, token: str | None = None, clock: Callable[[], datetime] | None = None) -> Iterator[str]:
    """The dashboard of a store or of some pages, on a free port. Yields its address without the last slash."""
    stores = shown if isinstance(shown, Stores) else stores_of(shown)
    stores = stores if clock is None else replace(stores, clock=clock)
    access = replace(access_with({token: "act"} if token else {}), names=host_names("127.0.0.1"))
    app = dashboard_app(lambda: stores, access, Changes(stores.fingerprint, seconds=0.2))
    listening = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield address_of(listening).rstrip("/")
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
        stores.stores[0].close()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium without a sandbox, because the tests may run as root, and the pages are their own."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard whose names and values are markup."""
    path = tmp_path_factory.mktemp("hostile") / "pitfalls.db"
    with served(make_store(path, label=HOSTILE, models=(HOSTILE, "parcels"))) as address:
        yield address


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages; every line in a console and every request to another place fails the test."""
    said: list[str] = []
    contexts = []

    def open_page(address: str, **options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]  # playwright's own options
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: said.append(line.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        home = address[: address.index("/", 8)]
        page.on("request", lambda request: said.append(request.url) if not request.url.startswith(home) else None)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # Pages of what is not there or is refused, and a connection that ends as the server is stopped before the browser.
    expected = ("404 (Not Found)", "400 (Bad Request)", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_REFUSED")
    assert [line for line in said if not any(words in line for words in expected)] == []


@pytest.mark.parametrize("path", PATHS)
def test_hostile_values_are_shown_and_never_run(hostile: str, opened: Callable[..., Page], path: str) -> None:
    page = opened(hostile + path)
    assert "broken out" not in page.title().replace(HOSTILE, "")
    assert page.locator("img").count() == 0
    assert page.locator("script").count() <= 2


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_no_violation(hostile: str, opened: Callable[..., Page], theme: str, width: int) -> None:
    for path in PATHS:
        page = opened(hostile + path, color_scheme=theme, viewport={"width": width, "height": 800}, bypass_csp=True)
        page.locator(".people details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
        results = Axe().run(page)
        assert results.violations_count == 0, path + "\n" + results.generate_report()


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard with a token and an action, whose rows have images, and texts that are markup."""
    named = json.dumps("<img src=x onerror=alert(1)>")
    action = f'[[action]]\nname = {named}\nkind = "command"\ncommand = ["/bin/true", "<script>"]\n'
    folder = tmp_path_factory.mktemp("described")
    stores = described_stores(folder, comments=(HOSTILE, "plain"), sections=action)
    with served(stores, token="secret") as address:
        yield address


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [360, 1280])
def test_rows_and_actions_are_accessible_and_never_run_what_they_show(
    described: str, opened: Callable[..., Page], theme: str, width: int
) -> None:
    page = opened(described + "/", color_scheme=theme, viewport={"width": width, "height": 800}, bypass_csp=True)
    page.get_by_label("Token").fill("secret")
    page.get_by_role("button", name="Sign in").click()
    drift = "/d/shop/1/windows/2013-03-04T00:00:00Z/drift"
    for path in ("/d/shop/1/outcomes", drift, "/d/shop/1/incidents/1", "/d/shop/1/incidents/1/rows"):
        page.goto(described + path)
        page.locator(".people details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
        results = Axe().run(page)
        assert results.violations_count == 0, path + "\n" + results.generate_report()
        assert "broken out" not in page.title()
        assert page.locator("img:not([src^='data:image/png'])").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert page.locator(".gallery img").evaluate_all("(all) => all.every((one) => one.naturalWidth > 0)")


def test_an_action_with_a_hostile_name_runs_by_its_button(described: str, opened: Callable[..., Page]) -> None:
    page = opened(described + "/")
    page.get_by_label("Token").fill("secret")
    page.get_by_role("button", name="Sign in").click()
    page.goto(described + "/d/shop/1/incidents/1")
    page.get_by_label("I am sure.").check()
    page.get_by_role("button", name="<img src=x onerror=alert(1)>").click()
    page.get_by_text("ran: <img src=x onerror=alert(1)>: done.").wait_for()
    page.get_by_role("link", name="See its rows").click()
    assert page.locator(".gallery img").count() == 14


def test_a_framed_report_runs_its_scripts_and_reaches_nothing_of_the_dashboard(
    browser: Browser, tmp_path: Path
) -> None:
    stores = described_stores(tmp_path)
    reaching = (
        "<p id='said'></p><script>let said = 'ran';"
        "try { parent.document.title = 'reached'; said += ' parent'; } catch (error) {}"
        "try { said += document.cookie; } catch (error) { said += ', no cookie'; }"
        "fetch('/d/shop/1').catch(() => { document.getElementById('said').textContent = said + ', no answer'; });"
        "</script>"
    )
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "drift-2013-03-04.html").write_text(reaching)
    (tmp_path / "report" / "drift-2013-03-04.json").write_text('{"subject": "parcels version 1, 4 Mar 2013"}')
    with served(stores) as address:
        page = browser.new_page()
        page.goto(f"{address}/d/shop/1/windows/2013-03-04T00:00:00Z/drift")
        page.frame_locator("iframe").get_by_text("ran, no cookie, no answer").wait_for()
        assert "reached" not in page.title()
        for theme in THEMES:
            around = browser.new_page(color_scheme=theme, bypass_csp=True)
            around.goto(page.url)
            results = Axe().run(around, options={"iframes": False})  # what is in the frame is Evidently's own
            assert results.violations_count == 0, results.generate_report()
            around.close()
        page.close()


@pytest.mark.parametrize("width", [320, 768, 1600])
def test_no_page_is_wider_than_its_window(hostile: str, opened: Callable[..., Page], width: int) -> None:
    for path in PATHS:
        page = opened(hostile + path, viewport={"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_from_the_overview_to_the_cause_and_the_button_by_keyboard_alone(
    opened: Callable[..., Page], tmp_path: Path
) -> None:
    with served(make_store(tmp_path / "pitfalls.db")) as address:
        page = opened(address + "/")
        page.keyboard.press("/")
        page.keyboard.type("flights")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=flights**")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/d/shop/1")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/incidents/1")
        button = page.get_by_role("button", name="Acknowledge")
        button.focus()
        page.keyboard.press("Enter")
        page.get_by_text("acknowledged", exact=True).first.wait_for()
        assert button.count() == 0


def test_forms_and_pages_work_without_a_script(opened: Callable[..., Page], tmp_path: Path) -> None:
    with served(make_store(tmp_path / "pitfalls.db"), token="secret") as address:
        page = opened(address + "/", java_script_enabled=False)
        page.get_by_label("Token").fill("secret")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="flights").click()
        page.get_by_role("link", name="Incident #1").click()
        page.get_by_role("button", name="Acknowledge").click()
        assert page.get_by_role("button", name="Acknowledge").count() == 0
        page.get_by_text("Snooze, assign, note, close").click()
        page.get_by_label("Your name").fill("operator")
        page.get_by_label("Snooze").select_option("worse")
        page.get_by_role("button", name="Snooze").click()
        page.get_by_text("Snooze, assign, note, close").click()
        page.get_by_label("Note").fill("seen before")
        page.get_by_role("button", name="Add note").click()
        assert page.locator("tr", has_text="operator").all_inner_texts()[0].endswith("note: seen before")
        assert "snoozed until worse" in page.locator(".sentence").inner_text()


def test_times_are_in_the_readers_zone_when_asked_and_stay_so(opened: Callable[..., Page], tmp_path: Path) -> None:
    with served(make_store(tmp_path / "pitfalls.db")) as address:
        plain = opened(address + "/d/shop/1/runs", java_script_enabled=False)
        assert plain.locator("#zone").is_hidden()
        page = opened(address + "/d/shop/1/runs", timezone_id="Asia/Tokyo")
        at, foot = page.locator("time").first, page.locator("footer")
        before = at.inner_text()
        button = page.get_by_role("button", name="Show in your time zone, Asia/Tokyo")
        button.click()
        foot.get_by_text("Times in Asia/Tokyo, yours; the deployment's is UTC.").wait_for()
        moment = datetime.fromisoformat(at.get_attribute("datetime") or "")
        assert at.inner_text() == f"{moment + timedelta(hours=9):%Y-%m-%d %H:%M:%S}"
        assert button.get_attribute("aria-pressed") == "true"
        page.goto(address + "/d/shop/1")
        foot.get_by_text("Times in Asia/Tokyo").wait_for()
        button.click()
        foot.get_by_text("Times in UTC.").wait_for()
        page.goto(address + "/d/shop/1/runs")
        assert at.inner_text() == before


def test_a_note_that_is_being_written_survives_what_others_do(opened: Callable[..., Page], tmp_path: Path) -> None:
    with served(make_store(tmp_path / "pitfalls.db")) as address:
        writing, acting = (opened(address + "/d/shop/1/incidents/1") for _ in range(2))
        writing.get_by_text("Live", exact=True).wait_for()
        writing.get_by_text("Snooze, assign, note, close").click()
        writing.get_by_label("Note").fill("half a sentence")
        writing.get_by_label("Note").blur()
        acting.get_by_role("button", name="Acknowledge").click()
        acting.get_by_text("acknowledged", exact=True).first.wait_for()
        writing.wait_for_timeout(1_000)
        assert writing.get_by_label("Note").input_value() == "half a sentence"


def test_an_open_page_shows_what_somebody_else_did(opened: Callable[..., Page], tmp_path: Path) -> None:
    with served(make_store(tmp_path / "pitfalls.db")) as address:
        watching, acting = opened(address + "/"), opened(address + "/d/shop/1/incidents/1")
        watching.get_by_text("Live", exact=True).wait_for()
        watching.wait_for_timeout(500)
        acting.get_by_role("button", name="Acknowledge").click()
        watching.get_by_text("seen", exact=True).wait_for(timeout=10_000)


def test_a_page_left_open_for_a_day_stays_current_in_the_same_memory(browser: Browser, tmp_path: Path) -> None:
    """A day whose hours pass at once: each brings a note, and the page's own clock goes on by as much."""
    url, now = make_store(tmp_path / "pitfalls.db"), NOW
    context = browser.new_context()
    context.clock.install(time=NOW)
    with served(url, clock=lambda: now) as address, Store.open(url) as store:
        page = context.new_page()
        page.goto(f"{address}/d/shop/1/incidents/1")
        page.get_by_text("Live", exact=True).wait_for()
        used: list[tuple[float, float, float]] = []
        for half_hour in range(48):
            now += timedelta(minutes=30)
            context.clock.fast_forward("30:00")
            store.incidents.act(
                1, 1, IncidentAction(at=now, by="night shift", kind="note", text=f"nothing new ({half_hour})")
            )
            page.get_by_text(f"nothing new ({half_hour})").wait_for(timeout=20_000)
            page.get_by_text("Live", exact=True).wait_for()
            used.append(memory(page))
        early, late = (min(used[part]) for part in (slice(8, 16), slice(40, 48)))
        assert late[0] < 1.25 * early[0]
        assert late[1] <= early[1] + 40 * 10  # a row of the log an hour, and its cells
        assert late[2] - early[2] < 60
    context.close()


def memory(page: Page) -> tuple[float, float, float]:
    """Bytes of the page's scripts after their garbage is collected, its nodes, and MB of the server's process."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
    return float(metrics["JSHeapUsedSize"]), float(metrics["Nodes"]), resident


def test_two_people_who_act_at_once_do_not_undo_each_other(opened: Callable[..., Page], tmp_path: Path) -> None:
    url = make_store(tmp_path / "pitfalls.db")
    with served(url) as address, Store.open(url) as store:
        ada, bob = (opened(f"{address}/d/shop/1/incidents/1", java_script_enabled=False) for _ in range(2))
        for person, name in ((ada, "ada"), (bob, "bob")):
            person.get_by_text("Snooze, assign, note, close").click()
            person.get_by_label("Your name").fill(name)
        ada.get_by_role("button", name="Acknowledge").click()
        bob.get_by_role("button", name="Acknowledge").click()
        assert [one.by for one in store.incidents.get(1, 1).actions if one.kind == "acknowledge"] == ["ada"]
        for person in (ada, bob):
            person.get_by_text("Snooze, assign, note, close").click()
        ada.get_by_role("button", name="Close").click()
        bob.get_by_label("Snooze").select_option("1d")
        bob.get_by_role("button", name="Snooze").click()
        assert "The incident is closed." in bob.locator("h1").inner_text()
        assert store.incidents.get(1, 1).snoozed_until is None
        assert [(one.by, one.kind) for one in store.incidents.get(1, 1).actions] == [
            ("ada", "acknowledge"),
            ("ada", "close"),
        ]


def test_a_store_that_goes_away_is_said_by_an_open_page_until_it_is_back(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "pitfalls.db"
    with served(make_store(file)) as address:
        page = browser.new_page()
        page.goto(f"{address}/d/shop/1")
        page.get_by_text("Live", exact=True).wait_for()
        page.wait_for_timeout(500)
        content = file.read_bytes()
        file.write_bytes(b"")  # in place: a connection that is open sees it too
        page.get_by_role("link", name="Overview").wait_for(timeout=20_000)
        assert "flights" not in page.locator("h1").inner_text()
        page.get_by_text("Live", exact=True).wait_for()
        page.wait_for_timeout(500)
        file.write_bytes(content)
        page.get_by_role("heading", name="flights").wait_for(timeout=20_000)
        page.close()


@pytest.mark.parametrize("path", ["/", "/d/shop/1", "/d/shop/1/incidents/1", "/d/shop/1/inputs"])
def test_the_first_paint_comes_within_a_second(browser: Browser, tmp_path: Path, path: str) -> None:
    with served(make_store(tmp_path / "pitfalls.db")) as address:
        page = browser.new_page()
        times = []
        for _ in range(5):  # the fastest: others use the machine too
            page.goto(address + path)
            times.append(
                page.evaluate(
                    "() => new Promise(seen => new PerformanceObserver(list => seen(list.getEntries()[0].startTime))"
                    ".observe({type: 'paint', buffered: true}))"
                )
            )
        page.close()
    assert min(times) < 1000

"""The dashboard in a real browser: its policy, without a script, by keyboard, for screen readers, hostile values."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from monitoring.dashboard.web.app import Dashboard
from monitoring.dashboard.web.live import Changes
from monitoring.dashboard.web.server import access_of, address_of, bind
from tests.dashboard_store import HOSTILE, make_store, pages_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATHS = (
    *("/", "/d/shop/1", "/d/shop/1/incidents/1", "/d/shop/1/windows/2013-05-01T00:00:00Z", "/d/shop/1/runs", "/none"),
    *("/d/shop/1/inputs", "/d/shop/1/input?of=input:temp", "/jobs", "/d/shop/1/compare", "/?wall", "/?group=model"),
    "/d/shop/1/rebaseline?incident=1",
)
THEMES = ("light", "dark")


@contextmanager
def served(url: str, token: str | None = None) -> Iterator[str]:
    """The dashboard of a store, on a free port. Yields its address without the last slash."""
    pages = pages_of(url)
    app = Dashboard(lambda: pages, access_of("127.0.0.1", token), Changes(pages.fingerprint, seconds=0.2)).app()
    listening = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield address_of(listening).rstrip("/")
    server.should_exit = True
    thread.join(10)
    listening.close()
    pages.sources[0].close()


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
    # The page of what is not there is one, and a connection ends when the server is stopped before the browser.
    expected = ("404 (Not Found)", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_REFUSED")
    assert [line for line in said if not any(words in line for words in expected)] == []


@pytest.mark.parametrize("path", PATHS)
def test_hostile_values_are_shown_and_never_run(hostile: str, opened: Callable[..., Page], path: str) -> None:
    page = opened(hostile + path)
    assert "broken out" not in page.title().replace(HOSTILE, "")
    assert page.locator("img").count() == 0
    assert page.locator("script").count() <= 1


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_no_violation(hostile: str, opened: Callable[..., Page], theme: str, width: int) -> None:
    for path in PATHS:
        page = opened(hostile + path, color_scheme=theme, viewport={"width": width, "height": 800}, bypass_csp=True)
        page.locator(".people details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
        results = Axe().run(page)
        assert results.violations_count == 0, path + "\n" + results.generate_report()


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

"""A person labels the rows that were drawn, in a real browser: by keyboard alone, and without a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from monitoring.asking.ask import ask, labels_root
from monitoring.config import load_config
from monitoring.config.files import ConfigFile, read_files
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from monitoring.traffic.labels.label_log import LabelLog
from tests.asked_deployment import (
    ASKED_AT,
    BUDGETED,
    MINUTES,
    asked_files,
    asked_table,
    booked,
    minutes_of,
    send_one,
    stores_at,
)
from tests.browser.test_dashboard_in_browser import THEMES, served
from tests.dashboard_store import HOSTILE
from tests.small_deployment import bundle, deploy, deployed, every_fit_is_kept, send

__all__ = ["asked_files", "bundle", "deploy", "deployed", "every_fit_is_kept", "send"]

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGE = "/d/flights/1/label"


@pytest.fixture
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium without a sandbox, because the tests may run as root, and the pages are their own."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


def press(page: Page, key: str, heading: str) -> None:
    """Press a key, and wait for the page that it leads to."""
    page.keyboard.press(key)
    page.get_by_role("heading", name=heading, exact=True).wait_for()


def test_fifty_rows_are_labelled_by_keyboard_and_counted_by_the_next_run(
    asked_files: tuple[ConfigFile, ...], browser: Browser
) -> None:
    config = asked_files[0].config
    assert config is not None
    with served(stores_at(asked_files)) as address:
        page = browser.new_page()
        said: list[str] = []
        page.on("console", lambda line: said.append(line.text))
        page.goto(f"{address}/d/flights/1")
        page.get_by_role("link", name="Label rows").focus()
        press(page, "Enter", "Row 1 of 50")
        answer = page.locator("details.answer p")
        assert answer.is_hidden()
        page.keyboard.press("a")
        answer.wait_for()
        press(page, "s", "Row 2 of 50")
        assert answer.is_hidden()
        press(page, "1", "Row 3 of 50")
        press(page, "u", "Row 2 of 50")
        page.get_by_text("It has the label on_time.").wait_for()
        press(page, "2", "Row 3 of 50")
        page.get_by_label("Your name").fill("ada 1")  # no key of the page is one while a name is written
        for number in range(3, 50):
            if number == 4:
                assert page.get_by_label("Your name").input_value() == "ada 1"
            page.locator("main").focus()
            press(page, str(1 + number % 2), f"Row {number + 1} of 50")
        press(page, "1", "Row 1 of 50")
        press(page, "1", "All rows have a label")
        assert said == []
    log = LabelLog(labels_root(config))
    assert (log.summary().distinct, log.summary().rows) == (50, 51)
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: ASKED_AT + timedelta(days=1))
        assert sum(window.labels for window in store.windows.recent(1, latest=9)) == 50
        assert {one.by for one in store.added_labels.latest(1, 40)} == {"ada 1"}


def test_a_held_key_and_a_double_press_label_one_row(asked_files: tuple[ConfigFile, ...], browser: Browser) -> None:
    config = asked_files[0].config
    assert config is not None
    with served(stores_at(asked_files)) as address:
        page = browser.new_page()
        page.goto(address + PAGE)
        page.evaluate(
            "for (const [key, repeat] of [['1', true], ['2', false], ['1', false], ['u', false]])"
            " document.dispatchEvent(new KeyboardEvent('keydown', {key, repeat, bubbles: true}))"
        )
        page.get_by_role("heading", name="Row 2 of 50").wait_for()
        assert LabelLog(labels_root(config)).read()["label"].to_pylist() == ["late"]


def test_a_number_is_written_and_given_by_enter(tmp_path: Path, browser: Browser) -> None:
    files = asked_table(tmp_path, minutes_of, **MINUTES)
    config = files[0].config
    assert config is not None
    with served(stores_at(files)) as address:
        page = browser.new_page()
        page.goto(f"{address}/d/{config.name}/1/label")
        page.keyboard.type("-31.5")
        press(page, "Enter", "Row 2 of 50")
        page.keyboard.press("Enter")  # nothing is written: the browser says so
        page.keyboard.type("7")
        press(page, "s", "Row 3 of 50")
        press(page, "u", "Row 1 of 50")
        page.get_by_text("It has the label -31.5.").wait_for()
    assert LabelLog(labels_root(config)).read()["label"].to_pylist() == ["-31.5"]


@pytest.mark.parametrize("theme", THEMES)
def test_classes_are_ticked_by_their_numbers_and_given_by_enter(
    tmp_path: Path, browser: Browser, theme: Literal["light", "dark"]
) -> None:
    files = asked_table(tmp_path, booked, task="multilabel")
    config = files[0].config
    assert config is not None
    with served(stores_at(files)) as address:
        page = browser.new_context(color_scheme=theme, bypass_csp=True).new_page()
        page.goto(f"{address}/d/{config.name}/1/label")
        page.get_by_label("Your name").press("Enter")
        page.locator("main").focus()
        page.keyboard.press("1")
        page.keyboard.press("2")
        assert Axe().run(page).violations_count == 0
        press(page, "Enter", "Row 2 of 50")
        press(page, "Enter", "Row 3 of 50")
        press(page, "u", "Row 2 of 50")
        press(page, "u", "Row 1 of 50")
        page.keyboard.press("2")
        press(page, "Enter", "Row 3 of 50")
    assert LabelLog(labels_root(config)).read()["label"].to_pylist() == ["on_time|late", "[]", "on_time"]


def test_thirty_classes_leave_room_for_the_row_on_a_phone(
    asked_files: tuple[ConfigFile, ...], browser: Browser
) -> None:
    with served(stores_at(asked_files)) as address:
        page = browser.new_page(viewport={"width": 360, "height": 640})
        page.goto(address + PAGE)
        page.evaluate(
            "const one = document.querySelector('.give button[data-key]');"
            " for (let turn = 0; turn < 30; turn += 1) one.after(one.cloneNode(true))"
        )
        assert page.locator(".give").evaluate("(form) => form.getBoundingClientRect().height") <= 0.6 * 640
        skip = page.locator("a[data-key=s]")
        skip.scroll_into_view_if_needed()
        skip.click()
        page.get_by_role("heading", name="Row 2 of 50").wait_for()


def test_rows_are_labelled_without_a_script_and_by_a_mouse(
    asked_files: tuple[ConfigFile, ...], browser: Browser
) -> None:
    config = asked_files[0].config
    assert config is not None
    with served(stores_at(asked_files), token="secret") as address:
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(address + "/")
        page.get_by_label("Token").fill("secret")
        page.get_by_role("button", name="Sign in").click()
        page.goto(address + PAGE)
        assert page.locator("kbd.key:visible").count() == 0
        page.get_by_label("Your name").press("Enter")
        assert LabelLog(labels_root(config)).read().num_rows == 0
        page.get_by_role("button", name="late", exact=True).click()
        page.get_by_role("link", name="Skip", exact=True).click()
        page.get_by_role("button", name="on_time", exact=True).click()
        page.get_by_role("link", name="Undo: back to row 3").click()
        page.get_by_role("button", name="late", exact=True).click()
        assert page.locator("h1").inner_text() == "Row 4 of 50"
    assert LabelLog(labels_root(config)).read()["label"].to_pylist() == ["late", "on_time", "late"]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [360, 1280])
def test_a_hostile_row_is_accessible_and_never_run(
    deployed: Path, send: Callable[..., None], browser: Browser, theme: Literal["light", "dark"], width: int
) -> None:
    (deployed / "monitor.toml").write_text(BUDGETED.replace("50 per week", "50 per day"))
    send_one(deployed, origin=HOSTILE, at=timedelta(days=6, hours=3))
    config = load_config(deployed / "monitor.toml")
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: ASKED_AT)
    ask(config, clock=lambda: ASKED_AT)
    with served(stores_at(read_files([deployed / "monitor.toml"]))) as address:
        size: ViewportSize = {"width": width, "height": 800}
        page = browser.new_context(color_scheme=theme, viewport=size, bypass_csp=True).new_page()
        page.goto(address + PAGE)
        for step, key, heading in (
            ("open", "1", "All rows have a label"),
            ("done", "u", "Row 1 of 1"),
            ("again", "2", "All rows have a label"),
        ):
            page.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
            results = Axe().run(page)
            assert results.violations_count == 0, step + "\n" + results.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, step
            assert page.locator("img").count() == 0
            assert "broken out" not in page.title()
            press(page, key, heading)

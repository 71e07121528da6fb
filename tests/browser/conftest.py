"""A real browser for the pages that the packages write."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.needs import missing


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known wherever these tests are collected."""
    config.addinivalue_line("markers", "browser: opens a page in headless Chromium; skipped where there is none")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        missing("Chromium is not installed (apt-get install chromium).")
    return found


@pytest.fixture
def opened(chromium: str, tmp_path: Path) -> Callable[[Path], tuple[str, str]]:
    """Open a local page, let its scripts run, and give back the document as it then is, and the console's lines."""

    def open_page(path: Path) -> tuple[str, str]:
        done = subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",  # the tests may run as root, and the page is their own
                "--disable-gpu",
                "--enable-logging=stderr",
                f"--user-data-dir={tmp_path / 'profile'}",
                "--virtual-time-budget=15000",
                "--dump-dom",
                path.resolve().as_uri(),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
        return done.stdout, "\n".join(console)

    return open_page

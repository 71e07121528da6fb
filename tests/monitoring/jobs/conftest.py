"""The small deployment, for the jobs' tests; and every fit that they make can be kept in a file."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]


class _NothingUnkept(logging.Handler):
    """Fails where a fit holds what files cannot: of each task that a test deploys."""

    def emit(self, record: logging.LogRecord) -> None:
        assert "not kept in files" not in record.getMessage()


@pytest.fixture(scope="module", autouse=True)
def _every_fit_is_kept() -> Iterator[None]:
    logger, handler = logging.getLogger("monitoring.jobs.fits.fit_folder"), _NothingUnkept()
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)

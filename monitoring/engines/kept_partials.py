"""Partials that are kept: a window is judged again, or several as a longer one, without their rows."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, reduce
from operator import add
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitoring.distribution import installed_version
from monitoring.engines import codec
from monitoring.engines.partial import Partial
from monitoring.engines.recipe import Recipe
from monitoring.errors import CannotRun
from monitoring.timestamps import as_microseconds
from monitoring.traffic.tables.kept_sums import KeptSums, KeptSumsFolder
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window

_logger = logging.getLogger(__name__)


class KeptPartials:
    """What is kept of a deployment's windows: partials by its recipe and this release; others are not looked at."""

    def __init__(self, folder: KeptSumsFolder, recipe: Recipe) -> None:
        """Reads nothing yet.

        Args:
            recipe: Of the deployment. Which labels come apart from their rows does not matter: they go through the
                label log.
        """
        self._folder = folder
        self._recipe = replace(recipe, labelled_apart=None)
        self._states: dict[Path, str] = {}
        self._drawn_by_time: set[Path] = set()
        self._unused: dict[Window, str] = {}

    def is_of(self, recipe: Recipe) -> bool:
        """Whether the partials of another recipe are the same."""
        return replace(recipe, labelled_apart=None).digest == self._recipe.digest

    @cached_property
    def _by_start(self) -> dict[int, list[KeptSums]]:
        """The usable files by the start of their window, the longest first; a line says why others are not."""
        files: dict[int, list[KeptSums]] = {}
        reasons: Counter[str] = Counter()
        for file in self._folder.files():
            reason = self._difference(file)
            if reason:
                reasons[reason] += 1
                self._unused[file.window] = reason
            else:
                files.setdefault(as_microseconds(file.window.start), []).insert(0, file)
        for reason, count in reasons.items():
            _logger.warning("The sums that were kept of %d windows are not used: %s. Rows are read.", count, reason)
        return files

    def _difference(self, file: KeptSums) -> str:
        """Why a file's sums are not those of this deployment; empty if they are."""
        try:
            head = file.head()
        except (OSError, ValueError) as error:
            return f"{error}"
        expected = self._head("")
        self._states[file.path] = head.get("state", "")
        if head.get("release") == _release(codec.DRAWN_BY_TIME):
            self._drawn_by_time.add(file.path)
        elif head.get("release") != expected["release"]:
            return f"they are of release {head.get('release')}, and this is {expected['release']}"
        if head.get("edges") != expected["edges"]:
            return "they are on other bins"
        return "" if head.get("recipe") == expected["recipe"] else "they are by another baseline or other settings"

    def _head(self, state: str) -> dict[str, str]:
        recipe = self._recipe
        made_by = {"release": _release(codec.FORMAT), "edges": recipe.edges_digest, "recipe": recipe.digest}
        return {**made_by, "state": state}

    def of(self, window: Window) -> tuple[KeptSums, ...]:
        """The files that add up to a window: its own, or those of windows that it consists of; none without.

        Before the first window of which sums are kept there may be a gap.
        """
        start, end = as_microseconds(window.start), as_microseconds(window.end)
        chosen: list[KeptSums] = []
        start = max(start, min(self._by_start, default=end))
        while start < end:
            fits = (file for file in self._by_start.get(start, ()) if as_microseconds(file.window.end) <= end)
            file = next(fits, None)
            if file is None:
                return ()
            chosen.append(file)
            start = as_microseconds(file.window.end)
        return tuple(chosen)

    def why_not(self, window: Window) -> str:
        """Why the sums that are kept of a window are not used; empty if they are, or there are none."""
        return "" if self.of(window) else self._unused.get(window, "")

    def labels(self, window: Window) -> int:
        """How many labels were counted with the rows of a window of which sums are kept."""
        files = self.of(window)
        return self.partial(window, files).sums.labelled.rows if files else 0

    def counts(self, table: Table, windows: Sequence[Window]) -> NDArray[np.int64]:
        """Rows of windows, [n, 2] as of `Table.counts`, with those that are kept and gone."""
        counts = table.counts(windows)
        for place, window in enumerate(windows):
            counts[place] += sum(file.rows for file in self.gone(table, self._within(window)))
        return counts

    def gone(self, table: Table, files: Sequence[KeptSums]) -> tuple[KeptSums, ...]:
        """The files whose rows are gone."""
        spans = [(file, as_microseconds(file.window.start), as_microseconds(file.window.end)) for file in files]
        has_pieces = [file for file, start, end in spans if _has_pieces(table, start, end)]
        there = table.counts([file.window for file in has_pieces])[:, 0] > 0 if has_pieces else ()
        kept = {file.path for file, has_rows in zip(has_pieces, there, strict=True) if has_rows}
        return tuple(file for file in files if file.path not in kept)

    def _within(self, window: Window) -> list[KeptSums]:
        """Files of spans of a window that do not overlap, the earliest and longest first."""
        at, end = as_microseconds(window.start), as_microseconds(window.end)
        chosen: list[KeptSums] = []
        for start in sorted(start for start in self._by_start if at <= start < end):
            fits = (file for file in self._by_start[start] if as_microseconds(file.window.end) <= end)
            file = next(fits, None) if start >= at else None
            if file is not None:
                chosen.append(file)
                at = as_microseconds(file.window.end)
        return chosen

    def times(self, table: Table, longest_gap: int) -> NDArray[np.int64]:
        """Times in windows whose rows are gone, no two of one window further apart than a gap; int64, microseconds."""
        first = table.inside.first
        times = [np.zeros(0, np.int64)]
        for file in (file for files in self._by_start.values() for file in files if file.rows):
            start, end = as_microseconds(file.window.start), as_microseconds(file.window.end)
            if (first is None or end > first) and not _has_pieces(table, start, end):
                times.append(np.append(np.arange(start, file.newest, longest_gap), file.newest))
        return np.concatenate(times)

    def usable(self, table: Table, window: Window) -> tuple[tuple[KeptSums, ...], tuple[Window, ...]]:
        """What says what a window's rows would: files whose rows are as they were, or gone; and spans between them."""
        files = self._within(window)
        gone = self.gone(table, files)
        files = [file for file in files if file in gone or self._is_of_rows(file, table)]
        if not any(file.rows for file in files):
            return (), ()
        ends = [window.start, *(time for file in files for time in (file.window.start, file.window.end)), window.end]
        gaps = [Window(start=start, end=end) for start, end in zip(ends[::2], ends[1::2], strict=True) if start < end]
        filled = [gap for gap, rows in zip(gaps, table.counts(gaps)[:, 0], strict=True) if rows]
        if any(self._is_among_kept(gap) for gap in gaps if gap not in filled):
            return (), ()
        return tuple(files), tuple(filled)

    def _is_of_rows(self, file: KeptSums, table: Table) -> bool:
        """Whether a file says what the rows would: these are as they were, and rows are sampled as they were."""
        return file.path not in self._drawn_by_time and self._states[file.path] == rows_state(table, file.window)

    def drawn_by_time(self, files: Sequence[KeptSums]) -> bool:
        """Whether some of the files have samples that were drawn by event time, and not by ids."""
        return any(file.path in self._drawn_by_time for file in files)

    def _is_among_kept(self, gap: Window) -> bool:
        """Whether sums are kept of windows before and after a time without rows: they are missing then."""
        ends = [as_microseconds(file.window.end) for files in self._by_start.values() for file in files]
        return min(self._by_start) < as_microseconds(gap.start) and as_microseconds(gap.end) < max(ends)

    def partial(self, window: Window, files: Sequence[KeptSums]) -> Partial:
        """The sums of some files as those of a window that consists of theirs."""
        span = as_microseconds(window.start), as_microseconds(window.end)
        try:
            return reduce(add, (codec.decoded(file.contents(), self._recipe).within(*span) for file in files))
        except (OSError, ValueError) as error:
            raise CannotRun(
                "The sums that were kept of a window cannot be read.",
                got=f"{files[0].path.parent}, the window that begins at {window.start:%Y-%m-%d %H:%M} UTC: {error}",
                expected="the file as it was written",
                fix="Delete the file: the window's rows are read where they are still there.",
            ) from error

    def keep(self, partial: Partial, window: Window, table: Table) -> None:
        """Keep the sums of a window. Where that fails, a line says so: the window is judged all the same."""
        answered = partial.sums.answered
        contents, head = codec.encoded(partial, self._recipe), self._head(rows_state(table, window))
        try:
            self._folder.write(window, partial.read.rows, answered.newest, head=head, contents=contents)
        except OSError as error:
            _logger.warning("The sums of the window that begins at %s are not kept: %s", window.start, error)


def _release(number: int) -> str:
    return f"{installed_version()}, format {number}"


def _has_pieces(table: Table, start: int, end: int) -> bool:
    return any(extent.first < end and extent.last >= start for extent in table.extents)


def rows_state(table: Table, window: Window) -> str:
    """A digest of the files that a window's rows are in, by name, size and time of change, and of which rows count."""
    start, end = as_microseconds(window.start), as_microseconds(window.end)
    digest = hashlib.sha256()
    for extent in table.extents:
        if extent.first >= end or extent.last < start:
            continue
        piece, stamp = extent.piece, extent.piece.stamp()
        if stamp is None:
            continue
        places = [table.repeats.dropped.get(extent.number), table.repeats.shared.get(extent.number)]
        which = [None if at is None else hashlib.sha256(at.tobytes()).hexdigest() for at in places]
        digest.update(repr((piece.name, piece.first_row, extent.rows, *stamp.file, which)).encode())
        digest.update(stamp.deleted)
    return digest.hexdigest()

"""What a deployment is held against, as the store has it, and what its windows say against it by that."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.records import Sensitivity, WindowClaims, WindowRecord
from monitoring.reports.sections.health import window_claims
from monitoring.reports.sections.sensitivity import RECENT_WINDOWS
from monitoring.store.store import Store


class StoredReference:
    """The baseline scores and the smallest detectable harms of a deployment, which are stored with it."""

    def __init__(self, store: Store, number: int, since: datetime | None) -> None:
        """Reads both. `since`: when the windows begin that are held against the baseline; None: all are."""
        self._store, self._number, self._since = store, number, since
        self._baseline = store.deployments.baseline(number)
        self.sensitivity = store.deployments.sensitivity(number)

    def begin(self, fit: ReferenceFit) -> None:
        """Store the baseline, unless that is stored already."""
        if not self._baseline or (fit.measured and not self._store.deployments.measured(self._number)):
            self.save_baseline(fit)

    def save_baseline(self, fit: ReferenceFit) -> None:
        """Replace the baseline."""
        self._baseline = fit.baseline_scores()
        self._store.deployments.save_baseline(self._number, self._baseline, fit.measured)

    def save_sensitivity(self, sensitivity: tuple[Sensitivity, ...]) -> None:
        """Replace the smallest detectable harms; by none, to be computed at the end of this run, or of the next one."""
        self.sensitivity = sensitivity
        self._store.deployments.save_sensitivity(self._number, sensitivity)

    def claims(self, history: tuple[WindowRecord, ...]) -> WindowClaims:
        """What the windows say against the deployment."""
        windows = history if len(history) > RECENT_WINDOWS else (*self._earlier, *history)
        return window_claims(windows, self._baseline, self.sensitivity)

    @cached_property
    def _earlier(self) -> tuple[WindowRecord, ...]:
        if self._since is None:
            return ()
        return self._store.windows.read(self._number, before=self._since, latest=RECENT_WINDOWS)

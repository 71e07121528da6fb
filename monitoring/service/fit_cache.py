"""Fits of baselines, kept between the runs of a service within a bound of memory."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

from monitoring.config import MonitorConfig
from monitoring.deployment.baseline_in_use import baseline_in_use
from monitoring.deployment.deployment import Deployment, deploy
from monitoring.deployment.files_state import files_state
from monitoring.deployment.metrics.metric_file import codes_text
from monitoring.deployment.places import find_baseline
from monitoring.watches.embedding import Embedder

#: Bytes of fits that are kept, as they are written: one or two million for a dozen inputs. In memory they take twice as
#: many.
KEPT_BYTES = 80 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptFit:
    """A fit, the config and the files of which it was made, and its size."""

    config: MonitorConfig
    files: str
    deployment: Deployment
    size: int


class FitCache:
    """Deployments ready to be judged, by name of their config. For several threads, each with configs of its own.

    One that is not here is read from its file, or made anew, by `deploy`. Where not all have room within the bound, one
    is dropped for another only if it has not been asked for since the other's last use: configs that run in turn do not
    drive each other out.
    """

    def __init__(
        self, most_bytes: int = KEPT_BYTES, fit: Callable[[MonitorConfig, Embedder | None], Deployment] = deploy
    ) -> None:
        """Empty. `most_bytes`: the bound; 0 keeps none."""
        self._most = most_bytes
        self._fit = fit
        self._lock = Lock()
        self._fits: dict[str, _KeptFit] = {}
        self._last_use: dict[str, int] = {}
        self._number = 0

    @property
    def size(self) -> int:
        """Bytes of the fits that are kept, about."""
        return sum(fit.size for fit in self._fits.values())

    def deploy(self, name: str, config: MonitorConfig, embedder: Embedder | None = None) -> Deployment:
        """As `monitoring.deployment.deployment.deploy`, fitted only if the config or the baseline has changed."""
        place = find_baseline(config)
        calendars = (files_state(section.ics) for section in config.expected if section.ics is not None)
        files = (files_state(place.baseline), files_state(place.schema), *calendars)
        state = "\0".join((str(place.folder), *files, codes_text(config)))
        with self._lock:
            self._number += 1
            last, self._last_use[name] = self._last_use.get(name, 0), self._number
            fit = self._fits.pop(name, None)
            if fit is not None and fit.config == config and fit.files == state:
                self._fits[name] = fit
            else:
                fit = None
        if fit is not None:
            return replace(fit.deployment, baseline=baseline_in_use(config, place))
        deployment = self._fit(config, embedder)
        self._keep(name, last, config, state, deployment)
        return deployment

    def _keep(self, name: str, last: int, config: MonitorConfig, files: str, deployment: Deployment) -> None:
        """Keep a fit if there is room, or can be by dropping some that were not asked for since its `last` use."""
        size = len(pickle.dumps(deployment.reference_fit, pickle.HIGHEST_PROTOCOL))
        # The rows of the reference that the fit has read are not needed any more.
        light = replace(deployment, baseline=baseline_in_use(config))
        with self._lock:
            idle = sorted(
                (last_use, other)
                for other, last_use in self._last_use.items()
                if other in self._fits and last_use < last
            )
            for _, other in idle:
                if self.size + size <= self._most:
                    break
                del self._fits[other]
            if self.size + size <= self._most:
                self._fits[name] = _KeptFit(config=config, files=files, deployment=light, size=size)

"""The file of a metric's function, found without running anything, and what its code is."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from monitoring.config import MetricSection, MonitorConfig
from monitoring.records import MetricCode


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFile:
    """The file of a module.

    Attributes:
        beside_config: Whether it lies in the config's folder; otherwise Python imports it by its name.
    """

    path: Path
    beside_config: bool

    def digest(self) -> str:
        """SHA-256 of the file in hexadecimal; empty if it cannot be read."""
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError:
            return ""


def find_metric_file(metric: MetricSection) -> MetricFile | None:
    """Find the module of a metric: MODULE.py in the config's folder, or else the module that Python would import.

    Nothing is imported, no parent package either.

    Returns:
        The file; None if there is none of Python source.
    """
    beside = metric.folder / f"{metric.module}.py"
    if "." not in metric.module and beside.is_file():
        return MetricFile(path=beside, beside_config=True)
    spec = _find_spec(metric.module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return MetricFile(path=Path(spec.origin), beside_config=False)


def metric_codes(config: MonitorConfig) -> tuple[MetricCode, ...]:
    """The identities of a config's metrics, by the files that are there now; nothing is imported."""
    return tuple(
        MetricCode(
            name=metric.name,
            function=metric.function,
            digest="" if (file := find_metric_file(metric)) is None else file.digest(),
        )
        for metric in config.metric
    )


def codes_text(config: MonitorConfig) -> str:
    """The identities of a config's metrics as one text, for digests; empty without metrics."""
    return "".join(f"{code.name}\0{code.function}\0{code.digest}\n" for code in metric_codes(config))


def _find_spec(module: str) -> ModuleSpec | None:
    """Where a module would be imported from, package by package."""
    first, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(first)
    except (ImportError, ValueError):
        return None
    for place in range(len(rest)):
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(".".join((first, *rest[: place + 1])), list(spec.submodule_search_locations))
    return spec

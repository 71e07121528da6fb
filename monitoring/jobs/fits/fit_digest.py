"""The digest under which a fit is kept: of all that it depends on."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from monitoring.baseline.folder import DESCRIPTION, REFERENCE
from monitoring.config import MonitorConfig
from monitoring.distribution import installed_version

#: Libraries whose releases may change the last digits of a fit, or the days of holidays.
LIBRARIES = ("numpy", "scipy", "pyarrow", "holidays", "icalendar", "recurring-ical-events")


def fit_digest(config: MonitorConfig, evidence: str, baseline: Path) -> str:
    """The digest of a config's fit: settings, method, expected events, contents of the baseline, this package's code.

    No place counts: a baseline that is copied or moved has the same fit. Cost: that of reading the baseline, about a
    second for two gigabytes, and once in a process some hundredths of a second for the code.
    """
    traffic = config.traffic
    ordered = (traffic.slices, traffic.class_slices, traffic.selection_groups, config.model.threshold)
    digest = hashlib.sha256(f"{_program()}\0{evidence}\0{ordered}".encode())
    for section in config.expected:
        digest.update(section.model_dump_json(exclude={"ics"}).encode())
        digest.update(b"" if section.ics is None else _digest(section.ics))
    for name in (DESCRIPTION, REFERENCE):
        digest.update(_digest(baseline / name))
    return digest.hexdigest()


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@cache
def _program() -> str:
    """The digest of the code and libraries that make a fit."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256(" ".join((installed_version(), *map(version, LIBRARIES))).encode())
    for path in sorted(path for kind in ("py", "so") for path in root.rglob(f"*.{kind}")):
        digest.update(f"\0{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()

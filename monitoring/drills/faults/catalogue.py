"""All faults, and which of them fit a deployment."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.drills.faults.answer_faults import ANSWER_FAULTS
from monitoring.drills.faults.fault import Fault, FaultScope
from monitoring.drills.faults.input_faults import INPUT_FAULTS
from monitoring.drills.faults.label_faults import LABEL_FAULTS
from monitoring.drills.faults.row_faults import ROW_FAULTS
from monitoring.errors import BadInput
from monitoring.records import UnfitFault

FAULTS: tuple[Fault, ...] = (*INPUT_FAULTS, *ROW_FAULTS, *ANSWER_FAULTS, *LABEL_FAULTS)


def faults_named(names: Sequence[str]) -> tuple[Fault, ...]:
    """The faults of some names, in the order of the catalogue.

    >>> [fault.name for fault in faults_named(["silence", "unit"])]
    ['unit', 'silence']
    """
    unknown = sorted(set(names) - {fault.name for fault in FAULTS})
    if unknown:
        raise BadInput(
            "There is no such fault.",
            got=", ".join(unknown),
            expected=f"one of: {', '.join(fault.name for fault in FAULTS)}",
            fix="`pitfalls drill list` says what each does.",
        )
    return tuple(fault for fault in FAULTS if not names or fault.name in names)


def fitting(
    faults: Sequence[Fault], scope: FaultScope
) -> tuple[tuple[tuple[Fault, tuple[str, ...]], ...], tuple[UnfitFault, ...]]:
    """The faults that fit a deployment, each with what it may be planted in, and those that do not."""
    targets = [(fault, fault.targets(scope)) for fault in faults]
    return (
        tuple((fault, columns) for fault, columns in targets if columns),
        tuple(
            UnfitFault(fault=fault.name, title=fault.title, reason=f"needs {fault.needs}")
            for fault, columns in targets
            if not columns
        ),
    )

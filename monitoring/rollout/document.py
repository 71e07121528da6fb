"""A rollout's result as a JSON document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from monitoring.records import RolloutGuard, RolloutInterval, RolloutLook, RolloutResult, RolloutWindow


def result_document(result: RolloutResult) -> dict[str, Any]:
    """The document of a result.

    Args:
        result: The result.

    Returns:
        Values that JSON has, and aware datetimes. Differences are the candidate's less the champion's, in the loss's
        own unit: negative is better.
    """
    return {
        "verdict": result.verdict,
        "loss": {"name": result.loss, "title": result.title, "unit": result.unit},
        "champion": {"loss": result.champion},
        "candidate": {"loss": result.candidate, "failed": result.failed},
        "difference": _plain(result.interval),
        "min_effect": result.min_effect,
        "wrong": result.wrong,
        "missing_labels": result.missing_labels,
        "at_random": asdict(result.at_random),
        "rows": result.rows,
        "labels": result.labelled,
        "disagreements": result.disagreements,
        "disagreements_without_label": result.missing,
        "unusable": result.unusable,
        "dispersion": result.dispersion,
        "decided": None if result.decided is None else {"verdict": result.decided, "at": result.decided_at},
        "needed": None if result.needed is None else asdict(result.needed),
        "promotion": {"allowed": result.promotable, "require": result.require, "reasons": list(result.reasons)},
        "obstacles": list(result.obstacles),
        "harm": {"e_value": result.harm, "threshold": 1.0 / result.wrong, "reached": result.harmful},
        "guards": [_guard(guard) for guard in result.guards],
        "looks": [_look(look) for look in result.looks],
        "windows": [_window(window) for window in result.windows],
    }


def _guard(guard: RolloutGuard) -> dict[str, Any]:
    return {
        "name": guard.name,
        "verdict": guard.interval.verdict,
        **_plain(guard.interval),
        "limit": guard.limit,
        "rows": guard.rows,
        "passes": guard.passes,
    }


def _look(look: RolloutLook) -> dict[str, Any]:
    counts = {"at": look.at, "rows": look.rows, "labels": look.labelled}
    return {**counts, **_plain(look.interval), "verdict": look.interval.verdict}


def _window(window: RolloutWindow) -> dict[str, Any]:
    return {
        "start": window.start,
        "end": window.end,
        "rows": window.rows,
        "labels": window.labelled,
        "disagreements": window.disagreements,
        "disagreements_without_label": window.missing,
        "difference": window.difference,
    }


def _plain(found: RolloutInterval) -> dict[str, float]:
    return {"mean": found.mean, "low": found.low, "high": found.high}

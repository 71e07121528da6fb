"""Is the smallest noticeable harm right: the share of fresh streams whose labels go wrong so often that are noticed."""

from __future__ import annotations

import math
import sys

import numpy as np

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.lender.changes import flipped
from benchmarks.truth.lender.deployment import LenderDeployment
from benchmarks.truth.lender.harms import deployed
from benchmarks.truth.lender.law import calm_day, predictions
from benchmarks.truth.lender.streams import REFERENCE, SEED
from monitoring.evidence.sensitivity import HORIZONS, smallest_detectable_harms
from monitoring.judging.fit.harms import harms_of

#: Baselines, and fresh streams of each.
FULL, QUICK = (12, 12), (1, 3)


def measure(settings: Settings) -> Result:
    """The table of sensitivities. Cost: ten minutes of one core, half a minute with small sizes."""
    baselines, streams = QUICK if settings.quick else FULL
    found: dict[int, list[tuple[float, float, float]]] = {windows: [] for windows in HORIZONS}
    for stream in range(6000, 6000 + baselines):
        deployment = deployed(stream)
        for windows, rise in printed_rises(deployment).items():
            first = np.array([first_windows(deployment, stream, at, rise, windows) for at in range(streams)])
            noticed, paged = (first <= windows).mean(axis=0)
            found[windows].append((rise, float(noticed), float(paged)))
        print(f"baseline {stream - 5999} of {baselines}", file=sys.stderr, flush=True)
    rows: list[tuple[Cell, ...]] = []
    for windows, results in found.items():
        rises, noticed_shares, paged_shares = np.array(results).T
        error = float(noticed_shares.std(ddof=1) / math.sqrt(baselines)) if baselines > 1 else math.nan
        rows.append((windows, float(np.median(rises)), float(noticed_shares.mean()), error, float(paged_shares.mean())))
    table = Table(
        title="The smallest noticeable rise of the error rate on fresh streams",
        columns=("windows", "rise printed, median", "share noticed", "± SE", "share paged"),
        rows=tuple(rows),
        note=(
            f"{baselines} baselines of the lender, {streams} fresh streams of each, whose labels are flipped at "
            "random from the first window on, so that the error rises by what is printed; .90 is claimed. Noticed: the "
            "evidence of what pages reaches its threshold; below the tolerance that is no page."
        ),
    )
    return Result(tables=(table,))


def printed_rises(deployment: LenderDeployment) -> dict[int, float]:
    """The rises of the error rate on the whole traffic that the product prints, by horizon."""
    harms = smallest_detectable_harms(
        deployment.fit.tests["page"],
        deployment.fit.means,
        harms_of(deployment.fit),
        np.random.default_rng(0),
        log_scale=deployment.log_scale,
    )
    whole = (harm for harm in harms if harm.metric == "error" and not harm.slice)
    return {harm.windows: harm.rise for harm in whole if harm.rise is not None}


def first_windows(deployment: LenderDeployment, stream: int, at: int, rise: float, windows: int) -> tuple[int, int]:
    """The first window, from 1, that reaches the threshold of a page, and the first that pages; past the last: none."""
    run, change = deployment.begin(), flipped(100.0 * rise)
    threshold = math.log(deployment.fit.tests["page"].budget.threshold)
    noticed = paged = windows + 1
    for number in range(windows):
        seed = [SEED, stream, 10_000 * (at + 1), number]
        day = change(calm_day(REFERENCE + number, np.random.default_rng(seed)), 1.0, np.random.default_rng([*seed, 1]))
        judged = deployment.step(run, REFERENCE + number, predictions(day, REFERENCE + number))
        if judged.window.page_log_evidence >= threshold:
            noticed = min(noticed, number + 1)
        if any(incident.level == "page" for incident in judged.changed):
            return min(noticed, number + 1), number + 1
    return noticed, paged

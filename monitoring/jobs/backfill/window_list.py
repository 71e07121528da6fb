"""The windows of a deployment with their states, as its store and its config know them."""

from __future__ import annotations

from datetime import datetime

from monitoring.config import MonitorConfig
from monitoring.jobs.deployment import window_plan
from monitoring.jobs.due_windows import is_followed
from monitoring.reports.window_states import JudgingHistory, WindowState, window_states
from monitoring.store.store import Store


def list_windows(
    config: MonitorConfig | None, store: Store, deployment: int, *, latest: int, now: datetime
) -> tuple[WindowState, ...]:
    """The last windows of a deployment, judged and due.

    Args:
        config: Says how traffic is cut into windows; None where it is not known: no window is due then.

    Returns:
        The windows in order of time; what is due is known of the deployment of its name that was used last.
    """
    judged = store.windows.read(deployment, scores=False, latest=latest)
    since = judged[0].start if judged else None
    used = config is not None and bool(judged) and deployment == store.deployments.latest(config.name)
    plan = None if config is None or not used else window_plan(config.model_copy(update={"expected": ()}))
    followed = plan is not None and is_followed(
        plan, after=judged[-1].end, checked_at=store.deployments.check(deployment).checked_at
    )
    return window_states(
        judged,
        plan if followed else None,
        JudgingHistory(
            runs=store.runs.latest(deployment, latest=latest),
            attempts=store.attempts.read(deployment, since),
            revisions=store.backfills.revisions(deployment, since),
        ),
        now=now,
        running=any(lease.deployment == deployment and lease.expires_at > now for lease in store.leases.read()),
    )

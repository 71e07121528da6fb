"""What a deployment's first window says of metrics of the user's own that are not what they were."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.records import Finding, MetricCode

#: The kind of finding about a metric whose function has changed.
METRIC_CHANGED = "metric changed"


def metric_changes(before: Sequence[MetricCode], after: Sequence[MetricCode]) -> tuple[Finding, ...]:
    """Findings about metrics whose function is another one than that of the deployment before.

    Returns:
        One for each metric of both whose function or code differs.

    >>> was = MetricCode(name="missed_calls", function="own:missed", digest="3f2a" * 16)
    >>> now = MetricCode(name="missed_calls", function="own:missed", digest="9b1c" * 16)
    >>> metric_changes([was], [now])[0].message
    'The code of the metric missed_calls has changed (own:missed, file 3f2a3f2a to 9b1c9b1c): evidence begins anew.'
    """
    codes = {code.name: code for code in before}
    return tuple(
        Finding(kind=METRIC_CHANGED, feature=code.name, message=_message(codes[code.name], code))
        for code in after
        if code.name in codes and codes[code.name] != code
    )


def _message(was: MetricCode, now: MetricCode) -> str:
    place = now.function if was.function == now.function else f"{was.function} to {now.function}"
    files = f"file {was.digest[:8]} to {now.digest[:8]}" if was.digest != now.digest else "the same file"
    return f"The code of the metric {now.name} has changed ({place}, {files}): evidence begins anew."

"""The names under which everything that passes from one window to the next is stored, each as one text."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from monitoring.records.watch import Level

#: The recent windows of the joint watch.
WITNESS: Final = "witness"
#: Counts of windows whose labels are pending.
AWAITED: Final = "awaited"
#: Whether early labels are still incomplete.
FIRST_LABELS: Final = "first_labels"
#: How many labels came since the last one of each class.
LABEL_RUNS: Final = "label_runs"
#: When labels arrived.
LABEL_SILENCE: Final = "label_silence"
#: What numbers of rows and labels are usual, while a notice tells another one.
USUAL_LEVELS: Final = "usual_levels"
#: What the next window's values of inputs are compared with.
LAST_VALUES: Final = "last_values"
#: The statistics that the schema's comparators compare the next window with.
COMPARED: Final = "compared"
#: The scores of windows in expected events.
EVENTS: Final = "events"
#: What a burn-in has shown.
BURN_IN: Final = "burn_in"
#: When the next search for subgroups is due.
SUBGROUPS: Final = "subgroups"
#: The deployment's evidence for its team.
FLEET: Final = "fleet"

#: One of these names, or a level, whose name is that of its test's state.
StateName: TypeAlias = (
    Level
    | Literal[
        "witness",
        "awaited",
        "first_labels",
        "label_runs",
        "label_silence",
        "usual_levels",
        "last_values",
        "compared",
        "events",
        "burn_in",
        "subgroups",
        "fleet",
    ]
)

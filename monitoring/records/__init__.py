"""Records that several packages of the monitor share."""

from __future__ import annotations

from monitoring.records.backfill import Backfill, Only, WindowAttempt, WindowRevision
from monitoring.records.column_note import ColumnNote
from monitoring.records.drill import DrillRecord, DrillRun, DrillSource, FaultResult, Outcome, Touched, UnfitFault
from monitoring.records.estimate import EstimateMethod, EstimateRecord, IntervalChecks, RealisedLosses
from monitoring.records.incident import (
    FACT_SEPARATOR,
    FACT_WATCH,
    JUDGED_AGAIN,
    WORSE_SINCE,
    CauseDetail,
    CauseRow,
    IncidentEvent,
    IncidentRecord,
    IncidentState,
    InputDrift,
    LossSplit,
    SlicePart,
)
from monitoring.records.incident_action import ActionKind, IncidentAction
from monitoring.records.measured_metric import MeasuredMetric
from monitoring.records.metric_code import MetricCode
from monitoring.records.rebaseline import Rebaseline
from monitoring.records.rollout import (
    MissingLabels,
    Requirement,
    RolloutGuard,
    RolloutInterval,
    RolloutLook,
    RolloutResult,
    RolloutVerdict,
    RolloutWindow,
    StillNeeded,
)
from monitoring.records.run import RunRecord
from monitoring.records.status import BaselineScore, Coverage, MonitorStatus, Sensitivity
from monitoring.records.subgroup import SUBGROUP_WATCH, Condition, Subgroup
from monitoring.records.watch import LEVELS, SCORE_ONE, WHOLE, Direction, Family, Level, ScoreSum, Watch, WatchKey
from monitoring.records.window import (
    AFTER_BURN_IN,
    BURN_IN,
    EXPECTED_EVENT,
    LABELS_STOPPED,
    Finding,
    ScoreHistory,
    ScoreRecord,
    ScoreSeries,
    WindowRecord,
    WindowStatus,
)

__all__ = [
    "AFTER_BURN_IN",
    "BURN_IN",
    "EXPECTED_EVENT",
    "FACT_SEPARATOR",
    "FACT_WATCH",
    "JUDGED_AGAIN",
    "LABELS_STOPPED",
    "LEVELS",
    "SCORE_ONE",
    "SUBGROUP_WATCH",
    "WHOLE",
    "WORSE_SINCE",
    "ActionKind",
    "Backfill",
    "BaselineScore",
    "CauseDetail",
    "CauseRow",
    "ColumnNote",
    "Condition",
    "Coverage",
    "Direction",
    "DrillRecord",
    "DrillRun",
    "DrillSource",
    "EstimateMethod",
    "EstimateRecord",
    "Family",
    "FaultResult",
    "Finding",
    "IncidentAction",
    "IncidentEvent",
    "IncidentRecord",
    "IncidentState",
    "InputDrift",
    "IntervalChecks",
    "Level",
    "LossSplit",
    "MeasuredMetric",
    "MetricCode",
    "MissingLabels",
    "MonitorStatus",
    "Only",
    "Outcome",
    "RealisedLosses",
    "Rebaseline",
    "Requirement",
    "RolloutGuard",
    "RolloutInterval",
    "RolloutLook",
    "RolloutResult",
    "RolloutVerdict",
    "RolloutWindow",
    "RunRecord",
    "ScoreHistory",
    "ScoreRecord",
    "ScoreSeries",
    "ScoreSum",
    "Sensitivity",
    "SlicePart",
    "StillNeeded",
    "Subgroup",
    "Touched",
    "UnfitFault",
    "Watch",
    "WatchKey",
    "WindowAttempt",
    "WindowRecord",
    "WindowRevision",
    "WindowStatus",
]

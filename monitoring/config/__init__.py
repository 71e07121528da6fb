"""`monitor.toml`: what is monitored, the false-alarm budget, who is notified; checked whole before anything runs."""

from __future__ import annotations

from monitoring.config.columns_section import ColumnSection
from monitoring.config.loading import load_config, parse_dictionary, read_dictionary
from monitoring.config.metric_section import MetricDraft, MetricSection
from monitoring.config.routes import Route, RouteSection
from monitoring.config.sections import (
    BaselineSection,
    BudgetSection,
    DeploymentSection,
    ExpectedSection,
    HeartbeatSection,
    ModelSection,
    MonitorConfig,
    RetentionSection,
    ScheduleSection,
    StoreSection,
    ToleranceSection,
    WindowsSection,
)
from monitoring.config.settings_digest import settings_digest
from monitoring.config.template import check_settings, render_config
from monitoring.config.traffic_section import TrafficSection

__all__ = [
    "BaselineSection",
    "BudgetSection",
    "ColumnSection",
    "DeploymentSection",
    "ExpectedSection",
    "HeartbeatSection",
    "MetricDraft",
    "MetricSection",
    "ModelSection",
    "MonitorConfig",
    "RetentionSection",
    "Route",
    "RouteSection",
    "ScheduleSection",
    "StoreSection",
    "ToleranceSection",
    "TrafficSection",
    "WindowsSection",
    "check_settings",
    "load_config",
    "parse_dictionary",
    "read_dictionary",
    "render_config",
    "settings_digest",
]

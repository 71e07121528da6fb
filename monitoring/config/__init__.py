"""`monitor.toml`: what is monitored, the false-alarm budget, who is notified; checked whole before anything runs."""

from __future__ import annotations

from monitoring.config.columns_section import ColumnSection
from monitoring.config.draft import (
    ConfigDraft,
    MetricDraft,
    OutputDraft,
    TableDraft,
    WebhookDraft,
    check_draft,
    render_config,
)
from monitoring.config.loading import load_config, parse_dictionary, read_dictionary
from monitoring.config.metric_section import MetricSection
from monitoring.config.routes import (
    AlertmanagerRoute,
    AppriseRoute,
    CommandRoute,
    EmailRoute,
    PagerDutyRoute,
    PluginRoute,
    Route,
    RouteSection,
    SlackRoute,
    WebhookRoute,
)
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
from monitoring.config.traffic_section import TrafficSection

__all__ = [
    "AlertmanagerRoute",
    "AppriseRoute",
    "BaselineSection",
    "BudgetSection",
    "ColumnSection",
    "CommandRoute",
    "ConfigDraft",
    "DeploymentSection",
    "EmailRoute",
    "ExpectedSection",
    "HeartbeatSection",
    "MetricDraft",
    "MetricSection",
    "ModelSection",
    "MonitorConfig",
    "OutputDraft",
    "PagerDutyRoute",
    "PluginRoute",
    "RetentionSection",
    "Route",
    "RouteSection",
    "ScheduleSection",
    "SlackRoute",
    "StoreSection",
    "TableDraft",
    "ToleranceSection",
    "TrafficSection",
    "WebhookDraft",
    "WebhookRoute",
    "WindowsSection",
    "check_draft",
    "load_config",
    "parse_dictionary",
    "read_dictionary",
    "render_config",
    "settings_digest",
]

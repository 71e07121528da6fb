"""`monitor.toml`: what is monitored, the false-alarm budget, who is notified; checked whole before anything runs."""

from __future__ import annotations

from monitoring.config.digest import settings_digest
from monitoring.config.draft import ConfigDraft, TableDraft, WebhookDraft, render_config
from monitoring.config.draft_check import check_draft
from monitoring.config.loading import load_config
from monitoring.config.sections import (
    BudgetSection,
    DeploymentSection,
    ExpectedSection,
    ModelSection,
    MonitorConfig,
    ScheduleSection,
    StoreSection,
    ToleranceSection,
    TrafficSection,
    Webhook,
    WindowsSection,
)

__all__ = [
    "BudgetSection",
    "ConfigDraft",
    "DeploymentSection",
    "ExpectedSection",
    "ModelSection",
    "MonitorConfig",
    "ScheduleSection",
    "StoreSection",
    "TableDraft",
    "ToleranceSection",
    "TrafficSection",
    "Webhook",
    "WebhookDraft",
    "WindowsSection",
    "check_draft",
    "load_config",
    "render_config",
    "settings_digest",
]

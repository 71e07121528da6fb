"""`monitor.toml`: what to watch, how strictly, and whom to tell; checked whole before anything runs."""

from __future__ import annotations

from monitoring.config.digest import settings_digest
from monitoring.config.draft import ConfigDraft, DraftedWebhook, TableDraft, render_config
from monitoring.config.draft_check import config_of
from monitoring.config.loading import load_config
from monitoring.config.sections import (
    BudgetSection,
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
    "DraftedWebhook",
    "ModelSection",
    "MonitorConfig",
    "ScheduleSection",
    "StoreSection",
    "TableDraft",
    "ToleranceSection",
    "TrafficSection",
    "Webhook",
    "WindowsSection",
    "config_of",
    "load_config",
    "render_config",
    "settings_digest",
]

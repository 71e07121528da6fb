"""The section `[rollout]`: which versions are compared, how the candidate gets its rows, and what decides."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from monitoring.config.addresses import server_url
from monitoring.config.invalid_setting import reject_setting
from monitoring.config.section import Horizon, LocalPath, Name, Names, Section
from monitoring.config.values import aware

Version = Annotated[int, Field(ge=0)]
Moment = Annotated[datetime, AfterValidator(aware)]
WhoDecides = Literal["ask", "auto"]


class DecideSection(Section):
    """What decides a rollout: the loss, the smallest difference that matters, guards, and who acts on it.

    `min_effect` is in the loss's own unit. A guard is its name, or NAME <= LIMIT.
    """

    loss: Name = Field(default="default", examples=["brier"])
    min_effect: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = Field(default=None, examples=[0.005])
    require: Literal["better", "not worse"] = Field(default="better", examples=["not worse"])
    wrong: Name = Field(default="1 in 20", examples=["1 in 20"])
    guards: Names = Field(
        default=("slices", "errors", "latency_p99", "calibration"), examples=[["slices", "errors <= 0.001"]]
    )
    missing_labels: Literal["bounded", "at random"] = Field(default="bounded", examples=["at random"])
    labels: Literal["arrive", "asked"] = Field(default="arrive", examples=["asked"])
    horizon: Horizon | None = Field(default=None, examples=["7d"])
    give_up: Horizon = Field(default=timedelta(days=60), validate_default=False, examples=["60d"])
    promote: WhoDecides = Field(default="ask", examples=["auto"])
    rollback: WhoDecides = Field(default="auto", examples=["ask"])
    watch_after: Horizon = Field(default=timedelta(days=14), validate_default=False, examples=["14d"])


class RolloutSection(Section):
    """Which versions are compared, and how the candidate gets its rows.

    A champion is a version, or a label of the server's model config file; by default the version that [model] names.
    The candidate is by default the newest of `pitfalls export --candidate`, or else the newest version. A promotion
    moves the label in `model_config_file`; without one, the candidate's folder.
    """

    champion: Version | Name | None = Field(default=None, examples=["stable"])
    candidate: Version | None = Field(default=None, examples=[43])
    mode: Literal["shadow", "split"] = Field(default="shadow", examples=["shadow"])
    answers_change_labels: bool = Field(default=False, examples=[False])
    share: Annotated[float, Field(gt=0.0, le=1.0)] = Field(default=1.0, examples=[0.25])
    key: Name | None = Field(default=None, examples=["user_id"])
    sticky: Literal["request", "day", "forever"] = Field(default="day", examples=["day"])
    trained_until: Moment | None = Field(default=None, examples=["2026-04-05T00:00:00Z"])
    split_file: LocalPath | None = Field(default=None, examples=["split.json"])
    folder: LocalPath | None = Field(default=None, examples=["rollouts"])
    model_config_file: LocalPath | None = Field(default=None, examples=["../serving/models.config"])
    label: Name = Field(default="stable", examples=["stable"])
    server: Annotated[str, AfterValidator(server_url)] | None = Field(default=None, examples=["http://127.0.0.1:8501"])
    decide: DecideSection | None = Field(default=None, examples=[{"require": "not worse"}])

    @property
    def deciding(self) -> DecideSection:
        """The section `[rollout.decide]`, with its defaults where there is none."""
        return self.decide or DecideSection()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.mode == "split" and self.key is None and self.sticky != "request":
            reject_setting(
                "a split needs a key, so that one user gets one version.",
                got=None,
                expected='key, the name of an input or a request header; or sticky = "request"',
                fix='Write, for example, key = "user_id".',
            )
        if self.model_config_file is not None and self.server is None:
            reject_setting(
                "a promotion that moves a label needs the server's address, too.",
                got="model_config_file",
                expected="server, too",
                fix='Write, for example, server = "http://127.0.0.1:8501".',
            )
        if self.mode == "shadow" and self.answers_change_labels:
            reject_setting(
                "a shadow's answers reach nobody, so it cannot show what answers that change labels do.",
                got="answers_change_labels = true",
                expected='mode = "split"',
                fix='Write mode = "split", with a key.',
            )
        return self

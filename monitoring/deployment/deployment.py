"""A deployment made ready to be judged: a bundle's or a table's baseline under the settings of a config."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring.baseline.folder import DESCRIPTION, Baseline, read_rebaseline
from monitoring.baseline.reference import unreadable
from monitoring.baseline.schema import load_schema
from monitoring.config import DeploymentSection, MonitorConfig, settings_digest
from monitoring.config.sections import FleetSection
from monitoring.deployment.baseline_in_use import baseline_in_use, days_left_out
from monitoring.deployment.configured_spec import configured
from monitoring.deployment.expected_events import event_calendar
from monitoring.deployment.fleet import Team
from monitoring.deployment.metrics.metric_file import codes_text, metric_codes
from monitoring.deployment.metrics.metric_loading import load_metrics
from monitoring.deployment.places import find_baseline, traffic_place
from monitoring.deployment.rules import rule_columns, rules_of
from monitoring.errors import BadInput, CannotRun
from monitoring.evidence.budget import Budget
from monitoring.evidence.fleet import FleetBudget
from monitoring.evidence.method import FIRST_METHOD, METHOD, method
from monitoring.fits.fit_folder import fit_digest, fit_folder
from monitoring.incidents.life_cycle import HARM_LEFT, QUIET_WINDOWS, RECOVERING
from monitoring.judging.fit.reference_fit import ReferenceFit, fit_reference, widened_fit
from monitoring.judging.fit.tolerances import MIN_STD_IN_TOLERANCES, Tolerances
from monitoring.judging.input_check import MAX_MISSING_SHARE, InputCheck, SchemaCheck, optional_inputs
from monitoring.judging.judge import Judge
from monitoring.judging.rules.rule_check import NO_RULES, Rule, RuleCheck, check_rules
from monitoring.records import DeploymentRecord, EarlierDigest, WatchKey
from monitoring.traffic.expected_events import EventCalendar, ExpectedEvent
from monitoring.traffic.windows import CalendarPlan, RowPlan, WindowPlan
from monitoring.watches import feature_space, joint, label_coverage
from monitoring.watches.calibration import MAX_BINS, MIN_ROWS, ROWS_PER_BIN
from monitoring.watches.catalogue import Catalogue, catalogue
from monitoring.watches.custom.custom_metric import CustomMetrics
from monitoring.watches.custom.metric_check import check_metrics
from monitoring.watches.embedding import Embedder, EmbeddingSource
from monitoring.watches.measured.measured_metrics import fit_measured
from monitoring.watches.trust import ALTERNATIVE_MISS_RATES, MISS_RATE, THRESHOLD

if TYPE_CHECKING:
    from monitoring.store.store import Store  # the store loads SQLAlchemy, which `init` does without


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One version of a model, ready to be judged.

    Attributes:
        burn_in: how long live windows only show how much good traffic varies; None: not at all.
        team: the team whose budget its pages are held to; None: its own.
    """

    model: str
    version: int
    bundle: Path
    baseline: Baseline
    plan: WindowPlan
    horizon: timedelta
    checkpoint_age: timedelta
    reference_fit: ReferenceFit
    judge: Judge
    catalogue: Catalogue
    burn_in: timedelta | None = None
    rules: RuleCheck = NO_RULES
    searches: bool = True
    timezone: str = "UTC"
    team: Team | None = None

    def widened(self, widths: Mapping[WatchKey, float]) -> Deployment:
        """The deployment with a fit whose windows vary as a burn-in has shown."""
        fit = widened_fit(self.reference_fit, widths)
        return replace(self, reference_fit=fit, judge=self.judge.refitted(fit))

    def within_team(self, windows: float) -> Deployment:
        """The deployment with facts as rare as a team's budget asks, which grants it so many windows per page."""
        fit = self.reference_fit
        if windows <= fit.facts.threshold:
            return self
        fit = replace(fit, facts=replace(fit.facts, threshold=windows))
        return replace(self, reference_fit=fit, judge=self.judge.refitted(fit))

    def record(self, config: MonitorConfig, now: datetime) -> DeploymentRecord:
        """The deployment as it is stored."""
        tests, place = self.reference_fit.tests, find_baseline(config)
        return DeploymentRecord(
            model=self.model,
            version=self.version,
            settings_digest=same_evidence(config),
            created_at=now,
            timezone=config.windows.timezone,
            page_budget=str(tests["page"].budget),
            page_threshold=tests["page"].budget.threshold,
            notice_budget=str(tests["notice"].budget),
            notice_threshold=tests["notice"].budget.threshold,
            name=config.name,
            traffic=traffic_place(config),
            basis=evidence_basis(config),
            earlier=earlier_evidence(config),
            since=place.since,
            rebaseline=read_rebaseline(place.baseline),
            metrics=metric_codes(config),
        )


def deploy(config: MonitorConfig, embedder: Embedder | None = None) -> Deployment:
    """Load the baseline that a config names, and fit every watch.

    Cost: a few seconds for a hundred thousand reference rows. The schema is read at the first window.

    Args:
        embedder: makes the function that embeds tensors, from the bundle's folder; None where nothing is judged.

    Raises:
        BadInput: the config does not fit the baseline.
    """
    place = find_baseline(config)
    baseline = baseline_in_use(config, place)
    baseline = replace(baseline, spec=configured(config, baseline.spec))
    rules = rules_of(config.rule)
    _check_rules(rules, config, baseline)
    plan = window_plan(config)
    watched, fitted = _fitted(config, baseline, window_plan(config, days_left_out(config, place)), place.baseline)
    if baseline.spec.embedding is not None:
        embed = None if embedder is None else embedder(place.folder)
        watched = replace(watched, embedding=EmbeddingSource(embedding=baseline.spec.embedding, embed=embed))
    judge = Judge(
        watched,
        fitted,
        timezone=config.windows.timezone,
        phases=plan.phases,
        calendar=plan.events,
        input_check=InputCheck(
            watched.bins,
            SchemaCheck(partial(load_schema, place.schema), baseline.bins, baseline.profile),
            min_rows=plan.min_rows,
            optional=optional_inputs(watched.bins, _missing_shares(baseline)),
            sources=watched.sources,
        ),
    )
    return Deployment(
        model=config.model.name,
        version=place.version,
        bundle=place.folder,
        baseline=baseline,
        plan=plan,
        horizon=config.windows.label_horizon,
        checkpoint_age=max(config.windows.label_horizon, config.retention.checkpoints or timedelta()),
        reference_fit=fitted,
        judge=judge,
        catalogue=watched,
        burn_in=config.baseline.burn_in,
        rules=RuleCheck(rules, rule_columns(config, baseline.spec.task)),
        searches=config.budget.subgroups,
        timezone=config.windows.timezone,
        team=_team(config.fleet),
    )


def _check_rules(rules: Sequence[Rule], config: MonitorConfig, baseline: Baseline) -> None:
    codes = [feature.name for feature in baseline.spec.features if feature.is_code]
    check_rules(rules, baseline.bins, codes, rule_columns(config, baseline.spec.task))


def rule_check(config: MonitorConfig) -> Callable[[Rule], None]:
    """What refuses a rule that cannot be held against the columns of a config's baseline, by BadInput."""
    baseline = baseline_in_use(config, find_baseline(config))
    return lambda rule: _check_rules([rule], config, baseline)


def _team(section: FleetSection) -> Team | None:
    return None if section.page is None else Team(name=section.team, budget=FleetBudget.parse(section.page))


def _fitted(
    config: MonitorConfig, baseline: Baseline, plan: WindowPlan, folder: Path
) -> tuple[Catalogue, ReferenceFit]:
    """The watches and their fit, kept or made anew; what has a part of the user's own code is not kept."""
    if config.metric:
        return _fit(config, baseline, plan)
    fits = fit_folder(config)
    try:
        digest = fit_digest(config, same_evidence(config), folder)
    except OSError as error:
        raise unreadable(Path(error.filename or folder), error.strerror or str(error), "a file") from error
    fit: tuple[Catalogue, ReferenceFit] | None = fits.read(digest)
    if fit is None:
        fit = _fit(config, baseline, plan)
        fits.write(digest, fit)
    return fit


def _fit(config: MonitorConfig, baseline: Baseline, plan: WindowPlan) -> tuple[Catalogue, ReferenceFit]:
    """The watches of a baseline, fitted to it."""
    custom = load_metrics(config)
    check_metrics(custom, baseline)
    traffic = config.traffic
    watched = catalogue(baseline, traffic.slices, traffic.class_slices, traffic.selection_groups, custom=custom)
    measured = fit_measured(baseline.spec.task, baseline.rows.answers, config.model.threshold)
    watched = replace(watched, measured=measured)
    fitted = fit_reference(
        baseline,
        watched,
        plan=plan,
        budgets={"page": Budget.parse(config.budget.page), "notice": Budget.parse(config.budget.notice)},
        tolerances=_tolerances(config, custom),
        horizon=config.windows.label_horizon,
    )
    return watched, fitted.for_few_labels() if config.labels.budget else fitted


def _missing_shares(baseline: Baseline) -> dict[str, float]:
    """The share of the baseline's rows in which each input is missing."""
    rows = max(baseline.profile.rows, 1)
    return {b.feature: c.missing / rows for b, c in zip(baseline.bins, baseline.profile.features, strict=True)}


def _tolerances(config: MonitorConfig, custom: CustomMetrics) -> Tolerances:
    settings = config.tolerance
    metric_tolerances = {
        metric.watch.name: section.tolerance
        for metric, section in zip(custom.metrics, config.metric, strict=True)
        if section.tolerance is not None
    }
    return Tolerances(
        error=settings.error,
        brier=settings.brier,
        integrity=settings.integrity,
        custom=metric_tolerances,
        any_cause=settings.any_cause,
        any_cause_share=settings.any_cause_share,
    )


def window_plan(config: MonitorConfig, left_out: Sequence[ExpectedEvent] = ()) -> WindowPlan:
    """How the config cuts the traffic: by time, or by rows; and the events that it expects.

    Args:
        left_out: Days of the reference whose windows are not there, and so are no windows without rows.
    """
    windows, events = config.windows, event_calendar(config.expected, config.windows.timezone)
    if left_out:
        events = EventCalendar(sources=(*events.sources, lambda _start, _end: left_out))
    if windows.by_batch:
        return RowPlan(rows=1, min_rows=windows.min_rows, events=events)  # rows of a batch have one time
    if windows.rows is not None:
        return RowPlan(rows=windows.rows, lateness=windows.lateness, min_rows=windows.min_rows, events=events)
    return CalendarPlan(
        every=windows.every,
        timezone=windows.timezone,
        lateness=windows.lateness,
        min_rows=windows.min_rows,
        events=events,
    )


def earlier_evidence(config: MonitorConfig) -> tuple[EarlierDigest, ...]:
    """The digests under which the deployment of a config may be in the store, which is continued then.

    That is the same under a method before, whose evidence begins anew; and, of a config that has been given a name,
    the same without one.
    """
    methods = range(METHOD - 1, FIRST_METHOD - 1, -1)
    digests = [EarlierDigest(digest=same_evidence(config, number), evidence_goes_on=False) for number in methods]
    if config.deployment.name is not None:
        unnamed = config.model_copy(update={"deployment": DeploymentSection()})
        digest = same_evidence(unnamed)
        digests = [EarlierDigest(digest=digest, evidence_goes_on=True), *digests, *earlier_evidence(unnamed)]
    return tuple(digests)


def same_evidence(config: MonitorConfig, method_number: int = METHOD) -> str:
    """What evidence belongs together: a digest of the settings, the method, and the baseline it is held against."""
    constants = {
        **method(),
        "method": method_number,
        "yardstick deviation": MIN_STD_IN_TOLERANCES,
        "life cycle": [RECOVERING, HARM_LEFT, QUIET_WINDOWS],
        "facts": MAX_MISSING_SHARE,
        "joint": [
            joint.SAMPLE,
            joint.RECENT_WINDOWS,
            feature_space.MAX_COORDINATES,
            feature_space.MAX_PRODUCTS,
            feature_space.FOURIER_FEATURES,
            joint.RANKING_ROWS,
            feature_space.SEED,
        ],
        "labelled": label_coverage.TOLERANCE,
        "estimates": [MAX_BINS, ROWS_PER_BIN, MIN_ROWS, MISS_RATE, ALTERNATIVE_MISS_RATES, THRESHOLD],
    }
    settings = settings_digest(config).encode() + json.dumps(constants, sort_keys=True).encode()
    return hashlib.sha256(settings + _described(config)).hexdigest()


def evidence_basis(config: MonitorConfig) -> str:
    """What a deployment's evidence is held against: a digest of the settings and the baseline, whatever the method."""
    unnamed = config.model_copy(update={"deployment": DeploymentSection()})
    return hashlib.sha256(settings_digest(unnamed).encode() + _described(config)).hexdigest()


def _described(config: MonitorConfig) -> bytes:
    place = find_baseline(config)
    baseline = place.baseline / DESCRIPTION
    since = "" if place.since is None else place.since.astimezone(UTC).isoformat()
    try:
        return baseline.read_bytes() + since.encode() + codes_text(config).encode()
    except OSError as error:
        raise CannotRun(
            "The baseline cannot be read.",
            got=f"{baseline}: {error.strerror}",
            expected="the file that describes it",
            fix="Export the model again, or make the baseline again with `pitfalls monitor init`.",
        ) from error


def enter_deployment(config: MonitorConfig, store: Store, now: datetime) -> str:
    """Enter a config's deployment in a store that knows none of its name, so that its rollouts have their pages.

    Cost: seconds, where it is not known: its baseline is fitted, as the monitor does at its first run.

    Returns:
        Why it cannot be entered, as the monitor could not judge it either; empty where it is there.
    """
    if store.deployments.latest(config.name) is None:
        try:
            store.find_or_create(deploy(config).record(config, now))
        except BadInput as error:
            return f"The dashboard has no page of the rollout: {error}"
    return ""

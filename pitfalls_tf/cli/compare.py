"""``pitfalls compare``: compare setup A with setup B over paired seeds and domains."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.output import printable, with_output
from pitfalls_tf.verdicts.paired import variances
from pitfalls_tf.verdicts.picture import check_picture, draw_verdict
from pitfalls_tf.verdicts.power import AFFORDABLE_DOMAINS, POWER, plan_comparison
from pitfalls_tf.verdicts.verdict import AFFORDABLE_SEEDS, judge

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output
    from pitfalls_tf.verdicts.power import ComparisonPlan, Needed
    from pitfalls_tf.verdicts.scores import PairedScores
    from pitfalls_tf.verdicts.verdict import GainVerdict, Verdict


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--metric", help="Metric to compare.  [default: brier, or the only one]")
@click.option("--smallest", default=0.005, show_default=True, type=float, help="Smallest difference that matters.")
@click.option("--better", type=click.Choice(["larger", "smaller"]), help="Direction of a metric unknown to pitfalls.")
@click.option("--picture", type=click.Path(path_type=Path), metavar="FILE", help="Plot the gains: .svg, .pdf or .png.")
@click.option(
    "--plan", type=float, metavar="D", help="No verdict: how many domains and seeds find a gain of D in nine of ten."
)
@with_output
def command(
    a: str,
    b: str,
    *,
    metric: str | None,
    smallest: float,
    better: str | None,
    picture: Path | None,
    plan: float | None,
    output: Output,
) -> int:
    """Compare setup A with setup B over paired seeds and domains: better, worse, or inconclusive.

    A and B are runs folders, or Parquet or CSV tables with columns setup, domain, seed, metric and value; TABLE:SETUP
    selects a setup of a table with several. A is better if the whole 95 % interval of its gain is above the smallest
    difference that matters. With --plan, first runs of both say how many a comparison needs.
    """
    from pitfalls_tf.verdicts.scores import pair_scores, read_scores  # noqa: PLC0415 - as above

    if plan is not None and picture is not None:
        raise click.UsageError("A plan has no picture: leave out --picture, or --plan.")
    if picture is not None:
        check_picture(picture)
    larger = None if better is None else better == "larger"
    pairs = pair_scores(read_scores(a), read_scores(b), metric=metric, larger_is_better=larger)
    if plan is not None:
        planned = plan_comparison(pairs, plan, smallest=smallest)
        output.finish(_plan_document(pairs, planned), lambda: _show_plan(pairs, planned))
        return 0
    verdict = judge(pairs, smallest=smallest)
    if picture is not None:
        draw_verdict(verdict, picture)
    output.finish(_document(verdict), lambda: _show(verdict))
    return 0


def _document(verdict: Verdict) -> dict[str, object]:
    return {
        "verdict": verdict.outcome,
        "metric": verdict.metric,
        "larger_is_better": verdict.larger_is_better,
        "smallest": verdict.smallest,
        "a": asdict(verdict.a),
        "b": asdict(verdict.b),
        "gain": verdict.gain,
        "low": verdict.overall.interval.low,
        "high": verdict.overall.interval.high,
        "these_domains": _gain_document(verdict.these_domains),
        "probability": {"value": verdict.probability, **asdict(verdict.probability_interval)},
        "variances": asdict(verdict.variances),
        "domains": [
            {
                "domain": domain.domain,
                "a": domain.a,
                "b": domain.b,
                "gain": domain.gain,
                **_gain_document(domain.verdict),
            }
            for domain in verdict.domains
        ],
        "worst_domain": verdict.worst_domain.domain,
        "seeds": list(verdict.seeds),
        "left_out": list(verdict.left_out),
        "more_seeds": verdict.more_seeds,
        "reason": verdict.reason,
    }


def _gain_document(gain: GainVerdict) -> dict[str, object]:
    return {"verdict": gain.outcome, "low": gain.interval.low, "high": gain.interval.high}


def _show(verdict: Verdict) -> None:
    a, b = verdict.a, verdict.b
    counts = f"{len(verdict.seeds)} seeds, {len(verdict.domains)} domain{'s' if len(verdict.domains) > 1 else ''}"
    _print(f"{a.setup} against {b.setup} by {verdict.metric}: {verdict.outcome}")
    _print(f"  {a.mean:.4f} against {b.mean:.4f}; {counts}; a positive gain means that {a.setup} is better")
    width = max(20, *(len(domain.domain) for domain in verdict.domains))
    _print(f"  {'':<{width}} {'gain':>8}   95 % interval")
    for name, gain in (("domains like these", verdict.overall), ("these domains", verdict.these_domains)):
        _print(_line(name, verdict.gain, gain, width))
        if len(verdict.domains) == 1:
            break
    for domain in verdict.domains:
        _print(_line(domain.domain, domain.gain, domain.verdict, width))
    interval = verdict.probability_interval
    _print(f"  P({a.setup} beats {b.setup}) {verdict.probability:.2f}, {interval.low:.2f} to {interval.high:.2f}")
    _print(verdict.reason)
    if len(verdict.domains) == 1:
        _print("Only one domain: the verdict does not extend to other domains.")
    for what in verdict.left_out:
        _print(f"Left out: {what}")


def _plan_document(pairs: PairedScores, plan: ComparisonPlan) -> dict[str, object]:
    return {
        "metric": pairs.metric,
        "smallest": plan.smallest,
        "a": pairs.a.setup,
        "b": pairs.b.setup,
        "domains": len(pairs.domains),
        "seeds": len(pairs.seeds),
        "variances": asdict(variances(pairs.gains)),
        "plan": {
            "difference": plan.difference,
            "power": {"wanted": POWER, "now": plan.power, **asdict(plan.power_interval)},
            "seeds": asdict(plan.seeds),
            "domains": [{"seeds": seeds, **asdict(needed)} for seeds, needed in plan.domains.items()],
        },
    }


def _show_plan(pairs: PairedScores, plan: ComparisonPlan) -> None:
    domains, seeds, interval = len(pairs.domains), len(pairs.seeds), plan.power_interval
    these = f"these {domains} domains" if domains > 1 else "this domain"
    _print(f"{pairs.a.setup} against {pairs.b.setup} by {pairs.metric}: what finds a true gain of {plan.difference:g}")
    _print(
        f"  {seeds} seeds in {these}: in {plan.power:.2f} of comparisons ({interval.low:.2f} to {interval.high:.2f})"
    )
    _print(f"  in {POWER:g} of comparisons, with their 95 % intervals:")
    _print(f"    {_numbers(plan.seeds, AFFORDABLE_SEEDS)} seeds in {these}")
    for count, needed in plan.domains.items():
        _print(f"    {_numbers(needed, AFFORDABLE_DOMAINS)} domains with {count} seeds")
    _print(f"Found is: better, with the whole interval above {plan.smallest:g}. Gains are taken to be normal.")
    if domains == 1:
        _print("Only one domain: it does not show how much others differ. Score both setups in several.")


def _numbers(needed: Needed, most: int) -> str:
    number, low, high = (
        f"more than {most:,}" if each is None else f"{each:,}" for each in (needed.number, needed.low, needed.high)
    )
    return f"{number} ({low} to {high})" if low != high else number


def _print(line: str) -> None:
    """Print one line; names in it come from a table and may contain any character."""
    click.echo(printable(line).replace("\n", "\ufffd"))


def _line(name: str, mean: float, gain: GainVerdict, width: int) -> str:
    low, high = gain.interval.low, gain.interval.high
    return f"  {name:<{width}} {mean:+8.4f}   {low:+.4f} to {high:+.4f}  {gain.outcome}"

"""``pitfalls compare``: is setup A better than setup B, worse, or can nobody tell?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.output import answers, visible

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output
    from pitfalls_tf.verdicts.verdict import Judgement, Verdict


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--metric", help="What to compare.  [default: brier, or the only one there is]")
@click.option("--smallest", default=0.005, show_default=True, type=float, help="The smallest difference that matters.")
@click.option("--better", type=click.Choice(["larger", "smaller"]), help="Which way the metric runs, if unknown here.")
@click.option("--picture", type=click.Path(path_type=Path), metavar="FILE", help="Draw it: .svg, .pdf or .png.")
@answers
def command(
    a: str, b: str, *, metric: str | None, smallest: float, better: str | None, picture: Path | None, output: Output
) -> int:
    """Compare A with B, paired over seeds and domains: better, worse, or inconclusive.

    A and B are runs folders, or Parquet or CSV tables with columns setup, domain, seed, metric and value; of a table
    with several setups, TABLE:SETUP names one. A is better if the whole interval of its gain lies beyond the smallest
    difference that matters.
    """
    from pitfalls_tf.verdicts.picture import check_picture, draw_verdict  # noqa: PLC0415 - as above
    from pitfalls_tf.verdicts.scores import pair, read_scores  # noqa: PLC0415 - help must not wait for tables
    from pitfalls_tf.verdicts.verdict import judge  # noqa: PLC0415 - as above

    if picture is not None:
        check_picture(picture)
    larger = None if better is None else better == "larger"
    pairs = pair(read_scores(a), read_scores(b), metric=metric, larger_is_better=larger)
    verdict = judge(pairs, smallest=smallest)
    if picture is not None:
        draw_verdict(verdict, picture)
    output.finish(_document(verdict), lambda: _show(verdict))
    return 0


def _document(verdict: Verdict) -> dict[str, object]:
    return {
        "verdict": verdict.word,
        "metric": verdict.metric,
        "larger_is_better": verdict.larger_is_better,
        "smallest": verdict.smallest,
        "a": asdict(verdict.a),
        "b": asdict(verdict.b),
        "gain": verdict.gain,
        "low": verdict.overall.interval.low,
        "high": verdict.overall.interval.high,
        "these_domains": _judged(verdict.these_domains),
        "probability": {"value": verdict.probability, **asdict(verdict.probability_interval)},
        "variances": asdict(verdict.variances),
        "domains": [
            {"domain": one.domain, "a": one.a, "b": one.b, "gain": one.gain, **_judged(one.judgement)}
            for one in verdict.domains
        ],
        "worst_domain": verdict.worst_domain.domain,
        "seeds": list(verdict.seeds),
        "left_out": list(verdict.left_out),
        "more_seeds": verdict.more_seeds,
        "reason": verdict.reason,
    }


def _judged(judgement: Judgement) -> dict[str, object]:
    return {"verdict": judgement.word, "low": judgement.interval.low, "high": judgement.interval.high}


def _show(verdict: Verdict) -> None:
    a, b = verdict.a, verdict.b
    counted = f"{len(verdict.seeds)} seeds, {len(verdict.domains)} domain{'s' if len(verdict.domains) > 1 else ''}"
    _say(f"{a.setup} against {b.setup} by {verdict.metric}: {verdict.word}")
    _say(f"  {a.mean:.4f} against {b.mean:.4f}; {counted}; gains are positive where {a.setup} is better")
    width = max(20, *(len(one.domain) for one in verdict.domains))
    _say(f"  {'':<{width}} {'gain':>8}   95 % interval")
    for name, judgement in (("domains like these", verdict.overall), ("these domains", verdict.these_domains)):
        _say(_line(name, verdict.gain, judgement, width))
        if len(verdict.domains) == 1:
            break
    for one in verdict.domains:
        _say(_line(one.domain, one.gain, one.judgement, width))
    chance = verdict.probability_interval
    _say(f"  P({a.setup} beats {b.setup}) {verdict.probability:.2f}, {chance.low:.2f} to {chance.high:.2f}")
    _say(verdict.reason)
    if len(verdict.domains) == 1:
        _say("One domain only: the verdict says nothing about another.")
    for what in verdict.left_out:
        _say(f"Left out: {what}")


def _say(line: str) -> None:
    """One line, whatever the names in it hold: they come from a table that may be anyone's."""
    click.echo(visible(line).replace("\n", "\ufffd"))


def _line(name: str, gain: float, judgement: Judgement, width: int) -> str:
    low, high = judgement.interval.low, judgement.interval.high
    return f"  {name:<{width}} {gain:+8.4f}   {low:+.4f} to {high:+.4f}  {judgement.word}"

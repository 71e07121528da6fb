"""Facts and searches in sentences."""

from __future__ import annotations

import re
from datetime import timedelta

from monitoring.records import (
    AlarmCause,
    FactCause,
    Finding,
    IncidentRecord,
    NextStep,
    RootFact,
    Subgroup,
    SubgroupCause,
)
from monitoring.records.loss_parts import LossOutlier
from monitoring.sentences.alarm_text import alarm_line, input_sentences, moment_day
from monitoring.sentences.finding_text import finding_text, lean_words, loss_words
from monitoring.sentences.step_text import step_words
from monitoring.watches.descriptions import (
    LONGEST_MESSAGE,
    format_amount,
    format_change,
    lower_first,
    printable,
    watch_title,
)

#: The kinds of facts whose words say what they are about.
_NAMED = frozenset(
    {
        "answers constant",
        "answers independent of inputs",
        "answers reversed",
        "better than the benchmark",
        "classes in another order",
        "fewer labels",
        "labels constant",
        "labels contradict answers",
        "labels lost a class",
        "labels stopped",
        "labels too late",
        "losses far outside the baseline",
        "rows copied",
        "traffic volume",
        "traffic volume changed",
        "traffic volume unusual",
        "unknown labels",
        "unusable answers",
    }
)

#: The kinds whose first sentence says what happened, which their name alone does not.
_TELLING = frozenset(
    {
        "answers constant",
        "answers independent of input",
        "answers independent of inputs",
        "answers reversed",
        "better than the benchmark",
        "classes in another order",
        "fewer labels",
        "input constant",
        "label shares jumped",
        "labels constant",
        "labels contradict answers",
        "labels lost a class",
        "labels stopped",
        "more values missing",
        "more values unseen",
        "out of range",
        "rare values renamed",
        "rows copied",
        "traffic volume",
        "traffic volume changed",
        "traffic volume unusual",
        "unusable answers",
        "values missing",
        "values of the window before",
        "values renamed",
        "values unseen",
    }
)

#: Kinds about rules of the user's own, and about losses; and notices that may be right.
_RULES = ("rule broken", "rule broken, a notice")
_SAID_EACH = (*_RULES, "inputs swapped", "input constant")
_OF_LOSSES = ("labels contradict answers", "losses far outside the baseline")
_OUTLIER = "losses far outside the baseline"
_BETTER = "better than the benchmark"
_MAY_BE_RIGHT = ("traffic volume changed", "fewer labels")

#: Kinds that are over when their values are near the baseline, not when they are below the limit that told them.
_NEAR = frozenset(
    {"more values missing", "more values unseen", "out of range", "unusable answers", "values missing", "values unseen"}
)

#: What to do where the level that such a notice tells is right.
_ACCEPT = "if this level is right and will stay, close the notice by hand: it is usual from then on"


def fact_line(fact: str, slice_: str, findings: tuple[Finding, ...]) -> str:
    """A fact in one line without a full stop, with what it is about."""
    subject, kind = printable(slice_), printable(fact, LONGEST_MESSAGE).strip().rstrip(".")
    if fact == _OUTLIER and findings:
        loss = _loss_of(findings[0])
        if loss:
            return f"{printable(loss, LONGEST_MESSAGE)}: {kind}"
    return _capital(kind) if not subject or fact in _NAMED else f"{_capital(kind)}: {subject}"


def _loss_of(finding: Finding) -> str:
    """The loss that a finding is about, in a clause; empty where it says none."""
    if isinstance(finding.parts, LossOutlier):
        return f"{loss_words(finding.parts.loss)}{lean_words(finding.parts.lean)}"
    loss, semicolon, _ = finding.message.partition(";")  # as an earlier store has it
    return loss if semicolon else ""


def root_words(root: RootFact) -> str:
    """What explains a fact, in a clause.

    >>> root_words(RootFact(incident=3, fact="out of range", slice="income"))
    'a likely consequence of #3 (out of range: income)'
    """
    return f"a likely consequence of #{root.incident} ({lower_first(fact_line(root.fact, root.slice, ()))})"


def fact_headline(fact: FactCause) -> str:
    """The kind of a fact with the first sentence of what was found, without its full stop; else empty.

    >>> told = "The category `21` of school was renamed to `BA`: 18 % of rows. 20 % of 300 values are new."
    >>> found = Finding(kind="values renamed", feature="school", message=told)
    >>> step = NextStep(kind="check the source")
    >>> fact_headline(FactCause(fact=found.kind, findings=(found,), closes_after=3, step=step))
    'Values renamed: the category `21` of school was renamed to `BA`: 18 % of rows'
    """
    first = _first_sentence(fact)
    if fact.fact == _BETTER and first.endswith(_BETTER):
        return first
    return f"{_capital(fact.fact)}: {lower_first(first)}" if first else ""


def _first_sentence(fact: FactCause) -> str:
    """What was found in one sentence without its full stop; empty of other kinds, and of several things."""
    if fact.fact not in _TELLING or len(fact.findings) != 1:
        return ""
    message = printable(finding_text(fact.findings[0]), LONGEST_MESSAGE)
    return re.split(r"\.(?: (?=[A-Z0-9])|$)", message, maxsplit=1)[0]


def fact_sentences(fact: FactCause) -> tuple[str, ...]:
    """What is wrong, and what an alarm added."""
    told = tuple(map(finding_text, fact.findings))
    first = _first_sentence(fact)
    if first:  # which the headline says
        told = tuple(filter(None, (told[0].removeprefix(first).removeprefix(".").strip(),)))
    if len(told) > 1 and fact.fact not in _SAID_EACH:
        names = ", ".join(finding.feature for finding in fact.findings if finding.feature)
        told = (f"{_capital(fact.fact)} for {len(told)} inputs: {names}.",)
    root = () if fact.root is None else (f"It is {root_words(fact.root)}.",)
    return (*told, *root, *evidence_sentences(fact.evidence, of_losses=fact.fact in _OF_LOSSES))


def evidence_sentences(alarm: AlarmCause | None, *, of_losses: bool) -> tuple[str, ...]:
    """What an alarm added to a fact: of the same losses it knows more of them."""
    if alarm is None:
        return ()
    return (f"Evidence of the watches: {alarm_line(alarm)}.", *(input_sentences(alarm) if of_losses else ()))


def fact_step(incident: IncidentRecord, fact: FactCause) -> str:
    """What to do first, and when the incident closes."""
    what = "incident" if fact.fact in _RULES else incident.level
    near = "" if fact.evidence is None else " and with its losses near the baseline"
    over = "near the baseline" if fact.fact in _NEAR else "without this finding"
    closes = f"the {what} closes after {fact.closes_after} windows {over}{near}"
    accept = f"; {_ACCEPT}" if fact.fact in _MAY_BE_RIGHT else ""
    return f"{step_words(fact.step)}; {closes}{accept}."


def subgroup_line(subgroup: Subgroup) -> str:
    """Where the model got worse, without a full stop."""
    change = f"{lower_first(watch_title(subgroup.watch))} {format_change(subgroup.watch, subgroup.rise)}"
    return f"the model got worse where {printable(str(subgroup))} ({change})"


def subgroup_sentences(found: SubgroupCause, subgroup: Subgroup) -> tuple[str, ...]:
    """What a search found, and how."""
    title, where = lower_first(watch_title(subgroup.watch)), printable(str(subgroup))
    first, last = (moment_day(moment) for moment in (found.start, found.end - timedelta(microseconds=1)))
    rose = f"{moved(subgroup.watch, subgroup.rise)} there since the baseline"
    others = f"{moved(subgroup.watch, subgroup.others)} in all other rows"
    search = (
        f"A search over the labelled rows of {found.windows} windows from {first} to {last} found it: half of them "
        f"chose the inputs and values, and the other half, which has {subgroup.rows:,} of these rows, measured the "
        f"rise (p = {subgroup.p_value:.2g})."
    )
    return (
        f"The model got worse where {where}: {title} {rose}, and {others}.",
        search,
        "The notice closes when a later search finds the rise over.",
    )


def subgroup_step(step: NextStep, subgroup: Subgroup) -> str:
    """Look at the rows, and have them judged in every window from now on."""
    if step.kind == "declare the slices":
        return step_words(step)
    look = "look at the labels and inputs of these rows"
    if step.subjects:
        return f"{look}; {printable(step.subjects[0])} is a slice already, which every window is judged by."
    return (
        f"{look}; to have them judged in every window, give rows a category input that says whether "
        f"{printable(str(subgroup))}, and declare it in `slices` of [traffic] in the config."
    )


def moved(metric: str, change: float) -> str:
    """Say how a metric changed.

    >>> moved("brier", 0.0123), moved("error", -0.0123), moved("brier", 0.0001)
    ('rose by 0.012', 'fell by 1.2 points', 'did not change')
    """
    amount, verb = format_amount(metric, abs(change)), "rose" if change >= 0 else "fell"
    return f"{verb} by {amount}" if any(digit in "123456789" for digit in amount) else "did not change"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

"""What an incident says: one line, paragraphs, and the next step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from monitoring.records import (
    FACT_WATCH,
    SUBGROUP_WATCH,
    AlarmCause,
    Diagnosis,
    FactCause,
    IncidentRecord,
    LegacyCause,
    Onset,
    Reassessment,
    SubgroupCause,
)
from monitoring.sentences.alarm_text import (
    alarm_headline,
    alarm_line,
    alarm_sentences,
    onset_words,
    reassessed_sentences,
)
from monitoring.sentences.fact_text import (
    evidence_sentences,
    fact_headline,
    fact_line,
    fact_sentences,
    fact_step,
    root_words,
    subgroup_line,
    subgroup_sentences,
    subgroup_step,
)
from monitoring.sentences.relation_text import relation_sentence
from monitoring.sentences.step_text import step_words
from monitoring.watches.descriptions import LONGEST_MESSAGE, printable, slice_title, watch_title

ParagraphKind: TypeAlias = Literal["opening", "assessed again", "worse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """What an incident says at one time."""

    kind: ParagraphKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentText:
    """An incident in words.

    Attributes:
        cause: What it is about, in short; its watch is not always named.
        line: The same by itself, in one line without a full stop.
        headline: The first sentence without its full stop, where the line begins with it; else empty.
        paragraphs: What it says after its headline: what opened it, and each time that it was assessed again or became
            worse.
        step: What to do first; empty where that is not known.
    """

    cause: str
    line: str
    headline: str = ""
    paragraphs: tuple[Paragraph, ...] = ()
    step: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """The paragraphs, the headline in the first."""
        headline = f"{self.headline}." if self.headline else ""
        texts = [paragraph.text for paragraph in self.paragraphs] or [""]
        return tuple(text for text in (f"{headline} {texts[0]}".strip(), *texts[1:]) if text)

    @property
    def next_step(self) -> str:
        """The next step as a paragraph of its own; empty where it is not known."""
        return f"Next step: {self.step}" if self.step else ""

    @property
    def message(self) -> str:
        """All of it in one text."""
        return " ".join(filter(None, (*self.texts, self.next_step)))


def plain_text(line: str, text: str) -> IncidentText:
    """What a message says that is about no incident: one line, and a paragraph."""
    return IncidentText(cause=line, line=line, paragraphs=(Paragraph(kind="opening", text=text),))


def incident_text(incident: IncidentRecord) -> IncidentText:
    """An incident in words."""
    return _worded(incident)


def _worded(incident: IncidentRecord) -> IncidentText:
    return IncidentText(
        cause=_cause(incident),
        line=_line(incident),
        headline=_headline(incident),
        paragraphs=_with_relation(tuple(_paragraphs(incident)), incident),
        step=_step(incident),
    )


def _with_relation(paragraphs: tuple[Paragraph, ...], incident: IncidentRecord) -> tuple[Paragraph, ...]:
    """The paragraphs, the last of which says how the relation of inputs and label changed."""
    said = relation_sentence(incident.detail.relation)
    if not said or not paragraphs:
        return paragraphs
    *earlier, last = paragraphs
    return (*earlier, replace(last, text=f"{last.text} {said}".strip()))


def cause_line(incident: IncidentRecord) -> str:
    """What an incident is about, in one line without a full stop."""
    return incident_text(incident).line


def _cause(incident: IncidentRecord) -> str:
    match incident.opening:
        case AlarmCause() as alarm:
            relation = incident.detail.relation
            in_one_place = relation is not None and relation.of_errors and not relation.is_elsewhere
            return alarm_line(alarm, relation.conditions if relation is not None and in_one_place else ())
        case FactCause(fact=fact):
            return fact
        case SubgroupCause():
            return "" if incident.detail.subgroup is None else subgroup_line(incident.detail.subgroup)
        case LegacyCause(line=line):
            return line
        case None:
            return ""


def _line(incident: IncidentRecord) -> str:
    cause = printable(_cause(incident), LONGEST_MESSAGE).strip().rstrip(".")
    title, where = watch_title(incident.watch), f" at {slice_title(incident.slice)}" if incident.slice else ""
    if not cause:
        return f"{title}{where}"
    if incident.watch == FACT_WATCH:
        if cause != incident.fact and isinstance(incident.opening, LegacyCause):
            return cause
        findings = incident.opening.findings if isinstance(incident.opening, FactCause) else ()
        head = _headline(incident) if findings else ""
        line = head or fact_line(incident.fact, incident.slice, findings)
        root = incident.opening.root if isinstance(incident.opening, FactCause) else None
        return line if root is None else f"{line}, {root_words(root)}"
    named = incident.watch == SUBGROUP_WATCH or isinstance(incident.opening, AlarmCause)
    if named or " since " in cause or cause.casefold().startswith(title.casefold()):  # of a legacy line nobody says it
        return cause[:1].upper() + cause[1:]
    return f"{title}{where}: {cause}"


def _headline(incident: IncidentRecord) -> str:
    match incident.opening:
        case AlarmCause() as alarm:
            return alarm_headline(alarm)
        case FactCause() as fact:
            return fact_headline(fact)
        case LegacyCause(headline=headline):
            return headline
        case _:
            return ""


def _paragraphs(incident: IncidentRecord) -> Iterator[Paragraph]:
    for number, diagnosis in enumerate(incident.diagnoses):
        text = " ".join(filter(None, _sentences(incident, diagnosis)))
        if number == 0:
            is_legacy = isinstance(diagnosis.cause, LegacyCause)  # which says it itself
            back = "" if incident.previous is None or is_legacy else f"It came back, see #{incident.previous}."
            yield Paragraph(kind="opening", text=" ".join(filter(None, (text, back))))
        else:
            yield Paragraph(kind="worse", text=f"Worse since: {text}")
        if diagnosis.again is not None:
            yield Paragraph(kind="assessed again", text=_assessed_again(diagnosis.again))
        elif isinstance(diagnosis.cause, LegacyCause) and diagnosis.cause.again:
            yield Paragraph(kind="assessed again", text=f"Assessed again {diagnosis.cause.again}")


def _sentences(incident: IncidentRecord, diagnosis: Diagnosis) -> tuple[str, ...]:
    """What a diagnosis says; of the first one the headline stands by itself."""
    match diagnosis.cause:
        case AlarmCause() as alarm:
            is_first = diagnosis is incident.diagnoses[0]
            return (*(() if is_first else (f"{alarm_headline(alarm)}.",)), *alarm_sentences(alarm))
        case FactCause() as fact:
            return fact_sentences(fact)
        case SubgroupCause() as found:
            return () if incident.detail.subgroup is None else subgroup_sentences(found, incident.detail.subgroup)
        case LegacyCause() as legacy:
            return (legacy.text, *evidence_sentences(legacy.evidence, of_losses=False))


def _assessed_again(again: Reassessment) -> str:
    return f"Assessed again {_when(again.window)}: {' '.join(reassessed_sentences(again.cause))}"


def _when(window: Onset) -> str:
    return f"{'on' if window.batch is None else 'with'} {onset_words(window)}"


def _step(incident: IncidentRecord) -> str:
    """The next step of what is known last."""
    match incident.diagnoses[-1].cause if incident.diagnoses else None:
        case AlarmCause(step=step):
            return step_words(step)
        case FactCause() as fact:
            return fact_step(incident, fact)
        case SubgroupCause(step=step):
            return "" if incident.detail.subgroup is None else subgroup_step(step, incident.detail.subgroup)
        case LegacyCause(step=words):
            return words
        case None:
            return ""

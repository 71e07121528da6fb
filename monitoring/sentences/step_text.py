"""The next step of an incident in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitoring.records import FACT_SEPARATOR, NextStep, StepKind
from monitoring.watches.descriptions import printable

#: What to do where a model has become better.
_ACCEPT = (
    "check that labels are whole; if they are and it lasts, make a new baseline (`pitfalls monitor rebaseline`), so "
    "that a return is an alarm."
)

#: What to check where the subject of a fact is no input.
_SOURCES = {
    "row count": "those who send requests",
    "recent row count": "whether all senders and files are read, and each once",
    "recent label count": "whether the job that delivers labels reads all of its files, and the ids that it sends",
    "recent losses": "where labels come from, and whether they are made of the answers",
    "label arrivals": "the job that delivers labels",
    "prediction ids": "whether the traffic log is whole, the ids that labels are sent with, and that they name their "
    "model where a log has several",
    "rows": "whether a batch was sent twice, or a join multiplies rows",
    "repeated ids": "why clients send requests again: time-outs, or errors of the server",
    "labels": "the job that delivers labels",
    "losses": "the labels of this window's rows, then the inputs of these rows",
    "model answers": "the model's export, and roll it back",
}


def _source(step: NextStep) -> str:
    names = FACT_SEPARATOR.join(step.subjects)
    first = f"check {printable(step.first)} and its unit, which explain most of the rise; then " if step.first else ""
    source = _SOURCES.get(names) or (f"the pipeline that fills {names}" if names else "the files of this window")
    return f"{first}check {source}"


def _slices(step: NextStep) -> str:
    listed = ", ".join(f'"{printable(name)}"' for name in step.subjects)
    return (
        f"look at the labels and inputs of these rows; to have them judged in every window, declare "
        f"`slices = [{listed}]` in [traffic] of the config."
    )


def _subject(step: NextStep) -> str:
    return printable(step.subjects[0]) if step.subjects else ""


_STEPS: Mapping[StepKind, Callable[[NextStep], str]] = {
    "accept the improvement": lambda _: _ACCEPT,
    "check the traffic": lambda _: "check whether this traffic is meant for this model.",
    "check the answers": lambda _: "check the model's answers: its own confidence fell, and no input says why.",
    "check the labels of its rows": lambda _: (
        "check the labels of its rows (`pitfalls monitor status --json`); if they are right, retrain or roll back."
    ),
    "wait for labels": lambda _: (
        "compare with the labels when they arrive; until then check what sends these requests."
    ),
    "check the label job": lambda _: (
        "check the job that delivers labels; if they are right, what is predicted has become another."
    ),
    "compare its rows": lambda _: (
        "compare the inputs of these rows with those of all; labels say later whether the gap is an error."
    ),
    "check how rows are labelled": lambda _: (
        "check how these rows get their labels; losses over labelled rows are biased until then."
    ),
    "check the new values": lambda step: (
        f"check what the new values of {_subject(step)} are: codes that changed, or things that the model does not "
        "know."
    ),
    "check the pipeline": lambda step: f"check the pipeline that fills {_subject(step)}.",
    "check the outputs": lambda _: "check the model's outputs for NaN and unknown classes.",
    "check the model": lambda _: (
        "check whether the same model answers, and in the same unit: no input says why its answers moved. If it was "
        "replaced on purpose, make a new baseline (`pitfalls monitor rebaseline`)."
    ),
    "compare the inputs": lambda step: (
        f"compare the inputs with the baseline, `pitfalls monitor report --window {step.day:%Y-%m-%d}`."
    ),
    "check the source": _source,
    "look at its rows": lambda _: "look at these rows, and at what writes them",
    "declare the slices": _slices,
}


def step_words(step: NextStep) -> str:
    """What to do first; of a fact without its end, as when it closes follows."""
    return _STEPS[step.kind](step)

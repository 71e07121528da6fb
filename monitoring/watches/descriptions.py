"""Watches and slices as a person reads them."""

from __future__ import annotations

import unicodedata

#: Text out of the traffic is cut here: a label a megabyte long is not a label.
LONGEST = 200

METRICS = {"error": "Error rate", "brier": "Brier score"}

#: Watches whose name is one word of ours.
_WHOLE = {
    "joint": "Combination of inputs",
    "output:confidence": "Confidence of the model",
    "unusable_answers": "Unusable answers",
}

#: What a watch's kind, before the colon, says of what stands after it.
_KINDS = {
    "output": "Probability of",
    "missing": "Missing",
    "unseen": "Unseen",
    "input": "Share of",
    "labelled": "Labels for",
}


def printable(text: str, longest: int = LONGEST) -> str:
    r"""Text that came from traffic, bounded, without control, bidirectional or unassigned characters.

    >>> printable("EWR\x1b[31m")
    'EWR�[31m'
    """
    shown = "".join("\ufffd" if unicodedata.category(letter)[0] == "C" else letter for letter in text[:longest])
    return shown + "…" if len(text) > longest else shown


def watch_words(name: str) -> str:
    """A watch's name in words.

    >>> [watch_words(name) for name in ("brier", "surprise_error", "missing:temp", "input:temp:location")]
    ['Brier score', 'Surprise in error rate', 'Missing temp', 'Location of temp']
    """
    if name in _WHOLE:
        return _WHOLE[name]
    kind, colon, rest = name.partition(":")
    if not colon:
        metric = name.removeprefix("surprise_").removeprefix("estimated_")
        words = METRICS.get(metric, printable(metric))
        if metric == name:
            return words
        kind = "Surprise in" if name.startswith("surprise_") else "Estimated"
        return f"{kind} {words if metric == 'brier' else words[:1].lower() + words[1:]}"
    feature, _, place = rest.rpartition(":")
    if kind == "input" and feature and place in {"location", "spread"}:
        return f"{place.capitalize()} of {printable(feature)}"
    if kind in _KINDS:
        return f"{_KINDS[kind]} {printable(rest).replace('=', ' = ', 1)}"
    return printable(name)


def slice_words(part: str) -> str:
    """A slice in words; the whole traffic is "all traffic".

    >>> slice_words("origin=EWR"), slice_words("")
    ('origin = EWR', 'all traffic')
    """
    return printable(part).replace("=", " = ", 1) if part else "all traffic"


def within_sentence(words: str) -> str:
    """The same words where they do not begin a sentence.

    >>> within_sentence("Surprise in Brier score"), within_sentence("Brier score")
    ('surprise in Brier score', 'Brier score')
    """
    return words if words.startswith("Brier") else words[:1].lower() + words[1:]

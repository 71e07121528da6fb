"""Computes the numbers of a sentence anew from raw rows, by code that shares none with the product."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

_NUMBER = r"[\d,]+(?:\.\d+)?"
_DAY = r"\d{1,2} [A-Z][a-z]+ \d{4}"

Truth = Callable[[pd.DataFrame], float]


def checked_numbers(sentence: str, reference: pd.DataFrame, live: pd.DataFrame) -> tuple[int, int, int]:
    """How many numbers of a sentence are right, wrong, and of no kind that is computed here.

    A number is right if it is within one unit of its last digit. Values since a day are over the rows from then on, and
    losses over those whose labels arrived from then on; without a day a sentence is about the last day.

    Args:
        live: Up to the end of the window that opened the incident.
    """
    days = re.findall(rf"since ({_DAY})", sentence)
    end = live["at"].max().ceil("D")
    start = pd.Timestamp(days[0], tz="UTC") if days else end - pd.Timedelta(days=1)
    is_loss = re.match(r"Error rate|Brier|AUC", sentence) is not None
    time = live["known_at" if is_loss else "at"]
    rows = live[(time >= start) & (time < end)]
    rows = rows[rows["label"].notna()] if is_loss else rows
    right = wrong = 0
    rest = re.sub(_DAY, "", sentence)
    for pattern, truth in _KINDS:
        for found in re.finditer(pattern, rest):
            of = truth(found)
            for written, frame in ((found["before"], reference), (found["now"], rows)):
                if abs(float(written.replace(",", "")) - of(frame)) <= _unit(written):
                    right += 1
                else:
                    wrong += 1
            rest = rest.replace(found[0], "")
    for pattern, single in _SINGLE:
        for found in re.finditer(pattern, rest):
            is_right = abs(float(found["now"].replace(",", "")) - single(found, rows)) <= _unit(found["now"])
            right, wrong = right + is_right, wrong + (not is_right)
            rest = rest.replace(found["now"], "", 1)
    for found in re.finditer(rf"\(({_NUMBER}) rows\b", rest):
        is_right = int(found[1].replace(",", "")) == len(rows)
        right, wrong = right + is_right, wrong + (not is_right)
        rest = rest.replace(found[0], "")
    return right, wrong, len(re.findall(rf"(?<![\w#]){_NUMBER}", rest))


def _unit(written: str) -> float:
    """One unit of the last digit; of numbers that were rounded to four digits one of the fourth."""
    digits = written.replace(",", "")
    if "." in digits:
        return 10.0 ** -len(digits.partition(".")[2]) * 1.001
    return 10.0 ** max(len(digits) - 4, 0) * 1.001


def _error(rows: pd.DataFrame) -> float:
    labelled = rows[rows["label"].notna()]
    return 100.0 * float(np.mean((labelled["score"] > 0.5) != (labelled["label"] == 1)))


def _brier(rows: pd.DataFrame) -> float:
    """Of two classes: the sum over both, halved, as of one probability."""
    labelled = rows[rows["label"].notna()]
    return float(np.mean((labelled["score"].astype(float) - labelled["label"].astype(float)) ** 2))


def _share(column: str, value: str) -> Truth:
    return lambda rows: 100.0 * float(np.mean(rows[column].dropna().astype(str) == value))


def _missing(column: str) -> Truth:
    return lambda rows: 100.0 * float(rows[column].isna().mean())


def _median(column: str) -> Truth:
    return lambda rows: float(rows[column].astype(float).median())


def _auc(rows: pd.DataFrame) -> float:
    """By ranks: the share of pairs of a row of each class of which the one of class 1 has the higher score."""
    ranks, positive = rows["score"].astype(float).rank(), rows["label"] == 1
    count = int(positive.sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(rows) - count)))


_MOVE = rf"(?P<before>{_NUMBER}) → (?P<now>{_NUMBER})"
_FROM_TO = rf"from (?P<before>{_NUMBER})(?: %)? to (?P<now>{_NUMBER})"
_KINDS: tuple[tuple[str, Callable[[re.Match[str]], Truth]], ...] = (
    (rf"[Ee]rror rate {_MOVE} %", lambda _: _error),
    (rf"Brier score {_MOVE}", lambda _: _brier),
    (rf"AUC {_MOVE}", lambda _: _auc),
    (rf"[Mm]issing values of (?P<column>\w+) {_MOVE} %", lambda found: _missing(found["column"])),
    (rf"[Mm]edian of (?P<column>\w+) (?:rose|fell) {_FROM_TO}", lambda found: _median(found["column"])),
    (rf"[Ss]hare of (?P<column>\w+) = (?P<value>\w+) {_MOVE} %", lambda found: _share(found["column"], found["value"])),
)
_SINGLE: tuple[tuple[str, Callable[[re.Match[str], pd.DataFrame], float]], ...] = (
    (
        rf"[Tt]he mean of (?P<column>\w+) is (?P<now>{_NUMBER})",
        lambda found, rows: float(rows[found["column"]].astype(float).mean()),
    ),
    (
        rf"[Aa]ll (?P<now>{_NUMBER}) answers are the same",
        lambda _, rows: float((rows["score"] == rows["score"].iloc[0]).sum()),
    ),
    (
        rf"renamed to `(?P<value>\w+)`: {_NUMBER} % of the baseline's rows, (?P<now>{_NUMBER}) % of this window's",
        lambda found, rows: 100.0 * float((rows["branch"] == found["value"]).mean()),
    ),
    (
        rf"(?P<now>{_NUMBER}) % of {_NUMBER} values of (?P<column>\w+) are missing",
        lambda found, rows: 100.0 * float(rows[found["column"]].isna().mean()),
    ),
    (
        rf"(?P<now>{_NUMBER}) % of {_NUMBER} values of (?P<column>\w+) are values that",
        lambda found, rows: 100.0 * float((rows[found["column"]] == "UNKNOWN").mean()),
    ),
    (
        rf"is (?:[\d,.]+|\w+) in all (?P<now>{_NUMBER}) values of the window",
        lambda _, rows: float(len(rows[rows["at"] >= rows["at"].max().floor("D")])),
    ),
)

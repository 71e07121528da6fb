"""Computes the numbers of a sentence anew from raw rows, by code that shares none with the product."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from benchmarks.words.told import (
    HORIZON,
    NUMBER,
    Told,
    alike,
    arrived,
    exceeded,
    exceeded_by_day,
    few_days,
    renamed_column,
    run_without,
    same_answers,
    silence,
    stated,
    unusable,
    usual,
)

#: Of numbers in these nothing is computed: days, names of classes, and what a probability is.
_NO_NUMBERS = r"\d{1,2} [A-Z][a-z]+ \d{4}|probabilities \(0 to 1, with the sum 1\)"
_DAY = r"\d{1,2} [A-Z][a-z]+ \d{4}"


Truth = Callable[[re.Match[str], Told], float]


def checked_numbers(sentence: str, reference: pd.DataFrame, live: pd.DataFrame) -> tuple[int, int, int]:
    """How many numbers of a sentence are right, wrong, and of no kind that is computed here.

    A number is right if it is within one unit of its last digit. Values since a day are over the rows from then on, and
    losses over those whose labels arrived from then on; without a day, and of inputs *in the last window*, a sentence
    is about the last day.

    Args:
        live: Up to the end of the window that opened the incident.
    """
    days = re.findall(rf"since ({_DAY})", sentence)
    end = live["at"].max().ceil("D")
    yesterday = end - pd.Timedelta(days=1)
    is_loss = re.match(r"Error rate|Brier|AUC|Label|Absolute error", sentence) is not None
    rows = live[live["label"].notna()] if is_loss else live
    time = rows["known_at" if is_loss else "at"]
    start = pd.Timestamp(days[0], tz="UTC") if days else yesterday
    until = time < end
    since, last = rows[(time >= start) & until], rows[(time >= yesterday) & until]
    told = Told(start=start, reference=reference, live=live, since=since, last=last)
    text = re.sub(_NO_NUMBERS, lambda day: " " * len(day[0]), sentence)
    judged: dict[int, bool] = {}
    for pattern, truth in _KINDS:
        for found in re.finditer(pattern, text):
            if found.start("now") not in judged:
                try:
                    wanted = truth(found, told)
                except KeyError:  # of a table that has no such columns
                    continue
                judged[found.start("now")] = abs(float(found["now"].replace(",", "")) - wanted) <= _unit(found["now"])
    numbers = sum(found.start() not in judged for found in re.finditer(rf"(?<![\w#])(?<!class ){NUMBER}", text))
    return int(sum(judged.values())), len(judged) - int(sum(judged.values())), numbers


def _unit(written: str) -> float:
    """One unit of the last digit; of numbers that were rounded to four digits one of the fourth."""
    digits = written.replace(",", "")
    if "." in digits:
        return 10.0 ** -len(digits.partition(".")[2]) * 1.001
    return 10.0 ** max(len(digits) - 4, 0) * 1.001


def _error(rows: pd.DataFrame) -> float:
    labelled = rows[rows["label"].notna()]
    if "score" in rows:
        return 100.0 * float(np.mean((labelled["score"] > 0.5) != (labelled["label"] == 1)))
    scores = labelled.filter(regex="^p_")
    return 100.0 * float(np.mean(scores.idxmax(axis=1) != "p_" + labelled["label"]))


def _brier(rows: pd.DataFrame) -> float:
    """The sum over the classes, halved; of two classes as of one probability."""
    labelled = rows[rows["label"].notna()]
    if "score" not in rows:
        scores = labelled.filter(regex="^p_")
        hit = scores.columns.str.removeprefix("p_").to_numpy() == labelled["label"].to_numpy()[:, None]
        return float(np.mean(((scores.to_numpy() - hit) ** 2).sum(axis=1) / 2.0))
    return float(np.mean((labelled["score"].astype(float) - labelled["label"].astype(float)) ** 2))


def _errors(rows: pd.DataFrame) -> pd.Series:
    """Prediction less label of each labelled row."""
    labelled = rows[rows["label"].notna()]
    return labelled["predicted"] - labelled["label"]


def _auc(rows: pd.DataFrame) -> float:
    """The mean over days by their rows; of each the share of pairs of a row of each class that are in order."""
    days = [day for _, day in rows[rows["label"].notna()].groupby(rows["known_at"].dt.floor("D"))]
    found = []
    for day in days:
        ranks, positive = day["score"].astype(float).rank(), day["label"] == 1
        count = int(positive.sum())
        found.append((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(day) - count)))
    return float(np.average(found, weights=[len(day) for day in days]))


def _of_class(found: re.Match[str], rows: pd.DataFrame) -> pd.Series:
    return rows["label"].astype(str) == found["value"]


def _ranked(found: re.Match[str], told: Told, rows: pd.DataFrame) -> float:
    """The share of the reference's rows of the other class that score lower for a class of two than rows of it."""
    known = arrived(told.reference)
    side = 1.0 if found["value"] == "1" else -1.0
    others = np.sort(side * known["score"][~_of_class(found, known)].astype(float))
    scores = side * rows["score"][_of_class(found, rows)].astype(float)
    below, above = (np.searchsorted(others, scores, side=end) for end in ("left", "right"))
    return float((below + above).mean()) / 2.0 / others.size


def _of_value(found: re.Match[str], rows: pd.DataFrame) -> pd.DataFrame:
    kept: pd.DataFrame = rows[rows[found["column"]].astype(str) == found["value"]]
    return kept


def _since(found: re.Match[str], told: Told) -> int:
    """The rows since a sentence's day: of a coverage gap those with a label whose rows are no longer waited for."""
    if found.string.startswith("Label coverage gap"):
        return int(_unawaited(told, told.start)["label"].notna().sum())
    return len(_of_place(found, told.since))


def _of_place(found: re.Match[str], rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the slice that a sentence on a loss is about, all without one."""
    place = re.match(r"\w+ \w+ at (?P<column>\w+) = (?P<value>\w+)", found.string)
    ranked = re.match(r"AUC of class (?P<value>\w+) against", found.string)
    if ranked is not None:
        return rows[_of_class(ranked, rows)]
    return rows if place is None else _of_value(place, rows)


def _share(rows: pd.DataFrame, column: str, value: str) -> float:
    return 100.0 * float(np.mean(rows[column].dropna().astype(str) == value))


def _missing(rows: pd.DataFrame, column: str) -> float:
    return 100.0 * float(rows[column].isna().mean())


def _median(rows: pd.DataFrame, column: str) -> float:
    return float(rows[column].astype(float).median())


def _new(rows: pd.DataFrame, column: str, reference: pd.DataFrame) -> float:
    """The share of a column's values that the reference does not have, in percent."""
    return 100.0 * float((~rows[column].dropna().isin(reference[column].unique())).mean())


def _worst(rows: pd.DataFrame, rate: Callable[[pd.DataFrame], float], time: str = "at") -> float:
    """The largest rate of a day on which rows were answered."""
    days = rows.groupby(rows[time].dt.floor("D"))
    return max(rate(day) for start, day in days if start <= rows["at"].max())


def _frequent(found: re.Match[str], told: Told) -> float:
    """How far the share of class 1 lies above its mean probability, in points, by a logistic recalibration.

    The product's is isotonic: what lies within half a point of this one is right.
    """
    labelled = told.reference[told.reference["label"].notna()]
    logits, labels = _logit(labelled["score"]), labelled["label"].to_numpy(dtype=np.float64)

    def log_loss(line: NDArray[np.float64]) -> float:
        chance = expit(line[0] + line[1] * logits)
        return -float(np.mean(labels * np.log(chance) + (1.0 - labels) * np.log1p(-chance)))

    line = minimize(log_loss, np.array([0.0, 1.0])).x
    calibrated = expit(line[0] + line[1] * _logit(told.since["score"]))
    gap = 100.0 * float(told.since["label"].astype(float).mean() - calibrated.mean())
    return float(found["now"]) if abs(float(found["now"]) - abs(gap)) <= 0.5 else gap


def _logit(scores: pd.Series) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(scores.astype(float), 1e-6, 1.0 - 1e-6)), dtype=np.float64)


def _other_values(told: Told, column: str) -> float:
    return _worst(told.reference, lambda day: _new(day, column, told.reference))


def _within(found: re.Match[str], told: Told) -> float:
    """The share of the reference's values between two numbers, in percent; they lie on edges of 64 equal shares."""
    low, high = (float(found[name].replace(",", "")) for name in ("low", "high"))
    share = 100.0 * float(told.reference[found["column"]].between(low, high).mean())
    return float(found["now"]) if 95.0 <= share <= 99.5 else share


def _edge(told: Told, column: str, place: int) -> float:
    """One of the 63 quantiles that cut a column of the reference into 64 equal shares."""
    return float(np.quantile(told.reference[column], place / 64.0))


def _of_segment(found: re.Match[str], told: Told) -> pd.DataFrame:
    """The last day's rows, or those of the segment whose rows alone a sentence is about."""
    where = re.search(r"(?:rows|values) where (\w+) = (\w+)", found.string)
    rows = told.last
    return rows if where is None else rows[rows[where[1]].astype(str) == where[2]]


def _of_answers(found: re.Match[str], told: Told) -> pd.DataFrame:
    """The last day's rows, or those of the segment in which alone answers are constant."""
    where = re.search(r"answers where (\w+) = (\w+)", found.string)
    rows = told.last
    return rows if where is None else rows[rows[where[1]].astype(str) == where[2]]


def _first(found: re.Match[str]) -> str:
    """The column that a sentence begins with."""
    return found.string.split()[0].lower()


def _found(found: re.Match[str], told: Told) -> float:
    """The share of a class among the last day's labels."""
    return 100.0 * float((arrived(told.last)["label"].astype(str) == found["value"]).mean())


def _expected(found: re.Match[str], told: Told) -> float:
    """What the answers to the last day's labelled rows expect of it."""
    column = "score" if found["value"] == "1" else f"p_{found['value']}"
    return 100.0 * float(arrived(told.last)[column].astype(float).mean())


def _by_day(rows: pd.DataFrame, value: str) -> list[float]:
    """The share of labels of a class of each day on which rows were answered, by the day on which labels came."""
    days = arrived(rows).groupby(rows["known_at"].dt.floor("D"))
    return [
        100.0 * float((day["label"].astype(str) == value).mean()) for start, day in days if start <= rows["at"].max()
    ]


def _week(told: Told) -> pd.DataFrame:
    end = told.live["at"].max().ceil("D")
    week: pd.DataFrame = told.live[told.live["at"] >= end - pd.Timedelta(days=7)]
    return week


def _quarter(told: Told, rows: pd.DataFrame, name: str) -> pd.Series:
    """Whether the score of each row is in a quarter of the reference's."""
    edges = np.quantile(told.reference["score"], [0.25, 0.5, 0.75])
    place = ["lowest", "low", "high", "highest"].index(name)
    return pd.Series(np.searchsorted(edges, rows["score"], side="right") == place, index=rows.index)


def _unawaited(told: Told, start: pd.Timestamp) -> pd.DataFrame:
    """The rows answered from a day on whose labels the last window no longer waits for."""
    end = told.live["at"].max().ceil("D") - HORIZON
    rows: pd.DataFrame = told.live[(told.live["at"] >= start) & (told.live["at"] < end)]
    return rows


def _gap(found: re.Match[str], told: Told) -> float:
    """A group's share of the labelled rows less its share of all, in points."""
    rows = _unawaited(told, told.start)
    column, value = found["column"], found["value"]
    inside = _quarter(told, rows, value) if column == "score" else rows[column].astype(str) == value
    labelled = rows["label"].notna()
    days = [day for _, day in rows.groupby(rows["at"].dt.floor("D"))]
    gaps = [100.0 * (inside[day.index][labelled[day.index]].mean() - inside[day.index].mean()) for day in days]
    return abs(float(np.average(gaps, weights=[labelled[day.index].sum() for day in days])))


def _few(found: re.Match[str], told: Told) -> pd.DataFrame:
    """The rows of the last so many windows whose labels are no longer waited for."""
    end = told.live["at"].max().ceil("D") - HORIZON
    return _unawaited(told, end - pd.Timedelta(days=int(found["windows"])))


_NOW = rf"(?P<now>{NUMBER})"
_COLUMN = r"(?P<column>\w+)"
_SIGNED = rf"[+\u2212]{NUMBER}"
_ARROW = " \N{RIGHTWARDS ARROW} "


def _moves(what: str, truth: Callable[[re.Match[str], pd.DataFrame], float]) -> tuple[tuple[str, Truth], ...]:
    """Both numbers of a move with an arrow: of the reference, and since the sentence's day."""
    return (
        (rf"{what} {_NOW}{_ARROW}", lambda found, told: truth(found, told.reference)),
        (rf"{what} {NUMBER}{_ARROW}{_NOW}", lambda found, told: truth(found, told.since)),
    )


_MISSING_NOW = rf"{NUMBER} % of {NUMBER} values of {_COLUMN} are missing"
_NEW_NOW = rf"{NUMBER} % of {NUMBER} values of {_COLUMN} are values that"
_LABELLED_NOW = rf"{NUMBER} % of {NUMBER} labelled rows have another label"
_CLASS = r"abels of class (?P<value>\w+)"
_CLASS_NOW = rf"{_CLASS} {NUMBER} % of {NUMBER} labels; the baseline's {NUMBER}"
_WORST = rf".*worst window it was {_NOW} %"

_RANKED = r"AUC of class (?P<value>\w+) against the baseline"

_KINDS: tuple[tuple[str, Truth], ...] = (
    (rf"{_RANKED} {_NOW}{_ARROW}", lambda found, told: _ranked(found, told, arrived(told.reference))),
    (rf"{_RANKED} {NUMBER}{_ARROW}{_NOW}", lambda found, told: _ranked(found, told, told.since)),
    *_moves("(?<!stimated )[Ee]rror rate", lambda _, rows: _error(rows)),
    *_moves(r"[Ee]rror rate at (?P<column>\w+) = (?P<value>\w+)", lambda found, rows: _error(_of_value(found, rows))),
    *_moves("Brier score", lambda found, rows: _brier(_of_place(found, rows))),
    *_moves("Absolute error", lambda _, rows: float(_errors(rows).abs().mean())),
    (rf"Absolute error {_NOW} in this window", lambda _, told: float(_errors(told.last).abs().mean())),
    (rf"answers {_NOW} (?:above|below) the labels", lambda _, told: abs(float(_errors(told.last).mean()))),
    (rf"labels of class (?P<value>\w+) {NUMBER} % where the probabilities say {_NOW} %", _expected),
    (rf"labels of class (?P<value>\w+) {_NOW} % where", _found),
    (r"[Ee]rror rate (?P<now>[\d.]+) % in this window", lambda _, told: _error(told.last)),
    (rf"in this window \({_NOW} labelled rows", lambda _, told: float(len(told.last))),
    (rf"[Tt]he {_NOW} values of", lambda _, told: float(len(told.last))),
    (rf"is there {_NOW} times", lambda _, told: len(told.last) / len(told.last.drop(columns="id").drop_duplicates())),
    (
        rf"[Uu]nseen values of {_COLUMN} .*`(?P<value>\w+)` in {_NOW} of {NUMBER} in the last window",
        lambda found, told: float((told.last[found["column"]] == found["value"]).sum()),
    ),
    (rf" of {_NOW} in the last window", lambda _, told: float(len(told.last))),
    (rf"[Uu]nseen values of {_COLUMN} {_NOW}{_ARROW}", lambda _, __: 0.0),
    (
        rf"[Uu]nseen values of {_COLUMN} {NUMBER}{_ARROW}{_NOW}",
        lambda found, told: _new(told.since, found["column"], told.reference),
    ),
    *_moves("AUC", lambda _, rows: _auc(rows)),
    *_moves(rf"[Mm]issing values of {_COLUMN}", lambda found, rows: _missing(rows, found["column"])),
    *_moves(
        rf"[Ss]hare of {_COLUMN} = (?P<value>\w+)", lambda found, rows: _share(rows, found["column"], found["value"])
    ),
    (
        rf"[Mm]edian of {_COLUMN} (?:rose|fell) from {_NOW}",
        lambda found, told: _median(told.reference, found["column"]),
    ),
    (
        rf"[Mm]edian of {_COLUMN} (?:rose|fell) from {NUMBER} to {_NOW}",
        lambda found, told: _median(told.last, found["column"]),
    ),
    (
        rf"[Tt]he mean of {_COLUMN} is {_NOW}",
        lambda found, told: float(_of_segment(found, told)[found["column"]].astype(float).mean()),
    ),
    (
        rf"[Tt]he standard deviation of {_COLUMN} is {_NOW}",
        lambda found, told: float(_of_segment(found, told)[found["column"]].astype(float).std(ddof=0)),
    ),
    (rf"over {_NOW} rows", lambda found, told: float(len(_of_segment(found, told)))),
    (rf"mean of {_COLUMN} .*; {_NOW} % of the baseline lies between (?P<low>{NUMBER}) and (?P<high>{NUMBER})", _within),
    (rf"mean of {_COLUMN} .* lies between {_NOW}", lambda found, told: _edge(told, found["column"], 1)),
    (rf"mean of {_COLUMN} .* lies between {NUMBER} and {_NOW}", lambda found, told: _edge(told, found["column"], 63)),
    (rf"(?P<column>[\w]+) is {_NOW} in all", lambda found, told: _median(told.last, found["column"].lower())),
    (rf"\(median {_NOW} in the baseline\)", lambda found, told: _median(told.reference, _first(found))),
    (
        rf" is (?P<value>\w+) in all .*\({_NOW} % in the baseline\)",
        lambda found, told: _share(told.reference, _first(found), found["value"]),
    ),
    (
        rf"(?P<column>\w+) is \S+ in all .*at most {_NOW} % are alike",
        lambda found, told: alike(told, found["column"].lower()),
    ),
    (rf"[Ee]ach of {_NOW} rows is there", lambda _, told: float(len(told.last.drop(columns="id").drop_duplicates()))),
    (rf"{_NOW} rows in all", lambda _, told: float(len(told.last))),
    (rf" in all {_NOW} values", lambda found, told: float(len(_of_segment(found, told)))),
    (rf"inputs that moved: {_COLUMN} \({_NOW} in all", lambda found, told: _median(told.last, found["column"])),
    (rf"[Aa]ll {_NOW} answers are", lambda _, told: float(len(told.last))),
    (rf"[Aa]ll {_NOW} answers where", lambda found, told: float(len(_of_answers(found, told)))),
    (rf"are {_NOW} for class", lambda found, told: float(_of_answers(found, told)["score"].astype(float).mean())),
    (
        rf"renamed to `(?P<value>\w+)`: {NUMBER} % of the baseline's rows, {_NOW} % of this window's",
        lambda found, told: _share(told.last, renamed_column(found), found["value"]),
    ),
    (
        rf"category `(?P<value>\w+)` of {_COLUMN} was renamed to `\w+`: {_NOW} % of the baseline's rows",
        lambda found, told: _share(told.reference, found["column"], found["value"]),
    ),
    (
        rf"{_NOW} % of {NUMBER} values of {_COLUMN} are missing",
        lambda found, told: _missing(told.last, found["column"]),
    ),
    (
        rf"{_MISSING_NOW}{_WORST}",
        lambda found, told: _worst(told.reference, lambda day: _missing(day, found["column"])),
    ),
    (
        rf"{_NOW} % of {NUMBER} values of {_COLUMN} are values that",
        lambda found, told: _new(told.last, found["column"], told.reference),
    ),
    (rf"{_NEW_NOW}{_WORST}", lambda found, told: _other_values(told, found["column"])),
    (
        rf" of {_COLUMN} are values that.*`(?P<value>\w+)` in {_NOW}",
        lambda found, told: float((told.last[found["column"]] == found["value"]).sum()),
    ),
    (rf"% of {_NOW} values of", lambda _, told: float(len(told.last))),
    (rf"{_NOW} % of {NUMBER} labelled rows have another label", lambda _, told: _error(told.last)),
    (rf"% of {_NOW} labelled rows", lambda _, told: float(len(told.last))),
    (rf"{_LABELLED_NOW}{_WORST}", lambda _, told: _worst(arrived(told.reference), _error, "known_at")),
    (rf"{_NOW} % of {NUMBER} answers are unusable", lambda _, told: 100.0 * float(unusable(told.last).mean())),
    (rf"% of {_NOW} answers are unusable.*", lambda _, told: float(len(told.last))),
    (rf"answers are unusable{_WORST}", lambda _, told: _worst(told.reference, lambda day: 100 * unusable(day).mean())),
    (rf"answers.*; in the baseline's windows at most {_NOW} % are", lambda _, told: same_answers(told)),
    (rf"has arrived for {_NOW} days", silence),
    (rf"none among the last {_NOW} labels", run_without),
    (rf"labels; {_NOW} were to be expected", lambda found, told: run_without(found, told) * usual(found, told)),
    (rf"were to be expected \({_NOW} %", lambda found, told: 100.0 * usual(found, told)),
    (rf"rows of {_NOW} windows that wait", lambda found, told: float(few_days(found, told))),
    (rf"one exceeds {_NOW} % of the baseline's", lambda _, told: exceeded(told, arrived(told.last)["label"])),
    (rf"of the baseline's \({_NOW} labels", lambda _, told: float(len(arrived(told.last)))),
    (rf"in the baseline's {_NOW} windows it is", lambda _, told: float(told.reference["at"].dt.floor("D").nunique())),
    (rf"windows it is {_NOW} to", lambda _, told: min(exceeded_by_day(told))),
    (rf"windows it is {NUMBER} to {_NOW} %", lambda _, told: max(exceeded_by_day(told))),
    (rf"by the answers to these rows {_NOW} %", lambda _, told: exceeded(told, arrived(told.last)["predicted"])),
    *_moves(r"Predicted probability of class (?P<value>\w+)", stated),
    (
        rf"moved: {_COLUMN} \((?P<value>\w+) {_NOW} %",
        lambda found, told: _share(told.reference, found["column"], found["value"]),
    ),
    (
        rf"moved: {_COLUMN} \((?P<value>\w+) {NUMBER} %{_ARROW}{_NOW} %",
        lambda found, told: _share(told.last, found["column"], found["value"]),
    ),
    (rf"is {_NOW} points (?:more|less) frequent than its calibrated probabilities say", _frequent),
    (rf"{_NOW} rows arrived in the last", lambda _, told: float(len(_week(told)))),
    (rf"in the last {_NOW} windows", lambda _, told: float(_week(told)["at"].dt.floor("D").nunique())),
    (
        rf"windows; {_NOW} are usual",
        lambda _, told: 7.0 * len(told.reference) / told.reference["at"].dt.floor("D").nunique(),
    ),
    (
        rf"are usual \([+-]{_NOW} %\)",
        lambda _, told: abs(
            100.0 * (len(_week(told)) * told.reference["at"].dt.floor("D").nunique() / 7.0 / len(told.reference) - 1.0)
        ),
    ),
    (rf"\({_NOW} rows\b", lambda found, told: float(_since(found, told))),
    (rf"coverage gap at {_COLUMN} = (?P<value>\w+) \+{_NOW} points", lambda _, __: 0.0),
    (rf"coverage gap at {_COLUMN} = (?P<value>\w+) {_SIGNED} points{_ARROW}[+\u2212]{_NOW} points", _gap),
    (rf"came for {NUMBER} % of {_NOW} rows of (?P<windows>\d+)", lambda found, told: float(len(_few(found, told)))),
    (
        rf"came for {_NOW} % of {NUMBER} rows of (?P<windows>\d+)",
        lambda found, told: 100.0 * float(_few(found, told)["label"].notna().mean()),
    ),
    (
        rf"no more labels; the reference has {_NOW} %",
        lambda _, told: 100.0 * float(told.reference["label"].notna().mean()),
    ),
    (rf"{_NOW} rows arrived;", lambda _, told: float(len(told.last))),
    (
        rf"rows arrived; {_NOW} are usual for",
        lambda _, told: float(told.reference.groupby(told.reference["at"].dt.floor("D")).size().median()),
    ),
    (rf"{_CLASS} {_NOW} % of", _found),
    (rf"baseline's {_NOW} windows lie", lambda _, told: float(told.reference["at"].dt.floor("D").nunique())),
    (rf"{_CLASS_NOW} windows lie between {_NOW} %", lambda found, told: min(_by_day(told.reference, found["value"]))),
    (
        rf"{_CLASS_NOW} windows lie between {NUMBER} % and {_NOW} %",
        lambda found, told: max(_by_day(told.reference, found["value"])),
    ),
    (rf"{_CLASS_NOW}[^;]* answers to these rows say {_NOW} %", _expected),
    (rf"% of {_NOW} labels", lambda _, told: float(len(arrived(told.last)))),
)

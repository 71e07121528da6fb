"""Categories of the baseline that came back under another name, or as numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import combining, normalize

from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.records import Finding, Watch
from monitoring.records.finding_parts import GrossRate, RenamedValue, RenamedValues
from monitoring.watches.descriptions import printable

#: The kind of finding about them: a fact where most values are new, or where a common category has a new spelling.
RENAMED = "values renamed"

#: The kind of finding about a new spelling of a category that is too rare to page for: it opens a notice.
RARE_RENAMED = "rare values renamed"

#: A category is gone if its rows are below this share of those that the baseline has of it, where that is at least so
#: many rows.
GONE_SHARE = 0.1
MIN_EXPECTED = 20.0

#: A new value takes a gone category's place, whatever its name, if its rows are as many within these standard errors
#: and this part of them, and if no other pair fits.
COUNT_ERRORS = 3.0
COUNT_SHARE = 0.1

#: A category has a new spelling if it is gone and its new name has at least this part of the rows that it should have.
SPELLED_SHARE = 0.5

#: The new spelling of a category pages at once if the baseline has it in this share of the rows or more; a rarer one
#: opens a notice.
COMMON_SHARE = 0.05

#: Values are numbers if at least this share of their rows is.
NUMBERS_SHARE = 0.9

#: Renamed categories that a finding names, and characters of each name.
NAMED = 3
LONGEST_NAME = 40

_SEPARATORS: Final = r"[\s_\-./']+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Renaming:
    """What happened to the categories of an input.

    Attributes:
        kind: `RENAMED`, or `RARE_RENAMED` where the new spelling is of a rare category.
        spelled: Whether a category has a new spelling beyond doubt.
    """

    parts: RenamedValues
    kind: str = RENAMED
    spelled: bool = False

    def finding(self, feature: str, *, is_told: bool) -> Finding:
        """The finding about it, a fact where a category has a new spelling.

        That is no chance. Of `MIN_EXPECTED` rows of a category chance leaves `GONE_SHARE` in less than one window of a
        million, and then a name that the baseline does not have, and that differs in spelling only, has taken half of
        their place or more. Days on which a category is rare, or is gone, bring no new spelling of it.

        Args:
            is_told: Whether another fact about the input tells it; then this is none.
        """
        return Finding(kind=self.kind, feature=feature, parts=self.parts, fact=self.spelled and not is_told)


def renaming_of(watch: Watch, findings: Sequence[Finding]) -> Finding | None:
    """What a window's findings say of renamed categories of the input of a watch, or else of new ones; None without."""
    of_input = [finding for finding in findings if finding.feature == watch.feature]
    renamed = next((finding for finding in of_input if finding.kind in (RENAMED, RARE_RENAMED)), None)
    new = (finding for finding in of_input if isinstance(finding.parts, GrossRate) and finding.parts.values)
    return renamed or next(new, None)


def renamed_values(bins: Bins, before: FeatureCounts, now: FeatureCounts) -> Renaming | None:
    """Say which categories of an input were renamed, or that its values are numbers now.

    A gone category and a new value are one if their names differ in case, spaces, punctuation or the notation of a
    number only, or if they are the only pair with as many rows. Cost: microseconds; nothing where no value is new.
    """
    if bins.categories is None or not now.others.rows or not before.present:
        return None
    words = {word for word, _ in before.others.word_counts}
    new = {word: count for word, count in now.others.word_counts if word not in words}
    expected = {
        word: count * now.present / before.present
        for word, count in zip(bins.categories, before.counts[:-1], strict=True)
    }
    here = dict(zip(bins.categories, now.counts[:-1], strict=True))
    gone = {word: rows for word, rows in expected.items() if rows >= MIN_EXPECTED and here[word] <= GONE_SHARE * rows}
    pairs = dict(_pairs(gone, new))
    if pairs:
        parts = _renamed(pairs, gone, new, now.present)
        spelled = [gone[word] for word, name in pairs.items() if _is_spelled(word, name, gone[word], new[name])]
        common = any(rows >= COMMON_SHARE * now.present for rows in spelled)
        return Renaming(parts=parts, kind=RARE_RENAMED if spelled and not common else RENAMED, spelled=bool(spelled))
    numbers = sum(count for word, count in new.items() if _is_number(word))
    if gone and numbers >= NUMBERS_SHARE * sum(new.values()) and not any(_is_number(word) for word in gone):
        examples = sorted(new, key=lambda word: (-new[word], word))[:2]
        return Renaming(parts=RenamedValues(rows=now.present, numbers=tuple(map(_shown, examples))))
    return None


def renamed_by_input(bins: Sequence[Bins], before: Profile, now: Profile) -> dict[str, Renaming]:
    """What `renamed_values` says of each input."""
    renamings = (
        (feature_bins.feature, renamed_values(feature_bins, baseline, window))
        for feature_bins, baseline, window in zip(bins, before.features, now.features, strict=True)
    )
    return {feature: renaming for feature, renaming in renamings if renaming is not None}


def _pairs(gone: Mapping[str, float], new: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Each gone category with the value that it was renamed to."""
    left = dict(new)
    unmatched = []
    for word in gone:
        same = [other for other in left if _normal(other) == _normal(word)]
        if same:
            best = max(same, key=lambda other: (left[other], other))
            del left[best]
            yield word, best
        else:
            unmatched.append(word)
    fitting = [(word, other) for word in unmatched for other in left if _as_many(left[other], gone[word])]
    if len(fitting) == 1:
        yield fitting[0]


def _as_many(count: int, expected: float) -> bool:
    return abs(count - expected) <= COUNT_ERRORS * math.sqrt(expected) + COUNT_SHARE * expected


def _renamed(pairs: Mapping[str, str], gone: Mapping[str, float], new: Mapping[str, int], rows: int) -> RenamedValues:
    ordered = sorted(pairs, key=lambda word: (-gone[word], word))
    named = tuple(
        RenamedValue(old_name=_shown(word), new_name=_shown(pairs[word]), expected=gone[word], rows=new[pairs[word]])
        for word in ordered[:NAMED]
    )
    return RenamedValues(rows=rows, values=named, more=len(ordered) - len(named))


def _normal(word: str) -> str:
    """A name without case, accents, spaces and punctuation; a number by its value."""
    if _is_number(word):
        return f"{float(word):g}"
    return "".join(letter for letter in _plain(word) if letter.isalnum()) or word


def _is_spelled(word: str, name: str, expected: float, rows: int) -> bool:
    """Whether a new name is a gone category's in another spelling, with about as many rows."""
    return rows >= SPELLED_SHARE * expected and _spelling(word) == _spelling(name)


def _spelling(word: str) -> str:
    """A name without case, accents and what separates words; a whole number by its value.

    Other signs, and what separates digits, are kept: they tell codes, grades and versions apart.

    >>> [_spelling(word) for word in ("New-York ", "new_york", "São Paulo", "7.0", "A+", "1.10", "zone_1")]
    ['newyork', 'newyork', 'saopaulo', '7', 'a+', '1 10', 'zone 1']
    """
    if _is_number(word) and float(word).is_integer():
        return f"{float(word):g}"
    joined = re.sub(rf"(?<=[^\W\d_]){_SEPARATORS}(?=[^\W\d_])", "", _plain(word).strip())
    return re.sub(rf"(?<=[^\W_]){_SEPARATORS}(?=[^\W_])", " ", joined)


def _plain(word: str) -> str:
    """A name without case and accents."""
    return "".join(letter for letter in normalize("NFKD", word.casefold()) if not combining(letter))


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def _shown(word: str) -> str:
    """As much of a name as a finding keeps."""
    return printable(word, LONGEST_NAME)

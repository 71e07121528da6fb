"""Findings about answers and values of inputs in sentences, of their parts."""

from __future__ import annotations

from monitoring.records.finding_parts import (
    AlikeValues,
    AllMissing,
    ConstantInput,
    ConstantValues,
    CopiedRows,
    GrossRate,
    IndependentAnswers,
    OutsideRange,
    RenamedValues,
    ReorderedClasses,
    SameValues,
    SwappedInputs,
    UnreadInput,
    ValueParts,
)
from monitoring.tasks.output_names import OF_OUTPUT
from monitoring.watches.descriptions import format_value, lower_first, plain_number, printable, slice_title, watch_title


def value_text(feature: str, parts: ValueParts) -> str:
    """What is wrong with answers or values of an input."""
    match parts:
        case ConstantValues() as constant:
            return _constant_values(constant)
        case GrossRate() as rate:
            return f"{_gross_rate(feature, rate)}{unit_change(rate.power_of_ten)}"
        case OutsideRange() as outside:
            return _outside_range(feature, outside)
        case RenamedValues() as renamed:
            unseen = "" if renamed.unseen is None else f" {_gross_rate(feature, renamed.unseen)}"
            return f"{_renamed_values(printable(feature), renamed)}{unseen}"
        case IndependentAnswers() | ReorderedClasses():
            return _answers_text(feature, parts)
        case _:
            return _input_text(feature, parts)


def _answers_text(feature: str, parts: IndependentAnswers | ReorderedClasses) -> str:
    """What is wrong with answers in comparison with inputs, or with labels."""
    if isinstance(parts, ReorderedClasses):
        return _reordered(parts)
    return _independent(parts, of_all=feature != parts.input)


def _input_text(
    feature: str, parts: AllMissing | UnreadInput | ConstantInput | SameValues | CopiedRows | SwappedInputs
) -> str:
    """What is wrong with all values of an input, or with all rows."""
    match parts:
        case AllMissing() | UnreadInput():
            return f"The {_subject(feature)}{_unread(parts)}."
        case ConstantInput() as constant_input:
            return _constant_input(feature, constant_input)
        case SameValues(rows=rows):
            return f"The {rows:,} values of {feature} are those of the window before: does the feed stand still?"
        case CopiedRows(rows=rows, times=times):
            return (
                f"Each of {rows // times:,} rows is there {_times(times)} under ids of its own: {rows:,} rows in all."
            )
        case SwappedInputs(other=other):
            return f"The input {feature} has the values that {other} has in the baseline."


def _constant_input(feature: str, constant: ConstantInput) -> str:
    if constant.number is None and constant.category is None:
        return (
            f"All {constant.rows:,} values of {printable(feature)} in the window are alike in all that describes them."
        )
    value = plain_number(constant.number) if constant.number is not None else printable(constant.category or "")
    usual = f"in the baseline's windows at most {100.0 * constant.usual:.0f} % are alike"
    where = f" where {slice_title(constant.segment)}" if constant.segment else " of the window"
    return f"{printable(feature)} is {value} in all {constant.rows:,} values{where}; {usual}."


def _independent(independent: IndependentAnswers, *, of_all: bool) -> str:
    low, high, usual_low, usual_high = (
        format_value(independent.watch, value)
        for value in (independent.low, independent.high, independent.usual_low, independent.usual_high)
    )
    name = printable(independent.input)
    if not of_all:
        what, check = f"do not depend on {name} any more", f"that {name} and answers of the log are of the same rows"
    elif independent.exchanged:
        one, other = (printable(name.removeprefix("output:")) for name in independent.exchanged)
        what, check = f"of {one} and {other} look exchanged", "the order of the model's classes"
    elif independent.is_reversed:
        what, check = "fall where they rose with the inputs", "their sign, or the order of the classes"
    else:
        what, check = "do not depend on the inputs any more", "to which rows answers belong"
    score = lower_first(watch_title(independent.watch))
    return (
        f"Answers {what}: check {check}. Over {independent.rows:,} rows the {score} is {low} and {high} in the two "
        f"groups of {name} that had {usual_low} and {usual_high} in the baseline."
    )


def _reordered(reordered: ReorderedClasses) -> str:
    pairs = sorted(reordered.classes)
    if len(pairs) == 2:
        what = f"{printable(pairs[0][0])} and {printable(pairs[0][1])} are exchanged"
    else:
        what = ", ".join(f"{printable(one)} is read as {printable(other)}" for one, other in pairs)
    fitting, answered = (f"{100 * count / reordered.rows:.0f} %" for count in (reordered.fitting, reordered.answered))
    return (
        f"Answers fit their labels if {what}: check the order of the model's classes. That is right for {fitting} of "
        f"{reordered.rows:,} rows that are answered so, and the answer itself for {answered}, which in the baseline is "
        f"right for {100 * reordered.usual:.0f} %."
    )


def _times(times: int) -> str:
    """How often.

    >>> _times(2), _times(3)
    ('twice', '3 times')
    """
    return "twice" if times == 2 else f"{times} times"


def _unread(parts: AllMissing | UnreadInput) -> str:
    if isinstance(parts, AllMissing):
        return f" is missing in all {parts.rows:,} rows of this window"
    return f": {parts.problem}" if parts.problem else " is absent from the traffic"


def _subject(feature: str) -> str:
    """An input, or what an output answers, by its name."""
    return feature if feature.startswith(OF_OUTPUT) else f"input {feature}"


def unit_change(power_of_ten: int) -> str:
    """How many times larger the answers are than the baseline's, as a sentence after another; empty for 0.

    >>> unit_change(-3)
    " The answers are about 1/1,000 of the baseline's: a change of unit?"
    """
    if not power_of_ten:
        return ""
    factor = f"{10**power_of_ten:,} times" if power_of_ten > 0 else f"1/{10**-power_of_ten:,} of"
    return f" The answers are about {factor} the baseline's: a change of unit?"


def _constant_values(constant: ConstantValues) -> str:
    more = f" and {constant.more} more" if constant.more else ""
    return f"{'; '.join(_alike(part, constant.of) for part in constant.parts)}{more}."


def _alike(part: AlikeValues, what: str) -> str:
    name = f" of {part.part}" if part.part else ""
    if part.spread is not None:
        return (
            f"{part.rows:,} {what}{name} hardly differ: their standard deviation is {100 * part.spread:.1f} % of that "
            "in the baseline's most even window"
        )
    if part.value is not None:
        name, value = part.value
        same = f"All {part.rows:,} {what}{_only_where(part)} are {plain_number(value)} for class {name}"
        return f"{same}; in the baseline's windows at most {100 * part.usual:.0f} % are the same"
    share = f"All {part.rows:,}" if part.same == part.rows else f"{100 * part.same / part.rows:.0f} % of {part.rows:,}"
    return (
        f"{share} {what}{name}{_only_where(part)} are the same; in the baseline's windows at most "
        f"{100 * part.usual:.0f} % are"
    )


def _only_where(part: AlikeValues) -> str:
    return f" where {slice_title(part.segment)}" if part.segment else ""


def _gross_rate(feature: str, rate: GrossRate) -> str:
    of = f" of {rate.output}" if rate.output else ""
    share, worst = f"{100 * rate.rate:.0f} %", f"{100 * rate.worst:.1f} %"
    match rate.of:
        case "errors":
            return (
                f"The absolute error{of} of {rate.rows:,} labelled rows averages {share} of the largest that is "
                f"counted; in the baseline's worst window it was {worst}: check the units of labels and answers, and "
                "to which rows labels are joined."
            )
        case "labels":
            what = f"{share} of {rate.rows:,} labelled rows have another label{of} than the model's answer"
        case "answers":
            form = "missing, no finite number, or no class or probabilities (0 to 1, with the sum 1) of the model's"
            what = f"{share} of {rate.rows:,} answers are unusable: {form}"
        case "missing":
            what = f"{share} of {rate.rows:,} values of {feature} are missing"
        case _:
            named = ", ".join(f"`{value.name}` in {value.rows:,}" for value in rate.values)
            what = f"{share} of {rate.rows:,} values of {feature} are values that the baseline does not have"
            what += f": {named}" if named else ""
    return f"{what}{_only(rate.segment)}; in the baseline's worst window it was {worst}."


def _only(segment: str) -> str:
    return f", only where {slice_title(segment)}" if segment else ""


def _outside_range(feature: str, outside: OutsideRange) -> str:
    advice = "its unit, and what fills it" if outside.source is None else f"what fills {outside.source}"
    rows = f"{outside.rows:,}{' sampled' if outside.sampled else ''} rows"
    where = f" where {slice_title(outside.segment)}" if outside.in_segment else _only(outside.segment)
    return (
        f"The {outside.statistic} of {feature} is {plain_number(outside.value)} over {rows}{where}; 97 % of "
        f"the baseline lies between {plain_number(outside.low)} and {plain_number(outside.high)}: check {advice}."
    )


def _renamed_values(feature: str, renamed: RenamedValues) -> str:
    if renamed.numbers:
        examples = " and ".join(f"`{name}`" for name in renamed.numbers)
        return f"The values of {feature} are numbers now, such as {examples}."
    if len(renamed.values) == 1 and not renamed.more:
        (value,) = renamed.values
        return (
            f"The category `{value.old_name}` of {feature} was renamed to `{value.new_name}`: "
            f"{100 * value.expected / renamed.rows:.0f} % of the baseline's rows, "
            f"{100 * value.rows / renamed.rows:.0f} % of this window's."
        )
    named = ", ".join(f"`{value.old_name}` to `{value.new_name}`" for value in renamed.values)
    count = len(renamed.values) + renamed.more
    return f"{count} categories of {feature} were renamed: {named}{', …' if renamed.more else ''}."

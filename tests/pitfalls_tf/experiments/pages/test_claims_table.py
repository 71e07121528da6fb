"""The table of all claims."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pitfalls_tf.experiments.pages.claims_table import MARKS, claims_table

verdicts = st.sampled_from(["reproduced", "not reproduced", "inconclusive"])
findings = st.lists(
    st.tuples(st.sampled_from(["flights", "rodents, x", "digits: y"]), verdicts), min_size=1, max_size=8
)


def document(found: list[tuple[str, str]], *, quick: bool = False) -> dict[str, object]:
    """A manifest with one claim and these findings."""
    rows = [{"where": where, "verdict": verdict} for where, verdict in found]
    claim = {"name": "c", "verdict": found[0][1], "findings": rows}
    return {"experiment": "figure1", "quick": quick, "claims": [claim]}


@given(findings)
def test_every_finding_is_counted_once_and_marked_in_the_column_of_its_source(found: list[tuple[str, str]]) -> None:
    lines = claims_table([document(found)])
    text = " ".join(lines[: lines.index("")])
    counts = text.split("and claim: ")[1].split(".")[0].split(", ")
    by_verdict = {verdict: sum(one == verdict for _, one in found) for verdict in MARKS}
    assert counts == [f"{count} {verdict}" for verdict, count in by_verdict.items() if count]
    cells = [cell.strip() for cell in lines[-1].split("|")[2:5]]
    for name, cell in zip(("flights", "rodents", "digits"), cells, strict=True):
        of_source = [verdict for where, verdict in found if where.startswith(name)]
        assert {mark for mark in MARKS.values() if mark in cell} == {MARKS[one] for one in of_source}  # type: ignore[index]


def test_several_findings_of_a_source_are_counted_per_mark() -> None:
    found = [("flights", "reproduced"), ("flights", "reproduced"), ("flights", "inconclusive")]
    assert "| 2 ✔ 1 ? |" in claims_table([document(found)])[-1]


def test_a_quick_run_is_marked() -> None:
    assert claims_table([document([("flights", "reproduced")], quick=True)])[-1].endswith(
        "| **reproduced** (quick run) | |"
    )

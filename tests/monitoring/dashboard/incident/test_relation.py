"""The picture of a changed relation: labels by the first input's values, and a table with all four means."""

from __future__ import annotations

from dataclasses import replace

from monitoring.dashboard.incident.relation import relation_chart
from monitoring.records import RelationChange, RelationPlace, RelationPoint, RelationRates


def place(label: float) -> RelationPlace:
    return RelationPlace(
        before=RelationRates(rows=900, label=0.2, predicted=0.25),
        since=RelationRates(rows=100, label=label, predicted=0.3),
    )


FOUND = RelationChange(
    output="late",
    is_share=True,
    inputs=("age",),
    inside=place(0.5),
    error=0.02,
    p_value=0.001,
    points=(
        RelationPoint(value=None, place=place(0.3)),
        RelationPoint(value=30.0, place=place(0.4)),
        RelationPoint(value=50.5, place=place(0.5)),
    ),
)


def test_each_group_of_values_has_its_labels_and_answers_before_and_since() -> None:
    chart = relation_chart(FOUND)
    assert chart is not None
    assert chart.title == "Labels that are late by age"
    assert [drawing.fit for drawing in chart.drawings] == ["wide", "narrow"]
    assert chart.drawings[0].summary == (
        "Labels that are late by age since the onset: < 30 30.0 %; ≥ 30 40.0 %; ≥ 50.5 50.0 %."
    )
    assert chart.table is not None
    cells = [[cell.text for cell in row] for row in chart.table.rows]
    assert cells[0] == ["< 30", "100", "20.0 %", "25.0 %", "30.0 %", "30.0 %"]
    assert cells[2][0] == "≥ 50.5"


def test_categories_are_named_and_a_change_everywhere_has_no_picture() -> None:
    points = (RelationPoint(value="north", place=place(0.4)), RelationPoint(value=None, place=place(0.3)))
    chart = relation_chart(replace(FOUND, points=points))
    assert chart is not None
    assert chart.table is not None
    assert [row[0].text for row in chart.table.rows] == ["north", "all others"]
    assert relation_chart(replace(FOUND, points=())) is None
    assert relation_chart(None) is None

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.config import ColumnSection, ConfigDraft, MonitorConfig, WebhookDraft, WebhookRoute, render_config
from monitoring.config.loading import parse_config
from tests.monitoring.config.configs import LEAST, load

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20).filter(
    lambda text: bool(text.strip()) and "://" not in text
)
unit = st.floats(0.0, 1.0)


@given(
    bundle=texts,
    names=st.lists(texts, max_size=3, unique=True),
    numbers=st.tuples(unit, unit, st.none() | unit),
    rows=st.integers(1, 10**9),
    webhooks=st.lists(st.sampled_from(["https://h.example/a?b=c", "http://localhost:1"]), max_size=2),
)
def test_a_rendered_draft_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    bundle: str,
    names: list[str],
    numbers: tuple[float, float, float | None],
    rows: int,
    webhooks: list[str],
) -> None:
    folder = tmp_path_factory.getbasetemp()
    draft = ConfigDraft(
        bundle=bundle,
        traffic="traffic",
        probabilities=bundle,
        slices=tuple(names),
        exclude_callers=tuple(names),
        min_rows=rows,
        error=numbers[0],
        integrity=numbers[1],
        brier=numbers[2],
        webhooks=tuple(WebhookDraft(webhook=url, level="notice") for url in webhooks),
    )
    config = load(folder, render_config(draft))
    assert config.model.bundle == (folder / bundle).absolute()
    assert config.model.probabilities == bundle
    assert config.traffic.slices == config.traffic.exclude_callers == tuple(names)
    assert config.windows.min_rows == rows
    assert (config.tolerance.error, config.tolerance.integrity, config.tolerance.brier) == numbers
    assert config.notify == tuple(WebhookRoute(webhook=url, level="notice") for url in webhooks)


def test_a_rendered_draft_without_more_means_the_defaults_and_one_page_in_five_years_of_days(tmp_path: Path) -> None:
    text = render_config(ConfigDraft(bundle="models/flights", traffic="traffic"))
    assert load(tmp_path, text) == load(tmp_path, LEAST + f'[budget]\npage = "1 per {5 * 365} windows"\n')


COLUMN_NAMES = st.text(min_size=1, max_size=9).filter(str.strip)


@settings(max_examples=25)
@given(st.dictionaries(COLUMN_NAMES, st.sampled_from(["EUR", '"', "%"]), max_size=4))
def test_columns_of_any_name_are_one_line_each(units: dict[str, str]) -> None:
    columns = {name: ColumnSection(kind="number", unit=unit) for name, unit in units.items()}
    text = render_config(ConfigDraft(bundle="m", traffic="t", columns=columns))
    lines = text.partition("[columns]\n")[2].split("\n")[:-1]
    assert len(lines) == len(units)
    found = parse_config(text, Path("/srv"))
    assert isinstance(found, MonitorConfig)
    assert found.columns == columns

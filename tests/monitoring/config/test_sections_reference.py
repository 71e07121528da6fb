"""docs/reference/monitor-toml.md says what the code does."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.config import ConfigDraft, load_config, render_config
from monitoring.config.draft import WebhookDraft
from monitoring.config.routes import ROUTES, RouteSection
from monitoring.config.sections import SECTIONS
from monitoring.errors import BadInput

PAGE = (Path(__file__).parents[3] / "docs/reference/monitor-toml.md").read_text("utf-8")


def documented(section: str) -> list[tuple[str, str]]:
    head = f"[[{section}]]" if section in ("action", "expected", "metric", "notify", "rule") else f"[{section}]"
    _, _, rest = PAGE.partition(f"\n## {head}\n")
    return rows(rest.partition("\n## ")[0].partition("\n### ")[0])


def documented_route(route: str) -> list[tuple[str, str]]:
    """The rows of a route's own table."""
    return rows(PAGE.partition(f"| key of `{route}` |")[2].partition("\n\n")[0])


def _text(value: object) -> str:
    if not isinstance(value, timedelta):
        return str(value)
    return f"{value.days}d" if value and not value % timedelta(days=1) else f"{value.total_seconds():g}s"


def rows(text: str) -> list[tuple[str, str]]:
    return re.findall(r"^\| `(\w+)` \| (.+?) \|", text, re.MULTILINE)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_lists_each_key_with_its_default(section: str) -> None:
    values = render_config(
        ConfigDraft(bundle="b", traffic="t", webhooks=(WebhookDraft(webhook="https://hooks.example.org"),))
    )
    written = dict(
        re.findall(r"^(\w+) = (.+)$", values.partition(f"[{section}]")[2].partition("\n\n[")[0], re.MULTILINE)
    )
    for (key, shown), (name, field) in zip(documented(section), SECTIONS[section].model_fields.items(), strict=True):
        assert key == name
        if field.is_required():
            assert shown == "required"
        elif field.default is None:
            assert shown == "none"
        elif name in written:
            assert shown == f"`{written[name]}`"
        else:
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            assert shown == f"`{json.dumps(default, default=_text)}`"


@pytest.mark.parametrize("route", [route for route in ROUTES if route != "webhook"])
def test_the_page_lists_each_key_of_a_route_with_its_default(route: str) -> None:
    own = {name: field for name, field in ROUTES[route].model_fields.items() if name not in RouteSection.model_fields}
    assert [key for key, _ in documented_route(route)] == list(own)
    for (_, shown), field in zip(documented_route(route), own.values(), strict=True):
        if field.is_required() or field.default is None:
            assert shown == ("required" if field.is_required() else "none")
        else:
            default = field.default
            written = f"{default.seconds}s" if isinstance(default, timedelta) else default
            assert shown == f"`{json.dumps(written)}`"


def test_the_smallest_config_of_the_page_is_one(tmp_path: Path) -> None:
    example, *_ = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "monitor.toml"
    path.write_text(example, "utf-8")
    assert load_config(path).model.bundle == tmp_path / "models/flights"


def test_the_errors_on_the_page_are_in_these_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = re.findall(r"```text\nError: (.*?)\n```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("monitor.toml").write_text(
        '[model]\nbundel = "x"\nbundle = "x"\n[traffic]\npath = "t"\n\n[windows]\nevery = "1 day"\n', "utf-8"
    )
    with pytest.raises(BadInput) as caught:
        load_config(Path("monitor.toml"))
    assert str(caught.value) == shown

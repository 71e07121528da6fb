"""Every relative link of a page leads to a file or folder that is there, and every anchor to a heading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

#: A link or a picture: its target, without a title. Targets with a scheme lie elsewhere.
LINK = re.compile(r"\]\((?![a-z]+:)([^)\s]+)(?:\s[^)]*)?\)")
FENCE = re.compile(r"^(```|~~~|:::).*?^\1\s*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def slug(heading: str) -> str:
    """The anchor of a heading, as repositories' browsers and the site make it.

    >>> slug("`pitfalls drill run` [--seed N]: a drill")
    'pitfalls-drill-run---seed-n-a-drill'
    """
    shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")


def anchors(page: str) -> set[str]:
    """Every anchor of a page; a heading that stands again has a number.

    >>> sorted(anchors("# A b\\n## A b\\n"))
    ['a-b', 'a-b-1']
    """
    seen: dict[str, int] = {}
    result = set(re.findall(r'<a (?:id|name)="([^"]+)"', page))
    for heading in HEADING.findall(FENCE.sub("", page)):
        name = slug(heading)
        count = seen[name] = seen.get(name, -1) + 1
        result.add(f"{name}-{count}" if count else name)
    return result


def links(page: str) -> list[str]:
    """The targets of a page's links; code is no link.

    >>> links("[a](b.md#c), ![d](e.png), `[f](g)`, [h](https://i.example)")
    ['b.md#c', 'e.png']
    """
    return LINK.findall(CODE.sub("``", FENCE.sub("", page)))


def pages(root: Path) -> list[Path]:
    """Every page of the repository: those at its top, and those in docs and benchmarks."""
    folders = [root / "docs", root / "benchmarks", root / "pitfalls_tf" / "data"]
    return sorted([*root.glob("*.md"), *(path for folder in folders for path in folder.rglob("*.md"))])


def broken(page: Path, texts: dict[Path, str]) -> list[str]:
    """The links of a page that lead nowhere."""
    result = []
    for link in links(texts[page]):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and target in texts and anchor not in anchors(texts[target])):
            result.append(link)
    return result


def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(root: Path) -> None:
    texts = {path.resolve(): path.read_text("utf-8") for path in pages(root)}
    assert sum(len(links(text)) for text in texts.values()) > 500
    wrong = {str(page.relative_to(root)): broken(page, texts) for page in texts}
    assert not {page: targets for page, targets in wrong.items() if targets}


@pytest.mark.parametrize("link", ["absent.md", "other.md#absent", "#absent", "absent.png"])
def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path, link: str) -> None:
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    texts = {page: f"# Here\n[a]({link}) [b](other.md#there) [c](#here)", other: "# There\n"}
    for path, text in texts.items():
        path.write_text(text, "utf-8")
    assert broken(page, texts) == [link]

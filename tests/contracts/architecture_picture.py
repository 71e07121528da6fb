"""The picture of docs/architecture.md, drawn from the import contracts in setup.cfg: `make picture` writes it.

Each package is a panel, each layer a row, each room a box with the first sentence of its docstring. A room imports only
from rows below its own, and rooms of one row do not import each other; import-linter holds the code to it.
"""

from __future__ import annotations

import ast
import configparser
import textwrap
from html import escape
from pathlib import Path
from typing import Final

PACKAGES: Final = ("pitfalls_tf", "serving", "monitoring")
PICTURE: Final = Path("docs/images/architecture.svg")

WIDTH: Final = 1180
MARGIN: Final = 20
TITLE: Final = 34
ROW: Final = 62
GAP: Final = 8
CHARACTER: Final = 5.6  # width of one character of the small text, in pixels
FONT: Final = "font-family='system-ui, Segoe UI, Helvetica, Arial, sans-serif'"


def layers(config: configparser.RawConfigParser, package: str) -> list[list[str]]:
    """The rows of a package's contract, from the top; a room in brackets is optional there.

    >>> config = configparser.RawConfigParser()
    >>> config.read_string("[importlinter:contract:p]\\nlayers =\\n    a | (b)\\n    c")
    >>> layers(config, "p")
    [['a', 'b'], ['c']]
    """
    text = config.get(f"importlinter:contract:{package}", "layers")
    rows = [[name.strip(" ()") for name in line.split("|")] for line in text.splitlines() if line.strip()]
    return [[name for name in row if name] for row in rows]


def exists(root: Path, package: str, room: str) -> bool:
    """Whether a room that a contract allows is there."""
    return (root / package / room / "__init__.py").is_file() or (root / package / f"{room}.py").is_file()


def sentence(root: Path, package: str, room: str) -> str:
    """The first sentence of a room's docstring."""
    folder = root / package / room
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    documented = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return documented.splitlines()[0].rstrip(".").replace("`", "") if documented else ""


def draw(root: Path) -> str:
    """The picture as SVG."""
    config = configparser.RawConfigParser()
    config.read(root / "setup.cfg", encoding="utf-8")
    body: list[str] = []
    top = MARGIN
    for package in PACKAGES:
        rows = [[room for room in row if exists(root, package, room)] for row in layers(config, package)]
        rows = [row for row in rows if row]
        height = TITLE + len(rows) * (ROW + GAP) + GAP
        body += _panel(root, package, rows, top)
        top += height + MARGIN
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {top}' width='{WIDTH}' height='{top}' "
        f"role='img' {FONT}>\n<title>Rooms of the three packages; each imports only from rows below its own</title>\n"
        f"<rect width='{WIDTH}' height='{top}' fill='#ffffff'/>\n"
    )
    return head + "\n".join(body) + "\n</svg>\n"


def _panel(root: Path, package: str, rows: list[list[str]], top: int) -> list[str]:
    height = TITLE + len(rows) * (ROW + GAP) + GAP
    inner = WIDTH - 2 * MARGIN - 2 * GAP
    lines = [
        (
            f"<rect x='{MARGIN}' y='{top}' width='{WIDTH - 2 * MARGIN}' height='{height}' rx='8' fill='#eef2f7' "
            "stroke='#7a8798'/>"
        ),
        f"<text x='{MARGIN + 14}' y='{top + 23}' font-size='17' font-weight='700' fill='#14202e'>{package}/</text>",
        (
            f"<text x='{WIDTH - MARGIN - 14}' y='{top + 23}' font-size='12' text-anchor='end' fill='#44505e'>"
            f"{escape(sentence(root, '.', package))}</text>"
        ),
    ]
    for number, row in enumerate(rows):
        y = top + TITLE + number * (ROW + GAP)
        width = (inner - GAP * (len(row) - 1)) / len(row)
        for place, room in enumerate(row):
            lines += _box(root, package, room, (MARGIN + GAP + place * (width + GAP), y, width))
    return lines


def _box(root: Path, package: str, room: str, where: tuple[float, float, float]) -> list[str]:
    x, y, width = where
    wrapped = textwrap.wrap(sentence(root, package, room), int((width - 20) / CHARACTER))
    shown = wrapped[:2] if len(wrapped) <= 2 else [wrapped[0], wrapped[1].rstrip(" ,:;") + " …"]
    lines = [
        f"<rect x='{x:.1f}' y='{y}' width='{width:.1f}' height='{ROW}' rx='5' fill='#ffffff' stroke='#a9b4c2'/>",
        f"<text x='{x + 10:.1f}' y='{y + 21}' font-size='14' font-weight='600' fill='#14202e'>{escape(room)}</text>",
    ]
    for number, text in enumerate(shown):
        lines.append(
            f"<text x='{x + 10:.1f}' y='{y + 38 + 15 * number}' font-size='11' fill='#44505e'>{escape(text)}</text>"
        )
    return lines


if __name__ == "__main__":
    here = Path(__file__).parents[2]
    (here / PICTURE).write_text(draw(here), encoding="utf-8")

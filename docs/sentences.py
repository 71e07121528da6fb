"""The longest sentences of the site's pages, for a reader who mends them by hand: `make docs` prints them."""

from __future__ import annotations

import re
import statistics
import sys
from pathlib import Path

#: Written by `pitfalls reproduce`, or a list by its nature.
GENERATED = ("paper/", "project/", "measurements/")
LONGEST = 10


def sentences(page: str) -> list[str]:
    r"""The sentences of a page's paragraphs and list items; code, tables and headings have none.

    >>> sentences("# A title\n\nOne `a.b` is here. [Two](b.md)\nare 0.5 m.\n\n- Three\n\n| a |\n")
    ['One X is here.', 'Two are 0.5 m.', 'Three']
    """
    text = re.sub(r"^(```|~~~|:::).*?^\1\s*$", "\n", page, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^(#|\||    ).*$", "\n", text, flags=re.MULTILINE)
    text = re.sub(r"`[^`]+`", "X", text)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    blocks = re.split(r"\n\s*\n|^\s*(?:[-*]|\d+\.) ", text, flags=re.MULTILINE)
    joined = [" ".join(block.replace("*", "").split()) for block in blocks]
    return [sentence for block in joined for sentence in re.split(r"(?<=[.!?:;])\s+(?=[A-Z(\d])", block) if sentence]


def main(folder: Path) -> None:
    """Print the average length of the sentences under `folder`, and the longest ones.

    Args:
        folder: The folder of the pages.
    """
    found: list[tuple[int, str, str]] = []
    for path in sorted(folder.rglob("*.md")):
        name = path.relative_to(folder).as_posix()
        if not name.startswith(GENERATED):
            found += [(len(sentence.split()), name, sentence) for sentence in sentences(path.read_text("utf-8"))]
    lengths = [words for words, _, _ in found]
    print(f"{len(found):,} sentences of {statistics.fmean(lengths):.1f} words on average; the longest:")  # noqa: T201
    for words, name, sentence in sorted(found, reverse=True)[:LONGEST]:
        print(f"{words:4} words  {name}: {sentence[:150]}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))

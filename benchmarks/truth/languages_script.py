"""Run by `languages` in an environment with py3langid: FOLDER LANGUAGE…; writes the language told of each text."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Read `NAME.txt`, one text a line, of each language, and write `NAME-told.json`."""
    import py3langid  # noqa: PLC0415  # in an environment of its own

    folder, *names = sys.argv[1:]
    py3langid.set_languages(names)
    for name in names:
        texts = Path(folder, f"{name}.txt").read_text("utf-8").splitlines()
        Path(folder, f"{name}-told.json").write_text(
            json.dumps([py3langid.classify(text)[0] for text in texts]), "utf-8"
        )


if __name__ == "__main__":
    main()

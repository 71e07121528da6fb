"""The site is built as `make docs` builds it: strictly, and without a network."""

from __future__ import annotations

import contextlib
import io
import json
import re
import warnings
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sphinx.cmd.build import build_main

SCHEME = re.compile(r"^(https?:)?//")


class Loaded(HTMLParser):
    """What a browser loads for a page, links that a reader may follow apart."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in {"script", "img", "iframe"}:
            self.addresses.append(values.get("src") or "")
        elif tag == "link" and values.get("rel") in {"stylesheet", "icon", "preload"}:
            self.addresses.append(values.get("href") or "")


def build(docs: Path, out: Path) -> tuple[int, str]:
    """Run Sphinx in this process, which may have loaded TensorFlow: the exit code, and what it complains of.

    Pages and their state go below `out`.
    """
    arguments = ["--quiet", "--fail-on-warning", "--keep-going", "--doctree-dir", str(out / "doctrees")]
    complaints = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stderr(complaints):
        warnings.simplefilter("ignore")  # of the libraries, which Sphinx does not show either
        code = build_main([*arguments, str(docs), str(out / "site")])
    return code, complaints.getvalue()


@pytest.fixture(scope="module")
def site(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built anew."""
    out = tmp_path_factory.mktemp("site")
    code, complaints = build(pytestconfig.rootpath / "docs", out)
    assert code == 0, complaints
    return out / "site"


@pytest.mark.timeout(600)
def test_every_page_is_built_and_loads_nothing_from_elsewhere(site: Path, pytestconfig: pytest.Config) -> None:
    docs = pytestconfig.rootpath / "docs"
    sources = [path for path in (*docs.rglob("*.md"), *docs.rglob("*.ipynb")) if path.name != "table.md"]
    built = {path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html")}
    assert len(sources) > 100
    assert not {path.relative_to(docs).with_suffix("").as_posix() for path in sources} - built
    for path in site.rglob("*.html"):
        page = Loaded()
        page.feed(path.read_text("utf-8"))
        assert not [address for address in page.addresses if SCHEME.match(address)], path


@pytest.mark.timeout(600)
def test_the_search_finds_pages_by_their_words(site: Path) -> None:
    text = (site / "searchindex.js").read_text("utf-8")
    index = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    pages = [index["docnames"][place] for place in index["terms"]["residu"]]
    assert "tutorials/regression" in pages
    for word in ("lstm", "shap", "canari", "vertex"):  # as the index has their stems
        places = index["terms"].get(word, [])
        names = [index["docnames"][place] for place in ([places] if isinstance(places, int) else places)]
        assert "how-to/looking-for" in names, word
    assert "(decisions|measurements" in (site / "_static/language_data.js").read_text("utf-8")


#: A fault of a page, and the word by which the build's complaint names it.
FAULTS = {
    "[a](absent.md)": "absent.md",
    "[a](#nowhere)": "nowhere",
    "![a](absent.png)": "absent.png",
    "```{eval-rst}\n.. autoclass:: monitoring.Absent\n```": "Absent",
    "```{eval-rst}\n.. py:function:: f(x: monitoring.Unlisted)\n```": "Unlisted",
}


@pytest.mark.timeout(300)
def test_a_build_with_faults_fails_and_names_each(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    (docs / "_static").mkdir(parents=True)
    settings = (pytestconfig.rootpath / "docs" / "conf.py").read_text("utf-8")
    (docs / "conf.py").write_text(settings.replace("Path(__file__).parents[1]", f'Path("{pytestconfig.rootpath}")'))
    (docs / "index.md").write_text("# A page\n\n" + "\n\n".join(FAULTS) + "\n", "utf-8")
    (docs / "unlisted.md").write_text("# Another\n", "utf-8")
    code, complaints = build(docs, tmp_path)
    assert code != 0
    assert [word for word in (*FAULTS.values(), "unlisted.md") if word not in complaints] == []

"""How Sphinx builds the site: `make docs`. Every warning is an error there, unresolved names in docstrings included."""

from __future__ import annotations

import sys
from configparser import RawConfigParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]  # the checkout's packages, whatever is installed

_setup = RawConfigParser()
_setup.read(ROOT / "setup.cfg", encoding="utf-8")

project = "pitfalls_tf"
version = release = _setup["metadata"]["version"]
copyright = "the authors of pitfalls_tf, Apache-2.0"  # noqa: A001 - Sphinx reads this name

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "reference_tables"]
exclude_patterns = ["_static", "paper/*/table.md"]

# Markdown as the repository's browsers show it: headings have anchors, links to files of the repository download them.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
# Notebooks are run by the tests, and shown with the output that they have there.
nb_execution_mode = "off"

# Docstrings have one kind of backtick; types are written once, in the signature.
default_role = "code"
highlight_language = "text"  # blocks that name no language are files and trees
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
nitpicky = True
# Types of other libraries are named and not linked: their pages are elsewhere, and the site is built offline.
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|pd|pandas|pyarrow|pathlib|datetime|collections|matplotlib)\..*|Figure|Path"),
    ("py:.*", r"Reports|InputPicture|monitoring\.sentences\..*"),
    # Names in a signature that is read as text, because a type of it is imported for type checkers alone
    ("py:.*", r"(Names|(str \| )?Mapping|Callable|Sequence).*|datetime|pa\.Table"),
    ("py:.*", r"TableLike|ResultTable|TaskName|typing\.Literal.*|Only|MetricDraft|SplitKind|TrainingProgress|Floats"),
    # What findings are made of, which the schema of the API describes
    ("py:class", r"monitoring\.records\.(finding|rule|loss)_parts\..*"),
    # Parts of a verdict, of runs and of a bundle, which are described where they are shown
    ("py:.*", r"(.*\.)?(SetupSummary|GainVerdict|ConfidenceInterval|Variances|DomainGain|ReferenceMetric|Ensemble)"),
]

copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_title = f"pitfalls_tf {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_search_scorer = str(ROOT / "docs" / "_static" / "scorer.js")
html_show_sourcelink = False
html_copy_source = False


def _own_branch(_app: object, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Have the sidebar of a page show its own branch of the contents: all branches on each page are half of a build."""
    toctree = context.get("toctree")
    if toctree is not None:
        context["toctree"] = lambda **options: toctree(**{**options, "collapse": True})


def setup(app: Sphinx) -> None:
    """Connect before the theme, which draws the sidebar."""
    app.connect("html-page-context", _own_branch, priority=400)

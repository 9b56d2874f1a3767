"""How Sphinx builds the site; `.ci/docs` runs it."""

import importlib.util
from typing import Any

import pyaxonml
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

project = "axonml"
author = "the axonml authors"
copyright = "2026, the axonml authors"
version = release = pyaxonml.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"axonml {release}"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
# Fences without a language hold output of commands.
highlight_language = "none"

# Notebooks are run anew at every build, and an error ends it.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True

myst_enable_extensions = ["dollarmath", "substitution"]
myst_heading_anchors = 4
# The page on layers is shown without being run where PyTorch is not installed.
HAS_TORCH = importlib.util.find_spec("torch") is not None
nb_execution_excludepatterns = [] if HAS_TORCH else ["torch.md"]
myst_substitutions = {
    "torch_note": "The cells below were run when this page was made."
    if HAS_TORCH
    else "**PyTorch was not installed where this page was made: the cells below were not run, and show no output.**"
}

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
# Described without being installed. Notebooks run in processes of their own, which see the real ones.
autodoc_mock_imports = ["jax", "torch"]


class LinksOutOfTheSite(SphinxTransform):
    """Links from included texts to documents of the repository that the site does not have stay as text."""

    default_priority = 5

    def apply(self, **kwargs: Any) -> None:
        """Replaces them before they are looked up. A link to a file that does not exist is none of them, and a warning."""
        for link in list(self.document.findall(addnodes.pending_xref)):
            if link.get("refdomain") == "doc" and link["reftarget"] not in self.env.found_docs:
                link.replace_self(nodes.literal(text=link.astext()))


_KEPT: dict[str, list[str]] = {}


def keep(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keeps what attributes say: napoleon takes text before a colon for a type."""
    if what in ("attribute", "property"):
        _KEPT[name] = list(lines)


def put_back(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Undoes what napoleon made of it."""
    if what in ("attribute", "property"):
        lines[:] = _KEPT.pop(name)


def setup(app: Sphinx) -> None:
    """Registers what is written here."""
    app.add_transform(LinksOutOfTheSite)
    # Napoleon comes at 500.
    app.connect("autodoc-process-docstring", keep, priority=400)
    app.connect("autodoc-process-docstring", put_back, priority=600)

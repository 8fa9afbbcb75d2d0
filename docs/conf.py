"""How Sphinx makes the site of this folder: `make docs`, offline, warnings are errors."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

project = "mixspace"
author = "mixspace developers"
project_copyright = "mixspace developers, MIT licence"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "diagrams",
    "docstrings",
    "notebook_pages",
    "offline",
    "outside_links",
    "reserved",
]
exclude_patterns = ["examples", "_ext", "**/.ipynb_checkpoints"]
source_suffix = {".md": "markdown", ".ipynb": "notebook"}

suppress_warnings = [
    "ref.python",  # the attributes of several classes may have one name
]

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]

# Docstrings are written for people who read the source: a name in backticks is code.
default_role = "code"
smartquotes_action = "D"  # of what is typed only -- is made a dash: quotes may be code
autodoc_default_options = {"member-order": "bysource", "show-inheritance": True}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autoclass_content = "class"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True

html_theme = "pydata_sphinx_theme"
html_title = "mixspace"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_theme_options = {
    "navbar_align": "left",
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
}
html_sidebars = {"**": ["globaltoc.html"]}

# Of what is copied only what a person types.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

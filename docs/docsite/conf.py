"""How Sphinx builds the documentation: the guides beside this file, and the reference that antsibull-docs writes from
the code. `make docsite` runs both."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

project = "slipway.aws"
author = "The Slipway authors"
title = "slipway.aws: containers to Amazon ECS"
html_title = title
html_short_title = "slipway.aws"

extensions = ["sphinx_antsibull_ext"]
highlight_language = "YAML+Jinja"
pygments_style = "ansible"
html_theme = "sphinx_ansible_theme"
html_theme_options = {"documentation_home_url": "index.html", "topbar_links": {}}
html_static_path = ["static"]
html_css_files = ["slipway.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_use_index = False
html_use_modindex = False
default_role = "any"

# Every reference must lead somewhere. These lead to pages of Ansible and of other collections.
nitpicky = True
nitpick_ignore_regex = [
    ("std:ref", r"action_plugins|ansible_configuration_settings|callback_plugins|common_return_values"),
    ("std:ref", r"ansible_collections\.(amazon|community|ansible)\..*"),
    # Of Ansible's default callback, whose options ours takes.
    ("std:envvar", r"ANSIBLE_\w+"),
]


# What the roles calculate with is for who reads a role.
exclude_patterns = ["*_filter.rst", "*_test.rst"]

FRONT_PAGE = Path(__file__).with_name("front_page.rst")
# The groups of the sidebar, each with the names of its pages.
GROUPS = {
    "guides": "docsite/guide_*.rst",
    "roles": "*_role.rst",
    "modules": "*_module.rst",
    "plugins": "*_callback.rst",
}


def write_front_page(app: Sphinx, page: str, source: list[str]) -> None:
    """antsibull-docs lists every plugin on its front page. Ours says what this is, and groups the pages."""
    if page != "index":
        return
    folder = Path(app.srcdir)
    lists = {name: entries(folder, pattern) for name, pattern in GROUPS.items()}
    source[0] = FRONT_PAGE.read_text().format(**lists)


def entries(folder: Path, pattern: str) -> str:
    """A group's pages as lines of a toctree: guides in the order of extra-docs.yml, all others by name."""
    names = [str(path.relative_to(folder).with_suffix("")) for path in sorted(folder.glob(pattern))]
    order = (Path(__file__).with_name("extra-docs.yml")).read_text()
    shown = [name for name in names if f"{name}.rst" not in exclude_patterns]
    pages = sorted(shown, key=lambda name: (order.find(name.rpartition("/")[2]), name.rpartition("_")[0]))
    # A plugin's page is called by its bare name; a guide has a title.
    return "\n".join(f"   {page}" if "/" in page else f"   {page.rpartition('_')[0]} <{page}>" for page in pages)


def setup(app: Sphinx) -> None:
    app.connect("source-read", write_front_page)

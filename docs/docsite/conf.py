"""How Sphinx builds the documentation: the guides beside this file, and the reference that antsibull-docs writes from
the code. `make docsite` runs both."""

from __future__ import annotations

import re

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


# antsibull-docs lists every plugin, also what nobody but a role needs.
FOR_ROLES = "What the roles calculate with: here for who reads a role. A release may change them without saying so.\n"


def mend_front_page(_app: Sphinx, page: str, source: list[str]) -> None:
    """antsibull-docs writes the collection's name with capital letters, as no other page does."""
    if page == "index":
        text = source[0].replace("Slipway.Aws\n", "slipway.aws\n")
        source[0] = re.sub(r"^((?:Filter|Test) Plugins\n~+\n)", rf"\1\n{FOR_ROLES}", text, flags=re.MULTILINE)


def setup(app: Sphinx) -> None:
    app.connect("source-read", mend_front_page)

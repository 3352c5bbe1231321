"""How Sphinx builds the documentation: the guides beside this file, and the reference that antsibull-docs writes from
the code. `make docsite` runs both."""

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
html_show_sphinx = False
html_copy_source = False
html_use_index = False
html_use_modindex = False
default_role = "any"

# Every reference must lead somewhere. These lead to pages of Ansible and of other collections.
nitpicky = True
nitpick_ignore_regex = [
    ("std:ref", r"action_plugins|ansible_configuration_settings|callback_plugins|common_return_values"),
    ("std:ref", r"ansible_collections\.(amazon|community|ansible)\..*"),
]

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text in templates of variables is read as it was, whatever is in it."""

from __future__ import annotations

import typing as t

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.slipway.aws.plugins.module_utils._convert.jinja import jinja_text, quoted, template
from ansible_collections.slipway.aws.plugins.module_utils._inventory.model import files

TEXTS = (
    "plain",
    "it's",
    "C:\\new\\",
    "\\\\server\\'s",
    'one\\"',
    "{{ x }} {% if %} {# no #}",
    "{% endraw %}",
    "{",
    "a{\r\nb",
    "tab\tand\rreturn",
    "\u2028 and \x85 and " + "long " * 30,
    "",
)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    ("form", "read"),
    [
        (lambda text: jinja_text(text) + "{{ name }}", "{}NAME"),
        (lambda text: f"{{{{ {quoted(text)} }}}}", "{}"),
        (lambda text: f"{{{{ 'a' ~ {quoted(text)} }}}}", "a{}"),
    ],
    ids=["text", "string", "operand"],
)
def test_text_is_read_as_it_was(tmp_path: t.Any, text: str, form: t.Callable[[str], str], read: str) -> None:
    written = files({"name": "shop", "variables": {"project": {"text": template(form(text))}}})
    path = tmp_path / "project.yml"
    path.write_text(written["group_vars/all/project.yml"], newline="")
    loader = DataLoader()
    variables = loader.load_from_file(str(path), trusted_as_template=True)
    assert Templar(loader, variables={"name": "NAME"}).template(variables)["text"] == read.replace("{}", text)

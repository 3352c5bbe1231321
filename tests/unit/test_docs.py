"""What is generated is up to date, and the generator reads Ansible's markup."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import CODES
from ansible_collections.slipway.aws.plugins.plugin_utils.variables import PROJECT

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import costs  # noqa: E402  # docs/ is no package
import error_codes  # noqa: E402
import refused_requests  # noqa: E402
import role_readmes  # noqa: E402

MODULES = {path.stem: error_codes.documented(path) for path in error_codes.MODULES}
# Modules that call no AWS; ecs_port_forward leaves it to its connection.
LOCAL = {"compare_role", "docker_build_context_info", "ecs_port_forward", "inventory_files", "project_conversion_info"}
LOCAL |= {"base_image_pin", "dockerfile_info", "require", "validate_variables"}
# What can go wrong with any call to AWS.
ANY_CALL = {"access_denied", "aws_error", "bad_answer", "invalid_option", "no_connection", "no_credentials"}
ANY_CALL |= {"refused", "throttled"}


@pytest.mark.parametrize("module", sorted(MODULES.keys() - LOCAL))
def test_codes_of_any_call_are_documented(module: str) -> None:
    assert ANY_CALL - {*MODULES[module]} == set()


@pytest.mark.parametrize("module", ["ecs_service", "ecs_release"])
def test_codes_of_failed_rollouts_are_documented(module: str) -> None:
    of_rollouts = {code for code, entry in CODES.items() if entry.scope == "rollout"}
    assert {*of_rollouts, "immutable", "not_found", "timeout"} - {*MODULES[module]} == set()


def test_every_code_is_documented_by_a_plugin() -> None:
    connection = error_codes.codes_in((ROOT / "plugins/connection/ecs_exec.py").read_text())
    documented = {code for codes in (*MODULES.values(), connection) for code in codes}
    assert documented | error_codes.required().keys() == CODES.keys()


@pytest.mark.parametrize("path", error_codes.MODULES, ids=lambda path: path.stem)
def test_a_module_documents_its_codes_as_the_list_says(path: Path) -> None:
    text = path.read_text()
    assert text == error_codes.module(text), "run `make docs`"


@pytest.mark.parametrize(
    "path", [path for path in error_codes.MODULES if MODULES[path.stem]], ids=lambda path: path.stem
)
def test_the_documentation_of_codes_is_text(path: Path) -> None:
    """Not a mapping, as which YAML reads a sentence with a colon."""
    module = importlib.import_module(f"ansible_collections.slipway.aws.plugins.modules.{path.stem}")
    described = yaml.safe_load(module.RETURN)["code"]["description"]
    assert [item for item in described if not isinstance(item, str)] == []


@pytest.mark.parametrize("role", sorted(path.name for path in (ROOT / "roles").iterdir()))
def test_readme_is_as_the_argument_specs_say(role: str) -> None:
    folder = ROOT / "roles" / role
    written = (folder / "README.md").read_text() if (folder / "README.md").exists() else ""
    assert written == role_readmes.readme(folder), "run `make docs`"


def test_the_guide_lists_every_code() -> None:
    text = error_codes.GUIDE.read_text()
    assert text == error_codes.guide(text), "run `make docs`"


def test_the_page_lists_every_rule_of_the_local_cloud() -> None:
    assert refused_requests.PAGE.read_text() == refused_requests.page(), "run `make docs`"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("ecs_taskdefinition", "ecs_task_definition"),
        ("ecs_service", "ecs_service"),
        ("ecs_cluster", "ecs_cluster"),
        ("ecs_ecr", "ecr_repository"),
    ],
)
def test_the_guide_names_every_option_of_both(theirs: str, ours: str) -> None:
    text = (ROOT / "docs/docsite/rst/guide_from_community_aws.rst").read_text()
    section = text.split(f"\n{theirs} → {ours}\n-")[1].split("\n---")[0]
    named = set(re.findall(r"\w+", " ".join(re.findall(r"``([^`]+)``", section))))
    options = options_of(f"community.aws.plugins.modules.{theirs}") | options_of(f"slipway.aws.plugins.modules.{ours}")
    assert options - named == set()


def options_of(module: str) -> set[str]:
    documented = importlib.import_module(f"ansible_collections.{module}").DOCUMENTATION
    return set(yaml.safe_load(documented)["options"])


GUIDES = [*sorted((ROOT / "docs/docsite/rst").glob("*.rst")), ROOT / "README.md"]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_variables_that_are_named_exist(guide: Path) -> None:
    roles = {path.name for path in (ROOT / "roles").iterdir()}
    specified = "".join((ROOT / "roles" / role / "meta/argument_specs.yml").read_text() for role in roles)
    prefixes = "|".join(sorted(roles))
    named = set(re.findall(rf"(?<![\w./])(?:{prefixes})_\w+", guide.read_text()))
    modules = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
    assert {name for name in named - modules - set(PROJECT) if f" {name}:" not in specified} == set()


LABEL = "ansible_collections.slipway.aws.docsite."


def test_guides_link_to_labels_that_exist() -> None:
    """A guide with a label of another form would be missing in the documentation site."""
    texts = [guide.read_text() for guide in GUIDES]
    labels = {label for text in texts for label in re.findall(r"^\.\. _([^:`]+):$", text, re.MULTILINE)}
    assert {label for label in labels if not label.startswith(LABEL)} == set()
    targets = {target for text in texts for target in re.findall(r":ref:`(?:[^`<]*<)?([^`>]+)>?`", text)}
    assert {target for target in targets if target.startswith(LABEL)} - labels == set()


def paths_of(options: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The options as O() names them: a list's elements in square brackets."""
    for name, option in options.items():
        yield f"{prefix}{name}"
        yield from paths_of(option.get("options") or {}, f"{prefix}{name}{'[]' * (option.get('type') == 'list')}.")


def entry_points() -> dict[str, Any]:
    """The entry points of all roles, by what O() names before their options."""
    specs = {path.parts[-3]: path.read_text() for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml"))}
    return {
        f"{role}#role:{entry}": spec
        for role, text in specs.items()
        for entry, spec in yaml.load(text, yaml.CSafeLoader)["argument_specs"].items()
    }


def test_options_that_are_linked_exist() -> None:
    """Entry points of a role share descriptions, but not all options. ansible-test sanity checks modules' own links."""
    specs = entry_points()
    texts = {name: json.dumps(spec) for name, spec in specs.items()}
    found = {name: re.findall(r"\bO\(([^()=]+)", text) for name, text in texts.items()}
    links = {(name, link) for name, links in found.items() for link in links if ":" not in link}
    for text in (*texts.values(), *(path.read_text() for path in error_codes.MODULES)):
        links |= set(re.findall(r"\bO\(slipway\.aws\.([\w#:]+):([^():=]+)", text))
    options = {name: set(paths_of(spec.get("options", {}))) for name, spec in specs.items()}
    for module in {name.removesuffix("#module") for name, _link in links if name.endswith("#module")}:
        documented = importlib.import_module(f"ansible_collections.slipway.aws.plugins.modules.{module}").DOCUMENTATION
        options[f"{module}#module"] = set(paths_of(yaml.load(documented, yaml.CSafeLoader)["options"]))
    assert {(name, link) for name, link in links if link not in options.get(name, ())} == set()


@pytest.mark.parametrize("page", costs.MARKS, ids=lambda path: path.name)
def test_pages_have_the_costs_of_the_price_table(page: Path) -> None:
    assert costs.MARKS[page][0] in page.read_text()
    assert page.read_text() == costs.written(page), "run `make docs`"


@pytest.mark.parametrize(
    ("ansible", "markdown"),
    [
        ("C(docker) or V(started)", "`docker` or `started`"),
        (r"V(name=f\(x\))", "`name=f(x)`"),
        ("see L(the guide, https://example.com/guide)", "see [the guide](https://example.com/guide)"),
        ("B(never)", "*never*"),
        ("two\n  lines", "two lines"),
    ],
)
def test_markup(ansible: str, markdown: str) -> None:
    assert role_readmes.markdown(ansible) == markdown

"""The collection's architecture, as tests: who may know whom, how big things may be, and that parallel lists agree."""

from __future__ import annotations

import ast
import functools
import importlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ansible_collections.amazon
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.release import __version__ as core
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ansible_collections.slipway.aws."
PYTHON = sorted(
    [
        *ROOT.glob("plugins/**/*.py"),
        *ROOT.glob("roles/*/files/*.py"),
        *ROOT.glob("docs/*.py"),
        *ROOT.glob("benchmarks/*.py"),
    ]
)
UTILS = sorted(path for path in ROOT.glob("plugins/module_utils/**/*.py") if path.name != "__init__.py")
MODULES = sorted(ROOT.glob("plugins/modules/*.py"))
ROLES = sorted(path for path in ROOT.glob("roles/*") if path.is_dir())

FUNCTION_LINES = 50
MODULE_LINES = 150
FILTERS = 14
ENTRY_POINTS = ("main", "find", "absent", "rollback", "delete_obsolete_hosts")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=name_of)


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def load(path: Path) -> Any:
    return yaml.load(path.read_text(), yaml.CSafeLoader) if path.exists() else {}


# Sizes


def lines_of(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def code_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """A function's lines without its docstring."""
    docstring = lines_of(node.body[0]) if ast.get_docstring(node) else 0
    return lines_of(node) - docstring


@each(PYTHON)
def test_functions_are_small(path: Path) -> None:
    functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    big = {node.name: code_of(node) for node in functions if code_of(node) >= FUNCTION_LINES}
    assert not big


@each(MODULES)
def test_modules_are_documentation_and_a_short_main(path: Path) -> None:
    text = path.read_text()
    documentation = sum(
        lines_of(node)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign | ast.Expr) and isinstance(node.value, ast.Constant)
    )
    code = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(code) - documentation < MODULE_LINES


# What every module has below its documentation: its flow is imported from a resource's folder, and run.
MAIN = """
from PACKAGE import run
from PACKAGE import flow
ARGUMENT_SPEC = {}

def main() -> None:
    run(ARGUMENT_SPEC, flow.run)

if __name__ == "__main__":
    main()
"""


def form_of(source: str) -> str:
    """A module's code without what differs: documentation, options, names of packages, and constraints of options."""
    tree = ast.parse(source)
    code: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            node.module = "PACKAGE"
            names = [alias.name.replace("info", "flow") for alias in node.names if not alias.name.isupper()]
            node.names = [ast.alias(name) for name in names]
            if names:
                code.append(node)
        elif isinstance(node, ast.FunctionDef) or not isinstance(
            node, ast.Assign | ast.AnnAssign | ast.Expr | ast.ImportFrom
        ):
            code.append(node)
    for part in ast.walk(ast.Module(code, [])):
        if isinstance(part, ast.Call):
            part.keywords = []
        elif isinstance(part, ast.Name):
            part.id = part.id.replace("info", "flow")
    return "\n".join(sorted(ast.unparse(node) for node in code))


def test_all_mains_are_identical_in_form() -> None:
    run = {path.name: form_of(path.read_text()) for path in MODULES if "def main(" in path.read_text()}
    expected = form_of(MAIN)
    assert {name: form for name, form in run.items() if form != expected} == {}


# Layers: a module knows flows; a flow knows pure logic and the API; these two know the core and not each other.


def layer(module: str) -> str:
    """The layer of a dotted name below plugins/module_utils."""
    if module.split(".", maxsplit=1)[0] == "_core":
        return "core"
    name = module.rpartition(".")[2]
    if name.endswith("api"):
        return "api"
    return "flow" if name.endswith(("flow", "info")) or module in FLOWS else "pure"


# Parts of flows that have a name of their own.
FLOWS = {
    "_ecs.release.rollouts",
    "_ecs.rollout.observe",
}


BELOW = {
    "core": {"core"},
    "api": {"core", "api"},
    "pure": {"core", "pure"},
    "flow": {"core", "api", "pure", "flow"},
}
# Who may touch AWS's library, Ansible's module class, and the clock.
BOTO = re.compile(r"boto3|botocore")
MODULE_CLASS = re.compile(
    r"ansible\.module_utils\.basic|ansible_collections\.amazon\.aws\.plugins\.module_utils\.modules"
)
CLOCK = re.compile(r"time")


@functools.cache
def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT / "plugins/module_utils").with_suffix("").parts)


@functools.cache
def imports(path: Path) -> list[str]:
    """Absolute names of what a file imports, each name of `from x import a, b` as x.a and x.b."""
    return list(imported_by(path))


def imported_by(path: Path) -> Iterator[str]:
    package = PACKAGE + ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (start, node.module) if part)
            yield from (f"{base}.{alias.name}" for alias in node.names)


@functools.cache
def utils_imported(path: Path) -> set[str]:
    """Dotted names, below module_utils, of the files of ours that a file imports."""
    prefix = PACKAGE + "plugins.module_utils."
    names = {name.removeprefix(prefix) for name in imports(path) if name.startswith(prefix)}
    known = {dotted(other) for other in UTILS}
    return {name if name in known else name.rpartition(".")[0] for name in names}


@each(UTILS)
def test_layers_import_only_downwards(path: Path) -> None:
    upwards = {name for name in utils_imported(path) if layer(name) not in BELOW[layer(dotted(path))]}
    assert not upwards


@each(UTILS)
def test_services_do_not_know_each_other(path: Path) -> None:
    folder = dotted(path).split(".", maxsplit=1)[0]
    assert {name.split(".", maxsplit=1)[0] for name in utils_imported(path)} <= {folder, "_core"}


@each(UTILS)
def test_nothing_below_the_plugins_knows_them(path: Path) -> None:
    ours = {name for name in imports(path) if name.startswith(PACKAGE)}
    assert all(name.startswith(PACKAGE + "plugins.module_utils.") for name in ours)


@each(UTILS)
def test_only_the_edges_touch_aws_ansible_and_the_clock(path: Path) -> None:
    name = dotted(path)
    imported = set(imports(path))
    if layer(name) != "api" and name not in {"_core.clients", "_core.errors", "_core.module"}:
        assert not [item for item in imported if BOTO.match(item)]
    if name not in {"_core.clients", "_core.module", "_core.local_module"}:
        assert not [item for item in imported if MODULE_CLASS.match(item)]
    if name != "_core.waiting":
        assert not [item for item in imported if CLOCK.fullmatch(item)]


# Error codes: one list


CODE_LIST = ROOT / "plugins/module_utils/_core/error_codes.py"
# Who fails with a code, or has the cause of a failure: their first argument, or third.
FAILURES = {"SlipwayError": 0, "ContextError": 0, "_failure": 0, "Verdict": 2, "_symptom": 0}


@functools.cache
def listed_codes() -> dict[str, str]:
    """Each constant of the list, with its code."""
    return {
        node.targets[0].id: str(node.value.args[0].value)
        for node in ast.parse(CODE_LIST.read_text()).body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value.args[0], ast.Constant)
    }


def codes_returned(tree: ast.Module) -> Iterator[ast.expr]:
    """The expressions that stand where the code of a failure is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            yield from node.args[FAILURES[name] : FAILURES[name] + 1] if name in FAILURES else ()
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "code")
        elif isinstance(node, ast.Dict):
            keys = [getattr(key, "value", None) for key in node.keys]
            yield from (value for key, value in zip(keys, node.values, strict=True) if key == "code")


def names_used(tree: ast.Module) -> set[str]:
    """The names that a file uses for more than a comparison."""
    comparisons = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    compared = {id(part) for node in comparisons for part in ast.walk(node)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in compared}


def test_no_code_is_listed_twice() -> None:
    codes = list(listed_codes().values())
    assert sorted(codes) == sorted({*codes})


@each([path for path in PYTHON if path != CODE_LIST])
def test_codes_come_from_the_list(path: Path) -> None:
    tree = tree_of(path)
    literal = [ast.unparse(code) for code in codes_returned(tree) if isinstance(code, ast.Constant) and code.value]
    defined = {
        ast.unparse(node): node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    assert literal + [node for node, value in defined.items() if value in listed_codes().values()] == []


def test_every_code_that_is_listed_is_returned() -> None:
    sources = [path for path in ROOT.glob("plugins/**/*.py") if path != CODE_LIST]
    used = set().union(*(names_used(tree_of(path)) for path in sources))
    required = {options.get("code") for path in TASKS for _name, options in refusals(load(path))}
    assert {name for name, code in listed_codes().items() if name not in used and code not in required} == set()


TASKS = sorted([*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/**/*.yml")])
REFUSALS = ("slipway.aws.require", "ansible.builtin.assert", "ansible.builtin.fail")


def refusals(node: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each task that fails where a condition does not hold: its module and options."""
    for one in node if isinstance(node, list) else node.values() if isinstance(node, dict) else ():
        yield from refusals(one)
    if isinstance(node, dict):
        yield from ((name, node[name]) for name in REFUSALS if name in node)


@each(TASKS)
def test_roles_and_playbooks_fail_with_a_code_of_the_list(path: Path) -> None:
    """An assertion without a message only evaluates a template, whose own error is the message."""
    found = list(refusals(load(path)))
    with_message = [name for name, options in found if name != REFUSALS[0] and {"fail_msg", "msg"} & options.keys()]
    codes = [options.get("code") for name, options in found if name == REFUSALS[0]]
    assert (with_message, set(codes) - {*listed_codes().values()}) == ([], set())


# Parallel lists


def test_the_action_group_is_complete() -> None:
    group = load(ROOT / "meta/runtime.yml")["action_groups"]["aws"]
    listed = {entry for entry in group if isinstance(entry, str)}
    of_aws = {path.stem for path in MODULES if "amazon.aws.region.modules" in path.read_text()}
    assert listed == of_aws


def test_each_module_has_an_integration_target() -> None:
    targets = sorted(ROOT.glob("tests/integration/targets/*"))
    tested = {name for target in targets for name in [target.name, *(target / "aliases").read_text().splitlines()]}
    assert {path.stem for path in MODULES} - tested == set()


def tasks_in(node: object, defaults: frozenset[str] = frozenset()) -> Iterator[tuple[str, frozenset[str], object]]:
    """Each use of a module of the collection: its name, its options with their defaults, the task's name.

    Left out are tasks that are refused without a code, as Ansible refuses what lacks an option.
    """
    for one in node if isinstance(node, list) else []:
        yield from tasks_in(one, defaults)
    if not isinstance(node, dict):
        return
    for key, options in (node.get("module_defaults") or {}).items():
        defaults |= {f"{key.split('.')[-1]}.{option}" for option in options if isinstance(options, dict)}
    for key, value in node.items():
        namespace, _dot, name = str(key).rpartition(".")
        known = namespace == "slipway.aws" and (ROOT / f"plugins/modules/{name}.py").exists()
        if known and isinstance(value, dict) and "code" in str(node.get("failed_when", "code")):
            by_default = {default.split(".")[1] for default in defaults if default.startswith(f"{name}.")}
            yield name, frozenset(value) | by_default, node.get("name")
        yield from tasks_in(value, defaults) if key != "module_defaults" else ()


@functools.cache
def required_options(module: str) -> dict[str, Any]:
    options = yaml.safe_load(importlib.import_module(f"{PACKAGE}plugins.modules.{module}").DOCUMENTATION)
    return {name: option for name, option in options.get("options", {}).items() if option.get("required")}


@pytest.mark.parametrize("folder", ["playbooks", "roles", "molecule", "tests"])
def test_tasks_have_what_their_modules_require(folder: str) -> None:
    lacking = [
        (name_of(path), task, option)
        for path in sorted((ROOT / folder).rglob("*.yml"))
        for module, given, task in tasks_in(load(path))
        for option, entry in required_options(module).items()
        if not given & {option, *entry.get("aliases", ())}
    ]
    assert lacking == []


def test_inventories_have_the_same_variables() -> None:
    def names(inventory: str) -> set[str]:
        files = (ROOT / "inventory" / inventory / "group_vars").glob("**/*.yml")
        return {name for path in files for name in load(path)}

    # The local cloud has a port to choose; an account has not.
    assert names("local") - {"local_cloud_port"} == names("aws")


def test_what_is_promised_holds_for_what_is_installed() -> None:
    """requirements.txt brings one of two Ansibles: the documented versions fit each."""
    collections = Path(ansible_collections.amazon.__path__[0]).parent
    promised = list(load(ROOT / "galaxy.yml")["dependencies"].items())
    promised += [(entry["name"], entry["version"]) for entry in load(ROOT / "requirements.yml")["collections"]]
    oldest = load(ROOT / "meta/runtime.yml")["requires_ansible"]
    unfit = [] if core in SpecifierSet(oldest) else [("ansible-core", oldest)]
    for name, versions in promised:
        manifest = json.loads((collections / name.replace(".", "/") / "MANIFEST.json").read_text())
        if manifest["collection_info"]["version"] not in SpecifierSet(versions):
            unfit.append((name, versions))
    assert unfit == []


# Roles


def options_of(role: Path) -> dict[str, Any]:
    specs = load(role / "meta/argument_specs.yml")["argument_specs"]
    return {name: option for entry in specs.values() for name, option in entry.get("options", {}).items()}


def templated(value: object) -> bool:
    return "{{" in str(value)


@each(ROLES)
def test_role_says_who_it_is(path: Path) -> None:
    galaxy = load(path / "meta/main.yml")["galaxy_info"]
    assert {"author", "description", "license", "min_ansible_version"} <= set(galaxy)
    assert load(ROOT / "meta/runtime.yml")["requires_ansible"] == f">={galaxy['min_ansible_version']}.0"


@each(ROLES)
def test_role_variables_carry_its_name(path: Path) -> None:
    assert [name for name in load(path / "defaults/main.yml") or {} if not name.startswith(f"{path.name}_")] == []
    assert [name for name in load(path / "vars/main.yml") or {} if not name.startswith(f"__{path.name}_")] == []


@each(ROLES)
def test_every_entry_point_is_specified(path: Path) -> None:
    # A role with an option for its state is entered through main alone.
    names = ENTRY_POINTS[:1] if f"{path.name}_state" in options_of(path) else ENTRY_POINTS
    entry_points = {name for name in names if (path / f"tasks/{name}.yml").exists()}
    assert set(load(path / "meta/argument_specs.yml")["argument_specs"]) == entry_points


@each(ROLES)
def test_defaults_and_argument_specs_agree(path: Path) -> None:
    defaults, options = load(path / "defaults/main.yml") or {}, options_of(path)
    unspecified = set(defaults) - set(options)
    without_value = {name for name, option in options.items() if name not in defaults and not option.get("required")}
    different = {
        name: (value, options[name].get("default"))
        for name, value in defaults.items()
        if name in options and value != options[name].get("default") and not templated(value)
    }
    assert (unspecified, without_value, different) == (set(), set(), {})


@each(ROLES)
def test_elements_of_a_list_do_not_share_defaults(path: Path) -> None:
    """Ansible writes what a nested option lacks into the default of the specification itself, which it then refuses for
    the next element."""
    names = {name for name, option in options_of(path).items() if option.get("elements") == "dict"}
    specified = {name: {**option, "required": False} for name, option in options_of(path).items() if name in names}
    found = ArgumentSpecValidator(specified).validate({name: [{}, {}] for name in names})
    assert [message for message in found.error_messages if "got: None" in message] == []


# The steps of each role's tasks/main.yml, in this order, and the file of each; a role leaves out what it does not have.
# In a role that can be skipped, they are in converge.yml, which main.yml includes unless a record proves that there is
# nothing to do.
SKELETON = {
    "Validate the variables": "preflight.yml",
    "Find the dependencies": "dependencies.yml",
    "Converge the resources": "resources.yml",
    "Return the result": "result.yml",
}


def steps_of(role: Path) -> list[tuple[str, str]]:
    """Names and files of the steps that a role imports."""
    converge = role / "tasks/converge.yml"
    steps = load(converge if converge.exists() else role / "tasks/main.yml")
    files = [str(step.get("ansible.builtin.import_tasks")).removeprefix("{{ role_path }}/tasks/") for step in steps]
    return [(str(step.get("name")), file) for step, file in zip(steps, files, strict=True)]


# The role preflight is the first step of all others.
@each([role for role in ROLES if role.name != "preflight"])
def test_role_follows_the_skeleton(path: Path) -> None:
    steps = steps_of(path)
    assert steps == [step for step in SKELETON.items() if step in steps]
    assert {"preflight.yml", "resources.yml"} <= {file for _name, file in steps}


@each(sorted(ROOT.glob("roles/*/tasks/*.yml")))
def test_a_condition_needs_no_message_of_a_module_that_crashed(path: Path) -> None:
    """Ansible adds the message after until and failed_when, which without a default hide why the module crashed."""
    assert re.findall(r"\w+\.msg is (?:not )?search\(.*", path.read_text(encoding="utf-8")) == []


@each(sorted(ROOT.glob("roles/*/tasks/converge.yml")))
def test_role_that_can_be_skipped_asks_its_record(path: Path) -> None:
    role, tasks = path.parts[-3], load(path.with_name("main.yml"))
    [compare] = [task for task in tasks if "slipway.aws.compare_role" in task]
    [converge] = [task for task in tasks if task.get("ansible.builtin.include_tasks") == "converge.yml"]
    assert compare["slipway.aws.compare_role"]["role"] == role
    assert compare["register"] == f"__{role}_record"
    assert f"not __{role}_record.slipway_skipped | default(false)" in converge["when"]


# Names that look like another role's variable, and on which what the role creates does not depend.
NO_INPUTS = {
    # Only check mode reads it.
    "container_image": {"docker_host_result"},
    # In a message.
    "docker_host": {"docker_instance_image"},
    # The role sets one, and reads the other through its own variables.
    "docker_instance": {"docker_host_there", "ecs_network_result"},
    # A member of its own variable.
    "ecs_network": {"docker_host_cidrs"},
}


@each(sorted(ROOT.glob("roles/*/tasks/converge.yml")))
def test_what_a_role_reads_from_other_roles_is_an_input_of_its_record(path: Path) -> None:
    """A variable of another role that a skipped role reads could change unseen."""
    role, others = path.parts[-3], [one.name for one in ROLES if one.name != path.parts[-3]]
    names = re.compile(rf"\b(?:{'|'.join(others)})_\w+")
    folder, main = path.parent, path.with_name("main.yml").read_text()
    entry_points = {f"{name}.yml" for name in ENTRY_POINTS} | {"absent.yml", "delete_obsolete.yml"}
    read = {
        name
        for file in folder.glob("*.yml")
        if file.name not in entry_points - {"main.yml"}
        for name in names.findall(re.sub(r"#.*|slipway\.aws\.\w+|\b__\w+", "", file.read_text()))
    }
    assert read - set(names.findall(main)) - NO_INPUTS.get(role, set()) == set()


@each([path for path in sorted(ROOT.glob("roles/*/tasks/*.yml")) if path.name != "main.yml"])
def test_imports_of_imported_files_have_a_whole_path(path: Path) -> None:
    """Without one, Ansible takes a file of the same name in the tasks/ of the folder in which the user runs it."""
    assert re.findall(r"import_tasks: (?!.*role_path).*", path.read_text()) == []


@each(sorted(ROOT.glob("roles/*/vars/*.yml")))
def test_vars_hold_constants(path: Path) -> None:
    assert "{{" not in path.read_text(), "compute it in plugins/plugin_utils/ instead"


def test_filters_are_few() -> None:
    """A filter is for what a role cannot say otherwise: each reader has to learn it."""
    assert len(list(ROOT.glob("plugins/filter/*.py"))) <= FILTERS


# What only `make test-lint-slow` would find otherwise


def test_modules_give_no_name_to_joined_types() -> None:
    """pylint of ansible-test checks them for Pythons in which `Step = str | int` is an error."""
    statements = [(path, node) for path in (*UTILS, *MODULES) for node in tree_of(path).body]
    assigned = [(path, node.value) for path, node in statements if isinstance(node, ast.Assign)]
    joined = [(name_of(path), ast.unparse(value)) for path, value in assigned if isinstance(value, ast.BinOp)]
    types = r"(?:str|int|float|bool|bytes|list|dict|tuple|set|None)\b"
    assert [(name, text) for name, text in joined if re.search(rf"^{types}.* \| | \| {types}", text)] == []


# Scenarios


def test_scenarios_have_variables_in_a_folder() -> None:
    """ansible-lint takes other files of a scenario for playbooks."""
    files = [path for path in ROOT.glob("molecule/*/*.yml") if path.name not in {"molecule.yml", "scenario.yml"}]
    assert [name_of(path) for path in sorted(files) if not isinstance(load(path), list)] == []


@each(sorted(ROOT.glob("molecule/*/molecule.yml")))
def test_molecule_has_the_playbooks_that_a_scenario_runs(path: Path) -> None:
    """Molecule skips an action whose playbook is missing, and one with an argument where there is none without."""
    config = load(path)
    sequence = (config.get("scenario") or {}).get("test_sequence") or []
    chosen = (config.get("ansible") or {}).get("playbooks") or {}
    actions = [step.split() for step in sequence if step.split()[0] in {"converge", "side_effect", "verify"}]
    names = {name for action, *given in actions for name in [chosen.get(action, f"{action}.yml"), *given]}
    assert [name for name in sorted(names) if not (path.parent / name).exists()] == []


def test_slow_tests_are_where_a_scenario_runs_them() -> None:
    """`modules_slow` runs those of tests/integration; elsewhere no kind of tests/run.py would."""
    elsewhere = [path for path in ROOT.glob("tests/**/*.py") if path.parent != ROOT / "tests/integration"]
    mark = "pytest.mark." + "slow"
    assert [name_of(path) for path in elsewhere if re.search(rf"{mark}\b", path.read_text())] == []


# Text


@pytest.mark.parametrize("forbidden", [r"/(?:work|root|home/\w+)/(?!\.)", r"\b(?:TODO|FIXME|XXX)\b"])
def test_no_file_mentions(forbidden: str) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in listed.decode().split("\0")
        if name and (ROOT / name).is_file() and not name.endswith((".png", ".ico"))
        for number, line in enumerate((ROOT / name).read_text(errors="replace").splitlines(), 1)
        if re.search(forbidden, line) and name != name_of(Path(__file__))
    ]
    assert found == []

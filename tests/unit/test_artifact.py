"""What users get: the archive holds what they need, and its playbooks load by name where there is nothing else."""

from __future__ import annotations

import re
import subprocess
from fnmatch import fnmatch

import pytest

from ansible_collections.slipway.aws.tests.artifact.installed import ROOT, Installed

FOR_USERS = {
    *("README.md", "LICENSE", "MANIFEST.json", "FILES.json", "requirements.txt", "requirements.yml"),
    *("apps", "docs", "inventory", "meta", "pipelines", "playbooks", "plugins", "roles"),
}
# Only once there is a release.
FROM_A_RELEASE_ON = {"CHANGELOG.md", "changelogs"}
# For those who work on the collection: tests, and settings of tools.
FOR_US = ("*.pyc", "*.cfg", "*/.git*", "*/tests*", "*/conf.py", "*/config.y*ml", "docs/*.py", "docs/*.j2", "docs/*.css")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("artifact"))


def test_the_archive_holds_what_users_need_and_nothing_else(installed: Installed) -> None:
    contents = installed.contents
    assert {name.split("/", maxsplit=1)[0] for name in contents} - FROM_A_RELEASE_ON == FOR_USERS
    assert [name for name in contents for ours in FOR_US if fnmatch(name, ours)] == []


def test_the_archive_holds_nothing_that_is_not_tracked(installed: Installed) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    made_by_the_build = {"MANIFEST.json", "FILES.json"}
    assert installed.contents - made_by_the_build - set(listed.split("\0")) == set()


def test_what_its_pages_link_to_is_in_the_archive(installed: Installed) -> None:
    pages = sorted(installed.collection.rglob("*.md"))
    assert installed.collection / "README.md" in pages
    links = [(page, target) for page in pages for target in re.findall(r"\]\(([^)#\s]+)", page.read_text())]
    relative = [(page, target) for page, target in links if "://" not in target]
    dead = [
        f"{page.relative_to(installed.collection)}: {target}"
        for page, target in relative
        if not (page.parent / target).exists()
    ]
    assert dead == []


@pytest.mark.variants
def test_each_playbook_loads_by_its_full_name(installed: Installed) -> None:
    assert {"slipway.aws.local_cloud", "slipway.aws.site", "slipway.aws.destroy"} < set(installed.playbooks)
    installed.play("--syntax-check", *installed.playbooks, inventory="aws")
    listed = installed.play("--list-tasks", *installed.playbooks)
    assert listed.count("playbook: ") == len(installed.playbooks)
    roles = {path.name for path in installed.collection.glob("roles/*")}
    assert [role for role in sorted(roles) if f"{role} : " not in listed] == []


def test_sources_come_from_the_collection_and_state_goes_to_the_current_folder(installed: Installed) -> None:
    asked = ("-m", "ansible.builtin.debug", "-a", "msg={{ slipway_apps }}={{ slipway_directory }}=", "localhost")
    answer = installed.run("ansible", "-i", str(installed.collection / "inventory/local"), *asked)
    assert f"{installed.collection}/apps={installed.here}/.slipway=" in answer
    assert (installed.collection / "apps/workshop/nginx/Dockerfile").is_file()

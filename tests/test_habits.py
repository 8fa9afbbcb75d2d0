"""Packaging, pins and import directions keep their promises."""

import ast
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.checkout import (
    PROJECT,
    ROOT,
    constraints,
    direct_requirements,
    project_files,
    run,
)

PACKAGES = ("mixspace", "space", "trainers", "search", "dashboard")
HEAVY = ("torch", "torchvision", "timm", "ray", "optuna")


def test_no_link_is_committed() -> None:
    """A link to an environment would replace that of whoever pulls it."""
    listed = run("git", "ls-files", "--stage")
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    assert [line for line in listed.stdout.splitlines() if line.startswith("120000")] == []


# Dependencies


def test_constraints_are_plain_pins() -> None:
    for line in constraints():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), line


def test_constraints_pin_every_direct_dependency_at_the_same_version() -> None:
    pins = {canonicalize_name(n): v for n, v in (line.split("==") for line in constraints())}
    for requirement in direct_requirements():
        pinned = pins.get(canonicalize_name(requirement.name))
        assert str(requirement.specifier) == f"=={pinned}", requirement


def test_every_imported_package_is_a_direct_dependency() -> None:
    """What the packages import is asked for by name, and not left to come with something else."""
    asked = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    extras = {
        # They say what is not there.
        ROOT / "search" / "visualization" / "figure_file.py": "plot",
        ROOT / "trainers" / "export" / "onnx_file.py": "export",
    }
    trackers = ROOT / "search" / "trackers"  # each says which library it needs
    names = {"yaml": "pyyaml", "PIL": "pillow", "tensorboardX": "tensorboardx"}
    published = ROOT / "search" / "testing"  # suites for the tests of others, who have pytest
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        asked_for = PROJECT["optional-dependencies"].get(extras.get(path, ""), ())
        known = {Requirement(text).name for text in asked_for}
        known |= {"pytest"} if published in path.parents else set()
        known |= {path.stem} if path.parent == trackers else set()
        # Comes with PyTorch where it is built for GPUs, and nowhere else.
        known |= {"triton"} if path.name == "triton_kernels.py" else set()
        for module in imported_modules(path) - set(sys.stdlib_module_names) - set(PACKAGES) - known:
            assert canonicalize_name(names.get(module, module)) in asked, f"{path}: {module}"


def imported_modules(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found


# Packages


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_every_folder_with_modules_is_a_package() -> None:
    """Without __init__.py neither the wheel nor the import contracts would see it."""
    for package in PACKAGES:
        for folder in {path.parent for path in (ROOT / package).rglob("*.py")}:
            assert (folder / "__init__.py").is_file(), folder


def test_console_command_and_module_are_the_same_program() -> None:
    module, _, name = PROJECT["scripts"]["mixspace"].partition(":")
    assert callable(getattr(import_module(module), name))
    shown = run(sys.executable, "-m", "search", "--help")
    assert shown.returncode == 0, shown.stderr
    for command in ("run", "best", "show", "studies"):
        assert command in shown.stdout


def test_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text()


# Import directions


@pytest.mark.parametrize("modules", ["space", "search.store, search.query", "dashboard"])
def test_light_rooms_import_nothing_heavy(modules: str) -> None:
    code = f"import sys, {modules}; print(*sorted(set({HEAVY!r}) & sys.modules.keys()))"
    seen = run(sys.executable, "-c", code)
    assert seen.returncode == 0, seen.stderr
    assert seen.stdout.strip() == ""


def test_import_contracts_hold() -> None:
    linter = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    checked = run(sys.executable, "-c", linter)
    assert checked.returncode == 0, checked.stdout + checked.stderr


# What is written in the files


def test_no_file_names_a_machine_or_a_registry() -> None:
    # Put together from parts, so that this file passes its own test.
    words = ["/wo" + "rk/", "/ro" + "ot/", "/op" + "t/", "/tm" + "p/spec"]
    words += ["pypi" + ".org", "python" + "hosted", "download." + "pytorch"]
    for path in project_files():
        text = path.read_text(errors="replace")
        found = [word for word in words if word in text]
        homes = re.findall(r"/home/(?!ray\b)\w+", text)
        assert not found + homes, f"{path.relative_to(ROOT)}: {found + homes}"


def test_readme_names_only_what_exists() -> None:
    texts = [(ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md")]
    text = "\n".join(texts)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
    for config in set(re.findall(r"configs/[\w-]+\.yaml", text)) - {"configs/mine.yaml"}:
        assert (ROOT / config).is_file(), config
    prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)  # formulas look like links
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", prose)
    assert "docs/images/dashboard/accuracy-cost.png" in links
    for link in links:
        assert (ROOT / link).exists(), link

"""Packaging, import directions, the Makefile and the cluster files keep their promises."""

import ast
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("mixspace", "space", "trainers", "search", "dashboard")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
HEAVY = ("torch", "torchvision", "timm", "ray", "optuna")


def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=options.pop("cwd", ROOT), text=True, capture_output=True, **options
    )


def constraints() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def direct_requirements() -> list[Requirement]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(text) for group in groups for text in group]


def project_files() -> list[Path]:
    """The text files of a clone: tracked ones, and new ones that git does not ignore."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard")
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    binary = {".gz", ".png", ".db", ".safetensors", ".jpg", ".ico"}
    paths = (ROOT / name for name in listed.stdout.splitlines())
    return [path for path in paths if path.is_file() and path.suffix not in binary]


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


# The Makefile, with a Python that only writes down what it is asked for

RECORDER = """#!/bin/sh
case "$1 $2" in
  "-c import"*) exit {too_old} ;;
  "--version "*) echo "Python 3.{minor}.0"; exit 0 ;;
esac
echo "$@" >> "{log}"
if [ "$1 $2" = "-m venv" ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi
"""


class Newcomer:
    """A folder with the Makefile, the pins, and a recording Python."""

    def __init__(self, folder: Path, *, minor: int = 11) -> None:
        self.folder = folder
        self.log = folder / "log"
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder / name)
        self.python = folder / "recorder"
        script = RECORDER.format(log=self.log, minor=minor, too_old=int(minor < 11))
        self.python.write_text(script)
        self.python.chmod(self.python.stat().st_mode | stat.S_IXUSR)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        command = ("make", "--no-print-directory", *arguments, f"PYTHON={self.python}")
        return run(*command, cwd=self.folder, env=clean)

    def calls(self) -> list[str]:
        """What Python was asked for since the last look."""
        seen = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.write_text("")
        return seen


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    if shutil.which("make") is None:
        pytest.skip("no make")
    return Newcomer(tmp_path)


def test_search_installs_torch_first_and_no_test_tools(newcomer: Newcomer) -> None:
    assert newcomer.make("search").returncode == 0
    calls = newcomer.calls()
    installs = [call for call in calls if "pip" in call]
    assert installs[0].endswith(next(pin for pin in constraints() if pin.startswith("torch==")))
    assert installs[-1].endswith("-c constraints.txt -e .")
    assert len(installs) == 2
    assert calls[-1] == "-m search run configs/quickstart.yaml --resume"


def test_second_run_skips_what_is_done(newcomer: Newcomer) -> None:
    newcomer.make("search")
    newcomer.calls()
    newcomer.make("search", "CONFIG=configs/mine.yaml", "ARGS=--study mine")
    assert newcomer.calls() == ["-m search run configs/mine.yaml --study mine"]


def test_test_adds_its_own_tools(newcomer: Newcomer) -> None:
    newcomer.make("search")
    newcomer.calls()
    assert newcomer.make("test").returncode == 0
    install, tests = newcomer.calls()
    assert install.endswith("-e .[test]")
    assert tests.startswith("-m pytest tests")


def test_docs_adds_what_builds_the_pages(newcomer: Newcomer) -> None:
    newcomer.make("search")
    newcomer.calls()
    assert newcomer.make("docs").returncode == 0
    install, build = newcomer.calls()
    assert install.endswith("-e .[docs]")
    assert build.startswith("-m sphinx -W")


def test_faults_does_not_take_the_arguments_of_a_search(newcomer: Newcomer) -> None:
    newcomer.make("faults")
    assert newcomer.calls()[-1] == "-m tests.campaign"
    newcomer.make("faults", "ARGS=--kills 20")
    assert newcomer.calls() == ["-m tests.campaign --kills 20"]


def test_changed_pins_are_installed(newcomer: Newcomer) -> None:
    newcomer.make("search")
    newcomer.calls()
    later = (newcomer.folder / ".venv" / ".runtime").stat().st_mtime + 10
    os.utime(newcomer.folder / "pyproject.toml", (later, later))
    newcomer.make("search")
    assert any(call.endswith("-e .") for call in newcomer.calls())


def test_old_python_is_refused_with_a_way_out(tmp_path: Path) -> None:
    refused = Newcomer(tmp_path, minor=10).make("search")
    assert refused.returncode != 0
    assert "Python 3.11 or newer" in refused.stderr
    assert "PYTHON=" in refused.stderr
    assert not (tmp_path / ".venv").exists()


def test_help_is_the_default_and_lists_the_targets(newcomer: Newcomer) -> None:
    shown = newcomer.make().stdout
    tests = ("test", "test-thorough", "test-slow", "faults")
    for target in ("search", *tests, "lint", "docs", "dashboard", "clean"):
        assert f"make {target} " in shown


# The cluster files

RAY = next(r for r in direct_requirements() if r.name == "ray").specifier
RAY_VERSION = str(RAY).removeprefix("==")
IMAGE = f"mixspace:{PROJECT['version']}"


def deploy_yaml(name: str) -> Any:
    return yaml.safe_load((ROOT / "deploy" / name).read_text())


def test_image_is_built_on_the_pinned_ray() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    base = re.search(r"^FROM rayproject/ray:(\S+)-py(\d)(\d+)", dockerfile, re.MULTILINE)
    assert base is not None
    assert base[1] == RAY_VERSION
    assert f"{base[2]}.{base[3]}" in PROJECT["requires-python"]
    assert f"-t {IMAGE} " in dockerfile


def docker_instructions(word: str) -> list[str]:
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    return [line.removeprefix(word).strip() for line in lines if line.startswith(f"{word} ")]


def test_image_runs_as_an_ordinary_user_on_an_exact_base() -> None:
    (base,) = docker_instructions("FROM")
    assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+-py\d+-gpu", base)
    assert docker_instructions("USER") == ["ray"]
    assert "--chown=ray . ." in docker_instructions("COPY")
    (folder,) = docker_instructions("WORKDIR")
    made = f"mkdir -p {folder}"
    assert docker_instructions("RUN")[0] == made, "made by that user, who writes into it"
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    places = [text.index(f"\n{word}") for word in ("USER", f"RUN {made}", "WORKDIR", "COPY")]
    assert places == sorted(places)
    assert "server.address" not in text, "its dashboard listens where the settings beside it say"
    job = deploy_yaml("rayjob.yaml")["spec"]["rayClusterSpec"]
    for group in (job["headGroupSpec"], *job["workerGroupSpecs"]):
        assert group["template"]["spec"]["securityContext"]["runAsNonRoot"] is True


LEFT_AT_HOME = (
    *("mixspace.db", "a/b/x.db", "a/x.db-wal", "a/x.db-shm", "a/x.db-journal", "a/x.sqlite"),
    *("x.sqlite3", "a/b/c/x.sqlite3-wal", "a/w.safetensors", "w.pt", "a/w.pth", "a/b/w.ckpt"),
    *("a/w.npz", "w.onnx", "checkpoints/t/1.bin", ".env", "a/.env", "a/.env.local", "prod.env"),
    *("a/tls.pem", "tls.key", "id_rsa", "a/id_rsa.pub", "a/id_ed25519", ".ssh/config", "a/.ssh/x"),
    *(".aws/config", "a/.aws/credentials", ".netrc", "a/.netrc", "credentials", "a/credentials"),
    *(".git/config", "a/.git/config", ".venv/bin/python", "a/.venv/x", "a/__pycache__/m.pyc"),
    *("a/w.pth.tar", "a/pytorch_model.bin", "w.h5", "a/w.pkl", "w.npy", "a/w.gguf", "venv/x"),
    *(".htpasswd", "a/m.htpasswd", "service-account-1.json", "a/client_secret_2.json"),
    *("secrets.yaml", "a/secrets.yml", "secrets.json", ".docker/config.json", "kubeconfig"),
    *(".config/gcloud/x.json", "a/.config/gcloud/x.json", ".huggingface/token", "a/x.jks"),
    *("x.ppk", ".s3cfg", "a/.my.cnf", "kaggle.json", ".vault-token", "a/x.db3", "a/X.DB"),
    *("X.DB-wal", "a/checkpoints/t/1.txt"),
    *("dashboard/.streamlit/secrets.toml", ".pgpass", "a/.kube/config", "docs/x.md", "tests/t.py"),
)
TAKEN_ALONG = (
    *(
        "pyproject.toml",
        "configs/mine.yaml",
        "configs/spaces/s.yaml",
        "trainers/data/embedded/i.gz",
    ),
    *("search/store/migrations/versions/r0001.py", "search/runner/checkpoints.py", "keys.py"),
    *("mine/credentials.py", "mine/environment.yaml", "mine/tests/data.csv", "mine/docs/t.json"),
    *("dashboard/.streamlit/config.toml", "mine/database.py", "mine/model.py", "photos/a/1.jpg"),
)


@pytest.mark.parametrize("with_gitignore", [False, True])
def test_a_ray_job_leaves_stores_weights_and_secrets_at_home(
    tmp_path: Path, with_gitignore: bool
) -> None:
    """Packed as Ray packs a working directory."""
    from zipfile import ZipFile

    from ray._private.runtime_env.packaging import create_package

    folder, package = tmp_path / "project", tmp_path / "package.zip"
    for name in (*LEFT_AT_HOME, *TAKEN_ALONG):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    shutil.copy(ROOT / ".rayignore", folder)
    create_package(str(folder), package, include_gitignore=with_gitignore)
    with ZipFile(package) as packed:
        taken = {name for name in packed.namelist() if not name.endswith("/")}
    assert taken == {*TAKEN_ALONG, ".rayignore"}


def test_a_ray_job_takes_along_every_tracked_file_that_it_needs() -> None:
    from ray._private.runtime_env.packaging import get_excludes_from_ignore_files

    left = get_excludes_from_ignore_files(ROOT, include_gitignore=False)
    at_home = {path.relative_to(ROOT).parts[0] for path in project_files() if left[0](path)}
    assert at_home <= {".ci", "docs", "tests"}


def test_the_image_leaves_out_what_a_ray_job_leaves_at_home() -> None:
    def patterns(path: Path) -> list[str]:
        lines = path.read_text().splitlines()
        return [line for line in lines if line and not line.startswith("#")]

    written = [
        line.removeprefix("/").rstrip("/")
        if line.startswith("/")
        else f"**/{line.removeprefix('**/').rstrip('/')}"
        for line in patterns(ROOT / ".rayignore")
    ]
    assert patterns(ROOT / "deploy" / "Dockerfile.dockerignore") == written


def test_ray_accepts_the_cluster_file() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = deploy_yaml("cluster.yaml")
    validate_config(prepare_config(config))
    assert config["docker"]["image"] == IMAGE
    assert "--env RAY_AUTH_MODE=token" in config["docker"]["run_options"]
    assert config["file_mounts"]["/home/ray/.ray/auth_token"] == "~/.ray/auth_token"


def test_rayjob_names_the_pinned_ray_the_image_and_a_secret() -> None:
    job = deploy_yaml("rayjob.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["rayVersion"] == RAY_VERSION
    assert cluster["authOptions"] == {"mode": "token"}
    head = cluster["headGroupSpec"]["template"]["spec"]
    workers = [group["template"]["spec"] for group in cluster["workerGroupSpecs"]]
    containers = [c for spec in (head, *workers) for c in spec["containers"]]
    assert {c["image"] for c in containers} == {IMAGE}
    store = next(e for e in head["containers"][0]["env"] if e["name"] == "MIXSPACE_STORE")
    assert store["valueFrom"]["secretKeyRef"] == {"name": "mixspace-store", "key": "url"}
    for spec in (head, *workers):
        volumes = {volume["name"] for volume in spec["volumes"]}
        assert {m["name"] for c in spec["containers"] for m in c["volumeMounts"]} == volumes


def test_rayjob_runs_a_command_that_the_command_line_knows(tmp_path: Path) -> None:
    """Run its entrypoint here: without the images it is refused as bad input, nothing written."""
    words = deploy_yaml("rayjob.yaml")["spec"]["entrypoint"].split()
    assert words[:4] == ["python", "-m", "search", "run"]
    config = Path(words[4]).relative_to("/home/ray/mixspace")
    assert (ROOT / config).is_file()
    command = [sys.executable, *words[1:4], str(ROOT / config), *words[5:]]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    refused = run(*command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path})
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert "/data/imagenet" in refused.stderr
    assert list(tmp_path.iterdir()) == []

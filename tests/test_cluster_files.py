"""The image, the cluster files and what a Ray job takes along."""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checkout import PROJECT, ROOT, direct_requirements, project_files, run

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

"""Heads of clusters that cannot be joined: each is refused in a line, and soon."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from search.ray_executor import ray_head
from search.ray_executor.connection import connected_to_ray
from search.ray_executor.ray_servers import HeadNode
from search.ray_executor.ray_start import ray_settings
from space import InputError


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """A port where somebody says something that is not what a Ray says, or nothing."""
    held: list[socket.socket] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                if answer is not None:
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    for connection in held:
        connection.close()


def refused(address: str) -> str:
    with pytest.raises(InputError) as error, connected_to_ray(address):
        pass
    (problem,) = error.value.problems
    assert problem.where == "RAY_ADDRESS"
    assert "\n" not in problem.message
    return problem.message


@pytest.mark.parametrize("answer", [None, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_what_is_no_ray_is_refused(answer: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_head, "_SECONDS", 1.0)
    with answering(answer) as address:
        assert refused(address).startswith(f"what answers at {address} is not the head of a Ray: ")


@pytest.mark.parametrize("given", ["frobnicate", "10.0.0.1", "host:", ":6379", "host:0", "h:70000"])
def test_an_address_is_a_host_and_a_port(given: str) -> None:
    assert refused(given) == f'is {given!r}, and has to be HOST:PORT or "auto"'


@pytest.mark.parametrize("host", ["a..b", "x" * 70])
def test_a_name_that_no_host_can_have_is_refused(host: str) -> None:
    assert refused(f"{host}:6379").startswith(f"no Ray answers at {host}:6379: ")


def test_nobody_is_asked_for_with_a_token_that_is_not_there(tmp_path: Path) -> None:
    settings = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": None,
        "RAY_AUTH_TOKEN_PATH": str(tmp_path / "none"),
    }
    with answering(None) as address, ray_settings(settings):
        assert "without a token, and there is none" in refused(address)


def fake_proc(folder: Path, *commands: list[str]) -> Path:
    for number, words in enumerate(commands, 1):
        (folder / str(number)).mkdir(parents=True)
        (folder / str(number) / "cmdline").write_text("\0".join(words))
    return folder


def test_auto_is_never_the_private_ray_of_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = [
        *("/lib/raylet", "--raylet_socket_name=/tmp/mixspace-ray-a1/session/sockets/raylet"),
        "--gcs-address=127.0.0.1:1111",
    ]
    cluster = ["/lib/raylet", "--raylet_socket_name=/tmp/ray/s/raylet", "--gcs-address=10.0.0.1:2"]
    monkeypatch.setattr(ray_head, "_PROCESSES", fake_proc(tmp_path / "a", private))
    assert "auto, and no Ray of this user runs on this machine" in refused("auto")
    monkeypatch.setattr(ray_head, "_PROCESSES", fake_proc(tmp_path / "b", private, cluster))
    assert ray_head.address_of("auto") == "10.0.0.1:2"


def test_auto_is_never_the_ray_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fake_proc(tmp_path, ["/lib/raylet", "--gcs-address=10.0.0.1:2"])
    monkeypatch.setattr(ray_head, "_PROCESSES", folder)
    another = os.geteuid() + 1
    monkeypatch.setattr("os.geteuid", lambda: another)
    assert "auto, and no Ray of this user runs on this machine" in refused("auto")


@pytest.mark.parametrize(
    ("address", "head", "joined"),
    [
        ("10.0.0.1:2", "10.0.0.1:2", True),
        ("127.0.0.1:2", "10.0.0.1:2", True),
        ("localhost:2", "10.0.0.1:2", True),
        ("10.0.0.1:2", "10.0.0.1:3", False),
        ("127.0.0.1:2", "10.0.0.7:2", False),
    ],
)
def test_a_machine_that_is_a_node_of_another_cluster_is_none_of_this(
    address: str, head: str, joined: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fake_proc(tmp_path, ["/lib/raylet", f"--gcs-address={head}"])
    monkeypatch.setattr(ray_head, "_PROCESSES", folder)
    clusters = {"10.0.0.7:2": b"b", "10.0.0.1:3": b"c"}  # all others are of one
    monkeypatch.setattr(ray_head, "_cluster_id", lambda at: clusters.get(at, b"a"))
    with nullcontext() if joined else pytest.raises(InputError, match="is no node of the cluster"):
        ray_head._check_machine(address)


def test_a_head_may_be_away_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.ray_executor.ray_servers._HEAD_INTERVAL", 0.01)
    with answering(b"") as address:
        head = HeadNode(address, patience=0.2)
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            assert head.gone() is None
            time.sleep(0.01)
    assert HeadNode(address, patience=60).gone() is None
    deadline = time.monotonic() + 20
    while head.gone() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert head.gone() == f"the head of the cluster at {address} does not answer"

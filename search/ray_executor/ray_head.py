"""The head node of a cluster: where it is, and whether it takes us. Ray itself asks for minutes."""

import os
import socket
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from search.ray_executor.watchdog_process import PREFIX
from space.errors import InputError

ADDRESS = "RAY_ADDRESS"
_SECONDS = 10.0
_PROCESSES = Path("/proc")
_GCS_ADDRESS = "--gcs-address"
_TOKEN = (
    "give the cluster's token by RAY_AUTH_MODE=token with ~/.ray/auth_token, "
    "RAY_AUTH_TOKEN_PATH or RAY_AUTH_TOKEN"
)


def address_of(given: str) -> str:
    """HOST:PORT of the head that a value of RAY_ADDRESS means.

    Raises:
        InputError: it means none.
    """
    if "://" in given:
        raise InputError.of(
            ADDRESS,
            f"{given} is not the address of a head node; submit the search as a job instead: "
            "ray job submit --working-dir . -- python -m search run CONFIG",
        )
    if given == "auto":
        return _found_here()
    host, _, port = given.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise InputError.of(ADDRESS, f'is {given!r}, and has to be HOST:PORT or "auto"')
    return given


def _found_here() -> str:
    """The Ray that "auto" means: of this user, on this machine, and no private one of some run."""
    from ray._private.utils import read_ray_address

    running = _heads_here()
    try:
        latest = read_ray_address()
    except OSError:  # of another user
        latest = None
    if latest in running:
        return latest
    if running:
        return sorted(running)[0]
    raise InputError.of(
        ADDRESS,
        "is auto, and no Ray of this user runs on this machine; start one by ray start --head, "
        "give HOST:PORT, or unset it: then the run starts a private Ray",
    )


def _heads_here() -> set[str]:
    """The heads to which this user's Ray servers of this machine belong, private ones left out.

    Another user's Ray is nobody else's: it may be a notebook's, and end with it.
    """
    me = os.geteuid()
    return {
        head
        for _, owner, words in raylets()
        for head in _heads_of(words)
        if owner == me and not any(f"/{PREFIX}" in word for word in words)
    }


def raylets() -> Iterator[tuple[int, int, list[str]]]:
    """The process, the user and the command of every raylet of this machine."""
    for entry in _PROCESSES.glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            owner = entry.stat().st_uid
        except OSError:  # it has ended meanwhile
            continue
        if Path(words[0]).name == "raylet":
            yield int(entry.name), owner, words


def _heads_of(words: list[str]) -> set[str]:
    """The head that a raylet's command names."""
    pairs = (word.partition("=") for word in words)
    return {value for name, _, value in pairs if name == _GCS_ADDRESS}


def ask_head(address: str) -> None:
    """See that a Ray answers at an address, and that it takes our token.

    Raises:
        InputError: why not, within seconds.
    """
    try:
        knock(address, _SECONDS)
    except (OSError, UnicodeError) as error:  # Unicode: a name that no host can have
        reason = getattr(error, "strerror", str(error)) or "no answer in time"
        raise InputError.of(ADDRESS, f"no Ray answers at {address}: {reason}") from None
    _check_token(address)
    _check_service(address)
    _check_machine(address)


def knock(address: str, seconds: float) -> None:
    """See that somebody listens at HOST:PORT.

    Raises:
        OSError: nobody does within so many seconds.
        UnicodeError: no host can have that name.
    """
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), seconds).close()


def _check_machine(address: str) -> None:
    """A driver talks to the cluster through the Ray of its own machine, and waits for that."""
    heads = {head for *_, words in raylets() for head in _heads_of(words)}
    if address not in heads and not any(_is_same(address, head) for head in sorted(heads)):
        raise InputError.of(
            ADDRESS,
            f"this machine is no node of the cluster at {address}; make it one by "
            f"ray start --address={address}, or use ray job submit",
        )


def _is_same(address: str, other: str) -> bool:
    """Whether one cluster answers at both: a head has names, and an address in every network."""
    try:
        return _cluster_id(address) == _cluster_id(other)
    except _untyped("grpc").RpcError:
        return False


def _check_token(address: str) -> None:
    """Ray ends the process that has to show a token and has none."""
    raylet = _untyped("ray._raylet")
    if raylet.get_authentication_mode() != raylet.AuthenticationMode.TOKEN:
        return
    try:
        found = raylet.AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True)
    except _untyped("ray.exceptions").AuthenticationError:  # a file that is named and not there
        found = False
    if not found:
        message = f"the Ray at {address} cannot be asked without a token, and there is none"
        raise InputError.of(ADDRESS, f"{message}; {_TOKEN}")


def _check_service(address: str) -> None:
    try:
        _cluster_id(address)
    except _untyped("grpc").RpcError as error:
        raise InputError.of(ADDRESS, _refusal(address, error)) from None


def _cluster_id(address: str) -> bytes:
    """What the head at an address calls its cluster."""
    messages = _untyped("ray.core.generated.gcs_service_pb2")
    services = _untyped("ray.core.generated.gcs_service_pb2_grpc")
    channel = _untyped("ray._private.grpc_utils").init_grpc_channel(address)
    try:
        head = services.NodeInfoGcsServiceStub(channel)
        answer = head.GetClusterId(messages.GetClusterIdRequest(), timeout=_SECONDS)
        return bytes(answer.cluster_id)
    finally:
        channel.close()


def _untyped(name: str) -> Any:
    """A module of which mypy knows nothing."""
    return import_module(name)


def _refusal(address: str, error: Any) -> str:
    grpc = _untyped("grpc")
    if error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
        return f"the Ray at {address} does not take our token; {_TOKEN}"
    said = " ".join(str(error.details() or error.code().name).split())
    return f"what answers at {address} is not the head of a Ray: {said[:200]}"

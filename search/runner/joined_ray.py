"""A Ray that is there already: found, asked whether it takes us, and joined."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from search.runner.cluster import Cluster, cluster_resources, first_line, init_options
from search.runner.ray_head import ADDRESS, address_of, ask_head
from search.runner.ray_servers import HeadNode, Watched, raylet_of_this_driver
from search.runner.ray_start import keeping_our_signal_handlers, shut_down_ray
from search.runner.watched import OnWatch, watched_folder
from space.errors import InputError


@contextmanager
def joined_ray(given: str, on_watch: OnWatch) -> Iterator[Cluster]:
    """Connect to the cluster at an address for a block.

    Args:
        given: HOST:PORT of its head, or "auto".
        on_watch: called before the connection is made.

    Raises:
        InputError: nobody answers, or does not take us.
    """

    address = address_of(given)
    ask_head(address)
    with watched_folder(on_watch) as watchdog:
        try:
            _connect(address)
            logging.getLogger("ray").setLevel(logging.ERROR)
            servers: tuple[Watched, ...] = (HeadNode(address), *raylet_of_this_driver())
            yield Cluster(
                cluster_resources(),
                watchdog.folder / "tune",
                local=False,
                servers=servers,
                watchdog=watchdog,
            )
        finally:
            shut_down_ray()


def _connect(address: str) -> None:
    import ray

    with keeping_our_signal_handlers():
        try:
            ray.init(address=address, **init_options())
        except Exception as error:
            message = f"the Ray at {address} cannot be used: {first_line(error)}"
            raise InputError.of(ADDRESS, message) from error

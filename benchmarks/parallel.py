"""Processes for benchmarks: started fresh, one thread each, and gone when their parent is."""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import connection


def processes(workers: int) -> ProcessPoolExecutor:
    """A pool whose processes end with this one, even when it is killed."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by the processes as they start
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "runs in a child only"

    def wait() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)  # there is nobody left to tell

    threading.Thread(target=wait, daemon=True).start()

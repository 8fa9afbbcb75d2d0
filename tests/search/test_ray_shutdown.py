"""A signal that comes while Ray has been left and its files are removed."""

import subprocess
import sys

import pytest

DRIVER = """
import os, signal
from search.ray_executor.connection import connected_to_ray
from search.ray_executor.watchdog import Watchdog
heard = []
signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
end_all = Watchdog.end_all
def end_all_when_told_to_end(watchdog):
    os.kill(os.getpid(), signal.SIGTERM)
    end_all(watchdog)
Watchdog.end_all = end_all_when_told_to_end
with connected_to_ray(None):
    pass
print("heard", *heard)
"""


@pytest.mark.thorough
@pytest.mark.ray
@pytest.mark.timeout(240)
def test_a_signal_after_ray_was_left_is_heard_by_our_handler() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DRIVER], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert done.stdout.split()[-2:] == ["heard", "15"]

"""One study of a campaign: its drivers, what is done to them, and what was seen meanwhile."""

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign.drivers import MARK, Driver, start_driver
from tests.campaign.faults import STOP, TERM, Fault, Sequel, Victim
from tests.campaign.looking import Epoch, Look, look_at_checkpoints, look_at_store
from tests.campaign.places import Place
from tests.campaign.plans import Plan
from tests.campaign.processes import Family, Process

_TICK = 0.25
_STALLED = 300.0
"""Seconds without a new epoch, a new driver or a fault, after which a search hangs."""
_MOST_RESTARTS = 12
"""Drivers that a study may need beside one for every fault."""
_ENDS = 40.0
"""Seconds for what belongs to a search to end after its last driver."""


@dataclass
class Seen:
    """What a study has shown while it was under way.

    Attributes:
        epochs: the seconds of every epoch that was in the store or in a checkpoint, when it was
            seen first.
        changed: epochs that took another time when they were seen later: they were trained again.
        open_runs: the largest number of runs without an end at any moment.
    """

    epochs: dict[Epoch, float] = field(default_factory=dict)
    changed: set[Epoch] = field(default_factory=set)
    open_runs: int = 0

    def note(self, epochs: dict[Epoch, float], look: Look | None) -> bool:
        """Remember a look; whether there was anything new."""
        before = len(self.epochs)
        for source in (epochs, look.epochs if look is not None else {}):
            for epoch, seconds in source.items():
                if self.epochs.setdefault(epoch, seconds) != seconds:
                    self.changed.add(epoch)
        if look is not None:
            self.open_runs = max(self.open_runs, sum(not run.ended for run in look.runs))
        return len(self.epochs) > before


class StudyUnderFire:
    """Runs a plan to its end.

    Attributes:
        drivers: all that were started.
        family: what began below them.
        seen: what the study has shown.
        struck: the faults that were delivered.
        gave_up: why the study was given up; empty when its last driver said that it is done.

    Args:
        plan: what to do.
        folder: an empty one for this study.
        place: where its store is.
        say: told of every step.
        over: set when the study shall be given up.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        place: Place,
        say: Callable[[str], None],
        over: threading.Event,
    ) -> None:
        self.plan, self.folder, self.place = plan, folder, place
        self.drivers: list[Driver] = []
        self.seen = Seen()
        self.struck: list[Fault] = []
        self.gave_up = ""
        self._say, self._over, self._log = say, over, folder / "what-happened.log"
        self._mark = f"{os.getpid()}-{plan.name}-{random.SystemRandom().randrange(2**32):08x}"
        self.family = Family(f"{MARK}={self._mark}")
        self._left = list(plan.faults)
        self._since: float | None = None
        self._counted = 0
        self._moved = time.monotonic()

    def run(self) -> None:
        """Until a driver says that the study is done, or it has to be given up."""
        self.plan.write(self.folder, self.place.url)
        try:
            while not self.gave_up:
                driver = self._start()
                self._accompany(driver)
                if driver.code == 0:
                    break
                if len(self.drivers) > len(self.plan.faults) + _MOST_RESTARTS:
                    self.gave_up = f"not done after {len(self.drivers)} drivers"
        finally:
            for driver in self.drivers:
                if driver.code is None:
                    driver.popen.kill()
                driver.popen.wait()

    def wait_for_the_end(self) -> list[Process]:
        """What still runs some time after the last driver; it is ended then."""
        deadline = time.monotonic() + _ENDS
        self.family.look()
        while self.family.living and time.monotonic() < deadline:
            time.sleep(_TICK)
            self.family.look()
        left = self.family.living
        for process in left:
            self.note(f"left over: {process.pid} {' '.join(process.words)[:300]}")
            process.send(signal.SIGKILL)
        return left

    def look(self) -> Look | None:
        """Look at store and checkpoints, and remember it."""
        look = look_at_store(self.place.url)
        if self.seen.note(look_at_checkpoints(self.folder / "checkpoints"), look):
            self._moved = time.monotonic()
        return look

    def note(self, text: str) -> None:
        """Write down what happened."""
        with self._log.open("a") as log:
            log.write(f"{time.strftime('%H:%M:%S')} {text}\n")

    # --- drivers

    def _start(self) -> Driver:
        driver = start_driver(self.folder, len(self.drivers) + 1, self._mark)
        self.drivers.append(driver)
        self.family.members.add(driver.process)
        self._moved = time.monotonic()
        self._since = None
        self.note(f"driver {len(self.drivers)} is process {driver.process.pid}")
        return driver

    def _accompany(self, driver: Driver) -> None:
        while driver.code is None:
            self.family.look()
            look = self.look()
            if self._left and self._is_time(self._left[0], driver, look):
                self._strike(self._left[0], driver)
            if time.monotonic() - self._moved > _STALLED:
                self.gave_up = f"nothing moved for {_STALLED:.0f} s"
            if self._over.is_set():
                self.gave_up = "interrupted"
            if self.gave_up:
                self.note(self.gave_up)
                return
            time.sleep(_TICK)
        self.note(f"driver {len(self.drivers)} ended with {driver.code}")

    # --- faults

    def _is_time(self, fault: Fault, driver: Driver, look: Look | None) -> bool:
        """Whether the moment of a fault has come: its condition first, then its wait."""
        if self._since is None and self._condition(fault, driver, look):
            self._since = time.monotonic()
        return self._since is not None and time.monotonic() - self._since >= fault.wait

    def _condition(self, fault: Fault, driver: Driver, look: Look | None) -> bool:
        if fault.at_start and not any(process.trains for process in self.family.living):
            # Nobody is there yet to speak for a driver that is killed sooner.
            return driver.starts_ray if fault.signal == TERM else self._is_watched(driver)
        return look is not None and len(self.seen.epochs) >= self._counted + fault.epochs

    def _is_watched(self, driver: Driver) -> bool:
        """Whether the watchdog of this driver runs."""
        return any(
            process.started >= driver.process.started
            and "watchdog_process.py" in " ".join(process.words)
            for process in self.family.living
        )

    def _strike(self, fault: Fault, driver: Driver) -> None:
        self.look()
        if not self._deliver(fault, driver):
            return  # its victim is not there yet; the next moment will do
        driver.hit.append(str(fault))
        self.struck.append(self._left.pop(0))
        self._counted, self._since = len(self.seen.epochs), None
        self._moved = time.monotonic()
        self.note(str(fault))
        self._say(f"{self.plan.name}: {fault}")

    def _deliver(self, fault: Fault, driver: Driver) -> bool:
        if fault.victim in (Victim.SERVER, Victim.BACKEND):
            return self.place.strike(fault)
        victim = self._victim(fault, driver)
        if victim is None or not self._send(fault, victim, fault.signal):
            return False
        if fault.signal == STOP and fault.sequel != Sequel.LEFT:
            time.sleep(fault.seconds)
            killed = fault.sequel == Sequel.KILLED
            self._send(fault, victim, signal.SIGKILL if killed else signal.SIGCONT)
        return True

    def _send(self, fault: Fault, victim: Process, number: signal.Signals) -> bool:
        if fault.victim != Victim.GROUP:
            return victim.send(number)
        if not victim.alive:
            return False
        os.killpg(victim.pid, number)
        return True

    def _victim(self, fault: Fault, driver: Driver) -> Process | None:
        if fault.victim in (Victim.DRIVER, Victim.GROUP):
            return driver.process
        self.family.look()
        wanted = {Victim.RAYLET: "raylet", Victim.HEAD: "gcs_server"}.get(fault.victim)
        living = reversed(self.family.living)  # what an earlier driver has left is older
        if wanted is None:
            return next((process for process in living if process.trains), None)
        return next((process for process in living if process.program == wanted), None)

    def keep(self, look: Look | None) -> None:
        """Write down what the store held in the end, as far as it could be read."""
        if look is not None:
            rows = {
                "trials": [vars(trial) for trial in look.trials],
                "events": [[event.trial, event.kind, event.epoch] for event in look.events],
                "runs": [vars(run) for run in look.runs],
                "epochs": [[*epoch, seconds] for epoch, seconds in look.epochs.items()],
            }
            (self.folder / "store.json").write_text(json.dumps(rows, indent=1))
        self.place.keep_log(self.folder)

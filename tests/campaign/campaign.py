"""Many studies under fire, some at a time, until there were faults enough."""

import shutil
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.campaign.places import place
from tests.campaign.plans import Plan, plans
from tests.campaign.study import StudyUnderFire
from tests.campaign.verdict import Figures, judge


@dataclass
class Row:
    """The studies of one kind of store.

    Attributes:
        struck: how often which victim got which signal.
        problems: what went wrong, by the folder in which more is kept.
    """

    store: str
    studies: int = 0
    drivers: int = 0
    figures: Figures = field(default_factory=Figures)
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """Faults that were delivered."""
        return self.struck.total()

    def add(self, other: "Row") -> None:
        """Take in other studies."""
        self.studies += other.studies
        self.drivers += other.drivers
        self.figures += other.figures
        self.struck += other.struck
        self.problems += other.problems


class Campaign:
    """Studies until `kills` faults were delivered, or the time is up.

    Args:
        stores: kinds of stores, which take turns.
        kills: how many faults to deliver.
        seed: of the plans.
        seconds: no study begins later than that.
        folder: for what is kept of studies that were not sound.
        say: told of every step.
    """

    def __init__(
        self,
        stores: list[str],
        kills: int,
        seed: int,
        seconds: float,
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        self.rows = {store: Row(store) for store in stores}
        self._kills, self._folder, self._say = kills, folder, say
        self._plans = plans(stores, seed)
        self._deadline = time.monotonic() + seconds
        self._under_way = 0
        self._changed = threading.Condition()
        self._over = threading.Event()

    def run(self, jobs: int) -> None:
        """Run them, so many at a time; Ctrl-C ends those that are under way."""
        with ThreadPoolExecutor(jobs) as pool:
            work = [pool.submit(self._work) for _ in range(jobs)]
            try:
                for done in work:
                    done.result()
            except BaseException:
                self._over.set()
                raise

    def _work(self) -> None:
        for plan in self._given():
            try:
                self._carry_out(plan)
            finally:
                with self._changed:
                    self._under_way -= len(plan.faults)
                    self._changed.notify_all()

    def _given(self) -> Iterator[Plan]:
        """Plans as long as faults are lacking, the last one cut to what is lacking."""
        while True:
            with self._changed:
                while (lacking := self._lacking()) <= 0 < self._under_way:
                    self._changed.wait()
                if lacking <= 0 or time.monotonic() > self._deadline or self._over.is_set():
                    return
                plan = next(self._plans)
                plan = replace(plan, faults=plan.faults[:lacking])
                self._under_way += len(plan.faults)
            yield plan

    def _lacking(self) -> int:
        return self._kills - sum(row.kills for row in self.rows.values()) - self._under_way

    def _carry_out(self, plan: Plan) -> None:
        folder = self._folder / plan.name
        folder.mkdir()
        self._say(f"{plan.name}: begins, with {len(plan.faults)} faults to come")
        with place(plan.store, folder) as where:
            study = StudyUnderFire(plan, folder, where, self._say, self._over)
            try:
                study.run()
            except Exception:
                # A fault of the campaign itself; what the search came to is judged all the same.
                study.gave_up = traceback.format_exc()
            verdict = judge(study)
        struck = Counter((str(fault.victim), fault.signal.name) for fault in study.struck)
        problems = [(plan.name, problem) for problem in verdict.problems]
        done = Row(plan.store, 1, len(study.drivers), verdict.figures, struck, problems)
        with self._changed:
            self.rows[plan.store].add(done)
            kills = sum(each.kills for each in self.rows.values())
        for problem in verdict.problems:
            study.note(f"PROBLEM {problem}")
            self._say(f"{plan.name}: PROBLEM {problem}")
        self._say(f"{plan.name}: done; {kills} of {self._kills} faults so far")
        if not verdict.problems:
            shutil.rmtree(folder)

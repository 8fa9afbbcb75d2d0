"""The confirming measurement of every network, before it may be called feasible.

A network is measured before its training begins where nothing else of this run trains at that
moment; what is too slow on a quiet machine is infeasible, and is never trained. When the run ends
and nothing trains any more, what lacks a measurement on a quiet machine is measured in a new
process, and so are the best once more.
"""

import logging
from collections.abc import Callable, Collection, Sequence

from search.driver.latency_plan import LatencyPlan, MakeMeter, start_meter
from search.driver.latency_table import TURNS
from search.store import LatencyRecord, Store
from space import Architecture
from space.wording import count
from trainers.latency import Measures, NotMeasured

_LOG = logging.getLogger(__name__)


class LatencyConfirmation:
    """Measures the networks of one run of a study.

    Args:
        store: where figures are, and go.
        plan: of the study.
        study: its name. plugins: modules of its custom mixers.
        make_meter: starts who measures.
    """

    def __init__(
        self,
        store: Store,
        plan: LatencyPlan,
        study: str,
        plugins: tuple[str, ...] = (),
        make_meter: MakeMeter = start_meter,
    ) -> None:
        self.plan = plan
        self._store, self._study, self._plugins = store, study, plugins
        self._make_meter = make_meter
        self._meter: Measures | None = None

    def figure(self, architecture: Architecture, may_measure: bool) -> LatencyRecord | None:
        """The measurement of a network that counts.

        Args:
            may_measure: whether it is measured now if it was not, on a quiet machine.

        Raises:
            NotMeasured: it does not run.
        """
        known = self._store.latencies.of(self.plan.setting, architecture.id)
        if known and not known[0].disturbed:
            return known[0]
        if not may_measure:
            return known[0] if known else None
        self._measured([architecture], "before its training")
        return self._store.latencies.of(self.plan.setting, architecture.id)[0]

    def refusal(self, architecture: Architecture, may_measure: bool) -> str | None:
        """Why a network is infeasible; None where it is not, or nobody knows yet."""
        if self.plan.limit is None and not may_measure:
            return None
        try:
            found = self.figure(architecture, may_measure)
        except NotMeasured as error:
            self.close()
            return f"its latency could not be measured: {error}"
        if found is None or found.disturbed or self.keeps(found):
            return None
        return (
            f"latency {found.median_ms:.3g} ms is above the limit {self.plan.limit:g} ms (measured "
            f"on {self.plan.device.name}, {self.plan.spec.words}, n = {found.figure['n']})"
        )

    def keeps(self, record: LatencyRecord) -> bool:
        """Whether a measurement is within the limit. What disturbs only ever slows a network."""
        return self.plan.limit is None or record.median_ms <= self.plan.limit

    def close(self) -> None:
        """End the process that measures, if there is one."""
        if self._meter is not None:
            self._meter.close()
            self._meter = None

    def at_the_end(
        self,
        architectures: Sequence[Architecture],
        stopped: Callable[[], bool],
        say: Callable[[str], None],
        most_again: int = 20,
    ) -> None:
        """Measure completely trained networks, in a new process, while nothing trains.

        Args:
            architectures: the best first.
            stopped: asked between measurements.
            say: told what is done, and what was left out.
            most_again: so many of the first that keep the limit, and were measured once, are
                measured once more.
        """
        self.close()
        wanted = self._to_measure(architectures, most_again)
        if not wanted:
            return
        say(f"Latency: confirming {count(len(wanted), 'network')} while nothing trains ...")
        done = 0
        try:
            for start in range(0, len(wanted), TURNS):
                if stopped():
                    break
                measured = self._measured_at_the_end(wanted[start : start + TURNS], say)
                if not measured:
                    break  # nothing can be measured, as it seems
                done += measured
        finally:
            self.close()
        if done < len(wanted):
            say(f"Latency: left unmeasured: {count(len(wanted) - done, 'network')}.")

    def _measured_at_the_end(
        self, architectures: Sequence[Architecture], say: Callable[[str], None]
    ) -> int:
        """How many of some networks could be measured: together, or else one by one."""
        try:
            self._measured(architectures, "at the end of a run")
        except NotMeasured as error:
            self.close()
            if len(architectures) > 1:
                return sum(self._measured_at_the_end([each], say) for each in architectures)
            say(f"Latency: {architectures[0].id} could not be measured: {error}")
            return 0
        return len(architectures)

    def _to_measure(
        self, architectures: Sequence[Architecture], most_again: int
    ) -> list[Architecture]:
        found, again = [], 0
        for architecture in architectures:
            known = self._store.latencies.of(self.plan.setting, architecture.id)
            if not known or known[0].disturbed:
                found.append(architecture)
            elif len(known) == 1 and again < most_again and self.keeps(known[0]):
                again += 1
                found.append(architecture)
        return found

    def _measured(self, architectures: Collection[Architecture], when: str) -> None:
        if self._meter is None:
            self._meter = self._make_meter(self.plan.spec, self.plan.pace, self._plugins)
        networks = list(architectures)
        for network, figure in zip(networks, self._meter.networks(networks), strict=True):
            said = f"study {self._study}, {when}"
            record = self._store.latencies.add(
                self.plan.setting, network.id, figure.to_dict(), said
            )
            _LOG.info("latency of %s: %s (record %d)", network.id, figure.words, record.id)

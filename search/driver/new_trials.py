"""Makes the trials of a study: writes them down once, or takes over what others have trained."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from search.config import Config
from search.driver.checkpoints import Checkpoints
from search.driver.lineage import Lineage
from search.driver.proposals import Proposal, Proposals
from search.searchers import Exhausted
from search.store import (
    DuplicateArchitecture,
    RunRecord,
    Store,
    StoreAway,
    StudyRecord,
    TrainedElsewhere,
    TrialRecord,
    TrialState,
)
from space import Architecture, DesignSpace
from space.cost import cost
from trainers import Protocol, Seeds
from trainers.seeds import derive


@dataclass(frozen=True, slots=True)
class TrialSeeds:
    """Gives every trial its seeds; nothing but these numbers and the architecture decides them.

    Attributes:
        protocol: whose seed policy says whether architectures share their seeds.
        initialisation, data_order: seeds of the study.
    """

    protocol: Protocol
    initialisation: int
    data_order: int

    @classmethod
    def from_config(cls, config: Config, protocol: Protocol) -> Self:
        """Those of a configuration: its own seeds where it has them, else the one seed."""
        own = config.seeds
        return cls(
            protocol,
            config.seed if own.initialisation is None else own.initialisation,
            config.seed if own.data_order is None else own.data_order,
        )

    def of(self, architecture_id: str, repeat: int) -> dict[str, int]:
        """The seeds of a trial, as the store keeps them; a repeat has others than the first."""
        first = self._seeds(self.initialisation, architecture_id, repeat)
        second = self._seeds(self.data_order, architecture_id, repeat)
        return {"initialisation": first.initialisation, "data_order": second.data_order}

    def _seeds(self, seed: int, architecture_id: str, repeat: int) -> Seeds:
        own = seed if repeat == 0 else derive(seed, "repeat", repeat)
        return self.protocol.seeds(own, architecture_id)


_LOG = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class NewTrials:
    """Turns proposals into trials that are in the store, each architecture once.

    Attributes:
        store, study, run: where everything is written, and as whom.
        space: what is searched.
        proposals: what to train next.
        seeds: of the trials.
        lineage: where new trials find the weights that they start from.
        checkpoints: those of this study.
        architectures: the number of trials to reach, repeats left out.
        takes_over: whether a result of another study with the same protocol spares a training.
        exhausted: why no point is left; None while there are some.
    """

    store: Store
    study: StudyRecord
    run: RunRecord
    space: DesignSpace
    proposals: Proposals
    seeds: TrialSeeds
    lineage: Lineage
    checkpoints: Checkpoints
    architectures: int
    takes_over: bool = True
    exhausted: str | None = None
    _ids: set[str] = field(default_factory=set, init=False)
    _known: set[int] = field(default_factory=set, init=False)
    _repeats: set[tuple[str, int]] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._repeats |= {(p.architecture.id, p.repeat) for p in self.proposals.repeats if p.repeat}

    @property
    def planned(self) -> int:
        """How many trials there shall be, the repeats that are there or asked for included."""
        return self.architectures + self.repeats

    @property
    def repeats(self) -> int:
        """How many repeats there are or are asked for."""
        return len(self._repeats)

    def know(self, trial: TrialRecord) -> None:
        """The study has this trial."""
        self._ids.add(trial.architecture_id)
        self._known.add(trial.id)
        if trial.repeat:
            self._repeats.add((trial.architecture_id, trial.repeat))

    def next(self, noted: Callable[[TrialRecord, Architecture], None]) -> TrialRecord | None:
        """A new trial in the store; whatever proposes it, the study does not have it yet.

        Args:
            noted: told of every trial that the study has from now on, also of one that another
                process has written.

        Returns:
            None when the planned number is reached, or no point is left.
        """
        elsewhere: set[str] = set()
        while True:
            proposal = self.proposals.repeat()
            if proposal is None and len(self._ids) >= self.architectures:
                return None
            try:
                proposal = proposal or self.proposals.first(self._ids, elsewhere)
            except Exhausted as error:
                self.exhausted = str(error)
                return None
            try:
                trial, is_mine = self._written(proposal)
                noted(trial, proposal.architecture)
                self.know(trial)
            except TrainedElsewhere:
                elsewhere.add(proposal.architecture.id)
            except StoreAway:
                self.proposals.give_back(proposal)
                raise
            else:
                if is_mine:
                    self.exhausted = None  # what others held has come free
                    return trial

    def reuse(self, trial: TrialRecord, drop_epochs: Callable[[], None]) -> TrialRecord | None:
        """Give a trial the result of another study, with its checkpoint.

        A trial that has begun gives its own epochs up for a complete result only.

        Args:
            trial: of this study, not ended.
            drop_epochs: called when its own epochs give way.

        Returns:
            The trial with that result: complete, or with the epochs of a pruned one; None when
            no other study under this protocol has any.
        """
        if trial.repeat or not self.takes_over:
            return None
        source = self.store.results.find(
            trial.architecture_id,
            self.study.protocol_hash,
            outside=self.study.id,
            inherited=self.lineage.inherits,
        )
        begun = trial.epochs_done > 0
        if source is None or (begun and source.state != TrialState.COMPLETE):
            return None
        if begun:
            drop_epochs()
        if not self.store.results.reuse(trial.id, source.id, self.run.id):
            return None
        theirs = Checkpoints.of(self.store.studies.by_id(source.study_id), self.store.url)
        self.checkpoints.adopt(trial, theirs.find(source))
        return self.store.trials.get(trial.id)

    def _written(self, proposal: Proposal) -> tuple[TrialRecord, bool]:
        """The trial of a proposal, and whether this run made it: another process may have it."""
        try:
            return self._add(proposal), True
        except DuplicateArchitecture as error:
            is_mine = self._was_added(error.trial)
            if not is_mine:
                _LOG.warning("%s", error)
            return error.trial, is_mine

    def _was_added(self, trial: TrialRecord) -> bool:
        """Whether this run added it itself, and the store went away before it could say so."""
        mine = trial.run_id == self.run.id and trial.state == TrialState.WAITING
        return mine and trial.id not in self._known

    def _add(self, proposal: Proposal) -> TrialRecord:
        architecture = proposal.architecture
        costs = cost(architecture)
        return self.store.trials.add(
            self.study.id,
            self.run.id,
            architecture,
            params=costs.params,
            macs=costs.macs,
            origin=proposal.origin,
            seeds=self.seeds.of(architecture.id, proposal.repeat),
            decisions=[{"name": d.name, "choice": d.value} for d in self._decisions(architecture)],
            repeat=proposal.repeat,
            parent=None if proposal.repeat else self.lineage.parent_of(architecture),
            exclusive=self.takes_over,
        )

    def _decisions(self, architecture: Architecture) -> Iterable[Any]:
        """How the space leads to it; a repeat may come from outside the space."""
        return self.space.decisions(architecture) if self.space.contains(architecture) else ()

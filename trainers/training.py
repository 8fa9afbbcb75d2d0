"""Trains one architecture, epoch by epoch, and resumes exactly."""

import math
import time
from pathlib import Path

import torch
from torch import nn

from space import Architecture
from space.errors import InputError, Problem, refuse
from space.operators.observed_paths import observed_paths
from trainers.batch_places import BatchPlaces, place_drop_path
from trainers.checkpoint import load_checkpoint, remove_abandoned, save_checkpoint
from trainers.data.describe import DataDescription
from trainers.data.search_data import SearchData
from trainers.evaluation import score
from trainers.finetuning import SourceNetwork, finetuned_network
from trainers.initial_weights import (
    Build,
    ParentNetwork,
    build_network,
    inherited_network,
    random_network,
    to_device,
)
from trainers.memory import forget_peak, peak_memory
from trainers.optimisation import CosineSchedule, make_average, make_optimiser, make_scaler
from trainers.outcome import EpochResult, NonFiniteLoss
from trainers.processes import ALONE, Processes
from trainers.protocol import Protocol
from trainers.runtime import PLAIN, Runtime, runtime_problems, shares_problems
from trainers.seeds import Seeds, derive, seeded
from trainers.shared_norms import share_statistics
from trainers.step_log import StepLog
from trainers.steps import Stepper
from trainers.training_state import TrainingState


class Training:
    """The training of one architecture under a protocol.

    With a `checkpoint_path`, every finished epoch is saved there, and a training whose file is
    there already goes on behind it: on a CPU the weights come out equal to the last bit.

    With a parent to inherit from, the weights start as the parent's, and all else as from scratch.

    Several processes train it together, each on its own device: with the same arguments but for
    `processes`, in all of which every method is called. They train on the same batches as one
    alone, image for image; sums come in another order.

    After an exception from `run_epoch` the weights are those of a broken-off epoch: make a new
    Training, which starts from the checkpoint.

    Args:
        architecture: what to train. protocol: how. data: on what, opened under this protocol.
        seeds: what is random. device: where.
        build: makes the network; the default is `space.networks.build`.
        inherit_from: a trained parent; it is not read again once there is a checkpoint.
        start_from: a finished training to start from, where the protocol finetunes; not read again
            once there is a checkpoint.
        processes: this one and the others that train it (`trainers.processes.join`); the first
            writes the checkpoint, which all read.
        runtime: how it is computed, which changes no result but by rounding.

    Raises:
        InputError: if the data do not fit the architecture or the protocol, or the checkpoint is
            corrupt or of something else; at `parent`, if that cannot be inherited from; at
            `source`, if that cannot be started from.
    """

    def __init__(
        self,
        architecture: Architecture,
        protocol: Protocol,
        data: SearchData,
        *,
        seeds: Seeds,
        device: torch.device | str = "cpu",
        checkpoint_path: Path | str | None = None,
        build: Build = build_network,
        inherit_from: ParentNetwork | None = None,
        start_from: SourceNetwork | None = None,
        processes: Processes = ALONE,
        runtime: Runtime = PLAIN,
    ) -> None:
        _check_fit(architecture, data.description)
        self.architecture, self.data, self.seeds = architecture, data, seeds
        self.protocol = protocol.bound_to(
            data.description.content_hash, data.description.split_hash
        )
        if self.protocol != data.protocol:
            raise InputError.of("protocol", "is not the one that the data were opened with")
        self.device = torch.device(device)
        refuse(shares_problems(self.protocol, data.train_batch, processes.size))
        refuse(runtime_problems(self.protocol, self.device.type))
        self.processes, self.runtime = processes, runtime
        self.checkpoint_path = Path(checkpoint_path) if checkpoint_path is not None else None
        self._stepper: Stepper | None = None
        self._state = self._first_state(build, inherit_from, start_from)
        self.schedule = CosineSchedule(self.optimiser, protocol, data.steps_per_epoch)
        if self.checkpoint_path is not None:
            remove_abandoned(self.checkpoint_path)
            if self.checkpoint_path.exists():
                found = load_checkpoint(self.checkpoint_path, self._identity)
                self._state.restore(found, self.checkpoint_path)

    @property
    def model(self) -> nn.Module:
        """The network that is trained."""
        return self._state.model

    @property
    def evaluated(self) -> nn.Module:
        """The network whose metrics count: the average of the weights, or the weights."""
        return self._state.evaluated

    @property
    def optimiser(self) -> torch.optim.AdamW:
        """AdamW over the parameters of the model."""
        return self._state.optimiser

    @property
    def inherited_from(self) -> str | None:
        """Id of the architecture whose weights this training began with, or None."""
        return self._state.inherited_from

    @property
    def history(self) -> tuple[EpochResult, ...]:
        """What every finished epoch reported."""
        return self._state.history

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    @property
    def done(self) -> bool:
        """Whether all epochs of the protocol are finished."""
        return self.epoch >= self.protocol.epochs

    def run_epoch(self) -> EpochResult:
        """Train an epoch, validate, save.

        Raises:
            NonFiniteLoss: saying which loss, epoch and step.
        """
        if self.done:
            raise RuntimeError(f"all {self.protocol.epochs} epochs are finished")
        forget_peak(self.device)
        started = time.perf_counter()
        epoch = self.epoch + 1
        with seeded(derive(self.seeds.data_order, epoch, "network")):
            train_loss, skipped = self._train(epoch)
        trained = time.perf_counter() - started
        with observed_paths(self.evaluated) as paths:
            loss, accuracy = self._validate(epoch)
        result = EpochResult(
            epoch=epoch,
            train_loss=train_loss,
            validation_loss=loss,
            validation_accuracy=accuracy,
            learning_rate=self._last_rate,
            seconds=time.perf_counter() - started,
            images_per_second=self.data.train_images_per_epoch / trained,
            skipped_steps=skipped,
            peak_memory_bytes=self._peak_memory(),
            fused_mixers=sum(path == "fused" for path in paths.values()),
        )
        self._state.history += (result,)
        if self.checkpoint_path is not None and self.processes.is_first:
            self.save(self.checkpoint_path)
        self.processes.wait_for_all()  # none reports what is not saved
        return result

    def save(self, path: Path) -> None:
        """Write a checkpoint from which a Training with the same arguments goes on."""
        save_checkpoint(path, self._state.to_checkpoint(self._identity, self.data.steps_per_epoch))

    @property
    def _identity(self) -> dict[str, str]:
        """What a checkpoint must have been written for to be gone on from."""
        return {
            "architecture": self.architecture.id,
            "protocol": self.protocol.hash,
            "seeds": f"{self.seeds.initialisation}/{self.seeds.data_order}",
        }

    def _first_state(
        self, build: Build, parent: ParentNetwork | None, source: SourceNetwork | None
    ) -> TrainingState:
        _check_start(self.protocol, parent, source)
        if self.checkpoint_path is not None and self.checkpoint_path.exists():
            parent = source = None
        elif source is None and self.protocol.initialisation == "finetuned":
            raise InputError.of(
                "start_from", "is needed where protocol.initialisation is finetuned"
            )
        with seeded(self.seeds.initialisation):
            if parent is not None:
                network: nn.Module = inherited_network(parent, self.architecture, self.protocol)
            elif source is not None:
                names = self.data.description.class_names
                network = finetuned_network(source, self.architecture, self.protocol, names)
            else:
                network = random_network(self.architecture, self.protocol, build)
        begun = parent or source
        model = to_device(network, self.device)
        return TrainingState(
            model,
            make_average(model, self.protocol),
            make_optimiser(model, self.protocol),
            inherited_from=None if begun is None else begun.architecture.id,
            scaler=make_scaler(self.protocol),
        )

    def _train(self, epoch: int) -> tuple[float, int]:
        """The mean loss of an epoch, and how many of its steps changed nothing."""
        stepper = self._stepper = self._stepper or self._make_stepper()
        self.model.train()
        steps = self.data.steps_per_epoch
        log = StepLog(epoch, steps, self.device, self.protocol.max_nonfinite_steps)
        share = self.processes.share
        batches = self.data.train_batches(epoch, self.seeds.data_order, self.device, share)
        for step, (images, targets) in enumerate(batches, (epoch - 1) * steps):
            self.schedule.step_update(step)
            self._last_rate = self.schedule.rate(step)
            log.add(*stepper.make(step, images, targets))
        return log.mean(), log.skipped

    def _make_stepper(self) -> Stepper:
        # Late: to join other processes is to wait for them.
        places = BatchPlaces()
        if self.processes.size > 1:
            places = place_drop_path(self.model)
            if self.protocol.batch_norm_parts == 1:
                share_statistics(self.model, self.device)
        network = self.runtime.prepared(self.processes.joined(self.model, self.device))
        return Stepper(network, self._state, self.protocol, self.device, self.processes, places)

    def _validate(self, epoch: int) -> tuple[float, float]:
        # What batch norm has seen may be each process's own.
        self.processes.from_first(self.evaluated.buffers())
        batches = self.data.validation_batches(self.device, self.processes.share)
        loss, accuracy = score(self.evaluated, batches, self.protocol, self.device, self.processes)
        if not math.isfinite(loss):
            raise NonFiniteLoss(f"validation loss is {loss} after epoch {epoch}")
        return loss, accuracy

    def _peak_memory(self) -> int:
        peak = torch.tensor(peak_memory(self.device), device=self.device)
        return int(self.processes.maximum(peak))


def _check_start(
    protocol: Protocol, parent: ParentNetwork | None, source: SourceNetwork | None
) -> None:
    given = {"inherit_from": (parent, "inherited"), "start_from": (source, "finetuned")}
    refuse(
        Problem(name, f"not allowed where protocol.initialisation is {protocol.initialisation}")
        for name, (start, way) in given.items()
        if start is not None and protocol.initialisation != way
    )


def _check_fit(architecture: Architecture, data: DataDescription) -> None:
    wanted = {
        "channels": (architecture.input.channels, data.channels),
        "height": (architecture.input.height, data.height),
        "width": (architecture.input.width, data.width),
        "classes": (architecture.head.classes, data.classes),
    }
    refuse(
        Problem("data", f"have {found} {name}, and the architecture is for {expected}")
        for name, (expected, found) in wanted.items()
        if expected != found
    )

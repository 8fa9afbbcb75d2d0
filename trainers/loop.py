"""Trains one architecture, epoch by epoch, and resumes exactly."""

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from space import Architecture
from space.errors import InputError, Problem
from space.networks.initialisation import initialise
from trainers.averaging import WeightAverage
from trainers.checkpoint import load_checkpoint, save_checkpoint
from trainers.data.search_data import SearchData
from trainers.epoch_result import EpochResult
from trainers.failures import NonFiniteLoss, TrainingStopped
from trainers.inheritance import Parent, inherited
from trainers.losses import LossLog, training_loss
from trainers.optimisation import make_optimiser, make_schedule
from trainers.partial_files import remove_abandoned
from trainers.placement import place
from trainers.precision import autocast
from trainers.protocol import Protocol
from trainers.scoring import score
from trainers.seeds import Seeds, derive, seeded
from trainers.training_state import pack_state, unpack_state

Build = Callable[[Architecture, float], nn.Module]


def build_network(architecture: Architecture, drop_path_rate: float) -> nn.Module:
    """The network of an architecture: images (batch, channels, height, width) to logits."""
    from space.networks import build

    return build(architecture, drop_path_rate=drop_path_rate)


class Training:
    """The training of one architecture under a protocol.

    With a `checkpoint_path`, every finished epoch is saved there, and a training whose file is
    there already goes on behind it: on a CPU the weights come out equal to the last bit.

    With a parent to inherit from, the weights start as the parent's, and all else as from scratch.

    After an exception from `run_epoch` the weights are those of a broken-off epoch: make a new
    Training, which starts from the checkpoint.

    Args:
        architecture: what to train. protocol: how. data: on what, opened under this protocol.
        seeds: what is random. device: where.
        build: makes the network; the default is `space.networks.build`.
        inherit_from: a trained parent; it is not read again once there is a checkpoint.

    Attributes:
        inherited_from: id of the architecture whose weights this training began with, or None.

    Raises:
        InputError: if the data do not fit the architecture or the protocol, or the checkpoint is
            corrupt or of something else; at `parent`, if that cannot be inherited from.
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
        inherit_from: Parent | None = None,
    ) -> None:
        _check_fit(architecture, data)
        self.architecture, self.data, self.seeds = architecture, data, seeds
        self.protocol = protocol.bound_to(data.content_hash, data.split_hash)
        if self.protocol != data.protocol:
            raise InputError.of("protocol", "is not the one that the data were opened with")
        self.device = torch.device(device)
        self.checkpoint_path = Path(checkpoint_path) if checkpoint_path is not None else None
        self.inherited_from: str | None = None
        self.model = place(self._first_network(build, inherit_from), self.device)
        decay = protocol.ema_decay
        self.average = None if decay is None else WeightAverage(self.model, decay)
        self.optimiser = make_optimiser(self.model, protocol)
        self.schedule = make_schedule(self.optimiser, protocol, data.steps_per_epoch)
        self.history: tuple[EpochResult, ...] = ()
        self._stop_reason: str | None = None
        if self.checkpoint_path is not None:
            remove_abandoned(self.checkpoint_path)
            if self.checkpoint_path.exists():
                self._resume(self.checkpoint_path)

    @property
    def judged(self) -> nn.Module:
        """The network whose figures count: the average of the weights, or the weights."""
        return self.model if self.average is None else self.average.module

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    @property
    def done(self) -> bool:
        """Whether all epochs of the protocol are finished."""
        return self.epoch >= self.protocol.epochs

    def request_stop(self, reason: str = "stopped on request") -> None:
        """Make `run_epoch` raise TrainingStopped before its next step; safe in signal handlers."""
        self._stop_reason = reason

    def run_epoch(self) -> EpochResult:
        """Train an epoch, validate, save.

        Raises:
            NonFiniteLoss: saying which loss, epoch and step. TrainingStopped: after a request.
        """
        if self.done:
            raise RuntimeError(f"all {self.protocol.epochs} epochs are finished")
        started = time.perf_counter()
        epoch = self.epoch + 1
        with seeded(derive(self.seeds.data_order, epoch, "network")):
            train_loss = self._train(epoch)
        trained = time.perf_counter() - started
        loss, accuracy = self._validate(epoch)
        result = EpochResult(
            epoch=epoch,
            train_loss=train_loss,
            validation_loss=loss,
            validation_accuracy=accuracy,
            learning_rate=self._last_rate,
            seconds=time.perf_counter() - started,
            images_per_second=self.data.train_images_per_epoch / trained,
        )
        self.history += (result,)
        if self.checkpoint_path is not None:
            self.save(self.checkpoint_path)
        return result

    def save(self, path: Path) -> None:
        """Write a checkpoint from which a Training with the same arguments goes on."""
        save_checkpoint(path, pack_state(self))

    def _first_network(self, build: Build, parent: Parent | None) -> nn.Module:
        if parent is not None and self.protocol.initialisation != "inherited":
            message = f"not allowed where protocol.initialisation is {self.protocol.initialisation}"
            raise InputError.of("inherit_from", message)
        with seeded(self.seeds.initialisation):
            if parent is None or (self.checkpoint_path and self.checkpoint_path.exists()):
                network = build(self.architecture, self.protocol.drop_path)
                initialise(network, self.protocol.weight_init)
                return network
            self.inherited_from = parent.architecture.id
            return inherited(parent, self.architecture, self.protocol)

    def _resume(self, path: Path) -> None:
        checkpoint = load_checkpoint(path, identity(self.architecture, self.protocol, self.seeds))
        unpack_state(self, checkpoint, path)

    def _train(self, epoch: int) -> float:
        self.model.train()
        steps = self.data.steps_per_epoch
        log = LossLog(epoch, steps, self.device)
        batches = self.data.train_batches(epoch, self.seeds.data_order, self.device)
        for step, (images, targets) in enumerate(batches, (epoch - 1) * steps):
            if self._stop_reason is not None:
                raise TrainingStopped(self._stop_reason)
            log.add(self._step(step, images, targets))
        return log.mean()

    def _step(self, step: int, images: Tensor, targets: Tensor) -> Tensor:
        self.schedule.step_update(step)
        self._last_rate = float(self.optimiser.param_groups[0]["lr"])
        with autocast(self.protocol, self.device):
            logits = self.model(images)
        loss = training_loss(logits.float(), targets, self.protocol.label_smoothing)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if self.protocol.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.protocol.clip_norm)
        self.optimiser.step()
        if self.average is not None:
            self.average.update(self.model, step + 1)
        return loss

    def _validate(self, epoch: int) -> tuple[float, float]:
        batches = self.data.validation_batches(self.device)
        loss, accuracy = score(self.judged, batches, self.protocol, self.device)
        if not math.isfinite(loss):
            raise NonFiniteLoss(f"validation loss is {loss} after epoch {epoch}")
        return loss, accuracy


def identity(architecture: Architecture, protocol: Protocol, seeds: Seeds) -> dict[str, str]:
    """What a checkpoint must have been written for to be gone on from."""
    return {
        "architecture": architecture.id,
        "protocol": protocol.hash,
        "seeds": f"{seeds.initialisation}/{seeds.data_order}",
    }


def _check_fit(architecture: Architecture, data: SearchData) -> None:
    wanted = {
        "channels": (architecture.input.channels, data.channels),
        "height": (architecture.input.height, data.height),
        "width": (architecture.input.width, data.width),
        "classes": (architecture.head.classes, data.classes),
    }
    problems = [
        Problem("data", f"have {found} {name}, and the architecture is for {expected}")
        for name, (expected, found) in wanted.items()
        if expected != found
    ]
    if problems:
        raise InputError(problems)

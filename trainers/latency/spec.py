"""On what, and how, latency is measured: a named device, a batch, a precision, a runtime."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from space.errors import InputError, Problem, refuse
from space.input.pydantic_errors import problems_from_pydantic

Runtime = Literal["eager", "compile", "onnxruntime"]
Precision = Literal["float32", "bfloat16", "float16"]
_DEVICE = re.compile(r"cpu|cuda(:[0-9]{1,3})?")


def _named(device: str) -> str:
    if _DEVICE.fullmatch(device) is None:
        raise ValueError(f"must be cpu, cuda, or cuda: and a number; got {device!r}")
    return device


class LatencySpec(BaseModel):
    """What a latency is the latency of; two figures compare only where this is equal.

    Attributes:
        device: "cpu", "cuda" (the first GPU) or "cuda:1".
        batch: images at once.
        precision: of weights and images; the whole network is in it.
        runtime: "eager" is torch as it is, "compile" is torch.compile, "onnxruntime" is ONNX
            Runtime on the exported network.
        threads: of a CPU, 1 by default; of a GPU none may be given.
        machine: a name that people give, where two machines say the same of themselves and are not
            equally fast.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: Annotated[str, AfterValidator(_named)] = "cpu"
    batch: StrictInt = Field(default=1, ge=1, le=65536)
    precision: Precision = "float32"
    runtime: Runtime = "eager"
    threads: StrictInt | None = Field(default=None, ge=1, le=1024)
    machine: StrictStr | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")

    @model_validator(mode="before")
    @classmethod
    def _first_gpu(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("device") == "cuda":
            return dict(values) | {"device": "cuda:0"}
        if isinstance(values, Mapping) and values.get("device", "cpu") == "cpu":
            given = values.get("threads")
            return dict(values) | {"threads": 1 if given is None else given}
        return values

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        refuse(self._clashes())
        return self

    def _clashes(self) -> list[Problem]:
        found = []
        if self.is_gpu and self.threads is not None:
            found.append(Problem("threads", f"is for a CPU; the device is {self.device}"))
        if self.runtime == "onnxruntime" and self.precision != "float32":
            message = f"must be float32 with onnxruntime; got {self.precision}"
            found.append(Problem("precision", message))
        if self.precision == "float16" and not self.is_gpu:
            found.append(Problem("precision", "float16 needs a GPU; allowed: float32, bfloat16"))
        return found

    @property
    def is_gpu(self) -> bool:
        """Whether it is measured on a GPU."""
        return self.device != "cpu"

    @classmethod
    def from_dict(cls, values: object, where: str = "latency") -> Self:
        """The spec that a mapping describes.

        Raises:
            InputError: with every problem, below the path `where`.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InputError(problems_from_pydantic(error, where, cls)) from None

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` reads them back."""
        return self.model_dump(exclude_none=True)

    @property
    def words(self) -> str:
        """Such as "batch 1, float32, eager, 1 thread"."""
        said = [f"batch {self.batch}", self.precision, self.runtime]
        if self.threads is not None:
            said.append(f"{self.threads} thread" + ("s" if self.threads > 1 else ""))
        if self.machine is not None:
            said.append(f"machine {self.machine}")
        return ", ".join(said)


def digest(values: Mapping[str, Any]) -> str:
    """16 hexadecimal digits that are the same for equal plain values."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

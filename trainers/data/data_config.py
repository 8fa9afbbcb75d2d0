"""Where the images come from, as a person writes it in a configuration."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    model_validator,
)

from space.errors import InputError
from space.input.paths import Folder
from space.input.pydantic_errors import problems_from_pydantic


class DataConfig(BaseModel):
    """Which data set, and where it lies.

    Attributes:
        name: "fashion-mnist", or "image-folder" for a folder of class folders, or one
            with train/ and perhaps val/, as ImageNet has.
        source: of Fashion-MNIST. "embedded" is the subset of real images that comes with the
            package. "full" looks in `folder`, or else in Debian's package dataset-fashion-mnist
            and in the cache of an earlier download, and downloads what is nowhere. "auto" looks
            in the same places and falls back on the embedded subset.
        folder: where the data lie.
        download: let "auto" download too.
        limit_train, limit_validation: keep only so many images, evenly over the classes. They
            change the split hash, and with it the protocol.
        check: how each picture of a folder is looked at before the first trial: "full" decodes it,
            "headers" reads what it says of itself, "none" only hashes it.
        broken: "refuse" to begin with files that are no readable pictures, or "leave_out", for
            all trials alike.
        test_fraction: share of the pictures kept for the test where a folder has no val/; 0.1
            unless given.
        workers: processes that decode images of a folder; results do not depend on it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["fashion-mnist", "image-folder"] = "fashion-mnist"
    source: Literal["auto", "embedded", "full"] = "embedded"
    folder: Folder | None = None
    download: StrictBool = False
    limit_train: StrictInt | None = Field(default=None, ge=2, le=1_000_000_000)
    limit_validation: StrictInt | None = Field(default=None, ge=1, le=1_000_000_000)
    check: Literal["full", "headers", "none"] = "full"
    broken: Literal["refuse", "leave_out"] = "refuse"
    test_fraction: StrictFloat | None = Field(default=None, gt=0, lt=1)
    workers: StrictInt = Field(default=0, ge=0, le=256)

    @model_validator(mode="after")
    def _folder_fits(self) -> Self:
        if self.name == "image-folder" and self.folder is None:
            raise InputError.of("folder", "this field is required when name is 'image-folder'")
        if self.name == "fashion-mnist" and self.source == "embedded":
            if self.folder is not None:
                message = f"only with source 'auto' or 'full'; got {str(self.folder)!r}"
                raise InputError.of("folder", message)
            if self.download:
                raise InputError.of("download", "only with source 'auto' or 'full'")
        return self

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "data") -> "DataConfig":
        """Read the configuration from parsed YAML.

        Raises:
            InputError: with every unknown field and every value off the allowed list.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise InputError(problems_from_pydantic(error, where, cls)) from None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON and YAML hold them."""
        return self.model_dump(mode="json")


def parse_data_config(config: "DataConfig | Mapping[str, Any]") -> DataConfig:
    """Accept what was read already, or the plain values."""
    return config if isinstance(config, DataConfig) else DataConfig.from_dict(config)

"""The configuration of a study: read from YAML, checked as a whole before any work starts."""

from search.config.config import Config
from search.config.differences import differences, merged_for_resume
from search.config.parts import (
    AshaConfig,
    GpConfig,
    HyperbandConfig,
    MedianConfig,
    MoashaConfig,
    NoSchedulerConfig,
    Nsga2Config,
    RandomConfig,
    Resources,
    TpeConfig,
)
from search.config.reading import load_config

__all__ = [
    "AshaConfig",
    "Config",
    "GpConfig",
    "HyperbandConfig",
    "MedianConfig",
    "MoashaConfig",
    "NoSchedulerConfig",
    "Nsga2Config",
    "RandomConfig",
    "Resources",
    "TpeConfig",
    "differences",
    "load_config",
    "merged_for_resume",
]

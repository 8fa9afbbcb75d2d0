"""The configuration of a study: read from YAML, checked as a whole before any work starts."""

from search.config.config import Config
from search.config.differences import differences, merged_for_resume
from search.config.parts import (
    AshaConfig,
    EvolutionConfig,
    GpConfig,
    HyperbandConfig,
    LocalConfig,
    MedianConfig,
    MoashaConfig,
    NoSchedulerConfig,
    Nsga2Config,
    RandomConfig,
    Resources,
    SurrogateConfig,
    TpeConfig,
)
from search.config.reading import load_config

__all__ = [
    "AshaConfig",
    "Config",
    "EvolutionConfig",
    "GpConfig",
    "HyperbandConfig",
    "LocalConfig",
    "MedianConfig",
    "MoashaConfig",
    "NoSchedulerConfig",
    "Nsga2Config",
    "RandomConfig",
    "Resources",
    "SurrogateConfig",
    "TpeConfig",
    "differences",
    "load_config",
    "merged_for_resume",
]

"""The configuration of a study: read from YAML, checked as a whole before any work starts."""

from search.config.config import Config
from search.config.differences import changed_for_resume, differences, merged_for_resume
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
    "changed_for_resume",
    "differences",
    "load_config",
    "merged_for_resume",
]

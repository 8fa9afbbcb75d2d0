"""The configuration of a study: read from YAML, checked as a whole before any work starts."""

from search.config.config import Config
from search.config.differences import changed_for_resume, differences, merged_for_resume
from search.config.overrides import Override, overrides_of
from search.config.parts import Resources
from search.config.protocols import full_protocol
from search.config.reading import config_from, load_config

__all__ = [
    "Config",
    "Override",
    "Resources",
    "changed_for_resume",
    "config_from",
    "differences",
    "full_protocol",
    "load_config",
    "merged_for_resume",
    "overrides_of",
]

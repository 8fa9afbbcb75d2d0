"""The configuration of a study: read from YAML, checked as a whole before any work starts."""

from search.config.config import Config
from search.config.differences import changed_for_resume, differences, merged_for_resume
from search.config.parts import Resources
from search.config.reading import load_config

__all__ = [
    "Config",
    "Resources",
    "changed_for_resume",
    "differences",
    "load_config",
    "merged_for_resume",
]

"""A network as one stand-alone Python file that needs torch alone."""

from trainers.export.standalone.refusals import refusals
from trainers.export.standalone.source import standalone_source

__all__ = ["refusals", "standalone_source"]

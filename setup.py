"""What pyproject.toml cannot say: `configs/` of the source is `mixspace/configs/` of the wheel."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConfigs(build_py):
    """Puts the ready configurations into the package; an editable install finds the folder itself.

    `package-dir` could map the folder too, and would make of the editable install, one path file,
    a table of the packages of that day.
    """

    def run(self) -> None:
        """Build the packages, and copy the configurations into them."""
        super().run()
        if not self.editable_mode:
            for source, target in self._configs().items():
                self.mkpath(str(Path(target).parent))
                self.copy_file(source, target, preserve_mode=False)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Every file that is written."""
        return [*super().get_outputs(include_bytecode), *self._configs().values()]

    def _configs(self) -> dict[str, str]:
        """The files as they are written, by those of the source."""
        if self.editable_mode:
            return {}
        found = sorted(Path("configs").rglob("*.yaml"))
        return {str(path): str(Path(self.build_lib, "mixspace", path)) for path in found}


setup(cmdclass={"build_py": BuildWithConfigs})

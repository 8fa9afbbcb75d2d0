import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("module", ["search.store", "search.query"])
def test_heavy_libraries_stay_out(module: str) -> None:
    heavy = "{'torch', 'ray', 'optuna', 'timm', 'torchvision', 'streamlit', 'trainers'}"
    code = f"import sys, {module}; found = {heavy} & set(sys.modules); assert not found, found"
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("module", ["search.store", "search.query"])
def test_heavy_libraries_stay_out(module: str) -> None:
    names = ("torch", "ray", "optuna", "timm", "torchvision", "streamlit", "trainers", "alembic")
    code = f"import sys, {module}; found = set({names}) & set(sys.modules); assert not found, found"
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)

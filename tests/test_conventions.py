"""The project's own rules, each checked by the tool made for it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    ["ruff check .", "ruff format --check .", "lint-imports"],
)
def test_the_tools_that_check_the_source_find_nothing(command):
    tool, *arguments = command.split()
    done = subprocess.run([BIN / tool, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_environments_are_locked_with_hashes_and_name_no_package_host():
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert "://" not in text
        assert "--index" not in text
        lines = text.splitlines()
        pins = [number for number, line in enumerate(lines) if "==" in line]
        assert pins
        assert all("--hash=sha256:" in lines[number + 1] for number in pins)


def test_the_job_image_versions_are_pinned_exactly():
    """What passes here is what runs in the SageMaker XGBoost 3.2-0 image (docs/decisions.md)."""
    pinned = (ROOT / "requirements" / "main.in").read_text().splitlines()
    for version in (
        "numpy==2.1.0",
        "pandas==2.2.3",
        "pyarrow==22.0.0",
        "scikit-learn==1.8.0",
        "scipy==1.15.0",
        "xgboost-cpu==3.2.0",
    ):
        assert version in pinned

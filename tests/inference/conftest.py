"""The same synthetic model group as in tests/training."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))

from synthetic_group import job

__all__ = ["job"]

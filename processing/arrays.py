"""Types of numpy arrays by what they hold, whatever the width; their shapes are said where they are used."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Booleans = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Hashes = NDArray[np.uint64]
#: Of str or of object, as Arrow and pandas give them.
Texts = NDArray[Any]

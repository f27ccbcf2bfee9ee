"""Settings of the property tests: no test may fail because a machine is slow."""

import os

from hypothesis import settings

settings.register_profile("default", deadline=None)
# In CI the same examples each time: what lands must not depend on luck. Elsewhere new ones, to find more.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

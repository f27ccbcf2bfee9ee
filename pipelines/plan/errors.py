"""What can be wrong with what a plan is asked to do."""

from pipelines.errors import Refused


class PlanError(Refused):
    """A file or a setting that no plan can be made of; the message names it and the fix."""

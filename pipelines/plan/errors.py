"""What can be wrong with what a plan is asked to do."""


class PlanError(Exception):
    """A file or a setting that no plan can be made of; the message names it and the fix."""

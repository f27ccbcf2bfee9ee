from tests.training.synthetic_group import job, trained

__all__ = ["job", "trained"]

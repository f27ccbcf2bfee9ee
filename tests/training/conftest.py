"""A training job's folders and a trained model, shared by the tests here."""

from tests.training.synthetic_group import job, trained

__all__ = ["job", "trained"]

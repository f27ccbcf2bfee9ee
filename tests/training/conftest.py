from synthetic_group import job

__all__ = ["job"]

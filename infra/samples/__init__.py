"""Synthetic datasets for the demo and the tests."""

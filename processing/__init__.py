"""Turns raw rows into checked, split, canonical rows; reconciles; scores; compares."""

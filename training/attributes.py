"""Attributes as hashed features: categories, numbers on a logarithmic scale, missing values as such."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from processing.arrays import Floats, Integers
from processing.codes.codebook import Attribute
from processing.dataset.text import fold
from training import hashing

STEPS_PER_DOUBLING = 2
LARGEST_STEP = 60  # numbers beyond 2^30, or below 2^-30, are treated as those
ZERO, MISSING = 0, 2


def count(table: pa.Table, attributes: tuple[Attribute, ...], n_buckets: int) -> sparse.csr_matrix:
    """One or two features for each attribute of each item: `(n_items, n_buckets)`, float32."""
    column, value = hash_attributes(table, attributes, n_buckets)
    row = np.repeat(np.arange(len(table)), column.shape[1])
    counted = sparse.coo_matrix((value.ravel(), (row, column.ravel())), shape=(len(table), n_buckets)).tocsr()
    counted.sum_duplicates()
    return counted


def hash_attributes(
    table: pa.Table, attributes: tuple[Attribute, ...], n_buckets: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Bucket and value of each feature of each item, `(n_items, n_features)`, int32 and float32."""
    hashes, values = [np.zeros((0, len(table)), np.uint64)], [np.zeros((0, len(table)))]
    for attribute in attributes:
        name = hashing.hash_whole(pa.array([attribute.name], pa.large_string()))
        column = table[attribute.name]
        if attribute.type == "number":
            step, share = steps(np.asarray(pc.cast(column, pa.float64()).to_numpy(), float))
            hashes.append(hashing.mix(name + np.stack([step, step + 1]).astype(np.uint64)))
            values.append(np.stack([1 - share, share]))
        else:
            hashes.append(hashing.mix(name + hashing.hash_whole(fold(column)))[None])
            values.append(np.ones((1, len(table))))
    shift = np.uint64(64 - (n_buckets.bit_length() - 1))
    buckets = (np.concatenate(hashes).T >> shift).astype(np.int32)
    return buckets, np.concatenate(values).T.astype(np.float32)


def numbers(table: pa.Table, attributes: tuple[Attribute, ...]) -> NDArray[np.float32]:
    """The number attributes as they are, `(n_items, n_numbers)`, float32, NaN where missing."""
    names = [attribute.name for attribute in attributes if attribute.type == "number"]
    columns = [np.asarray(pc.cast(table[name], pa.float64()).to_numpy(), np.float32) for name in names]
    return np.stack(columns, axis=1) if columns else np.zeros((len(table), 0), np.float32)


def steps(numbers: Floats) -> tuple[Integers, Floats]:
    """Where each number lies on a logarithmic scale: the step below it, and how far it is above that.

    Steps lie half a doubling apart; zero, negative and missing (NaN) numbers have steps of their own.
    Sharing a number between its two steps makes a linear model's score piecewise linear in the number's
    logarithm.
    """
    usable = np.isfinite(numbers) & (numbers != 0)
    position = np.log2(np.abs(np.where(usable, numbers, 1.0))) * STEPS_PER_DOUBLING
    position = np.clip(position, -LARGEST_STEP, LARGEST_STEP) + 2 * LARGEST_STEP
    lower = np.floor(position)
    share = np.where(usable, position - lower, 0.0)
    lower = np.where(numbers < 0, lower + 4 * LARGEST_STEP, lower)
    lower = np.where(usable, lower, np.where(numbers == 0, ZERO, MISSING))
    return lower.astype(np.int64), share

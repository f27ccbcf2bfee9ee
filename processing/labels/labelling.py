"""A month's labels, made part by part in three passes, so that a group of many millions fits into memory.

First the items are matched with their predictions: what decides on review is kept for all of them, as
numbers, the rest waits on disk. Then they are labelled, and the variant parts of their titles learned. Then
each gets the name of its family.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing import container
from processing.arrays import Floats
from processing.codes.codebook import Codebook
from processing.labels import families, kept_decisions, label_table, standing_decisions
from processing.labels.published import Published
from processing.labels.reconcile import matched
from processing.labels.reliability import Record
from processing.labels.text_keys import TextKeys
from processing.policy import Policy
from processing.spill import Spill


class Labelling:
    """The labels of one month, or of a test set.

    Attributes:
        items: how many there are; known after `match`.
        parts: in how many parts they come.
        unseen_words: mean share of each text that the model has never seen; None where it does not say.
        from_before: of kept_decisions.from_before, after `label`.
        on_replaced: of kept_decisions.keep, after `label`.
    """

    def __init__(
        self, said: pa.Table, book: Codebook, period: str, policy: Policy, scratch: Path, *, test_set: bool
    ) -> None:
        """`said` is of standing_decisions.said; `scratch` a folder for what waits."""
        self._said, self._book, self._period, self._policy = said, book, period, policy
        self._test_set = test_set
        self._matched, self._words, self._labels = (
            Spill(scratch / name) for name in ("matched", "words", "labels")
        )
        self._variants = families.Variants()
        self.items = self.parts = 0
        self.unseen_words: float | None = None
        self.from_before: Counter[str] = Counter()
        self.on_replaced: pa.Table | None = None

    def match(self) -> None:
        """Find each item's prediction and text key.

        Raises:
            NotReconciled: where one is missing, or is too many.
        """
        keys = TextKeys(container.input_folder("truth") / "truth.parquet", test_set=self._test_set)
        asked, known = [], []
        for items, predictions in matched(
            container.input_folder("items"), container.input_folder("predictions")
        ):
            some = keys.added(predictions)
            self._matched.write(some)
            if not self._test_set:
                self._words.write(families.words(items))
            asked.append(label_table.questions(some, self._standing(some), self._book, self._period))
            known.append((pc.sum(some["known_share"]).as_py() or 0, pc.count(some["known_share"]).as_py()))
            self.items += len(some)
            self.parts += 1
        keys.check(self.items)
        self._asked = pa.concat_tables(asked)
        share, count = np.sum(known, axis=0)
        self.unseen_words = round(1 - float(share / count), 4) if count else None

    def review(self, record: Record | None) -> dict[str, Any]:
        """Decide which go to review; the review plan."""
        self._why, plan = label_table.to_review(self._asked, self._policy, record)
        return plan

    def confidence(self) -> Floats:
        """The model's, of all items, whoever has decided them."""
        found: Floats = self._asked["confidence"].to_numpy()
        return found

    def label(self, replaced: Published | None) -> None:
        """Make the labels, with people's decisions in them."""
        first, on_replaced = 0, []
        words = iter(self._words)
        for some in self._matched:
            said, why = self._standing(some), self._why.slice(first, len(some))
            first += len(some)
            labels = label_table.label(some, said, why, self._book, self._period)
            for name in ("text_key", *label_table.TEST_ONLY) if self._test_set else ("text_key",):
                labels = labels.append_column(name, some[name])
            labels, kept = kept_decisions.keep(labels, said, replaced, self._book, self._period)
            self.from_before.update(kept_decisions.from_before(said))
            if kept is not None:
                on_replaced.append(kept)
            if not self._test_set:
                self._variants.learn(next(words), labels["code"])
            self._labels.write(labels)
        if replaced is not None:
            self.on_replaced = kept_decisions.in_order(on_replaced, replaced)
        pa.default_memory_pool().release_unused()  # what it keeps is of no use to numpy

    def labels(self) -> Iterator[pa.Table]:
        """The labels, part by part, with columns as in label_table.COLUMNS."""
        if self._test_set:
            yield from self._labels
            return
        variants = self._variants.kinds()
        del self._variants  # it is large
        for labels, words in zip(self._labels, self._words, strict=True):
            yield labels.append_column("family", families.of(words, variants))

    def _standing(self, some: pa.Table) -> pa.Table:
        return standing_decisions.standing(some, self._said, self._policy.same_text)

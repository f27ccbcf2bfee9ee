"""A month's items, judged as accept.py judges a dataset, but part by part: memory holds one file at a time.

What only the whole dataset tells is gathered as its files are read, and they are kept as they were read: the
decimal signs of numbers, and which ids have several rows. Then the rows are judged, a part at a time.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from processing.codes.codebook import Codebook
from processing.dataset import data_files, jsonlines, numbers, rows
from processing.dataset.accept import check_some_are_left
from processing.dataset.findings import Finding, Recognised, merged
from processing.dataset.manifest import DataFile
from processing.dataset.repeated_ids import RepeatedIds
from processing.dataset.text import text_keys
from processing.spill import Spill

PART_ROWS = 1 << 16


class Items:
    """A dataset for purpose `inference`: once `parts` is read to its end, what was found in it is known.

    Attributes:
        columns: name to `text` or `number`.
        recognised: what each file was taken for, by its name.
        delivered: how many rows the files have.
        rejected: the rows set aside.
    """

    def __init__(self, files: list[DataFile], book: Codebook, group: str, uri: str, folder: Path) -> None:
        """Read the files, and keep their rows in `folder` until they are judged.

        `uri` is what the dataset is called in errors. Raises BadData or BadManifest for a file that cannot be
        read.
        """
        self.columns = data_files.columns_of(book.attributes, labelled=False)
        self.delivered, self.rejected = 0, rows.Tally()
        self._names, self._group, self._uri = [file.name for file in files], group, uri
        self._ids, self._findings, self._kept = RepeatedIds(), list[Finding](), list[Spill]()
        recognised: dict[str, Recognised] = {}
        signs = []
        for number, file in enumerate(files):
            found = data_files.read_file(file, self.columns, book.format, repair=True)
            recognised[file.name] = found.recognised
            signs.append(numbers.signs(file.name, found.table, self.columns))
            self._ids.first_look(found.table)
            self._findings += found.findings
            self.delivered += found.table.num_rows
            self._kept.append(_keep(found.table, folder / f"{number}.arrow"))
        semicolons = data_files.has_semicolons(recognised)
        self._decimals = numbers.decide(signs, book.format.decimal, semicolons=semicolons)
        self._findings += self._decimals.findings
        self.recognised = data_files.with_commas(recognised, self._decimals)

    @property
    def findings(self) -> tuple[Finding, ...]:
        return merged((*self._findings, *self.rejected.findings()))

    def parts(self, rejected: BinaryIO) -> Iterator[pa.Table]:
        """The good rows in canonical form, with `text_key`; the others are written to a file of JSON Lines.

        Raises BadData at the end where no row is left; then no row was in any part.
        """
        self._look_again_at_ids()
        repeats = self._ids.found()
        repaired: dict[str, list[Finding]] = {column: [] for column in self.columns}
        for number, (name, spill) in enumerate(zip(self._names, self._kept, strict=True)):
            problems = rows.problems_of_items(repeats(number))
            unreadable: dict[str, list[Finding]] = {column: [] for column in self._decimals.signs}
            for kept in spill:
                table, found = numbers.read(name, kept, self._decimals)
                _add(unreadable, found)
                good, bad = rows.set_aside(data_files.with_file(table, name), problems)
                self.rejected.add(bad)
                jsonlines.append(bad, rejected)
                made, found = rows.canonical(good, self.columns)
                _add(repaired, found)
                yield made.append_column("text_key", text_keys(self._group, made))
            self._findings += chain(*unreadable.values())
        self._findings += chain(*repaired.values())
        check_some_are_left(self.delivered, self.rejected, "inference", self._uri)

    def _look_again_at_ids(self) -> None:
        if not self._ids.any_suspects:
            return
        for number, (name, spill) in enumerate(zip(self._names, self._kept, strict=True)):
            for kept in spill:
                suspects = kept.filter(pa.array(self._ids.suspects(kept)))
                table, _ = numbers.read(name, suspects, self._decimals)
                self._ids.second_look(number, table)


def _keep(table: pa.Table, path: Path) -> Spill:
    """The rows on disk, in parts; a table without rows is one part without any."""
    spill = Spill(path)
    for start in range(0, max(table.num_rows, 1), PART_ROWS):
        spill.write(table.slice(start, PART_ROWS))
    spill.close()
    return spill


def _add(to: dict[str, list[Finding]], found: dict[str, tuple[Finding, ...]]) -> None:
    for column, some in found.items():
        to[column] += some

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
        self._names, self._group, self._uri, self._folder = [f.name for f in files], group, uri, folder
        self._ids, self._findings = RepeatedIds(), list[Finding]()
        recognised: dict[str, Recognised] = {}
        signs = []
        for number, file in enumerate(files):
            found = data_files.read_file(file, self.columns, book.format, repair=True)
            recognised[file.name] = found.recognised
            signs.append(numbers.signs(file.name, found.table, self.columns))
            self._ids.first_look(found.table)
            self._findings += found.findings
            self.delivered += found.table.num_rows
            self._keep(number, found.table)
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
        for number, name in enumerate(self._names):
            problems = rows.problems_of_items(repeats(number))
            unreadable: dict[str, list[Finding]] = {column: [] for column in self._decimals.signs}
            for kept in self._kept(number):
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
        for number, name in enumerate(self._names):
            for kept in self._kept(number):
                suspects = self._ids.suspects(kept)
                if not self._ids.any_suspects:
                    return
                table, _ = numbers.read(name, kept.filter(pa.array(suspects)), self._decimals)
                self._ids.second_look(number, table)

    def _path(self, number: int) -> str:
        return str(self._folder / f"{number}.arrow")

    def _keep(self, number: int, table: pa.Table) -> None:
        with pa.OSFile(self._path(number), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table, PART_ROWS)

    def _kept(self, number: int) -> Iterator[pa.Table]:
        """The file's rows, in parts; of a file without rows one part without any."""
        with pa.OSFile(self._path(number)) as file, pa.ipc.open_stream(file) as stream:
            yield stream.schema.empty_table()
            for batch in stream:
                yield pa.Table.from_batches([batch])


def _add(to: dict[str, list[Finding]], found: dict[str, tuple[Finding, ...]]) -> None:
    for column, some in found.items():
        to[column] += some

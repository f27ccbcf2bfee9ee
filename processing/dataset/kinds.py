"""Every kind of thing that can be found in what is delivered: what becomes of it, and what puts it right.

The one list: refusals, rows set aside and findings all take their kind from here, and so do the pages. Where
each is found is in the readers, manifest.py and rows.py.
"""

from dataclasses import dataclass
from typing import Literal

from processing.errors import BadData, BadManifest, JobError, Tampered

Outcome = Literal["refused", "row set aside", "value missing", "repaired", "noted"]


@dataclass(frozen=True)
class Kind:
    """One kind.

    Attributes:
        name: in lower case with hyphens; also the kind's anchor in the pages.
        outcome: what becomes of a dataset, row or value in which it is found.
        what: one sentence, whatever the file.
        fix: one sentence that begins in lower case; a refusal may have one that fits better.
        error: what a refusal is raised as.
    """

    name: str
    outcome: Outcome
    what: str
    fix: str
    error: type[JobError] = BadData

    def refusal(self, problem: str, fix: str = "") -> JobError:
        """The error to raise: `problem` names the file and, where there is one, the row."""
        return self.error(problem, fix or self.fix, self.name)


#: All kinds by name, in the order of this module.
KINDS: dict[str, Kind] = {}


def _kind(name: str, outcome: Outcome, what: str, fix: str, error: type[JobError] = BadData) -> Kind:
    KINDS[name] = Kind(name, outcome, what, fix, error)
    return KINDS[name]


# The manifest and the files that it lists.
WRITE_AGAIN = "write the dataset again under a new prefix, all data files first and the manifest last."
UNLOAD = "write it as UNLOAD with MANIFEST VERBOSE does: url, content_length and record_count of each file."
NO_MANIFEST = _kind("no-manifest", "refused", "The dataset has no manifest.", WRITE_AGAIN, BadManifest)
BROKEN_MANIFEST = _kind(
    "broken-manifest",
    "refused",
    "The manifest is not JSON, or not of the form that UNLOAD writes.",
    UNLOAD,
    BadManifest,
)
EMPTY_MANIFEST = _kind(
    "empty-manifest",
    "refused",
    "The manifest lists no file.",
    "check the query that made it; where there is nothing to label, deliver a file without rows.",
    BadManifest,
)
LISTED_TWICE = _kind(
    "listed-twice",
    "refused",
    "The manifest lists a file more than once.",
    "list every data file once.",
    BadManifest,
)
LISTED_ELSEWHERE = _kind(
    "listed-elsewhere",
    "refused",
    "The manifest lists a file that is not below the dataset's own address.",
    "deliver data files and manifest under one prefix, and list the files where they are.",
    BadManifest,
)
UNUSABLE_NAME = _kind(
    "unusable-name",
    "refused",
    "The manifest lists a file with a name that no file can have: a part is over 255 bytes, or no text.",
    "give the file a short name of letters, digits, dots, dashes and underscores.",
    BadManifest,
)
NOT_LISTED = _kind(
    "not-listed", "refused", "A data file is there that the manifest does not list.", WRITE_AGAIN, BadManifest
)
NOT_DELIVERED = _kind(
    "not-delivered", "refused", "The manifest lists a file that is not there.", WRITE_AGAIN, BadManifest
)
LEFT_OVER = _kind(
    "left-over",
    "noted",
    "A file is there that other systems leave (`_SUCCESS`, `.crc`, hidden or empty ones); it is passed over.",
    "nothing needs to be done.",
)
OTHER_LENGTH = _kind(
    "other-length", "refused", "A file is longer or shorter than the manifest says.", WRITE_AGAIN, BadManifest
)
OTHER_CONTENT = _kind(
    "other-content",
    "refused",
    "A file has another SHA-256 than the manifest says: it was replaced, by mistake or on purpose.",
    WRITE_AGAIN,
    Tampered,
)
OTHER_ROWS = _kind(
    "other-number-of-rows",
    "refused",
    "A file has more or fewer rows than the manifest says.",
    WRITE_AGAIN,
    BadManifest,
)

# Whole files.
UNKNOWN_FORMAT = _kind(
    "unknown-format",
    "refused",
    "A file's name does not end as that of a format that is read.",
    "deliver .parquet, .csv, .csv.gz, .jsonl or .jsonl.gz (UNLOAD has EXTENSION to name its files).",
)
WRONG_COLUMNS = _kind(
    "wrong-columns",
    "refused",
    "A file lacks columns, has unknown ones, or has one twice.",
    "deliver exactly the common columns and those the codebook declares, CSV with a header.",
)
NOT_UNPACKED = _kind(
    "not-unpacked",
    "refused",
    "A .gz file is cut off or no gzip.",
    "compress the file again and deliver it whole.",
)
TOO_MUCH_TEXT = _kind(
    "too-much-text",
    "refused",
    "A text file and its rows take more memory than a file may.",
    "deliver it in several files.",
)
NOT_UTF8 = _kind("not-utf-8", "refused", "A text file is not UTF-8.", "save the file as UTF-8.")
LONG_ROW = _kind(
    "long-row",
    "refused",
    "A row is longer than any text should be.",
    "look for an unclosed quote, or shorten the text.",
)
NO_TEXT = _kind(
    "no-text",
    "refused",
    "A file is named as text and is something else, such as a workbook.",
    "save it as text (CSV UTF-8), or give its name the ending of what it is.",
)
FORMAT_CONTRADICTED = _kind(
    "format-contradicted",
    "refused",
    "A file is of another format than the codebook's `format` or its own first line says.",
    "deliver the file in the format that is said, or correct what is said.",
)
LONG_HEADER = _kind(
    "long-header",
    "refused",
    "The first row of a CSV is longer than any header.",
    "look for an unclosed quote in the header, or for missing line ends.",
)
NO_HEADER = _kind(
    "no-header",
    "refused",
    "The first row of a CSV names none of the columns.",
    "write the columns' names as its first row.",
)
UNCLEAR_SEPARATOR = _kind(
    "unclear-separator",
    "refused",
    "A CSV is separated by more than one sign.",
    "separate header and all rows by the same sign, best by commas, and quote fields that hold it.",
)
MANY_COLUMNS = _kind(
    "many-columns",
    "refused",
    "A file has more columns than any group.",
    "deliver exactly the common columns and those the codebook declares.",
)
BROKEN_CSV = _kind(
    "broken-csv",
    "refused",
    "A row of a CSV has more or fewer fields than the header.",
    "quote fields that hold separators, quotes or line breaks; double quotes inside quotes.",
)
BROKEN_QUOTES = _kind(
    "broken-quotes",
    "refused",
    "A quoted field of a CSV does not end where its quotes do, or never.",
    "double quotes inside quotes, or write a backslash before each.",
)
UNCLEAR_QUOTES = _kind(
    "unclear-quotes",
    "refused",
    "A CSV can be read with doubled quotes and with backslashes before quotes, each with other texts.",
    'say in the codebook\'s `format` which it is: "quoting": "doubled" or "backslash".',
)
OTHER_NAMES = _kind(
    "other-names",
    "repaired",
    "A header names columns in capitals or with spaces around; they are taken as meant.",
    "write the names as the codebook does.",
)
INNER_MARK = _kind(
    "inner-byte-order-mark",
    "repaired",
    "A byte order mark begins a row, as where files were joined; it is left out.",
    "join files without their marks, or deliver each by itself.",
)
REPEATED_HEADER = _kind(
    "repeated-header",
    "repaired",
    "A row is the header once more, as where files were joined; it is left out.",
    "join files without their headers, or deliver each by itself.",
)
EMPTY_FILE = _kind(
    "empty-file",
    "noted",
    "A CSV has no byte, not even a header; it is taken for one without rows.",
    "write the header, too.",
)
BROKEN_JSON_LINES = _kind(
    "broken-json-lines",
    "refused",
    "A line is not one JSON object with the columns as fields.",
    "write one JSON object a line.",
)
JSON_ARRAY = _kind(
    "json-array",
    "refused",
    "A file of JSON Lines, or a line of it, is an array.",
    "write one JSON object a line, as with `jq -c '.[]' old > new`.",
)
NOT_ONE_A_LINE = _kind(
    "not-one-object-a-line",
    "refused",
    "A line of JSON Lines has several objects, or a part of one.",
    "write each object on a line of its own, as with `jq -c . old > new`.",
)
NESTED_VALUE = _kind(
    "nested-value",
    "refused",
    "A field of JSON Lines is itself an object or an array.",
    "write one flat JSON object per line: each field is a text, a number or null.",
)
REPEATED_FIELD = _kind(
    "repeated-field",
    "refused",
    "A line of JSON Lines has a field twice.",
    "write every field once.",
)
OTHER_JSON_TYPE = _kind(
    "other-json-type",
    "refused",
    "A field of JSON Lines is a number where text is expected, or the other way round.",
    "write texts, ids and labels in quotes, numbers without, and null for what is missing.",
)
HALF_CHARACTER = _kind(
    "half-a-character",
    "refused",
    "A text of JSON Lines has half a surrogate pair, which is no character.",
    "write the complete character.",
)
BROKEN_PARQUET = _kind(
    "broken-parquet", "refused", "A file cannot be read as Parquet.", "write the file again."
)
ENCRYPTED_PARQUET = _kind(
    "encrypted-parquet",
    "refused",
    "A Parquet file is encrypted by its writer.",
    "write it without Parquet's own encryption; the bucket encrypts what is stored.",
)
LARGE_FOOTER = _kind(
    "large-footer",
    "refused",
    "The metadata of a Parquet file takes more than any should, or more than there is.",
    "write the file again, in fewer row groups and with the group's columns only.",
)
LARGE_PARQUET = _kind(
    "large-parquet",
    "refused",
    "A Parquet file and its rows, unpacked, take more memory than a file may.",
    "deliver it in several files, and look for texts that are far too long.",
)
WRONG_TYPE = _kind(
    "wrong-type",
    "refused",
    "A column of a Parquet file has a type that cannot be read as its own.",
    "cast the column in the query.",
)
MIXED_DECIMALS = _kind(
    "mixed-decimals",
    "refused",
    "A column has numbers with a decimal point and numbers with a decimal comma.",
    'write all with one sign, or say in the codebook\'s `format` which it is ("decimal": "." or ","): values '
    "with the other one then count as missing.",
)
UNCLEAR_DECIMALS = _kind(
    "unclear-decimals",
    "refused",
    "All numbers of a column are like `1,234`, which is a thousand or little more than one.",
    'say in the codebook\'s `format` which sign is the decimal one: "decimal": "." or ",".',
)
ASSUMED_POINTS = _kind(
    "assumed-decimal-points",
    "noted",
    "All numbers of a column are like `1.234`; they are taken for decimals, not for thousands.",
    'say in the codebook\'s `format` which sign is the decimal one: "decimal": "." or ",".',
)
DOUBLY_ENCODED = _kind(
    "doubly-encoded",
    "repaired",
    "A text was encoded twice, as `KÃ¼che`; it is taken as it was meant, `Küche`.",
    "read the file as UTF-8, not as Windows-1252, where it is written again.",
)
CONTROL_CHARACTER = _kind(
    "control-character",
    "repaired",
    "A text has a control character, such as NUL, a tab or a line break; a space is taken in its place.",
    "remove it from the text in the warehouse.",
)
OTHER_SPACE = _kind(
    "other-space",
    "repaired",
    "A text has a space that does not break, or is of another width; a plain one is taken in its place.",
    "nothing needs to be done.",
)

# The dataset as a whole.
NO_ROWS = _kind("no-rows", "refused", "The dataset has no rows.", "check the query that made it.")
NO_USABLE_ROW = _kind(
    "no-usable-row",
    "refused",
    "All rows would be set aside.",
    "mend what the sentence names first.",
)
ONE_LABEL = _kind(
    "one-label", "refused", "Every usable row has the same label.", "deliver rows of at least two codes."
)
FEW_ROWS = _kind(
    "few-rows",
    "refused",
    "There are too few rows with different texts to train and test a model.",
    "deliver more labelled rows with different texts.",
)
ONE_TEXT_CODES = _kind(
    "one-text-codes",
    "refused",
    "The codes have rows of one text only, so that nothing is left to check what is learned.",
    "deliver rows with several different texts for each code.",
)

# Single rows.
EMPTY_ID = _kind("empty-id", "row set aside", "The item_id is empty.", "give every item an item_id.")
UNUSABLE_ID = _kind(
    "unusable-id",
    "row set aside",
    "The item_id contains a control character, such as a line break or a tab.",
    "remove it from the item_id in the warehouse.",
)
REPEATED_ROW = _kind(
    "repeated-row", "row set aside", "The row repeats an earlier one.", "deliver every item once."
)
DUPLICATE_ID = _kind(
    "duplicate-id",
    "row set aside",
    "Different rows have this item_id; none of them is used.",
    "deliver one row for each item_id.",
)
EMPTY_TITLE = _kind(
    "empty-title", "row set aside", "The title is empty.", "fill in the title, or leave the item out."
)
TOO_LONG = _kind(
    "too-long", "row set aside", "The row's texts are longer than one request may be.", "shorten the title."
)
EMPTY_LABEL = _kind(
    "empty-label", "row set aside", "The label is empty.", "fill in the label, or leave the item out."
)
UNKNOWN_LABEL = _kind(
    "unknown-label",
    "row set aside",
    "The label is not in the codebook.",
    "correct the label, or publish a codebook that has it.",
)
LABEL_NOT_IN_FORCE = _kind(
    "label-not-in-force",
    "row set aside",
    "The label stands for no one code in force.",
    "give the row the code in force, or correct the codebook.",
)

# Single values.
UNREADABLE_NUMBER = _kind(
    "unreadable-number",
    "value missing",
    "An attribute that is a number cannot be read as one, as `7 kg` or `inf`; it counts as missing.",
    "write a plain number, or leave the field empty.",
)

# Rows that are used as they are.
SAME_TEXT_TWO_CODES = _kind(
    "same-text-two-codes",
    "noted",
    "Rows of the training data with the same title, brand and product type have different codes.",
    "look at the rows, and correct the code where it is wrong.",
)

"""The Parquet reader beside pyarrow's own, on files of every encoding, and its bounds."""

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processing.dataset import parquet_check, parquet_files, text_files
from processing.errors import JobError
from tests.processing.dataset.input_cases import parquet_cases
from tests.processing.dataset.input_cases.case import COLUMNS
from tests.processing.dataset.peak_memory import refused_with_peak

EXPECTED = dict.fromkeys(COLUMNS, "text") | {"weight_kg": "number"}
TEXTS = st.none() | st.text(st.characters(codec="utf-8"), max_size=20)
NUMBERS = st.none() | st.floats(allow_nan=False)
ROWS = st.lists(
    st.fixed_dictionaries(dict.fromkeys(COLUMNS, TEXTS) | {"weight_kg": NUMBERS}), min_size=1, max_size=20
)
SCHEMA = pa.schema([(name, pa.float64() if name == "weight_kg" else pa.string()) for name in COLUMNS])
SLOW_BUT_FINE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(path) -> list[dict]:
    rows = parquet_files.read(path, path.name, EXPECTED).table.to_pylist()
    return [{name: row[name] for name in COLUMNS} for row in rows]


@SLOW_BUT_FINE
@given(
    rows=ROWS,
    encoding=st.sampled_from(["DICTIONARY", "PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"]),
    compression=st.sampled_from(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
    page=st.sampled_from(["1.0", "2.0"]),
    row_group=st.integers(1, 25),
    as_dictionary=st.booleans(),
)
def test_rows_are_read_as_pyarrow_reads_them(
    tmp_path, rows, encoding, compression, page, row_group, as_dictionary
):
    table = pa.Table.from_pylist(rows, SCHEMA)
    options = {"compression": compression, "data_page_version": page, "row_group_size": row_group}
    if encoding != "DICTIONARY":
        texts = [name for name in COLUMNS if name != "weight_kg"]
        options |= {"use_dictionary": False, "column_encoding": dict.fromkeys(texts, encoding)}
    if as_dictionary and encoding in ("DICTIONARY", "PLAIN"):  # pyarrow 22 does not read others
        table = table.set_column(1, "title", table["title"].dictionary_encode())
    pq.write_table(table, tmp_path / "a.parquet", **options)
    assert read(tmp_path / "a.parquet") == rows


@pytest.mark.parametrize("encoding", ["DICTIONARY", "DELTA_BYTE_ARRAY"])
def test_texts_that_may_be_too_long_are_measured_and_read_where_they_are_not(tmp_path, monkeypatch, encoding):
    """One long text among short ones could be many times as much as it is."""
    titles = ["x" * 50_000, *(f"title {number}" for number in range(5_000))]
    table = pa.table({name: titles if name == "title" else [None] * len(titles) for name in COLUMNS})
    options = {} if encoding == "DICTIONARY" else {"column_encoding": {"title": encoding}}
    pq.write_table(
        table,
        tmp_path / "a.parquet",
        use_dictionary=encoding == "DICTIONARY",
        row_group_size=2_000,
        **options,
    )
    monkeypatch.setattr(text_files, "MOST_BYTES", 2 << 20)
    assert [row["title"] for row in read(tmp_path / "a.parquet")] == titles
    monkeypatch.setattr(text_files, "MOST_BYTES", 500_000)
    with pytest.raises(JobError) as refused:
        read(tmp_path / "a.parquet")
    assert refused.value.kind == "large-parquet"


def test_the_sizes_that_columns_are_counted_with_are_those_they_have(tmp_path):
    table = pa.table(parquet_cases.VALUES | {"item_id": [-(2**63), 2**63 - 1], "weight_kg": [1, 2]})
    pq.write_table(table, tmp_path / "a.parquet")
    made = parquet_files.read(tmp_path / "a.parquet", "a.parquet", EXPECTED).table
    assert made["item_id"].nbytes <= 2 * parquet_check.INTEGER_BYTES + parquet_check.OFFSET_BYTES
    assert made["weight_kg"].nbytes <= 2 * parquet_check.NUMBER_BYTES + 1  # which of them are null


def test_a_file_with_its_columns_encrypted_says_so(tmp_path):
    """The metadata can be read, the rows cannot."""
    encryption = pytest.importorskip("pyarrow.parquet.encryption")

    class Kms(encryption.KmsClient):
        def __init__(self, config):
            super().__init__()

        def wrap_key(self, key_bytes, master_key_identifier):
            return key_bytes.hex()

        def unwrap_key(self, wrapped_key, master_key_identifier):
            return bytes.fromhex(wrapped_key)

    table = pa.table(parquet_cases.VALUES)
    properties = encryption.CryptoFactory(Kms).file_encryption_properties(
        encryption.KmsConnectionConfig(),
        encryption.EncryptionConfiguration(
            footer_key="a", column_keys={"b": ["title"]}, plaintext_footer=True
        ),
    )
    with pq.ParquetWriter(tmp_path / "a.parquet", table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    with pytest.raises(JobError) as refused:
        read(tmp_path / "a.parquet")
    assert refused.value.kind == "encrypted-parquet"


def random_texts(mebibytes: int) -> pa.Table:
    """Rows of titles that cannot be packed, the last of them not UTF-8."""
    rng = random.Random(7)
    rows = [rng.randbytes(512).hex().encode() for _ in range(mebibytes << 10)]
    titles = pa.array([*rows, b"\xff"])
    text = pa.Array.from_buffers(pa.string(), len(titles), titles.buffers())
    return pa.table({name: text if name == "title" else pa.nulls(len(titles)) for name in COLUMNS})


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: parquet_cases.written(random_texts(340), compression="none"), "not-utf-8"),
        (
            lambda: parquet_cases.written(parquet_cases.dictionaries("x" * 5_000), store_schema=False),
            "large-parquet",
        ),
        (
            lambda: parquet_cases.repeated(
                parquet_cases.alike(10_000, "x" * 5_000),
                20,
                use_dictionary=False,
                column_encoding={"title": "DELTA_BYTE_ARRAY"},
            ),
            "large-parquet",
        ),
        (
            lambda: parquet_cases.written(
                pa.schema([(f"c{number}", pa.string()) for number in range(45_000)]).empty_table()
            ),
            "many-columns",
        ),
    ],
    ids=[
        "a byte that is not UTF-8 at the end of 340 MiB",
        "a dictionary for a million rows",
        "texts that repeat the one before",
        "45,000 columns",
    ],
)
def test_a_refused_file_takes_less_than_a_gigabyte(tmp_path, make, kind):
    (tmp_path / "a.parquet").write_bytes(make())
    found, peak = refused_with_peak(tmp_path / "a.parquet")
    assert found == kind
    assert peak < 1e9


@SLOW_BUT_FINE
@given(at=st.integers(0), by=st.binary(min_size=1, max_size=8))
def test_a_changed_footer_ends_in_rows_or_a_refusal(tmp_path, at, by):
    file = io.BytesIO()
    pq.write_table(pa.table(parquet_cases.VALUES), file)
    content = file.getvalue()
    length = int.from_bytes(content[-8:-4], "little")
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet_cases.changed(content, -8 - length + at % length, by))
    try:
        read(path)
    except JobError as refused:
        assert len(str(refused)) <= 600

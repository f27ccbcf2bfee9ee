"""One UNLOAD as Redshift does it, by DuckDB: Parquet and a verbose manifest under an S3 prefix.

The tables are folders of Parquet files, `labelled_items/*.parquet` and so on, all of the schema `labelmill`.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.names import split_address
from processing.dataset import manifest

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_STRING = "'((?:[^']|'')*)'"
_UNLOAD = re.compile(
    rf"UNLOAD \({_STRING}\)\s+TO {_STRING}\s+IAM_ROLE {_STRING}\s+FORMAT AS PARQUET\s+MANIFEST VERBOSE"
    rf"\s+KMS_KEY_ID {_STRING}\s+ENCRYPTED"
)
FILE = "0000_part_00.parquet"


class StatementFailed(Exception):
    """The statement cannot be run; the text is the warehouse's error."""


def unload(sql: str, tables: Path, s3: S3Client) -> int:
    """Run the UNLOAD `sql` on the tables in the folder `tables`; return how many rows were written.

    No rows leave no file and no manifest (spark-redshift-community/spark-redshift issue 40, 2019-10).

    `s3` is a boto3 client. Raises StatementFailed, also for any statement in another form than that of
    pipelines/warehouse/unload.py.
    """
    found = _UNLOAD.fullmatch(sql)
    if not found:
        raise StatementFailed(
            "ERROR: the local warehouse runs UNLOAD as pipelines/warehouse/unload.py does and nothing else"
        )
    query, uri, _, key = (text.replace("''", "'") for text in found.groups())
    bucket, prefix = split_address(uri)
    if s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)["KeyCount"]:
        raise StatementFailed(
            "ERROR: Specified unload destination on S3 is not empty. Consider using a different bucket / "
            "prefix, manually removing the target files in S3, or using the ALLOWOVERWRITE option."
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, columns = _write(query, tables, folder / FILE)
        if not rows:
            return 0
        for path in (folder / FILE, manifest.write(folder, uri, {FILE: rows}, columns)):
            s3.put_object(
                Bucket=bucket,
                Key=prefix + path.name,
                Body=path.read_bytes(),
                ServerSideEncryption="aws:kms",
                SSEKMSKeyId=key,
            )
    return rows


def _write(query: str, tables: Path, target: Path) -> tuple[int, dict[str, str]]:
    """Write what the query selects to `target`; return the number of rows and the columns' kinds."""
    with duckdb.connect() as database:
        database.execute("CREATE SCHEMA labelmill; USE labelmill")
        for table in (path for path in tables.glob("*") if any(path.glob("*.parquet"))):
            files = database.read_parquet(str(table / "*.parquet"), union_by_name=True)
            files.create_view(table.name)
        try:
            result = database.sql(query)
            kinds = ("text" if kind == "VARCHAR" else "number" for kind in map(str, result.types))
            columns = dict(zip(result.columns, kinds, strict=True))
            result.write_parquet(str(target), compression="snappy")
        except duckdb.CatalogException as error:
            raise StatementFailed(
                f"ERROR: {str(error).splitlines()[0]} Fix: put its Parquet files below {tables.name}/ in the "
                "local stack's folder (docs/warehouse.md)"
            ) from error
        except duckdb.Error as error:
            raise StatementFailed(f"ERROR: {error}") from error
        [(rows,)] = database.execute(
            "SELECT num_rows FROM parquet_file_metadata(?)", [str(target)]
        ).fetchall()
    return rows, columns

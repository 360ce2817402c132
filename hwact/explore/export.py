"""Rows as CSV, JSON or Parquet."""

import csv
import io
import json

from .row import COLUMNS

__all__ = ["FORMATS", "encoded"]


def _csv(rows, columns):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_flat(row[name]) for name in columns] for row in rows)
    return text.getvalue().encode()


def _flat(value):
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value


def _json(rows, columns):
    return (json.dumps([{name: row[name] for name in columns} for row in rows], indent=2) + "\n").encode()


def _parquet(rows, columns):
    import pyarrow
    import pyarrow.parquet

    kinds = {
        "text": pyarrow.string(),
        "whole": pyarrow.int64(),
        "real": pyarrow.float64(),
        "flag": pyarrow.bool_(),
        "json": pyarrow.string(),
    }
    schema = pyarrow.schema([(name, kinds[COLUMNS[name]]) for name in columns])
    table = pyarrow.Table.from_pylist([{name: _flat(row[name]) for name in columns} for row in rows], schema)
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue().to_pybytes()


#: Functions from rows and columns to bytes, by the name of the format, which is also how a file's name ends.
FORMATS = {"csv": _csv, "json": _json, "parquet": _parquet}


def encoded(rows, format, columns=tuple(COLUMNS)):
    """Rows in a format.

    Parameters
    ----------
    rows : sequence of dict
    format : str
        Of `FORMATS`. CSV and Parquet hold ``tool_versions`` as JSON text.
    columns : sequence of str

    Returns
    -------
    bytes
    """
    return FORMATS[format](rows, columns)

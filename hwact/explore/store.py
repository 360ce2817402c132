"""Rows on disk: SQLite, one row a point, each written whole or not at all."""

import contextlib
import json
import sqlite3
import zlib
from pathlib import Path

from ..emit.folder import locked
from ..errors import RequestError, ToolError
from .row import COLUMNS

__all__ = ["STORE", "Store"]

#: Name of the store in the folder of an exploration.
STORE = "store.sqlite"
#: Seconds to wait for another exploration that writes.
PATIENCE = 60
_KINDS = {"text": "TEXT", "whole": "INTEGER", "real": "REAL", "flag": "INTEGER", "json": "TEXT"}
_TABLES = (
    "CREATE TABLE IF NOT EXISTS rows (number INTEGER PRIMARY KEY, "
    + ", ".join(f"{name} {_KINDS[kind]}" for name, kind in COLUMNS.items())
    + ", UNIQUE (digest))",
    "CREATE TABLE IF NOT EXISTS curves (design_digest TEXT PRIMARY KEY, curve BLOB)",
    "CREATE TABLE IF NOT EXISTS explorations (request TEXT PRIMARY KEY)",
)
#: What marks the file as a store, and as one with these tables.
_APPLICATION, _VERSION = 0x68776163, zlib.crc32("".join(_TABLES).encode()) >> 1
_ADD = (
    f"INSERT INTO rows ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "
    f"ON CONFLICT (digest) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS)} "
    "WHERE rows.status = 'pruned' OR rows.status = 'failed' AND excluded.status != 'pruned'"
)


class Store:
    """The rows of one or more explorations, kept under the digests of their points.

    Every call is one transaction: a process that is killed loses what it had not handed over, and nothing else. Several
    processes may use one store at the same time. The first row of a point stays, unless it was pruned or failed.

    Parameters
    ----------
    path : str or Path
        The file, or the folder that holds it.
    create : bool
        Make file and folder if they are missing.

    Raises
    ------
    RequestError
        If there is no store, or the file is none.
    ToolError
        From any method, if the file cannot be read or written.
    """

    def __init__(self, path, create=False):
        self.path = Path(path)
        if self.path.is_dir() or create and not self.path.exists():
            self.path /= STORE
        if not create and not self.path.is_file():
            raise RequestError(f"Store must be the folder of an exploration, not {str(path)!r}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RequestError(f"Folder must be writable, not {str(path)!r}: {error.strerror}") from None
        with self._sound():
            self._connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            self._open()
            # Sound after a power cut, too, though the last rows may be missing.
            self._connection.execute("PRAGMA synchronous = NORMAL")

    def _open(self):
        if self._is_ours():
            return
        with locked(self.path.parent):  # SQLite does not wait for its journal to change
            if self._is_ours():  # another process may have been faster
                return
            if self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise RequestError(f"Store must be one of this version of hwact, not {str(self.path)!r}")
            self._pragma("journal_mode = WAL")
            with self._transaction() as connection:
                marks = f"PRAGMA application_id = {_APPLICATION}", f"PRAGMA user_version = {_VERSION}"
                for statement in (*_TABLES, *marks):
                    connection.execute(statement)

    def _is_ours(self):
        return (self._pragma("application_id"), self._pragma("user_version")) == (_APPLICATION, _VERSION)

    def _pragma(self, text):
        return self._connection.execute(f"PRAGMA {text}").fetchone()[0]

    @contextlib.contextmanager
    def _sound(self):
        """SQLite's errors as one sentence."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise ToolError(f"Store must be readable and writable, not fail: {error}: {str(self.path)!r}") from None
        except sqlite3.DatabaseError as error:
            raise RequestError(f"Store must be sound, not {str(self.path)!r}: {error}") from None

    @contextlib.contextmanager
    def _transaction(self):
        with self._sound():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise

    def close(self):
        """Let go of the file."""
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    # -- rows ---------------------------------------------------------------------------------

    def add(self, results):
        """Keep rows and the curves of their designs.

        Parameters
        ----------
        results : iterable of (dict, dict or None)
        """
        with self._transaction() as connection:
            for row, curve in results:
                connection.execute(_ADD, [_stored(kind, row[name]) for name, kind in COLUMNS.items()])
                if curve is not None:
                    packed = zlib.compress(json.dumps(curve, separators=(",", ":")).encode())
                    connection.execute("INSERT OR IGNORE INTO curves VALUES (?, ?)", (row["design_digest"], packed))

    def rows(self):
        """Every row, in the order in which points first came in (list of dict)."""
        return self._select("ORDER BY number")

    def row(self, digest):
        """The row of a point, or None."""
        return next(iter(self._select("WHERE digest = ?", digest)), None)

    def status(self, digest):
        """The status of a point's row, or None."""
        with self._sound():
            found = self._connection.execute("SELECT status FROM rows WHERE digest = ?", (digest,)).fetchone()
        return found and found[0]

    def _select(self, rest, *values):
        with self._sound():
            found = self._connection.execute(f"SELECT {', '.join(COLUMNS)} FROM rows {rest}", values).fetchall()
        return [{name: _read(kind, row[name]) for name, kind in COLUMNS.items()} for row in found]

    # -- curves -------------------------------------------------------------------------------

    def curve(self, design_digest):
        """The curves of a design (see `hwact.explore.curve`), or None."""
        with self._sound():
            query = "SELECT curve FROM curves WHERE design_digest = ?"
            found = self._connection.execute(query, (design_digest,)).fetchone()
        return found and json.loads(zlib.decompress(found[0]))

    def packed_curves(self):
        """The curves of every design by its digest (dict of bytes): JSON, compressed by zlib."""
        with self._sound():
            return dict(map(tuple, self._connection.execute("SELECT design_digest, curve FROM curves").fetchall()))

    # -- explorations -------------------------------------------------------------------------

    def remember(self, request):
        """Keep what an exploration was asked for (dict), so that it can be resumed."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO explorations VALUES (?)", (json.dumps(request, sort_keys=True),))

    def explorations(self):
        """What was asked for, the first exploration first (list of dict)."""
        with self._sound():
            found = self._connection.execute("SELECT request FROM explorations ORDER BY rowid").fetchall()
        return [json.loads(row[0]) for row in found]


def _stored(kind, value):
    if kind == "json" and value is not None:
        return json.dumps(value, sort_keys=True)
    return int(value) if kind == "flag" and value is not None else value


def _read(kind, value):
    if value is None:
        return None
    return json.loads(value) if kind == "json" else bool(value) if kind == "flag" else value

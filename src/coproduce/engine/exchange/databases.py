"""A SQLite database that a stranger may have made: asked for the rows of a few tables, and for nothing else.

It is opened in memory, so nothing on disk is touched. What SQLite itself says about such files
(https://www.sqlite.org/security.html#untrusted_sqlite_database_files) is done: the schema is not trusted, nothing can
be written, sizes and work have limits. Beyond that an authorizer refuses all but reading the tables asked for, so
that no view, trigger, virtual table or function that somebody put into the file is ever run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from coproduce.engine.exchange.project import NotFromATool

IS_SQLITE = b"SQLite format 3\0"

MOST_STEPS = 200_000_000
"""How many steps SQLite's machine may take for one file: some seconds."""

MAX_TEXT = 32 * 1024 * 1024
"""The longest text in a row, in bytes."""

_BROKEN = "This file is broken, and cannot be read. Export the project again from the tool it was made with."
_TOO_SLOW = "This file takes too long to read. Bring a smaller project."
_STEP = 100_000


class Database:
    """The tables of an untrusted database."""

    def __init__(self, data: bytes) -> None:
        if not data.startswith(IS_SQLITE) or len(data) < 512:
            raise NotFromATool(_BROKEN)
        # A database in WAL mode can't be opened in memory; bytes 18 and 19 say whether it is in that mode
        # (https://www.sqlite.org/fileformat.html#the_database_header). All that was committed is in the file.
        plain = data[:18] + b"\1\1" + data[20:]
        self._steps = 0
        self._asking: tuple[str, frozenset[str]] | None = None
        self._db = sqlite3.connect(":memory:")
        try:
            for limit, most in (
                (sqlite3.SQLITE_LIMIT_LENGTH, MAX_TEXT),
                (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000),
                (sqlite3.SQLITE_LIMIT_COLUMN, 200),
                (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 20),
                (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
                (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
                (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
            ):
                self._db.setlimit(limit, most)
            self._db.deserialize(plain)
            for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.text_factory = lambda text: text.decode("utf-8", "replace")
            self._db.set_progress_handler(self._step, _STEP)
            self._db.set_authorizer(self._may)
            self._tables = self._real_tables()
        except (sqlite3.Error, MemoryError, OverflowError, UnicodeError) as error:
            self._db.close()
            raise NotFromATool(_BROKEN) from error

    def has(self, table: str, *columns: str) -> bool:
        """Whether there is a real table of this name with these columns."""
        return set(columns) <= self._tables.get(table, set())

    def rows(self, table: str, columns: Sequence[str], most: int) -> Iterator[tuple[Any, ...]]:
        """The rows of a table, in the order in which they lie in it. Columns that it does not have are None.

        Raises NotFromATool where there are more than `most`, or the file is broken.
        """
        here = self._tables[table]
        asked = ", ".join(f'"{column}"' if column in here else "NULL" for column in columns)
        self._asking = (table, frozenset(here))
        try:
            # Both names were looked up in the schema, and hold none but letters.
            for number, row in enumerate(self._db.execute(f'SELECT {asked} FROM "{table}"')):  # nosec B608
                if number >= most:
                    raise NotFromATool(
                        f"There is more in this file than we can take in: over {most:,} rows of {table}. "
                        "Bring a part of it at a time."
                    )
                yield row
        except sqlite3.OperationalError as error:
            raise NotFromATool(_TOO_SLOW if self._steps > MOST_STEPS else _BROKEN) from error
        except (sqlite3.Error, MemoryError, OverflowError, UnicodeError) as error:
            raise NotFromATool(_BROKEN) from error
        finally:
            self._asking = None

    def close(self) -> None:
        self._db.close()

    def _real_tables(self) -> dict[str, set[str]]:
        """Tables that hold rows themselves, with their columns. No view, no virtual table."""
        self._asking = ("sqlite_master", frozenset({"type", "name", "sql"}))
        found: dict[str, set[str]] = {}
        for kind, name, sql in self._db.execute("SELECT type, name, sql FROM sqlite_master"):
            virtual = " ".join(str(sql).split()[:2]).casefold() != "create table"
            if (
                kind == "table"
                and not virtual
                and str(name).isascii()
                and str(name).replace("_", "").isalpha()
            ):
                found[str(name)] = set()
        for name in found:
            self._asking = (name, frozenset())
            for _cid, column, *_rest in self._db.execute(f'PRAGMA table_info("{name}")'):
                if str(column).isascii() and str(column).replace("_", "").isalnum():
                    found[name].add(str(column))
        self._asking = None
        return found

    def _may(
        self, action: int, first: str | None, second: str | None, _database: str | None, inner: str | None
    ) -> int:
        if self._asking is None or inner is not None:  # inner: from inside a view or a trigger
            return sqlite3.SQLITE_DENY
        table, _columns = self._asking
        if action == sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ and first == table:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_PRAGMA and first == "table_info" and second == table:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def _step(self) -> bool:
        self._steps += _STEP
        return self._steps > MOST_STEPS


def number(value: object) -> int | None:
    """A whole number as a database that takes anything may hold it."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def words(value: object) -> str:
    return value if isinstance(value, str) else ""

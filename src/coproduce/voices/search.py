"""Searching for words in everything said.

The database keeps the index itself: SQLite's full text (FTS5) by triggers on the table of voices, so that no action,
bulk change or restored backup can leave it behind; PostgreSQL by an index over the words. It holds the words as they
are, and beside them as they leave the group, so that a masked word finds nothing for who gets the words masked.

FTS5 keeps fragments of what was deleted until its parts are merged: `forget()` merges them (SQLite, "FTS5 Extension",
section 6.9; `secure-delete` does it at once, from 3.42 on).
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from django.db import connection, transaction
from django.db.models.expressions import RawSQL

MOST_WORDS = 12  # of what somebody typed; the rest is left out

_FTS5 = """CREATE VIRTUAL TABLE IF NOT EXISTS voices_search USING fts5(
    words, masked, content='voices_voice', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2'
)"""
_OLD = "INSERT INTO voices_search(voices_search, rowid, words, masked) VALUES ('delete', old.id, old.words, old.masked)"
_NEW = "INSERT INTO voices_search(rowid, words, masked) VALUES (new.id, new.words, new.masked)"
_TRIGGERS = {
    "voices_search_added": f"AFTER INSERT ON voices_voice BEGIN {_NEW}; END",
    "voices_search_gone": f"AFTER DELETE ON voices_voice BEGIN {_OLD}; END",
    "voices_search_changed": (
        f"AFTER UPDATE OF words, masked ON voices_voice WHEN old.words != new.words OR old.masked != new.masked "
        f"BEGIN {_OLD}; {_NEW}; END"
    ),
}
_POSTGRES = {
    "voices_search_words": "CREATE INDEX IF NOT EXISTS voices_search_words ON voices_voice "
    "USING gin (to_tsvector('simple', words))",
    "voices_search_masked": "CREATE INDEX IF NOT EXISTS voices_search_masked ON voices_voice "
    "USING gin (to_tsvector('simple', masked))",
}


def set_up(**_of_the_signal: Any) -> None:
    """Make the index where it is missing. Runs after each migration: one that makes the table of voices anew, as SQLite
    does to change a column, would drop the triggers without a word."""
    with transaction.atomic(), connection.cursor() as cursor:
        if "voices_voice" not in connection.introspection.table_names(cursor):
            return
        if connection.vendor != "sqlite":
            for index in _POSTGRES.values():
                cursor.execute(index)
            return
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'voices_voice'")
        known = {name for (name,) in cursor.fetchall()}
        cursor.execute(_FTS5)
        if set(_TRIGGERS) <= known:
            return
        for name, when in _TRIGGERS.items():
            cursor.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {when}")
        cursor.execute("INSERT INTO voices_search(voices_search) VALUES ('rebuild')")
        if sqlite3.sqlite_version_info >= (3, 42):
            cursor.execute("INSERT INTO voices_search(voices_search, rank) VALUES ('secure-delete', 1)")


def forget() -> None:
    """Let the index drop the fragments it keeps of words that are gone."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO voices_search(voices_search) VALUES ('optimize')")


def terms(typed: str) -> list[str]:
    """The words of what somebody typed, without signs."""
    return re.findall(r"\w+", typed.casefold().replace("_", " "))[:MOST_WORDS]


def having(typed: str, column: str) -> RawSQL:
    """For `pk__in`: the ids of voices that have each of these words, or one that begins so, in this column."""
    if column not in ("words", "masked"):
        raise ValueError(column)
    if connection.vendor == "sqlite":
        query = " ".join(f'"{term}"*' for term in terms(typed))
        return RawSQL(  # nosec B611 - the column is one of two, what was typed is a parameter
            "SELECT rowid FROM voices_search WHERE voices_search MATCH %s", [f"{column} : ({query})"]
        )
    query = " & ".join(f"{term}:*" for term in terms(typed))
    return RawSQL(  # nosec B611
        f"SELECT id FROM voices_voice WHERE to_tsvector('simple', {column}) @@ to_tsquery('simple', %s)",  # nosec B608
        [query],
    )

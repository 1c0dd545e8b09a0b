"""Backups, putting one back, and what the `coproduce` command says about them.

A backup is one zip: the database as it stood at one moment, the files, the list of erasures and the secret
key (without which links in messages that people have would open nothing). Emails kept as files are not in it.

Putting a backup back replaces what is here, and then takes out again whoever was erased since it was made.
The list of erasures stands outside the database for that reason; those that the present database and the backup
know are added to it first.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sqlite3
import subprocess  # nosec B404
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from coproduce.hearback.sending import not_sure_since_restored
from coproduce.people.models import Account, Erasure, Person
from coproduce.site import erase
from coproduce.site.everything import write_person
from coproduce.site.models import Worker

SQLITE, POSTGRES = "coproduce.sqlite3", "database.dump"


class Refused(Exception):
    """Why something is not done, in a sentence for whoever typed the command."""


def is_set_up() -> bool:
    with suppress(DatabaseError):
        return Person._meta.db_table in connection.introspection.table_names()
    return False


# Keeping


def backup(file: Path) -> int:
    """Keep everything in one file that only its owner can read. An older one of that name goes. Its size."""
    file = file.resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    made_at = timezone.now()
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as folder:  # 0700
        made = Path(folder) / file.name
        database = Path(folder) / (SQLITE if connection.vendor == "sqlite" else POSTGRES)
        _copy_database(database)
        with (
            open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept,
        ):
            kept.writestr("made.json", json.dumps({"made_at": made_at.isoformat(), "holds": database.name}))
            kept.write(database, database.name)
            # After the database: every file that its rows speak of was there before them.
            for path in _files():
                with suppress(FileNotFoundError):  # an erasure took it meanwhile
                    kept.write(path, f"files/{path.relative_to(settings.MEDIA_ROOT)}")
            for path in (erase.list_of_erasures(), Path(settings.VAR) / "secret-key"):
                if path.exists():
                    kept.write(path, path.name)
        with made.open("rb") as written:
            os.fsync(written.fileno())
        made.replace(file)
    erase.replace_file(_noted(), made_at.isoformat().encode())
    return file.stat().st_size


def _noted() -> Path:
    return Path(settings.VAR) / "last-backup"


def last_backup() -> dt.datetime | None:
    """When the last backup was made from here."""
    return parse_datetime(_noted().read_text()) if _noted().exists() else None


def _files() -> Iterator[Path]:
    folder = Path(settings.MEDIA_ROOT)
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _copy_database(file: Path) -> None:
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        with closing(sqlite3.connect(name, timeout=20)) as here, closing(sqlite3.connect(file)) as there:
            here.backup(there)  # one moment, whoever writes meanwhile
            there.execute("PRAGMA journal_mode=DELETE")  # one file, no second one beside it
        return
    _postgres("pg_dump", "--format=custom", f"--file={file}")


def _postgres(program: str, *arguments: str) -> None:
    told = connection.settings_dict
    named = {
        "PGHOST": "HOST",
        "PGPORT": "PORT",
        "PGUSER": "USER",
        "PGPASSWORD": "PASSWORD",
        "PGDATABASE": "NAME",
    }
    env = os.environ | {name: str(told[key]) for name, key in named.items() if told.get(key)}
    if not (found := shutil.which(program)):
        raise Refused(f"{program} is not on this machine. It comes with PostgreSQL's client programs.")
    done = subprocess.run([found, *arguments], env=env, capture_output=True, text=True)  # nosec B603
    if done.returncode:
        raise Refused(f"{program} said: {done.stderr.strip()[-500:]}")


# Putting back


def restore(file: Path) -> dict[str, Any]:
    """Put a backup back, without whoever was erased since. Returns what it did."""
    with zipfile.ZipFile(file) as kept:
        told = look_into(kept)
        var, media = Path(settings.VAR), Path(settings.MEDIA_ROOT)
        with tempfile.TemporaryDirectory(prefix=".restoring-", dir=var) as folder:  # 0700
            for name in kept.namelist():
                kept.extract(name, folder)
            taken = Path(folder)
            _remember_erasures(taken)
            if told["holds"] == SQLITE:
                _must_be_whole(taken / SQLITE)
                _replace_sqlite(taken / SQLITE)
            else:
                _postgres(
                    "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction",
                    f"--dbname={connection.settings_dict['NAME']}", str(taken / POSTGRES),
                )  # fmt: skip
            (taken / "files").mkdir(exist_ok=True)
            _keep_to_ourselves(taken / "files")
            if media.exists():
                media.replace(taken / "files-before")
            (taken / "files").replace(media)
            if (taken / "secret-key").exists():
                erase.replace_file(var / "secret-key", (taken / "secret-key").read_bytes())
    call_command("migrate", verbosity=0, interactive=False)
    Session.objects.all().delete()  # who had signed out since would be signed in again
    Worker.objects.all().delete()
    uncertain = not_sure_since_restored()
    erased = erase.replay()
    clean = [erase.clean_up(erasure) for erasure in Erasure.objects.filter(cleaned_at__isnull=True)]
    return {
        "made_at": told["made_at"],
        "people": Person.objects.filter(erasure__isnull=True).count(),
        "erased": len(erased),
        "all_clean": all(clean),
        "uncertain": uncertain,
    }


def look_into(kept: zipfile.ZipFile) -> dict[str, Any]:
    """What a backup says of itself. Refused if it is none, or is damaged, or is for another kind of database."""
    try:
        told: dict[str, Any] = json.loads(kept.read("made.json"))
        told["made_at"] = parse_datetime(told["made_at"])
    except (KeyError, ValueError):
        raise Refused("This is no backup of Coproduce.") from None
    expected = SQLITE if connection.vendor == "sqlite" else POSTGRES
    if told["holds"] != expected:
        raise Refused(f"This backup holds {told['holds']}, but the database here needs {expected}.")
    known = {"made.json", expected, "erasures.jsonl", "secret-key"}
    for name in kept.namelist():
        if name not in known and (not name.startswith("files/") or ".." in Path(name).parts):
            raise Refused(f"There is something in this backup that does not belong there: {name}")
    if damaged := kept.testzip():
        raise Refused(f"This backup is damaged: {damaged}")
    return told


def _must_be_whole(database: Path) -> None:
    with closing(sqlite3.connect(database)) as there:
        try:
            said = there.execute("PRAGMA integrity_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            said = str(error)
    if said != "ok":
        raise Refused(f"The database in this backup is damaged: {said}")


def _remember_erasures(taken: Path) -> None:
    """Add to the list what the present database and the backup know, before anything is replaced."""
    if is_set_up():
        with suppress(DatabaseError):  # too old or too broken to tell: the list has to do
            erase.write_outside(Erasure.objects.select_related("person"))
    if (taken / "erasures.jsonl").exists():
        erase.add_lines((taken / "erasures.jsonl").read_text().splitlines())


def _replace_sqlite(restored: Path) -> None:
    file = Path(str(connection.settings_dict["NAME"]))
    connections.close_all()
    with closing(sqlite3.connect(restored)) as there:
        there.execute("PRAGMA journal_mode=DELETE")
    restored.chmod(0o600)
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    restored.replace(file)


def _keep_to_ourselves(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o700 if path.is_dir() else 0o600)


# What the command says


def say_backup(file: Path) -> int:
    size = backup(file)
    print(f"Everything is kept in {file} ({size / 1e6:.1f} MB). Only you can read it: keep it that way.")
    return 0


def say_restore(file: Path, is_served: bool, force: bool, yes: bool) -> int:
    if not file.exists():
        raise Refused(f"There is no file {file}.")
    if not zipfile.is_zipfile(file):
        raise Refused("This is no backup of Coproduce.")
    if is_served or (not force and is_set_up() and any(worker.is_alive() for worker in Worker.objects.all())):
        raise Refused("It is being served. Stop it first. (To restore all the same: --force)")
    if is_set_up() and Person.objects.exists() and not yes:
        print("What is here now is replaced by what the backup holds. What came since is lost.")
        if input("Type restore to go on: ").strip().casefold() != "restore":
            raise Refused("Nothing was done.")
    did = restore(file)
    print(f"Put back as it was on {timezone.localtime(did['made_at']):%-d %B %Y at %H:%M}.")
    print(f"{did['people']} people are here.")
    print(f"Taken out again, because they were erased since: {did['erased']}.")
    print("Everybody has to sign in again.")
    if did["uncertain"]:
        print(f"{did['uncertain']} emails were owed then. They may have gone since: a person has to decide.")
    if not did["all_clean"]:
        print("Cleaning up after an erasure goes on once it is served.")
    return 0


def _find(said: str) -> Person:
    known = Person.objects.filter(erasure__isnull=True)
    if said.isdecimal():
        found = list(known.filter(pk=int(said)))
    else:
        accounts = Account.objects.filter(email__iexact=said).values("person")
        found = list(known.filter(pk__in=accounts)) or list(
            known.filter(ways__kind="email", ways__address__iexact=said).distinct()
        )
    if not found:
        raise Refused(f"Nobody here is {said}. Write the number or the email of a person.")
    if len(found) > 1:
        numbers = ", ".join(str(person.pk) for person in found)
        raise Refused(f"Several people have {said}. Write the number of one: {numbers}.")
    return found[0]


def say_export(said: str, folder: Path) -> int:
    for file in write_person(_find(said), folder):
        print(file)
    print("This is all about one person. Give it to them, and leave no copy.")
    return 0


def say_erase(said: str, keep_words: bool, yes: bool) -> int:
    from django.core.exceptions import ValidationError

    person = _find(said)
    if not yes:
        print(f"Person {person.pk} ({person.name}) is taken out of everything. There is no way back.")
        if input("Type erase to go on: ").strip().casefold() != "erase":
            raise Refused("Nothing was done.")
    choice = Erasure.Choice.NAMELESS if keep_words else Erasure.Choice.TAKE_OUT
    try:
        erasure = erase.erase_person(None, person, choice)
    except ValidationError as refused:
        raise Refused(" ".join(refused.messages)) from None
    if erase.clean_up(erasure):
        print("Taken out, and clean.")
    else:
        print("Taken out. The worker finishes cleaning up once nothing else is being sent.")
    print("Backups made before still hold them. If one is put back with `restore`, they are taken out again.")
    return 0

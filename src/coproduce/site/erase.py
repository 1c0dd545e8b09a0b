"""Taking a person out of everything that is kept here, and keeping them out when a backup is restored.

What goes:
- in one transaction: their rows are emptied, room by room, and an Erasure is written, with no word of theirs;
- after it, by the worker: files, emails that were kept as files, what a database keeps of deleted rows.

If it is killed in between, the Erasure says what is still to clean, and the worker goes on. Running it
twice is safe. Each erasure is also a line in a file outside the database. Restoring a backup that was made
before takes the person out again.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import email
import email.policy
import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.files.storage import default_storage
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from coproduce.agenda import own as agenda
from coproduce.changes import own as changes
from coproduce.consensus import own as consensus
from coproduce.glossary import own as glossary
from coproduce.hearback import own as hearback
from coproduce.hearback.models import Feedback
from coproduce.people import own as people
from coproduce.people.actions import leave, record
from coproduce.people.models import Erasure, Membership, Person
from coproduce.people.permissions import NotAllowed, must_give
from coproduce.themes import own as themes
from coproduce.voices import own as voices
from coproduce.voices import search
from coproduce.voices.models import Turn, Voice

ROOMS = (
    hearback,
    changes,
    consensus,
    agenda,
    themes,
    voices,
    glossary,
    people,
)  # the last first: people hold the addresses
LEFT_BEHIND_AFTER = 60 * 60  # seconds; a younger file that nothing speaks of may belong to a row on its way


# In one transaction


@transaction.atomic
def erase_person(by: Person | None, person: Person, choice: str = Erasure.Choice.TAKE_OUT) -> Erasure:
    """Erase a person, at their wish: `by` is themselves, who looks after them, or None for who runs this.

    Refused while a hub would be left with nobody to look after its people.
    """
    known = Erasure.objects.filter(person=person).first()
    if known is not None and by is None:
        return known
    must_be_asked_by(by, person)
    for membership in person.memberships.current().select_related("hub", "person"):
        leave(person, membership)
    if by is None:
        asked = Erasure.AskedBy.WHO_RUNS_IT
    else:
        asked = Erasure.AskedBy.THEMSELVES if by.pk == person.pk else Erasure.AskedBy.WHO_LOOKS_AFTER_THEM
    erasure = _empty(person, choice, asked)
    record(None if by is None or by.pk == person.pk else by, "erase", person)
    from coproduce.site.tasks import finish_erasing

    finish_erasing.enqueue(erasure.pk)
    transaction.on_commit(lambda: write_outside([erasure]), robust=True)
    return erasure


def must_be_asked_by(by: Person | None, person: Person) -> None:
    """The person themselves; or who looks after them and could give them each role they have."""
    if by is None or by.pk == person.pk:
        return
    if not Person.objects.visible_to(by).filter(pk=person.pk).exists():
        raise NotAllowed("erase a person")
    for membership in Membership.objects.current().filter(person=person):
        must_give(by, membership.role, membership.hub_id)


def _empty(person: Person, choice: str, asked_by: str, at: Any = None) -> Erasure:
    """Empty every row of theirs, and write down what is to be cleaned outside the rows."""
    person = Person.objects.select_for_update().get(pk=person.pk)
    traces = traces_of(person)
    to_clean: dict[str, Any] = {
        "feedback": list(Feedback.objects.filter(person=person).values_list("pk", flat=True)),
        "mail": sorted(sum_of(block) for _file, block in _kept_mail() if traces.in_mail(block)),
        "files": [],
    }
    for room in ROOMS:
        to_clean["files"] += room.erase(person, choice)
    _clear_what_mentions(traces)
    return Erasure.objects.create(
        person=person, at=at or timezone.now(), asked_by=asked_by, choice=choice, to_clean=to_clean
    )


class Traces:
    """What would show that something is about this person: name, addresses, and runs of their own words."""

    def __init__(self, name: str, addresses: Iterable[str], texts: Iterable[str], rare: set[str]) -> None:
        self.addresses = {address.casefold().strip() for address in addresses if address.strip()}
        self.name = _words(name)
        self.rare = rare
        self.runs = {run for text in texts for run in _runs(_words(text))}

    def in_text(self, text: str) -> bool:
        words = _words(text)
        return self._in_words(text, words) or bool(self.name and _holds(words, self.name))

    def in_mail(self, block: bytes) -> bool:
        """Addressed to them, or holding their words. Their name alone may be anybody's."""
        message = email.message_from_bytes(block, policy=email.policy.default)
        text = "\n".join([str(message.get("To", "")), str(message.get("Cc", "")), *_texts_in(message)])
        return self._in_words(text, _words(text))

    def _in_words(self, text: str, words: list[str]) -> bool:
        low = text.casefold()
        return (
            any(address in low for address in self.addresses)
            or not self.rare.isdisjoint(words)
            or any(run in self.runs for run in _runs(words))
        )


RUN = 4  # so many words in a row that are theirs as well are no accident


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _runs(words: list[str]) -> Iterator[tuple[str, ...]]:
    for begin in range(len(words) - RUN + 1):
        yield tuple(words[begin : begin + RUN])


def _holds(words: list[str], name: list[str]) -> bool:
    return any(words[at : at + len(name)] == name for at in range(len(words) - len(name) + 1))


def _texts_in(message: EmailMessage) -> Iterator[str]:
    for part in message.walk():
        if part.get_content_maintype() == "text":
            with contextlib.suppress(LookupError, ValueError):
                yield str(part.get_content())


def traces_of(person: Person) -> Traces:
    """Also single words, where nobody else here has ever used them."""
    account = getattr(person, "account", None)
    addresses = [*person.ways.values_list("address", flat=True), *([account.email] if account else [])]
    theirs = Voice.objects.filter(person=person)
    spoken = Turn.objects.filter(speaker__person=person)
    texts = [*theirs.values_list("words", flat=True), *spoken.values_list("text", flat=True)]
    rare = {word for text in [person.name, *texts] for word in _words(text) if len(word) > 3}
    others = (
        Voice.objects.exclude(person=person).values_list("words", flat=True),
        Turn.objects.exclude(speaker__person=person).values_list("text", flat=True),
        Person.objects.exclude(pk=person.pk).values_list("name", flat=True),
    )
    for rows in others:
        for text in rows.order_by().iterator(chunk_size=2000):
            rare.difference_update(_words(text))
    return Traces(person.name, addresses, texts, rare)


def _clear_what_mentions(traces: Traces) -> None:
    """Sessions, cached things and jobs that mention them. What a traceback holds nobody can tell: all go."""
    engine = import_module(settings.SESSION_ENGINE)
    if hasattr(engine.SessionStore, "get_model_class"):
        Session = engine.SessionStore.get_model_class()
        accounts = set(map(str, _account_ids()))
        for session in Session.objects.all():
            data = session.get_decoded()
            signed_in_as = data.get("_auth_user_id")
            orphaned = signed_in_as is not None and signed_in_as not in accounts
            if orphaned or traces.in_text(json.dumps(data, ensure_ascii=False, default=str)):
                session.delete()
    jobs = DBTaskResult.objects.exclude(status=TaskResultStatus.RUNNING)
    gone = [
        job.pk
        for job in jobs.iterator()
        if traces.in_text(json.dumps([job.args_kwargs, job.return_value], ensure_ascii=False))
    ]
    DBTaskResult.objects.filter(pk__in=gone).delete()
    jobs.exclude(traceback="").update(traceback="")
    for name in settings.CACHES:
        cache = caches[name]
        if isinstance(cache, BaseDatabaseCache):
            _clear_cache_table(cache._table, traces)  # type: ignore[attr-defined]
        else:
            cache.clear()


def _account_ids() -> Iterable[int]:
    return apps.get_model(settings.AUTH_USER_MODEL)._default_manager.values_list("pk", flat=True)


def _clear_cache_table(table: str, traces: Traces) -> None:
    quoted = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT cache_key, value FROM {quoted}")  # nosec B608
        for key, value in cursor.fetchall():
            with contextlib.suppress(binascii.Error):
                value = base64.b64decode(value).decode("utf-8", "replace")
            if traces.in_text(f"{key}\n{value}"):
                cursor.execute(f"DELETE FROM {quoted} WHERE cache_key = %s", [key])  # nosec B608


# Outside the rows


def clean_up(erasure: Erasure) -> bool:
    """Clean what stands outside the rows. False if it can't be finished now; it can be run again any time."""
    write_outside([erasure])
    if erasure.cleaned_at:
        return True
    if hearback.is_on_its_way_to(erasure.person):  # a worker has an email to them in its hands
        return False
    with transaction.atomic():
        files = [*erasure.to_clean["files"]]
        for room in ROOMS:  # what came in between, such as the email that a worker was just sending
            files += room.erase(erasure.person, erasure.choice)
    for name in files:
        default_storage.delete(name)
    _delete_what_nothing_speaks_of()
    _clean_mail(set(erasure.to_clean["mail"]), erasure.to_clean["feedback"])
    if not scrub():
        return False
    Erasure.objects.filter(pk=erasure.pk).update(to_clean={}, cleaned_at=timezone.now())
    return True


def _delete_what_nothing_speaks_of() -> None:
    """Files that a crash left behind: kept, but the row that was to speak of them never came."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if not isinstance(field, models.FileField):
                continue
            folder = str(field.upload_to) if isinstance(field.upload_to, str) else "stories"
            with contextlib.suppress(FileNotFoundError):
                known = set(model._default_manager.values_list(field.name, flat=True))
                for name in (f"{folder}/{file}" for file in default_storage.listdir(folder)[1]):
                    old = timezone.now() - default_storage.get_modified_time(name)
                    if name not in known and old.total_seconds() > LEFT_BEHIND_AFTER:
                        default_storage.delete(name)


LINE = b"-" * 79 + b"\n"  # what Django's file backend writes after each message


def _kept_mail() -> Iterator[tuple[Path, bytes]]:
    folder = Path(settings.EMAIL_FILE_PATH)
    for file in sorted(folder.glob("*.log")) if folder.is_dir() else []:
        for block in file.read_bytes().split(LINE):
            if block.strip():
                yield file, block


def sum_of(block: bytes) -> str:
    return hashlib.sha256(block.strip()).hexdigest()


def _clean_mail(sums: set[str], feedback: list[int]) -> None:
    """Take messages out of the files that emails become while nobody has set up email."""
    theirs = re.compile(
        rb"^Message-ID: *<feedback-(%s)\." % b"|".join(b"%d" % pk for pk in feedback or [0]), re.M | re.I
    )
    kept: dict[Path, list[bytes]] = {}
    touched = set()
    for file, block in _kept_mail():
        if sum_of(block) in sums or theirs.search(block):
            touched.add(file)
        else:
            kept.setdefault(file, []).append(block)
    if settings.SMS_URL.startswith("file://"):  # so do texts
        for pk in feedback:
            for text in Path(settings.SMS_URL.removeprefix("file://")).glob(f"feedback-{pk}.*.txt"):
                text.unlink(missing_ok=True)
    for file in touched:
        if blocks := kept.get(file):
            replace_file(file, b"".join(block + LINE for block in blocks))
        else:
            file.unlink(missing_ok=True)


def replace_file(file: Path, content: bytes) -> None:
    """Write a file anew so that whoever reads it, or a power cut, finds the old one or the new one."""
    made = file.with_name(f".{file.name}.{os.getpid()}")
    with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    made.replace(file)


def scrub(patience: float = 10.0) -> bool:
    """Let the database forget what it keeps of deleted rows. False if somebody was reading all the while."""
    search.forget()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("VACUUM")
            until = time.monotonic() + patience
            while True:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                busy, _pages, _done = cursor.fetchone()
                if not busy or time.monotonic() > until:
                    return not busy
                time.sleep(0.1)
        for table in connection.introspection.table_names(cursor):
            # FULL: a plain VACUUM leaves the bytes in their page until something overwrites them.
            cursor.execute(f"VACUUM (FULL) {connection.ops.quote_name(table)}")
    return True


# Outside the database, and back again after a restore


def list_of_erasures() -> Path:
    return Path(settings.VAR) / "erasures.jsonl"


def write_outside(erasures: Iterable[Erasure]) -> None:
    """Add these erasures to the file that a restored backup is held against. Ids and times only."""
    add_lines(as_line(erasure) for erasure in erasures)


def add_lines(lines: Iterable[str]) -> None:
    file = list_of_erasures()
    known = set(_lines(file))
    new = [line for line in lines if line.strip() and line not in known]
    if not new:
        return
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as out:
        out.write("".join(f"{line}\n" for line in new))
        out.flush()
        os.fsync(out.fileno())


def as_line(erasure: Erasure) -> str:
    told = {
        "person": erasure.person_id,
        "added_at": erasure.person.added_at.isoformat(),
        "at": erasure.at.isoformat(),
        "choice": erasure.choice,
        "asked_by": erasure.asked_by,
    }
    return json.dumps(told, sort_keys=True)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def replay() -> list[Erasure]:
    """Erase again whoever is on the list and back in the database. Returns the erasures, still to clean.

    An id alone would not do: after a restore it may be given to somebody new. So the moment at which the
    person was added has to be the same.
    """
    done = []
    for line in _lines(list_of_erasures()):
        try:
            told = json.loads(line)
        except ValueError:  # a power cut while it was written
            continue
        person = Person.objects.filter(pk=told["person"], erasure__isnull=True).first()
        if person is not None and person.added_at == parse_datetime(told["added_at"]):
            with transaction.atomic():
                done.append(_empty(person, told["choice"], told["asked_by"], parse_datetime(told["at"])))
    return done

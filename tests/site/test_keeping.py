"""Backups that hold everything, and putting one back: nothing is lost, nobody erased comes back."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import zipfile

import pytest
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from coproduce.changes.actions import record_change, tie
from coproduce.hearback import actions as hearback
from coproduce.hearback.models import State
from coproduce.people.models import Erasure, Person
from coproduce.site import erase, keeping
from coproduce.site.models import Worker
from coproduce.voices.actions import add_story, write_down
from coproduce.voices.models import Story, Voice
from tests.conftest import make_person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(amina, lee, town, tmp_path):
    """A backup of a town with something in it."""
    write_down(amina, town, "Just one person to ring", "call", lee)
    add_story(
        amina,
        town,
        "A story",
        dt.date(2026, 3, 3),
        "a.txt",
        b"Ify: Yes?\n\nLee: No.\n\nIfy: Oh.\n\nLee: Well.\n",
    )
    file = tmp_path / "kept" / "backup.zip"
    keeping.backup(file)
    return file


def test_what_is_lost_after_it_comes_back(kept, amina, town, signed_in):
    story = Story.objects.get()
    given = story.file.open().read()
    default_storage.delete(story.file.name)
    Voice.objects.update(words="overwritten")
    write_down(amina, town, "Said later", "note")
    signed_in(amina)
    did = keeping.restore(kept)
    assert did["people"] == 2
    assert Voice.objects.get(turn__isnull=True).words == "Just one person to ring"
    assert Story.objects.get().file.open().read() == given
    assert not Session.objects.exists()


def test_only_its_owner_reads_it_and_when_it_was_made_is_known(kept):
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not list(kept.parent.glob(".*"))
    assert timezone.now() - keeping.last_backup() < dt.timedelta(minutes=1)
    with zipfile.ZipFile(kept) as inside:
        assert {"made.json"} < set(inside.namelist())


def test_who_was_erased_since_is_taken_out_again(kept, lee):
    erase.clean_up(erase.erase_person(lee, lee))
    assert keeping.restore(kept)["erased"] == 1
    assert not Voice.objects.filter(words__contains="one person").exists()
    assert Person.objects.get(pk=lee.pk).name == "Somebody"
    assert Erasure.objects.get().asked_by == Erasure.AskedBy.THEMSELVES


def test_who_was_erased_is_known_from_the_database_if_the_list_is_lost(kept, lee):
    erase.erase_person(lee, lee)
    erase.list_of_erasures().unlink()
    assert keeping.restore(kept)["erased"] == 1


def test_somebody_new_with_the_same_number_is_left_alone(kept, amina, town):
    gone = make_person("Sami", town)
    erase.clean_up(erase.erase_person(amina, gone))
    keeping.restore(kept)  # Sami is not in it
    new = Person.objects.create(pk=gone.pk, name="Dot")
    assert erase.replay() == []
    later = kept.with_name("later.zip")
    keeping.backup(later)
    assert keeping.restore(later)["erased"] == 0
    assert Person.objects.get(pk=new.pk).name == "Dot"


def test_killed_before_it_was_replayed_the_next_start_does_it(kept, lee, monkeypatch):
    erase.clean_up(erase.erase_person(lee, lee))
    real = erase.replay
    monkeypatch.setattr(erase, "replay", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        keeping.restore(kept)
    assert Voice.objects.filter(words__contains="one person").exists()
    for erasure in real():  # as cli._prepare does
        erase.clean_up(erasure)
    assert not Voice.objects.filter(words__contains="one person").exists()


def test_an_email_that_may_have_gone_since_is_not_sent_again(amina, lee, town, tmp_path):
    change = record_change(amina, town, "One worker", "You choose.", "policy")
    tie(amina, change, voices=[write_down(amina, town, "Ring me", "note", lee)])
    update = hearback.write_update(amina, change, "They said yes", "From May on.")
    keeping.backup(tmp_path / "backup.zip")
    assert keeping.restore(tmp_path / "backup.zip")["uncertain"] == 1
    assert update.feedback.get().state == State.UNCERTAIN


def test_not_while_it_is_served(kept):
    with pytest.raises(keeping.Refused, match="being served"):
        keeping.say_restore(kept, is_served=True, force=False, yes=True)
    Worker.objects.create(id="worker")
    with pytest.raises(keeping.Refused, match="being served"):
        keeping.say_restore(kept, is_served=False, force=False, yes=True)
    assert keeping.say_restore(kept, is_served=False, force=True, yes=True) == 0


def test_what_is_no_backup_is_refused_and_nothing_happens(kept, tmp_path):
    before = Voice.objects.count()
    wrong = tmp_path / "wrong.zip"
    wrong.write_text("no zip")
    cases = {"no backup": None}
    for name, content in {"other": {"x.txt": b""}, "sneaky": {"../evil": b"", "made.json": b""}}.items():
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as made:
            for path, data in content.items():
                told = {"made_at": timezone.now().isoformat(), "holds": keeping.SQLITE}
                made.writestr(path, data or json.dumps(told))
        with pytest.raises(keeping.Refused):
            keeping.say_restore(tmp_path / f"{name}.zip", False, False, True)
    with pytest.raises(keeping.Refused):
        keeping.say_restore(wrong, False, False, True)
    assert cases and Voice.objects.count() == before


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a file of SQLite's")
def test_a_damaged_database_is_refused_and_what_is_here_stays(kept, tmp_path):
    damaged = tmp_path / "damaged.zip"
    with zipfile.ZipFile(kept) as good, zipfile.ZipFile(damaged, "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            if name == keeping.SQLITE:
                content = content[:4096] + b"\xff" * 4096 + content[8192:]
            bad.writestr(name, content)
    with pytest.raises(keeping.Refused, match="damaged"):
        keeping.restore(damaged)
    assert Voice.objects.filter(words__contains="one person").exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a file of SQLite's")
def test_it_is_whole_while_somebody_writes(amina, town, tmp_path):
    import threading

    name, stop = str(connection.settings_dict["NAME"]), threading.Event()
    write_down(amina, town, "first", "note")

    def write() -> None:
        other = sqlite3.connect(name, timeout=20, isolation_level=None)
        while not stop.is_set():
            other.execute("BEGIN IMMEDIATE")
            other.execute("UPDATE voices_voice SET words = words || '.'")
            other.execute("UPDATE people_hub SET about = about || '.'")
            other.execute("COMMIT")
        other.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        keeping.backup(tmp_path / "backup.zip")
    finally:
        stop.set()
        writer.join()
    with zipfile.ZipFile(tmp_path / "backup.zip") as inside:
        inside.extract(keeping.SQLITE, tmp_path)
    there = sqlite3.connect(tmp_path / keeping.SQLITE)
    [(dots,)] = there.execute("SELECT length(words) - 5 FROM voices_voice").fetchall()
    assert there.execute("SELECT length(about) - 8 FROM people_hub").fetchall() == [(dots,)]
    there.close()


# What the command says


def test_a_person_is_found_by_number_and_by_email(lee, tmp_path, capsys):
    assert keeping.say_export(str(lee.pk), tmp_path / "by-number") == 0
    assert keeping.say_export("LEE@example.org", tmp_path / "by-email") == 0
    assert "everything.html" in capsys.readouterr().out
    with pytest.raises(keeping.Refused, match="Nobody here"):
        keeping.say_export("nobody@example.org", tmp_path)


def test_erasing_asks_first(lee, monkeypatch, capsys):
    monkeypatch.setattr("builtins.input", lambda _asked: "no")
    with pytest.raises(keeping.Refused, match="Nothing was done"):
        keeping.say_erase(str(lee.pk), keep_words=False, yes=False)
    monkeypatch.setattr("builtins.input", lambda _asked: "erase")
    assert keeping.say_erase(str(lee.pk), keep_words=False, yes=False) == 0
    assert "Taken out, and clean" in capsys.readouterr().out
    assert Erasure.objects.get().asked_by == Erasure.AskedBy.WHO_RUNS_IT
    with pytest.raises(keeping.Refused):
        keeping.say_erase(str(lee.pk), keep_words=False, yes=True)

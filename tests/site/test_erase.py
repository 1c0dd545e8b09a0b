"""Erased is gone: from rows, files, outbox, queue, sessions and caches, and from backups that are put back.

Each of many people has a word of their own, spread over every place where words can be. After an erasure that
word is looked for in the raw bytes of all that is kept, as somebody who steals the disk would.
"""

from __future__ import annotations

import datetime as dt
import io
import random
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import caches
from django.core.files.storage import default_storage
from django.core.mail import EmailMessage, get_connection
from django.core.management import call_command
from django.db import connection, models
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from pypdf import PdfReader

from coproduce.agenda.actions import meetings, minutes, wall
from coproduce.agenda.actions.topics import raise_topic
from coproduce.agenda.models import Attendance, Meeting, Note, Topic
from coproduce.changes.actions import record_change, tie
from coproduce.changes.thread import count_behind
from coproduce.consensus import voting
from coproduce.consensus.actions import open_conversation, write_statement
from coproduce.consensus.reckoning import reckon
from coproduce.engine.exchange import refi
from coproduce.engine.exchange.project import Code, Codebook
from coproduce.engine.quotes import Span
from coproduce.glossary.actions import explain
from coproduce.hearback import actions as hearback
from coproduce.hearback.models import Feedback, Letters, Reply, State, latecomers, tally
from coproduce.hearback.reply import feedback_of, reply_path
from coproduce.hearback.tasks import deliver
from coproduce.people.models import Account, Erasure, Membership, Person, Way
from coproduce.people.permissions import NotAllowed
from coproduce.site import erase, everything, keeping
from coproduce.site.tasks import finish_erasing, finish_what_was_begun
from coproduce.themes import meaning, proposing, together
from coproduce.themes.actions import make_theme, merge
from coproduce.themes.bringing import bring
from coproduce.themes.exchange import take_away
from coproduce.themes.models import Meaning, Proposal, Theme, voice_counts
from coproduce.voices.actions import add_story, mark_quote, name_speaker, write_down
from coproduce.voices.models import Speaker, Story, Turn, Voice
from tests.conftest import make_person
from tests.hearback.conftest import it_went, on_the_line

MADE_AT_ONCE = 100
LETTERS = "bcdfghjklmnprstvz"


def word_of(number: int) -> str:
    """A word that nobody else uses, and that no other word holds."""
    digits = [LETTERS[number // 17**place % 17] for place in range(4)]
    return "qu" + "o".join(digits) + "xq"


class Town:
    """A hub with many people, each of whom has left their word everywhere."""

    def __init__(self, amina: Person, hub, settings, people: int) -> None:
        self.amina, self.hub, self.settings = amina, hub, settings
        self.people: dict[str, Person] = {}
        for number in range(people):
            word = word_of(number)
            self.people[word] = self._somebody(word, number)
        self._thread()
        self._meeting()
        self._traces()

    def _somebody(self, word: str, number: int) -> Person:
        way = [Way.Kind.EMAIL, Way.Kind.LETTER, Way.Kind.EMAIL, Way.Kind.PHONE][number % 4]
        address = {
            Way.Kind.EMAIL: f"{word}@example.org",
            Way.Kind.LETTER: f"{number} {word} Street\nEastmoor",
            Way.Kind.PHONE: f"01632 960{number:03} ask for {word}",
        }[way]
        person = make_person(f"Person {word.title()}", self.hub, way=way, address=address)
        Way.objects.create(person=person, kind=Way.Kind.FACE_TO_FACE, address=f"at the {word} corner")
        return person

    def _thread(self) -> None:
        amina, hub = self.amina, self.hub
        for number, (word, person) in enumerate(self.people.items()):
            said = write_down(amina, hub, f"I told them {word} and nobody wrote it down", "note", person)
            told = (
                f"Ify: Tell me.\n\n"
                f"Person {word.title()}: There was {word} every day for a year. Then it ended.\n\n"
                f"Ify: And now?\n\nPerson {word.title()}: Now I say {word} out loud.\n\nIfy: Thank you.\n"
            )
            story = add_story(
                amina, hub, f"Person {word.title()} tells", dt.date(2026, 3, 3), f"{word}.txt", told.encode()
            )
            speaker = story.speakers.get(label=f"Person {word.title()}")
            name_speaker(amina, speaker, person, ["group", "services", "public"])
            turn = speaker.turns.select_related("story", "speaker__person").first()
            quote = mark_quote(amina, turn, Span(0, turn.text.index(".") + 1))
            raise_topic(person, hub, f"More {word}", f"Because {word} matters")
            explain(person, hub, f"{word} plan", f"A plan for {word}", example=f"My {word}")
            if number % 10 == 0:
                self.themes = [*getattr(self, "themes", []), make_theme(amina, hub, f"Theme {number}")]
            from coproduce.themes.actions import place

            place(amina, self.themes[-1], [said, quote])
        codes = tuple(Code(uuid.uuid4(), f"Code {word}", f"{word} said so") for word in self.people)
        bring(amina, hub, f"{next(iter(self.people))}.qdc", refi.write_codebook(Codebook(codes)))
        take_away(amina, hub, "public", "csv")
        merge(amina, self.themes[-1], self.themes[0]) if len(self.themes) > 1 else None
        self._sense_making()
        self._statements()
        self.topic = raise_topic(amina, hub, "One person to ring", themes=[self.themes[0]])
        self.change = record_change(amina, hub, "One worker", "You choose.", "policy", topics=[self.topic])
        tie(amina, self.change, themes=self.themes, voices=list(Voice.objects.order_by("-pk")[:5]))
        self.update = hearback.write_update(amina, self.change, "They said yes", "From May on.")
        self.settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        work()
        self.pile = hearback.make_letters(amina, hub)
        work()
        self.later = hearback.write_update(amina, self.change, "It has started", "This week.")
        for feedback in Feedback.objects.filter(update=self.update).select_related(
            "person", "update__change"
        ):
            word = feedback.person.name.split()[-1].lower()
            if feedback.state == State.SENT:
                hearback.answer(feedback.person, feedback, False, f"No, {word} is still the same for me")
            Feedback.objects.filter(pk=feedback.pk).update(problem=f"550 unknown: {word}@example.org")

    def _statements(self) -> None:
        """What they wrote for others to vote on, what was made of their words, and how they voted."""
        asked = open_conversation(self.amina, raise_topic(self.amina, self.hub, "What to do"))
        first = write_statement(self.amina, asked, "Begin at once.")
        for word, person in self.people.items():
            write_statement(person, asked, f"There should be no {word} here.")
            said = Voice.objects.filter(person=person).first()
            write_statement(self.amina, asked, f"Nobody wants {word}.", [said])
            voting.vote(person, asked, first, 1)
        reckon(asked)

    def _sense_making(self) -> None:
        """What the machine made of their words, and where they are invited to."""
        theirs = [(word, Voice.objects.filter(person=person)) for word, person in self.people.items()]
        for word, voices in theirs:
            Meaning.objects.bulk_create(
                meaning.made_of(voice, "m", np.frombuffer(word.encode() * 4, np.uint8).astype(np.float32))
                for voice in voices
            )
        proposing.keep_thoughts(
            self.hub,
            [
                proposing.Thought(f"{word}, told", [word, "told"], 0.5, {voice.pk: 0.5 for voice in voices})
                for word, voices in theirs
            ],
        )
        for theme in self.themes:
            Theme.objects.filter(pk=theme.pk).update(terms=[*self.people, "told"])
        session = together.plan_session(
            self.amina,
            self.hub,
            "Is that it?",
            dt.date(2026, 3, 9),
            themes=self.themes,
            stories=Story.objects.all(),
        )
        together.invite(self.amina, session, self.people.values())
        together.write_key_message(
            self.amina, self.themes[-1], "It matters.", "group", [self.themes[-1].voices.first()]
        )

    def _meeting(self) -> None:
        """They said what they need, came, wrote a note, do something by a day, and put the minutes right."""
        now = timezone.now()
        plan = meetings.Plan(now, now + dt.timedelta(hours=2), place="The library")
        meeting = meetings.plan_meeting(self.amina, self.hub, plan)
        wall.open_wall(self.amina, meeting)
        meetings.send_invitations(self.amina, meeting)
        work()
        drafted = None
        for word, person in self.people.items():
            meetings.say_needs(person, meeting, f"Somewhere to leave my {word}")
            meetings.note_who_came(self.amina, meeting, person, "came")
            meetings.told_in_person(self.amina, meeting, person)
            meetings.renew_calendar_link(person)
            wall.write_note(meeting, f"I wrote {word}", ["group"], wall.new_token(), person=person)
            named = wall.write_note(meeting, f"And {word} too", ["group"], wall.new_token(), name=word)
            wall.say_who(self.amina, named, person)
            minutes.give_action(self.amina, meeting, f"Asks about {word}", person, meeting.on)
            drafted = drafted or minutes.draft_minutes(self.amina, meeting)
            minutes.open_minutes(self.amina, drafted, meeting.on)
            minutes.correct(person, drafted, f"It was {word}")
        self.meeting = meeting

    def _traces(self) -> None:
        """Where words end up by the way."""
        mail = get_connection()
        for word, person in self.people.items():
            Reply.objects.create(
                came_by="email", number=word, sender=f"{word}@example.org", original=f"I say {word}", words=word,
                person=person, hub=self.hub,
            )  # fmt: skip
            session = SessionStore()
            session["_auth_user_id"] = str(person.account.pk)
            session["said"] = f"you said {word}"
            session.save()
            other = SessionStore()
            other["note"] = f"Person {word.title()} has heard."
            other.save()
            caches["default"].set(f"seen-{word}", f"There was {word} every day", 3600)
            failed = deliver.enqueue()
            DBTaskResult.objects.filter(pk=failed.id).update(
                status=TaskResultStatus.FAILED,
                finished_at=timezone.now(),
                traceback=f"ValueError: {word} is odd",
            )
            waiting = deliver.enqueue()
            DBTaskResult.objects.filter(pk=waiting.id).update(args_kwargs={"args": [word], "kwargs": {}})
            for body in (f"Your code for {word}", f"Somebody said: There was {word} every day for a year."):
                EmailMessage("Your code", body, to=["amina@example.org"], connection=mail).send()
        mail.close()

    def counts(self) -> dict[str, object]:
        return {
            "behind": count_behind(self.change),
            "themes": voice_counts(theme.pk for theme in Theme.objects.all()),
            "heard": tally(self.update)[State.HEARD],
            "topics": Topic.objects.count(),
            "voices": Voice.objects.count(),
            "turns": Turn.objects.count(),
            "people": Person.objects.count(),
            "came": Meeting.objects.get().others_came + Attendance.objects.count(),
            "notes": Note.objects.count(),
        }


def work() -> None:
    call_command("db_worker", batch=True, interval=0, startup_delay=False, reload=False, verbosity=0)


@pytest.fixture
def on_disk(transactional_db, tmp_path, monkeypatch):
    """Everything this test keeps lies in one folder, and nothing of an earlier test in its database."""
    monkeypatch.setattr("django_tasks_db.management.commands.db_worker.close_old_connections", lambda: None)
    return tmp_path


def database_files() -> list[Path]:
    name = Path(str(connection.settings_dict["NAME"]))
    return [
        file for end in ("", "-wal", "-shm", "-journal") if (file := name.with_name(name.name + end)).exists()
    ]


def hits(words: list[str], folder: Path) -> dict[str, list[str]]:
    """Where any of the words stands, in raw bytes; in a PDF also once its text is unpacked."""
    found: dict[str, list[str]] = {}
    files = [file for file in folder.rglob("*") if file.is_file() and "backups" not in file.parts]
    for file in [*files, *(database_files() if connection.vendor == "sqlite" else [])]:
        content = file.read_bytes().lower()
        if file.suffix == ".pdf":
            text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(file.read_bytes())).pages)
            content += text.replace("\n", "").lower().encode()
        for word in words:
            if word.encode() in content or word.encode("utf-16-le") in content:
                found.setdefault(word, []).append(file.name)
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT t::text FROM "{table}" t')
                rows = "\n".join(row[0] for row in cursor.fetchall()).lower()
                for word in words:
                    if word in rows:
                        found.setdefault(word, []).append(table)
    return found


@pytest.fixture
def everybody(on_disk, amina, town, settings, full) -> Town:
    return Town(amina, town, settings, MADE_AT_ONCE if full else 20)


def test_erased_people_leave_not_a_word_behind(everybody, on_disk, full, record_property):
    number = 100 if full else 10
    chosen = sorted({word_of(1), *random.sample(list(everybody.people), number)})[:number]  # one of letters
    rest = [word for word in everybody.people if word not in chosen]
    before, counts = hits(chosen, on_disk), everybody.counts()
    assert set(before) == set(chosen)
    kinds = {Path(name).suffix for names in before.values() for name in names}
    assert kinds >= {"", ".log", ".pdf"}, "the words were not spread over stories, emails and letters"
    (on_disk / "backups").mkdir()
    keeping.backup(on_disk / "backups" / "before.zip")
    began = time.monotonic()
    for word in chosen:
        asked_by = everybody.amina if random.random() < 0.5 else everybody.people[word]
        erase.erase_person(asked_by, everybody.people[word])
    work()
    took = time.monotonic() - began
    assert hits(chosen, on_disk) == {}
    assert not Erasure.objects.filter(cleaned_at__isnull=True).exists()
    assert everybody.counts() == counts
    gone = [everybody.people[word].pk for word in chosen]
    assert not Meaning.objects.filter(voice__person__in=gone).exists()
    assert not Proposal.objects.filter(voice__person__in=gone).exists()
    for word in chosen:
        assert not Voice.objects.for_reading(everybody.amina).saying(word).exists()
    assert set(hits(rest, on_disk)) == set(rest), "words of others went as well"
    for word in rest[:3]:
        assert not hits(chosen, _exported(everybody.people[word], on_disk))
    assert not hits(chosen, _exported(everybody.amina, on_disk))

    did = keeping.restore(on_disk / "backups" / "before.zip")
    assert did["erased"] == number
    work()
    assert hits(chosen, on_disk) == {}
    assert everybody.counts() == counts
    assert set(hits(rest, on_disk)) == set(rest)
    record_property(
        "figures",
        f"{number} of {len(everybody.people)} people erased: {sum(map(len, before.values()))} places held "
        f"their words before, 0 after, 0 in a restored backup; {took / number:.2f} s each",
    )


def _exported(person: Person, folder: Path) -> Path:
    everything.write_person(person, folder / "exports")
    return folder / "exports"


STEPS = ["write_outside", "delete", "_delete_what_nothing_speaks_of", "_clean_mail", "scrub"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_in_the_middle_of_cleaning_a_worker_finishes_it(
    step, on_disk, amina, town, settings, monkeypatch
):
    everybody = Town(amina, town, settings, 4)
    word, person = next(iter(everybody.people.items()))
    DBTaskResult.objects.all().delete()

    class Killed(BaseException):
        pass

    def die(*_arguments: object, **_more: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(default_storage if step == "delete" else erase, step, die)
        if step == "write_outside":
            with pytest.raises(Killed):
                erase.erase_person(amina, person)
        else:
            erasure = erase.erase_person(amina, person)
            with pytest.raises(Killed):
                erase.clean_up(erasure)
    DBTaskResult.objects.all().delete()  # even if the job was lost
    finish_what_was_begun()
    DBTaskResult.objects.update(run_after=timezone.now() - dt.timedelta(seconds=1))
    work()
    assert Erasure.objects.get(person=person).cleaned_at
    assert hits([word], on_disk) == {}
    assert str(person.pk) in erase.list_of_erasures().read_text()


def test_killed_before_it_is_written_nothing_has_happened(on_disk, amina, town, settings, monkeypatch):
    everybody = Town(amina, town, settings, 4)
    word, person = next(iter(everybody.people.items()))
    counts, places = everybody.counts(), hits([word], on_disk)

    def die(*_arguments: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(erase, "record", die)
    with pytest.raises(RuntimeError):
        erase.erase_person(amina, person)
    assert (everybody.counts(), hits([word], on_disk)) == (counts, places)
    assert not erase.list_of_erasures().exists()


def test_running_the_cleaning_twice_changes_nothing(on_disk, amina, town, settings):
    everybody = Town(amina, town, settings, 4)
    word, person = next(iter(everybody.people.items()))
    erasure = erase.erase_person(None, person)
    assert erase.clean_up(erasure)
    counts = everybody.counts()
    Erasure.objects.update(cleaned_at=None, to_clean={"files": [], "mail": [], "feedback": []})
    finish_erasing.enqueue(erasure.pk)
    work()
    assert erase.erase_person(None, person) == erasure
    assert everybody.counts() == counts
    assert hits([word], on_disk) == {}


def test_no_row_speaks_of_them_but_where_counts_need_it(on_disk, amina, town, settings):
    everybody = Town(amina, town, settings, 4)
    person = next(iter(everybody.people.values()))
    erase.erase_person(amina, person)
    may = {Voice: {"person"}, Feedback: {"person"}, Membership: {"person"}, Erasure: {"person"}}
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey) and field.related_model is Person:
                rows = model._default_manager.filter(**{field.name: person.pk})
                assert not rows.exists() or field.name in may.get(model, ()), f"{model.__name__}.{field.name}"
    assert not person.memberships.current().exists()
    assert not Account.objects.filter(person=person).exists()


def test_keeping_the_words_takes_only_the_name(on_disk, amina, town, settings):
    everybody = Town(amina, town, settings, 4)
    word, person = next(iter(everybody.people.items()))
    words = set(Voice.objects.filter(person=person).values_list("words", flat=True))
    erasure = erase.erase_person(person, person, Erasure.Choice.NAMELESS)
    erase.clean_up(erasure)
    kept = Voice.objects.filter(person=person)
    assert set(kept.values_list("words", flat=True)) == words
    assert all(f"Person {word.title()}" not in voice.who for voice in Voice.objects.for_reading(amina))
    assert not Voice.objects.visible_to(None).filter(person=person).exists(), "public was with the name"
    assert not Story.objects.filter(file_name__contains=word).exists()
    assert not Speaker.objects.filter(label__contains=word).exists()
    assert all(f"{word}@" not in file.read_text() for file in (on_disk / "mail").glob("*"))


# What others see and may do


pytestmark = pytest.mark.django_db


@pytest.fixture
def said(amina, lee, joan, town):
    """A change that Lee and Joan stand behind; Lee is owed an email about it."""
    voices = [
        write_down(amina, town, "Just one person to ring", "call", lee),
        write_down(amina, town, "He stopped coming after the fourth", "meeting", joan),
    ]
    change = record_change(amina, town, "One worker", "You choose.", "policy")
    tie(amina, change, voices=voices)
    return hearback.write_update(amina, change, "They said yes", "From May on.")


def test_nobody_tells_them_any_more(said, amina, lee, work_the_queue, mailoutbox):
    feedback = said.feedback.get(person=lee)
    link = reply_path(feedback).split("/")[-2]
    erase.erase_person(lee, lee)
    assert latecomers(said) == 0
    assert hearback.tell_latecomers(amina, said) == 0
    later = hearback.write_update(amina, said.change, "It has started", "This week.")
    assert not later.feedback.filter(person=lee).exists()
    assert feedback_of(link) is None
    assert not Feedback.objects.filter(person=lee).exists()


def test_what_a_worker_is_sending_just_now_is_waited_for(said, amina, lee):
    claimed = on_the_line(said.feedback.get(person=lee).pk, "worker-1", Way.Kind.EMAIL)
    erasure = erase.erase_person(amina, lee)
    assert not erase.clean_up(erasure)
    assert Feedback.objects.filter(pk=claimed.feedback.pk).exists()
    it_went(claimed)
    assert not Erasure.objects.get().cleaned_at


def test_words_taken_out_are_shown_as_that_and_still_count(said, amina, lee, signed_in):
    erase.erase_person(lee, lee)
    page = signed_in(amina).get(f"/changes/{said.change_id}/words/").content.decode()
    assert "Just one person" not in page
    assert "1 voice behind it was taken out at somebody’s wish" in page
    assert "Taken out at their wish" in signed_in(amina).get("/voices/").content.decode()


def test_a_pile_not_in_the_post_yet_is_made_again_without_them(amina, town, lee, work_the_queue):
    people = [
        make_person(name, town, way=Way.Kind.LETTER, address=f"{name} Street") for name in ("Sami", "Dot")
    ]
    change = record_change(amina, town, "One worker", "You choose.", "policy")
    tie(
        amina,
        change,
        voices=[write_down(amina, town, f"{each.name} said it", "note", each) for each in people],
    )
    hearback.write_update(amina, change, "They said yes", "From May on.")
    pile = hearback.make_letters(amina, town)
    work_the_queue()
    pile.refresh_from_db()
    before = pile.pdf.name
    erase.erase_person(people[0], people[0])
    pile.refresh_from_db()
    assert not pile.pdf
    DBTaskResult.objects.filter(task_path=finish_erasing.module_path).delete()  # no VACUUM in a transaction
    work_the_queue()
    pile.refresh_from_db()
    text = "".join(page.extract_text() for page in PdfReader(pile.pdf).pages)
    assert "Dot said it" in text
    assert "Sami" not in text
    assert before != "" and pile.feedback.count() == 1


def test_letters_made_while_somebody_in_them_is_erased_are_made_again(amina, town, monkeypatch):
    from coproduce.hearback.channels import letter

    people = [
        make_person(name, town, way=Way.Kind.LETTER, address=f"{name} Street") for name in ("Sami", "Dot")
    ]
    change = record_change(amina, town, "One worker", "You choose.", "policy")
    tie(
        amina,
        change,
        voices=[write_down(amina, town, f"{each.name} said it", "note", each) for each in people],
    )
    hearback.write_update(amina, change, "They said yes", "From May on.")
    pile = hearback.make_letters(amina, town)
    real, made = letter.on_paper, []

    def on_paper(letters: list, hub: str) -> bytes:
        if not made:
            erase.erase_person(people[0], people[0])
        made.append(len(letters))
        return real(letters, hub)

    monkeypatch.setattr(letter, "on_paper", on_paper)
    letter.make_pdf(Letters.objects.get(pk=pile.pk))
    assert made == [2, 1]
    pile.refresh_from_db()
    assert "Sami" not in "".join(page.extract_text() for page in PdfReader(pile.pdf).pages)


def test_a_story_being_taken_in_stops_where_it_is(amina, lee, town, monkeypatch):
    from coproduce.engine import transcript
    from coproduce.voices import actions

    monkeypatch.setattr(actions, "AT_ONCE", 0)
    told = "Ify: Yes?\n\nLee: All day long.\n\nIfy: Go on.\n\nLee: That is it.\n"
    story = add_story(amina, town, "Lee’s story", dt.date(2026, 3, 3), "lee.txt", told.encode())
    speaker = story.speakers.get(label="Lee")
    name_speaker(amina, speaker, lee, [])
    erase.erase_person(lee, lee)
    actions.take_in_turns(story, transcript.read(told.encode(), "lee.txt").turns)
    story = Story.objects.with_counts().get()
    assert story.turns.count() == 0
    assert not story.is_coming_in
    assert story.title == "Story"


# Who may


def test_who_looks_after_somebody_may_erase_them_but_not_who_they_could_not_make(
    amina, lee, marek, town, charlie
):
    omar = make_person("Omar", town, Membership.Role.COORDINATOR)
    for by, whom in ((lee, amina), (marek, lee), (charlie, lee), (amina, omar), (amina, charlie)):
        with pytest.raises(NotAllowed):
            erase.erase_person(by, whom)
    assert erase.erase_person(amina, lee).asked_by == Erasure.AskedBy.WHO_LOOKS_AFTER_THEM
    assert erase.erase_person(omar, marek).asked_by == Erasure.AskedBy.WHO_LOOKS_AFTER_THEM
    assert not Person.objects.visible_to(amina).filter(pk=lee.pk).exists()


def test_the_last_who_looks_after_a_hub_hands_it_over_first(amina, lee, town, signed_in):
    page = signed_in(amina).post(f"/people/{amina.pk}/erase/", {"choice": "take out", "word": "erase"})
    assert "Give somebody else this role first" in page.content.decode()
    assert not Erasure.objects.exists()


def test_the_page_takes_a_typed_word_and_there_is_no_way_back(lee, signed_in):
    browser = signed_in(lee)
    address = f"/people/{lee.pk}/erase/"
    assert "This can’t be undone" in browser.get(address).content.decode()
    refused = browser.post(address, {"choice": "take out", "word": "yes"}).content.decode()
    assert "Type the word erase" in refused
    assert not Erasure.objects.exists()
    gone = browser.post(address, {"choice": "take out", "word": " Erase "}).content.decode()
    assert "You are taken out" in gone
    assert browser.get("/what-happened/").status_code == 302
    assert Erasure.objects.get().asked_by == Erasure.AskedBy.THEMSELVES


def test_for_somebody_else_it_takes_that_they_asked(amina, lee, signed_in):
    browser = signed_in(amina)
    address = f"/people/{lee.pk}/erase/"
    assert not Erasure.objects.filter(person=lee).exists()
    browser.post(address, {"choice": "take out", "word": "erase"})
    assert not Erasure.objects.exists()
    assert browser.post(address, {"choice": "nameless", "word": "erase", "asked": "on"}).status_code == 302
    assert Erasure.objects.get().choice == "nameless"
    assert browser.get(f"/people/{lee.pk}/").status_code == 404


def test_nobody_else_gets_to_the_page(lee, joan, marek, charlie, signed_in, client):
    for other in (joan, marek, charlie):
        assert signed_in(other).get(f"/people/{lee.pk}/erase/").status_code == 404
    assert client.get(f"/people/{lee.pk}/erase/").status_code == 302

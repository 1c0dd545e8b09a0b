"""Searching: what is said is found by who may read it, as they read it, and by nobody once it is gone."""

from __future__ import annotations

import pytest
from django.db import connection
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from coproduce.site.recall import take_back
from coproduce.themes import meaning, proposing
from coproduce.themes.models import Meaning
from coproduce.voices import search
from coproduce.voices.actions import set_consent, write_down
from coproduce.voices.consent import mask_words
from coproduce.voices.models import Voice

pytestmark = pytest.mark.django_db


@pytest.fixture
def say(amina, lee, town):
    return lambda words, uses=("group",): write_down(amina, town, words, "note", lee, uses=uses)


def found(person, words: str) -> set[str]:
    return {voice.shown for voice in Voice.objects.for_reading(person).saying(words)}


def test_words_are_found_whatever_their_ending_and_accents(amina, say):
    say("Nobody rings me back about the café")
    say("I walked")
    assert found(amina, "ring") == {"Nobody rings me back about the café"}
    assert found(amina, "RING café") == {"Nobody rings me back about the café"}
    assert found(amina, "ring walked") == set(), "each of the words"
    assert found(amina, "") == found(amina, "?!") == set()
    if connection.vendor == "sqlite":
        assert found(amina, "cafe ringing") == {"Nobody rings me back about the café"}


def test_the_index_follows_every_change(amina, say):
    voice = say("A tortoise called Gladys")
    Voice.objects.filter(pk=voice.pk).update(words="A cat called Biscuit")
    assert found(amina, "tortoise") == set() and found(amina, "biscuit") == {"A cat called Biscuit"}
    Voice.objects.bulk_create([Voice(hub=voice.hub, came_by="note", words="A parrot", said_on=voice.said_on)])
    assert found(amina, "parrot") == {"A parrot"}
    Voice.objects.filter(pk=voice.pk).delete()
    assert found(amina, "biscuit") == set()


def test_nobody_finds_what_they_may_not_read(amina, lee, joan, marek, charlie, say):
    say("Kept to myself", uses=())
    say("For the group only")
    say("For services as well", uses=("group", "services"))
    say("For all of you", uses=("group", "public"))
    for person, words in (
        (amina, {"Kept to myself", "For the group only", "For services as well", "For all of you"}),
        (lee, {"Kept to myself", "For the group only", "For services as well", "For all of you"}),
        (joan, {"For the group only", "For services as well", "For all of you"}),
        (marek, {"For services as well", "For all of you"}),
        (charlie, {"For all of you"}),
        (None, {"For all of you"}),
    ):
        assert found(person, "for") | found(person, "kept") == words


def test_a_masked_word_is_found_by_nobody_who_gets_it_masked(amina, marek, say):
    voice = say("I told Joan Fox at 12 Mill Street about the damp", uses=("group", "services", "public"))
    voice.refresh_from_db()
    assert "Fox" not in voice.masked
    assert found(amina, "fox") and not found(marek, "fox") and not found(None, "fox")
    assert found(marek, "damp") == found(None, "damp") == {voice.masked}
    mask_words(amina, voice, [])
    assert found(marek, "fox") == {voice.words}


def test_what_was_taken_back_is_found_by_nobody(amina, lee, marek, say):
    voice = say("A tortoise called Gladys", uses=("group", "services", "public"))
    other = say("A tortoise in the garden", uses=("group", "public"))
    take_back(lee, [voice], [], "take out")
    set_consent(lee, other, [])
    for person in (marek, None):
        assert not found(person, "tortoise") and not found(person, "gladys")
    assert found(amina, "tortoise") == {other.words}
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab('main', 'voices_search', 'row')")
            cursor.execute("SELECT term FROM temp.terms")
            kept = {term for (term,) in cursor.fetchall()}
            cursor.execute("SELECT hex(block) FROM voices_search_data")
            blocks = b"".join(bytes.fromhex(row[0]) for row in cursor.fetchall())
            cursor.execute("DROP TABLE temp.terms")
        assert "gladi" not in kept and b"gladi" not in blocks and b"ladi" not in blocks


def test_it_comes_back_where_a_migration_dropped_it(amina, say):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps the index with the table")
    say("A tortoise")
    with connection.cursor() as cursor:
        for trigger in search._TRIGGERS:
            cursor.execute(f"DROP TRIGGER {trigger}")
    Voice.objects.update(words="A parrot")
    assert found(amina, "parrot") == set()
    search.set_up()
    search.set_up()
    assert found(amina, "parrot") == {"A parrot"} and found(amina, "tortoise") == set()


@given(st.text(max_size=40))
def test_whatever_somebody_types_is_only_looked_for(typed):
    assert list(Voice.objects.for_reading(None).saying(typed)) == []


# The page


def test_the_page_says_what_was_found_by_word_and_what_by_meaning(signed_in, amina, town, say):
    if meaning.embedder() is None:
        pytest.skip("there is no model for the meaning of sentences on this machine")
    say("Nobody picks up the phone at night")
    say("I rang after dark and it just kept ringing")
    say("There is mould on the wall")
    for made, _done, _total in meaning.embed_what_is_missing(Voice.objects.all(), meaning.embedder()):
        proposing.keep_meanings(made)
    page = signed_in(amina).get(reverse("themes:search"), {"q": "phone at night"}).content.decode()
    by_word, by_meaning = page.split("In other words")
    assert "Nobody picks up the phone" in by_word and "Nobody picks up the phone" not in by_meaning
    assert "I rang after dark" in by_meaning and "mould" not in page


def test_nothing_is_near_that_the_reader_may_not_read(amina, lee, marek, say):
    if meaning.embedder() is None:
        pytest.skip("there is no model for the meaning of sentences on this machine")
    kept = say("Nobody picks up the phone at night", uses=())
    masked = say("Joan Fox never picks up the phone at night", uses=("group", "services"))
    plain = say("They never answer the phone at night", uses=("group", "services"))
    for made, _done, _total in meaning.embed_what_is_missing(Voice.objects.all(), meaning.embedder()):
        proposing.keep_meanings(made)
    assert not Meaning.objects.filter(voice=kept).exists(), (
        "nothing is allowed for it, so nothing is made of it"
    )
    assert set(meaning.near(lee, "phone at night")) == {masked.pk, plain.pk}
    assert set(meaning.near(marek, "phone at night")) == {masked.pk, plain.pk}
    assert meaning.near(None, "phone at night") == [] and meaning.near(amina, " ") == []


def test_what_is_masked_draws_nothing_near(amina, marek, say):
    if meaning.embedder() is None:
        pytest.skip("there is no model for the meaning of sentences on this machine")
    voice = say("My dog Biscuit barks at the postman", uses=("group", "services"))

    def masked(words: str) -> None:
        Voice.objects.filter(pk=voice.pk).update(masked=words)

    def read() -> None:
        for made, _done, _total in meaning.embed_what_is_missing(Voice.objects.all(), meaning.embedder()):
            proposing.keep_meanings(made)

    masked("My [somebody] at the [somebody]")
    read()
    assert meaning.near(amina, "a dog that barks") == [voice.pk]
    assert meaning.near(marek, "a dog that barks") == []
    masked("My dog [somebody] barks at the postman")
    assert meaning.near(marek, "a dog that barks") == [], (
        "not before the machine has read what leaves the group"
    )
    read()
    assert meaning.near(marek, "a dog that barks") == [voice.pk]
    masked("My [somebody]")  # hidden more at once, whether the machine has read it or not
    assert meaning.near(marek, "a dog that barks") == []
    masked("")
    read()
    assert meaning.near(marek, "a dog that barks") == [voice.pk]
    assert Meaning.objects.get(voice=voice).masked_vector is None


def test_without_a_model_the_page_says_so(signed_in, amina, say, monkeypatch):
    say("Nobody picks up the phone")
    monkeypatch.setattr(meaning, "embedder", lambda: None)
    page = signed_in(amina).get(reverse("themes:search"), {"q": "phone"}).content.decode()
    assert "Nobody picks up the phone" in page and "is not on this machine" in page

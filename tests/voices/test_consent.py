"""What people allow: for what they say from now on, for everything, again after a while; on screen and on paper."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pypdf import PdfReader

from coproduce.engine.quotes import Span
from coproduce.hearback.actions import answer, write_update
from coproduce.people.models import Person
from coproduce.people.permissions import NotAllowed
from coproduce.voices import consent
from coproduce.voices.actions import mark_quote, name_speaker, set_consent, write_down
from coproduce.voices.allowing import default_uses
from coproduce.voices.models import GRACE, Consent, Use, Voice, months_ago
from coproduce.voices.today import do_these_first
from tests.hearback.test_actions import change  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
GROUP, SERVICES, PUBLIC = Use.GROUP, Use.SERVICES, Use.PUBLIC


def standing(voice: Voice) -> set[str]:
    return set(voice.consents.standing().values_list("use", flat=True))


def reads(person: Person | None, voice: Voice) -> bool:
    return Voice.objects.visible_to(person).filter(pk=voice.pk).exists()


def long_ago(months: int, **which) -> None:
    Consent.objects.filter(**which).update(given_at=months_ago(months) - dt.timedelta(days=1))


# From now on


def test_new_words_start_with_what_the_person_set(amina, lee, town):
    assert default_uses(lee) is None
    assert standing(write_down(lee, town, "Hello", "form", lee)) == {GROUP}
    consent.set_default(lee, lee, [GROUP, SERVICES])
    assert standing(write_down(lee, town, "Hello", "form", lee)) == {GROUP, SERVICES}
    consent.set_default(amina, lee, [])  # asked by Lee
    assert standing(write_down(amina, town, "Hello", "call", lee)) == set()
    assert standing(write_down(amina, town, "Hello", "call", None)) == {GROUP}


def test_that_nothing_is_allowed_is_an_answer_too(lee, town):
    consent.set_default(lee, lee, [])
    assert default_uses(lee) == {}
    assert standing(write_down(lee, town, "Hello", "form", lee)) == set()


def test_who_writes_down_may_allow_less_and_never_more(amina, lee, lees, town):
    consent.set_default(lee, lee, [GROUP])
    assert standing(write_down(amina, town, "Hello", "call", lee, uses=[])) == set()
    with pytest.raises(ValidationError, match="Lee allows for new words: the group"):
        write_down(amina, town, "Hello", "call", lee, uses=[GROUP, PUBLIC])
    with pytest.raises(ValidationError, match="allows for new words"):
        name_speaker(amina, lees, lee, [GROUP, SERVICES, PUBLIC])
    name_speaker(amina, lees, lee, [GROUP, SERVICES])  # what stood already stays
    assert standing(write_down(lee, town, "Hello", "form", lee, uses=[GROUP, PUBLIC])) == {GROUP, PUBLIC}


def test_an_answer_to_us_starts_with_it_too(amina, lee, change):  # noqa: F811
    consent.set_default(lee, lee, [])
    update = write_update(amina, change, "It has started", "You pick one worker.")
    given = answer(lee, update.feedback.get(person=lee), answered=False, words="Not for my brother")
    assert given.voice is not None and standing(given.voice) == set()


def test_what_is_set_is_dated_and_by_whom(amina, lee):
    consent.set_default(lee, lee, [GROUP, SERVICES])
    consent.set_default(amina, lee, [GROUP])
    taken = Consent.objects.get(person=lee, use=SERVICES)
    assert (taken.given_by, taken.withdrawn_by) == (lee, amina) and taken.given_at <= taken.withdrawn_at
    assert lee.consents.filter(use=GROUP, withdrawn_at__isnull=True, given_by=lee).count() == 1


def test_only_who_looks_after_them_sets_it_for_them(lee, joan, marek, charlie):
    for stranger in (joan, marek, charlie):
        with pytest.raises(NotAllowed):
            consent.set_default(stranger, lee, [PUBLIC])


# One screen


def test_one_screen_lists_all_they_said_to_be_changed_one_by_one(lee, town, signed_in):
    one, two = (write_down(lee, town, words, "form", lee) for words in ("About the bus", "About the pods"))
    browser = signed_in(lee)
    page = browser.get("/consent/", follow=True).content.decode()
    assert "What I allow with my words" in page and "About the bus" in page and "About the pods" in page
    browser.post(f"/people/{lee.pk}/consent/", {"do": "each", f"use-{one.pk}": ["group", "services"]})
    assert (standing(one), standing(two)) == ({GROUP, SERVICES}, set())


def test_and_all_at_once(lee, town, signed_in):
    said = [write_down(lee, town, f"Thing {n}", "form", lee) for n in range(14)]  # more than a page
    signed_in(lee).post(f"/people/{lee.pk}/consent/", {"do": "all", "all-public": "on"})
    assert all(standing(voice) == {PUBLIC} for voice in said)


def test_what_is_for_new_words_leaves_old_words_alone(lee, town, signed_in):
    old = write_down(lee, town, "Hello", "form", lee)
    signed_in(lee).post(f"/people/{lee.pk}/consent/", {"do": "default", "default-services": "on"})
    assert set(default_uses(lee)) == {SERVICES} and standing(old) == {GROUP}


def test_the_screen_of_somebody_else(amina, lee, joan, marek, omar, town, signed_in):
    write_down(lee, town, "Only mine", "form", lee, uses=[])
    address = f"/people/{lee.pk}/consent/"
    assert "Only mine" in signed_in(amina).get(address).content.decode()
    # A coordinator looks after people, and reads no more than the group may.
    assert "Only mine" not in signed_in(omar).get(address).content.decode()
    for stranger in (joan, marek):
        assert signed_in(stranger).get(address).status_code == 404
        assert signed_in(stranger).post(address, {"do": "all", "all-public": "on"}).status_code == 404


def test_the_form_on_paper(amina, lee, joan, town, signed_in):
    write_down(lee, town, "About the *bus* #x", "form", lee)
    empty = signed_in(joan).get("/consent/form.pdf")
    assert empty["Content-Type"] == "application/pdf"
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(empty.content)).pages)
    assert "What may we do with your words?" in text and "Services may read them" in text
    own = PdfReader(io.BytesIO(signed_in(amina).get(f"/people/{lee.pk}/consent/form.pdf").content))
    text = " ".join(page.extract_text() for page in own.pages)
    assert "Lee" in text and "About the *bus* #x" in text
    assert own.trailer["/Root"]["/MarkInfo"]["/Marked"]  # tagged, so that it can be read aloud
    assert signed_in(joan).get(f"/people/{lee.pk}/consent/form.pdf").status_code == 404


# A yes gets old


def test_a_yes_outside_the_group_stops_counting_after_the_limit_and_the_grace(amina, lee, joan, marek, town):
    voice = write_down(amina, town, "Just one to ring", "call", lee, uses=[GROUP, SERVICES])
    long_ago(town.consent_months, voice=voice)
    assert reads(marek, voice) and voice.pk in {due.pk for due in consent.to_ask_again(amina)}
    long_ago(town.consent_months + GRACE, voice=voice)
    assert not reads(marek, voice) and reads(joan, voice) and reads(lee, voice)
    consent.still_yes(amina, voice)
    assert reads(marek, voice) and not consent.to_ask_again(amina).exists()
    rows = list(voice.consents.filter(use=SERVICES).values_list("renewed", "withdrawn_by", "given_by"))
    assert rows == [(True, amina.pk, amina.pk), (False, None, amina.pk)]


def test_public_words_lapse_for_everybody_and_by_their_own_hub_s_limit(amina, lee, charlie, town, ward):
    voice = write_down(amina, town, "Just one to ring", "call", lee, uses=[PUBLIC])
    long_ago(10, voice=voice)
    assert reads(None, voice) and not consent.to_ask_again(amina).exists()
    consent.set_limit(amina, town, 6)
    assert not reads(None, voice) and not reads(charlie, voice)
    consent.set_limit(amina, town, 12)
    assert reads(None, voice)
    with pytest.raises(NotAllowed):
        consent.set_limit(amina, ward, 12)
    with pytest.raises(NotAllowed):
        consent.set_limit(lee, town, 12)


def test_a_quote_marked_late_is_no_younger_than_its_speaker_s_yes(amina, marek, lees, turn):
    long_ago(60, speaker=lees)
    quote = mark_quote(amina, turn, Span(0, 34))
    assert standing(quote) == {GROUP, SERVICES} and not reads(marek, quote)


def test_the_page_and_the_day_of_who_keeps_stories(amina, lee, marek, town, signed_in):
    voice = write_down(amina, town, "Just one to ring", "call", lee, uses=[GROUP, SERVICES])
    assert not [todo for todo in do_these_first(amina) if "Ask again" in todo.title]
    long_ago(30, voice=voice)
    assert [todo for todo in do_these_first(amina) if "Ask again about 1 voice" in todo.title]
    browser = signed_in(amina)
    page = browser.get("/consent/ask-again/").content.decode()
    assert "Just one to ring" in page and "stops counting 3 months after" in page and "after 2 years" in page
    browser.post(f"/voices/{voice.pk}/still-yes/")
    assert "Just one to ring" not in browser.get("/consent/ask-again/").content.decode()
    assert "asked again" in browser.get(f"/voices/{voice.pk}/").content.decode()
    browser.post(f"/hubs/{town.pk}/consent/", {"months": "6"})
    town.refresh_from_db()
    assert town.consent_months == 6
    for stranger in (lee, marek):
        assert signed_in(stranger).get("/consent/ask-again/").status_code == 404
        assert signed_in(stranger).get(f"/hubs/{town.pk}/consent/").status_code == 404
    assert signed_in(marek).post(f"/voices/{voice.pk}/still-yes/").status_code == 404


def test_lee_may_say_it_himself(lee, town, signed_in):
    voice = write_down(lee, town, "Just one to ring", "form", lee, uses=[SERVICES])
    long_ago(30, voice=voice)
    page = signed_in(lee).get(f"/voices/{voice.pk}/").content.decode()
    assert "I still say yes" in page
    signed_in(lee).post(f"/voices/{voice.pk}/still-yes/")
    assert not Consent.objects.to_ask_again().exists()


def test_months_are_counted_in_days_that_there_are(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC))
    assert months_ago(1) == dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC)
    assert months_ago(27) == dt.datetime(2023, 12, 31, 12, tzinfo=dt.UTC)


def test_what_was_taken_out_cannot_be_allowed_again(lee, town):
    voice = write_down(lee, town, "Hello", "form", lee)
    consent.take_back(lee, [voice], [], "take out")
    with pytest.raises(ValidationError):
        set_consent(lee, Voice.objects.get(pk=voice.pk), [PUBLIC])

from __future__ import annotations

import re

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from coproduce.agenda import wall_pages
from coproduce.agenda.actions import meetings, wall
from coproduce.agenda.models import Attendance, Item, Note
from coproduce.agenda.wall_pages import screen_path
from coproduce.people.permissions import NotAllowed
from coproduce.voices import consent
from coproduce.voices.models import Use, Voice

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(amina, today):
    wall.open_wall(amina, today)
    today.refresh_from_db()
    return today


@pytest.fixture
def phone(room, client):
    """A function: send a note from a phone without an account, on a fresh form or on one that was seen before."""
    path = reverse("agenda:note", args=[room.wall_key_said])

    def send(words: str, token: str = "", **rest: str):
        token = token or re.search(r'name="token" value="(\w+)"', client.get(path).content.decode())[1]
        return client.post(path, {"words": words, "token": token, **rest})

    send.path = path
    return send


def on_screen(room) -> list[str]:
    """What somebody in the room reads, with a browser that nobody signed in on."""
    page = Client().get(screen_path(room)).content.decode()
    return re.findall(r'<li class="sheet".*?<p>“(.*?)”</p>', page)


def test_a_note_from_a_phone_is_a_voice_with_its_consent_and_on_the_screen(phone, room):
    answer = phone("They close at four")
    assert answer.status_code == 302
    note = Note.objects.get()
    assert (note.voice.words, note.voice.came_by, note.voice.person) == ("They close at four", "note", None)
    assert set(note.voice.consents.standing().values_list("use", flat=True)) == {Use.GROUP}
    assert on_screen(room) == ["They close at four"]


def test_more_is_allowed_only_where_it_is_ticked(phone):
    phone("For all", services="on", public="on")
    assert set(Voice.objects.get().consents.values_list("use", flat=True)) == set(Use.values)


def test_what_is_only_for_who_leads_is_not_on_the_screen(phone, room, amina, lee, signed_in):
    assert "kept=1" in phone("It was me", keep="1")["Location"]
    assert on_screen(room) == []
    assert "It was me" in signed_in(amina).get(reverse("agenda:wall", args=[room.pk])).content.decode()
    assert not Voice.objects.visible_to(lee).exists()


def test_what_a_shaky_connection_sends_twice_is_one_note(phone, room):
    token = wall.new_token()
    for _again in range(3):
        assert phone("They close at four\r\nand then what", token).status_code == 302
    assert Note.objects.count() == Voice.objects.count() == 1
    phone("Something else, typed after going back", token)
    assert Note.objects.count() == 2, "nothing said is lost"


def test_an_error_keeps_what_was_typed(phone):
    page = phone("x" * 1001, name="Dot", services="on").content.decode()
    assert "That is too long for a note" in page
    assert "x" * 1001 in page and 'value="Dot"' in page
    page = phone("  ", name="Dot").content.decode()
    assert "Write what you want to say." in page and 'value="Dot"' in page
    page = phone("Kept", token="old").content.decode()
    assert "too old" in page and "Kept" in page
    assert not Note.objects.exists()


def test_a_closed_wall_takes_nothing_and_loses_nothing(phone, room, amina):
    token = wall.new_token()
    wall.close_wall(amina, room)
    page = phone("Am I late?", token).content.decode()
    assert "The wall is closed now" in page and "Am I late?" in page
    assert not Note.objects.exists()


def test_a_wrong_link_a_wall_never_opened_and_a_renewed_link_answer_alike(client, room, coming, amina):
    old = room.wall_key
    wall.renew_wall_link(amina, room)
    for key in (old, coming.wall_key, "zzzzzzzzz"):
        assert client.get(reverse("agenda:note", args=[key])).status_code == 404
    room.refresh_from_db()
    assert client.get(reverse("agenda:note", args=[room.wall_key.upper()])).status_code == 200


def test_sixty_phones_behind_one_address_get_in_and_a_flood_does_not(phone, monkeypatch):
    assert wall_pages.FROM_ONE_ADDRESS * 60 / wall_pages.QUARTER >= 5 * 60
    assert wall_pages.FROM_ONE_ADDRESS >= 60, "and all of them at once"
    monkeypatch.setattr(wall_pages, "FROM_ONE_ADDRESS", 3)
    monkeypatch.setattr(wall_pages, "QUARTER", 10**9)  # so that no new one begins in the middle
    statuses = [phone(f"Note {number}").status_code for number in range(5)]
    assert statuses == [302, 302, 302, 429, 429]
    page = phone("Still here").content.decode()
    assert "Still here" in page and "Wait a minute" in page


def test_a_flood_from_everywhere_is_stopped_at_the_wall(phone, monkeypatch):
    monkeypatch.setattr(wall_pages, "ON_ONE_WALL", 2)
    assert [phone(f"Note {number}").status_code for number in range(3)] == [302, 302, 429]


def test_a_machine_that_fills_in_everything_leaves_nothing(phone):
    assert phone("Buy", website="https://spam.example").status_code == 302
    assert not Note.objects.exists()


def test_who_is_signed_in_may_put_their_name_to_it_and_nobody_else(phone, client, lee, charlie, room):
    client.force_login(lee.account, backend="django.contrib.auth.backends.ModelBackend")
    assert "It is from me, Lee" in client.get(phone.path).content.decode()
    phone("Mine", own="on")
    phone("A friend’s, on my phone")
    assert list(Voice.objects.order_by("pk").values_list("person", flat=True)) == [lee.pk, None]
    client.force_login(charlie.account, backend="django.contrib.auth.backends.ModelBackend")
    assert "It is from me" not in client.get(phone.path).content.decode()
    with pytest.raises(NotAllowed):
        wall.write_note(room, "As if", ["group"], wall.new_token(), person=charlie)


def test_nobodys_name_is_on_the_screen_and_the_group_can_read_it_later(phone, room, amina, lee, signed_in):
    phone("They close at four", name="Dot")
    assert "Dot" not in Client().get(screen_path(room)).content.decode()
    assert "Dot" in signed_in(amina).get(reverse("agenda:wall", args=[room.pk])).content.decode()


def test_what_is_taken_off_is_kept_and_can_go_on_again(phone, room, amina, lee):
    phone("Somebody’s name slipped out")
    note = Note.objects.get()
    with pytest.raises(NotAllowed):
        wall.take_off(lee, note)
    wall.take_off(amina, note)
    assert on_screen(room) == []
    assert Voice.objects.get().words == "Somebody’s name slipped out"
    wall.take_off(amina, note, off=False)
    assert on_screen(room) == ["Somebody’s name slipped out"]


def test_words_that_are_taken_back_leave_the_screen_at_once(amina, lee, room):
    note = wall.write_note(room, "Mine", ["group"], wall.new_token(), person=lee)
    assert on_screen(room) == ["Mine"]
    consent.take_back(lee, [note.voice], [], "take out")
    assert on_screen(room) == []


def test_what_is_said_out_loud_and_on_paper_is_for_a_person_or_for_nobody(amina, lee, joan, marek, room):
    spoken = wall.write_down_note(amina, room, "I had eleven workers", "spoken", wall.new_token(), person=lee)
    paper = wall.write_down_note(amina, room, "Me too", "paper", wall.new_token(), person=joan)
    wall.write_down_note(amina, room, "And me", "spoken", wall.new_token())
    assert (spoken.voice.came_by, spoken.voice.person) == ("meeting", lee)
    assert (paper.voice.came_by, paper.voice.person) == ("note", joan)
    assert Attendance.objects.get().person == joan, "who hands in a note took part"
    assert on_screen(room) == ["And me", "Me too", "I had eleven workers"], "the newest first"
    wall.lay_together(amina, room, [Note.objects.get(voice__words="And me")], name="Us")
    assert on_screen(room) == ["Me too", "I had eleven workers", "And me"], "piles after what is new"
    for by in (lee, marek):
        with pytest.raises(NotAllowed):
            wall.write_down_note(by, room, "As if", "spoken", wall.new_token())


def test_for_who_allows_the_group_nothing_it_is_kept_and_not_shown(amina, lee, room, signed_in):
    consent.set_default(lee, lee, [])
    browser = signed_in(amina)
    page = browser.post(
        reverse("agenda:wall", args=[room.pk]),
        {"words": "Only write it down", "person": lee.pk, "token": wall.new_token(), "spoken": "1"},
        follow=True,
    )
    assert "not on the screen" in page.content.decode()
    assert on_screen(room) == []
    assert Voice.objects.get().person == lee


def test_notes_on_a_topic_stand_behind_that_topic(amina, room, topic):
    item = meetings.put_on_agenda(amina, room, Item.Kind.TOPIC, 20, topic)
    note = wall.write_note(room, "They keep changing", ["group"], wall.new_token(), item)
    assert list(topic.voices.all()) == [note.voice]


def test_notes_are_laid_together_by_ticking_and_a_pile_becomes_a_theme(amina, room, topic, signed_in):
    item = meetings.put_on_agenda(amina, room, Item.Kind.TOPIC, 20, topic)
    notes = [wall.write_note(room, f"Late {n}", ["group"], wall.new_token(), item) for n in range(3)]
    browser = signed_in(amina)
    path = reverse("agenda:lay_together", args=[room.pk])
    page = browser.post(path, {"notes": [], "name": "Late letters"}).content.decode()
    assert "Tick the notes first" in page and "Late letters" in page
    browser.post(path, {"notes": [note.pk for note in notes[:2]], "name": "Late letters"})
    pile = room.piles.get()
    browser.post(path, {"notes": [notes[2].pk], "pile": pile.pk})
    assert pile.notes.count() == 3
    assert "Late letters" in Client().get(screen_path(room)).content.decode()
    browser.post(reverse("agenda:theme_of_pile", args=[pile.pk]))
    pile.refresh_from_db()
    assert pile.theme.name == "Late letters"
    assert list(topic.themes.all()) == [pile.theme]
    browser.post(path, {"notes": [note.pk for note in notes]})
    assert pile.notes.count() == 0
    assert room.piles.get() == pile, "what became a theme stays"


def test_it_turns_out_whose_note_it_is_and_it_opens_no_more_than_they_set(amina, lee, room, phone):
    phone("About me", name="Lee from the corner", services="on", public="on")
    note = Note.objects.get()
    consent.set_default(lee, lee, ["group"])
    wall.say_who(amina, note, lee)
    note.refresh_from_db()
    assert (note.name, note.voice.person) == ("", lee)
    assert set(note.voice.consents.standing().values_list("use", flat=True)) == {Use.GROUP}
    with pytest.raises(ValidationError):
        wall.say_who(amina, note, amina)


@pytest.mark.parametrize("choice", ["take out", "nameless"])
def test_with_words_that_are_taken_back_the_name_beside_them_goes(choice, phone, room, amina, lee, signed_in):
    phone("They close at four", name="Dot")
    phone("And on Sundays", name="Ray")
    consent.take_back(amina, [Voice.objects.get(words="They close at four")], [], choice)
    assert "Dot" not in signed_in(amina).get(reverse("agenda:wall", args=[room.pk])).content.decode()
    wall.forget_names_of_what_was_taken_back()
    assert set(Note.objects.values_list("name", flat=True)) == {"", "Ray"}


# What the screen asks


def test_the_screen_hears_only_what_is_new(phone, room, client):
    phone("First")
    path = screen_path(room) + "notes/"
    first = client.get(path)
    told = first.json()
    [pk] = told["notes"]
    assert "First" in told["notes"][pk]
    same = client.get(path, {"since": pk}, headers={"If-None-Match": first["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    phone("Second")
    told = client.get(path, {"since": pk}, headers={"If-None-Match": first["ETag"]}).json()
    assert [("Second" in html) for html in told["notes"].values()] == [True]
    assert [len(pile["notes"]) for pile in told["piles"]] == [2]


def test_looking_again_costs_the_same_however_many_notes_there_are(room, client):
    path = screen_path(room) + "notes/"
    counts = []
    for number in (1, 12):
        for n in range(number):
            wall.write_note(room, f"Note {number} {n}", ["group"], wall.new_token())
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 6


def test_the_page_of_who_leads_costs_the_same_however_many_notes_there_are(room, amina, lee, signed_in):
    browser, counts = signed_in(amina), []
    for number in (2, 10):
        for n in range(number):
            note = wall.write_note(room, f"Note {number} {n}", ["group"], wall.new_token(), person=lee)
        wall.lay_together(amina, room, [note], name=f"Pile {number}")
        with CaptureQueriesContext(connection) as captured:
            browser.get(reverse("agenda:wall", args=[room.pk]))
        counts.append(len(captured))
    assert counts[1] <= counts[0] + 1


def test_a_screen_link_that_is_made_up_shows_nothing(room, client):
    for token in ("1", f"{room.pk}-{room.wall_key}", screen_path(room).split("/")[2][:-1] + "x"):
        assert client.get(f"/screen/{token}/").status_code == 404

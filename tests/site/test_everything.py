"""Everything about one person goes to that person, and to nobody else."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.utils import timezone

from coproduce.agenda.actions import meetings, minutes
from coproduce.agenda.actions.topics import raise_topic
from coproduce.changes.actions import record_change, tie
from coproduce.engine.quotes import Span
from coproduce.glossary.actions import explain
from coproduce.hearback import actions as hearback
from coproduce.people.models import Act
from coproduce.site.everything import export_person, write_person
from coproduce.voices.actions import add_story, mark_quote, name_speaker, set_consent, write_down

pytestmark = pytest.mark.django_db

TOLD = "Ify: Begin.\n\nLee: I had <eleven> workers.\n\nIfy: IFYS OWN WORDS\n\nLee: Then Joan came.\n"


@pytest.fixture
def lees(amina, lee, joan, town):
    """Lee with something in every room. Joan has her own."""
    said = write_down(amina, town, "Just one person to ring", "call", lee)
    set_consent(lee, said, ["group", "services"])
    set_consent(lee, said, ["group"])
    write_down(amina, town, "JOANS OWN WORDS", "note", joan)
    story = add_story(amina, town, "Eleven workers", dt.date(2026, 3, 3), "lee.txt", TOLD.encode())
    speaker = story.speakers.get(label="Lee")
    name_speaker(amina, speaker, lee, ["public"])
    mark_quote(amina, speaker.turns.select_related("story", "speaker__person").first(), Span(0, 22))
    explain(lee, town, "HRS", "Help to keep your home", example="For me that was Joan")
    raise_topic(lee, town, "Who stays?", "Because I had eleven")
    now = timezone.now()
    meeting = meetings.plan_meeting(amina, town, meetings.Plan(now, now + dt.timedelta(hours=2)))
    meetings.say_needs(lee, meeting, "A seat by the door")
    meetings.note_who_came(amina, meeting, lee, "phone")
    minutes.give_action(amina, meeting, "Ring the council", lee, meeting.on)
    drafted = minutes.draft_minutes(amina, meeting)
    minutes.open_minutes(amina, drafted, meeting.on)
    minutes.correct(lee, drafted, "It was twelve")
    minutes.correct(amina, drafted, "AMINAS OWN WORDS")
    change = record_change(amina, town, "One worker", "You choose.", "policy")
    tie(amina, change, voices=[said])
    update = hearback.write_update(amina, change, "They said yes", "From May on.")
    hearback.answer(lee, update.feedback.get(person=lee), False, "Not at my place")
    return story


def test_it_holds_what_every_room_has_of_them(lees, lee, amina, signed_in):
    signed_in(amina).get(f"/stories/{lees.pk}/")
    told = json.loads(json.dumps(export_person(lee), default=str))
    assert told["name"] == "Lee"
    assert told["signs_in_with"] == "lee@example.org"
    assert told["ways"][0]["where"] == "lee@example.org"
    assert told["roles"][0]["role"] == "member"
    assert {voice["words"] for voice in told["voices"]} == {
        "Just one person to ring",
        "I had <eleven> workers",
        "Not at my place",
    }
    [said] = [voice for voice in told["voices"] if voice["words"] == "Just one person to ring"]
    assert [(one["use"][:8], bool(one["until"])) for one in said["allowed"]] == [
        ("The grou", False),
        ("Services", True),
    ]
    [word] = told["words_explained"]
    assert (word["word"], word["example"], word["agreed"]) == ("HRS", "For me that was Joan", False)
    [story] = told["stories"]
    assert [turn["words"] for turn in story["turns"]] == ["I had <eleven> workers.", "Then Joan came."]
    assert [read["who"] for read in story["read_by"]] == ["Amina"]
    assert told["topics"][0]["why"] == "Because I had eleven"
    [meeting] = told["meetings"]
    assert (meeting["needed"], meeting["took_part"]) == ("A seat by the door", "joined by phone or screen")
    assert [one["words"] for one in told["what_they_do"]] == ["Ring the council"]
    assert [one["words"] for one in told["put_right_in_minutes"]] == ["It was twelve"]
    assert told["told"][0]["answer"]["words"] == "Not at my place"
    assert {act["did"] for act in told["acts"]} >= {"raise", "answer"}


def test_it_holds_nothing_of_others(lees, lee, tmp_path):
    page, data = sorted(write_person(lee, tmp_path / "lee"))
    for file in (page, data):
        assert "JOANS OWN" not in file.read_text()
        assert "IFYS OWN" not in file.read_text()
        assert "AMINAS OWN" not in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600


def test_the_page_stands_alone_and_what_people_wrote_is_no_markup(lees, lee, tmp_path):
    page, _data = sorted(write_person(lee, tmp_path / "lee"))
    text = page.read_text()
    assert "<eleven>" not in text
    assert "&lt;eleven&gt;" in text
    assert "src=" not in text and "http" not in text.replace("http-equiv", "")


def test_only_they_open_it(lees, lee, amina, joan, signed_in, client):
    for address in (f"/people/{lee.pk}/everything/", f"/people/{lee.pk}/everything.json"):
        answer = signed_in(lee).get(address)
        assert answer.status_code == 200
        assert "Just one person to ring" in answer.content.decode()
        for other in (amina, joan):
            assert signed_in(other).get(address).status_code == 404
        assert client.get(address).status_code == 302
    assert json.loads(answer.content)["person"] == lee.pk
    assert "attachment" in answer["Content-Disposition"]


# Who has read a story is on record for who told it


def test_opening_a_story_is_on_record_once_a_day_and_who_told_it_sees_it(lees, lee, amina, signed_in):
    turn = lees.turns.first()
    browser = signed_in(amina)
    for address in (f"/stories/{lees.pk}/", f"/stories/{lees.pk}/file/", f"/stories/turns/{turn.pk}/"):
        assert browser.get(address).status_code == 200
    assert Act.objects.filter(verb="read", by=amina, thing_id=lees.pk).count() == 1
    page = signed_in(lee).get("/stories/who-has-read/").content.decode()
    assert "Amina" in page
    assert "Eleven workers" in page


def test_a_new_day_is_on_record_again(lees, amina, signed_in):
    import datetime as dt

    signed_in(amina).get(f"/stories/{lees.pk}/")
    Act.objects.filter(verb="read").update(at=Act.objects.filter(verb="read").get().at - dt.timedelta(days=1))
    signed_in(amina).get(f"/stories/{lees.pk}/")
    assert Act.objects.filter(verb="read").count() == 2


def test_reading_ones_own_story_is_nobodys_business(lees, lee, signed_in):
    signed_in(lee).get(f"/stories/{lees.pk}/")
    assert not Act.objects.filter(verb="read").exists()


def test_others_do_not_see_who_read_it(lees, amina, joan, signed_in):
    signed_in(amina).get(f"/stories/{lees.pk}/")
    assert "Eleven workers" not in signed_in(joan).get("/stories/who-has-read/").content.decode()

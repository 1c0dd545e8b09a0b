"""Many stories at once: brought, named, and their quotes taken and taken off again."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from coproduce.engine.quotes import Span, find
from coproduce.engine.themes.statements import LONGEST
from coproduce.people.models import Act, Person
from coproduce.people.permissions import NotAllowed
from coproduce.themes.actions import make_theme
from coproduce.voices import actions, taking
from coproduce.voices.models import Speaker, Story, Voice
from tests.voices.conftest import TOLD
from tests.voices.test_views import DAY, words_of

pytestmark = pytest.mark.django_db


def told(name: str, asks: str = "Ify") -> bytes:
    return (
        f"{asks}: Where do you want to start?\n\n{name}: They put me on the list of {name} in May. "
        "Nobody rang back that whole summer.\n\n"
        f"{asks}: And then?\n\n{name}: Then nothing. I slept in the car by the old cinema until it snowed.\n"
    ).encode()


def brought(*files: tuple[str, bytes]) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(name, data) for name, data in files]


# Bringing


def test_the_good_ones_come_in_and_the_others_are_told_by_name(amina, town, signed_in):
    client = signed_in(amina)
    files = brought(
        ("anna.txt", told("Anna")), ("photo.txt", b"\x89PNG\r\n\x1a\n\0\0"), ("again.txt", told("Anna"))
    )
    answer = client.post(
        reverse("voices:add_story"), {"title": "Spring", **DAY, "text": "", "file": files}, follow=True
    )
    page = words_of(answer)
    assert list(Story.objects.values_list("title", flat=True)) == ["Spring: anna"]
    assert "1 story is here." in page and "“photo.txt” is not in." in page
    assert "“again.txt” is not in. These words are here already: “Spring: anna”." in page
    with Story.objects.get().file.open("rb") as kept:
        assert kept.read() == told("Anna")


def test_nothing_comes_in_twice_however_it_is_called(amina, town):
    first = taking.bring_story(amina, town, "One", TOLD, "a.txt", told("Anna"))
    with pytest.raises(taking.AlreadyHere, match="One"):
        taking.bring_story(amina, town, "Two", TOLD, "b.txt", told("Anna"))
    first.file.delete()  # as when somebody takes their words back
    taking.bring_story(amina, town, "Two", TOLD, "b.txt", told("Anna"))


def test_what_is_wrong_with_all_of_them_keeps_what_was_typed(amina, town, signed_in):
    page = reverse("voices:add_story")
    files = brought(("a.txt", b""), ("b.txt", b" "))
    answer = signed_in(amina).post(page, {"title": "Spring", **DAY, "text": "", "file": files})
    assert "a.txt: This file is empty." in words_of(answer) and 'value="Spring"' in answer.content.decode()
    many = brought(*((f"{n}.txt", told(f"P{n}")) for n in range(51)))
    answer = signed_in(amina).post(page, {"title": "Spring", **DAY, "text": "", "file": many})
    assert "These are 51 files. Bring at most 50 at once" in words_of(answer)
    assert not Story.objects.exists()


def test_a_day_to_come_is_refused_before_anything_is_kept(amina, town):
    with pytest.raises(ValidationError, match="still to come"):
        taking.bring_stories(amina, town, "A", TOLD.replace(year=2099), brought(("a.txt", told("Anna"))))
    assert not Story.objects.exists()


# Who told them


@pytest.fixture
def three(amina, town) -> list[Story]:
    files = brought(*((f"{name}.txt", told(name)) for name in ("Anna", "Ben", "Lee")))
    return taking.bring_stories(amina, town, "Spring", TOLD, files).stories


def test_who_asks_is_left_out_and_a_name_that_is_known_is_asked_about(amina, lee, three, signed_in):
    speakers = {one.label: one for one in taking.not_named_yet(three)}
    assert set(speakers) == {"Anna", "Ben", "Lee"}
    page = reverse("voices:who_told", args=[three[0].pk])
    said = {f"told-{one.pk}": "on" for one in speakers.values()} | {
        f"name-{one.pk}": label for label, one in speakers.items()
    }
    answer = signed_in(amina).post(page, said | {"group": "on"})
    assert "There is a Lee here already." in words_of(answer)
    assert not Person.objects.filter(name="Anna").exists()
    del said[f"told-{speakers['Lee'].pk}"]
    answer = signed_in(amina).post(page, said | {"group": "on", "public": "on"}, follow=True)
    assert "2 people are named." in words_of(answer) and "Lee" in words_of(answer)
    anna = Speaker.objects.get(label="Anna")
    assert anna.person and anna.person.name == "Anna"
    assert set(anna.consents.values_list("use", flat=True)) == {"group", "public"}
    assert Speaker.objects.get(label="Lee").person is None
    assert not Speaker.objects.filter(label="Ify", person__isnull=False).exists()


def test_naming_twice_makes_nobody_twice(amina, three):
    anna = Speaker.objects.select_related("story__hub").get(label="Anna")
    assert taking.name_new(amina, [(anna, "Anna")], ["group"]) == 1
    assert taking.name_new(amina, [(anna, "Anna")], ["group"]) == 0
    assert Person.objects.filter(name="Anna").count() == 1


def test_what_many_are_called_in_the_files_is_nobodys_name(amina, town, signed_in):
    anna = told("Participant", "Interviewer")
    files = brought(("anna.txt", anna), ("ben.txt", anna.replace(b"May", b"June")))
    stories = taking.bring_stories(amina, town, "Spring", TOLD, files).stories
    page = signed_in(amina).get(reverse("voices:who_told", args=[stories[0].pk])).content.decode()
    assert 'value="anna"' in page and 'value="ben"' in page and 'value="Participant"' not in page


# Quotes


def test_taken_to_the_letter_with_what_is_allowed_and_not_twice(amina, lees, story, turn):
    span = find(turn.text, "She picked up the phone.")
    assert span
    by_hand = actions.mark_quote(amina, turn, span)
    assert taking.take_quotes(amina, [lees]) == 1
    assert taking.take_quotes(amina, [lees]) == 0
    quotes = Voice.objects.exclude(pk=by_hand.pk)
    for quote in quotes:
        assert quote.turn and quote.words == quote.turn.text[quote.begins : quote.ends]
        assert quote.person == lees.person and quote.taken_by == amina
        assert set(quote.consents.values_list("use", flat=True)) == {"group", "services"}
    assert {quote.words for quote in quotes} == {"She rang back. 😀 That was all it took."}


def test_who_may_not_work_on_stories_takes_nothing(lee, lees):
    with pytest.raises(NotAllowed):
        taking.take_quotes(lee, [lees])
    assert not Voice.objects.exists()


def test_masked_as_one_marked_by_hand_is(amina, town, lee):
    story = actions.add_story(
        amina, town, "A", TOLD, "a.txt", b"Lee: I rang Amina on 01632 960111 and nobody came."
    )
    speaker = story.speakers.get()
    actions.name_speaker(amina, speaker, lee, ["public"])
    taking.take_quotes(amina, [speaker])
    taken = Voice.objects.get()
    turn = story.turns.get()
    taken_as = taken.masked
    taken.delete()
    by_hand = actions.mark_quote(amina, turn, Span(0, len(turn.text)))
    assert taken_as == by_hand.masked != ""


def test_off_again_but_not_what_stands(amina, lees, story, turn):
    actions.name_speaker(amina, lees, lees.person, ["group"])
    by_hand = actions.mark_quote(amina, turn, Span(0, 5))
    taking.take_quotes(amina, [lees])
    taken = Voice.objects.exclude(pk=by_hand.pk)
    assert taken.count() == 1
    assert taking.take_off(amina, [story]) == (1, 0)
    assert list(Voice.objects.all()) == [by_hand]
    taking.take_quotes(amina, [lees])
    make_theme(amina, story.hub, "Phones", "", list(Voice.objects.exclude(pk=by_hand.pk)))
    assert taking.take_off(amina, [story]) == (0, 1)
    assert Voice.objects.count() == 2


def test_what_was_taken_back_alone_stays(amina, lee, lees, story):
    taking.take_quotes(amina, [lees])
    first = Voice.objects.first()
    assert first
    actions.set_consent(lee, first, [])
    gone, stay = taking.take_off(amina, [story])
    assert stay == 1 and gone == 1 and Voice.objects.get() == first


def test_the_record_holds_no_words(amina, lees, story):
    taking.take_quotes(amina, [lees])
    act = Act.objects.get(verb=taking.TAKE)
    assert set(act.detail) == {"speaker", "voices"} and len(act.detail["voices"]) == 2
    assert all(isinstance(voice, int) for voice in act.detail["voices"])


def test_many_are_taken_by_the_worker(amina, lees, story, monkeypatch, work_the_queue, signed_in):
    monkeypatch.setattr(taking, "AT_ONCE", 1)
    monkeypatch.setattr(taking, "A_PIECE", 1)
    page = reverse("voices:take_quotes", args=[story.pk])
    assert "As ticked below, that is 2 quotes" in words_of(signed_in(amina).get(page))
    answer = signed_in(amina).post(page, {"speakers": [lees.pk]}, follow=True)
    assert "It is under way" in words_of(answer) and not Voice.objects.exists()
    work_the_queue()
    assert Voice.objects.count() == 2
    after = words_of(signed_in(amina).get(page))
    assert "2 quotes were taken like this" in after and "Lee: " not in after


def test_ticked_are_those_who_allow_and_do_not_ask(amina, lees, story, signed_in):
    by_label = {one.speaker.label: one for one in taking.offered(Story.objects.all())}
    assert by_label["Lee"].meant and not by_label["Ify"].meant
    page = reverse("voices:take_quotes", args=[story.pk])
    answer = signed_in(amina).post(page, {})
    assert "Tick at least one of them." in words_of(answer)


def test_pages_cost_the_same_for_one_story_and_for_three(amina, town, lees, signed_in):
    client = signed_in(amina)
    stories = taking.bring_stories(amina, town, "Spring", TOLD, brought(("a.txt", told("Anna")))).stories
    pages = [
        reverse("voices:take_quotes_in_hub", args=[town.pk]),
        reverse("voices:together", args=[stories[0].pk]),
        reverse("voices:who_told", args=[stories[0].pk]),
    ]

    def costs() -> list[int]:
        found = []
        for page in pages:
            with CaptureQueriesContext(connection) as asked:
                assert client.get(page).status_code == 200
            found.append(len(asked))
        return found

    speaker = stories[0].speakers.get(label="Anna")
    taking.name_new(amina, [(speaker, "Anna")], ["group"])
    costs()  # what is asked once a day is asked now
    one = costs()
    more = [("b.txt", told("Ben")), ("c.txt", told("Cem")), ("d.txt", told("Dee"))]
    others = taking.bring_stories(amina, town, "Spring", TOLD, brought(*more)).stories
    Story.objects.filter(pk__in=[each.pk for each in others]).update(added_at=stories[0].added_at)
    named = Speaker.objects.select_related("story__hub").filter(label__in=["Ben", "Cem"])
    taking.name_new(amina, [(each, each.label) for each in named], ["group"])
    assert costs() == one


@given(st.text(alphabet=st.sampled_from("ab .?!\n,é"), max_size=600), st.data())
def test_any_turn_gives_places_that_are_not_kept_and_not_long(text, data):
    kept = []
    if text:
        begins = data.draw(st.integers(0, len(text) - 1))
        kept = [Span(begins, data.draw(st.integers(begins + 1, len(text))))]
    spans = taking.to_take(text, kept)
    assert taking.to_take(text, [*kept, *spans]) == []
    for span in spans:
        words = text[span.begins : span.ends]
        assert words == words.strip() and taking.FEWEST_WORDS <= len(words.split()) <= LONGEST
        assert not any(one.begins < span.ends and one.ends > span.begins for one in kept)

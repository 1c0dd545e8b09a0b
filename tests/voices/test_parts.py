"""A long story in parts, by where the talk turns: found by a worker, kept as places alone, shown where it is read."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.urls import reverse
from django_tasks_db.models import DBTaskResult

from coproduce.engine.quotes import find as place_of
from coproduce.voices import parts, tasks
from coproduce.voices.actions import add_story, mend_turn, name_speaker, split_turn, trim_story
from coproduce.voices.consent import Choice, take_back
from coproduce.voices.models import Story
from tests.voices.conftest import TOLD

pytestmark = pytest.mark.django_db

BUS = [
    "The bus to the clinic was late again, and the driver said nothing to any of us.",
    "Did you wait for the next bus?",
    "I waited at the bus stop for an hour, in the rain, with my ticket in my hand.",
    "And then?",
    "Then the bus drove past, full. That bus route was cut in half last spring.",
    "The whole route?",
    "The whole route. No bus after six, no bus on a Sunday, and the ticket costs more.",
    "Mm.",
]
GARDEN = [
    "Tell me about the garden that you started, behind the hall.",
    "We grow tomatoes and beans in the garden, and the children planted the flowers.",
    "Who waters the plants?",
    "Everybody waters the plants. Digging in the soil does more for me than pills ever did.",
    "Yes.",
    "In the garden nobody asks who you are. You get a spade and you plant your beans.",
    "And in winter?",
    "In winter we mend the greenhouse and plant onions, and drink tea among the flower pots.",
]
DENTIST = [
    "How did you get on with the dentist?",
    "No dentist takes new patients. My tooth hurt for weeks until one would see me.",
    "For weeks?",
    "For weeks, and then the dentist pulled the tooth, since there was no time for a filling.",
    "No filling.",
    "No filling. The nearest dentist is thirty miles away, and my teeth will not wait.",
    "Thank you.",
    "The dentist was kind, it was not the dentist’s fault that there is one for the whole county.",
]


@pytest.fixture
def long(amina, town) -> Story:
    """24 turns about three things, Ify and Lee by turns."""
    turns = [*BUS, *GARDEN, *DENTIST]
    said = "\n\n".join(f"{'Ify' if at % 2 else 'Lee'}: {turn}" for at, turn in enumerate(turns))
    return add_story(amina, town, "Lee’s year", TOLD, "lee.txt", said.encode())


def looked_for(story: Story) -> list[parts.Part]:
    tasks.find_parts.call()
    return parts.parts_of(story)


def words_of(answer) -> str:
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split()))


def test_a_part_begins_where_the_talk_turns(long):
    assert parts.parts_of(long) == []  # nobody has looked yet
    found = looked_for(long)
    assert [part.turn.position for part in found] == [0, 8, 16]
    assert [part.first_words for part in found] == [
        "The bus to the clinic was late again, and the driver said…",
        "Tell me about the garden that you started, behind the hall.",
        "No dentist takes new patients. My tooth hurt for weeks until one…",
    ]


def test_who_keeps_it_and_who_told_it_go_to_a_part(long, amina, lee, signed_in):
    name_speaker(amina, long.speakers.get(label="Lee"), lee, ["group"])
    looked_for(long)
    page = reverse("voices:story", args=[long.pk])
    for reader, address in ((amina, f"{page}?step=quotes"), (lee, page)):
        answer = signed_in(reader).get(address)
        assert "This story in 3 parts" in words_of(answer)
        for number in (1, 2, 3):
            assert f"page=1#part-{number}" in unescape(answer.content.decode())
            assert f'id="part-{number}"' in answer.content.decode()
    assert "parts" not in words_of(signed_in(amina).get(f"{page}?step=trim"))


def test_a_link_leads_to_the_page_that_the_part_is_on(long, amina, monkeypatch, signed_in):
    monkeypatch.setattr("coproduce.voices.views.TURNS_A_PAGE", 10)
    looked_for(long)
    browser, page = signed_in(amina), reverse("voices:story", args=[long.pk])
    text = unescape(browser.get(f"{page}?step=quotes").content.decode())
    links = re.findall(r"\?step=quotes&page=(\d+)#part-(\d+)", text)
    assert links == [("1", "1"), ("1", "2"), ("2", "3")]
    for number, part in links:
        assert f'id="part-{part}"' in browser.get(f"{page}?step=quotes&page={number}").content.decode()


def test_a_short_story_has_no_parts(story, amina, signed_in):
    assert looked_for(story) == []
    page = reverse("voices:story", args=[story.pk])
    assert "part" not in words_of(signed_in(amina).get(f"{page}?step=quotes"))
    assert not parts.to_look_through().exists()  # and nobody looks again


def test_they_follow_what_is_trimmed_split_and_mended(long, amina):
    looked_for(long)
    turns = list(long.turns.select_related("story", "speaker"))
    trim_story(amina, long, turns[2], turns[23])
    assert [part.turn.position for part in parts.parts_of(long)] == [8, 16]  # until a worker has looked
    assert [part.turn.position for part in looked_for(long)] == [2, 8, 16]
    trim_story(amina, long, turns[0], turns[23])
    split_turn(amina, turns[4], len("Then the bus drove past, full."))
    assert [part.turn.position for part in looked_for(long)] == [0, 9, 17]
    for at, turn in enumerate(turns[8:16]):  # what was heard as a garden was the bus all the while
        mend_turn(amina, turn, BUS[at])
    assert all(part.turn.position not in (8, 9) for part in looked_for(long))


def test_what_is_mended_while_the_machine_looks_is_looked_at_again(long, amina, monkeypatch):
    def mended_meanwhile(texts):
        turn = long.turns.select_related("story").get(position=0)
        mend_turn(amina, turn, "The tram to the clinic was late again.")
        return [0, 8]

    with monkeypatch.context() as patch:
        patch.setattr("coproduce.voices.parts.chapters", mended_meanwhile)
        assert looked_for(long) == []
    assert list(parts.to_look_through()) == [long]
    assert len(looked_for(long)) == 3


def test_looking_twice_changes_nothing(long):
    first = looked_for(long)
    Story.objects.update(parts_at=None)
    assert looked_for(long) == first


def test_no_word_of_it_is_kept_when_the_words_are_taken_back(long, amina, lee):
    name_speaker(amina, speaker := long.speakers.get(label="Lee"), lee, ["group"])
    looked_for(long)
    take_back(lee, [], [speaker], Choice.TAKE_OUT)
    called = [part.first_words for part in parts.parts_of(long)]
    assert called == [  # what Ify said
        "Did you wait for the next bus?",
        "We grow tomatoes and beans in the garden, and the children planted…",
        "No dentist takes new patients. My tooth hurt for weeks until one…",
    ]


def test_the_worker_sees_to_it_once(long):
    def waiting() -> int:
        return DBTaskResult.objects.filter(task_path=tasks.find_parts.module_path).count()

    tasks.find_parts_of_what_changed()
    tasks.find_parts_of_what_changed()
    assert waiting() == 1
    tasks.find_parts.call()
    DBTaskResult.objects.all().delete()
    tasks.find_parts_of_what_changed()
    assert waiting() == 0


def test_a_page_asks_as_much_for_many_parts_as_for_few(long, amina, signed_in, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    looked_for(long)
    browser, page = signed_in(amina), reverse("voices:story", args=[long.pk]) + "?step=quotes"
    browser.get(page)
    with CaptureQueriesContext(connection) as three:
        browser.get(page)
    long.turns.filter(position__in=(4, 12, 20)).update(begins_part=True)
    with django_assert_num_queries(len(three)):
        assert "6 parts" in words_of(browser.get(page))


def test_a_place_is_found_to_the_letter(long):
    """What a part is called stands in the story, as it is."""
    whole = " ".join(long.turns.values_list("text", flat=True))
    for part in looked_for(long):
        assert place_of(whole, part.first_words.rstrip("…")) is not None

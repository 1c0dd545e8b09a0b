from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from coproduce.agenda.actions.topics import decide, ground, raise_topic
from coproduce.agenda.models import Topic
from coproduce.people.models import Membership
from coproduce.themes.actions import make_theme, merge
from coproduce.voices.actions import write_down
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


def queries(client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def page_of(client, name: str, *args: object, **query: object) -> str:
    return client.get(reverse(name, args=args), query).content.decode()


@pytest.fixture
def said(amina, lee, town):
    """What Lee said: to the group, to services as well, to everybody, and to nobody but who keeps it."""
    return {
        use: write_down(amina, town, f"For {use}", "call", lee, uses=uses)
        for use, uses in {
            "the group": ["group"],
            "services": ["group", "services"],
            "everybody": ["group", "services", "public"],
            "nobody": [],
        }.items()
    }


@pytest.fixture
def theme(amina, town, said):
    return make_theme(amina, town, "One person", voices=said.values())


@pytest.fixture
def topic(lee, town, theme):
    return raise_topic(lee, town, "Who stays?", "I had eleven workers", themes=[theme])


# Who reads what


def test_topics_are_for_everybody(signed_in, client, amina, lee, joan, marek, charlie, topic):
    for reader in (client, *map(signed_in, (amina, lee, joan, marek, charlie))):
        assert "Who stays?" in page_of(reader, "agenda:topics")
        page = page_of(reader, "agenda:topic", topic.pk)
        assert "I had eleven workers" in page


@pytest.mark.parametrize(
    ("cast", "reads"),
    [
        ("amina", ["the group", "services", "everybody", "nobody"]),
        ("lee", ["the group", "services", "everybody", "nobody"]),
        ("joan", ["the group", "services", "everybody"]),
        ("marek", ["services", "everybody"]),
        ("charlie", ["everybody"]),
        (None, ["everybody"]),
    ],
)
def test_of_what_people_said_each_reads_what_consent_opens_to_them(
    cast, reads, request, signed_in, client, said, topic
):
    reader = signed_in(request.getfixturevalue(cast)) if cast else client
    page = page_of(reader, "agenda:topic", topic.pk)
    assert [use for use in said if f"For {use}" in page] == reads


def test_who_raised_it_and_what_it_grew_from_is_not_told_outside_the_group(
    signed_in, client, joan, lee, marek, charlie, topic
):
    for reader in (client, signed_in(marek), signed_in(charlie)):
        page = page_of(reader, "agenda:topic", topic.pk)
        assert "One person" not in page and "4 voices" not in page
        assert "Somebody in the group raised it" in page
    assert "4 voices" in page_of(signed_in(joan), "agenda:topic", topic.pk)
    assert "You raised it" in page_of(signed_in(lee), "agenda:topic", topic.pk)


def test_services_never_learn_who_said_it(signed_in, marek, amina, town, topic, lee):
    ground(lee, topic, voices=[write_down(amina, town, "Nameless", "call", lee, uses=["services"])])
    page = page_of(signed_in(marek), "agenda:topic", topic.pk)
    nameless = page.split("Nameless", 1)[1].split("</figure>")[0]
    assert "Somebody in Eastmoor" in nameless and "Lee" not in nameless


def test_tools_are_shown_to_who_may_use_them(signed_in, client, amina, lee, joan, marek, charlie, topic):
    decide_url, tie_url = (reverse(name, args=[topic.pk]) for name in ("agenda:decide", "agenda:tie"))
    for person, decides, ties in [
        (amina, True, True),
        (lee, False, True),
        (joan, False, False),
        (marek, False, False),
        (charlie, False, False),
    ]:
        reader = signed_in(person)
        page = page_of(reader, "agenda:topic", topic.pk)
        assert (decide_url in page) is decides and (tie_url in page) is ties
        assert reader.get(decide_url).status_code == (200 if decides else 404)
        assert reader.get(tie_url).status_code == (200 if ties else 404)
    assert client.get(decide_url).status_code == client.get(tie_url).status_code == 302
    page = page_of(client, "agenda:topic", topic.pk)
    assert decide_url not in page and tie_url not in page


def test_raising_is_for_the_group(signed_in, client, amina, lee, joan, marek, charlie, town):
    url = reverse("agenda:raise")
    for person in (amina, lee, joan):
        assert signed_in(person).get(url).status_code == 200
        assert url in page_of(signed_in(person), "agenda:topics")
    for person in (marek, charlie):
        assert signed_in(person).post(url, {"title": "Mine", "hub": town.pk}).status_code == 404
        assert url not in page_of(signed_in(person), "agenda:topics")
    assert client.get(url).status_code == 302
    assert not Topic.objects.exists()


# The list


def test_one_sees_the_topics_of_ones_own_hub_and_can_see_the_others(signed_in, client, lee, town, ward):
    omar = make_person("Omar", ward, Membership.Role.MEMBER)
    raise_topic(lee, town, "Who stays?")
    raise_topic(omar, ward, "Broken lights")
    page = page_of(signed_in(lee), "agenda:topics")
    assert "Who stays?" in page and "Broken lights" not in page
    assert "Broken lights" in page_of(signed_in(lee), "agenda:topics", hubs="all")
    assert "Broken lights" in page_of(client, "agenda:topics")


def test_topics_stand_under_their_stage(client, amina, lee, town):
    for stage in ("put aside", "decided", "working"):
        decide(amina, raise_topic(lee, town, f"Topic {stage}"), stage, "Because")
    raise_topic(lee, town, "Topic new")
    page = page_of(client, "agenda:topics")
    order = ["Being worked on", "Topic working", "Open", "Topic new", "Decided", "Topic decided", "Put aside"]
    places = [page.index(words) for words in order]
    assert places == sorted(places)


def test_as_many_queries_for_many_topics_as_for_one(signed_in, client, amina, lee, town, topic):
    readers = [client, signed_in(amina), signed_in(lee)]
    few = [queries(reader, reverse("agenda:topics")) for reader in readers]
    for number in range(6):
        decide(amina, raise_topic(lee, town, f"Topic {number}"), "working")
    assert [queries(reader, reverse("agenda:topics")) for reader in readers] == few


def test_as_many_queries_for_many_themes_voices_and_decisions_as_for_one(
    signed_in, client, amina, lee, town, topic, theme
):
    def another(number: int) -> None:
        voices = [write_down(amina, town, f"Words {number}", "call", lee, uses=["group", "public"])]
        one = make_theme(amina, town, f"Theme {number}", voices=voices)
        merge(amina, make_theme(amina, town, f"Merged {number}", voices=voices), one)
        ground(amina, topic, [one], voices)
        decide(amina, topic, "working", "Words")
        make_theme(amina, town, f"Untied {number}")
        write_down(amina, town, f"Untied {number}", "call", lee)

    another(0)
    readers = [client, signed_in(amina), signed_in(lee)]
    url, tie = reverse("agenda:topic", args=[topic.pk]), reverse("agenda:tie", args=[topic.pk])
    few = [*(queries(reader, url) for reader in readers), queries(readers[1], tie)]
    for number in range(1, 5):
        another(number)
    assert [*(queries(reader, url) for reader in readers), queries(readers[1], tie)] == few


# Raising


def test_lee_raises_a_topic_in_two_taps(signed_in, lee, town):
    client = signed_in(lee)
    page = page_of(client, "agenda:raise")
    assert f'type="hidden" name="hub" value="{town.pk}"' in page
    page = client.post(
        reverse("agenda:raise"), {"title": "Who stays?", "hub": town.pk}, follow=True
    ).content.decode()
    assert "Your topic is raised." in page
    assert Topic.objects.get().raised_by == lee


def test_from_a_theme_the_topic_is_tied_to_it(signed_in, lee, town, theme):
    client = signed_in(lee)
    page = page_of(client, "agenda:raise", theme=theme.pk)
    assert f'value="{theme.pk}" id="id_themes_0" checked' in page and "<details open>" in page
    client.post(reverse("agenda:raise"), {"title": "Who stays?", "hub": town.pk, "themes": [theme.pk]})
    assert list(Topic.objects.get().themes.all()) == [theme]


def test_a_theme_that_is_not_ones_own_is_not_tied(signed_in, lee, town, ward):
    omar = make_person("Omar", ward, Membership.Role.FACILITATOR)
    theirs = make_theme(omar, ward, "Theirs")
    assert "Theirs" not in page_of(signed_in(lee), "agenda:raise", theme=theirs.pk)
    page = signed_in(lee).post(
        reverse("agenda:raise"), {"title": "Mine", "hub": town.pk, "themes": [theirs.pk]}
    )
    assert "There is a problem" in page.content.decode()
    assert page_of(signed_in(lee), "agenda:raise", theme="nonsense")


@pytest.mark.parametrize("typed", [{"title": " "}, {"title": "x" * 201}, {"title": "Fine", "hub": "0"}])
def test_bad_input_keeps_what_was_typed(typed, signed_in, lee, town, theme):
    typed = {"hub": town.pk, "why": "Because of the eleven workers", "themes": [theme.pk]} | typed
    page = signed_in(lee).post(reverse("agenda:raise"), typed).content.decode()
    assert "There is a problem" in page and "Because of the eleven workers" in page
    assert f'value="{theme.pk}" id="id_themes_0" checked' in page
    assert not Topic.objects.exists()


# Deciding and tying


def test_what_the_group_decided_is_written_down_and_read_by_everybody(signed_in, client, amina, topic):
    url, today = reverse("agenda:decide", args=[topic.pk]), timezone.localdate()
    typed = {
        "stage": "working",
        "words": "We ask the council in May",
        "on_day": today.day,
        "on_month": today.month,
        "on_year": today.year,
    }
    answer = signed_in(amina).post(url, typed, follow=True)
    assert "What the group decided is written down." in answer.content.decode()
    page = page_of(client, "agenda:topic", topic.pk)
    assert "We ask the council in May" in page and "Being worked on" in page


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"stage": "put aside", "words": " "}, "Say why the group put it aside"),
        ({"stage": ""}, "Where does it stand now?"),
        ({"stage": "juggled"}, "There is a problem"),
        ({"on_day": "31", "on_month": "2"}, "There is no such day"),
        ({"on_year": ""}, "Write the year as well"),
        ({"on_year": str(dt.date.today().year + 1)}, "That day is still to come"),
    ],
)
def test_a_decision_with_something_wrong_is_not_lost(typed, says, signed_in, amina, topic):
    right = {
        "stage": "decided",
        "words": "One worker each",
        "on_day": "14",
        "on_month": "March",
        "on_year": "2025",
    }
    page = signed_in(amina).post(reverse("agenda:decide", args=[topic.pk]), right | typed).content.decode()
    assert says in page and "There is a problem" in page
    if "words" not in typed:
        assert "One worker each" in page
    assert not topic.decisions.exists()


def test_a_topic_is_tied_and_untied(signed_in, amina, lee, town, topic, theme, said):
    client, url = signed_in(amina), reverse("agenda:tie", args=[topic.pk])
    paper = make_theme(amina, town, "Paper")
    voice = write_down(amina, town, "I lost the form", "call", lee)
    page = page_of(client, "agenda:tie", topic.pk)
    assert "I lost the form" in page and "For the group" not in page.split("Tied now")[0]
    client.post(url, {"themes": [paper.pk], "voices": [voice.pk]})
    assert set(topic.themes.all()) == {theme, paper} and list(topic.voices.all()) == [voice]
    for thing in ({"theme": paper.pk}, {"voice": voice.pk}):
        page = client.post(reverse("agenda:untie", args=[topic.pk]), thing, follow=True).content.decode()
        assert "It is taken off this topic." in page
    assert list(topic.themes.all()) == [theme] and not topic.voices.exists()


def test_voices_to_tie_are_found_by_their_words(signed_in, lee, amina, town, topic):
    write_down(amina, town, "I lost the form", "call", amina)
    write_down(amina, town, "The bus was late", "call", amina)
    page = page_of(signed_in(lee), "agenda:tie", topic.pk, q="bus")
    assert "The bus was late" in page and "I lost the form" not in page
    assert "No voice has these words." in page_of(signed_in(lee), "agenda:tie", topic.pk, q="zebra")


def test_nothing_ticked_is_said(signed_in, amina, topic):
    page = (
        signed_in(amina)
        .post(reverse("agenda:tie", args=[topic.pk]), {"csrfmiddlewaretoken": "x"})
        .content.decode()
    )
    assert "Tick a theme or a voice first." in page


def test_nobody_unties_what_is_not_theirs_to_untie(signed_in, joan, amina, topic, theme):
    for thing in ({"theme": theme.pk}, {"voice": "1"}, {}):
        assert signed_in(joan).post(reverse("agenda:untie", args=[topic.pk]), thing).status_code == 404
    assert signed_in(amina).post(reverse("agenda:untie", args=[topic.pk]), {"theme": "x"}).status_code == 404
    assert signed_in(amina).get(reverse("agenda:untie", args=[topic.pk])).status_code == 405
    assert topic.themes.exists()


def test_no_topic_answers_as_it_should(signed_in, client, amina):
    assert client.get(reverse("agenda:topic", args=[999])).status_code == 404
    for name in ("agenda:decide", "agenda:tie"):
        assert signed_in(amina).get(reverse(name, args=[999])).status_code == 404


def test_what_people_type_is_never_markup(client, lee, amina, town):
    topic = raise_topic(lee, town, "<b>T</b>", "<i>why</i>")
    decide(amina, topic, "working", "<script>alert(1)</script>")
    page = page_of(client, "agenda:topic", topic.pk) + page_of(client, "agenda:topics")
    for tag in ("<b>T<", "<i>why", "<script>alert"):
        assert tag not in page

"""Sessions with the people who said it, and key messages that stand on their quotes."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from pypdf import PdfReader

from coproduce.agenda.actions.topics import raise_from
from coproduce.people.actions import bring_in, make_mandate
from coproduce.people.models import Membership, Person, Way
from coproduce.people.permissions import NotAllowed
from coproduce.site.recall import take_back
from coproduce.themes import actions, together
from coproduce.themes.models import (
    Heard,
    KeyMessage,
    Outcome,
    SenseMaking,
    Theme,
    heard_in_the_room,
    last_act,
    messages_with_quotes,
)
from coproduce.themes.session_pages import invited_to
from coproduce.voices.actions import add_story, name_speaker, set_consent, write_down
from coproduce.voices.models import Use
from tests.conftest import make_person
from tests.voices.conftest import TOLD, TRANSCRIPT

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 3, 9)


@pytest.fixture
def ify(town):
    return make_person("Ify", town, Membership.Role.CURATOR)


@pytest.fixture
def say(amina, lee, town):
    return lambda words, uses=("group",), by=None, hub=None: write_down(
        amina, hub or town, words, "note", by or lee, uses=uses
    )


@pytest.fixture
def theme(amina, town, say):
    return actions.make_theme(
        amina,
        town,
        "Ring",
        voices=[say("One person to ring", ("group", "services", "public")), say("Just us")],
    )


@pytest.fixture
def story(amina, lee, town):
    told = add_story(amina, town, "Lee’s story", TOLD, "lee.txt", TRANSCRIPT.encode())
    name_speaker(amina, told.speakers.get(label="Lee"), lee, ["group"])
    return told


@pytest.fixture
def session(amina, town, theme, story):
    return together.plan_session(amina, town, "Is that it?", DAY, "11, library", [theme], [story])


def pages_of(answer) -> str:
    assert answer.status_code == 200
    reader = PdfReader(io.BytesIO(answer.content))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"], "a tagged PDF"
    return " ".join(" ".join(page.extract_text().split()) for page in reader.pages)


# A session


def test_who_told_the_stories_is_invited_and_who_gathered_them_is_not(amina, lee, session, story):
    assert [invited.person for invited in session.invited.all()] == [lee]
    assert not session.invited.filter(person=amina).exists()


def test_who_took_their_story_back_is_not_invited(amina, lee, town, story):
    take_back(lee, [], [story.speakers.get(label="Lee")], "take out")
    session = together.plan_session(amina, town, "S", DAY, stories=[story])
    assert not session.invited.exists()


def test_agreed_renamed_refused(amina, session, theme):
    together.write_outcome(
        amina, session, theme, "renamed", "Somebody who picks up", "Ring is a word of theirs"
    )
    theme.refresh_from_db()
    outcome = session.outcomes.get()
    assert (theme.name, bool(theme.confirmed_at), outcome.name_before) == (
        "Somebody who picks up",
        True,
        "Ring",
    )
    together.write_outcome(amina, session, theme, "refused", note="Not ours")
    theme.refresh_from_db()
    assert theme.discarded_at and session.outcomes.get().kind == Outcome.Kind.REFUSED
    together.write_outcome(amina, session, theme, "agreed")
    theme.refresh_from_db()
    assert theme.discarded_at is None and theme.confirmed_at
    assert (session.outcomes.get().recorded_by, session.outcomes.get().name_before) == (amina, "")


def test_an_outcome_needs_what_it_says(amina, town, session, theme):
    with pytest.raises(ValidationError, match="Write the name"):
        together.write_outcome(amina, session, theme, "renamed", "Ring")
    other = actions.make_theme(amina, town, "Other")
    with pytest.raises(ValidationError, match="not on the list"):
        together.write_outcome(amina, session, other, "agreed")


def test_what_somebody_else_did_meanwhile_is_told(amina, ify, session, theme, signed_in):
    seen = last_act(theme)
    actions.name_theme(ify, theme, "Call", "")
    page = signed_in(amina).post(
        reverse("themes:outcome", args=[session.pk, theme.pk]),
        {"kind": "refused", "note": "They did not like it", "name": "Ring", "seen": seen},
    )
    assert (
        "Ify changed its words" in page.content.decode() and "They did not like it" in page.content.decode()
    )
    assert not session.outcomes.exists()


def test_themes_that_were_talked_about_stay_on_the_session(amina, session, theme):
    together.write_outcome(amina, session, theme, "agreed")
    together.change_session(amina, session, "Is that it?", DAY)
    assert list(session.themes.all()) == [theme]


def test_only_who_makes_sense_here_leads_a_session(lee, marek, session, theme, town):
    for person in (lee, marek):
        for act in (
            lambda by: together.plan_session(by, town, "S", DAY),
            lambda by: together.write_outcome(by, session, theme, "agreed"),
            lambda by: together.invite(by, session, [lee]),
            lambda by: together.write_key_message(by, theme, "X", Use.GROUP, []),
        ):
            with pytest.raises(NotAllowed):
                act(person)


def test_the_group_sees_the_session_and_not_who_is_invited_how(signed_in, lee, joan, amina, ify, session):
    Way.objects.filter(person=lee).update(address="secret@example.org")
    url = reverse("themes:session", args=[session.pk])
    page = signed_in(lee).get(url).content.decode()
    assert "You are invited" not in page, "it is past"
    for person, sees in ((joan, False), (lee, False), (ify, False), (amina, True)):
        page = signed_in(person).get(url).content.decode()
        assert "Is that it?" in page
        assert ("secret@example.org" in page) is sees
        assert ("Who is invited" in page) is (person in (amina, ify))


def test_whom_only_a_trusted_person_knows_is_invited_through_them(amina, joan, town, session):
    hidden = bring_in(joan, town, "Magpie", only_i_know=True)
    together.invite(amina, session, [hidden])
    guest = next(guest for guest in invited_to(session, amina) if guest.person == hidden)
    assert "Magpie" not in guest.name and guest.through == "Joan"
    from coproduce.themes.on_paper import invitations_on_paper

    text = " ".join(
        page.extract_text() for page in PdfReader(io.BytesIO(invitations_on_paper(session, [guest]))).pages
    )
    assert "Dear Joan" in text and "Magpie" not in text


def test_a_letter_that_others_may_open_gives_nothing_away(signed_in, amina, lee, session):
    Way.objects.filter(person=lee).update(
        kind=Way.Kind.LETTER, address="4 Made Up Road\nEastmoor", others_may_read=True
    )
    text = pages_of(signed_in(amina).get(reverse("themes:invitations", args=[session.pk])))
    assert "4 Made Up Road" in text and "There is news for you" in text
    assert "Is that it?" not in text and "Ring" not in text
    Way.objects.filter(person=lee).update(others_may_read=False)
    text = pages_of(signed_in(amina).get(reverse("themes:invitations", args=[session.pk])))
    assert "Is that it?" in text and "Monday 9 March 2026" in text and "Ring" in text


# In the room


def test_the_room_hears_what_the_group_may_read_and_never_who_said_it(amina, session, theme, say):
    actions.place(amina, theme, [say("Nobody may read this", uses=())])
    words = {heard.words for heard in heard_in_the_room(session, theme, 9)}
    assert words == {"One person to ring", "Just us"}
    assert set(Heard.__annotations__) == {"words", "how", "said_on"}


def test_what_comes_from_another_hub_is_heard_only_where_it_is_public_and_masked(
    amina, lee, session, theme, ward, say
):
    Membership.objects.create(person=amina, hub=ward, role=Membership.Role.FACILITATOR)
    amina.__dict__.pop("_hubs_where", None)
    group = say("Only in our ward", hub=ward)
    public = say("Ask Joan Fox at 12 Mill Street", ("group", "public"), hub=ward)
    public.refresh_from_db()
    actions.place(amina, theme, [group, public])
    words = {heard.words for heard in heard_in_the_room(session, theme, 9)}
    assert "Only in our ward" not in words
    assert public.masked in words and public.masked != public.words


def test_screen_and_cards(signed_in, amina, session, theme):
    client = signed_in(amina)
    page = client.get(reverse("themes:screen", args=[session.pk])).content.decode()
    assert "One person to ring" in page and "Theme 1 of 1" in page and ">Lee<" not in page
    text = pages_of(client.get(reverse("themes:cards", args=[session.pk])))
    assert "One person to ring" in text and "What is missing?" in text and "Lee" not in text


# Key messages


def test_a_key_message_stands_on_quotes_allowed_for_its_use(amina, theme):
    public, group = theme.voices.order_by("pk")
    with pytest.raises(ValidationError, match="may not be used for that"):
        together.write_key_message(amina, theme, "One person.", Use.PUBLIC, [public, group])
    with pytest.raises(ValidationError, match="at least one quote"):
        together.write_key_message(amina, theme, "One person.", Use.PUBLIC, [])
    message = together.write_key_message(amina, theme, " One \n person. ", Use.PUBLIC, [public])
    assert message.words == "One person." and [one.voice for one in message.stands_on.all()] == [public]


def test_a_quote_of_another_theme_holds_nothing_up(amina, town, theme, say):
    other = say("Elsewhere")
    with pytest.raises(ValidationError):
        together.write_key_message(amina, theme, "One person.", Use.GROUP, [other])


def test_a_quote_taken_back_for_that_use_is_no_longer_shown(amina, lee, theme):
    public, _group = theme.voices.order_by("pk")
    message = together.write_key_message(amina, theme, "One person.", Use.SERVICES, [public])
    set_consent(lee, public, [Use.GROUP])
    [(_message, shown, hidden)] = messages_with_quotes(KeyMessage.objects.all(), amina)
    assert (shown, hidden) == ([], 1)
    take_back(lee, [public], [], "take out")
    assert message.stands_on.count() == 1, "that it stood on something stays counted"


def test_other_words_have_to_be_agreed_on_anew(amina, theme, session):
    quotes = list(theme.voices.all())
    message = together.write_key_message(amina, theme, "One person.", Use.GROUP, quotes)
    together.agree(amina, message, DAY, session)
    together.change_key_message(amina, message, "One person.", Use.GROUP, quotes[:1])
    assert KeyMessage.objects.get().agreed_at == session and message.stands_on.count() == 1
    with pytest.raises(ValidationError, match="Say first that it is no longer agreed"):
        together.remove_key_message(amina, message)
    together.change_key_message(amina, message, "One person who stays.", Use.GROUP, quotes)
    assert KeyMessage.objects.get().agreed_on is None
    with pytest.raises(ValidationError, match="still to come"):
        together.agree(amina, message, dt.date.today() + dt.timedelta(days=2))
    together.remove_key_message(amina, message)
    assert not KeyMessage.objects.exists() and theme.voices.count() == 2


def test_two_write_the_same_key_message_at_once(amina, ify, theme, signed_in):
    quotes = list(theme.voices.all())
    message = together.write_key_message(amina, theme, "One person.", Use.GROUP, quotes)
    seen = last_act(message)
    together.change_key_message(ify, message, "One worker.", Use.GROUP, quotes)
    page = signed_in(amina).post(
        reverse("themes:message", args=[message.pk]),
        {"words": "Somebody.", "use": "group", "voices": [quotes[0].pk], "seen": seen},
    )
    text = page.content.decode()
    assert "Ify changed this key message meanwhile" in text and "One worker." in text
    assert "Somebody.</textarea>" in text and text.count(" checked") == 2  # the use and one quote


def test_more_quotes_are_looked_at_and_what_was_ticked_is_kept(signed_in, amina, town, say):
    theme = actions.make_theme(amina, town, "Many", voices=[say(f"Number {at:02}") for at in range(25)])
    first = theme.voices.order_by("-pk")[0]
    url = reverse("themes:write_message", args=[theme.pk])
    typed = {"words": "So many.", "use": "group", "voices": [first.pk]}
    page = signed_in(amina).post(url, typed | {"show": "2"}).content.decode()
    assert "Number 00" in page and "So many.</textarea>" in page and "There is a problem" not in page
    assert f'<input type="hidden" name="voices" value="{first.pk}">' in page
    assert not KeyMessage.objects.exists()


def test_from_a_key_message_a_topic_in_one_tap(signed_in, amina, lee, theme):
    quotes = list(theme.voices.all())
    message = together.write_key_message(amina, theme, "One person. " * 20, Use.GROUP, quotes)
    with pytest.raises(ValidationError, match="not agreed"):
        raise_from(lee, message)
    assert "Make it a topic" not in signed_in(lee).get(f"/themes/{theme.pk}/").content.decode()
    together.agree(amina, message, DAY)
    assert "Make it a topic" in signed_in(lee).get(f"/themes/{theme.pk}/").content.decode()
    signed_in(lee).post(reverse("agenda:raise_from", args=[message.pk]))
    topic = message.topics.get()
    assert list(topic.themes.all()) == [theme] and set(topic.voices.all()) == set(quotes)
    assert topic.title.endswith("…") and topic.why == message.words
    assert raise_from(amina, message) == topic, "a second tap makes no second one"
    assert "The group works on this" in signed_in(lee).get(f"/themes/{theme.pk}/").content.decode()


def test_as_many_queries_for_many_sessions_and_messages_as_for_one(signed_in, amina, theme, session):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = signed_in(amina)
    urls = [reverse("themes:sessions"), reverse("themes:key_messages"), f"/sense-making/{session.pk}/"]

    def counted() -> list[int]:
        found = []
        for url in urls:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(url).status_code == 200
            found.append(len(captured))
        return found

    def another(number: int) -> None:
        together.plan_session(amina, session.hub, f"S{number}", DAY, themes=[theme])
        message = together.write_key_message(amina, theme, f"M{number}", Use.GROUP, theme.voices.all())
        together.agree(amina, message, DAY, session)
        together.invite(amina, session, [make_person(f"P{number}", session.hub, way=Way.Kind.EMAIL)])
        other = actions.make_theme(amina, session.hub, f"T{number}", voices=theme.voices.all())
        session.themes.add(other)

    another(0)
    few = counted()
    for number in range(1, 4):
        another(number)
    assert counted() == few


def test_everything_of_a_session_leaves_with_whoever_is_erased(amina, lee, session):
    from coproduce.themes.own import erase, export

    assert export(lee)["sessions_invited_to"][0]["name"] == "Is that it?"
    erase(lee, "take out")
    assert not session.invited.exists()
    assert (
        SenseMaking.objects.exists() and Theme.objects.exists() and Person.objects.filter(pk=lee.pk).exists()
    )


def test_a_mandate_to_hear_is_what_an_invitation_goes_through(amina, lee, joan, session):
    make_mandate(lee, lee, joan, ["hear"])
    Way.objects.filter(person=lee).update(preferred=False)
    Way.objects.create(person=lee, kind=Way.Kind.TRUSTED_PERSON, preferred=True)
    [guest] = invited_to(session, amina)
    assert (guest.name, guest.through) == ("Lee", "Joan")

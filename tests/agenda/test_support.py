"""Who wants a topic: for themselves, through somebody they trust, by phone; and that they hear what becomes of it."""

from __future__ import annotations

import io
import re
import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse
from pypdf import PdfReader

from coproduce.agenda.actions import topics as actions
from coproduce.agenda.models import Stage, Support, Topic, how_many_want
from coproduce.changes.actions import record_change, take_step
from coproduce.changes.thread import count_behind, count_people_behind, people_behind, people_on
from coproduce.hearback.actions import make_card, tell_latecomers, write_update
from coproduce.hearback.channels import letter
from coproduce.hearback.debt import owed_in
from coproduce.hearback.mine import what_became_of_what_they_said
from coproduce.hearback.models import Feedback, latecomers
from coproduce.people.actions import bring_in, end_mandate, make_mandate
from coproduce.people.models import Account, Mandate, Membership, Person, Way
from coproduce.people.permissions import NotAllowed
from coproduce.voices.actions import write_down
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def topic(amina, town):
    return actions.raise_topic(amina, town, "Who stays?")


def stage_of(topic: Topic) -> str:
    return Topic.objects.with_stage().get(pk=topic.pk).stage


# Wanting


@pytest.mark.parametrize("cast", ["amina", "lee", "joan"])
def test_everybody_in_the_group_may_want_a_topic_once(cast, request, topic):
    by = request.getfixturevalue(cast)
    actions.support(by, topic)
    actions.support(by, topic)
    assert how_many_want([topic.pk]) == {topic.pk: 1}
    actions.take_back_support(by, topic)
    actions.take_back_support(by, topic)
    assert how_many_want([topic.pk]) == {topic.pk: 0}


@pytest.mark.parametrize("cast", ["marek", "charlie"])
def test_others_may_not(cast, request, topic):
    with pytest.raises(NotAllowed):
        actions.support(request.getfixturevalue(cast), topic)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_two(amina, lee, joan, town):
    topic = actions.raise_topic(amina, town, "Who stays?")
    both, wrong = threading.Barrier(2), []

    def want(person: Person) -> None:
        try:
            both.wait()
            actions.support(person, topic)
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=want, args=(Person.objects.get(pk=who.pk),)) for who in (lee, joan)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert how_many_want([topic.pk]) == {topic.pk: 2}


def test_who_raises_a_topic_wants_it_but_not_who_runs_the_group(amina, lee, town, topic):
    mine = actions.raise_topic(lee, town, "Benches")
    assert list(people_on([mine.pk])) == [lee]
    assert not people_on([topic.pk]).exists()


def test_through_somebody_they_trust_while_the_mandate_stands(amina, lee, joan, town, topic):
    with pytest.raises(NotAllowed):
        actions.support(joan, topic, lee)
    mandate = make_mandate(lee, lee, joan, ["speak"])
    support = actions.support(joan, topic, lee)
    assert (support.person, support.through) == (lee, joan)
    raised = actions.raise_topic(joan, town, "Benches", person=lee)
    assert (raised.raised_by, raised.written_by) == (lee, joan)
    assert list(people_on([raised.pk])) == [lee]
    end_mandate(lee, mandate)
    with pytest.raises(NotAllowed):
        actions.take_back_support(joan, topic, lee)
    with pytest.raises(NotAllowed):
        actions.raise_topic(joan, town, "More benches", person=lee)


def test_by_phone_for_somebody_in_the_group(amina, lee, charlie, town, topic):
    raised = actions.raise_topic(amina, town, "Benches", person=lee)
    assert (raised.raised_by, raised.written_by) == (lee, amina)
    assert list(people_on([raised.pk])) == [lee]
    with pytest.raises(NotAllowed):
        actions.raise_topic(amina, town, "Benches", person=charlie)
    with pytest.raises(NotAllowed):
        actions.support(lee, topic, amina)


def test_who_wants_it_is_seen_by_few(amina, lee, joan, marek, charlie, town, ward, topic):
    actions.support(lee, topic)
    omar = make_person("Omar", ward, Membership.Role.FACILITATOR)
    for reader, seen in [(lee, 1), (amina, 1), (joan, 0), (marek, 0), (charlie, 0), (omar, 0), (None, 0)]:
        assert Support.objects.visible_to(reader).count() == seen, reader


# The group's own order


def test_the_group_moves_topics_up_and_down(amina, lee, town):
    made = [actions.raise_topic(lee, town, title) for title in ("C", "B", "A")]
    assert [topic.title for topic in Topic.objects.by_stage()] == ["A", "B", "C"]
    actions.move(amina, made[0], up=True)
    actions.move(amina, made[2], up=True)  # it is first already
    assert [topic.title for topic in Topic.objects.by_stage()] == ["A", "C", "B"]
    actions.move(amina, made[2], up=False)
    assert [topic.title for topic in Topic.objects.by_stage()] == ["C", "A", "B"]
    actions.raise_topic(lee, town, "New")
    assert [topic.title for topic in Topic.objects.by_stage()] == ["C", "A", "B", "New"]
    with pytest.raises(NotAllowed):
        actions.move(lee, made[0], up=True)


# Changed


def test_a_topic_is_changed_once_a_change_on_it_is_made(amina, town, topic):
    change = record_change(amina, town, "One worker", "You choose.", "policy", topics=[topic])
    assert stage_of(topic) == Stage.OPEN
    take_step(amina, change, "made")
    assert stage_of(topic) == Stage.CHANGED
    actions.decide(amina, topic, Stage.OPEN, "Not on Sundays")
    assert stage_of(topic) == Stage.OPEN
    actions.decide(amina, topic, Stage.DECIDED, "One worker each")
    assert stage_of(topic) == Stage.CHANGED
    take_step(amina, change, "not made", note="They took it back.")
    assert stage_of(topic) == Stage.DECIDED


def test_nobody_decides_that_it_is_changed(amina, topic):
    with pytest.raises(ValidationError):
        actions.decide(amina, topic, Stage.CHANGED)


# They hear


def test_who_only_wants_it_stands_behind_it_and_is_told_once(amina, lee, joan, town, topic):
    write_down(amina, town, "Just one to ring", "note", joan).topics.add(topic)
    actions.support(lee, topic)
    actions.support(joan, topic)
    change = record_change(amina, town, "One worker", "You choose.", "policy", "made", topics=[topic])
    assert set(people_behind(change)) == {lee, joan}
    assert (count_behind(change).voices, count_behind(change).people) == (1, 2)
    assert count_people_behind([topic, change]) == {(type(topic), topic.pk): 2, (type(change), change.pk): 2}
    update = write_update(amina, change, "It has begun", "You choose one.")
    assert set(update.feedback.values_list("person", flat=True)) == {lee.pk, joan.pk}


def test_who_wants_it_later_is_a_latecomer(amina, lee, joan, town, topic):
    actions.support(lee, topic)
    actions.decide(amina, topic, "decided", "One worker each")
    assert [owed.about for owed in owed_in([town.pk])] == [topic]
    update = write_update(amina, topic, "It is decided", "One worker each.")
    assert owed_in([town.pk]) == []
    actions.support(joan, topic)
    assert latecomers(update) == 1
    assert tell_latecomers(amina, update) == 1
    assert tell_latecomers(amina, update) == 0
    assert set(update.feedback.values_list("person", flat=True)) == {lee.pk, joan.pk}


def test_what_they_wanted_stands_where_their_words_would(
    amina, lee, town, topic, work_the_queue, mailoutbox, signed_in
):
    actions.support(lee, topic)
    actions.decide(amina, topic, "decided", "One worker each")
    write_update(amina, topic, "It is decided", "One worker each.")
    work_the_queue()
    [email] = mailoutbox
    for body in (email.body, email.alternatives[0].content):
        assert "You wanted this" in body and "Who stays?" in body and "You said" not in body
    page = signed_in(lee).get(reverse("hearback:what_happened")).content.decode()
    assert page.count("It is decided") == 1 and "You want this too" in page
    link = next(line for line in email.body.split() if "/reply/" in line).split("localhost")[1]
    reply = signed_in(lee).get(link[link.index("/reply/") :]).content.decode()
    assert "You wanted this" in reply


def test_on_paper_it_stands_there_too(amina, town, topic):
    dot = make_person("Dot", town, way=Way.Kind.LETTER, address="4 Made Up Road")
    actions.support(dot, topic)
    feedback = write_update(amina, topic, "We have it", "We talk about it.").feedback.get()
    for pdf in (letter.on_paper([letter.letter(feedback)], "Eastmoor"), make_card(amina, feedback, "Dot")):
        text = " ".join(" ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(pdf)).pages).split())
        assert "You wanted this" in text and "Who stays?" in text


def test_on_their_page_they_find_what_they_raised(lee, town, signed_in):
    page = signed_in(lee).get(reverse("hearback:what_happened")).content.decode()
    assert "You have not said anything here yet" in page and reverse("agenda:raise") in page
    actions.raise_topic(lee, town, "Put the benches back")
    page = signed_in(lee).get(reverse("hearback:what_happened")).content.decode()
    assert "Put the benches back" in page and "You raised it" in page
    assert [each.raised for each in what_became_of_what_they_said(lee).wants] == [True]


def test_an_answer_of_who_only_wanted_it_goes_on_the_same_topic(amina, lee, town, topic):
    from coproduce.hearback.actions import answer

    actions.support(lee, topic)
    actions.decide(amina, topic, "decided", "One worker each")
    update = write_update(amina, topic, "It is decided", "One worker each.")
    answer(lee, Feedback.objects.get(update=update), False, "Not at my place", not_fixed=True)
    assert topic.voices.get().words == "Not at my place"
    assert stage_of(topic) == Stage.OPEN


# Pages


def test_one_tap_to_want_it_and_one_to_take_it_back(signed_in, lee, topic):
    client = signed_in(lee)
    for start in ("agenda:topics", "agenda:topic"):
        url = reverse(start, args=[topic.pk] if start == "agenda:topic" else [])
        assert "I want this too" in client.get(url).content.decode()
        body = {"list": "1"} if start == "agenda:topics" else {}
        page = client.post(reverse("agenda:support", args=[topic.pk]), body, follow=True).content.decode()
        assert "You will hear what becomes of it" in page and "1 person wants this" in page
        back = client.post(reverse("agenda:support", args=[topic.pk]), {"take_back": "1"} | body, follow=True)
        page = back.content.decode()
        assert "You took that back" in page and "1 person wants this" not in page
    assert not Support.objects.exists()


def test_outside_the_group_a_small_count_is_not_said_and_no_name_ever(
    client, signed_in, lee, joan, marek, topic
):
    for person in (lee, joan):
        actions.support(person, topic)
    for reader in (client, signed_in(marek)):
        for url in (reverse("agenda:topics"), reverse("agenda:topic", args=[topic.pk])):
            page = reader.get(url).content.decode()
            assert "want this" not in page and "Lee" not in page and "I want this too" not in page


def test_many_are_said_in_fives_outside(client, town, topic):
    for number in range(30):
        actions.support(make_person(f"P{number}", town), topic)
    page = client.get(reverse("agenda:topic", args=[topic.pk])).content.decode()
    assert re.search(r"About (25|30|35) people want this", page)


def test_who_looks_after_people_sees_who_wants_it(signed_in, amina, lee, joan, topic):
    actions.support(lee, topic)
    url = reverse("agenda:topic", args=[topic.pk])
    assert "<li>Lee</li>" in signed_in(amina).get(url).content.decode()
    assert "<li>Lee</li>" not in signed_in(joan).get(url).content.decode()


def test_a_trusted_person_and_a_facilitator_write_it_down_for_others(
    signed_in, amina, lee, joan, town, topic
):
    mo = bring_in(joan, town, "Mo", only_i_know=True)
    Mandate.objects.filter(person=mo).update(speak=True)
    url = reverse("agenda:support_for", args=[topic.pk])
    assert "Mo" in signed_in(joan).get(url).content.decode()
    page = signed_in(amina).get(url).content.decode()
    assert "Lee" in page and "Mo" not in page
    signed_in(joan).post(url, {"person": mo.pk})
    signed_in(amina).post(url, {"person": lee.pk})
    assert set(topic.support.values_list("person", "through")) == {(mo.pk, joan.pk), (lee.pk, amina.pk)}
    assert "Mo" not in signed_in(amina).get(reverse("agenda:topic", args=[topic.pk])).content.decode()
    signed_in(joan).post(url, {"person": mo.pk, "take_back": "1"})
    assert topic.support.count() == 1
    assert "nobody you may speak for" in signed_in(lee).get(url).content.decode()
    signed_in(lee).post(url, {"person": amina.pk})
    assert topic.support.count() == 1


def test_a_topic_for_somebody_else_from_the_page_of_who_one_supports(signed_in, lee, joan, town):
    mandate = make_mandate(lee, lee, joan, ["speak"])
    client = signed_in(joan)
    page = client.get(reverse("people:supported", args=[mandate.pk])).content.decode()
    assert f"{reverse('agenda:raise')}?for={lee.pk}" in page
    page = client.get(reverse("agenda:raise"), {"for": lee.pk}).content.decode()
    assert f'<option value="{lee.pk}" selected>Lee</option>' in page
    client.post(reverse("agenda:raise"), {"title": "Benches", "hub": town.pk, "person": lee.pk})
    assert Topic.objects.get().raised_by == lee


def test_for_somebody_in_another_hub_it_says_so_and_keeps_what_was_typed(signed_in, amina, lee, town, ward):
    Membership.objects.create(person=amina, hub=ward, role=Membership.Role.FACILITATOR)
    page = signed_in(amina).post(
        reverse("agenda:raise"), {"title": "Benches", "hub": ward.pk, "person": lee.pk}
    )
    assert "They do not take part in that hub" in page.content.decode() and "Benches" in page.content.decode()
    assert not Topic.objects.exists()


def test_the_order_is_changed_by_taps(signed_in, amina, lee, town):
    first, _second = (actions.raise_topic(lee, town, title) for title in ("First", "Second"))
    url = reverse("agenda:order", args=[town.pk])
    page = signed_in(amina).get(url).content.decode()
    assert page.index("Second") < page.index("First")
    signed_in(amina).post(url, {"topic": first.pk, "up": "1"})
    page = signed_in(amina).get(reverse("agenda:topics")).content.decode()
    assert page.index("First") < page.index("Second")
    assert signed_in(amina).post(url, {"topic": "x", "up": "1"}).status_code == 404
    assert url not in signed_in(lee).get(reverse("agenda:topics")).content.decode()


# Taken out


def test_erased_they_still_count_and_nobody_tells_them(amina, lee, town, topic):
    from coproduce.agenda import own
    from coproduce.site import erase

    mine = actions.raise_topic(lee, town, "Benches", "My knees")
    actions.support(lee, topic)
    assert [each["title"] for each in own.export(lee)["topics_they_want"]] == ["Benches", "Who stays?"]
    erase.erase_person(lee, lee)
    mine.refresh_from_db()
    assert (mine.title, mine.why) == ("Taken out at their wish", "")
    assert how_many_want([topic.pk]) == {topic.pk: 1}
    assert not people_on([topic.pk]).exists()
    assert not Support.objects.filter(person=lee).exists()


def test_what_others_want_keeps_its_title(lee, joan, town):
    from coproduce.site import erase

    mine = actions.raise_topic(lee, town, "Benches", "My knees")
    actions.support(joan, mine)
    erase.erase_person(lee, lee)
    mine.refresh_from_db()
    assert (mine.title, mine.why) == ("Benches", "")


def test_somebody_without_an_account_can_be_behind_a_topic(amina, town):
    dot = Person.objects.create(name="Dot")
    Membership.objects.create(person=dot, hub=town)
    Way.objects.create(person=dot, kind=Way.Kind.PHONE, address="01632 960123", preferred=True)
    assert not Account.objects.filter(person=dot).exists()
    topic = actions.raise_topic(amina, town, "The steps at the hall", person=dot)
    update = write_update(amina, topic, "We heard you", "We talk about it.")
    assert update.feedback.get().person == dot

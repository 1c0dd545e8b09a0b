"""Several hubs raise the same: it is noticed, the hub above takes it up, and each hub hears in its own hub."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from coproduce.agenda import noticing
from coproduce.agenda.actions import bigger_voices as actions
from coproduce.agenda.actions.topics import decide, raise_topic, support
from coproduce.agenda.models import BiggerVoice, Topic, TopicMeaning, topics_below, voices_on
from coproduce.changes.actions import record_change
from coproduce.changes.thread import ahead_of, count_people_behind, people_behind, people_on, voices_behind
from coproduce.hearback.actions import tell_latecomers, write_update
from coproduce.hearback.mine import what_became_of_what_they_said
from coproduce.hearback.models import Feedback, Update, latecomers
from coproduce.people.models import Hub, Membership, Person
from coproduce.people.permissions import NotAllowed
from coproduce.site import erase
from coproduce.voices.actions import write_down
from tests.conftest import make_person

pytestmark = pytest.mark.django_db
Role = Membership.Role

RAISED = {
    "East": ("The last bus goes too early", "It leaves at six. Whoever works late walks home."),
    "Mill": ("No bus home after the drop-in", "The evening group ends at seven and nothing runs by then."),
    "Hill": ("A later bus up the hill", "My knees can't take the hill at night."),
}


class County:
    """A county with three wards: in each somebody who facilitates and a member who raised a topic about buses. Des
    coordinates it all."""

    def __init__(self) -> None:
        self.hub = Hub.objects.add_root({"name": "County"})
        self.des = make_person("Des", self.hub, Role.COORDINATOR)
        self.lead: dict[str, Person] = {}
        self.member: dict[str, Person] = {}
        self.topic: dict[str, Topic] = {}
        for name, (title, why) in RAISED.items():
            ward = self.add_ward(name)
            self.lead[name] = make_person(f"Lead {name}", ward, Role.FACILITATOR)
            self.member[name] = make_person(f"Member {name}", ward, way="phone", address="01632 960123")
            self.topic[name] = raise_topic(self.member[name], ward, title, why)

    def add_ward(self, name: str) -> Hub:
        self.hub.refresh_from_db()
        ward = Hub.objects.add_child(self.hub, {"name": name})
        self.des = Person.objects.get(
            pk=self.des.pk
        )  # who may do what is known for as long as the object lives
        return ward

    def said(self, name: str, words: str, uses: list[str]) -> None:
        voice = write_down(self.lead[name], self.topic[name].hub, words, "note", self.member[name], uses=uses)
        self.topic[name].voices.add(voice)

    def notice(self) -> BiggerVoice:
        noticing.notice()
        return BiggerVoice.objects.get()

    def take_up(self) -> Topic:
        return actions.take_up(self.des, self.notice(), "Buses in the evening", "Three hubs say so")


@pytest.fixture
def county(db) -> County:
    return County()


@pytest.fixture(params=["by meaning", "by words"])
def either_way(request, monkeypatch):
    if request.param == "by words":
        monkeypatch.setattr(noticing, "embedder", lambda: None)


# Noticing


def test_it_is_noticed_when_hubs_raise_the_same(either_way, county, work_the_queue):
    ward = county.topic["East"].hub
    raise_topic(county.member["East"], ward, "More vegetarian lunches", "It is ham again.")
    work_the_queue()
    known = BiggerVoice.objects.get()
    assert known.hub == county.hub
    assert set(known.topics.all()) == set(county.topic.values())
    noticing.notice()  # safe to run twice
    assert BiggerVoice.objects.get().pk == known.pk


def test_within_one_hub_and_between_trees_nothing_is_said(county):
    for name in ("Mill", "Hill"):
        decide(county.lead[name], county.topic[name], "put aside", "Not now")
    other = Hub.objects.add_root({"name": "Another county"})
    raise_topic(make_person("Kim", other), other, *RAISED["Mill"])
    raise_topic(county.member["East"], county.topic["East"].hub, *RAISED["Hill"])
    noticing.notice()
    assert not BiggerVoice.objects.exists()


def test_what_was_settled_goes_and_what_is_reworded_is_read_again(county):
    county.notice()
    decide(county.lead["Hill"], county.topic["Hill"], "decided", "We walk")
    assert set(county.notice().topics.all()) == {county.topic["East"], county.topic["Mill"]}
    read = TopicMeaning.objects.filter(topic=county.topic["Mill"]).values_list("words_sum", flat=True)
    before = list(read.all())
    Topic.objects.filter(pk=county.topic["Mill"].pk).update(title="Dentists", why="")
    noticing.notice()
    assert not BiggerVoice.objects.exists()
    assert before != list(read.all()) or not before


def test_the_hub_above_is_the_nearest(county):
    """Two wards of one city: the city, and not the county, is told."""
    city = county.add_ward("City")
    for name in ("North", "South"):
        city.refresh_from_db()
        ward = Hub.objects.add_child(city, {"name": name})
        raise_topic(make_person(name, ward), ward, "Dogs in the hostel", "They would not let me in with her.")
    noticing.notice()
    assert {known.hub.name for known in BiggerVoice.objects.all()} == {"County", "City"}


def test_refused_it_is_not_brought_up_again(county):
    known = county.notice()
    for person in (county.lead["East"], county.member["East"]):
        with pytest.raises(NotAllowed):
            actions.refuse(person, known)
    actions.refuse(county.des, known)
    noticing.notice()
    assert not BiggerVoice.objects.visible_to(county.des).exists()
    with pytest.raises(ValidationError):
        actions.take_up(county.des, known, "Buses")


def test_somebody_erased_takes_their_topic_out_of_it(county):
    county.notice()
    erase.erase_person(None, county.member["Hill"])
    assert not BiggerVoice.objects.exists()
    assert not TopicMeaning.objects.filter(topic=county.topic["Hill"]).exists()
    assert set(county.notice().topics.all()) == {county.topic["East"], county.topic["Mill"]}


# Taking up


def test_the_county_takes_it_up_once_and_each_ward_keeps_its_own(county):
    known = county.notice()
    for person in (county.lead["East"], county.member["East"]):
        with pytest.raises(NotAllowed):
            actions.take_up(person, known, "Buses")
    with pytest.raises(ValidationError):
        actions.take_up(county.des, known, "  ")
    topic = actions.take_up(county.des, known, "Buses in the evening")
    assert (topic.hub, topic.raised_by) == (county.hub, None)
    assert set(topic.taken_up.all()) == set(county.topic.values())
    with pytest.raises(ValidationError):
        actions.take_up(county.des, known, "Buses again")
    noticing.notice()
    assert not BiggerVoice.objects.to_take_up().exists()


def test_a_fourth_ward_joins_what_the_county_works_on(county):
    topic = county.take_up()
    ward = county.add_ward("Dale")
    fourth = raise_topic(make_person("Ada", ward), ward, "Buses stop too early in the evening")
    noticing.notice()
    known = BiggerVoice.objects.to_take_up().get()
    assert set(known.topics.all()) == {topic, fourth} and known.hub == county.hub
    assert actions.take_up(county.des, known, "") == topic
    assert topic.taken_up.count() == 4
    assert Topic.objects.filter(hub=county.hub).count() == 1


# Each hub's voices kept apart, and everybody behind it


def test_everybody_in_the_wards_stands_behind_it(county):
    county.said("East", "I walk two miles", ["group", "public"])
    topic = county.take_up()
    change = record_change(county.des, county.hub, "A bus at nine", "It runs.", "service", topics=[topic])
    members = set(county.member.values())
    assert set(people_on([topic.pk])) == set(people_behind(change)) == members
    assert count_people_behind([topic, change]) == {(Topic, topic.pk): 3, (type(change), change.pk): 3}
    assert voices_on([topic.pk]).count() == voices_behind(change).count() == 1
    voice = voices_behind(change).get()
    led = ahead_of([voice.pk])[voice.pk]
    assert {each.pk for each in led.topics} == {topic.pk, county.topic["East"].pk}
    assert [each.pk for each in led.changes] == [change.pk]
    assert topics_below([topic.pk])[topic.pk] == {topic.pk, *(each.pk for each in county.topic.values())}


def test_the_page_of_the_county_shows_voices_by_hub_as_each_may_read_them(county, client, signed_in):
    words = {"East": "bread", "Mill": "water", "Hill": "light"}
    for name in RAISED:
        county.said(name, f"More {words[name]} for the group", ["group"])
        county.said(name, f"More {words[name]} for everybody", ["group", "public"])
    url = reverse("agenda:topic", args=[county.take_up().pk])
    page = client.get(url).content.decode()
    assert "Three hubs raised this" in page and "County took it up" in page
    places = [page.index(f"In {name}<") for name in RAISED]
    assert places == sorted(places)
    for reader, reads in [
        (client, []),
        (signed_in(county.member["East"]), ["East"]),
        (signed_in(county.des), ["East", "Mill", "Hill"]),
    ]:
        page = reader.get(url).content.decode()
        assert [name for name in RAISED if f"More {words[name]} for the group" in page] == reads
        assert all(f"More {said} for everybody" in page for said in words.values())


def test_what_the_county_decides_is_owed_to_each_in_their_own_hub(county, signed_in):
    topic = county.take_up()
    support(county.des, topic)
    decide(county.des, topic, "decided", "We ask for a bus at nine.")
    update = write_update(county.des, topic, "It is decided", "We ask for a bus at nine.")
    assert [feedback.person for feedback in update.feedback.all()] == [county.des]
    page = signed_in(county.lead["East"]).get(reverse("hearback:to_tell", args=["phone"])).content.decode()
    assert "Member East" in page and "Member Mill" not in page
    for name, member in county.member.items():
        feedback = Feedback.objects.get(person=member)
        assert (feedback.update.hub.name, feedback.update.topic) == (name, county.topic[name])
        assert feedback.update.says_it_is_done
        reader = signed_in(member)
        page = reader.get(reverse("hearback:what_happened")).content.decode()
        assert page.count("It is decided") == 1 and "We ask for a bus at nine." in page
        page = reader.get(reverse("agenda:topic", args=[county.topic[name].pk])).content.decode()
        assert "It is decided" in page


def test_a_change_on_it_is_owed_the_same_way_and_to_nobody_twice(county):
    both = county.member["East"]
    Membership.objects.create(person=both, hub=county.topic["Mill"].hub, role=Role.MEMBER)
    support(Person.objects.get(pk=both.pk), county.topic["Mill"])
    topic = county.take_up()
    change = record_change(
        county.des, county.hub, "A bus at nine", "It runs.", "service", "made", topics=[topic]
    )
    update = write_update(county.des, change, "It runs", "A bus at nine, each day.")
    assert Feedback.objects.count() == 3
    assert Feedback.objects.filter(person=both).count() == 1
    assert Update.objects.filter(from_above=update).count() == 3
    assert not update.feedback.exists()
    assert {feedback.update.says_it_is_done for feedback in Feedback.objects.all()} == {True}
    mine = what_became_of_what_they_said(both)
    assert [news.about for news in mine.just_in] == [change]
    assert Topic.objects.with_stage().get(pk=topic.pk).stage == "changed"


def test_who_comes_later_in_a_ward_hears_there_too(county):
    topic = county.take_up()
    update = write_update(county.des, topic, "We have it", "We talk to the bus company.")
    late = make_person("Late", county.topic["Hill"].hub)
    support(late, county.topic["Hill"])
    assert latecomers(update) == 1
    assert tell_latecomers(county.des, update) == 1
    assert Feedback.objects.get(person=late).update.hub.name == "Hill"
    assert tell_latecomers(county.des, update) == 0 and latecomers(update) == 0


def test_of_three_levels_each_hears_in_the_lowest(county):
    city = county.add_ward("City")
    ward = Hub.objects.add_child(city, {"name": "Ward"})
    kim, ada = make_person("Kim", city), make_person("Ada", ward)
    low, middle = raise_topic(ada, ward, "Lights"), raise_topic(kim, city, "Lights in the city")
    top = raise_topic(county.des, county.hub, "Lights everywhere")
    middle.taken_up.add(low)
    top.taken_up.add(middle)
    write_update(county.des, top, "We have it", "We talk about it.")
    hubs = dict(Feedback.objects.values_list("person__name", "update__hub__name"))
    assert hubs == {"Kim": "City", "Ada": "Ward"}


# Pages


def test_it_is_said_on_the_pages_of_each_hub_and_of_the_county(county, client, signed_in):
    known = county.notice()
    readers = [county.des, *county.member.values(), *county.lead.values()]
    for reader in (*map(signed_in, readers), client):
        page = reader.get(reverse("agenda:topics")).content.decode()
        assert "Three hubs talk about this" in page
        for topic in county.topic.values():
            assert reverse("agenda:topic", args=[topic.pk]) in page
    page = client.get(reverse("agenda:topic", args=[county.topic["East"].pk])).content.decode()
    assert "Three hubs talk about this" in page and "A later bus up the hill" in page
    assert "Three hubs talk about this" in signed_in(county.des).get("/").content.decode()
    url, take_up = (reverse(name, args=[known.pk]) for name in ("agenda:bigger_voice", "agenda:take_up"))
    assert "bus" in client.get(url).content.decode().split("in common")[1]
    assert take_up in signed_in(county.des).get(url).content.decode()
    assert take_up not in signed_in(county.lead["East"]).get(url).content.decode()


def test_a_hub_that_has_no_part_in_it_does_not_read_of_it_on_its_own_page(county, signed_in):
    county.notice()
    reader = signed_in(make_person("Ada", county.add_ward("Dale")))
    assert "talk about this" not in reader.get(reverse("agenda:topics")).content.decode()
    assert "Three hubs talk about this" in reader.get(reverse("agenda:bigger_voices")).content.decode()


def test_des_takes_it_up_from_the_page(county, signed_in, client):
    known = county.notice()
    des = signed_in(county.des)
    url = reverse("agenda:take_up", args=[known.pk])
    page = des.get(url).content.decode()
    assert "Take it up for County" in page and "East: It leaves at six." in page
    assert "There is a problem" in des.post(url, {"title": "", "why": "Kept"}).content.decode()
    typed = {"title": "Buses in the evening", "why": "Three say so"}
    assert "It is a topic of County now." in des.post(url, typed, follow=True).content.decode()
    topic = Topic.objects.get(hub=county.hub)
    mill = reverse("agenda:topic", args=[county.topic["Mill"].pk])
    page = client.get(mill).content.decode()
    assert "County has taken this up" in page and "Buses in the evening" in page
    page = client.get(reverse("agenda:bigger_voice", args=[known.pk])).content.decode()
    assert "County has taken it up" in page
    assert "Taken up from other hubs" in client.get(reverse("agenda:topics")).content.decode()
    decide(county.des, topic, "working", "We ask the bus company.")
    assert "Being worked on" in client.get(mill).content.decode()


def test_des_says_that_these_are_different_things(county, signed_in):
    known = county.notice()
    des = signed_in(county.des)
    page = des.post(reverse("agenda:refuse", args=[known.pk]), follow=True).content.decode()
    assert "These stay apart" in page and "Nothing yet" in page
    assert des.get(reverse("agenda:bigger_voice", args=[known.pk])).status_code == 404


def test_as_many_queries_for_many_as_for_one(county, client, signed_in):
    des = signed_in(county.des)
    readers = [(client, reverse("agenda:topics")), (client, reverse("agenda:bigger_voices"))]
    readers += [(des, reverse("agenda:topics")), (des, "/")]

    def queries() -> list[int]:
        counted = []
        for reader, url in readers:
            with CaptureQueriesContext(connection) as captured:
                assert reader.get(url).status_code == 200
            counted.append(len(captured))
        return counted

    county.notice()
    few = queries()
    for title in ("Dogs in the hostel", "Dentists take nobody new"):
        for name in RAISED:
            raise_topic(county.member[name], county.topic[name].hub, title, title)
    noticing.notice()
    assert BiggerVoice.objects.count() == 3
    assert queries() == few

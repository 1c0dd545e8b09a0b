from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from coproduce.people.actions import add_person, add_way
from coproduce.people.models import Account, Hub, Membership, Organisation, Person, Way
from tests.conftest import make_person

pytestmark = pytest.mark.django_db
Role = Membership.Role

PAGES_FOR_LEADS = ["people:people", "people:add", "people:add_organisation"]


def queries(client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.fixture
def typed(town):
    """What somebody types to add Sami."""
    return {
        "name": "Sami",
        "hub": town.pk,
        "role": "member",
        "way": "phone",
        "address": "01632 960222",
        "email": "",
    }


# Who may open what


@pytest.mark.parametrize("page", PAGES_FOR_LEADS)
def test_pages_about_people_are_for_who_looks_after_them(
    page, signed_in, client, amina, lee, joan, marek, charlie
):
    assert signed_in(amina).get(reverse(page)).status_code == 200
    for person in (lee, joan, marek, charlie):
        assert signed_in(person).get(reverse(page)).status_code == 404
    assert reverse("account_request_login_code") in client.get(reverse(page)).url


PERSON_PAGES = ["people:person", "people:name", "people:add_way", "people:account"]


@pytest.mark.parametrize("page", PERSON_PAGES)
def test_somebody_is_seen_by_themselves_and_by_who_looks_after_them(
    page, signed_in, client, amina, lee, joan, marek, charlie
):
    url = reverse(page, args=[lee.pk])
    for person in (lee, amina):
        assert signed_in(person).get(url).status_code == 200
    for person in (joan, marek, charlie):
        assert signed_in(person).get(url).status_code == 404
    assert "/account/" in client.get(url).url


def test_a_facilitator_of_another_hub_does_not_find_them(signed_in, lee, ward):
    omar = make_person("Omar", ward, Role.FACILITATOR)
    assert signed_in(omar).get(reverse("people:person", args=[lee.pk])).status_code == 404
    assert "Lee" not in signed_in(omar).get(reverse("people:people")).content.decode()


def test_roles_in_hubs_of_others_are_not_shown(signed_in, amina, lee, ward):
    Membership.objects.create(person=lee, hub=ward, role=Role.CURATOR)
    assert "Millbank" not in signed_in(amina).get(reverse("people:person", args=[lee.pk])).content.decode()
    assert "Millbank" in signed_in(lee).get(reverse("people:person", args=[lee.pk])).content.decode()


def test_hubs_are_for_whoever_signs_in_and_shaped_by_coordinators(
    signed_in, client, town, ward, amina, lee, charlie
):
    rosa = make_person("Rosa", town, Role.COORDINATOR)
    for person in (amina, lee, charlie, rosa):
        page = signed_in(person).get(reverse("people:hubs")).content.decode()
        assert "Eastmoor" in page and "Millbank" in page
        assert (reverse("people:add_hub", args=[ward.pk]) in page) is (person is rosa)
    assert signed_in(amina).get(reverse("people:add_hub", args=[ward.pk])).status_code == 404
    assert client.get(reverse("people:hubs")).status_code == 302


# Finding people


def test_people_are_found_by_name_and_who_is_out_of_reach_is_marked(signed_in, amina, lee, town):
    add_person(amina, town, "Sami")
    page = signed_in(amina).get(reverse("people:people")).content.decode()
    assert "Nobody knows how to reach 1 person" in page
    assert "Nobody can reach them" in page
    found = signed_in(amina).get(reverse("people:people"), {"q": "sam"}).content.decode()
    assert "Sami" in found and ">Lee<" not in found
    none = signed_in(amina).get(reverse("people:people"), {"reach": "none"}).content.decode()
    assert "Sami" in none and ">Lee<" not in none
    assert (
        "Nobody has a name like that"
        in signed_in(amina).get(reverse("people:people"), {"q": "zz"}).content.decode()
    )


def test_as_many_queries_for_many_people_as_for_one(signed_in, amina, town):
    client, url = signed_in(amina), reverse("people:people")
    client.get(url)
    council = Organisation.objects.create(name="Eastmoor Council")
    few = queries(client, url)
    for number in range(12):
        add_person(amina, town, f"Person {number}", organisation=council, way="phone", address="01632 960000")
    assert queries(client, url) == few


def test_as_many_queries_for_many_ways_roles_and_hubs_as_for_one(signed_in, amina, lee, town):
    rosa = make_person("Rosa", town, Role.COORDINATOR)
    client, url, hubs = signed_in(amina), reverse("people:person", args=[lee.pk]), reverse("people:hubs")
    few, few_hubs = queries(client, url), queries(signed_in(rosa), hubs)
    for number in range(4):
        add_way(amina, lee, Way.Kind.PHONE, f"01632 96000{number}")
        Membership.objects.create(person=lee, hub=town, role=Role.values[number + 1])
        Hub.objects.add_child(Hub.objects.get(pk=town.pk), {"name": f"Ward {number}"})
    assert queries(client, url) == few
    assert queries(signed_in(rosa), hubs) == few_hubs


def test_a_long_list_has_pages(signed_in, amina, town):
    for number in range(30):
        add_person(amina, town, f"Person {number:02}")
    client = signed_in(amina)
    assert "Person 29" not in client.get(reverse("people:people")).content.decode()
    assert "Person 29" in client.get(reverse("people:people"), {"page": 2}).content.decode()
    assert client.get(reverse("people:people"), {"page": "nonsense"}).status_code == 200


# Adding somebody


def test_somebody_is_added(signed_in, amina, typed):
    answer = signed_in(amina).post(reverse("people:add"), typed, follow=True)
    sami = Person.objects.get(name="Sami")
    assert answer.redirect_chain == [(reverse("people:person", args=[sami.pk]), 302)]
    assert "Sami is added." in answer.content.decode()
    assert sami.preferred_way.kind == Way.Kind.PHONE


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": " "}, "What do they like to be called?"),
        ({"address": "12"}, "Write the phone number in full"),
        ({"way": "email", "address": "nonsense"}, "Write an email address like"),
        ({"way": "letter", "address": ""}, "Write the email, number or address"),
        ({"way": "page"}, "They sign in to read their page"),
        ({"email": "lee@example.org"}, "Somebody already signs in with this email"),
        ({"email": "nonsense"}, "email"),
        ({"role": "coordinator"}, "How do they take part?"),
        ({"hub": "0"}, "There is a problem"),
        ({"way": ""}, "How do they like to hear from us?"),
    ],
)
def test_bad_input_is_said_clearly_and_nothing_typed_is_lost(wrong, says, signed_in, amina, lee, typed):
    answer = signed_in(amina).post(reverse("people:add"), typed | {"name": "Sami Noor"} | wrong)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "There is a problem" in page and says in page
    if "name" not in wrong:
        assert 'value="Sami Noor"' in page
    if "address" not in wrong:
        assert "01632 960222" in page
    assert not Person.objects.filter(name__startswith="Sami").exists()


def test_a_coordinators_role_in_a_hub_where_they_only_facilitate_is_an_error_on_the_form(
    signed_in, town, ward, typed
):
    rosa = make_person("Rosa", ward, Role.COORDINATOR)
    Membership.objects.create(person=rosa, hub=town, role=Role.FACILITATOR)
    answer = signed_in(rosa).post(reverse("people:add"), typed | {"role": "coordinator"})
    assert "give this role in this hub" in answer.content.decode()


def test_an_organisation_is_added_on_the_way_and_what_was_typed_comes_back(signed_in, amina, typed):
    client = signed_in(amina)
    page = client.post(reverse("people:add"), typed | {"new_organisation": "1"}).content.decode()
    assert 'name="carried-address" value="01632 960222"' in page
    carried = {f"carried-{name}": value for name, value in typed.items()}
    refused = client.post(
        reverse("people:add_organisation"), carried | {"name": "", "kind": "charity"}
    ).content.decode()
    assert "There is a problem" in refused and 'name="carried-name" value="Sami"' in refused
    page = client.post(
        reverse("people:add_organisation"), carried | {"name": "The Kitchen", "kind": "charity"}
    )
    kitchen = Organisation.objects.get()
    text = page.content.decode()
    assert 'value="Sami"' in text and "01632 960222" in text
    assert f'<option value="{kitchen.pk}" selected>' in text
    assert re.search(r'value="phone" id="id_way_\d" checked', text)
    client.post(reverse("people:add"), typed | {"organisation": kitchen.pk})
    assert Person.objects.get(name="Sami").organisation == kitchen


def test_going_back_without_an_organisation_keeps_what_was_typed(signed_in, amina, typed):
    carried = {f"carried-{name}": value for name, value in typed.items()}
    page = (
        signed_in(amina).post(reverse("people:add_organisation"), carried | {"without": "1"}).content.decode()
    )
    assert 'value="Sami"' in page and "01632 960222" in page


# One person


def test_lee_changes_how_he_is_reached(signed_in, lee):
    client, home = signed_in(lee), reverse("people:person", args=[lee.pk])
    assert "How to reach me" in client.get(home).content.decode()
    client.post(reverse("people:add_way", args=[lee.pk]), {"kind": "phone", "address": "01632 960333"})
    phone = lee.ways.get(kind="phone")
    client.post(reverse("people:prefer_way", args=[lee.pk, phone.pk]))
    assert lee.ways.get(preferred=True) == phone
    answer = client.post(reverse("people:remove_way", args=[lee.pk, phone.pk]), follow=True)
    assert "That way is taken away." in answer.content.decode()
    assert lee.ways.get().preferred
    client.post(reverse("people:name", args=[lee.pk]), {"name": "Lee B"})
    client.post(reverse("people:account", args=[lee.pk]), {"email": "lee.b@example.org"})
    lee = Person.objects.get(pk=lee.pk)
    assert (lee.name, lee.account.email) == ("Lee B", "lee.b@example.org")


def test_a_way_of_somebody_else_is_not_reached_through_oneself(signed_in, lee, amina, joan):
    way = joan.ways.get()
    for name in ("people:prefer_way", "people:remove_way"):
        assert signed_in(lee).post(reverse(name, args=[lee.pk, way.pk])).status_code == 404
        assert signed_in(lee).get(reverse(name, args=[lee.pk, lee.ways.get().pk])).status_code == 405
    assert joan.ways.get() == way


@pytest.mark.parametrize(
    ("page", "typed", "says"),
    [
        ("people:add_way", {"kind": "email", "address": "wrong@"}, "Write an email address like"),
        ("people:account", {"email": "joan@example.org"}, "Somebody already signs in"),
        ("people:account", {"email": "wrong@"}, "There is a problem"),
        ("people:name", {"name": "x" * 121}, "There is a problem"),
    ],
)
def test_what_is_wrong_is_said_and_kept(page, typed, says, signed_in, lee, joan):
    text = signed_in(lee).post(reverse(page, args=[lee.pk]), typed).content.decode()
    assert says in text
    assert next(value for name, value in typed.items() if name != "kind") in text


def test_amina_gives_and_ends_a_role(signed_in, amina, lee, town):
    client = signed_in(amina)
    client.post(reverse("people:join", args=[lee.pk]), {"role": "champion", "hub": town.pk})
    champion = lee.memberships.get(role="champion")
    answer = client.post(reverse("people:leave", args=[lee.pk, champion.pk]), follow=True)
    assert "The role has ended." in answer.content.decode()
    assert not lee.memberships.current().filter(role="champion").exists()


def test_the_last_who_looks_after_people_is_told_why_they_stay(signed_in, amina):
    held = amina.memberships.get()
    answer = signed_in(amina).post(reverse("people:leave", args=[amina.pk, held.pk]), follow=True)
    assert "Nobody else looks after the people here" in answer.content.decode()
    assert amina.memberships.current().exists()


def test_a_facilitator_is_not_offered_the_sign_in_of_who_may_do_more(signed_in, amina, town):
    rosa = make_person("Rosa", town, Role.COORDINATOR)
    url = reverse("people:account", args=[rosa.pk])
    assert url not in signed_in(amina).get(reverse("people:person", args=[rosa.pk])).content.decode()
    assert signed_in(amina).post(url, {"email": "amina2@example.org"}).status_code == 404
    assert Account.objects.get(person=rosa).email == "rosa@example.org"


# Hubs


def test_a_hub_is_added_under_another(signed_in, town, ward):
    rosa = make_person("Rosa", town, Role.COORDINATOR)
    url = reverse("people:add_hub", args=[ward.pk])
    refused = signed_in(rosa).post(url, {"name": "", "about": "For the street"}).content.decode()
    assert "There is a problem" in refused and "For the street" in refused
    page = signed_in(rosa).post(url, {"name": "Station Road", "about": ""}, follow=True).content.decode()
    assert "Station Road is added." in page

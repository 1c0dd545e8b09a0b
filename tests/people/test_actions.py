from __future__ import annotations

import pytest
from allauth.account.utils import filter_users_by_email
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from coproduce.people import actions
from coproduce.people.models import Account, Act, Hub, Membership, Organisation, Person, Way
from coproduce.people.permissions import NotAllowed
from tests.conftest import make_person

pytestmark = pytest.mark.django_db
Role = Membership.Role


# Adding


def test_somebody_is_added_with_their_way_and_their_account_in_one_go(amina, town):
    sami = actions.add_person(
        amina, town, "  Sami ", way=Way.Kind.PHONE, address="01632 960222", email="Sami@Example.org"
    )
    assert sami.name == "Sami"
    assert sami.preferred_way.address == "01632 960222"
    assert sami.account.email == "sami@example.org"
    assert Act.objects.filter(by=amina, thing="people.person", thing_id=sami.pk).count() == 3


def test_when_a_piece_is_refused_nobody_is_added(amina, lee, town):
    for wrong in [{"email": lee.account.email}, {"way": Way.Kind.PHONE, "address": "12"}, {"name": "  "}]:
        with pytest.raises(ValidationError):
            actions.add_person(amina, town, **{"name": "Sami", **wrong})
    assert not Person.objects.filter(name__in=["Sami", ""]).exists()


@pytest.mark.parametrize("cast", ["lee", "joan", "marek", "charlie"])
def test_only_who_looks_after_people_adds_somebody(cast, request, town):
    with pytest.raises(NotAllowed):
        actions.add_person(request.getfixturevalue(cast), town, "Sami")


def test_a_facilitator_adds_nobody_to_a_hub_that_is_not_theirs(amina, ward):
    with pytest.raises(NotAllowed):
        actions.add_person(amina, ward, "Sami")


# Roles


def test_a_facilitator_makes_no_coordinator_not_even_of_themselves(amina, town):
    with pytest.raises(NotAllowed):
        actions.join(amina, amina, town, Role.COORDINATOR)
    with pytest.raises(NotAllowed):
        actions.add_person(amina, town, "Sami", Role.COORDINATOR)


def test_a_facilitator_does_not_end_the_role_of_a_coordinator(amina, town):
    rosa = make_person("Rosa", town, Role.COORDINATOR)
    with pytest.raises(NotAllowed):
        actions.leave(amina, rosa.memberships.get())


def test_joining_twice_is_joining_once(amina, lee, town):
    first = actions.join(amina, lee, town, Role.CHAMPION)
    assert actions.join(amina, lee, town, Role.CHAMPION) == first
    assert Act.objects.filter(verb="join").count() == 1


def test_somebody_who_left_can_come_back(amina, lee, town):
    actions.leave(lee, lee.memberships.get())
    assert lee in Person.objects.visible_to(amina)
    actions.join(amina, lee, town, Role.MEMBER)
    assert lee.memberships.current().count() == 1


def test_somebody_who_left_and_joined_elsewhere_is_seen_there_only(amina, lee, ward):
    omar = make_person("Omar", ward, Role.FACILITATOR)
    actions.leave(lee, lee.memberships.get())
    actions.join(omar, lee, ward, Role.MEMBER)
    assert lee not in Person.objects.visible_to(Person.objects.get(pk=amina.pk))
    assert lee in Person.objects.visible_to(omar)


def test_a_hub_is_not_left_with_nobody_to_look_after_its_people(amina, town):
    with pytest.raises(ValidationError):
        actions.leave(amina, amina.memberships.get())
    make_person("Omar", town, Role.FACILITATOR)
    actions.leave(amina, amina.memberships.get())
    assert not amina.memberships.current().exists()


def test_a_coordinator_above_is_enough_to_let_a_facilitator_go(ward, town):
    omar = make_person("Omar", ward, Role.FACILITATOR)
    make_person("Rosa", town, Role.COORDINATOR)
    actions.leave(omar, omar.memberships.get())
    assert not omar.memberships.current().exists()


def test_the_last_coordinator_stays(town, amina):
    rosa = make_person("Rosa", town, Role.COORDINATOR)
    with pytest.raises(ValidationError):
        actions.leave(rosa, rosa.memberships.get())


# Ways


def test_the_first_way_is_the_one_they_like_best(amina, charlie):
    sami = Person.objects.create(name="Sami", added_by=amina)
    first = actions.add_way(amina, sami, Way.Kind.LETTER, "1 High Street")
    assert first.preferred
    assert not actions.add_way(amina, sami, Way.Kind.PHONE, "01632 960333").preferred


def test_the_same_way_twice_is_one_way(amina, lee):
    again = actions.add_way(amina, lee, Way.Kind.EMAIL, "LEE@example.org")
    assert lee.ways.get() == again
    phone = actions.add_way(lee, lee, Way.Kind.PHONE, "01632 960333", preferred=True)
    assert lee.ways.get(preferred=True) == phone
    actions.add_way(lee, lee, Way.Kind.EMAIL, "lee@example.org", preferred=True)
    assert lee.ways.get(preferred=True).kind == Way.Kind.EMAIL


def test_when_the_best_way_goes_the_next_takes_its_place(lee):
    actions.add_way(lee, lee, Way.Kind.PHONE, "01632 960333")
    actions.remove_way(lee, lee.ways.get(preferred=True))
    assert lee.ways.get().preferred
    actions.remove_way(lee, lee.ways.get())
    assert not lee.ways.exists()


@pytest.mark.parametrize(
    ("kind", "address"),
    [("email", "nonsense"), ("email", ""), ("phone", "123"), ("phone", ""), ("letter", "  ")],
)
def test_an_address_that_leads_nowhere_is_refused(lee, kind, address):
    with pytest.raises(ValidationError):
        actions.add_way(lee, lee, kind, address)


def test_who_is_out_of_reach(amina, lee, town):
    nowhere = actions.add_person(amina, town, "Nowhere")
    actions.add_person(amina, town, "Unsigned", way=Way.Kind.PAGE)
    actions.add_person(amina, town, "Signed", way=Way.Kind.PAGE, email="signed@example.org")
    both = actions.add_person(amina, town, "Both", way=Way.Kind.PAGE)
    actions.add_way(amina, both, Way.Kind.FACE_TO_FACE, "the day centre")
    found = list(Person.objects.out_of_reach())
    assert [person.name for person in found] == ["Nowhere", "Unsigned"]
    everybody = Person.objects.select_related("account").prefetch_related("ways")
    assert [person for person in everybody if person.is_out_of_reach] == found
    assert nowhere in found


# Signing in


def test_two_people_do_not_sign_in_with_one_address(amina, lee, joan):
    with pytest.raises(ValidationError) as refused:
        actions.give_account(amina, joan, "LEE@example.org")
    assert "email" in refused.value.message_dict
    assert Account.objects.get(person=joan).email == "joan@example.org"


def test_nobody_takes_over_somebody_who_may_do_more(amina, town, ward):
    """A ward's facilitator could otherwise sign in as the town's coordinator, who is a member of the ward."""
    rosa = make_person("Rosa", town, Role.COORDINATOR)
    Membership.objects.create(person=rosa, hub=ward, role=Role.MEMBER)
    omar = make_person("Omar", ward, Role.FACILITATOR)
    for somebody in (omar, amina):
        with pytest.raises(NotAllowed):
            actions.give_account(somebody, rosa, "mine@example.org")
    actions.give_account(rosa, omar, "omar-new@example.org")
    actions.give_account(rosa, rosa, "rosa-new@example.org")


def test_a_changed_address_no_longer_signs_in(amina, lee):
    client = Client()
    client.post(reverse("account_request_login_code"), {"email": "lee@example.org"})
    code = next(
        word
        for word in mail.outbox[0].body.split()
        if len(word.replace("-", "")) in (6, 8) and word.isupper()
    )
    client.post(reverse("account_confirm_login_code"), {"code": code})
    assert "_auth_user_id" in client.session
    actions.give_account(amina, lee, "new@example.org")
    assert filter_users_by_email("lee@example.org") == []
    assert filter_users_by_email("new@example.org") == [lee.account]


# Hubs and organisations


def test_who_shapes_hubs_adds_one_anywhere_below(town, ward):
    rosa = make_person("Rosa", town, Role.COORDINATOR)
    street = actions.add_hub(rosa, ward, " Station Road ")
    assert street.name == "Station Road"
    assert street.is_descendant_of(Hub.objects.get(pk=town.pk))


@pytest.mark.parametrize("cast", ["amina", "lee", "marek", "charlie"])
def test_others_do_not(cast, request, town):
    with pytest.raises(NotAllowed):
        actions.add_hub(request.getfixturevalue(cast), town, "Mine")


def test_an_organisation_is_added_once(amina):
    actions.add_organisation(amina, "Eastmoor Council", Organisation.Kind.COUNCIL)
    with pytest.raises(ValidationError):
        actions.add_organisation(amina, "eastmoor council ", Organisation.Kind.COUNCIL)


@pytest.mark.parametrize("cast", ["lee", "marek", "charlie"])
def test_who_looks_after_nobody_adds_no_organisation(cast, request):
    with pytest.raises(NotAllowed):
        actions.add_organisation(request.getfixturevalue(cast), "Mine", "other")

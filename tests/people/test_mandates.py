"""Somebody takes part through a person they trust: made, changed, ended; and who may know a name."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from coproduce.people import actions
from coproduce.people.actions import bring_in, end_mandate, make_mandate
from coproduce.people.models import Account, Act, Mandate, Membership, Person, Way
from coproduce.people.permissions import NotAllowed
from coproduce.voices.models import who_may_be_named
from tests.conftest import make_person

pytestmark = pytest.mark.django_db
Role = Membership.Role


@pytest.fixture
def magpie(joan, town):
    """Whom only Joan knows."""
    return bring_in(joan, town, "Magpie", only_i_know=True)


def standing(person, trusted) -> bool:
    return Mandate.objects.standing().filter(person=person, trusted=trusted).exists()


# Made


def test_a_person_makes_their_own(lee, joan):
    mandate = make_mandate(lee, lee, joan, ["speak", "hear"])
    assert mandate.purposes == ["speak", "hear"] and mandate.made_by == lee
    assert standing(lee, joan)
    assert Act.objects.filter(by=lee, verb="make", thing="people.mandate", thing_id=mandate.pk).exists()


def test_who_looks_after_them_makes_it_only_with_them_present(amina, lee, joan):
    with pytest.raises(ValidationError, match="with you"):
        make_mandate(amina, lee, joan, ["speak"])
    mandate = make_mandate(amina, lee, joan, ["speak"], with_them_present=True)
    assert mandate.with_them_present and mandate.made_by == amina


def test_nobody_else_makes_it(lee, joan, marek, charlie):
    for by in (joan, marek, charlie):
        with pytest.raises(NotAllowed):
            make_mandate(by, lee, joan, ["speak"], with_them_present=True)


def test_it_is_for_something_and_ends_on_a_day_to_come(lee, joan):
    with pytest.raises(ValidationError, match="at least one"):
        make_mandate(lee, lee, joan, [])
    with pytest.raises(ValidationError, match="over"):
        make_mandate(lee, lee, joan, ["speak"], until=timezone.localdate() - dt.timedelta(days=1))


def test_a_member_chooses_among_those_who_take_it_on_and_learns_no_other_name(lee, joan, amina, town):
    make_person("Sami", town)
    assert {person.name for person in actions.who_may_be_trusted(lee, lee)} == {"Joan"}
    with pytest.raises(NotAllowed):
        make_mandate(lee, lee, amina, ["speak"])
    assert "Sami" in {person.name for person in actions.who_may_be_trusted(amina, lee)}


def test_who_passes_on_news_signs_in_to_read_it(lee, town):
    rob = Person.objects.create(name="Rob")
    Membership.objects.create(person=rob, hub=town, role=Role.TRUSTED_PERSON)
    with pytest.raises(ValidationError, match="sign in"):
        make_mandate(lee, lee, rob, ["hear"])
    assert make_mandate(lee, lee, rob, ["speak"]).purposes == ["speak"]


def test_two_have_one_standing_mandate_and_a_second_changes_it(lee, joan):
    first = make_mandate(lee, lee, joan, ["speak"])
    assert make_mandate(lee, lee, joan, ["hear"]).pk == first.pk
    assert Mandate.objects.get().purposes == ["hear"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Mandate.objects.create(person=lee, trusted=joan, speak=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Mandate.objects.create(person=lee, trusted=lee, speak=True)


def test_what_for_is_changed_by_whom_it_takes_to_make_one(lee, joan, amina):
    mandate = make_mandate(lee, lee, joan, ["speak", "hear"])
    for by, present in ((joan, True), (amina, False)):
        with pytest.raises((NotAllowed, ValidationError)):
            actions.change_what_for(by, mandate, ["vote"], with_them_present=present)
    actions.change_what_for(amina, mandate, ["vote"], with_them_present=True)
    assert Mandate.objects.get().purposes == ["vote"]
    end_mandate(lee, mandate)
    with pytest.raises(NotAllowed):
        actions.change_what_for(lee, mandate, ["speak"])


# Ended


@pytest.mark.parametrize("who", ["lee", "joan", "amina"])
def test_either_of_the_two_or_who_looks_after_them_ends_it(who, lee, joan, amina):
    mandate = make_mandate(lee, lee, joan, ["speak"])
    end_mandate({"lee": lee, "joan": joan, "amina": amina}[who], mandate)
    assert not standing(lee, joan)


def test_nobody_else_ends_it(lee, joan, marek, charlie):
    mandate = make_mandate(lee, lee, joan, ["speak"])
    for by in (marek, charlie):
        with pytest.raises(NotAllowed):
            end_mandate(by, mandate)


def test_it_stands_up_to_and_on_its_last_day(lee, joan):
    today = timezone.localdate()
    mandate = make_mandate(lee, lee, joan, ["speak"], until=today)
    assert mandate.stands and standing(lee, joan)
    Mandate.objects.update(until=today - dt.timedelta(days=1))
    assert not Mandate.objects.get().stands and not standing(lee, joan)
    assert make_mandate(lee, lee, joan, ["hear"]).pk != mandate.pk


def test_an_ended_one_shows_to_nobody_and_says_nothing(lee, joan, amina, signed_in, mailoutbox):
    mandate = make_mandate(lee, lee, joan, ["speak"])
    browser = signed_in(joan)
    assert "Lee" in browser.get("/supporting/").content.decode()
    end_mandate(lee, mandate)
    for page in ("/supporting/", "/", "/what-happened/"):
        assert "Lee" not in browser.get(page, follow=True).content.decode()
    assert browser.get(f"/supporting/{mandate.pk}/").content == browser.get("/supporting/99999/").content
    assert not Mandate.objects.visible_to(joan).exists() and not Mandate.objects.visible_to(amina).exists()
    assert mailoutbox == []


# The pages of the person and of who looks after them


def test_a_person_makes_changes_and_ends_one_on_their_own_page(lee, joan, signed_in):
    browser, own = signed_in(lee), f"/people/{lee.pk}/"
    form = browser.get(f"{own}trust/").content.decode()
    assert "They are with me now" not in form
    browser.post(f"{own}trust/", {"trusted": joan.pk, "purposes": ["speak", "hear"], "best_way": "on"})
    mandate = Mandate.objects.get()
    assert lee.preferred_way.kind == Way.Kind.TRUSTED_PERSON
    assert "tells me what happened" in browser.get(own).content.decode()
    browser.post(f"{own}trust/{mandate.pk}/", {"purposes": ["hear"]})
    assert Mandate.objects.get().purposes == ["hear"]
    browser.post(f"{own}trust/{mandate.pk}/end/")
    assert not standing(lee, joan)
    assert Person.objects.get(pk=lee.pk).preferred_way.kind == Way.Kind.EMAIL


def test_a_facilitator_ticks_that_they_are_there(amina, lee, joan, signed_in):
    browser, page = signed_in(amina), f"/people/{lee.pk}/trust/"
    typed = {"trusted": joan.pk, "purposes": ["speak"]}
    assert "Then tick that they are" in browser.post(page, typed).content.decode()
    browser.post(page, typed | {"with_them_present": "on"})
    assert Mandate.objects.get().with_them_present
    browser.post(f"{page}{Mandate.objects.get().pk}/end/", {"with_them_present": "on"})
    assert Act.objects.get(verb="end").detail == {"with_them_present": True}


def test_somebody_may_be_known_by_a_chosen_name(joan, amina, town, signed_in):
    signed_in(joan).post("/supporting/add/", {"name": "Magpie", "only_i_know": "no", "hub": town.pk})
    assert "Magpie" in signed_in(amina).get("/people/").content.decode()
    assert "best through the person they trust" in signed_in(amina).get("/people/").content.decode()


def test_who_may_know_is_asked_and_not_guessed(joan, town, signed_in):
    page = signed_in(joan).post("/supporting/add/", {"name": "Magpie", "hub": town.pk})
    assert "Ask them who may know the name" in page.content.decode()
    assert not Person.objects.filter(added_by=joan).exists()


def test_people_are_brought_in_by_who_supports_people(lee, amina, marek, charlie, town):
    for by in (lee, amina, marek, charlie):
        with pytest.raises(NotAllowed):
            bring_in(by, town, "Magpie", only_i_know=True)


def test_the_list_asks_as_much_of_the_database_for_three_as_for_one(joan, town, signed_in, magpie):
    browser = signed_in(joan)

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            browser.get("/supporting/")
        return len(captured)

    one = asked()
    for name in ("Jay", "Wren"):
        bring_in(joan, town, name, only_i_know=True)
    assert asked() == one


def test_the_list_of_people_asks_no_more_for_three_whom_only_joan_knows(amina, joan, town, signed_in, magpie):
    browser = signed_in(amina)

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            browser.get("/people/")
        return len(captured)

    one = asked()
    for name in ("Jay", "Wren"):
        bring_in(joan, town, name, only_i_know=True)
    assert asked() == one


# Who may know a name


def test_what_each_may_call_somebody_whom_only_joan_knows(magpie, joan, amina, lee, marek, charlie):
    Account.objects.create(person=magpie, email="magpie@example.org")
    assert magpie.name_for(joan) == "Magpie"
    assert magpie.name_for(magpie) == "Magpie"
    assert magpie.name_for(amina) == "Somebody Joan supports"
    for reader in (lee, marek, charlie, None):
        assert magpie.name_for(reader) == "Somebody"


def test_once_it_has_ended_joan_may_not_know_and_nobody_is_told_who_it_was(magpie, joan, amina):
    end_mandate(amina, magpie.mandates.get(), with_them_present=True)
    assert magpie.name_for(joan) == "Somebody"
    assert magpie.name_for(amina) == "Somebody"
    assert magpie.name_for(magpie) == "Magpie"


def test_the_name_comes_back_with_a_new_mandate(magpie, joan, amina):
    end_mandate(joan, magpie.mandates.get())
    make_mandate(amina, magpie, joan, ["hear"], with_them_present=True)
    assert magpie.name_for(joan) == "Magpie"
    assert magpie.name_for(amina) == "Somebody Joan supports"


def test_another_trusted_person_does_not_learn_it(magpie, joan, amina, town):
    ann = make_person("Ann", town, Role.CHAMPION)
    make_mandate(amina, magpie, ann, ["hear"], with_them_present=True)
    assert magpie.name_for(ann) == "Somebody"


def test_the_name_is_nowhere_but_on_the_mandate(magpie):
    assert "Magpie" not in magpie.name
    magpie.mandates.all().delete()
    assert magpie.name_for(magpie) == "Somebody"


def test_when_joan_goes_the_name_goes_with_her(magpie, joan, amina):
    joan.delete()
    magpie.refresh_from_db()
    assert magpie.name_for(amina) == "Somebody"
    assert not Mandate.objects.exists()


def test_their_name_and_ways_are_between_the_two(magpie, amina, signed_in):
    Way.objects.create(person=magpie, kind=Way.Kind.PHONE, address="01632 960777")
    browser, page = signed_in(amina), f"/people/{magpie.pk}/"
    shown = browser.get(page).content.decode()
    assert "Somebody Joan supports" in shown and "01632" not in shown
    for name in ("name", "add_way", "account"):
        assert browser.get(reverse(f"people:{name}", args=[magpie.pk])).status_code == 404
    way = magpie.ways.get(kind=Way.Kind.PHONE)
    for attempt in (
        lambda: actions.change_name(amina, magpie, "M"),
        lambda: actions.add_way(amina, magpie, Way.Kind.EMAIL, "m@example.org"),
        lambda: actions.prefer_way(amina, way),
        lambda: actions.remove_way(amina, way),
        lambda: actions.give_account(amina, magpie, "m@example.org"),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_once_it_has_ended_the_organiser_can_find_out_how_to_reach_them(magpie, amina, joan):
    assert magpie not in Person.objects.out_of_reach()
    end_mandate(amina, magpie.mandates.get())
    assert magpie in Person.objects.out_of_reach()
    actions.add_way(amina, magpie, Way.Kind.PHONE, "01632 960777")
    assert Person.objects.get(pk=magpie.pk).preferred_way.kind == Way.Kind.PHONE
    actions.change_name(amina, magpie, "Mags")
    assert magpie.name_for(joan) == magpie.name_for(None) == "Mags"


def test_the_search_for_a_name_does_not_find_it(magpie, amina, signed_in):
    found = signed_in(amina).get("/people/?q=Magpie").content.decode()
    assert "Nobody has a name like that" in found


def test_they_are_in_no_list_to_choose_a_name_from(magpie, amina, town, joan):
    assert magpie not in who_may_be_named(amina, town)
    assert magpie not in actions.who_may_be_trusted(amina, joan)


def test_a_way_through_somebody_needs_somebody(lee, joan):
    with pytest.raises(ValidationError, match="trusted person"):
        actions.add_way(lee, lee, Way.Kind.TRUSTED_PERSON)
    make_mandate(lee, lee, joan, ["hear"])
    assert actions.add_way(lee, lee, Way.Kind.TRUSTED_PERSON, preferred=True).preferred


def test_news_waits_on_nobodys_list_when_who_passes_it_on_cannot_sign_in(lee, joan):
    make_mandate(lee, lee, joan, ["hear"], best_way=True)
    Account.objects.filter(person=joan).delete()
    assert best(lee) == Person.objects.get(pk=lee.pk).preferred_way.kind == Way.Kind.EMAIL


def best(person) -> str | None:
    return Way.objects.best().filter(person=person).values_list("kind", flat=True).first()


def test_the_best_way_is_the_same_for_one_and_in_a_query(lee, joan):
    mandate = make_mandate(lee, lee, joan, ["hear"], best_way=True)
    assert best(lee) == lee.preferred_way.kind == Way.Kind.TRUSTED_PERSON
    actions.change_what_for(lee, mandate, ["speak"])
    again = Person.objects.get(pk=lee.pk)
    assert best(lee) == again.preferred_way.kind == Way.Kind.EMAIL
    lee.ways.filter(kind=Way.Kind.EMAIL).delete()
    gone = Person.objects.get(pk=lee.pk)
    assert best(lee) is None and gone.preferred_way is None and gone.is_out_of_reach

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from coproduce.people.models import Membership
from coproduce.themes.actions import make_theme, merge, name_theme
from coproduce.themes.models import Theme, voices_in
from coproduce.voices.actions import write_down
from coproduce.voices.models import Voice
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


def queries(client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def inside(theme: Theme) -> set[int]:
    return set(voices_in([theme.pk]).values_list("voice", flat=True))


@pytest.fixture
def say(amina, lee, town):
    return lambda words="Just one person to ring", uses=("group",), hub=None: write_down(
        amina, hub or town, words, "note", lee, uses=uses
    )


@pytest.fixture
def letters(amina, town, say):
    return make_theme(
        amina, town, "Letters", "They never arrive", voices=[say("No letter came"), say("Wrong address")]
    )


@pytest.fixture
def paper(amina, town, say):
    return make_theme(amina, town, "Paper", voices=[say("I lost the form")])


def page_of(client, name: str, *args: object, **query: object) -> str:
    return client.get(reverse(name, args=args), query).content.decode()


# Who may open what


@pytest.mark.parametrize("page", ["themes:make", "themes:pool"])
def test_tools_are_for_who_makes_sense(page, signed_in, client, amina, lee, joan, marek, charlie):
    assert signed_in(amina).get(reverse(page)).status_code == 200
    for person in (lee, joan, marek, charlie):
        assert signed_in(person).get(reverse(page)).status_code == 404
    assert "/account/" in client.get(reverse(page)).url


@pytest.mark.parametrize("page", ["themes:rename", "themes:merge"])
def test_tools_of_a_theme_are_for_who_makes_sense_of_it(
    page, signed_in, client, amina, lee, marek, charlie, letters
):
    url = reverse(page, args=[letters.pk])
    assert signed_in(amina).get(url).status_code == 200
    for person in (lee, marek, charlie):
        assert signed_in(person).get(url).status_code == 404
        assert signed_in(person).post(url, {"name": "Mine"}).status_code == 404
    assert client.get(url).status_code == 302


def test_the_group_reads_the_board_and_others_find_it_empty(
    signed_in, client, amina, lee, joan, marek, charlie, letters
):
    for person in (amina, lee, joan):
        page = page_of(signed_in(person), "themes:themes")
        assert "Letters" in page and "No letter came" in page and "2 voices" in page
    for person in (marek, charlie):
        page = page_of(signed_in(person), "themes:themes")
        assert "Letters" not in page and "No letter came" not in page
    assert client.get(reverse("themes:themes")).status_code == 302


def test_a_theme_is_read_by_the_group_only(
    signed_in, client, amina, lee, joan, marek, charlie, ward, letters
):
    url = reverse("themes:theme", args=[letters.pk])
    for person in (amina, lee, joan):
        assert signed_in(person).get(url).status_code == 200
    for person in (marek, charlie, make_person("Omar", ward, Membership.Role.FACILITATOR)):
        assert signed_in(person).get(url).status_code == 404
    assert client.get(url).status_code == 302


def test_members_see_no_tools_and_their_posts_do_nothing(signed_in, lee, letters, paper):
    client = signed_in(lee)
    page = page_of(client, "themes:theme", letters.pk)
    assert 'type="checkbox"' not in page and "Merge" not in page and "Change the words" not in page
    before = inside(letters)
    for url, typed in [
        (reverse("themes:theme", args=[letters.pk]), {"do": "take out", "voices": list(before)}),
        (reverse("themes:merge", args=[letters.pk]), {"into": paper.pk}),
        (reverse("themes:undo", args=[letters.pk]), {}),
        (reverse("themes:make"), {"name": "Mine"}),
        (reverse("themes:pool"), {"do": "make", "name": "Mine"}),
    ]:
        assert client.post(url, typed).status_code == 404
    assert inside(letters) == before and Theme.objects.standing().count() == 2


def test_words_that_are_not_for_the_reader_are_counted_and_not_shown(signed_in, amina, lee, joan, town, say):
    theme = make_theme(amina, town, "Letters", voices=[say("Open"), say("Kept to myself", uses=())])
    page = page_of(signed_in(joan), "themes:theme", theme.pk)
    assert "Open" in page and "Kept to myself" not in page
    assert "2 voices" in page and "You can read 1 of them" in page
    assert "Kept to myself" in page_of(signed_in(lee), "themes:theme", theme.pk), (
        "one always reads one’s own words"
    )


# Sorting


def test_voices_of_the_pool_become_a_theme(signed_in, amina, town, say):
    one, two, three = say("One"), say("Two"), say("Three")
    client = signed_in(amina)
    assert "3 voices" in page_of(client, "themes:themes")
    answer = client.post(
        reverse("themes:pool"),
        {"do": "make", "name": "Numbers", "hub": town.pk, "voices": [one.pk, two.pk]},
        follow=True,
    )
    page = answer.content.decode()
    assert "The theme ‘Numbers’ is made." in page
    assert "Three" in page and "“One”" not in page
    client.post(
        reverse("themes:pool"),
        {"do": "put", "into": Theme.objects.get().pk, "hub": town.pk, "voices": [three.pk]},
    )
    assert inside(Theme.objects.get()) == {one.pk, two.pk, three.pk}
    assert "Every voice is in a theme" in page_of(client, "themes:pool")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"do": "make", "name": "Numbers"}, "Tick the quotes first."),
        ({"do": "make", "voices": True}, "Give the new theme a name."),
        ({"do": "put", "voices": True}, "Choose the theme they belong in."),
        ({"do": "put", "voices": True, "into": "999999"}, "There is a problem"),
        ({"do": "make", "voices": True, "name": "x" * 161}, "There is a problem"),
    ],
)
def test_bad_input_in_the_pool_keeps_ticks_and_words(typed, says, signed_in, amina, town, say, letters):
    voice = say("Waiting")
    if typed.get("voices"):
        typed = typed | {"voices": [voice.pk]}
    page = signed_in(amina).post(reverse("themes:pool"), typed | {"hub": town.pk}).content.decode()
    assert says in page
    assert (f'value="{voice.pk}" id="id_voices_0" checked' in page) is ("voices" in typed)
    if "name" in typed:
        assert f'value="{typed["name"]}"' in page
    assert Theme.objects.count() == 1


def test_quotes_are_moved_split_and_taken_out(signed_in, amina, letters, paper):
    client, url = signed_in(amina), reverse("themes:theme", args=[letters.pk])
    first, second = sorted(inside(letters))
    client.post(url, {"do": "move", "voices": [first], "into": paper.pk})
    assert first in inside(paper) and inside(letters) == {second}
    page = client.post(
        url, {"do": "split", "voices": [second], "name": "Addresses"}, follow=True
    ).content.decode()
    assert "The theme ‘Addresses’ is made of them." in page
    addresses = Theme.objects.get(name="Addresses")
    assert inside(addresses) == {second}
    client.post(reverse("themes:theme", args=[addresses.pk]), {"do": "take out", "voices": [second]})
    assert inside(addresses) == set()
    assert "Wrong address" in page_of(client, "themes:pool")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"do": "move"}, "Choose the theme they belong in."),
        ({"do": "split", "name": " "}, "Give the new theme a name."),
        ({"do": "split", "name": "Kept", "voices": []}, "Tick the quotes first."),
        ({"do": "juggle"}, "Choose what should happen with the quotes."),
        ({}, "Choose what should happen with the quotes."),
    ],
)
def test_bad_input_on_a_theme_keeps_ticks(typed, says, signed_in, amina, letters, paper):
    before = inside(letters)
    url = reverse("themes:theme", args=[letters.pk])
    page = signed_in(amina).post(url, {"voices": list(before)} | typed).content.decode()
    assert says in page
    assert page.count(" checked") == (0 if "voices" in typed else 2)
    if typed.get("name") == "Kept":
        assert 'value="Kept"' in page
    assert inside(letters) == before


def test_a_merge_says_first_what_will_happen_then_happens_and_is_undone(signed_in, amina, letters, paper):
    client = signed_in(amina)
    before = {theme.pk: inside(theme) for theme in (letters, paper)}
    assert "Which theme does ‘Letters’ go into?" in page_of(client, "themes:merge", letters.pk)
    assert "Choose a theme first." in page_of(client, "themes:merge", letters.pk, into="")
    confirm = page_of(client, "themes:merge", letters.pk, into=paper.pk)
    assert (
        "Merge ‘Letters’ into ‘Paper’?" in confirm
        and "3 voices" in confirm
        and "You can undo this" in confirm
    )
    assert Theme.objects.standing().count() == 2
    page = client.post(
        reverse("themes:merge", args=[letters.pk]), {"into": paper.pk}, follow=True
    ).content.decode()
    assert "‘Letters’ is part of ‘Paper’ now." in page and "came with ‘Letters’" in page
    assert "No letter came" in page and reverse("themes:undo", args=[letters.pk]) in page
    gone = page_of(client, "themes:theme", letters.pk)
    assert "This theme is part of ‘Paper’ now." in gone and 'type="checkbox"' not in gone
    assert client.get(reverse("themes:rename", args=[letters.pk])).status_code == 404
    page = client.post(reverse("themes:undo", args=[letters.pk]), follow=True).content.decode()
    assert "‘Letters’ stands on its own again" in page
    assert {theme.pk: inside(theme) for theme in (letters, paper)} == before


def test_a_member_reads_what_came_from_where(signed_in, amina, joan, letters, paper):
    merge(amina, letters, paper)
    page = page_of(signed_in(joan), "themes:theme", paper.pk)
    assert "came with ‘Letters’" in page and reverse("themes:theme", args=[letters.pk]) in page
    assert "Undo" not in page
    assert (
        "Letters"
        not in page_of(signed_in(joan), "themes:themes").split('class="piles"', 1)[1].split("Paper")[0]
    )


def test_a_stale_page_does_not_undo_what_stands(signed_in, amina, letters):
    answer = signed_in(amina).post(reverse("themes:undo", args=[letters.pk]), follow=True)
    assert "This theme already stands on its own." in answer.content.decode()


def test_a_theme_is_made_and_renamed(signed_in, amina, town):
    client = signed_in(amina)
    client.post(reverse("themes:make"), {"name": "Letters", "about": "", "hub": town.pk})
    theme = Theme.objects.get()
    refused = client.post(
        reverse("themes:rename", args=[theme.pk]), {"name": "", "about": "They never arrive"}
    )
    assert (
        "There is a problem" in refused.content.decode() and "They never arrive" in refused.content.decode()
    )
    client.post(reverse("themes:rename", args=[theme.pk]), {"name": "Post", "about": "They never arrive"})
    theme.refresh_from_db()
    assert (theme.name, theme.about) == ("Post", "They never arrive")


def test_from_a_theme_a_topic_is_raised(signed_in, lee, letters):
    assert f"{reverse('agenda:raise')}?theme={letters.pk}" in page_of(
        signed_in(lee), "themes:theme", letters.pk
    )


# Many


def test_as_many_queries_for_many_themes_as_for_one(signed_in, amina, lee, town, say):
    def another(number: int) -> None:
        theme, merged = (make_theme(amina, town, f"{name} {number}", voices=[say(), say()]) for name in "AB")
        merge(amina, merged, theme)
        make_theme(amina, town, f"C {number}", voices=[say()])

    another(0)
    for person in (amina, lee):
        client, url = signed_in(person), reverse("themes:themes")
        few = queries(client, url)
        for number in range(4):
            another(number)
        assert queries(client, url) == few


def test_as_many_queries_for_many_quotes_and_merges_as_for_one(signed_in, amina, lee, town, say):
    theme = make_theme(amina, town, "A", voices=[say()])

    def another() -> None:
        merge(amina, make_theme(amina, town, "B", voices=[say(), say()]), theme)
        make_theme(amina, town, "C")

    another()
    clients = [signed_in(amina), signed_in(lee)]
    url = reverse("themes:theme", args=[theme.pk])
    few = [queries(client, url) for client in clients]
    pools = (
        queries(clients[0], reverse("themes:pool")),
        queries(clients[0], reverse("themes:merge", args=[theme.pk])),
    )
    for _ in range(3):
        another()
        say()
    assert [queries(client, url) for client in clients] == few
    assert queries(clients[0], reverse("themes:merge", args=[theme.pk])) == pools[1]
    few_waiting = queries(clients[0], reverse("themes:pool"))
    say()
    assert queries(clients[0], reverse("themes:pool")) == few_waiting


def test_a_theme_with_many_quotes_has_pages(signed_in, lee, amina, town, say):
    theme = make_theme(amina, town, "A", voices=[say(f"Number {number:02}") for number in range(12)])
    client = signed_in(lee)
    assert "Number 00" not in page_of(client, "themes:theme", theme.pk)
    assert "Number 00" in page_of(client, "themes:theme", theme.pk, page=2)


def test_what_people_type_is_never_markup(signed_in, amina, town, say):
    theme = make_theme(amina, town, "<b>A</b>", "<i>x</i>", voices=[say("<script>alert(1)</script>")])
    name_theme(amina, theme, "<b>A</b>", "<i>x</i>")
    merge(amina, make_theme(amina, town, "<u>M</u>", voices=[say("<em>hm</em>")]), theme)
    for page in (
        page_of(signed_in(amina), "themes:theme", theme.pk),
        page_of(signed_in(amina), "themes:themes"),
    ):
        for tag in ("<b>A", "<i>x", "<script>alert", "<u>M", "<em>hm"):
            assert tag not in page
    assert Voice.objects.count() == 2

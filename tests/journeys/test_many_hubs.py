"""Many hubs, one voice: three ward hubs raise the same, the county takes it up, each ward hears what became of it.

Walked on a phone's width twice: with JavaScript by keyboard alone, and without JavaScript by tapping.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from coproduce.agenda.models import Topic
from coproduce.hearback.models import Feedback
from coproduce.people.models import Person
from tests.agenda.test_bigger_voices import County
from tests.journeys.test_thread import Hands, clean

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["by keyboard", "without JavaScript"])
def hands_of(request, open_context):
    with_scripts = request.param == "by keyboard"

    def open_for(person: Person) -> Hands:
        return Hands(open_context(person, scripts=with_scripts).new_page(), keyboard=with_scripts)

    return open_for


def test_three_wards_one_voice(db, hands_of, work_the_queue):
    county = County()
    county.topic["Hill"].delete()  # the third ward raises it now
    county.said("East", "I walk two miles in the dark", ["group"])
    county.said("Mill", "My sister waits with a torch", ["group", "public"])
    raise_it(hands_of(county.member["Hill"]))
    county.topic["Hill"] = Topic.objects.get(title="A later bus up the hill")
    work_the_queue()

    des = hands_of(county.des)
    take_it_up(des)
    each_hubs_voices_are_kept_apart(des)
    decide_and_tell(des)
    assert dict(Feedback.objects.values_list("person__name", "update__hub__name")) == {
        "Member East": "East",
        "Member Mill": "Mill",
        "Member Hill": "Hill",
    }

    lead = hands_of(county.lead["East"])  # the ward tells its own people
    lead.page.goto("/who-has-heard/to-tell/phone/")
    clean(lead)
    expect(lead.page.get_by_text("Member East").first).to_be_visible()
    assert "Member Mill" not in lead.page.content()

    for name, member in county.member.items():
        theirs = hands_of(member)
        theirs.page.goto("/what-happened/")
        clean(theirs)
        expect(theirs.page.get_by_text("A bus at nine is coming").first).to_be_visible()
        theirs.page.goto(f"/topics/{county.topic[name].pk}/")
        clean(theirs)
        expect(theirs.page.get_by_text("County has taken this up")).to_be_visible()
        assert ("I walk two miles in the dark" in theirs.page.content()) is (name == "East")


def raise_it(hands: Hands) -> None:
    page = hands.page
    page.goto("/topics/")
    clean(hands)
    hands.press(hands.link("Raise a topic"))
    hands.write("What should the group work on?", "A later bus up the hill")
    if hands.keyboard:
        hands.go_to(page.get_by_text("Say why it matters"))
        page.keyboard.press("Enter")
    else:
        page.get_by_text("Say why it matters").click()
    hands.write("Why does it matter?", "My knees can't take the hill at night.")
    hands.press(hands.button("Raise it"))
    page.wait_for_url(re.compile(r"/topics/\d+/"))


def take_it_up(hands: Hands) -> None:
    page = hands.page
    page.goto("/")
    clean(hands)
    expect(page.get_by_text("Three hubs talk about this").first).to_be_visible()
    hands.press(hands.link("Look"))
    clean(hands)
    for title in ("The last bus goes too early", "No bus home after the drop-in", "A later bus up the hill"):
        expect(page.get_by_text(title).first).to_be_visible()
    hands.press(hands.link("Take it up for County"))
    clean(hands)
    page.get_by_label("What do we work on?").fill("")
    hands.write("What do we work on?", "Buses in the evening")
    hands.press(hands.button("Take it up"))
    page.wait_for_url(re.compile(r"/topics/\d+/"))
    clean(hands)


def each_hubs_voices_are_kept_apart(hands: Hands) -> None:
    page = hands.page
    expect(page.get_by_text("Three hubs raised this")).to_be_visible()
    headings = page.get_by_role("heading", name=re.compile("^In ")).all_inner_texts()
    assert headings == ["In East", "In Mill"]
    words = page.locator("main").inner_text()
    assert words.index("In East") < words.index("two miles") < words.index("In Mill") < words.index("torch")


def decide_and_tell(hands: Hands) -> None:
    page = hands.page
    hands.press(hands.link("Write what the group decided"))
    hands.tick(page.get_by_role("radio", name="We have decided"))
    hands.write("In the group’s own words", "We asked for a bus at nine, and they said yes.")
    hands.press(hands.button("Write it down"))
    clean(hands)
    hands.press(hands.link("Tell everyone behind it"))
    hands.write("What happened, in one line?", "A bus at nine is coming")
    page.locator("textarea[name=text]").first.focus()
    page.keyboard.insert_text("We asked for it together. They said yes.")
    hands.press(hands.button("See how it will read"))
    clean(hands)
    hands.press(hands.button("Tell them all"))
    page.wait_for_url(re.compile(r"/who-has-heard/\d+/"))
    clean(hands)

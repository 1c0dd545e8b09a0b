"""Journey 9: what does that mean? Asked without saying who, explained by the group, and then wherever it stands."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from coproduce.agenda.actions.topics import decide, raise_topic
from coproduce.glossary.actions import explain
from coproduce.glossary.models import Question, Term
from coproduce.people.models import Hub, Membership, Way
from tests.conftest import make_person
from tests.glossary.conftest import PICTURE
from tests.journeys.conftest import EVIL, listen, look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Role = Membership.Role


class Group:
    def __init__(self) -> None:
        self.hub = Hub.objects.add_root({"name": "Eastmoor"})
        self.amina = make_person("Amina", self.hub, Role.FACILITATOR, Way.Kind.PAGE)
        self.lee = make_person("Lee", self.hub)
        self.topic = raise_topic(
            self.lee, self.hub, "Who stays?", "They want to end HRS.\n\nThe ICB pays for it."
        )
        decide(self.amina, self.topic, "working", "We ask what comes after HRS.")
        self.hrs = explain(
            self.amina,
            self.hub,
            "housing-related support",
            "Help to keep your home.",
            "HRS",
            "Somebody who rings the bank with you.",
            PICTURE,
            "A front door",
        )


@pytest.fixture
def group() -> Group:
    return Group()


def ask_about(page: Page, group: Group, word: str) -> None:
    page.goto(f"/topics/{group.topic.pk}/")
    page.get_by_role("link", name="A word here that you don’t know?").click()
    page.get_by_label("Which word?").fill(word)
    page.get_by_role("button", name="Look it up").click()
    expect(page.get_by_role("heading", name=f"“{word}” is not explained yet")).to_be_visible()
    page.get_by_role("button", name="Ask what it means").click()
    expect(page.get_by_text("Nobody sees who asked.")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_asked_explained_and_read_where_it_stands(scripts, group, open_context):
    page = open_context(scripts=scripts).new_page()  # a visitor
    heard = listen(page)
    ask_about(page, group, "ICB")
    assert list(Question.objects.values_list("word", "where", "times_asked")) == [("ICB", "topic", 1)]
    assert not scripts or not look(page)

    keeper = open_context(group.amina, scripts=scripts).new_page()
    heard_too = listen(keeper)
    keeper.goto("/")
    keeper.get_by_role("link", name=re.compile("^See which")).click()
    assert not scripts or not look(keeper)
    keeper.get_by_role("link", name=re.compile("^Explain it.*ICB")).click()
    assert not scripts or not look(keeper)
    keeper.get_by_label("What does it mean?").fill("The people who decide which health care is paid for.")
    keeper.get_by_role("button", name="Explain it").click()
    expect(keeper.get_by_role("heading", level=1)).to_have_text("ICB")
    assert not scripts or not look(keeper)
    assert not Question.objects.exists()

    page.goto(f"/topics/{group.topic.pk}/")
    means = page.get_by_text("The people who decide which health care is paid for.")
    expect(means).to_be_hidden()
    page.get_by_role("button", name="ICB").click()
    expect(means).to_be_visible()
    assert not scripts or not look(page)
    assert means.bounding_box()["x"] >= 0
    page.keyboard.press("Escape")
    expect(means).to_be_hidden()
    assert not heard + heard_too


def test_a_word_opens_and_closes_by_keyboard_and_leads_to_its_example(group, open_context):
    page = open_context(group.lee).new_page()
    page.goto(f"/topics/{group.topic.pk}/")
    means = page.get_by_text("Help to keep your home.")
    for button in page.get_by_role("button", name="HRS").all():  # in why, and in what was decided
        button.focus()
        expect(means).to_be_hidden()
        page.keyboard.press("Enter")
        expect(means).to_be_visible()
        page.keyboard.press("Escape")
        expect(means).to_be_hidden()
        assert button.evaluate("button => button === document.activeElement")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("housing-related support")
    expect(page.get_by_role("img", name="A front door")).to_be_visible()
    assert page.get_by_role("img").evaluate("img => img.naturalWidth") == 60
    assert not look(page)


def test_a_member_asks_by_keyboard_alone(group, open_context):
    page = open_context(group.lee).new_page()
    page.goto(f"/words/?hub={group.hub.pk}")
    page.get_by_label("Which word?").focus()
    page.keyboard.type("void")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Ask what it means").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nobody sees who asked.")).to_be_visible()
    assert Question.objects.get().word == "void"


def test_a_member_proposes_and_the_facilitator_says_yes(group, open_context):
    page = open_context(group.lee).new_page()
    page.goto(f"/words/?hub={group.hub.pk}")
    page.get_by_role("link", name="Explain a word").click()
    page.get_by_label("Which word?").fill("ICB")
    page.get_by_label("What does it mean?").fill("They pay for health care.")
    page.get_by_text("An example, a picture, other ways to write it").click()
    page.get_by_label("An example").fill("They paid for the nurse.")
    page.get_by_label("A picture").set_input_files(
        {"name": "door.png", "mimeType": "image/png", "buffer": PICTURE}
    )
    page.get_by_role("button", name="Send it to the group").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    assert not look(page)
    page.get_by_label("What does the picture show?").fill("A nurse at a door")
    page.get_by_label("A picture").set_input_files(
        {"name": "door.png", "mimeType": "image/png", "buffer": PICTURE}
    )
    page.get_by_role("button", name="Send it to the group").click()
    expect(page.get_by_text("Waiting for a yes")).to_be_visible()
    assert not look(page)
    keeper = open_context(group.amina, scripts=False).new_page()
    keeper.goto("/")
    keeper.get_by_role("link", name=re.compile("^Look.*1 explanation")).click()
    keeper.get_by_role("link", name=re.compile("^Look.*ICB")).click()
    keeper.get_by_role("button", name="Yes, that is how we say it").click()
    expect(keeper.get_by_text("It is explained wherever it stands now.")).to_be_visible()
    assert Term.objects.get(word="ICB").is_agreed


WRITTEN = "The procurement of HRS follows the governance framework."


def test_before_something_goes_out_it_says_which_words_are_hard(group, open_context):
    page = open_context(group.amina).new_page()
    heard = listen(page)
    page.goto(f"/topics/{group.topic.pk}/decide/")
    page.get_by_label("In the group’s own words").fill(WRITTEN)
    page.get_by_role("button", name="Is it plain?").click()
    expect(page.get_by_role("heading", name="Nobody has explained these 2 words yet")).to_be_visible()
    expect(page.locator(".plain-check")).to_contain_text(
        "Explained where they stand: housing-related support"
    )
    expect(page.get_by_label("In the group’s own words")).to_have_value(WRITTEN)
    assert not look(page) and not heard


def test_without_javascript_it_says_so_in_a_page_of_its_own(group, open_context):
    context = open_context(group.amina, scripts=False)
    page = context.new_page()
    page.goto(f"/topics/{group.topic.pk}/decide/")
    page.get_by_label("In the group’s own words").fill(WRITTEN)
    with context.expect_page() as opened:
        page.get_by_role("button", name="Is it plain?").click()
    expect(opened.value.get_by_role("heading", name="Nobody has explained these 2 words yet")).to_be_visible()
    expect(page.get_by_label("In the group’s own words")).to_have_value(WRITTEN)


def test_on_paper_the_words_are_explained_in_the_text(group, open_context):
    page = open_context().new_page()
    page.goto(f"/topics/{group.topic.pk}/")
    page.emulate_media(media="print")
    expect(page.get_by_text("Help to keep your home.")).to_be_visible()
    expect(
        page.get_by_text("They want to end HRS (housing-related support: Help to keep your home.")
    ).to_be_visible()


def test_nothing_that_is_typed_runs(group, open_context):
    page = open_context(group.amina).new_page()
    heard = listen(page)
    for number, evil in enumerate(EVIL):
        Term.objects.exclude(pk=group.hrs.pk).delete()
        page.goto(f"/words/explain/?hub={group.hub.pk}")
        page.get_by_label("Which word?").fill(f"ICB {number} {evil}"[:80])
        page.get_by_label("What does it mean?").fill(evil)
        page.get_by_text("An example, a picture, other ways to write it").click()
        page.get_by_label("Other ways people write it").fill("ICB")
        page.get_by_label("An example").fill(evil)
        page.get_by_role("button", name="Explain it").click()
        expect(page.get_by_text(evil).first).to_be_visible()
        for path in ("/words/", f"/words/?q={number}", f"/topics/{group.topic.pk}/"):
            page.goto(path)
        page.get_by_role("button", name="ICB").click()
        expect(page.locator(".term__means:popover-open")).to_contain_text(evil)
    assert not heard

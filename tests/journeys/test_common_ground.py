"""Statements go out; people vote on a screen, on paper, by phone and through somebody they trust; the group finds what
it shares, and that goes back onto the topic. On a phone's width, without JavaScript, by keyboard alone."""

from __future__ import annotations

import io
import re

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from coproduce.agenda.actions.topics import raise_topic
from coproduce.consensus import voting
from coproduce.consensus.models import Conversation, Reckoned, Statement, Vote
from coproduce.consensus.tasks import reckon_what_is_new
from coproduce.hearback.models import Feedback
from coproduce.people.actions import make_mandate
from coproduce.voices.actions import write_down
from coproduce.voices.models import Voice
from tests.conftest import make_person
from tests.journeys.conftest import listen, look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORDS = ("A bench is a place to rest.", "Buses matter more than benches.", "Ask us before you build.")


def press(page: Page, kind: str, name: str) -> None:
    """Press a link or button, and find nothing that axe objects to on the page it leads to."""
    said = re.escape(name).replace(":", r"\s?:")  # what follows stands in a span of its own
    page.get_by_role(kind, name=re.compile(f"^{said}")).first.click()  # type: ignore[arg-type]
    page.wait_for_load_state()
    assert look(page) == []


@pytest.fixture
def conversation(open_context, amina, lee, town) -> Conversation:
    """Amina opens it, and makes its statements, the first of what Lee said."""
    topic = raise_topic(lee, town, "Put the benches back")
    said = write_down(amina, town, "My knees want a bench", "note", lee, uses=["group", "public"])
    topic.voices.add(said)
    page = open_context(amina).new_page()
    page.goto(f"/topics/{topic.pk}/")
    press(page, "link", "Ask people to vote on statements")
    page.get_by_label("What is it about").fill("The bus station lost its benches.")
    page.get_by_label("Anybody who has the link").check()
    press(page, "button", "Open it")
    press(page, "link", "Open: Make statements of what people said")
    press(page, "link", "make a statement of it")
    page.get_by_label("Your statement").fill(WORDS[0])
    press(page, "button", "Let people vote on it")
    page.get_by_role("link", name="Back to").click()
    press(page, "link", "Open: Write statements")
    for words in WORDS[1:]:
        page.get_by_label("Your statement").fill(words)
        press(page, "button", "Let people vote on it")
    made = Conversation.objects.get()
    assert Statement.objects.filter(state="accepted").count() == 3
    assert list(Statement.objects.get(words=WORDS[0]).voices.all()) == [said]
    return made


def vote_by_keyboard(page: Page, votes: dict[str, str]) -> None:
    """Nothing but Tab and Enter, until there is nothing left to vote on."""
    for done in range(len(votes)):
        words = page.locator("#statement").inner_text()
        button = page.get_by_role("button", name=re.compile(f"^{votes[words]}$"))
        for _press in range(40):
            if button.evaluate("button => button === document.activeElement"):
                break
            page.keyboard.press("Tab")
        expect(button).to_be_focused()
        page.keyboard.press("Enter")
        last = done + 1 == len(votes)
        expect(
            page.get_by_text("That was the last one")
            if last
            else page.get_by_text(f"Statement {done + 2} of")
        ).to_be_visible()


def vote_on_the_rest(page: Page, button: str, begin: int) -> None:
    """Press the same button, from this statement on to the last."""
    for number in range(begin, len(WORDS) + 1):
        expect(page.get_by_text(f"Statement {number} of {len(WORDS)}")).to_be_visible()
        page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_text("That was the last one")).to_be_visible()


def test_four_ways_of_voting_and_what_comes_of_it(
    open_context, amina, lee, joan, town, conversation, work_the_queue
):
    statements = list(conversation.statements.order_by("pk"))
    for number in range(22):  # two camps who were here before
        side = 1 if number < 11 else -1
        for statement, choice in zip(statements, (side, -side, 1), strict=True):
            voting.vote_by_link(f"s{number}", conversation, statement, choice)
    dot, sami = make_person("Dot", town), make_person("Sami", town)
    make_mandate(sami, sami, joan, ["vote"])
    link = f"/common-ground/{conversation.key}/"

    # On her own screen, with no account and no JavaScript, by keyboard alone.
    plain = open_context(scripts=False, viewport={"width": 320, "height": 640}).new_page()
    plain.goto(link)
    plain.get_by_role("button", name="Start").press("Enter")
    vote_by_keyboard(plain, dict(zip(WORDS, ("I agree", "I disagree", "I agree"), strict=True)))
    assert Vote.objects.filter(voter__person=None).count() == 23 * 3

    # Lee on his, signed in, with htmx; he says why, and adds a statement of his own.
    page = open_context(lee).new_page()
    heard = listen(page)
    page.goto(f"/topics/{conversation.topic_id}/")
    press(page, "link", "Vote: Vote on what others said")
    press(page, "button", "Start")
    words = page.locator("#statement").inner_text()
    page.get_by_role("button", name="I agree", exact=True).click()
    expect(page.get_by_text("Statement 2 of 3")).to_be_visible()
    expect(page.locator("#statement")).to_be_focused()
    assert look(page) == []
    press(page, "link", "Say why")
    expect(page.get_by_text(words)).to_be_visible()
    page.get_by_label("Why do you see it that way?").fill("I wait there each morning.")
    press(page, "button", "Send it")
    assert Voice.objects.get(words="I wait there each morning.").person == lee
    press(page, "link", "Add a statement of your own")
    page.get_by_label("Your statement").fill("Put up a roof too.")
    press(page, "button", "Send it")
    vote_on_the_rest(page, "Pass", 2)
    expect(page.get_by_text("That was the last one")).to_be_visible()
    assert look(page) == []
    assert Vote.objects.filter(voter__person=lee, way="screen").count() == 3
    assert heard == []

    # On paper: a sheet is made, and what came back on it is typed in.
    hers = open_context(amina).new_page()
    hers.goto(f"/common-ground/{conversation.pk}/look-after/")
    assert look(hers) == []
    press(hers, "link", "Open: Vote on paper")
    press(hers, "button", "Make the sheet")
    sheet = conversation.sheets.get()
    pdf = hers.request.get(
        hers.get_by_role("link", name=f"Sheet {sheet.code}").get_attribute("href") or ""
    ).body()
    assert WORDS[0] in "".join(each.extract_text() for each in PdfReader(io.BytesIO(pdf)).pages)
    press(hers, "link", "Type it in")
    hers.get_by_label("What is ticked").fill("ada")
    hers.keyboard.press("Enter")
    expect(hers.get_by_role("heading", name="Is this what the sheet says?")).to_be_visible()
    assert look(hers) == []
    expect(hers.get_by_role("button", name="Yes, it counts")).to_be_focused()
    hers.keyboard.press("Enter")
    expect(hers.get_by_text("Write number 1 on the sheet")).to_be_visible()

    # By phone: she reads out, Dot says.
    hers.goto(f"/common-ground/{conversation.pk}/look-after/")
    press(hers, "link", "Open: Vote by phone")
    hers.get_by_label("Whom do you have on the phone?").select_option("Dot")
    press(hers, "button", "Begin")
    expect(hers.get_by_role("heading", level=1)).to_contain_text("What does Dot say?")
    vote_on_the_rest(hers, "They agree", 1)
    expect(hers.get_by_text("All that Dot said is kept.")).to_be_visible()
    assert Vote.objects.filter(voter__person=dot, way="phone", recorded_by=amina).count() == 3

    # Through somebody they trust, who says so.
    joans = open_context(joan).new_page()
    joans.goto("/supporting/")
    press(joans, "link", "Open: Sami")
    press(joans, "link", "Vote: Put the benches back")
    expect(joans.get_by_text("you say that this is what Sami told you")).to_be_visible()
    vote_on_the_rest(joans, "They disagree", 1)
    assert Vote.objects.filter(voter__person=sami, way="trusted person", recorded_by=joan).count() == 3

    # What was added waits for Amina, who takes it.
    hers.goto("/")
    press(hers, "link", "Read it: Read 1 statement")
    press(hers, "link", "Decide: Put up a roof too.")
    press(hers, "button", "Let people vote on it")

    # The result: what all agree on, where they differ, and where Lee sits.
    reckon_what_is_new()
    work_the_queue()
    assert Reckoned.objects.get().shown["people"] == 27
    page.goto(link)
    press(page, "link", "What people say so far")
    shared = page.get_by_role("region", name="What everybody agrees on")
    expect(shared.get_by_text(WORDS[2])).to_be_visible()
    expect(
        shared.get_by_text(re.compile(r"\d+% of the 27 people who voted on this agree")).first
    ).to_be_visible()
    expect(page.get_by_role("img", name="A map with")).to_be_visible()
    for sentence in ("On paper", "By phone", "Through a trusted person"):
        expect(page.get_by_role("region", name="Who is missing").get_by_text(sentence)).to_be_visible()
    press(page, "link", "Where do I sit?")
    expect(page.get_by_text("Only you can see this page.")).to_be_visible()

    # Frozen, it stands on the topic; who voted is owed it, and a stranger reads it at the same link.
    hers.goto(link + "result/")
    press(hers, "link", "Make this the group’s answer")
    expect(hers.get_by_label("What do people agree on?")).to_have_value(re.compile(re.escape(WORDS[2])))
    hers.get_by_label("What do people agree on?").fill("Ask us first. Then bring benches.")
    press(hers, "button", "Freeze it")
    expect(hers.get_by_role("heading", level=1)).to_have_text("Put the benches back")
    expect(hers.get_by_text("Ask us first. Then bring benches.")).to_be_visible()
    hers.goto("/")
    press(hers, "link", "Write it")
    hers.get_by_label("What happened, in one line?").fill("We have an answer")
    hers.get_by_label("What changed?").fill("Ask us first. Then bring benches.")
    press(hers, "button", "See how it will read")
    press(hers, "button", "Tell them all")
    owed = set(Feedback.objects.values_list("person", flat=True))
    assert owed >= {lee.pk, dot.pk, sami.pk}
    plain.goto(link)
    expect(plain.get_by_text("Ask us first. Then bring benches.")).to_be_visible()

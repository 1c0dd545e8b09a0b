"""The whole way: a story comes in, a change comes out, and both who spoke hear, each by their own way.

Walked on a phone's width twice: with JavaScript by keyboard alone, and without JavaScript by tapping.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader

from coproduce.hearback.models import Feedback, Letters, State
from coproduce.people.models import Membership, Way
from coproduce.voices.models import Story, Turn, Voice
from tests.conftest import make_person
from tests.journeys.conftest import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OURS = """A talk from the day centre, put up for everybody to hear.

Shall we start with what helped you? Take all the time you like.

It was the bus driver. He let me ride to the end and back when it rained. He never asked for a thing.

And the council, did they help as well? You said they wrote to you.

They wrote me eleven letters. I could not read one of them. My sister read them to me on a Sunday.

So what would you change, if it was down to you?

Send somebody. One person with a name. Somebody who rings back when they say they will.

Somebody who rings back. That is what everybody says here, you know.

Then it can't be that hard. Can it.

Please type the letters you see, so that we know you are no robot."""


class Hands:
    """How this person uses a page: by keyboard alone, or by tapping."""

    def __init__(self, page: Page, keyboard: bool) -> None:
        self.page, self.keyboard = page, keyboard

    def go_to(self, thing: Locator) -> None:
        """Tab until the thing has the focus: whatever cannot be reached so fails here."""
        thing.wait_for(state="visible")
        for _press in range(400):
            if thing.evaluate("thing => thing === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not get to {thing}")

    def press(self, thing: Locator) -> None:
        """Press a link or button and wait for the page that comes of it."""
        if self.keyboard:
            self.go_to(thing)
            with self.page.expect_navigation():
                self.page.keyboard.press("Enter")
        else:
            with self.page.expect_navigation():
                thing.click()

    def tick(self, box: Locator) -> None:
        if self.keyboard:
            box.focus() if box.get_attribute("type") == "radio" else self.go_to(box)
            self.page.keyboard.press("Space")
        else:
            box.check(force=True)
        expect(box).to_be_checked()

    def write(self, label: str, words: str) -> None:
        field = self.page.get_by_label(label, exact=False).first
        if self.keyboard:
            self.go_to(field)
            self.page.keyboard.insert_text(words)
        else:
            field.fill(words)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=re.compile(f"^{re.escape(name)}")).first

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=re.compile(f"^{re.escape(name)}")).first


def clean(hands: Hands) -> None:
    """Nothing that axe objects to. Axe is JavaScript itself, so it looks where that is on."""
    if hands.keyboard:
        assert look(hands.page) == []


@pytest.fixture
def tom(town):
    return make_person("Tom", town, way=Way.Kind.LETTER, address="4 Made Up Road\nTolverton\nTO1 1AA")


@pytest.fixture(params=["by keyboard", "without JavaScript"])
def hands(request, open_context, amina) -> Hands:
    with_scripts = request.param == "by keyboard"
    page = open_context(amina, scripts=with_scripts).new_page()
    return Hands(page, keyboard=with_scripts)


@pytest.fixture(params=["our story", "the real story"])
def story_file(request, tmp_path) -> Path:
    file = tmp_path / "story.txt"
    words = OURS.encode() if request.param == "our story" else request.getfixturevalue("real_story")
    file.write_bytes(words)
    return file


def test_from_a_story_to_everyone_behind_it_hearing(
    hands, story_file, amina, lee, tom, town, settings, tmp_path, work_the_queue, open_context
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    page = hands.page
    bring_the_story(hands, story_file)
    story = Story.objects.get()
    trim_both_ends(hands, story)
    name_two_speakers(hands, story, ["Tom", "Lee"])
    quotes = mark_five_quotes(hands, story)
    assert set(Voice.objects.values_list("person__name", flat=True)) == {"Tom", "Lee"}
    make_a_theme_and_a_topic(hands)
    record_the_clause(hands)
    tell_everybody(hands)
    work_the_queue()

    [email] = (tmp_path / "mail").iterdir()
    sent = email.read_text()
    assert "To: lee@example.org" in sent
    lees = [words for words, who in quotes if who == "Lee"]
    toms = [words for words, who in quotes if who == "Tom"]
    assert first_words(lees[0]) in " ".join(decoded(sent).split())
    assert first_words(toms[0]) not in " ".join(decoded(sent).split())

    page.goto("/who-has-heard/letters/")
    hands.press(hands.button("Make the letters"))
    work_the_queue()
    (tmp_path / "letters.pdf").write_bytes(Letters.objects.get().pdf.read())
    letter = " ".join(
        " ".join(sheet.extract_text() for sheet in PdfReader(tmp_path / "letters.pdf").pages).split()
    )
    assert "Tom 4 Made Up Road Tolverton TO1 1AA" in letter
    assert first_words(toms[0]) in letter
    page.goto("/who-has-heard/letters/")
    clean(hands)
    hands.press(hands.button("They are in the post"))
    assert set(Feedback.objects.values_list("state", flat=True)) == {State.SENT}

    theirs = Hands(open_context(lee, scripts=hands.keyboard).new_page(), hands.keyboard)
    theirs.page.goto("/what-happened/")
    clean(theirs)
    expect(theirs.page.get_by_text("You pick one worker, and they stay.")).to_be_visible()
    expect(theirs.page.get_by_text(first_words(lees[0])).first).to_be_visible()
    theirs.press(theirs.button("Yes, thanks"))
    assert Feedback.objects.get(person=lee).state == State.HEARD

    page.goto("/who-has-heard/")
    clean(hands)
    expect(page.get_by_text("1 of 2 heard")).to_be_visible()


def first_words(words: str) -> str:
    return " ".join(words.split()[:5]).replace("’", "'")


def decoded(message: str) -> str:
    import email
    from email import policy

    parsed = email.message_from_string(message.split("-" * 79)[0], policy=policy.default)
    body = parsed.get_body(("plain",))
    assert body is not None
    return body.get_content()


def bring_the_story(hands: Hands, file: Path) -> None:
    page = hands.page
    page.goto("/stories/")
    clean(hands)
    hands.press(hands.link("Bring a story"))
    # First with nothing filled in: what is wrong is said, and what was typed stays.
    hands.write("What shall we call it?", "Two people talk")
    hands.press(hands.button("Bring it in"))
    expect(page.get_by_text("There is a problem")).to_be_visible()
    clean(hands)
    expect(page.get_by_label("What shall we call it?")).to_have_value("Two people talk")
    for part, typed in (("Day", "3"), ("Month", "March"), ("Year", "2026")):
        hands.write(part, typed)
    page.get_by_label("The transcript").set_input_files(file)
    hands.press(hands.button("Bring it in"))
    page.wait_for_url(re.compile(r"/stories/\d+/"))


def trim_both_ends(hands: Hands, story: Story) -> None:
    """The first and the last paragraph were never said: an introduction, and a test for robots."""
    page = hands.page
    page.goto(f"/stories/{story.pk}/?step=trim")
    clean(hands)
    hands.press(hands.button("Starts here"))
    pages = page.get_by_role("link", name=re.compile("^Go to the end"))
    if pages.count():
        hands.press(pages)
    ends = page.get_by_role("button", name=re.compile("^Ends here"))
    hands.press(ends.last)
    turns = list(story.turns.all())
    assert [turns[0].trimmed, turns[1].trimmed] == [True, False]
    assert [turns[-2].trimmed, turns[-1].trimmed] == [False, True]


def name_two_speakers(hands: Hands, story: Story, names: list[str]) -> None:
    page = hands.page
    for name in names:
        page.goto(f"/stories/{story.pk}/?step=who")
        hands.press(hands.link("Add a speaker"))
        hands.write("What is this speaker called in the story?", name)
        hands.press(hands.page.locator("main form button.govuk-button").first)
        page.get_by_label("Who is this?").select_option(label=name)
        hands.tick(page.get_by_role("checkbox", name=re.compile("^The group may read")))
        hands.press(hands.button("Save"))
    page.goto(f"/stories/{story.pk}/?step=who")
    clean(hands)
    if hands.keyboard:
        hands.go_to(hands.button("Begin"))
        page.keyboard.press("Enter")
        for place in range(page.locator(".who__turn").count()):
            page.keyboard.press("1" if place % 2 == 0 else "2")
        expect(page.locator(".savebar__says")).to_contain_text("Saved", timeout=60_000)
    else:
        for place, turn in enumerate(page.locator(".who__turn").all()):
            turn.get_by_label(names[place % 2], exact=True).check(force=True)
        hands.press(hands.page.locator(".savebar button"))
    assert set(story.turns.filter(trimmed=False)[:8].values_list("speaker__label", flat=True)) == set(names)


def mark_five_quotes(hands: Hands, story: Story) -> list[tuple[str, str]]:
    """A sentence in each of five turns. Returns the words with who said them, as the page then shows them."""
    page, marked = hands.page, []
    for turn in Turn.objects.filter(story=story, trimmed=False).order_by("position")[:5]:
        page.goto(f"/stories/turns/{turn.pk}/")
        hands.tick(page.get_by_role("checkbox").first)
        hands.press(hands.button("Keep as a quote"))
        turn.refresh_from_db()
        quote = turn.quotes.get()
        assert quote.words == turn.text[quote.begins : quote.ends]
        assert turn.speaker is not None
        marked.append((quote.words, turn.speaker.label))
    clean(hands)
    assert Voice.objects.count() == 5
    return marked


def make_a_theme_and_a_topic(hands: Hands) -> None:
    page = hands.page
    page.goto("/themes/pool/")
    clean(hands)
    for box in page.get_by_role("checkbox").all():
        hands.tick(box)
    hands.write("What do you call the new theme?", "One person")
    hands.press(hands.button("Make the theme"))
    page.goto("/themes/")
    clean(hands)
    hands.press(hands.link("One person"))
    clean(hands)
    hands.press(page.get_by_role("link", name=re.compile("topic", re.IGNORECASE)).first)
    hands.write("What should the group work on?", "Who stays?")
    hands.press(hands.button("Raise it"))
    page.wait_for_url(re.compile(r"/topics/\d+/"))
    clean(hands)
    expect(page.get_by_text("One person").first).to_be_visible()


def record_the_clause(hands: Hands) -> None:
    page = hands.page
    page.goto("/changes/")
    hands.press(hands.link("Record a change"))
    hands.write("What changes?", "You choose one worker")
    hands.write("Tell it in a few plain sentences", "You pick one worker, and they stay.")
    page.get_by_label("What kind of change is it?").select_option("clause")
    hands.tick(page.get_by_role("checkbox", name="Who stays?"))
    hands.tick(page.get_by_role("radio", name=re.compile("^Made")))
    hands.press(hands.button("Keep this change"))
    page.wait_for_url(re.compile(r"/clause/"))
    clean(hands)
    hands.write("Which contract?", "Housing Related Support")
    hands.write("Which clause?", "4.2")
    hands.write("The words before", "The provider shall allocate a support worker.")
    hands.write("The words now", "The provider shall let each person choose one worker they trust.")
    hands.press(hands.button("Keep these words"))
    page.wait_for_url(re.compile(r"/changes/\d+/$"))
    clean(hands)
    expect(page.get_by_role("img", name=re.compile("The thread to"))).to_be_visible()
    expect(page.get_by_text("choose one worker they trust").first).to_be_visible()


def tell_everybody(hands: Hands) -> None:
    page = hands.page
    hands.press(hands.link("Tell everyone behind it"))
    hands.write("What happened, in one line?", "It has started")
    hands.write("What changed? Tell it in a few plain sentences", "You pick one worker, and they stay.")
    hands.press(hands.button("See how it will read"))
    clean(hands)
    expect(page.get_by_text("This is how it will read")).to_be_visible()
    hands.press(hands.button("Tell them all"))
    page.wait_for_url(re.compile(r"/who-has-heard/\d+/"))
    clean(hands)
    assert Feedback.objects.count() == 2
    assert set(Feedback.objects.values_list("person__memberships__role", flat=True)) == {
        Membership.Role.MEMBER
    }

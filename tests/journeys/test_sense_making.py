"""Sense-making, walked: the machine proposes, two curators sort, the people who said it agree, a topic comes of it.

On a phone's width, by tapping and by keyboard, with JavaScript and without; every page looked at by axe.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from coproduce.people.models import Hub, Person
from coproduce.site import demo
from coproduce.themes import actions
from coproduce.themes.models import KeyMessage, Outcome, ProposedTheme, SenseMaking, Theme, voices_in
from tests.journeys.conftest import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESKTOP = {"width": 1280, "height": 900}


def clean(page: Page, scripts: bool = True) -> None:
    if scripts:
        assert look(page) == []


@pytest.fixture
def town() -> Hub:
    demo.load_once()
    return Hub.objects.get(name="Tolvershire")


@pytest.fixture
def ify(town) -> Person:
    return Person.objects.get(name="Ify")


@pytest.mark.parametrize("scripts", [True, False])
def test_from_a_proposal_to_a_topic(scripts, town, ify, open_context, tmp_path):
    page = open_context(ify, scripts).new_page()
    page.goto("/themes/")
    clean(page, scripts)
    page.screenshot(path=tmp_path / "board.png", full_page=True)
    page.get_by_role("link", name=re.compile("^Look at them")).click()
    clean(page, scripts)
    page.screenshot(path=tmp_path / "proposed.png", full_page=True)

    # The machine's key terms are no name. One voice does not belong.
    page.get_by_role("link", name=re.compile("^Look at it")).click()
    clean(page, scripts)
    page.screenshot(path=tmp_path / "proposed-theme.png", full_page=True)
    assert page.locator("label mark").count() > 0, "the words that made it think so are marked"
    page.get_by_label(re.compile("To stop people sleeping")).uncheck(force=True)
    page.get_by_label("What do you call it?").fill("")
    page.get_by_role("button", name="Make the theme").click()
    expect(page.get_by_role("link", name=re.compile("Give the theme a name"))).to_be_visible()
    clean(page, scripts)
    expect(page.get_by_label(re.compile("To stop people sleeping"))).not_to_be_checked()
    page.get_by_label("What do you call it?").fill("Somewhere to sit")
    page.get_by_role("button", name="Make the theme").click()
    expect(page.get_by_role("heading", level=1, name="Somewhere to sit")).to_be_visible()
    clean(page, scripts)
    page.screenshot(path=tmp_path / "theme.png", full_page=True)
    theme = Theme.objects.get(name="Somewhere to sit")
    assert voices_in([theme.pk]).count() == 3
    page.get_by_role("button", name="Yes, this is a theme of ours").click()
    expect(page.get_by_text("is confirmed")).to_be_visible()
    clean(page, scripts)

    # A key message, on quotes, by keyboard alone.
    page.get_by_role("link", name="Write a key message").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("What does"))).to_be_visible()
    clean(page, scripts)
    page.screenshot(path=tmp_path / "key-message.png", full_page=True)
    page.get_by_label("What does it say, in one sentence?").focus()
    page.keyboard.type("Put the benches back.")
    page.get_by_role("button", name="Keep this key message").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Choose at least one quote that it stands on.").first).to_be_visible()
    expect(page.get_by_label("What does it say, in one sentence?")).to_have_value("Put the benches back.")
    clean(page, scripts)
    page.get_by_label(re.compile("A bench is not a bed")).focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Keep this key message").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not agreed yet")).to_be_visible()
    page.get_by_role("link", name=re.compile("^The group agrees")).click()
    clean(page, scripts)
    page.screenshot(path=tmp_path / "agree.png", full_page=True)
    page.get_by_role("button", name="Yes, the group agrees").click()
    expect(page.get_by_text("Written down: the group agrees.")).to_be_visible()
    clean(page, scripts)
    page.get_by_role("button", name=re.compile("^Make it a topic")).click()
    expect(page.get_by_role("heading", level=1, name="Put the benches back.")).to_be_visible()
    clean(page, scripts)
    assert KeyMessage.objects.get(words="Put the benches back.").topics.get().themes.get() == theme


@pytest.mark.parametrize("scripts", [True, False])
def test_merge_undo_discard_undo(scripts, town, ify, open_context, tmp_path):
    page = open_context(ify, scripts).new_page()
    theme = Theme.objects.get(name="Say it plain")
    before = set(voices_in([theme.pk]).values_list("voice", flat=True))
    page.goto(f"/themes/{theme.pk}/")
    clean(page, scripts)
    page.screenshot(path=tmp_path / "theme-large.png", full_page=True)
    page.get_by_role("link", name="Merge into another theme").click()
    page.get_by_label(re.compile("^Reach me my way")).check(force=True)
    page.get_by_role("button", name="Go on").click()
    clean(page, scripts)
    page.get_by_role("button", name="Yes, merge them").click()
    expect(page.get_by_text("is part of ‘Reach me my way’ now").first).to_be_visible()
    clean(page, scripts)
    page.get_by_role("button", name=re.compile("^Undo ?: Say it plain")).click()
    expect(page.get_by_text("stands on its own again")).to_be_visible()
    theme.refresh_from_db()
    assert theme.merged_into is None
    assert set(voices_in([theme.pk]).values_list("voice", flat=True)) == before
    page.get_by_role("button", name="Discard this theme").click()
    expect(page.get_by_text("is discarded")).to_be_visible()
    clean(page, scripts)
    page.goto("/themes/discarded/")
    clean(page, scripts)
    page.get_by_role("button", name=re.compile("^Take it back ?: Say it plain")).click()
    expect(page.get_by_text("is back, with its voices")).to_be_visible()
    assert set(voices_in([theme.pk]).values_list("voice", flat=True)) == before

    # Moved, and back again.
    page.locator("input[name=voices]").first.check(force=True)
    page.get_by_text("Move them to another theme").click()
    page.get_by_label("Which theme?").select_option(label="One person")
    page.get_by_role("button", name="Move them").click()
    expect(page.get_by_text("They are in ‘One person’ now.")).to_be_visible()
    assert set(voices_in([theme.pk]).values_list("voice", flat=True)) < before
    page.get_by_role("button", name=re.compile("^Undo ?: Ify moved 1 voice")).click()
    expect(page.get_by_text("They are back where they were.")).to_be_visible()
    assert set(voices_in([theme.pk]).values_list("voice", flat=True)) == before


def test_two_curators_at_once(town, ify, open_context):
    """What Ify typed is kept, and she reads what Amina did meanwhile. Pressed once more, it goes through."""
    amina, theme = Person.objects.get(name="Amina"), Theme.objects.get(name="Say it plain")
    hers = open_context(ify).new_page()
    hers.goto(f"/themes/{theme.pk}/rename/")
    hers.get_by_label("What do you call it?").fill("Words we can read")
    actions.name_theme(amina, theme, "Plain words", "")
    hers.get_by_role("button", name="Keep these words").click()
    expect(hers.get_by_text("Amina changed its words").first).to_be_visible()
    expect(hers.get_by_text("It is called ‘Plain words’ now.")).to_be_visible()
    expect(hers.get_by_label("What do you call it?")).to_have_value("Words we can read")
    clean(hers)
    hers.get_by_role("button", name="Keep these words").click()
    expect(hers.get_by_role("heading", level=1, name="Words we can read")).to_be_visible()

    hers.locator("input[name=voices]").first.check(force=True)
    hers.get_by_text("Make a new theme of them").click()
    hers.get_by_label("What do you call the new theme?").fill("Letters")
    actions.confirm(amina, theme)
    hers.get_by_role("button", name="Make the theme").click()
    expect(hers.get_by_text("Amina confirmed it").first).to_be_visible()
    expect(hers.get_by_label("What do you call the new theme?")).to_have_value("Letters")
    expect(hers.locator("input[name=voices]").first).to_be_checked()
    assert not Theme.objects.filter(name="Letters").exists()
    hers.get_by_role("button", name="Make the theme").click()
    expect(hers.get_by_text("The theme ‘Letters’ is made of them.")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_session(scripts, town, ify, open_context, tmp_path):
    page = open_context(ify, scripts).new_page()
    page.goto("/themes/")
    page.get_by_role("link", name="Sense-making sessions").click()
    clean(page, scripts)
    page.screenshot(path=tmp_path / "sessions.png", full_page=True)
    page.get_by_role("link", name="Plan a session").click()
    clean(page, scripts)
    page.get_by_role("button", name="Plan the session").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    clean(page, scripts)
    page.get_by_label("What do you call this session?").fill("After five: is that it?")
    for label, typed in (("Day", "3"), ("Month", "12"), ("Year", "2030")):
        page.get_by_label(label, exact=True).fill(typed)
    if page.get_by_label("Which hub?").count():
        page.get_by_label("Which hub?").select_option(label="Tolvershire")
    page.get_by_label("After five o'clock").check(force=True)
    page.get_by_label("My own front door").check(force=True)
    page.get_by_label("The list in the phone case").check(force=True)
    page.get_by_role("button", name="Plan the session").click()
    expect(page.get_by_text("The session is planned")).to_be_visible()
    clean(page, scripts)
    page.screenshot(path=tmp_path / "session.png", full_page=True)
    session = SenseMaking.objects.get(name="After five: is that it?")
    assert "Lee" in {invited.person.name for invited in session.invited.all()}, (
        "who told the story is invited"
    )
    page.get_by_role("button", name=re.compile("^I told them ?: Lee")).click()
    expect(page.get_by_text("told today")).to_be_visible()
    page.get_by_role("link", name="Invite somebody else").click()
    clean(page, scripts)
    page.go_back()

    page.get_by_role("link", name="Show on the big screen").click()
    clean(page, scripts)
    expect(page.get_by_role("heading", level=1, name="After five o'clock")).to_be_visible()
    if scripts:
        page.set_viewport_size(DESKTOP)
        page.screenshot(path=tmp_path / "screen.png", full_page=True)
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", level=1, name="My own front door")).to_be_visible()
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_role("heading", level=1, name="After five o'clock")).to_be_visible()
    page.get_by_role("link", name="Write what we say").click()
    clean(page, scripts)
    page.screenshot(path=tmp_path / "outcome.png", full_page=True)
    page.get_by_label("Yes, with another name").check(force=True)
    page.get_by_label("The name they gave it").fill("The day does not end at five")
    page.get_by_role("button", name="Write it down, and on to the next").click()
    expect(page.get_by_role("heading", level=1, name="My own front door")).to_be_visible()
    page.get_by_label("No, this is not a theme").check(force=True)
    page.get_by_role("button", name="Write it down", exact=True).click()
    expect(page.get_by_text("The day does not end at five").first).to_be_visible()
    clean(page, scripts)
    page.screenshot(path=tmp_path / "session-after.png", full_page=True)
    renamed = Theme.objects.get(name="The day does not end at five")
    assert renamed.confirmed_at and renamed.outcomes.get().kind == Outcome.Kind.RENAMED
    assert Theme.objects.get(name="My own front door").discarded_at
    for name in ("Print quote cards",):
        path = page.get_by_role("link", name=name).get_attribute("href")
        answer = page.request.get(str(path))
        assert answer.status == 200 and answer.body().startswith(b"%PDF")


def test_the_other_pages_at_390_px(town, ify, open_context, tmp_path):
    page = open_context(ify).new_page()
    theme, proposed = Theme.objects.get(name="One person"), ProposedTheme.objects.get()
    session = SenseMaking.objects.get(name="Is that what you meant?")
    for name, path in {
        "placing": "/themes/placing/",
        "proposals": f"/themes/{theme.pk}/proposals/",
        "key-messages": "/key-messages/",
        "pool": "/themes/pool/",
        "session-past": f"/sense-making/{session.pk}/",
        "change-session": f"/sense-making/{session.pk}/change/",
        "search-empty": "/search/",
        "search": "/search/?q=door",
        "merge": f"/themes/{theme.pk}/merge/",
    }.items():
        answer = page.goto(path)
        assert answer and answer.status == 200, path
        clean(page)
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
    page.goto(f"/themes/proposed/{proposed.pk}/")
    page.get_by_role("button", name="No, this is no theme").click()
    expect(page.get_by_text("is no theme. The machine does not propose it again.")).to_be_visible()
    clean(page)
    page.get_by_role("button", name=re.compile("^Undo")).click()
    expect(page.get_by_text("It is among the proposals again.")).to_be_visible()
    wide = open_context(ify, viewport=DESKTOP).new_page()
    for name, path in {"board-wide": "/themes/", "theme-wide": f"/themes/{theme.pk}/"}.items():
        wide.goto(path)
        clean(wide)
        wide.screenshot(path=tmp_path / f"{name}.png", full_page=True)

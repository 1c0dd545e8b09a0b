"""Changing my mind: Lee takes one quote back and lets it stay nameless, then takes everything out. Every page follows.

Walked on a phone's width, by tapping, with JavaScript and without.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from coproduce.agenda.actions.topics import raise_topic
from coproduce.changes.actions import record_change
from coproduce.engine.quotes import find
from coproduce.themes.actions import make_theme
from coproduce.voices.actions import add_story, mark_quote, name_speaker, write_down
from coproduce.voices.models import Story, Voice
from tests.journeys.conftest import look
from tests.voices.conftest import TOLD, TRANSCRIPT

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
QUOTE, CALL = "She picked up the phone", "Too many pods in one yard"


@pytest.fixture
def change(amina, lee, joan, town):
    story = add_story(amina, town, "Lee’s story", TOLD, "lee.txt", TRANSCRIPT.encode())
    speaker = story.speakers.get(label="Lee")
    name_speaker(amina, speaker, lee, ["group", "services", "public"])
    turn = story.turns.select_related("speaker__person", "story").get(position=1)
    quote = mark_quote(amina, turn, find(turn.text, f"{QUOTE}."))
    call = write_down(amina, town, CALL, "call", lee, uses=["group", "public"])
    theme = make_theme(amina, town, "Somebody to ring", voices=[quote, call])
    topic = raise_topic(amina, town, "One number", "", [theme])
    return record_change(amina, town, "One number for all", "Soon.", "service", topics=[topic])


def clean(page: Page, scripts: bool) -> None:
    if scripts:
        assert look(page) == []


@pytest.mark.parametrize("scripts", [True, False])
def test_lee_changes_his_mind(scripts, change, amina, lee, marek, open_context, tmp_path):
    mine = open_context(lee, scripts).new_page()
    topic = f"/topics/{change.topics.get().pk}/"
    readers = {
        "visitor": open_context(None, scripts).new_page(),
        "Marek": open_context(marek, scripts).new_page(),
        "Amina": open_context(amina, scripts).new_page(),
    }

    def every_page() -> dict[tuple[str, str], str]:
        found = {}
        for name, page in readers.items():
            for path in ("/voices/", f"/changes/{change.pk}/", f"/changes/{change.pk}/words/", topic):
                page.goto(path)
                clean(page, scripts)
                found[name, path] = page.content()
        return found

    before = every_page()
    assert all(QUOTE in text for text in before.values())
    assert "<b>Lee</b>" in before["visitor", "/voices/"] and "<b>Lee</b>" not in before["Marek", "/voices/"]
    assert "ewer than 11 voices" in before["visitor", f"/changes/{change.pk}/"]
    assert "2 voices" in before["Amina", f"/changes/{change.pk}/"]

    # What he allows, on one screen.
    mine.goto("/")
    mine.get_by_role("link", name="What I allow with my words").first.click()
    expect(mine.get_by_role("heading", name="What I allow with my words")).to_be_visible()
    clean(mine, scripts)
    mine.screenshot(path=tmp_path / "allowed.png", full_page=True)

    # One quote: keep it, without his name.
    mine.goto(f"/voices/{Voice.objects.get(words__startswith=QUOTE).pk}/")
    clean(mine, scripts)
    mine.get_by_role("link", name="Everywhere your words went").click()
    expect(mine.get_by_text("One number for all", exact=True)).to_be_visible()
    clean(mine, scripts)
    mine.screenshot(path=tmp_path / "went.png", full_page=True)
    mine.go_back()
    mine.get_by_role("link", name="Take my words back").click()
    clean(mine, scripts)
    mine.screenshot(path=tmp_path / "take-back.png", full_page=True)
    mine.get_by_role("button", name="Yes, take them back").click()
    expect(mine.get_by_role("link", name="Choose one of the two.")).to_be_visible()
    clean(mine, scripts)
    mine.get_by_label("Keep my words, without my name").check(force=True)
    mine.get_by_role("button", name="Yes, take them back").click()
    expect(mine.get_by_text("Nobody can see any more who said it")).to_be_visible()
    clean(mine, scripts)
    assert QUOTE not in mine.content()
    after = every_page()
    assert all(QUOTE in text for (name, path), text in after.items())
    bubble = re.search(rf"“{QUOTE}.*?</figure>", after["visitor", "/voices/"], re.DOTALL)
    assert bubble and "Lee" not in bubble.group() and "Somebody in Eastmoor" in bubble.group()
    bubble = re.search(rf"“{QUOTE}.*?</figure>", after["Amina", "/voices/"], re.DOTALL)
    assert bubble and "Lee" not in bubble.group()

    # Everything: take it out.
    mine.get_by_role("link", name="Take all of it back").click()
    clean(mine, scripts)
    mine.get_by_label("Take my words out").check(force=True)
    mine.get_by_role("button", name="Yes, take them back").click()
    expect(mine.get_by_text("The words are out, on every page here")).to_be_visible()
    clean(mine, scripts)
    after = every_page()
    assert not [place for place, text in after.items() if CALL in text]
    assert not Story.objects.get().file
    mine.goto("/what-happened/")
    clean(mine, scripts)
    assert CALL not in mine.content() and "eleven workers" not in mine.content()

    # The follow-up is there for who keeps what is said.
    hers = readers["Amina"]
    hers.goto("/")
    clean(hers, scripts)
    hers.get_by_role("link", name=re.compile("^See where")).click()
    clean(hers, scripts)
    hers.screenshot(path=tmp_path / "to-recall.png", full_page=True)
    hers.get_by_role("link", name="everywhere it went").first.click()
    clean(hers, scripts)
    hers.get_by_role("button", name=re.compile("^Asked them to take it down")).first.click()
    expect(hers.get_by_text("Asked to take it down today").first).to_be_visible()
    clean(hers, scripts)


def test_the_other_pages_at_390_px(change, amina, lee, town, open_context, tmp_path):
    """What is hidden, asked again, the limit, and what somebody else allows."""
    town.consent_months = 6
    town.save()
    voice = Voice.objects.get(words__startswith=QUOTE)
    voice.consents.update(given_at="2026-01-02T10:00Z")
    named = write_down(
        amina, town, "Joan Fox came to 12 Mill Street", "call", lee, uses=["group", "services"]
    )
    page = open_context(amina).new_page()
    for name, path in {
        "mask": f"/voices/{named.pk}/hidden/",
        "voice": f"/voices/{named.pk}/",
        "hidden": f"/stories/{Story.objects.get().pk}/hidden/",
        "ask-again": "/consent/ask-again/",
        "limit": f"/hubs/{town.pk}/consent/",
        "allowed-by": f"/people/{lee.pk}/consent/",
        "take-back-story": f"/stories/speakers/{lee.speaks.get().pk}/take-back/",
        "today": "/",
    }.items():
        page.goto(path)
        assert look(page) == []
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)

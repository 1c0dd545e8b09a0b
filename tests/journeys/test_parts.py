"""A long story is gone through by its parts: on the smallest phone, by tapping and by keyboard, with JavaScript and
without; by who keeps it and by who told it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from coproduce.people.models import Person
from coproduce.site import demo
from coproduce.voices import parts, tasks
from coproduce.voices.models import Story
from tests.journeys.conftest import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SMALLEST = {"width": 320, "height": 640}


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("who", ["Ify", "Lee"])
def test_from_part_to_part(who, scripts, open_context, tmp_path):
    demo.load_once()
    tasks.find_parts.call()
    story = Story.objects.filter(speakers__person__name="Lee").first()
    assert story is not None
    found = parts.parts_of(story)
    assert len(found) >= 3
    page = open_context(Person.objects.get(name=who), scripts, viewport=SMALLEST).new_page()
    page.goto(f"/stories/{story.pk}/" + ("?step=quotes" if who == "Ify" else ""))
    if scripts:
        assert look(page) == []
        page.screenshot(path=tmp_path / f"parts-{who}.png", full_page=True)
    links = page.get_by_role("link", name=re.compile(r"^Part \d"))
    expect(links).to_have_count(len(found))
    for at, part in enumerate(found):
        box = links.nth(at).bounding_box()
        assert box and box["height"] >= 44
        expect(links.nth(at)).to_contain_text(part.first_words)

    links.nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Part 3", exact=True)).to_be_in_viewport()
    page.screenshot(path=tmp_path / f"part-3-{who}.png")

    page.get_by_text(re.compile(r"^This story in \d+ parts$")).click()  # put away, without a script
    expect(links.first).to_be_hidden()

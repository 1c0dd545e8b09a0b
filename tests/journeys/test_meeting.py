"""A meeting, any way you like to take part: spoken, on a phone, on paper, by phone call; then what came of it.

Two phones and a big screen at once, on a phone's width, by keyboard, without JavaScript; every page looked at by axe.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from coproduce.agenda.models import Action, Attendance, Meeting, Minutes, Note
from coproduce.people.models import Hub, Person
from coproduce.site import demo
from coproduce.voices.models import Voice
from tests.journeys.conftest import listen, look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BIG = {"width": 1600, "height": 900}
SMALL = {"width": 320, "height": 640}


@pytest.fixture
def town() -> Hub:
    demo.load_once()
    return Hub.objects.get(name="Tolvershire")


@pytest.fixture
def today(town) -> Meeting:
    """Today's meeting of the town. Its wall is open, whatever the clock says."""
    return Meeting.objects.get(hub=town, name="")


@pytest.fixture
def amina(town) -> Person:
    return Person.objects.get(name="Amina")


def clean(page: Page, scripts: bool = True) -> None:
    if scripts:
        assert look(page) == []


def screen_of(leads: Page, open_context, scripts: bool = True) -> Page:
    """The big screen, on a machine that nobody is signed in on."""
    link = leads.get_by_role("link", name=re.compile("^Open the big screen")).get_attribute("href")
    screen = open_context(None, scripts, viewport=BIG).new_page()
    screen.goto(link)
    return screen


def test_two_phones_and_a_big_screen_at_once(today, amina, open_context, tmp_path):
    leads = open_context(amina).new_page()
    leads.goto(f"/meetings/{today.pk}/")
    clean(leads)
    leads.get_by_role("link", name=re.compile("^Open it ?: The wall")).click()
    clean(leads)
    screen = screen_of(leads, open_context)
    heard = listen(screen)
    clean(screen)
    screen.screenshot(path=tmp_path / "screen.png")
    expect(screen.get_by_role("img", name=re.compile("point a phone at"))).to_be_visible()
    address = "http://" + screen.locator(".big__address").inner_text()

    one, two = open_context(None, viewport=SMALL).new_page(), open_context(None).new_page()
    for phone, words in ((one, "They close at four"), (two, "My key worker left again")):
        phone.goto(address)
        clean(phone)
        phone.get_by_label("What do you want to say?").fill(words)
    one.get_by_role("button", name="Put it on the wall").click()
    two.get_by_role("button", name="Put it on the wall").click()
    expect(one.get_by_role("heading", level=1)).to_have_text("Thank you. It is on the wall.")
    clean(one)
    for words in ("They close at four", "My key worker left again"):
        expect(screen.get_by_text(words)).to_have_count(1, timeout=6_000)
    clean(screen)

    # One that is only for who leads is not for the room, and one that slipped out is off in one tap.
    two.get_by_role("link", name="Write another one").click()
    two.get_by_label("What do you want to say?").fill("It was Sami who told me")
    two.get_by_role("button", name="Put it on the wall").click()
    expect(screen.get_by_text("It was Sami who told me")).to_have_count(1, timeout=6_000)
    one.get_by_role("link", name="Write another one").click()
    one.get_by_label("What do you want to say?").fill("I can not say this out loud")
    one.get_by_role("button", name="Only for who leads the meeting").click()
    expect(one.get_by_role("heading", level=1)).to_have_text("Thank you. We have it.")
    expect(leads.get_by_role("link", name=re.compile("new notes. Show them"))).to_be_visible(timeout=10_000)
    leads.get_by_role("link", name=re.compile("new notes. Show them")).click()
    expect(leads.get_by_text("only for you")).to_be_visible()
    leads.get_by_role("button", name=re.compile("^Take off ?: It was Sami")).click()
    expect(screen.get_by_text("It was Sami who told me")).to_have_count(0, timeout=6_000)
    expect(screen.get_by_text("I can not say this out loud")).to_have_count(0)
    assert Voice.objects.filter(words="It was Sami who told me").exists(), "it is kept"

    # Laid together by ticking; the screen follows.
    for words in ("They close at four", "My key worker left again"):
        leads.get_by_label(re.compile(words)).check(force=True)
    leads.get_by_label("Or on a new one, called").fill("When things close")
    leads.get_by_role("button", name="Lay the ticked ones together").click()
    clean(leads)
    leads.screenshot(path=tmp_path / "wall.png", full_page=True)
    expect(screen.get_by_role("heading", name="When things close")).to_be_visible(timeout=6_000)
    expect(screen.locator("section", has_text="When things close").locator("li")).to_have_count(2)
    clean(screen)
    screen.screenshot(path=tmp_path / "screen-piles.png")
    assert heard == []
    shown = screen.locator("[data-note]").evaluate_all("sheets => sheets.map(each => each.dataset.note)")
    assert len(shown) == len(set(shown)) == Note.objects.for_the_room().filter(meeting=today).count()


@pytest.mark.parametrize("scripts", [True, False], ids=["by keyboard", "without JavaScript"])
def test_every_way_to_take_part_and_what_came_of_it(scripts, today, amina, open_context, tmp_path):
    page = open_context(amina, scripts).new_page()
    before = Note.objects.filter(meeting=today).count()

    def press(role: str, name: str) -> None:
        """By keyboard alone."""
        found = page.get_by_role(role, name=re.compile(name)).first
        found.focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")

    # Somebody speaks and Amina types; somebody hands in paper; on no phone at all.
    page.goto(f"/meetings/{today.pk}/wall/")
    clean(page, scripts)
    page.get_by_label("What did they say?").fill("I had eleven workers in a year")
    page.get_by_label("Who?").select_option(label="Lee")
    page.get_by_label("What is it about?").select_option(label="Pods or front doors?")
    press("button", "^They said it")
    expect(page.get_by_text("It is on the wall.")).to_be_visible()
    page.get_by_label("What did they say?").fill("Nobody rang me back")
    page.get_by_label("Who?").select_option(label="Sami")
    page.get_by_label("What is it about?").select_option(label="Pods or front doors?")
    press("button", "^It was on paper")
    expect(page.get_by_text("It is on the wall.")).to_be_visible()
    clean(page, scripts)
    assert Note.objects.filter(meeting=today).count() == before + 2
    topic = today.items.get(topic__isnull=False).topic
    said = set(topic.voices.filter(note__meeting=today).values_list("words", flat=True))
    assert said == {"I had eleven workers in a year", "Nobody rang me back"}, "all on the same topic"

    # Without JavaScript the screen loads itself anew.
    screen = screen_of(page, open_context, scripts)
    expect(screen.get_by_text("Nobody rang me back")).to_be_visible()
    if not scripts:
        assert screen.locator("noscript meta[http-equiv=refresh], meta[http-equiv=refresh]").count() == 1

    # Who came: Mr Ellery rang up.
    page.goto(f"/meetings/{today.pk}/who-came/")
    clean(page, scripts)
    press("button", "^By phone ?: Mr Ellery")
    expect(page.get_by_role("button", name=re.compile("By phone ?: Mr Ellery"))).to_have_attribute(
        "aria-pressed", "true"
    )
    assert Attendance.objects.get(meeting=today, person__name="Mr Ellery").how == "phone"
    assert Attendance.objects.get(meeting=today, person__name="Sami").how == "note"

    # What was agreed, and who does what by when.
    page.goto(f"/meetings/{today.pk}/agreed/")
    clean(page, scripts)
    press("button", "^Write it down")
    expect(page.get_by_role("link", name=re.compile("Write what we agreed"))).to_be_visible()
    clean(page, scripts)
    page.get_by_label("What is it about?").select_option(label="Pods or front doors?")
    page.get_by_label(re.compile("What did we agree")).fill("We visit a pod before we say yes.")
    page.get_by_label("We are working on it").check(force=True)
    press("button", "^Write it down")
    expect(page.get_by_text("Written down. You can add the next one.")).to_be_visible()
    page.goto(f"/meetings/{today.pk}/actions/")
    clean(page, scripts)
    page.get_by_label("What has to be done?").fill("Ask for a day")
    page.get_by_label("Who does it?").select_option(label="Amina")
    press("button", "^Write it down")
    expect(page.get_by_text("Written down. You can add the next one.")).to_be_visible()
    page.goto("/actions/")
    clean(page, scripts)
    press("button", "^It is done ?: Ask for a day")
    expect(page.get_by_text("Done. Thank you.")).to_be_visible()
    assert Action.objects.get(words="Ask for a day").done_at

    # The minutes begin with all of it. Lee, who was there, puts them right.
    page.goto(f"/meetings/{today.pk}/minutes/write/")
    clean(page, scripts)
    press("button", "^Make a draft")
    expect(page.get_by_text("Here is a draft. Change what you like.")).to_be_visible()
    clean(page, scripts)
    page.get_by_label("The meeting in a few sentences").fill("A short one. The SDR came up.")
    press("button", "^Keep this")
    expect(page.get_by_text("The SDR came up.")).to_be_visible()
    clean(page, scripts)
    press("link", "^Let the group read them")
    expect(page.get_by_role("heading", level=1)).to_have_text("Let the group read the minutes")
    clean(page, scripts)
    press("button", "^Open them")
    expect(page.get_by_text("The group can read them now.")).to_be_visible()
    page.screenshot(path=tmp_path / "minutes.png", full_page=True)

    lees = open_context(Person.objects.get(name="Lee"), scripts).new_page()
    lees.goto(f"/meetings/{today.pk}/")
    clean(lees, scripts)
    lees.get_by_role("link", name="Read the minutes").click()
    expect(lees.get_by_text("We visit a pod before we say yes.")).to_be_visible()
    clean(lees, scripts)
    lees.get_by_role("link", name="Something is not right").click()
    clean(lees, scripts)
    lees.get_by_label(re.compile("What is not right")).fill("It was twelve workers.")
    lees.get_by_role("button", name="Send it").click()
    expect(lees.get_by_text("It waits for an answer.")).to_be_visible()
    page.reload()
    press("link", "^Take it or answer it")
    clean(page, scripts)
    page.get_by_label(re.compile("^Leave the minutes")).check(force=True)
    press("button", "^Go on")
    expect(page.get_by_text("Say why it stays as it is. They asked.").first).to_be_visible()
    page.get_by_label("Your answer").fill("You said eleven; we can ask you again.")
    press("button", "^Go on")
    expect(page.get_by_text("Left as it is. You said eleven")).to_be_visible()
    assert Minutes.objects.get(meeting=today).is_open


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "without JavaScript"])
def test_from_a_plan_to_an_invitation(scripts, town, amina, open_context):
    page = open_context(amina, scripts, viewport=SMALL).new_page()
    page.goto("/meetings/")
    clean(page, scripts)
    page.get_by_role("link", name="Plan a meeting").click()
    clean(page, scripts)
    page.get_by_label("Which hub?").select_option(label="Tolvershire")
    for box, value in (("Day", "3"), ("Month", "March"), ("Year", "2099")):
        page.get_by_label(box, exact=True).fill(value)
    page.get_by_label("When does it begin?").fill("10:30")
    page.get_by_label("When does it end?").fill("12:30")
    page.get_by_label(re.compile("^Where")).fill("The library")
    page.get_by_role("button", name="Plan the meeting").click()
    clean(page, scripts)
    page.get_by_role("button", name=re.compile("^Put it on ?: Pods or front doors")).click()
    expect(page.get_by_text("‘Pods or front doors?’ is on the agenda.")).to_be_visible()
    page.get_by_text("Put something else on").click()
    page.get_by_label("What is it about?").fill("Soup")
    page.get_by_role("button", name="Put it on the agenda").click()
    page.get_by_role("button", name=re.compile("^Up ?: Soup")).click()
    expect(page.locator(".agenda__item b").first).to_have_text("Soup")
    clean(page, scripts)
    page.get_by_role("link", name="Next: invite people").click()
    clean(page, scripts)
    page.get_by_role("button", name=re.compile("^Send [0-9]+ emails")).click()
    page.get_by_role("button", name=re.compile("^I told them ?: Mr Ellery")).click()
    expect(page.get_by_text("Ticked off.")).to_be_visible()
    clean(page, scripts)
    lees = open_context(Person.objects.get(name="Lee"), scripts, viewport=SMALL).new_page()
    lees.goto("/meetings/")
    lees.get_by_role("link", name="Meeting on 3 March 2099").click()
    clean(lees, scripts)
    lees.get_by_role("link", name="Tell us what you need").click()
    clean(lees, scripts)
    lees.get_by_label(re.compile("^What do you need")).fill("Large print")
    lees.get_by_role("button", name="Tell them").click()
    expect(lees.get_by_text("Large print")).to_be_visible()
    lees.get_by_role("link", name="Have it in your own calendar").click()
    lees.get_by_role("button", name="Make my link").click()
    expect(lees.get_by_label("Or copy the link")).to_have_value(re.compile(r"/calendar/\w{43}\.ics$"))
    clean(lees, scripts)

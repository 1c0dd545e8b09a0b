"""Coming in, in a real browser: a stranger's words with and without JavaScript, and signing in with a passkey."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from playwright.sync_api import BrowserContext, Page, expect

from coproduce.people.models import Hub, Membership, Way
from coproduce.voices.models import Incoming, Voice
from tests.conftest import make_person
from tests.journeys.conftest import EVIL, listen, look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Role = Membership.Role


@pytest.fixture
def group():
    hub = Hub.objects.add_root({"name": "Eastmoor"})
    return hub, make_person("Amina", hub, Role.FACILITATOR, Way.Kind.PAGE)


def say(page: Page, words: str, name: str = "", way: str = "") -> None:
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="Have your say").click()
    page.get_by_label("What do you want to say?").fill(words)
    page.get_by_label("What do you like to be called?").fill(name)
    page.get_by_label("How can we reach you?").fill(way)
    page.get_by_label("The group may read them").check()


def until_the_sum_is_done(page: Page) -> None:
    expect(page.locator("input[name=altcha]")).to_have_value(re.compile("^.{100}"))


def test_a_stranger_says_something_and_somebody_takes_it_in(group, open_context, tmp_path):
    """The browser does its sum in the background; the person sees and does nothing for it."""
    page = open_context().new_page()
    heard = listen(page)
    say(page, "Nobody told me there was a bed", "Mo", "mo@example.org")
    assert not look(page)
    until_the_sum_is_done(page)
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. We have it.")
    assert not look(page) and not heard
    assert Incoming.objects.get().checked

    page = open_context(group[1]).new_page()
    heard = listen(page)
    page.goto("/")
    page.get_by_role("link", name=re.compile("^Read it")).click()
    assert not look(page)
    page.get_by_role("link", name=re.compile("^Open")).click()
    expect(page.get_by_text("mo@example.org")).to_be_visible()
    assert not look(page)
    page.get_by_role("button", name="Take it in").click()
    expect(page.get_by_text("Nobody told me there was a bed")).to_be_visible()
    assert Voice.objects.get().person.name == "Mo"
    assert not look(page) and not heard


def test_without_javascript_it_goes_to_the_same_queue_not_checked(group, open_context):
    page = open_context(scripts=False).new_page()
    say(page, "My phone is old", way="At the day centre")
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. We have it.")
    assert not Incoming.objects.get().checked
    page = open_context(group[1], scripts=False).new_page()
    page.goto("/have-your-say/queue/")
    expect(page.get_by_text("Not checked: it may have been sent by a machine.")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Open")).click()
    page.get_by_text("Put it aside").first.click()
    page.get_by_label("Why?").fill("Here twice")
    page.get_by_role("button", name="Put it aside").click()
    expect(page.get_by_text("1 is put aside")).to_be_visible()


def test_by_keyboard_alone(group, open_context):
    page = open_context().new_page()
    page.goto("/have-your-say/")
    page.get_by_label("What do you want to say?").focus()
    page.keyboard.type("Typed")
    for _ in range(6):  # name, way, three uses; what only machines fill in is never reached
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") != "website"
    assert page.evaluate("document.activeElement.textContent") == "Send it"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. We have it.")


def test_nothing_that_is_typed_runs_anywhere(group, open_context):
    """In every field, on every page it reaches: no dialog, no request, and the words are there to the letter."""
    _hub, amina = group
    visitor, keeper = open_context().new_page(), open_context(amina).new_page()
    heard_by_visitor, heard_by_keeper = listen(visitor), listen(keeper)
    for evil in EVIL:
        say(
            visitor, evil, evil[:120], "me@" + evil[:60]
        )  # the way is wrong, so the page comes back with all of it
        visitor.get_by_label("Anybody may read them, with the name").check()
        until_the_sum_is_done(visitor)
        visitor.get_by_role("button", name="Send it").last.click()
        expect(visitor.get_by_role("heading", name="There is a problem")).to_be_visible()
        visitor.get_by_label("How can we reach you?").fill(evil[:200].replace("@", " at "))
        until_the_sum_is_done(visitor)
        visitor.get_by_role("button", name="Send it").click()
        expect(visitor.get_by_role("heading", level=1)).to_have_text("Thank you. We have it.")
        keeper.goto("/")
        keeper.goto("/have-your-say/queue/")
        keeper.get_by_role("link", name=re.compile("^Open")).click()
        assert evil in keeper.locator(".bubble__words").inner_text()
        keeper.get_by_role("button", name="Take it in").click()
        expect(keeper.get_by_role("heading", level=1)).to_be_visible()
        for page, path in ((visitor, "/voices/"), (keeper, "/voices/"), (keeper, "/people/")):
            page.goto(path)
            page.wait_for_timeout(50)
            assert urlsplit(page.url).path == path
        assert visitor.evaluate(
            "!document.querySelector('main script, main iframe, main [onload], main base, main style')"
        )
    assert Voice.objects.count() == len(EVIL)
    assert not heard_by_visitor + heard_by_keeper


# Passkeys


def with_authenticator(context: BrowserContext) -> Page:
    """A page on a machine that has a fingerprint reader, which always says yes."""
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page


def sign_in_by_code(page: Page, email: str) -> None:
    page.goto("/account/login/code/")
    page.get_by_label("Your email address").fill(email)
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("Your code").wait_for()
    code = re.search(r"[A-Z]{4}-[A-Z]{4}", str(mail.outbox[-1].body))
    assert code
    page.get_by_label("Your code").fill(code.group())
    page.get_by_role("button", name="Sign in").click()


def test_a_facilitator_makes_a_passkey_and_signs_in_with_it(group, open_context, settings):
    settings.SECOND_FACTOR_FOR_STAFF = True
    page = with_authenticator(open_context())
    heard = listen(page)
    sign_in_by_code(page, "amina@example.org")
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    assert not look(page)
    page.get_by_role("link", name="Make a passkey").click()
    assert not look(page)
    page.get_by_label("What do you call this device?").fill("My phone")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your spare codes")
    assert page.locator(".codes code").count() == 10
    assert not look(page)
    page.get_by_role("link", name="I have them: go on").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Amina")
    page.goto("/account/how-you-sign-in/")
    assert not look(page)
    page.goto("/account/passkeys/")
    expect(page.get_by_text("My phone", exact=True)).to_be_visible()
    assert not look(page)
    page.goto("/account/logout/")
    page.get_by_role("button", name="Sign out").click()

    page.goto("/people/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert not look(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Amina")
    assert Authenticator.objects.get(type="webauthn").last_used_at
    page.goto("/account/logout/")
    page.get_by_role("button", name="Sign out").click()

    sign_in_by_code(page, "amina@example.org")
    expect(page.get_by_role("heading", level=1)).to_have_text("The second step")
    assert not look(page)
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Amina")
    assert not heard


def test_who_mistyped_the_address_starts_again(group, open_context):
    page = open_context(scripts=False).new_page()
    page.goto("/account/login/code/")
    page.get_by_label("Your email address").fill("amnia@example.org")
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_role("button", name="Start again").click()
    sign_in_by_code(page, "amina@example.org")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Amina")


def test_a_passkey_of_another_machine_does_not_sign_in(group, open_context):
    page = with_authenticator(open_context())
    page.goto("/account/login/code/")
    expect(page.get_by_text("That did not work, or it was stopped")).to_be_hidden()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("That did not work, or it was stopped")).to_be_visible()
    assert not look(page)


def test_the_app_with_codes_works_without_javascript(group, open_context, settings):
    settings.SECOND_FACTOR_FOR_STAFF = True
    from tests.people.test_accounts import number_of

    page = open_context(scripts=False).new_page()
    sign_in_by_code(page, "amina@example.org")
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    page.get_by_role("link", name="Use an app").click()
    page.get_by_label("Your code").fill(number_of(page.locator(".secret").inner_text()))
    page.get_by_role("button", name="Go on").click()
    assert page.locator(".codes code").count() == 10
    expect(page.get_by_role("button", name="Print this page")).to_be_hidden()
    page.get_by_role("link", name="I have them: go on").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Amina")

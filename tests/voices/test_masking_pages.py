"""What may tell who somebody is, hidden before words leave the group; the group keeps them as they were said."""

from __future__ import annotations

import pytest
from django.urls import reverse

from coproduce.agenda.actions.topics import raise_topic
from coproduce.changes.actions import record_change
from coproduce.engine.quotes import Span
from coproduce.people.permissions import NotAllowed
from coproduce.themes.actions import make_theme
from coproduce.voices import consent
from coproduce.voices.actions import mark_quote, mend_turn, set_consent, write_down
from coproduce.voices.models import Voice

pytestmark = pytest.mark.django_db
SAID = "Ring Joan on 07700 900123 or go to 12 Mill Street, LS1 4AP. My NHS number is 943 476 5919."
SECRETS = ["Joan", "07700 900123", "Mill Street", "LS1 4AP", "943 476 5919"]


@pytest.fixture
def voice(amina, lee, joan, town) -> Voice:
    return write_down(amina, town, SAID, "call", lee, uses=["group", "services", "public"])


def shown(reader) -> str:
    return Voice.objects.for_reading(reader).get().shown


def test_outside_the_group_all_that_is_offered_is_hidden_until_somebody_decides(
    voice, amina, lee, joan, marek, charlie
):
    for reader in (amina, lee, joan):
        assert shown(reader) == SAID
    for reader in (marek, charlie, None):
        assert not [secret for secret in SECRETS if secret in shown(reader)]
        assert "[a name]" in shown(reader) and "[an NHS number]" in shown(reader)


def test_no_page_outside_the_group_carries_it(
    voice, amina, lee, joan, marek, charlie, town, signed_in, client
):
    theme = make_theme(amina, town, "Somebody to ring", voices=[voice])
    topic = raise_topic(amina, town, "One number", "", [theme], [voice])
    change = record_change(amina, town, "One number for all", "Soon.", "service", topics=[topic])
    pages = [
        "/voices/",
        "/voices/?q=Ring",
        f"/voices/{voice.pk}/",
        f"/topics/{topic.pk}/",
        f"/changes/{change.pk}/",
        f"/changes/{change.pk}/words/",
    ]
    for browser in (signed_in(marek), signed_in(charlie), client):
        for page in pages:
            text = browser.get(page).content.decode()
            assert "[a name]" in text, page
            assert not [secret for secret in SECRETS if secret in text], page
        # Nor can it be found out by searching for it.
        assert "[a name]" not in browser.get("/voices/?q=900123").content.decode()
    for page in pages:
        assert "07700 900123" in signed_in(lee).get(page).content.decode(), page


def test_a_commissioner_sees_no_name_even_of_public_words(voice, lee, marek, signed_in, client):
    assert "Lee" in client.get(f"/voices/{voice.pk}/").content.decode()
    for page in ("/voices/", f"/voices/{voice.pk}/"):
        assert "Lee" not in signed_in(marek).get(page).content.decode()


def test_what_is_hidden_is_offered_on_the_next_screen(amina, lee, marek, town, signed_in):
    voice = write_down(amina, town, "My worker Joan rang me", "call", lee, uses=["group"])
    assert voice.masked == ""
    browser = signed_in(lee)
    answer = browser.post(reverse("voices:consent", args=[voice.pk]), {"group": "on", "services": "on"})
    address = reverse("voices:mask", args=[voice.pk])
    assert answer["Location"] == address
    page = browser.get(address)
    assert page.context["form"]["hide"].value() == ["0"]  # ticked
    assert "My worker [a name] rang me" in page.content.decode()
    # Looking changes nothing; saving does.
    look = browser.post(address, {"look": "yes"}).content.decode()
    assert look.count("My worker Joan rang me") == 2 and "[a name] rang" in shown(marek)
    browser.post(address, {})
    assert shown(marek) == "My worker Joan rang me"
    browser.post(address, {"hide": ["0"]})
    assert shown(marek) == "My worker [a name] rang me"


def test_some_of_it_stays_ticked_as_it_was_left(voice, amina, lee, signed_in):
    address = reverse("voices:mask", args=[voice.pk])
    offered = signed_in(lee).get(address).context["offered"]
    for ticked in ([], ["0"], ["1", "2"], [str(n) for n in range(len(offered))]):
        signed_in(lee).post(address, {"hide": ticked})
        assert signed_in(amina).get(address).context["form"]["hide"].value() == ticked


def test_said_or_written_down_for_others_to_read_goes_there_too(lee, amina, town, signed_in):
    answer = signed_in(lee).post("/voices/say/", {"words": "Joan Fox rang me", "services": "on"})
    assert answer["Location"].endswith("/hidden/")
    answer = signed_in(lee).post("/voices/say/", {"words": "Joan Fox rang me", "group": "on"})
    assert not answer["Location"].endswith("/hidden/")


def test_what_a_speaker_opens_is_offered_for_the_story(amina, lee, story, turn, lees, signed_in):
    mark_quote(amina, turn, Span(0, len(turn.text)))
    address = reverse("voices:speaker", args=[lees.pk])
    answer = signed_in(amina).post(address, {"person": lee.pk, "group": "on", "public": "on"})
    assert answer["Location"] == reverse("voices:hidden", args=[story.pk])
    assert "Then [a name]." in signed_in(amina).get(answer["Location"]).content.decode()


def test_mending_a_quote_offers_anew(amina, lee, marek, turn, town):
    quote = mark_quote(amina, turn, Span(0, len(turn.text)))
    consent.mask_words(amina, quote, [])
    assert "Joan" in shown(marek)
    mend_turn(amina, turn, turn.text.replace("Joan", "Joanne Fox"))
    assert "Joanne" not in shown(marek) and "[a name]" in shown(marek)


def test_opening_it_again_offers_anew(voice, lee, marek):
    consent.mask_words(lee, voice, [])
    set_consent(lee, voice, ["group"])
    set_consent(lee, voice, ["group", "services"])
    assert "07700" not in shown(marek)


def test_who_may_not_decide(voice, joan, marek, charlie, signed_in):
    for stranger in (joan, marek, charlie):
        with pytest.raises(NotAllowed):
            consent.mask_words(stranger, voice, [])
        assert signed_in(stranger).get(reverse("voices:mask", args=[voice.pk])).status_code == 404

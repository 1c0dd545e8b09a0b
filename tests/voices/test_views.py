from __future__ import annotations

import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from coproduce.engine.quotes import Span, find
from coproduce.people.actions import make_mandate
from coproduce.people.models import Membership
from coproduce.voices.actions import AT_ONCE, add_story, mark_quote, set_consent, write_down, write_down_for
from coproduce.voices.models import Story, Turn, Voice
from tests.conftest import make_person
from tests.voices.conftest import TOLD, TRANSCRIPT

pytestmark = pytest.mark.django_db
DAY = {"gathered_on_day": "3", "gathered_on_month": "March", "gathered_on_year": "2026"}


@pytest.fixture
def quote(amina, turn) -> Voice:
    span = find(turn.text, "Then Joan.")
    assert span
    return mark_quote(amina, turn, span)


@pytest.fixture
def readers(amina, lee, marek, charlie, signed_in):
    people = {"amina": amina, "lee": lee, "marek": marek, "charlie": charlie}
    return {**{name: signed_in(person) for name, person in people.items()}, "visitor": Client()}


def words_of(answer) -> str:
    """What the page says, without its markup."""
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split()))


IN, OUT, NOT_THERE = 200, 302, 404


@pytest.mark.parametrize(
    ("page", "of", "expected"),
    [  #                     Amina       Lee        Marek      Charlie    a visitor
        ("stories", None, (IN, IN, IN, IN, OUT)),
        ("add_story", None, (IN, NOT_THERE, NOT_THERE, NOT_THERE, OUT)),
        ("story", "story", (IN, IN, NOT_THERE, NOT_THERE, OUT)),
        ("progress", "story", (IN, IN, NOT_THERE, NOT_THERE, OUT)),
        ("many_turns", "story", (IN, NOT_THERE, NOT_THERE, NOT_THERE, OUT)),
        ("add_speaker", "story", (IN, NOT_THERE, NOT_THERE, NOT_THERE, OUT)),
        ("story_file", "story", (IN, NOT_THERE, NOT_THERE, NOT_THERE, OUT)),
        ("speaker", "lees", (IN, NOT_THERE, NOT_THERE, NOT_THERE, OUT)),
        ("turn", "turn", (IN, NOT_THERE, NOT_THERE, NOT_THERE, OUT)),
        ("mend", "turn", (IN, NOT_THERE, NOT_THERE, NOT_THERE, OUT)),
        ("split", "turn", (IN, NOT_THERE, NOT_THERE, NOT_THERE, OUT)),
        ("voices", None, (IN, IN, IN, IN, IN)),
        ("add", None, (IN, NOT_THERE, NOT_THERE, NOT_THERE, OUT)),
        ("say", None, (IN, IN, NOT_THERE, NOT_THERE, OUT)),
        ("voice", "quote", (IN, IN, IN, NOT_THERE, OUT)),  # Marek: it is open to services
        ("consent", "quote", (IN, IN, NOT_THERE, NOT_THERE, OUT)),
    ],
)
def test_who_opens_which_page(page, of, expected, request, readers, quote):
    thing = request.getfixturevalue(of) if of else None
    address = reverse(f"voices:{page}", args=[thing.pk] if thing else [])
    missing = reverse(f"voices:{page}", args=[999_999]) if thing else None
    for reader, answer in zip(readers.values(), expected, strict=True):
        response = reader.get(address)
        assert response.status_code == answer
        if missing:  # what one may not see answers as what is not there
            assert reader.get(missing).status_code == (OUT if answer == OUT else NOT_THERE)


@pytest.mark.parametrize(
    ("page", "of"),
    [
        ("trim", "story"), ("who_speaks", "story"), ("turn_speaker", "turn"), ("keep", "turn"),
        ("remove_quote", "quote"),
    ],
)  # fmt: skip
def test_what_changes_things_is_only_sent_and_only_by_keepers(page, of, request, readers, quote):
    address = reverse(f"voices:{page}", args=[request.getfixturevalue(of).pk])
    assert readers["amina"].get(address).status_code == 405
    for name in ("lee", "marek", "charlie"):
        assert readers[name].post(address).status_code == NOT_THERE
    assert readers["visitor"].post(address).status_code == OUT
    assert Voice.objects.filter(pk=quote.pk).exists()


def test_a_forged_request_changes_nothing(amina, quote):
    client = Client(enforce_csrf_checks=True)
    client.force_login(amina.account, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(reverse("voices:remove_quote", args=[quote.pk])).status_code == 403
    assert Voice.objects.filter(pk=quote.pk).exists()


# Stories come in


def test_a_story_is_brought_as_a_file(readers):
    file = SimpleUploadedFile("lee.txt", TRANSCRIPT.encode())
    answer = readers["amina"].post(
        reverse("voices:add_story"), {"title": "Lee’s story", **DAY, "file": file}, follow=True
    )
    story = Story.objects.get()
    assert answer.redirect_chain[-1][0] == reverse("voices:story", args=[story.pk])
    assert (story.gathered_on, story.gathered_by.name, story.turns.count()) == (TOLD, "Amina", 5)
    assert "Where does the talk start and end?" in words_of(answer)


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({**DAY, "text": "Lee: I had eleven workers."}, "What shall we call it?"),
        ({"title": "Lee", **DAY, "text": ""}, "Choose a file, or paste the words"),
        ({"title": "Lee", **DAY, "text": "…"}, "There are no words in this file"),
        ({"title": "Lee", **DAY, "gathered_on_year": "2999", "text": "Lee: Hello."}, "still to come"),
        ({"title": "Lee", "gathered_on_day": "99", "text": "Lee: I had."}, "month as well"),
    ],
)
def test_what_is_wrong_with_a_story_is_said_and_nothing_typed_is_lost(readers, sent, says):
    answer = readers["amina"].post(reverse("voices:add_story"), sent)
    assert answer.status_code == 200
    assert says in words_of(answer)
    form = answer.context["form"]
    assert [form[name].value() for name in ("title", "text")] == [sent.get("title"), sent["text"]]
    assert f'value="{sent["gathered_on_day"]}"' in answer.content.decode()
    assert not Story.objects.exists()


def test_a_file_that_is_no_transcript_is_refused_where_it_was_chosen(readers):
    add = reverse("voices:add_story")
    sent = {"title": "Lee", **DAY, "file": SimpleUploadedFile("lee.pdf", b"%PDF-1.7 x")}
    answer = readers["amina"].post(add, sent)
    assert "looks like a PDF" in str(answer.context["form"].errors["file"])
    assert 'value="Lee"' in answer.content.decode()
    both = {"title": "", **DAY, "file": SimpleUploadedFile("a.txt", b"Lee: Hello"), "text": "Lee: Hello"}
    form = readers["amina"].post(add, both).context["form"]
    assert "not both" in str(form.errors["text"])
    assert "once more" in str(form.errors["file"])


def test_who_keeps_stories_in_several_hubs_says_which(amina, ward, readers):
    Membership.objects.create(person=amina, hub=ward, role=Membership.Role.CURATOR)
    sent = {"title": "Lee", **DAY, "text": "Lee: I had eleven workers."}
    answer = readers["amina"].post(reverse("voices:add_story"), sent)
    assert "Which hub?" in words_of(answer)
    assert not Story.objects.exists()
    readers["amina"].post(reverse("voices:add_story"), {**sent, "hub": ward.pk})
    assert Story.objects.get().hub == ward


def test_a_long_story_shows_how_far_it_is(readers, amina, town, work_the_queue):
    text = "".join(f"Lee: Thing {n}.\n\nIfy: And then {n}?\n\n" for n in range(AT_ONCE))
    story = add_story(amina, town, "Long", TOLD, "long.txt", text.encode())
    answer = readers["amina"].get(reverse("voices:story", args=[story.pk]), follow=True)
    assert "Taking in the story: 0 of 1000 turns." in words_of(answer)
    assert "Coming in: 0 of 1000" in words_of(readers["amina"].get(reverse("voices:stories")))
    work_the_queue()
    answer = readers["amina"].get(reverse("voices:progress", args=[story.pk]))
    assert "All 1000 turns are here." in words_of(answer)
    assert readers["amina"].get(reverse("voices:story", args=[story.pk]) + "?page=99").status_code == 200


def test_the_file_is_handed_over_and_never_shown(readers, amina, town):
    nasty = b"Lee: <script>alert(1)</script> Hello there."
    story = add_story(amina, town, "Lee", TOLD, 'a"b\r\nX: y.html', nasty)
    answer = readers["amina"].get(reverse("voices:story_file", args=[story.pk]))
    assert b"".join(answer.streaming_content) == nasty
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert "X" not in answer.headers
    story.file.storage.delete(story.file.name)
    assert readers["amina"].get(reverse("voices:story_file", args=[story.pk])).status_code == 404


# The whole way without JavaScript


def test_from_a_file_to_five_quotes_without_javascript(readers, amina, lee, real_story):
    browser = readers["amina"]
    file = SimpleUploadedFile("tom-and-lee.txt", real_story)
    browser.post(reverse("voices:add_story"), {"title": "Tom and Lee", **DAY, "file": file})
    story = Story.objects.get()
    turns = list(story.turns.all())
    address = reverse("voices:story", args=[story.pk])

    # 1 Trim the ends
    assert "Starts here" in words_of(browser.get(address))
    trim = reverse("voices:trim", args=[story.pk])
    browser.post(trim, {"first": turns[1].pk, "page": 1})
    answer = browser.post(trim, {"last": turns[-2].pk, "page": "2\r\nX: y"}, follow=True)
    assert f"{len(turns) - 2} turns stay in the story. 2 left out." in words_of(answer)
    assert "other way round" in words_of(browser.post(trim, {"first": turns[-1].pk}, follow=True))

    # 2 Who speaks?
    assert "does not say who speaks" in words_of(browser.get(address + "?step=who"))
    for label in ("Lee", "Tom"):
        answer = browser.post(reverse("voices:add_speaker", args=[story.pk]), {"label": label}, follow=True)
        assert f"Who is “{label}”?" in words_of(answer)
    first, second = story.speakers.all()
    browser.post(
        reverse("voices:speaker", args=[first.pk]), {"person": lee.pk, "group": "on", "services": "on"}
    )
    page = browser.get(address + "?step=who").content.decode()
    shown = [int(pk) for pk in re.findall(r'name="turn-(\d+)" value=""', page)]
    assert len(shown) == 40
    chosen = {f"turn-{pk}": (first, second)[place % 2].pk for place, pk in enumerate(shown)}
    saved = reverse("voices:who_speaks", args=[story.pk])
    answer = browser.post(saved, {**chosen, "page": 1, "following": 2}, follow=True)
    assert "Here are the next turns" in words_of(answer)
    assert f"40 of {len(turns) - 2}" in words_of(answer)
    many = reverse("voices:many_turns", args=[story.pk])
    answer = browser.post(many, {"speaker": first.pk, "other": second.pk, "which": "left"}, follow=True)
    assert f"{len(turns) - 42} turns have their speaker." in words_of(answer)
    assert "all named" in words_of(answer)
    assert "last page" in words_of(browser.post(saved, chosen, follow=True))

    # 3 Mark quotes
    said = [turn for turn in story.turns.filter(speaker=first, trimmed=False) if len(turn.text) > 60][:5]
    for turn in said:
        answer = browser.post(
            reverse("voices:turn", args=[turn.pk]), {"sentences": ["0"], "seen": turn.seen}, follow=True
        )
        assert "Kept as a quote." in words_of(answer)
    quotes = Voice.objects.filter(turn__story=story)
    assert quotes.count() == 5
    for quote in quotes.select_related("turn"):
        assert quote.words == quote.turn.text[quote.begins : quote.ends]
        assert quote.person == lee
        assert quote.consents.count() == 2
    answer = browser.get(address)
    assert "5 quotes" in words_of(answer)
    assert "<mark>" in answer.content.decode()


# Who speaks


def test_one_key_names_who_speaks(readers, story, turn):
    ify = story.speakers.get(label="Ify")
    address = reverse("voices:turn_speaker", args=[turn.pk])
    assert readers["amina"].post(address, {"speaker": ify.pk}).json() == {"count": "all named"}
    assert readers["amina"].post(address, {"speaker": ""}).json() == {"count": "4 of 5"}
    for strange in ("999999", "abc", "9" * 30):
        assert readers["amina"].post(address, {"speaker": strange}).status_code == 422
    turn.refresh_from_db()
    assert turn.speaker is None


def test_a_page_of_turns_takes_no_strange_speakers_and_no_turns_of_others(readers, amina, town, story, lees):
    other = add_story(amina, town, "Other", TOLD, "o.txt", b"Tom: Hello there.\n\nSue: Hello Tom.")
    theirs = other.turns.first()
    saved = reverse("voices:who_speaks", args=[story.pk])
    strange = {f"turn-{theirs.pk}": lees.pk, "turn-abc": "1", "turn-": "2", f"turn-{'9' * 40}": "3"}
    readers["amina"].post(saved, strange)
    theirs.refresh_from_db()
    assert theirs.speaker.label == "Tom"
    mine = story.turns.first()
    answer = readers["amina"].post(saved, {f"turn-{mine.pk}": theirs.speaker_id}, follow=True)
    assert "not in this story" in words_of(answer)


def test_from_one_turn_on_all_are_given_to_one(readers, story, lees):
    many = reverse("voices:many_turns", args=[story.pk])
    begin = story.turns.get(position=2)
    assert "Thank" not in words_of(readers["amina"].get(f"{many}?from={begin.pk}"))
    assert readers["amina"].get(f"{many}?from=999999").status_code == 404
    answer = readers["amina"].post(many, {})
    assert answer.context["form"].errors
    answer = readers["amina"].post(
        f"{many}?from={begin.pk}", {"speaker": lees.pk, "other": "", "which": "all"}
    )
    assert answer["Location"].endswith(f"#turn-{begin.pk}")
    labels = [turn.speaker.label for turn in story.turns.select_related("speaker")]
    assert labels == ["Ify", "Lee", "Lee", "Lee", "Lee"]


def test_a_speaker_is_named_with_what_they_allow(readers, amina, lee, charlie, lees):
    address = reverse("voices:speaker", args=[lees.pk])
    page = readers["amina"].get(address).content.decode()
    assert f'value="{lee.pk}" selected' in page
    assert "Charlie" not in page
    assert readers["amina"].post(address, {"person": charlie.pk}).status_code == 200  # not of this hub
    readers["amina"].post(address, {"person": ""})
    lees.refresh_from_db()
    assert lees.person is None
    assert not lees.consents.filter(withdrawn_at__isnull=True).exists()


def test_two_speakers_do_not_share_a_name(readers, story):
    answer = readers["amina"].post(reverse("voices:add_speaker", args=[story.pk]), {"label": "lee"})
    assert "already a speaker" in words_of(answer)
    assert 'value="lee"' in answer.content.decode()


# One turn


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"sentences": ["1"]}, "Then Joan."),
        ({"sentences": ["1", "3"]}, "Then Joan. She picked up the phone. Nobody else did."),
        ({"sentences": ["1", "2", "3"]}, "Then Joan. She picked up the phone. Nobody else did."),
        ({"words": "“then joan. SHE picked up…”"}, "Then Joan. She picked up"),
    ],
)
def test_a_quote_is_marked_by_ticking_or_typing(readers, turn, sent, kept):
    answer = readers["amina"].post(reverse("voices:turn", args=[turn.pk]), {**sent, "seen": turn.seen})
    assert answer.status_code == OUT
    assert Voice.objects.get().words == kept


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({}, "Tick at least one sentence"),
        ({"sentences": ["0", "1", "3"]}, "without gaps"),
        ({"sentences": ["0"], "words": "Then Joan."}, "Keep one of the two"),
        ({"words": "Then Jane. She picked up the phone"}, "Did you mean: “She picked up the phone.”?"),
        ({"words": "zzz"}, "just as they were said"),
        ({"sentences": ["77"]}, "not one of the available choices"),
        ({"sentences": ["0"], "seen": "before"}, "mended this turn while you had it open"),
    ],
)
def test_what_is_wrong_with_a_quote_is_said_and_kept(readers, turn, sent, says):
    answer = readers["amina"].post(reverse("voices:turn", args=[turn.pk]), {"seen": turn.seen, **sent})
    assert says in words_of(answer)
    assert sent.get("words", "") in words_of(answer)
    assert answer.context["form"]["sentences"].value() == sent.get("sentences", [])
    assert not Voice.objects.exists()


def test_words_selected_on_the_page_are_kept(readers, story, lees):
    turn = story.turns.get(position=3)  # with an emoji: one character here, two in a browser
    begins = turn.text.index("That was")
    keep = reverse("voices:keep", args=[turn.pk])
    sent = {"begins": begins, "ends": len(turn.text), "seen": turn.seen}
    answer = readers["amina"].post(keep, sent)
    assert "<mark>That was all it took.</mark>" in answer.content.decode()
    for wrong in ({**sent, "seen": "x"}, {**sent, "begins": "x"}, {**sent, "begins": 9000, "ends": 9001}, {}):
        answer = readers["amina"].post(keep, wrong)
        assert answer.status_code == 422
        assert answer["Content-Type"].startswith("text/plain")
    assert Voice.objects.count() == 1


def test_a_quote_is_taken_away_again(readers, lee, quote):
    remove = reverse("voices:remove_quote", args=[quote.pk])
    page = words_of(readers["amina"].get(reverse("voices:turn", args=[quote.turn_id])))
    assert "Kept from this turn" in page
    assert "Open to: the group; services, without the name." in page
    set_consent(lee, quote, [])
    assert "took back" in words_of(readers["amina"].post(remove, follow=True))
    set_consent(lee, quote, ["group", "services"])
    assert "not a quote any more" in words_of(readers["amina"].post(remove, follow=True))
    assert not Voice.objects.exists()


def test_mending_keeps_what_was_typed_when_it_is_refused(readers, turn, quote):
    mend = reverse("voices:mend", args=[turn.pk])
    answer = readers["amina"].post(mend, {"text": "All else", "seen": turn.seen})
    assert "would be gone: “Then Joan.”" in words_of(answer)
    assert "All else</textarea>" in answer.content.decode()
    answer = readers["amina"].post(mend, {"text": turn.text + " Really.", "seen": "old"})
    assert "mended this turn while" in words_of(answer)
    assert "Really.</textarea>" in answer.content.decode()
    answer = readers["amina"].post(mend, {"text": turn.text + " Really.", "seen": turn.seen}, follow=True)
    assert "The words are mended." in words_of(answer)
    turn.refresh_from_db()
    assert turn.text.endswith("Really.")


def test_a_turn_is_split_where_somebody_else_begins(readers, story, turn):
    split = reverse("voices:split", args=[turn.pk])
    assert "Choose the first sentence" in words_of(readers["amina"].post(split, {"seen": turn.seen}))
    at = turn.text.index("She picked")
    ify = story.speakers.get(label="Ify")
    answer = readers["amina"].post(split, {"at": at, "speaker": ify.pk, "seen": turn.seen}, follow=True)
    assert "two turns now" in words_of(answer)
    second = story.turns.get(position=2)
    assert (second.text, second.speaker) == ("She picked up the phone. Nobody else did.", ify)
    one_sentence = story.turns.get(position=5)
    page = readers["amina"].get(reverse("voices:split", args=[one_sentence.pk]))
    assert "This is one sentence" in words_of(page)


def test_one_goes_from_turn_to_turn(readers, story, turn):
    page = readers["amina"].get(reverse("voices:turn", args=[turn.pk])).content.decode()
    before, after = story.turns.get(position=0), story.turns.get(position=2)
    assert f'rel="prev" href="{reverse("voices:turn", args=[before.pk])}"' in page
    assert f'rel="next" href="{reverse("voices:turn", args=[after.pk])}"' in page


def test_the_next_step_comes_first(readers, amina, town, story, quote):
    def step(of: Story) -> str:
        return readers["amina"].get(reverse("voices:story", args=[of.pk])).context["step"]

    assert step(story) == "quotes"
    plain = add_story(amina, town, "Plain", TOLD, "p.txt", b"Hello there.\n\nHello to you.\n\nBye then.")
    assert step(plain) == "trim"
    Turn.objects.filter(story=plain, position=0).update(trimmed=True)
    assert step(plain) == "who"


# Who told it reads it


def test_a_teller_reads_the_story_and_changes_nothing(readers, story, quote):
    assert "Lee’s story" in words_of(readers["lee"].get(reverse("voices:stories")))
    answer = readers["lee"].get(reverse("voices:story", args=[story.pk]) + "?step=who")
    assert answer.context["step"] == "read"
    page = words_of(answer)
    assert "This is your story" in page
    assert "You" in page
    for only_keepers in ("Trim the ends", "Mark or mend", "the file as given", "Save"):
        assert only_keepers not in page


# Voices


def test_everybody_finds_what_they_may_read(readers, amina, lee, town, ward, quote):
    write_down(amina, town, "Too many pods", "note", uses=["public"])
    write_down(amina, town, "Not email", "call", lee, uses=["group"])
    pages = {name: words_of(reader.get("/voices/")) for name, reader in readers.items()}
    said = ("Then Joan", "Then [a name]", "pods", "Not email")
    found = {name: {words for words in said if words in page} for name, page in pages.items()}
    assert found == {
        "amina": {"Then Joan", "pods", "Not email"},
        "lee": {"Then Joan", "pods", "Not email"},
        "marek": {"Then [a name]", "pods"},
        "charlie": {"pods"},
        "visitor": {"pods"},
    }
    assert "Lee" not in words_of(readers["marek"].get("/voices/"))


def test_voices_are_looked_for_by_words_way_and_hub(readers, amina, lee, town, quote):
    write_down(amina, town, "Too many pods", "note", uses=["public"])
    browser = readers["amina"]
    assert "Found: 1 voice." in words_of(browser.get("/voices/", {"q": "PODS"}))
    assert "Then Joan" not in words_of(browser.get("/voices/", {"came_by": "note"}))
    assert "Found: no voices." in words_of(browser.get("/voices/", {"q": "zzz"}))
    assert "Try other words" in words_of(browser.get("/voices/", {"q": "zzz"}))
    assert "Found: 2 voices." in words_of(browser.get("/voices/", {"hub": town.pk}))
    for strange in ({"hub": "x"}, {"came_by": "pigeon"}, {"page": "x"}, {"page": "99"}, {"q": "\0"}):
        assert browser.get("/voices/", strange).status_code == 200
    # Looking does not tell a reader more than reading does.
    assert "Found: no voices." in words_of(readers["visitor"].get("/voices/", {"q": "Joan"}))


def test_nothing_to_read_is_said_kindly(readers):
    assert "Nothing here yet" in words_of(readers["visitor"].get("/voices/"))
    assert "No stories yet" in words_of(readers["amina"].get("/stories/"))
    assert "No story of yours yet" in words_of(readers["charlie"].get("/stories/"))


SAID = {"said_on_day": "3", "said_on_month": "3", "said_on_year": "2026"}


def test_what_somebody_said_is_written_down(readers, lee):
    sent = {"words": "Not email, ever", "person": lee.pk, "came_by": "call", **SAID, "group": "on"}
    answer = readers["amina"].post("/voices/add/", sent, follow=True)
    voice = Voice.objects.get()
    assert answer.redirect_chain[-1][0] == reverse("voices:voice", args=[voice.pk])
    assert (voice.person, voice.came_by, voice.said_on) == (lee, "call", TOLD)
    assert [consent.use for consent in voice.consents.all()] == ["group"]
    nobody = {**sent, "person": "", "another": "yes"}
    del nobody["group"]
    assert readers["amina"].post("/voices/add/", nobody)["Location"] == "/voices/add/"
    assert Voice.objects.filter(person__isnull=True, consents__isnull=True).count() == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"words": " "}, "Write what they said."),
        ({"came_by": ""}, "Choose how it came."),
        ({"said_on_year": "2999"}, "still to come"),
        ({"said_on_day": "31", "said_on_month": "2"}, "no such day"),
        ({"person": "999999"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_with_a_voice_is_said_and_kept(readers, change, says):
    sent = {"words": "Not email, ever", "person": "", "came_by": "call", **SAID, "services": "on", **change}
    answer = readers["amina"].post("/voices/add/", sent)
    assert says in words_of(answer)
    assert sent["words"].strip() in words_of(answer)
    assert answer.context["form"]["services"].value()
    assert not answer.context["form"]["group"].value()
    assert not Voice.objects.exists()


def test_a_person_is_named_only_in_a_hub_of_theirs(readers, amina, lee, ward):
    Membership.objects.create(person=amina, hub=ward, role=Membership.Role.FACILITATOR)
    sent = {"words": "Hello", "person": lee.pk, "came_by": "call", **SAID, "hub": ward.pk}
    assert "not in that hub" in words_of(readers["amina"].post("/voices/add/", sent))


def test_a_trusted_person_does_not_learn_names(joan, lee, signed_in):
    page = signed_in(joan).get("/voices/add/").content.decode()
    assert "Joan" in page
    assert "Lee" not in page


def test_a_member_says_something_new(readers, lee):
    answer = readers["lee"].post("/voices/say/", {"words": "  "})
    assert "Write what you want to say." in words_of(answer)
    answer = readers["lee"].post("/voices/say/", {"words": "Too many pods", "group": "on"}, follow=True)
    voice = Voice.objects.get()
    assert (voice.person, voice.came_by, voice.taken_by) == (lee, "form", lee)
    assert "Thank you." in words_of(answer)


def test_a_voice_shows_each_reader_what_they_may_know(readers, quote, story):
    address = reverse("voices:voice", args=[quote.pk])
    keeper, own, service = (words_of(readers[name].get(address)) for name in ("amina", "lee", "marek"))
    assert "What Lee said" in keeper
    assert "Marked as a quote by Amina" in keeper
    assert "What you said" in own
    assert "Change this" in own
    assert "Marked as a quote by" not in own
    assert "What Somebody in Eastmoor said" in service
    for hidden in ("Lee", "What is allowed", "Change this", "read it in the story", story.title):
        assert hidden not in service


def test_a_quote_leads_to_its_place_in_the_story(readers, quote):
    page = readers["lee"].get(reverse("voices:voice", args=[quote.pk])).content.decode()
    [place] = re.findall(r'href="([^"]*#turn-[^"]*)"', page)
    assert f'id="turn-{quote.turn_id}"' in readers["lee"].get(unescape(place)).content.decode()


def test_changing_ones_mind(readers, lee, quote):
    address = reverse("voices:consent", args=[quote.pk])
    form = readers["lee"].get(address).context["form"]
    assert [form[use].value() for use in ("group", "services", "public")] == [True, True, None]
    answer = readers["lee"].post(address, {}, follow=True)  # nothing ticked is an answer
    assert "Saved. It holds from now on" in words_of(answer)
    assert "Take these words back" in words_of(
        answer
    )  # nothing allowed any more: what is to happen with them?
    assert "taken back" in words_of(readers["lee"].get(reverse("voices:voice", args=[quote.pk])))
    assert readers["marek"].get(reverse("voices:voice", args=[quote.pk])).status_code == 404
    readers["lee"].post(address, {"public": "on"})
    assert "What Lee said" in words_of(readers["visitor"].get(reverse("voices:voice", args=[quote.pk])))


# Pages stay lean


@pytest.mark.parametrize("page", ["/stories/", "/voices/", "trim", "who", "quotes", "turn"])
def test_a_page_asks_as_much_for_many_as_for_one(
    page, readers, amina, lee, town, story, lees, turn, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    address = {
        "turn": reverse("voices:turn", args=[turn.pk]),
        "/stories/": page,
        "/voices/": page,
    }.get(page) or reverse("voices:story", args=[story.pk]) + f"?step={page}"
    mark_quote(amina, turn, Span(0, 34))
    readers["amina"].get(address)
    with CaptureQueriesContext(connection) as one:
        readers["amina"].get(address)
    for number in range(3):
        person = make_person(f"Person {number}", town)
        write_down(amina, town, f"Thing {number}", "call", person)
        more = add_story(amina, town, "More", TOLD, "more.txt", TRANSCRIPT.encode())
        mark_quote(amina, more.turns.get(position=1), Span(0, 34))
        mark_quote(amina, Turn.objects.get(pk=turn.pk), Span(number * 5 + 35, 60))
        Turn.objects.create(story=story, position=10 + number, text=f"Turn {number}.", speaker=lees)
    with django_assert_num_queries(len(one)):
        readers["amina"].get(address)


# Through a trusted person


@pytest.fixture
def through_joan(lee, joan, town):
    mandate = make_mandate(lee, lee, joan, ["speak"])
    return write_down_for(joan, mandate, town, "They never ring back", False, uses=["group"])


def test_a_trusted_person_writes_down_on_their_own_page(lee, joan, town, signed_in):
    mandate = make_mandate(lee, lee, joan, ["speak"])
    browser, page = signed_in(joan), f"/supporting/{mandate.pk}/write-down/"
    assert "I read it back to them" in browser.get(page).content.decode()
    day = {"said_on_day": "1", "said_on_month": "2", "said_on_year": "2026"}
    typed = {"words": "They never ring back", "hub": town.pk, "group": "on", "read_back": "on", **day}
    answer = browser.post(page, typed)
    assert answer.url == f"/supporting/{mandate.pk}/"
    voice = Voice.objects.get()
    assert voice.read_back and voice.through == joan and voice.person == lee
    assert "Read back to them" in browser.get(answer.url).content.decode()


def test_through_whom_shows_to_those_who_may_know(through_joan, lee, joan, amina, town, signed_in):
    page = f"/voices/{through_joan.pk}/"
    curator, member = make_person("Ify", town, Membership.Role.CURATOR), make_person("Sami", town)
    own = signed_in(lee).get(page).content.decode()
    assert "Joan wrote this down for you" in own and "It was not read back to you" in own
    assert "by Joan" in signed_in(amina).get(page).content.decode()
    for reader in (curator, member):
        seen = signed_in(reader).get(page).content.decode()
        assert "through a trusted person" in seen and "Joan" not in seen


def test_a_person_sees_what_was_written_down_for_them_and_takes_it_out(through_joan, lee, signed_in, town):
    browser, reader = signed_in(lee), signed_in(make_person("Sami", town))
    assert "What others wrote down for you" in browser.get("/what-happened/").content.decode()
    assert "Joan wrote this down for you" in browser.get("/voices/for-me/").content.decode()
    page = f"/voices/{through_joan.pk}/"
    assert reader.get(page).status_code == 200
    browser.post(f"{page}not-mine/")
    assert reader.get(page).status_code == 404
    assert "not your words" in browser.get(page).content.decode()
    assert "They never ring back" not in browser.get("/what-happened/").content.decode()

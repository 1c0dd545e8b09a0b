"""Who may explain a word, what stands where, and that asking leaves nothing of who asked."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from PIL import Image

from coproduce.glossary import own
from coproduce.glossary.actions import agree, ask, change, explain, put_aside, remove
from coproduce.glossary.models import Question, Term
from coproduce.glossary.pictures import LARGEST, SIDE, drawn_anew
from coproduce.glossary.today import do_these_first
from coproduce.people.models import Act, Erasure, Membership
from coproduce.people.permissions import NotAllowed
from tests.conftest import make_person
from tests.glossary.conftest import PICTURE, picture

pytestmark = pytest.mark.django_db
Role = Membership.Role


# Explaining


def test_who_decides_explains_at_once_and_a_member_proposes(amina, lee, marek, charlie, town):
    assert explain(amina, town, "ICB", "The people who buy health care.").is_agreed
    proposal = explain(lee, town, "HRS", "Help to keep your home.")
    assert not proposal.is_agreed
    for other in (marek, charlie):
        with pytest.raises(NotAllowed):
            explain(other, town, "CMHT", "A team.")
    with pytest.raises(NotAllowed):
        agree(lee, proposal)
    assert agree(amina, proposal).is_agreed
    assert agree(amina, proposal).is_agreed  # twice changes nothing
    assert Act.objects.filter(verb="agree on").count() == 1


def test_a_proposal_shows_to_who_wrote_it_and_who_decides(amina, lee, joan, town):
    proposal = explain(lee, town, "HRS", "Help to keep your home.")
    seen = {who: Term.objects.visible_to(who).contains(proposal) for who in (amina, lee, joan, None)}
    assert seen == {amina: True, lee: True, joan: False, None: False}
    agree(amina, proposal)
    assert Term.objects.visible_to(None).contains(proposal)
    assert Term.objects.visible_to(joan).contains(proposal)


def test_a_better_explanation_takes_the_place_of_the_one_before(amina, lee, hrs, town):
    better = explain(lee, town, "Housing-Related Support", "A worker who helps you stay.", also="HRS")
    assert agree(amina, better).is_agreed
    assert list(Term.objects.agreed()) == [better]


def test_one_form_is_not_explained_twice_in_a_hub(amina, hrs, town):
    with pytest.raises(ValidationError, match="“hrs” is explained already, under “housing-related support”"):
        explain(amina, town, "HRS", "Something else.")
    with pytest.raises(ValidationError, match="explained already"):
        explain(amina, town, "support", "Help.", also="help, HRS")


def test_a_ward_has_what_the_town_explains_and_its_own_goes_first(amina, hrs, town, ward):
    ify = make_person("Ify", ward, Role.FACILITATOR)
    own_one = explain(ify, ward, "HRS", "Femi’s team, up the stairs.")
    assert list(Term.objects.that_hold_in(ward)) == [own_one, hrs]
    assert list(Term.objects.that_hold_in(town)) == [hrs]


@pytest.mark.parametrize(
    ("word", "explanation", "also", "wrong"),
    [
        ("  ", "It means this.", "", "at least one letter"),
        ("117", "It means this.", "", "at least one letter"),
        ("ICB", "   ", "", "Say what it means"),
        ("ICB", "x" * 601, "", "That is 601 signs long"),
        ("ICB", "It means this.", ", ".join(f"form {n:03}" for n in range(60)), "too many"),
    ],
)
def test_what_cannot_be_kept_is_told(amina, town, word, explanation, also, wrong):
    with pytest.raises(ValidationError, match=wrong):
        explain(amina, town, word, explanation, also)
    assert not Term.objects.exists()


def test_a_word_is_kept_tidy(amina, town):
    term = explain(amina, town, " “ICB”. ", " The people who buy. ", also="care  board; ICBs,, care board")
    assert (term.word, term.also, term.explanation) == ("ICB", "care board, ICBs", "The people who buy.")


def test_only_who_decides_changes_or_takes_away_and_who_proposed_takes_back(amina, lee, joan, hrs, town):
    with pytest.raises(NotAllowed):
        change(lee, hrs, "HRS", "Mine.")
    with pytest.raises(NotAllowed):
        remove(lee, hrs)
    proposal = explain(lee, town, "void", "An empty flat.")
    with pytest.raises(NotAllowed):
        remove(joan, proposal)
    remove(lee, proposal)
    assert change(amina, hrs, "HRS", "Help to stay.").explanation == "Help to stay."
    remove(amina, hrs)
    assert not Term.objects.exists()
    assert "Help" not in str(list(Act.objects.values()))


# Pictures


def test_a_picture_is_drawn_anew_without_where_it_was_taken(amina, town, django_capture_on_commit_callbacks):
    exif = Image.Exif()
    exif[0x0110] = "THE PHONE OF AMINA"
    exif[0x0112] = 6  # lies on its side
    photo = picture("JPEG", (2400, 1200), exif=exif)
    assert b"PHONE OF AMINA" in photo
    term = explain(amina, town, "void", "An empty flat.", picture=photo, picture_shows="A door")
    kept = term.picture.read()
    drawn = Image.open(io.BytesIO(kept))
    assert drawn.format == "WEBP" and drawn.size == (SIDE // 2, SIDE)
    assert b"AMINA" not in kept and not drawn.getexif()
    first = term.picture.name
    with django_capture_on_commit_callbacks(execute=True):
        change(amina, term, "void", "An empty flat.", picture=PICTURE, picture_shows="A window")
    assert not default_storage.exists(first) and default_storage.exists(term.picture.name)
    second = term.picture.name
    with django_capture_on_commit_callbacks(execute=True):
        change(amina, term, "void", "An empty flat.", no_picture=True)
    assert not default_storage.exists(second)
    assert (Term.objects.get().picture.name, Term.objects.get().picture_shows) == ("", "")


def test_changing_the_words_keeps_the_picture(amina, town):
    term = explain(amina, town, "void", "An empty flat.", picture=PICTURE, picture_shows="A door")
    change(amina, term, "void", "A flat nobody lives in.")
    assert Term.objects.get().picture and Term.objects.get().picture_shows == "A door"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_three_kinds_of_picture_are_read(kind):
    assert Image.open(io.BytesIO(drawn_anew(picture(kind)))).size == (60, 40)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"not a picture", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "not a picture"),
        (picture("GIF"), "not a picture"),
        (picture("PNG")[:60], "not a picture"),
        (b"\x00" * (LARGEST + 1), "larger than 8 MB"),
        (picture("PNG", (8000, 6000)), "too many points"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(content, wrong):
    with pytest.raises(ValidationError, match=wrong):
        drawn_anew(content)


def test_a_picture_says_what_it_shows(amina, town):
    with pytest.raises(ValidationError, match="people who can’t see it"):
        explain(amina, town, "void", "An empty flat.", picture=PICTURE)


# Asking


def test_asking_keeps_the_word_the_place_and_the_day_and_nothing_else(town):
    for _ in range(3):
        ask(town, "“ICB”", "topic")
    ask(town, "icb", "change")
    assert set(Question.objects.values_list("word", "where", "times_asked")) == {
        ("ICB", "topic", 3),
        ("ICB", "change", 1),
    }
    kept = {field.name for field in Question._meta.get_fields()}
    assert kept == {"id", "hub", "word", "where", "day", "times_asked"}
    assert type(Question.objects.first().day) is dt.date
    assert not Act.objects.filter(thing__contains="question").exists()


def test_asking_about_what_is_explained_gives_the_explanation(hrs, town, ward):
    assert ask(ward, "hrs") == hrs
    assert not Question.objects.exists()


@pytest.mark.parametrize(
    "word", ["", "  ", "117", "<b>x</b>", "a" * 61, "my number is 07700 900123, ring me", "a\x00b"]
)
def test_only_a_word_can_be_asked_about(town, word):
    with pytest.raises(ValidationError):
        ask(town, word)


def test_explaining_a_word_answers_who_asked_here_and_below(amina, lee, town, ward):
    for hub in (town, ward):
        ask(hub, "icb")
        ask(hub, "void")
    proposal = explain(lee, town, "integrated care board", "They buy health care.", also="ICB")
    assert Question.objects.count() == 4
    agree(amina, proposal)
    assert set(Question.objects.values_list("word", flat=True)) == {"void"}


def test_a_word_is_put_aside_by_who_decides(amina, lee, town):
    question = ask(town, "Tuesday")
    with pytest.raises(NotAllowed):
        put_aside(lee, question)
    put_aside(amina, question)
    assert not Question.objects.exists()


# Through every room


def test_what_waits_is_on_the_page_of_the_day_of_who_decides(amina, lee, town):
    ask(town, "ICB")
    explain(lee, town, "HRS", "Help.")
    assert [todo.title for todo in do_these_first(amina)] == ["Look at 1 explanation", "Explain 1 word"]
    assert do_these_first(lee) == []


def test_erased_their_proposals_go_and_what_the_group_agreed_on_stays_nameless(amina, lee, town):
    waits = explain(lee, town, "void", "An empty flat.", picture=PICTURE, picture_shows="A door")
    agreed = agree(amina, explain(lee, town, "HRS", "Help to stay.", example="Femi and me"))
    assert own.erase(lee, Erasure.Choice.TAKE_OUT) == [waits.picture.name]
    [left] = Term.objects.all()
    assert (left.pk, left.explanation, left.example, left.written_by) == (
        agreed.pk,
        "Help to stay.",
        "",
        None,
    )

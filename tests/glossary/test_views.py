"""Looking a word up, asking about it, explaining it, and looking over a text that is about to go out."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from coproduce.agenda.actions.topics import decide, raise_topic
from coproduce.changes.actions import record_change, word_clause
from coproduce.glossary.actions import ask, explain
from coproduce.glossary.models import Question, Term
from coproduce.hearback.actions import write_update
from tests.glossary.conftest import PICTURE

pytestmark = pytest.mark.django_db


def read(client, path, **data):
    answer = client.get(path, data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_visitor_looks_a_word_up(hrs, client):
    page = read(client, "/words/")
    assert "housing-related support" in page and "also HRS" in page and "Help to keep your home" in page
    assert "Explain a word" not in page
    assert "Help to keep your home" in read(client, "/words/", q="hrs")
    assert "For example" in read(client, f"/words/{hrs.pk}/")


def test_a_visitor_asks_and_nothing_tells_who(town, client, django_assert_max_num_queries):
    assert "“ICB” is not explained yet" in read(client, "/words/", q="ICB", hub=town.pk)
    page = client.post("/words/ask/", {"word": "ICB", "hub": town.pk, "from": "topic"}, follow=True)
    assert "Nobody sees who asked" in page.content.decode()
    assert list(Question.objects.values_list("word", "where", "times_asked")) == [("ICB", "topic", 1)]
    refused = client.post("/words/ask/", {"word": "07700 900123"}, follow=True).content.decode()
    assert "That has no letters" in refused


def test_asking_about_an_explained_word_leads_to_it(hrs, client, town):
    answer = client.post("/words/ask/", {"word": "hrs", "hub": town.pk}, follow=True)
    assert answer.redirect_chain[-1][0] == f"/words/{hrs.pk}/"


def test_one_address_can_t_ask_without_end(town, client, monkeypatch):
    monkeypatch.setattr("coproduce.glossary.views.ASKED_AN_HOUR", 2)
    for word in ("one", "two", "three"):
        page = client.post("/words/ask/", {"word": word, "hub": town.pk}, follow=True).content.decode()
    assert "Wait a while" in page
    assert Question.objects.count() == 2


def test_a_member_proposes_and_a_facilitator_says_yes(amina, lee, town, signed_in, client):
    ask(town, "HRS")
    browser = signed_in(lee)
    assert "HRS" in read(browser, "/words/asked/")
    page = read(browser, "/words/explain/", word="HRS", hub=town.pk)
    assert 'value="HRS"' in page and "reads it first" in page
    typed = {"word": "HRS", "explanation": "Help to keep your home.", "hub": town.pk}
    page = browser.post("/words/explain/", typed, follow=True).content.decode()
    assert "The group decides" in page and "Yes, that is how we say it" not in page
    term = Term.objects.get()
    assert client.get(f"/words/{term.pk}/").status_code == 404
    keeper = signed_in(amina)
    assert "Look at 1 explanation" in read(keeper, "/")
    assert "Yes, that is how we say it" in read(keeper, f"/words/{term.pk}/")
    keeper.post(f"/words/{term.pk}/agree/")
    assert "Help to keep your home" in read(client, f"/words/{term.pk}/")
    assert "Nobody is waiting" in read(keeper, "/words/asked/")


def test_what_was_typed_is_kept_when_something_is_wrong(amina, hrs, town, signed_in):
    browser = signed_in(amina)
    typed = {"word": "HRS", "explanation": "Other words.", "example": "Like this.", "hub": town.pk}
    page = browser.post("/words/explain/", typed).content.decode()
    assert "is explained already, under “housing-related support”" in page
    assert "Other words." in page and "Like this." in page
    file = SimpleUploadedFile("x.png", b"no picture", "image/png")
    page = browser.post(
        "/words/explain/", typed | {"word": "void", "picture": file, "picture_shows": "A door"}
    )
    assert "not a picture that we can read" in page.content.decode()
    file = SimpleUploadedFile("x.png", PICTURE, "image/png")
    page = browser.post("/words/explain/", typed | {"word": "", "picture": file, "picture_shows": "A door"})
    assert "Choose the picture once more" in page.content.decode()


def test_a_picture_is_shown_with_what_it_shows(amina, town, signed_in, client):
    file = SimpleUploadedFile("x.png", PICTURE, "image/png")
    typed = {
        "word": "void",
        "explanation": "An empty flat.",
        "picture": file,
        "picture_shows": "A door",
        "hub": town.pk,
    }
    signed_in(amina).post("/words/explain/", typed)
    term = Term.objects.get()
    assert 'alt="A door"' in read(client, f"/words/{term.pk}/")
    shown = client.get(f"/words/{term.pk}/picture/")
    assert shown["Content-Type"] == "image/webp" and shown["X-Content-Type-Options"] == "nosniff"
    assert b"".join(shown.streaming_content)[8:12] == b"WEBP"


def test_the_groups_own_words_explain_themselves_on_its_pages(amina, marek, hrs, town, client):
    topic = raise_topic(amina, town, "HRS", "HRS is going.")
    decide(amina, topic, "working", "We ask about HRS.")
    change = record_change(amina, town, "A worker", "HRS stays.", "clause", note="HRS was talked about.")
    word_clause(marek, change, "The HRS contract", "4.2", "HRS for 6 months", "HRS as long as needed")
    write_update(amina, change, "News", "HRS stays for good.")
    page = read(client, f"/topics/{topic.pk}/")
    assert page.count("<dfn>HRS</dfn>") == 2 and page.count("Help to keep your home") == 1
    page = read(client, f"/changes/{change.pk}/")
    assert page.count("Help to keep your home") == 1
    assert page.count("<dfn>HRS</dfn>") >= 4  # summary, clause, step, update
    assert f"/words/?hub={town.pk}&amp;from=change" in page


def test_what_is_being_written_is_looked_over_and_nothing_is_kept(amina, hrs, town, signed_in):
    browser = signed_in(amina)
    words = {"words": "HRS needs a robust governance framework. <script>alert(1)</script>", "other": "CMHT"}
    address = f"{reverse('glossary:check')}?of=words&hub={town.pk}"
    page = browser.post(address, words).content.decode()
    assert "<!DOCTYPE html>" in page and "governance framework" in page and "CMHT" not in page
    assert "Explained where they stand: housing-related support" in " ".join(page.split())
    part = browser.post(address, words, headers={"HX-Request": "true"}).content.decode()
    assert "<!DOCTYPE" not in part and "governance framework" in part and "<script>" not in part
    assert not Question.objects.exists()


def test_before_an_update_goes_out_it_says_which_words_nobody_has_explained(amina, hrs, town, signed_in):
    change = record_change(amina, town, "A worker", "HRS stays.", "policy")
    typed = {"title": "News", "text": "The procurement of HRS goes to the ICB.", "look": ""}
    page = signed_in(amina).post(reverse("hearback:write", args=[change.pk]), typed)
    said = page.content.decode().split("Say these in other words, or explain them:")[1].split("</p>")[0]
    assert "procurement" in said and "ICB" in said and "HRS" not in said


@pytest.mark.parametrize("many", [1, 3])
def test_pages_ask_the_same_of_the_database_with_one_word_and_with_three(
    many, amina, lee, town, signed_in, django_assert_max_num_queries
):
    for number in range(many):
        explain(amina, town, f"word {'abc'[number]}", "It means this.")
        explain(lee, town, f"other {'abc'[number]}", "It means that.")
        ask(town, f"asked {'abc'[number]}")
    browser = signed_in(amina)
    for path in ("/words/", "/words/asked/"):
        with django_assert_max_num_queries(14):
            read(browser, path)

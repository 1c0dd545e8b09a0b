"""Paper: the sheet, typing it in fast, and a table that is looked at before it counts."""

from __future__ import annotations

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pypdf import PdfReader

from coproduce.consensus import actions, voting
from coproduce.consensus.models import Vote, Voter

pytestmark = pytest.mark.django_db


@pytest.fixture
def sheet(amina, conversation, statements):
    return voting.make_sheet(amina, conversation)


def test_the_sheet_has_its_code_and_every_statement_and_is_tagged(
    amina, conversation, sheet, statements, signed_in
):
    answer = signed_in(amina).get(f"/common-ground/sheets/{sheet.pk}/sheet.pdf")
    read = PdfReader(io.BytesIO(answer.content))
    text = "".join(page.extract_text() for page in read.pages)
    assert sheet.code in text and all(one.words in text for one in statements)
    assert read.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert voting.make_sheet(amina, conversation) == sheet, "with the same statements it is the same sheet"


def test_what_was_taken_out_since_is_left_out_of_the_sheet_and_of_what_counts(
    amina, conversation, sheet, statements, signed_in
):
    actions.take_out(amina, statements[1], "It names somebody.")
    browser = signed_in(amina)
    text = "".join(
        page.extract_text()
        for page in PdfReader(
            io.BytesIO(browser.get(f"/common-ground/sheets/{sheet.pk}/sheet.pdf").content)
        ).pages
    )
    assert statements[1].words not in text and "Leave this line out." in text
    browser.post(
        f"/common-ground/{conversation.pk}/type-in/",
        {"code": sheet.code, "marks": "ada", "save": "yes", "key": "k"},
    )
    assert set(Vote.objects.values_list("statement", flat=True)) == {statements[0].pk, statements[2].pk}


def test_a_sheet_is_read_back_before_it_counts_and_counts_once(
    amina, lee, conversation, sheet, statements, signed_in
):
    browser, path = signed_in(amina), f"/common-ground/{conversation.pk}/type-in/"
    typed = {"code": f" {sheet.code.lower()} ", "marks": "a.p"}
    page = browser.post(path, typed).content.decode()
    assert "Is this what the sheet says?" in page and not Vote.objects.exists()
    key = re.search(r'name="key" value="(\w+)"', page)[1]
    for _twice in range(2):
        answer = browser.post(path, {**typed, "key": key, "save": "yes"})
    assert "number 1 on the sheet" in browser.get(answer.url).content.decode()
    assert dict(Vote.objects.values_list("statement", "choice")) == {statements[0].pk: 1, statements[2].pk: 0}
    browser.post(path, {**typed, "person": lee.pk, "key": "other", "save": "yes"})
    assert Voter.objects.filter(person=lee, votes__way="paper").exists()


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"marks": "aax"}, "Place 3"),
        ({"marks": "aa"}, "has 3 statements"),
        ({"marks": "..."}, "Nothing is ticked"),
        ({"marks": "aaa", "code": "ZZZZ"}, "No sheet of this conversation has the code ZZZZ"),
    ],
)
def test_what_is_wrong_on_a_sheet_is_told_and_kept(amina, conversation, sheet, signed_in, typed, wrong):
    page = (
        signed_in(amina)
        .post(f"/common-ground/{conversation.pk}/type-in/", {"code": sheet.code, **typed})
        .content.decode()
    )
    assert wrong in page and f'value="{typed["marks"]}"' in page
    assert not Vote.objects.exists()


def bring(browser, conversation, text: str):
    file = SimpleUploadedFile("votes.csv", text.encode())
    return browser.post(f"/common-ground/{conversation.pk}/bring/", {"file": file}).content.decode()


def test_a_table_is_shown_before_it_counts_and_counts_once(amina, lee, conversation, statements, signed_in):
    browser = signed_in(amina)
    one, two, three = (statement.pk for statement in statements)
    page = bring(browser, conversation, f"name,{one},{two},{three}\nLee,agree,pass,\n,d,,a\n")
    assert "Nothing of it counts yet" in page and not Vote.objects.exists()
    packed = re.search(r'name="table" value="([^"]+)"', page)[1]
    for _twice in range(2):
        browser.post(f"/common-ground/{conversation.pk}/count/", {"table": packed})
    assert Vote.objects.count() == 4 and Voter.objects.count() == 2
    assert set(Vote.objects.filter(voter__person=lee).values_list("choice", flat=True)) == {1, 0}


def test_what_is_wrong_in_a_table_is_told_by_line_and_the_rest_can_count(
    amina, conversation, statements, signed_in
):
    browser, one = signed_in(amina), statements[0].pk
    page = bring(browser, conversation, f"name,{one}\nLee,agree\nNobody,agree\nLee,d\n,perhaps\n,p\n")
    for told in (
        "Line 3: nobody here is called",
        "Line 4: “Lee” stands in the table twice",
        "Line 5, column B",
    ):
        assert told in page
    assert "Let these 2 lines count" in page
    assert (
        "Choose the file first" in browser.post(f"/common-ground/{conversation.pk}/bring/").content.decode()
    )
    assert "No column" in bring(browser, conversation, "name\nLee\n")


def test_what_was_not_shown_to_oneself_never_counts(amina, conversation, statements, signed_in):
    browser = signed_in(amina)
    answer = browser.post(f"/common-ground/{conversation.pk}/count/", {"table": "made:up:signature"})
    assert "open too long" in browser.get(answer.url).content.decode()
    assert not Vote.objects.exists()


def test_the_empty_table_is_one_that_we_read(amina, conversation, statements, signed_in):
    browser = signed_in(amina)
    for query in ("", "?excel=yes"):
        data = browser.get(f"/common-ground/{conversation.pk}/table/{query}").content
        file = SimpleUploadedFile("votes.xlsx" if query else "votes.csv", data)
        page = browser.post(f"/common-ground/{conversation.pk}/bring/", {"file": file}).content.decode()
        assert "no line with votes" in page

"""Words are explained where they stand, and the text stays what it was, to the letter."""

from __future__ import annotations

import html
import re

import pytest
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from coproduce.engine.plainwords import Known
from coproduce.glossary.actions import explain
from coproduce.glossary.explained import Glossary, check, explanations_for, unexplained
from coproduce.glossary.models import Term
from coproduce.glossary.templatetags import glossary as tags
from coproduce.people.models import Hub

pytestmark = pytest.mark.django_db
SAYS = Template(
    "{% load glossary %}{% explained text hub inline=True %}|{% explained more hub inline=True %}"
)
MEANS = re.compile(r'<span class="term__means".*?</span></span>')


def page(hub, text, more=""):
    return SAYS.render(RequestContext(RequestFactory().get("/"), {"text": text, "more": more, "hub": hub}))


def test_a_word_carries_its_explanation_where_it_first_stands(hrs, town):
    shown = page(town, "HRS is cut. No HRS!", "Who has HRS?")
    assert shown.count("<dfn>HRS</dfn>") == 2  # once a text
    assert shown.count("Help to keep your home") == 1  # once a page
    assert shown.count(f'popovertarget="means-{hrs.pk}"') == 2
    assert ">An example<" in shown and f'href="/words/{hrs.pk}/"' in shown


def test_without_a_page_it_is_explained_as_well(hrs, town):
    shown = SAYS.render(Context({"text": "HRS", "more": "HRS", "hub": town}))
    assert shown.count("Help to keep your home") == 2


def test_what_is_only_proposed_explains_nothing(lee, town):
    explain(lee, town, "HRS", "Mine.")
    assert "Mine" not in page(town, "HRS")


def test_in_paragraphs(hrs, town):
    whole = Template("{% load glossary %}{% explained text hub %}").render(
        Context({"text": "One\r\nline.\n\nHRS <b>", "hub": town})
    )
    assert whole.startswith("<p>One<br>line.</p>") and whole.endswith("&lt;b&gt;</p>")


PIECES = [
    "HRS",
    "housing-related support",
    "housing related\nsupport",
    "<b>",
    "&amp;",
    "&",
    "“",
    '"',
    "'s",
    " ",
    "x",
    "\n",
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=15).map("".join))
@settings(deadline=None, max_examples=80)
def test_the_letters_stay_as_they_are_and_nothing_in_them_runs(text):
    words = Glossary(None)
    term = Term(pk=7, word="housing-related support", also="HRS", explanation="Help <i>to</i> stay.")
    words._terms = {tags.glossary._looked_for(term): term}
    words.known = Known(words._terms)
    context = Context({})
    request = RequestFactory().get("/")
    request.__dict__["_glossaries"] = {1: words}
    context.request = request
    shown = str(tags.explained(context, text, Hub(pk=1), inline=True))
    without = re.sub(r"</?(?:button|dfn)[^>]*>", "", MEANS.sub("", shown))
    assert html.unescape(without) == text
    assert "<i>" not in shown and "<b>" not in shown.replace("<b>housing", "").replace(
        '<b class="term__same">', ""
    )


def test_for_the_foot_of_a_letter_each_is_told_once_in_order(amina, hrs, town):
    void = explain(amina, town, "void", "An empty flat.")
    assert explanations_for("A void. HRS. Two voids and HRS.", town) == [void, hrs]
    assert explanations_for("Nothing here.", town) == []


def test_what_nobody_has_explained_is_told_with_what_the_text_says_of_it(hrs, town):
    text = "HRS and the integrated care board (ICB) met in Eastmoor. The ICB liaised. The ICB left."
    words = [(each.word, each.stands_for) for each in unexplained(text, town)]
    assert words == [("integrated care board", ""), ("ICB", "integrated care board"), *words[2:]]
    assert {word for word, _ in words} <= {"integrated care board", "ICB", "liaised"}


def test_a_text_is_looked_over_before_it_goes_out(hrs, town):
    hard = (
        "The multi-agency partnership will facilitate the reconfiguration of commissioned provision " * 4
        + "."
    )
    told = check(f"{hard} HRS ends.", town)
    assert told.is_old and told.explained == [hrs] and len(told.long_sentences) == 1
    plain = check("We will ring you on Monday. Then we will come to your home and have tea. " * 4, town)
    assert (plain.words, plain.is_old, plain.long_sentences) == ([], False, [])
    assert check("", None).age is None


def test_one_query_a_page_however_many_texts(hrs, town, django_assert_num_queries):
    with django_assert_num_queries(1):
        page(town, "HRS", "HRS again")

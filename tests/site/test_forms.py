"""Forms: what a plain Django form comes out as, and how a date is read."""

import re
from datetime import date
from html.parser import HTMLParser

import pytest
from django import forms

from coproduce.people.forms import DateField, TypedDate
from coproduce.site.forms import Renderer


class Say(forms.Form):
    words = forms.CharField(
        label="What do you want to say?", widget=forms.Textarea, help_text="In your own words."
    )
    name = forms.CharField(label="What are you called?", required=False)
    email = forms.EmailField(label="Your email")
    how = forms.ChoiceField(
        label="How?", choices=[("text", "By text"), ("post", "By letter")], widget=forms.RadioSelect
    )
    allow = forms.MultipleChoiceField(
        label="Who may see it?",
        choices=[("group", "The group")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    when = DateField(label="When was it?", help_text="About is good enough.")
    file = forms.FileField(label="A letter", required=False)
    sure = forms.BooleanField(label="It was read back", help_text="Tick it then.")
    token = forms.CharField(widget=forms.HiddenInput, required=False)

    default_renderer = Renderer


class Ids(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.ids, self.described, self.labels, self.hrefs = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        self.described += (attrs.get("aria-describedby") or "").split()
        if tag == "label":
            self.labels.append(attrs.get("for"))
        if (attrs.get("href") or "").startswith("#"):
            self.hrefs.append(attrs["href"][1:])


@pytest.mark.parametrize("data", [None, {}], ids=["new", "with errors"])
def test_every_label_hint_error_and_link_leads_to_something(data):
    html = Ids(str(Say(data)))
    assert len(html.ids) == len(set(html.ids))
    assert set(html.described) <= set(html.ids)
    assert set(html.labels) <= set(html.ids)
    assert set(html.hrefs) <= set(html.ids)
    assert ("id_words_helptext" in html.described) and (
        ("id_words_error" in html.described) == (data is not None)
    )


def test_it_comes_out_as_what_people_know():
    html = str(Say())
    for block in (
        "govuk-input",
        "govuk-textarea",
        "govuk-radios__input",
        "govuk-checkboxes__input",
        "govuk-date-input",
        "file-upload",
    ):
        assert block in html, block
    assert "govuk-error" not in html
    assert " required" not in html and "style=" not in html  # the browser's own bubbles; the content policy
    assert html.count("(optional)") == 3  # name, allow, file


def test_what_is_wrong_stands_at_the_top_with_the_way_to_it():
    html = str(Say({}))
    summary = html[html.index("There is a problem") : html.index("</ul>")]
    assert '<a href="#id_words">What do you want to say: Please fill this in</a>' in summary
    assert '<a href="#id_how_0">How: Please choose one</a>' in summary
    assert '<a href="#id_when_day">' in summary
    assert "Please tick this" in summary
    assert "This field is required" not in html


def test_what_was_typed_is_still_there():
    html = str(
        Say(
            {
                "words": "<b>Dogs</b>",
                "how": "post",
                "when_day": "31",
                "when_month": "Febuary",
                "when_year": "2026",
            }
        )
    )
    assert "&lt;b&gt;Dogs&lt;/b&gt;" in html
    assert re.search(r'value="post"[^>]* checked', html)
    assert 'value="Febuary"' in html and "Write the month as a number or a word" in html
    assert (
        html.count("govuk-date-input__input govuk-input--width-5 govuk-input--error") == 1
    )  # the month, and only it


def test_errors_of_the_whole_form_are_said_once():
    form = Say({})
    form.add_error(None, "You have said this already.")
    assert str(form).count("You have said this already.") == 1


class OneDay(forms.Form):
    when = DateField(required=False)


def read(day="", month="", year=""):
    form = OneDay({"when_day": day, "when_month": month, "when_year": year})
    return form.cleaned_data["when"] if form.is_valid() else form.errors["when"][0]


@pytest.mark.parametrize("month", ["3", "03", "March", "march", "Mar", "mar."])
def test_a_date_is_read_as_people_write_it(month):
    assert read("14", month, "2026") == date(2026, 3, 14)


def test_a_date_may_be_left_out_or_come_in_one_piece():
    assert read() is None
    form = OneDay({"when": "2026-03-14"})
    assert form.is_valid() and form.cleaned_data["when"] == date(2026, 3, 14)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("", "3", "2026"), "day as well"),
        (("14", "", "2026"), "month as well"),
        (("14", "3", ""), "year as well"),
        (("x", "3", "2026"), "day as a number"),
        (("32", "3", "2026"), "day as a number"),
        (("14", "13", "2026"), "month as a number or a word"),
        (("14", "3", "26"), "all four numbers"),
        (("31", "2", "2026"), "no such day"),
        (("0", "2", "2026"), "day as a number"),
        (("14", "3", "0000"), "no such day"),
        (("²", "3", "2026"), "day as a number"),
        (("9" * 5000, "3", "2026"), "day as a number"),
    ],
)
def test_a_date_that_is_none_says_what_to_do(typed, said):
    assert said in read(*typed)


def test_a_date_that_is_there_is_shown_and_known_to_be_unchanged():
    html = str(OneDay(initial={"when": date(2026, 3, 4)}))
    assert 'value="4"' in html and 'value="3"' in html and 'value="2026"' in html
    form = OneDay(
        {"when_day": "4", "when_month": "March", "when_year": "2026"}, initial={"when": date(2026, 3, 4)}
    )
    assert not form.has_changed()
    assert OneDay.base_fields["when"].to_python(TypedDate("4", "Sept", "2026")) == date(2026, 9, 4)

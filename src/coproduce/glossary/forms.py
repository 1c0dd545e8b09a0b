from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from coproduce.glossary.models import Term
from coproduce.glossary.pictures import LARGEST
from coproduce.people.forms import ActionForm, hubs_to_choose
from coproduce.people.models import Person


class TermForm(ActionForm):
    """What a word means."""

    word = forms.CharField(label=_("Which word?"), max_length=80)
    explanation = forms.CharField(
        label=_("What does it mean?"),
        help_text=_("Say it as you would to a friend, in a sentence or two."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    also = forms.CharField(
        label=_("Other ways people write it"),
        help_text=_("With commas between, like “ICB, care board”."),
        max_length=300,
        required=False,
    )
    example = forms.CharField(
        label=_("An example"),
        help_text=_("From life, if you can. Name nobody."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    picture = forms.FileField(
        label=_("A picture"),
        help_text=_("A PNG, JPEG or WebP file, if a picture says it better. Choose one that shows nobody."),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )
    picture_shows = forms.CharField(
        label=_("What does the picture show?"),
        help_text=_("For people who can’t see it. Leave it empty if there is no picture."),
        max_length=200,
        required=False,
    )

    def clean_picture(self) -> bytes:
        given = self.cleaned_data["picture"]
        return given.read(LARGEST + 1) if given else b""

    def clean(self) -> dict[str, Any]:
        if self.errors and self.cleaned_data.get("picture"):
            self.add_error(
                "picture", _("Choose the picture once more. Browsers forget it when a page comes back.")
            )
        return self.cleaned_data


class ExplainForm(TermForm):
    def __init__(self, by: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hub"] = hubs_to_choose(by, "say what a word means")
        self.order_fields(["hub"])


class ChangeForm(TermForm):
    no_picture = forms.BooleanField(label=_("Take the picture off"), required=False)

    def __init__(self, term: Term, data: Any = None, files: Any = None) -> None:
        names = ("word", "explanation", "also", "example", "picture_shows")
        super().__init__(data, files, initial={name: getattr(term, name) for name in names})
        if term.picture:
            self.fields["picture"].label = _("Another picture")
        else:
            del self.fields["no_picture"]

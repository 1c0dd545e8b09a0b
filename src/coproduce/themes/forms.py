"""What is asked when people make sense of what was said."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from coproduce.people.forms import ActionForm, hubs_to_choose
from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where
from coproduce.themes.models import Theme
from coproduce.voices.models import Voice


def themes_to_choose(person: Person) -> QuerySet[Theme]:
    """Standing themes that this person may put voices in."""
    return Theme.objects.standing().filter(hub__in=hubs_where(person, "make sense"))


class NameForm(ActionForm):
    name = forms.CharField(
        label=_("What do you call it?"),
        help_text=_("A few words that people themselves use."),
        max_length=160,
    )
    about = forms.CharField(
        label=_("What does it say, in a sentence?"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class MakeForm(NameForm):
    def __init__(self, by: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hub"] = hubs_to_choose(by, "make sense")
        self.order_fields(["hub"])


class TickedForm(ActionForm):
    """The quotes that somebody ticked, and the button they pressed: each needs something else besides."""

    needed_sometimes = ("into", "name")
    voices = forms.ModelMultipleChoiceField(
        Voice.objects.none(),
        label="",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Tick the quotes first."),
            "invalid_choice": _("That quote is not here any more."),
        },
    )
    into = forms.ModelChoiceField(
        Theme.objects.none(), label=_("Which theme?"), empty_label=_("Choose a theme")
    )
    name = forms.CharField(label=_("What do you call the new theme?"), max_length=160)

    def __init__(self, voices: QuerySet[Voice], themes: QuerySet[Theme], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["voices"].queryset = voices  # type: ignore[attr-defined]
        self.fields["into"].queryset = themes  # type: ignore[attr-defined]
        self.ticked = set(self.data.getlist("voices")) if self.is_bound else set()  # type: ignore[attr-defined]

    @property
    def button(self) -> str:
        return str(self.data.get("do", ""))

    def clean(self) -> dict[str, Any]:
        if self.button in {"put", "move"} and not self.cleaned_data.get("into") and "into" not in self.errors:
            self.add_error("into", _("Choose the theme they belong in."))
        if (
            self.button in {"make", "split"}
            and not self.cleaned_data.get("name")
            and "name" not in self.errors
        ):
            self.add_error("name", _("Give the new theme a name."))
        return self.cleaned_data


class MakeOfTickedForm(TickedForm):
    """Voices of the pool. A new theme also needs its hub."""

    def __init__(self, by: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hub"] = hubs_to_choose(by, "make sense")

"""What is asked when people make sense of what was said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.people.forms import ActionForm, DateField, hubs_to_choose
from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where
from coproduce.themes.models import KeyMessage, Outcome, Proposal, ProposedTheme, SenseMaking, Theme
from coproduce.voices.models import Story, Use, Voice

IN_A_LIST = 60  # themes; with more, one types the name


def themes_to_choose(person: Person) -> QuerySet[Theme]:
    """Standing themes that this person may put voices in."""
    return Theme.objects.standing().filter(hub__in=hubs_where(person, "make sense"))


def first_few(things: QuerySet[Any], also: Iterable[Any] = ()) -> QuerySet[Any]:
    """As many as can be looked through in a list, and those that were chosen before."""
    few = [*things.values_list("pk", flat=True)[:IN_A_LIST], *(thing.pk for thing in also)]
    return things.model._default_manager.filter(pk__in=few)


class ThemeField(forms.ModelChoiceField):
    """One of the themes: from a list, or where there are too many for a list, by typing its name."""

    default_error_messages = {
        "several": _("Several themes have these words: %(names)s. Write the whole name."),
        "none": _("No theme is called ‘%(name)s’. Look at how it is written on the board."),
    }

    def choose_from(self, themes: QuerySet[Theme]) -> None:
        self.queryset = themes
        if themes[: IN_A_LIST + 1].count() > IN_A_LIST:
            self.widget = forms.TextInput()
            self.help_text = _("Write its name, or some words of it that no other theme has.")

    def to_python(self, value: Any) -> Any:
        if not isinstance(self.widget, forms.TextInput) or not value or str(value).isdecimal():
            return super().to_python(value)
        name, themes = str(value).strip(), self.queryset
        assert themes is not None
        found = list(themes.filter(name__iexact=name)[:2]) or list(themes.filter(name__icontains=name)[:4])
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(f"‘{theme}’" for theme in found)
            raise ValidationError(self.error_messages["several"], params={"names": names})
        raise ValidationError(self.error_messages["none"], params={"name": name})


class SeenForm(ActionForm):
    """A form on a page that others may change meanwhile: it sends back the last act that the page showed."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)


class NameForm(SeenForm):
    name = forms.CharField(
        label=_("What do you call it?"),
        help_text=_("A few words that people themselves use."),
        max_length=160,
    )
    about = forms.CharField(
        label=_("What does it say, in a sentence?"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class MakeForm(NameForm):
    seen = None  # type: ignore[assignment]

    def __init__(self, by: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hub"] = hubs_to_choose(by, "make sense")
        self.order_fields(["hub"])


class TickedForm(SeenForm):
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
    into = ThemeField(Theme.objects.none(), label=_("Which theme?"), empty_label=_("Choose a theme"))
    name = forms.CharField(label=_("What do you call the new theme?"), max_length=160)

    def __init__(self, voices: QuerySet[Voice], themes: QuerySet[Theme], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["voices"].queryset = voices  # type: ignore[attr-defined]
        self.fields["into"].choose_from(themes)  # type: ignore[attr-defined]
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


# What the machine proposes


class ProposedForm(ActionForm):
    """Which of the voices of a proposed theme belong, and what becomes of it: a theme, or part of one there is."""

    needed_sometimes = ("voices", "into", "name")
    name = forms.CharField(
        label=_("What do you call it?"),
        help_text=_(
            "The machine only lists words that stand out. Give it a name that people themselves use."
        ),
        max_length=160,
    )
    about = forms.CharField(
        label=_("What does it say, in a sentence?"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    voices = forms.ModelMultipleChoiceField(
        Voice.objects.none(),
        label="",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("That quote is not here any more.")},
    )
    others = forms.BooleanField(required=False)
    into = ThemeField(Theme.objects.none(), label=_("Which theme?"), empty_label=_("Choose a theme"))

    def __init__(
        self,
        proposed: ProposedTheme,
        voices: QuerySet[Voice],
        themes: QuerySet[Theme],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        kwargs["initial"] = {"name": proposed.label, "others": True}
        super().__init__(*args, **kwargs)
        self.fields["voices"].queryset = voices  # type: ignore[attr-defined]
        self.fields["into"].choose_from(themes)  # type: ignore[attr-defined]

    @property
    def button(self) -> str:
        return str(self.data.get("do", ""))

    def clean(self) -> dict[str, Any]:
        if self.button == "make" and not self.cleaned_data.get("name") and "name" not in self.errors:
            self.add_error("name", _("Give the theme a name."))
        if self.button == "put" and not self.cleaned_data.get("into") and "into" not in self.errors:
            self.add_error("into", _("Choose the theme they belong in."))
        return self.cleaned_data


class ProposalsForm(ActionForm):
    """The proposals that somebody answers at once."""

    proposals = forms.ModelMultipleChoiceField(
        Proposal.objects.none(),
        label="",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Tick the voices first."),
            "invalid_choice": _("Somebody else decided on one of these meanwhile. Look at what is left."),
        },
    )

    def __init__(self, proposals: QuerySet[Proposal], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["proposals"].queryset = proposals  # type: ignore[attr-defined]

    @property
    def button(self) -> str:
        return str(self.data.get("do", ""))


# Together


class SessionForm(ActionForm):
    name = forms.CharField(
        label=_("What do you call this session?"),
        help_text=_("For example: What we heard about moving in."),
        max_length=160,
    )
    on = DateField(label=_("Which day?"))
    place = forms.CharField(
        label=_("What time, and where?"),
        help_text=_("For example: 11 to 1, at the library. There is lunch."),
        max_length=200,
        required=False,
    )
    themes = forms.ModelMultipleChoiceField(
        Theme.objects.none(),
        label=_("Which themes will people look at?"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    stories = forms.ModelMultipleChoiceField(
        Story.objects.none(),
        label=_("Whose stories are they from?"),
        help_text=_("Who told these stories is put on the list of people to invite."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, by: Person, *args: Any, hub: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if hub is None:
            self.fields["hub"] = hubs_to_choose(by, "make sense")
            self.order_fields(["hub"])
        chosen = self.initial
        themes = first_few(themes_to_choose(by), chosen.get("themes", ()))
        stories = first_few(Story.objects.to_work_on(by), chosen.get("stories", ()))
        self.fields["themes"].queryset = themes  # type: ignore[attr-defined]
        self.fields["stories"].queryset = stories  # type: ignore[attr-defined]


class InviteForm(ActionForm):
    people = forms.ModelMultipleChoiceField(
        Person.objects.none(),
        label=_("Who else?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick somebody first.")},
    )

    def __init__(self, people: QuerySet[Person], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["people"].queryset = people  # type: ignore[attr-defined]
        self.ticked = set(self.data.getlist("people")) if self.is_bound else set()  # type: ignore[attr-defined]


class OutcomeForm(SeenForm):
    needed_sometimes = ("name",)
    kind = forms.ChoiceField(
        label=_("What did the people say?"),
        choices=[
            (Outcome.Kind.AGREED, _("Yes, this is a theme")),
            (Outcome.Kind.RENAMED, _("Yes, with another name")),
            (Outcome.Kind.REFUSED, _("No, this is not a theme")),
        ],
        widget=forms.RadioSelect,
    )
    name = forms.CharField(label=_("The name they gave it"), max_length=160)
    note = forms.CharField(
        label=_("What they said about it, in their own words"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class KeyMessageForm(SeenForm):
    """The sentence, who it is for, and the quotes it stands on."""

    words = forms.CharField(
        label=_("What does it say, in one sentence?"),
        help_text=_("A sentence that everybody in the group can stand behind."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    use = forms.ChoiceField(
        label=_("Who is it for?"),
        choices=[
            (Use.GROUP, _("The group")),
            (Use.SERVICES, _("Services. Quotes go without a name")),
            (Use.PUBLIC, _("Everybody")),
        ],
        initial=Use.GROUP,
        widget=forms.RadioSelect,
    )
    voices = forms.ModelMultipleChoiceField(
        Voice.objects.none(),
        label=_("Which quotes does it stand on?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one quote that it stands on."),
            "invalid_choice": _("That quote is not here any more."),
        },
    )

    def __init__(self, voices: QuerySet[Voice], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["voices"].queryset = voices  # type: ignore[attr-defined]

    @property
    def ticked(self) -> set[str]:
        if self.is_bound:
            return set(self.data.getlist("voices"))  # type: ignore[attr-defined]
        return {str(pk) for pk in self.initial.get("voices", ())}


class AgreeForm(SeenForm):
    on = DateField(label=_("When did the group agree?"), initial=timezone.localdate)
    session = forms.ModelChoiceField(
        SenseMaking.objects.none(),
        label=_("At which session?"),
        required=False,
        empty_label=_("At no session"),
    )

    def __init__(self, message: KeyMessage, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sessions = first_few(SenseMaking.objects.filter(hub=message.hub_id))
        self.fields["session"].queryset = sessions  # type: ignore[attr-defined]


class SearchForm(forms.Form):
    q = forms.CharField(
        label=_("What are you looking for?"),
        help_text=_("A word, or a few. Everything is searched that you may read."),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"type": "search"}),
    )

"""What is asked when a topic is raised, decided on, and tied to what people said."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.models import Stage, who_may_be_spoken_for
from coproduce.people.forms import ActionForm, DateField, hubs_to_choose
from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where
from coproduce.themes.forms import first_few
from coproduce.themes.models import Theme
from coproduce.voices.models import Voice


class Somebody(forms.ModelChoiceField):
    """One of the people for whom somebody may speak, by what they may call them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Person.objects.none(), **kwargs)

    def of(self, by: Person, hubs: Collection[int]) -> bool:
        """Fill it. Returns whether there is anybody."""
        self.queryset = who_may_be_spoken_for(by, hubs).named_for(by)  # type: ignore[attr-defined]
        return self.queryset.exists()

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.shown)


class RaiseForm(ActionForm):
    title = forms.CharField(
        label=_("What should the group work on?"),
        help_text=_("A few words, like “Who stays?”"),
        max_length=200,
    )
    why = forms.CharField(
        label=_("Why does it matter?"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    themes = forms.ModelMultipleChoiceField(
        Theme.objects.none(),
        label=_("Which themes is it from?"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    person = Somebody(
        label=_("Who said so?"),
        help_text=_("It is their topic then. They hear what becomes of it."),
        required=False,
        empty_label=_("I do"),
    )

    def __init__(self, by: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        self.fields["hub"] = hubs_to_choose(by, "raise a topic")
        if not self.fields["person"].of(by, hubs_where(by, "raise a topic")):  # type: ignore[attr-defined]
            del self.fields["person"]
        known, chosen = Theme.objects.visible_to(by).standing(), self.initial.get("themes", ())
        self.fields["themes"].queryset = first_few(known, Theme.objects.filter(pk__in=chosen))  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        hub, person = self.cleaned_data.get("hub"), self.cleaned_data.get("person")
        if hub and person and not who_may_be_spoken_for(self.by, [hub.pk]).filter(pk=person.pk).exists():
            self.add_error("person", _("They do not take part in that hub. Choose the hub that they are in."))
        return self.cleaned_data


class SupportForm(ActionForm):
    """Somebody else wants it too."""

    person = Somebody(label=_("Who wants it?"), empty_label=_("Choose"))

    def __init__(self, by: Person, hub: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_anybody = self.fields["person"].of(by, [hub])  # type: ignore[attr-defined]


class DecideForm(ActionForm):
    stage = forms.ChoiceField(
        label=_("Where does it stand now?"),
        choices=[
            (Stage.WORKING, _("We are working on it")),
            (Stage.DECIDED, _("We have decided")),
            (Stage.PUT_ASIDE, _("We put it aside, and say why")),
            (Stage.OPEN, _("It is open again")),
        ],
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("In the group’s own words"),
        help_text=_("Everybody can read this."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    on = DateField(label=_("When was that?"), initial=timezone.localdate)


class TieForm(ActionForm):
    needed_sometimes = ("themes", "voices")
    themes = forms.ModelMultipleChoiceField(
        Theme.objects.none(), label=_("Themes"), widget=forms.CheckboxSelectMultiple
    )
    voices = forms.ModelMultipleChoiceField(
        Voice.objects.none(), label=_("Voices"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, themes: QuerySet[Theme], voices: QuerySet[Voice], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["themes"].queryset = first_few(themes)  # type: ignore[attr-defined]
        self.fields["voices"].queryset = voices  # type: ignore[attr-defined]
        self.ticked = set(self.data.getlist("voices")) if self.is_bound else set()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        if not self.errors and not self.cleaned_data["themes"] and not self.cleaned_data["voices"]:
            self.add_error(None, _("Tick a theme or a voice first."))
        return self.cleaned_data

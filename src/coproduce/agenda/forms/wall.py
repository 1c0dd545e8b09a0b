"""What is asked on the wall of a meeting: from a phone, and of whoever leads."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.actions.wall import allowed_for, new_token
from coproduce.agenda.models import Item, Meeting, Note, Pile
from coproduce.agenda.models.wall import MOST
from coproduce.people.forms import ActionForm
from coproduce.people.models import Person
from coproduce.voices.models import who_may_be_named


class TokenForm(ActionForm):
    """A form that is one note, however often it is sent."""

    token = forms.RegexField(r"^[A-Za-z0-9]{22}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["token"].initial = new_token
        self.fields["token"].error_messages = dict.fromkeys(
            ("required", "invalid"), _("This page is too old. Your words are still here: send them again.")
        )

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and "token" in self.errors:  # what was typed stays, on a form that can be sent
            self.data = self.data.copy()  # type: ignore[attr-defined]
            self.data["token"] = new_token()  # type: ignore[index]


def _ask_what_about(form: NoteForm | WriteDownForm, meeting: Meeting) -> Item | None:
    """Ask which line of the agenda it is about, where there is more than one. The only one there is needs no asking."""
    items = meeting.items.select_related("topic")
    if len(items) < 2:
        return items[0] if items else None
    form.fields["item"] = forms.ModelChoiceField(
        items, label=_("What is it about?"), required=False, empty_label=_("Anything")
    )
    return None


class NoteForm(TokenForm):
    """A note from a phone, by anybody who has the link. Two buttons: for the wall, or only for whoever leads."""

    words = forms.CharField(
        label=_("What do you want to say?"),
        help_text=_("In your own words. A few are enough."),
        max_length=MOST,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={
            "required": _("Write what you want to say."),
            "max_length": _("That is too long for a note. Make two of it."),
        },
    )
    name = forms.CharField(
        label=_("What do you like to be called?"),
        help_text=_("Any name you like. You can leave it empty."),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )
    services = forms.BooleanField(
        label=_("Services may read it, without the name"),
        help_text=_("The council, charities and health services see the words. Not who said them."),
        required=False,
    )
    public = forms.BooleanField(
        label=_("Anybody may read it"),
        help_text=_("It can be on our web pages and in reports, and anybody can copy it."),
        required=False,
    )
    website = forms.CharField(  # nobody sees it; machines fill it in
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    def __init__(self, meeting: Meeting, member: Person | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.only_item = _ask_what_about(self, meeting)
        if member:
            self.fields["public"].label = _("Anybody may read it, with the name")
            self.fields["own"] = forms.BooleanField(
                label=_("It is from me, %(name)s") % {"name": member.name_for(member)},
                help_text=_("Then you hear what becomes of it. Leave it empty if somebody else writes."),
                required=False,
                initial=True,
            )

    @property
    def about(self) -> Item | None:
        return self.only_item or self.cleaned_data.get("item")

    @property
    def uses(self) -> list[str]:
        said = self.cleaned_data
        return allowed_for("keep" not in self.data, said["services"], said["public"])


class WriteDownForm(TokenForm):
    """What somebody said out loud, or handed in on paper. The button that sends it says which."""

    words = forms.CharField(
        label=_("What did they say?"),
        help_text=_("Their own words, not a summary."),
        max_length=MOST,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write what they said.")},
    )
    person = forms.ModelChoiceField(
        Person.objects.none(), label=_("Who?"), required=False, empty_label=_("Somebody")
    )

    def __init__(self, by: Person, meeting: Meeting, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = who_may_be_named(by, meeting.hub)  # type: ignore[attr-defined]
        self.only_item = _ask_what_about(self, meeting)

    @property
    def about(self) -> Item | None:
        return self.only_item or self.cleaned_data.get("item")

    @property
    def how(self) -> str:
        return Note.How.PAPER if "paper" in self.data else Note.How.SPOKEN


class PileForm(ActionForm):
    """Which notes go together, and on which pile."""

    notes = forms.ModelMultipleChoiceField(
        Note.objects.none(), widget=forms.CheckboxSelectMultiple, required=False
    )
    pile = forms.ModelChoiceField(
        Pile.objects.none(), label=_("On this pile"), required=False, empty_label=_("On no pile")
    )
    name = forms.CharField(label=_("Or on a new one, called"), max_length=120, required=False)

    def __init__(self, meeting: Meeting, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["notes"].queryset = meeting.notes.all()  # type: ignore[attr-defined]
        self.fields["pile"].queryset = meeting.piles.all()  # type: ignore[attr-defined]


class WhoWroteForm(ActionForm):
    person = forms.ModelChoiceField(
        Person.objects.none(), label=_("Whose note is it?"), empty_label=_("Choose")
    )

    def __init__(self, by: Person, meeting: Meeting, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = who_may_be_named(by, meeting.hub)  # type: ignore[attr-defined]

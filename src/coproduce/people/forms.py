"""What the forms of every room begin with: a form that ends in one action, and a date as people write it.

Then the forms of this room.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import MONTHS, MONTHS_3
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from coproduce.people.actions import check_address, who_may_be_trusted
from coproduce.people.models import Hub, Membership, Organisation, Person, Way
from coproduce.people.permissions import hubs_where, may_give

Role = Membership.Role


class ActionForm(forms.Form):
    """A form that ends in one action."""

    result: Any = None
    needed_sometimes: tuple[
        str, ...
    ] = ()  # may stay empty, as the rest of the form says; not marked as optional

    def full_clean(self) -> None:
        for name in self.needed_sometimes:
            self.fields[name].required = False
        super().full_clean()
        for name in self.needed_sometimes:
            self.fields[name].required = True

    def does(self, action: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        """Call the action. What it refuses becomes an error on this form; everything typed is kept."""
        try:
            self.result = action(*args, **kwargs)
        except ValidationError as refused:
            self.add_error(None, refused)
            return False
        return True


class TypedDate(NamedTuple):
    """A date as somebody typed it, kept so that a page with an error can show it again."""

    day: str
    month: str
    year: str


class DateBoxes(forms.Widget):
    """Day, month and year in three boxes: easier than a calendar, and it never guesses the order."""

    template_name = "forms/date_boxes.html"
    use_fieldset = True

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> TypedDate | str | None:
        typed = TypedDate(*(str(data.get(f"{name}_{part}") or "").strip() for part in TypedDate._fields))
        return typed if any(typed) else data.get(name) or None

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data and all(f"{name}_{part}" not in data for part in TypedDate._fields)

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return f"{id_}_day" if id_ else ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                value = TypedDate(value, "", "")
        if isinstance(value, date):
            value = TypedDate(str(value.day), str(value.month), str(value.year))
        wrong = context["widget"]["attrs"].pop("wrong", ())
        labels = {"day": _("Day"), "month": _("Month"), "year": _("Year")}
        context["widget"]["boxes"] = [
            {
                "part": part,
                "label": label,
                "value": getattr(value, part, ""),
                "width": {"day": 2, "month": 5, "year": 4}[part],
                "wrong": part in wrong,
            }
            for part, label in labels.items()
        ]
        return context


class DateField(forms.DateField):
    """A day. Takes 14 3 2026, 14 March 2026 or 14 Mar 2026 from its boxes, and says which box is wrong."""

    widget = DateBoxes
    default_error_messages = {
        "day": _("Write the day as a number, like 14"),
        "month": _("Write the month as a number or a word, like 3 or March"),
        "year": _("Write all four numbers of the year, like 2026"),
        "no_day": _("Write the day as well"),
        "no_month": _("Write the month as well"),
        "no_year": _("Write the year as well"),
        "no_such_day": _("There is no such day. Look at the day and the month again"),
    }

    def to_python(self, value: Any) -> date | None:
        if not isinstance(value, TypedDate):
            return super().to_python(value)
        for part in TypedDate._fields:
            if not getattr(value, part):
                raise ValidationError(self.error_messages[f"no_{part}"], code=part)
        if not (value.day.isdecimal() and len(value.day) <= 2 and 1 <= int(value.day) <= 31):
            raise ValidationError(self.error_messages["day"], code="day")
        month = _month(value.month)
        if month is None:
            raise ValidationError(self.error_messages["month"], code="month")
        if not (value.year.isdecimal() and len(value.year) == 4):
            raise ValidationError(self.error_messages["year"], code="year")
        try:
            return date(int(value.year), month, int(value.day))
        except ValueError:
            raise ValidationError(self.error_messages["no_such_day"], code="day") from None


def _month(typed: str) -> int | None:
    if typed.isdecimal():
        return int(typed) if len(typed) <= 2 and 1 <= int(typed) <= 12 else None
    word = typed.casefold().rstrip(".")
    for names in (MONTHS, MONTHS_3):
        for number, name in names.items():
            if word == str(name).casefold():
                return number
    return 9 if word == "sept" else None


# The forms of this room


def hubs_to_choose(person: Person, verb: str) -> forms.ModelChoiceField:
    """The hubs where this person may do `verb`. Where there is only one, nobody is asked."""
    hubs = Hub.objects.filter(pk__in=hubs_where(person, verb))
    field = forms.ModelChoiceField(hubs, label=_("Which hub?"), empty_label=None)
    if len(known := list(hubs[:2])) == 1:
        field.initial = known[0]
        field.widget = forms.HiddenInput()
    return field


ROLES = {
    Role.MEMBER: _("Member: takes part in the group"),
    Role.TRUSTED_PERSON: _("Trusted person: somebody takes part through them"),
    Role.CHAMPION: _("Champion: sees that everyone their organisation supports can take part"),
    Role.CURATOR: _("Curator: works on stories and what they mean"),
    Role.FACILITATOR: _("Facilitator: runs the group and looks after its people"),
    Role.COMMISSIONER: _("Commissioner: buys or plans services"),
    Role.COORDINATOR: _("Coordinator: looks after this hub and those under it"),
}
WAYS = [
    (Way.Kind.EMAIL, _("Email")),
    (Way.Kind.TEXT, _("Text message")),
    (Way.Kind.PHONE, _("Phone call")),
    (Way.Kind.LETTER, _("Letter")),
    (Way.Kind.FACE_TO_FACE, _("Face to face")),
    (Way.Kind.PAGE, _("Here, after signing in")),
]
THROUGH = (Way.Kind.TRUSTED_PERSON, _("Through the trusted person"))
WHERE = _(
    "Email: the address. Text message: the mobile number. Phone call: the whole number. "
    "Letter: house, street, town and postcode. Face to face: where to meet. Here, after signing in: leave this empty."
)
OTHERS_MAY_READ = _("Other people may read or hear what comes there")
NOTHING_THERE = _("A shared phone, inbox or letterbox. Then we only say that there is news.")


class WayForm(ActionForm):
    needed_sometimes = ("address",)
    kind = forms.ChoiceField(label=_("How?"), choices=WAYS, widget=forms.RadioSelect)
    address = forms.CharField(label=_("Where?"), help_text=WHERE, widget=forms.Textarea(attrs={"rows": 3}))
    preferred = forms.BooleanField(label=_("This is the best way"), required=False)
    others_may_read = forms.BooleanField(label=OTHERS_MAY_READ, help_text=NOTHING_THERE, required=False)

    def __init__(self, them: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if them.hears_through_somebody:
            self.fields["kind"].choices = [*WAYS, THROUGH]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        return _with_tidy_address(self, "kind")


class PersonForm(ActionForm):
    """Somebody new: who they are, how to reach them, and whether they sign in."""

    by: Person
    needed_sometimes = ("address",)

    name = forms.CharField(label=_("What do they like to be called?"), max_length=120)
    role = forms.ChoiceField(label=_("How do they take part?"), widget=forms.RadioSelect, initial=Role.MEMBER)
    organisation = forms.ModelChoiceField(
        Organisation.objects.all(),
        label=_("Which organisation are they from?"),
        required=False,
        empty_label=_("None"),
    )
    way = forms.ChoiceField(
        label=_("How do they like to hear from us?"), choices=WAYS, widget=forms.RadioSelect
    )
    address = forms.CharField(
        label=_("Where does that reach them?"),
        help_text=WHERE,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    others_may_read = forms.BooleanField(label=OTHERS_MAY_READ, help_text=NOTHING_THERE, required=False)
    email = forms.EmailField(
        label=_("If they sign in themselves: with which email?"),
        help_text=_("They get a code there each time. Most people don't sign in. Then leave this empty."),
        required=False,
    )

    def __init__(self, by: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _ask_for_role(self, by)
        self.order_fields(["name", "hub"])

    def clean(self) -> dict[str, Any]:
        _with_role_to_give(self)
        cleaned = _with_tidy_address(self, "way")
        if cleaned.get("way") == Way.Kind.PAGE and not cleaned.get("email") and "email" not in self.errors:
            self.add_error(
                "email", _("They sign in to read their page. Write their email, or choose another way.")
            )
        return cleaned


class QuietForm(ActionForm):
    """From when until when there are no texts and calls. Over midnight is the usual."""

    start = forms.TimeField(label=_("From"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    end = forms.TimeField(label=_("Until"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))

    def __init__(self, *args: Any, may_be_empty: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if may_be_empty:
            self.fields["start"].help_text = _("Leave both empty for the usual times of the group.")
            for field in self.fields.values():
                field.required = False


class NameForm(ActionForm):
    name = forms.CharField(label=_("Name"), max_length=120)


class AtMostForm(ActionForm):
    at_most = forms.ChoiceField(
        label=_("How often?"),
        help_text=_("What comes in between waits. Then it goes all together."),
        choices=[(value, capfirst(label)) for value, label in Person.AtMost.choices],
        widget=forms.RadioSelect,
    )


class AccountForm(ActionForm):
    email = forms.EmailField(
        label=_("Email"), help_text=_("A code to sign in is sent there. There are no passwords.")
    )


class RoleForm(ActionForm):
    by: Person
    role = forms.ChoiceField(label=_("Which role?"), widget=forms.RadioSelect)

    def __init__(self, by: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _ask_for_role(self, by)

    def clean(self) -> dict[str, Any]:
        return _with_role_to_give(self)


def _ask_for_role(form: PersonForm | RoleForm, by: Person) -> None:
    form.by = by
    hubs = hubs_where(by, "look after people")
    form.fields["role"].choices = [  # type: ignore[attr-defined]
        (role, words) for role, words in ROLES.items() if any(may_give(by, role, hub) for hub in hubs)
    ]
    form.fields["hub"] = hubs_to_choose(by, "look after people")


def _with_role_to_give(form: PersonForm | RoleForm) -> dict[str, Any]:
    cleaned = form.cleaned_data
    if {"role", "hub"} <= cleaned.keys() and not may_give(form.by, cleaned["role"], cleaned["hub"]):
        form.add_error("role", _("You can’t give this role in this hub. Choose another one."))
    return cleaned


def _with_tidy_address(form: PersonForm | WayForm, kind: str) -> dict[str, Any]:
    cleaned = form.cleaned_data
    try:
        cleaned["address"] = check_address(cleaned.get(kind, ""), cleaned.get("address", ""))
    except ValidationError as refused:
        form.add_error("address", refused)
    return cleaned


# Trusted people


TO_THEM = {
    "speak": _("Write down what I say"),
    "vote": _("Vote for me, as I told them"),
    "hear": _("Tell me what happened"),
}
FOR_OTHERS = {
    "speak": _("Write down what they say"),
    "vote": _("Vote for them, as they said"),
    "hear": _("Tell them what happened"),
}


class WhatForForm(ActionForm):
    """What a trusted person may do, and until when."""

    purposes = forms.MultipleChoiceField(
        label=_("What for?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Say what for. Tick at least one.")},
    )
    until = DateField(
        label=_("Until when?"),
        help_text=_("Leave it empty if you don’t know. It can end any day."),
        required=False,
    )
    with_them_present = forms.BooleanField(
        label=_("They are with me now, and this is what they want"),
        required=False,
    )

    def __init__(self, by: Person, them: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = by.pk == them.pk
        words = TO_THEM if own else FOR_OTHERS
        self.fields["purposes"].choices = list(words.items())  # type: ignore[attr-defined]
        if own:
            del self.fields["with_them_present"]
        else:
            self.fields["with_them_present"].required = True
            self.fields["with_them_present"].error_messages["required"] = _(
                "Do this only when they are with you. Then tick that they are."
            )


class MandateForm(WhatForForm):
    """Whom somebody trusts, what for, and until when."""

    trusted = forms.ModelChoiceField(Person.objects.none(), label=_("Who is it?"), empty_label=_("Choose"))
    best_way = forms.BooleanField(required=False)
    field_order = ["trusted", "purposes", "best_way", "until", "with_them_present"]

    def __init__(self, by: Person, them: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(by, them, *args, **kwargs)
        self.fields["trusted"].queryset = who_may_be_trusted(by, them)  # type: ignore[attr-defined]
        self.fields["best_way"].label = (
            _("I like to hear what happened from them best")
            if by.pk == them.pk
            else _("They like to hear what happened from this person best")
        )


class BringInForm(ActionForm):
    """Somebody new who takes part through the person who fills this in."""

    name = forms.CharField(
        label=_("What do they like to be called?"),
        help_text=_("Any name they choose. It need not be the real one."),
        max_length=120,
    )
    only_i_know = forms.TypedChoiceField(
        label=_("Who may know this name?"),
        choices=[
            ("yes", _("Only me. Everybody else sees “Somebody”")),
            ("no", _("The group too")),
        ],
        coerce=lambda typed: typed == "yes",
        widget=forms.RadioSelect,
        error_messages={"required": _("Ask them who may know the name. Then choose.")},
    )

    def __init__(self, by: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hub"] = hubs_to_choose(by, "bring somebody in")


KINDS = [(kind.value, capfirst(kind.label)) for kind in Organisation.Kind]


class OrganisationForm(ActionForm):
    """An organisation. On the way from the form for a person, it carries along what was typed there."""

    name = forms.CharField(label=_("What is it called?"), max_length=160)
    kind = forms.ChoiceField(label=_("What is it?"), choices=KINDS, widget=forms.RadioSelect)
    about = forms.CharField(
        label=_("What does it do, in a sentence?"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, carried: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.carried = carried


CARRIED = "carried-"


def typed_about_person(data: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """What somebody typed into PersonForm, out of a form that carries it under `prefix`."""
    names = [*PersonForm.base_fields, "hub"]
    return {name: data[prefix + name] for name in names if prefix + name in data}


class HubForm(ActionForm):
    name = forms.CharField(label=_("What is it called?"), max_length=120)
    about = forms.CharField(
        label=_("What is it for, in a sentence?"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

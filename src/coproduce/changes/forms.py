from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.models import Topic
from coproduce.changes.models import Change, Stage
from coproduce.people.forms import ActionForm, DateField
from coproduce.people.models import Hub, Membership, Person
from coproduce.people.permissions import hubs_where
from coproduce.themes.models import Theme

PAST = _("That day is still to come. Write the day it happened.")


class StepForm(ActionForm):
    stage = forms.ChoiceField(
        label=_("How far has it come?"),
        choices=[
            (Stage.PLANNED, _("Planned: we want to do it")),
            (Stage.AGREED, _("Agreed: those who decide said yes")),
            (Stage.MADE, _("Made: it is done")),
            (Stage.PROVEN, _("Proven: people say it really happens")),
            (Stage.NOT_MADE, _("Not made: it will not happen")),
        ],
        widget=forms.RadioSelect,
    )
    on = DateField(label=_("When was that?"))
    note = forms.CharField(
        label=_("What happened, or why not?"),
        help_text=_("In plain words. The people behind it will read this. If it was not made, say why."),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
    )

    def clean_on(self) -> Any:
        on = self.cleaned_data["on"]
        if on and on > timezone.localdate():
            raise forms.ValidationError(PAST)
        return on


class ReviewForm(ActionForm):
    holds = forms.TypedChoiceField(
        label=_("Does it really happen?"),
        choices=[("yes", _("Yes, it does")), ("no", _("No, or not always"))],
        coerce=lambda typed: typed == "yes",
        widget=forms.RadioSelect,
    )
    found = forms.CharField(
        label=_("What did you find?"),
        help_text=_("In plain words. The people behind it will read this."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    on = DateField(label=_("When did you check?"))
    again_on = DateField(
        label=_("When will somebody check again?"),
        help_text=_("Leave it out if nobody needs to."),
        required=False,
    )

    def clean_on(self) -> Any:
        on = self.cleaned_data["on"]
        if on and on > timezone.localdate():
            raise forms.ValidationError(PAST)
        return on


class ChangeForm(StepForm):
    title = forms.CharField(
        label=_("What changes?"), help_text=_("One line that anybody understands."), max_length=200
    )
    summary = forms.CharField(
        label=_("Tell it in a few plain sentences"), widget=forms.Textarea(attrs={"rows": 4})
    )
    kind = forms.ChoiceField(label=_("What kind of change is it?"), choices=Change.Kind.choices)
    hub = forms.ModelChoiceField(label=_("Which hub?"), queryset=Hub.objects.none(), empty_label=None)
    topics = forms.ModelMultipleChoiceField(
        label=_("Which topics led to it?"),
        queryset=Topic.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    owner = forms.ModelChoiceField(
        label=_("Who sees to it?"),
        help_text=_("People will be told this name."),
        queryset=Person.objects.none(),
        empty_label=None,
    )
    review_on = DateField(
        label=_("When will somebody check that it really happens?"),
        help_text=_("Leave it out if you don't know yet."),
        required=False,
    )

    field_order = ["title", "summary", "kind", "hub", "topics", "stage", "on", "note", "owner", "review_on"]

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hubs = Hub.objects.filter(pk__in=hubs_where(person, "record a change"))
        seen_to_by = Membership.objects.current().filter(
            hub__in=hubs,
            role__in=[Membership.Role.COMMISSIONER, Membership.Role.FACILITATOR, Membership.Role.COORDINATOR],
        )
        _choices(self, "hub", hubs)
        _choices(self, "owner", Person.objects.filter(pk__in=seen_to_by.values("person")))
        _choices(self, "topics", Topic.objects.filter(hub__in=hubs))
        self.fields["owner"].initial = person
        if len(hubs) == 1:
            self.fields["hub"].widget = forms.HiddenInput()
            self.fields["hub"].initial = hubs[0]


class ClauseForm(ActionForm):
    contract = forms.CharField(label=_("Which contract?"), max_length=200)
    number = forms.CharField(
        label=_("Which clause?"), help_text=_("For example 4.2"), max_length=40, required=False
    )
    before = forms.CharField(
        label=_("The words before"),
        help_text=_("Leave it empty if the clause is new."),
        widget=forms.Textarea(attrs={"rows": 6}),
        required=False,
    )
    after = forms.CharField(label=_("The words now"), widget=forms.Textarea(attrs={"rows": 6}))


class TieForm(ActionForm):
    topics = forms.ModelMultipleChoiceField(
        label=_("Topics"), queryset=Topic.objects.none(), widget=forms.CheckboxSelectMultiple, required=False
    )
    themes = forms.ModelMultipleChoiceField(
        label=_("Themes"), queryset=Theme.objects.none(), widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, *args: Any, person: Person, change: Change, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        topics = Topic.objects.visible_to(person).filter(hub=change.hub_id)
        themes = Theme.objects.visible_to(person).standing().filter(hub=change.hub_id)
        _choices(self, "topics", topics.exclude(changes=change))
        _choices(self, "themes", themes.exclude(changes=change))


def _choices(form: forms.Form, name: str, queryset: Any) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = queryset

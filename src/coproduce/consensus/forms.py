"""What is asked when a conversation is opened, a statement written or decided on, votes typed in, and it is frozen."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.models import Stage
from coproduce.consensus.filled_in import Bad, marks_of
from coproduce.consensus.models import LONGEST, Conversation, Statement
from coproduce.consensus.voting import who_may_vote
from coproduce.people.forms import ActionForm
from coproduce.people.models import Person
from coproduce.voices.forms.fields import OneOf, UsesForm
from coproduce.voices.models import Use

CHOICES = {"agree": 1, "disagree": -1, "pass": 0}


class OpenForm(ActionForm):
    about = forms.CharField(
        label=_("What is it about, in a sentence or two?"),
        help_text=_("Everybody who votes reads this first."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    by_link = forms.TypedChoiceField(
        label=_("Who may vote?"),
        choices=[
            ("no", _("People of this group, when they have signed in")),
            ("yes", _("Anybody who has the link. They need no account")),
        ],
        coerce=lambda typed: typed == "yes",
        widget=forms.RadioSelect,
        initial="yes",
    )


class StatementForm(ActionForm):
    words = forms.CharField(
        label=_("Your statement"),
        help_text=_("One thing, in one short sentence. People will agree, disagree or pass."),
        max_length=LONGEST * 5,  # what is too long is told by the action, with how long it is
        widget=forms.Textarea(attrs={"rows": 3, "data-most": LONGEST}),
        error_messages={"required": _("Write a statement: one short sentence.")},
    )


class ReasonForm(ActionForm):
    reason = forms.CharField(
        label=_("Why?"), help_text=_("Whoever wrote it reads this."), max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip


class JoinForm(ActionForm):
    to = forms.ModelChoiceField(
        Statement.objects.none(),
        label=_("Which one says the same?"),
        widget=forms.RadioSelect,
        empty_label=None,
    )

    def __init__(self, statement: Statement, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        open_ = Statement.objects.in_sight(Use.GROUP).filter(conversation=statement.conversation_id)
        field = self.fields["to"]
        field.queryset = open_.exclude(pk=statement.pk)  # type: ignore[attr-defined]
        field.label_from_instance = lambda one: one.words  # type: ignore[attr-defined]


class VoteForm(forms.Form):
    """One of three buttons."""

    statement = forms.IntegerField()
    choice = forms.ChoiceField(choices=[(name, name) for name in CHOICES])

    @property
    def cast(self) -> int:
        return CHOICES[self.cleaned_data["choice"]]


class WhyForm(UsesForm):
    words = forms.CharField(
        label=_("Why do you see it that way?"),
        help_text=_("In your own words. It does not have to be tidy."),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Write why. Or go back, and go on without.")},
    )
    field_order = ["words", *Use.values]


class WhoForm(ActionForm):
    """Whose votes are written down."""

    person = forms.ModelChoiceField(
        Person.objects.none(), label=_("Whom do you have on the phone?"), empty_label=_("Choose")
    )

    def __init__(self, by: Person, conversation: Conversation, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = who_may_vote(by, conversation)  # type: ignore[attr-defined]


class SheetForm(ActionForm):
    """A sheet of paper: its code, and a letter for each statement."""

    code = forms.CharField(
        label=_("Code on the sheet"),
        help_text=_("It stands at the top right, like KMPR."),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    person = OneOf(
        label=_("Whose sheet is it?"), queryset=Person.objects.none(), empty_label=_("We don’t know")
    )
    marks = forms.CharField(
        label=_("What is ticked"),
        help_text=_(
            "One letter for each statement, from the top: a for agree, d for disagree, p for pass, and a dot "
            "where nothing is ticked. Like: aadp.a"
        ),
        max_length=2000,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
        error_messages={"required": _("Type a letter for each statement.")},
    )

    def __init__(
        self, by: Person, conversation: Conversation, sheets: dict[str, list[int]], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sheets = sheets
        self.fields["person"].queryset = who_may_vote(by, conversation)  # type: ignore[attr-defined]

    def clean_code(self) -> str:
        code = "".join(self.cleaned_data["code"].split()).upper()
        if code not in self.sheets:
            raise forms.ValidationError(
                _("No sheet of this conversation has the code %(code)s. Look at the top right of the sheet.")
                % {"code": code}
            )
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if "code" in cleaned and "marks" in cleaned:
            try:
                cleaned["choices"] = marks_of(cleaned["marks"], self.sheets[cleaned["code"]])
            except Bad as wrong:
                self.add_error("marks", str(wrong))
        return cleaned


class BringForm(ActionForm):
    file = forms.FileField(
        label=_("The table, filled in"),
        help_text=_("CSV or Excel (.xlsx)."),
        error_messages={"required": _("Choose the file first.")},
    )


class FreezeForm(ActionForm):
    words = forms.CharField(
        label=_("What do people agree on?"),
        help_text=_(
            "In the group’s own words. Everybody can read this on the topic, and who voted hears it."
        ),
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={"required": _("Write what people agree on, in the group’s own words.")},
    )
    stage = forms.ChoiceField(
        label=_("Where does the topic stand now?"),
        choices=[
            (Stage.DECIDED, _("We have decided: this is our answer")),
            (Stage.WORKING, _("This is our answer, and we go on working on it")),
        ],
        widget=forms.RadioSelect,
        initial=Stage.DECIDED,
    )

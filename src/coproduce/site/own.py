"""The pages where people see everything that is kept about them, and where they take it out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coproduce.people.forms import ActionForm
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Erasure, Person
from coproduce.site import everything as all_of_it
from coproduce.site.erase import erase_person, must_be_asked_by
from coproduce.voices.own import turns_nobody_is_named_for


@signed_in
def everything(request: PersonRequest, pk: int) -> HttpResponse:
    """For the person alone: whoever looks after them reads their ways, not all they ever said."""
    return render(request, "site/everything.html", {"all": all_of_it.export_person(_self(request, pk))})


@signed_in
def everything_as_json(request: PersonRequest, pk: int) -> HttpResponse:
    answer = HttpResponse(
        all_of_it.as_json(all_of_it.export_person(_self(request, pk))), content_type="application/json"
    )
    answer["Content-Disposition"] = 'attachment; filename="everything.json"'
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _self(request: PersonRequest, pk: int) -> Person:
    if pk != request.person.pk:
        raise Http404
    return request.person


class EraseForm(ActionForm):
    """The choice, and the word that somebody types when they mean it."""

    choice = forms.ChoiceField(
        label=gettext_lazy("What happens with your words?"),
        choices=[
            (Erasure.Choice.TAKE_OUT, gettext_lazy("Take my words out")),
            (Erasure.Choice.NAMELESS, gettext_lazy("Keep my words, without my name")),
        ],
        initial=Erasure.Choice.TAKE_OUT,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Words can show who you are, also without your name."),
    )
    asked = forms.BooleanField(label=gettext_lazy("They asked me to do this"))
    word = forms.CharField(
        label=gettext_lazy("Type the word erase, if you are sure"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, is_self: bool, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_self:
            del self.fields["asked"]
        else:
            self.fields["choice"].label = _("What happens with their words?")
            self.fields["choice"].help_text = _("Words can show who somebody is, also without their name.")
            self.fields["choice"].choices = [  # type: ignore[attr-defined]
                (Erasure.Choice.TAKE_OUT, _("Take their words out")),
                (Erasure.Choice.NAMELESS, _("Keep their words, without their name")),
            ]

    def clean_word(self) -> str:
        word: str = self.cleaned_data["word"].strip()
        if word.casefold() not in ("erase", str(_("erase")).casefold()):
            raise forms.ValidationError(_("Type the word erase. Or go back, and nothing happens."))
        return word


@signed_in
def erase(request: PersonRequest, pk: int) -> HttpResponse:
    """What will happen, in plain words; then a typed word, and no way back."""
    them = get_object_or_404(Person.objects.visible_to(request.person), pk=pk)
    must_be_asked_by(request.person, them)
    is_self = them == request.person
    form = EraseForm(is_self, request.POST or None)
    if form.is_valid() and form.does(erase_person, request.person, them, form.cleaned_data["choice"]):
        if is_self:
            logout(request)
            request.person = None  # type: ignore[assignment]
            return render(request, "site/erased.html", {"choice": form.cleaned_data["choice"]})
        messages.success(request, _("They are taken out. In a few minutes the last files are gone too."))
        return redirect("people:people")
    return render(
        request,
        "site/erase.html",
        {"form": form, "them": them, "is_self": is_self, "unnamed": turns_nobody_is_named_for(them)},
    )

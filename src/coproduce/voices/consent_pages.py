"""The pages where people say what they allow, are asked again, and see what is hidden outside the group."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from django.contrib import messages
from django.core.paginator import Page
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Hub, Person
from coproduce.people.pages import page_of, press
from coproduce.people.paper import to_pdf
from coproduce.people.permissions import NotAllowed, hubs_where, may
from coproduce.voices import consent, forms
from coproduce.voices.allowing import default_uses, offered_for
from coproduce.voices.models import GRACE, Speaker, Story, Use, Voice

HERE = Path(__file__).parent

# What one person allows


@require_GET
@signed_in
def my_consent(request: PersonRequest) -> HttpResponse:
    return redirect("voices:allowed", request.person.pk)


@dataclass(frozen=True)
class Row:
    """One thing somebody said, with its uses as boxes."""

    voice: Voice
    uses: list[tuple[Use, bool]]
    may_change: bool


@signed_in
def allowed(request: PersonRequest, pk: int) -> HttpResponse:
    """One screen: what somebody allows for what they say from now on, and for everything they said."""
    by, them = request.person, _person(request, pk)
    own = by == them
    said = consent.said_by(them, by).prefetch_related("consents")
    page = page_of(request, said, 10)
    rows = [_row(voice, by) for voice in page]
    do = request.POST.get("do") if request.method == "POST" else ""
    default = forms.DefaultForm(them, request.POST if do == "default" else None, prefix="default")
    everything = forms.UsesForm(request.POST if do == "all" else None, prefix="all")
    each = forms.ManyUsesForm(
        [row.voice for row in rows if row.may_change], request.POST if do == "each" else None
    )
    done = ""
    if default.is_valid() and default.does(consent.set_default, by, them, default.uses):
        done = _("Saved. It holds for what is said from now on.")
    elif everything.is_valid():
        changeable = [voice for voice in said if _row(voice, by).may_change]
        if everything.does(consent.set_many, by, dict.fromkeys(changeable, everything.uses)):
            done = _changed(everything.result)
    elif each.is_valid() and each.does(consent.set_many, by, each.wanted):
        done = _changed(each.result)
    if done:
        messages.success(request, done)
        if page.number > 1:
            return redirect(f"{request.path}?page={page.number}")
        return redirect("voices:allowed", them.pk)
    return render(
        request,
        "voices/allowed.html",
        {
            "them": them,
            "own": own,
            "default": default,
            "never_said": default_uses(them) is None,
            "everything": everything,
            "each": each,
            "page": page,
            "rows": rows,
            "told": _stories_told(them, by),
        },
    )


def _changed(number: int) -> str:
    if not number:
        return _("Nothing was different. All stays as it is.")
    said = ngettext(
        "Saved, for %(n)d thing that was said.", "Saved, for %(n)d things that were said.", number
    )
    return said % {"n": number} + " " + _("It holds from now on, everywhere here.")


def _row(voice: Voice, by: Person) -> Row:
    standing = {each.use for each in voice.consents.all() if each.withdrawn_at is None}
    may_change = bool(voice.words) and (by.pk == voice.person_id or may(by, "work on stories", voice.hub_id))
    return Row(voice, [(use, use in standing) for use in Use], may_change)


def _stories_told(them: Person, by: Person) -> list[Speaker]:
    """Where they speak in a whole story that has not been taken back, as far as `by` may open it."""
    spoken = Speaker.objects.filter(person=them, withdrawn_at__isnull=True).select_related("story")
    return list(spoken.filter(story__in=Story.objects.visible_to(by)))


def _person(request: PersonRequest, pk: int) -> Person:
    return get_object_or_404(Person.objects.visible_to(request.person), pk=pk)


@signed_in
def form_on_paper(request: PersonRequest, pk: int | None = None) -> HttpResponse:
    """The same questions to print and fill in by hand: blank, or for one person with what they said."""
    them = None if pk is None else _person(request, pk)
    said = consent.said_by(them, request.person).exclude(words="")[:40] if them else []
    data = {
        "name": them.name if them else "",
        "uses": [[str(use.label), str(forms.UsesForm.base_fields[use].help_text)] for use in Use],
        "said": [[voice.shown, date_format(voice.said_on, "j F Y")] for voice in said],
        "grace": GRACE,
    }
    pdf = to_pdf(HERE / "consent_form.typ", {"form": json.dumps(data)})
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer["Content-Disposition"] = 'inline; filename="what-you-allow.pdf"'
    answer["Cache-Control"] = "private, no-store"
    return answer


# What is hidden outside the group


@signed_in
def mask(request: PersonRequest, pk: int) -> HttpResponse:
    """What in the words may tell who somebody is: tick what is hidden, and see how it will read."""
    voice = get_object_or_404(Voice.objects.for_reading(request.person).exclude(words=""), pk=pk)
    own = voice.person_id == request.person.pk
    if not (own or may(request.person, "work on stories", voice.hub_id)):
        raise NotAllowed("work on stories")
    offered = offered_for(voice)
    form = forms.MaskForm(voice, offered, request.POST if request.method == "POST" else None)
    preview = voice.masked or voice.words
    if form.is_valid():
        preview = consent.masked_with(voice, offered, form.ticked) or voice.words
        if "look" not in request.POST and form.does(consent.mask_words, request.person, voice, form.ticked):
            messages.success(request, _("Saved. This is how it reads outside the group."))
            return redirect("voices:voice", voice.pk)
    return render(
        request,
        "voices/mask.html",
        {"voice": voice, "form": form, "offered": offered, "preview": preview, "own": own},
    )


@signed_in
def hidden(request: PersonRequest, pk: int) -> HttpResponse:
    """The quotes of a story in which something is hidden outside the group."""
    story = get_object_or_404(Story.objects.to_work_on(request.person), pk=pk)
    quotes = Voice.objects.for_reading(request.person).filter(turn__story=story).exclude(masked="")
    return render(request, "voices/hidden.html", {"story": story, "page": page_of(request, quotes)})


# Asking again


@signed_in
def ask_again(request: PersonRequest) -> HttpResponse:
    """What people said yes to so long ago that they are asked again."""
    by = request.person
    hubs = hubs_where(by, "work on stories")
    if not hubs:
        raise NotAllowed("work on stories")
    page: Page[Voice] = page_of(request, consent.to_ask_again(by).prefetch_related("consents"), 20)
    return render(
        request,
        "voices/ask_again.html",
        {
            "page": page,
            "rows": [
                (voice, [each for each in voice.consents.all() if each.withdrawn_at is None])
                for voice in page
            ],
            "hubs": Hub.objects.filter(pk__in=hubs),
            "leads": hubs_where(by, "decide on a topic"),
            "grace": GRACE,
        },
    )


@require_POST
@signed_in
def still_yes(request: PersonRequest, pk: int) -> HttpResponse:
    voice = get_object_or_404(Voice.objects.for_reading(request.person).exclude(words=""), pk=pk)
    press(request, _("Noted. It counts anew from today."), consent.still_yes, request.person, voice)
    if voice.hub_id in hubs_where(request.person, "work on stories"):
        return redirect("voices:ask_again")
    return redirect("voices:voice", voice.pk)


@signed_in
def limit(request: PersonRequest, pk: int) -> HttpResponse:
    """After how long people of a hub are asked again."""
    hub = get_object_or_404(Hub, pk=pk)
    if not may(request.person, "decide on a topic", hub):
        raise NotAllowed("decide on a topic")
    form = forms.LimitForm(request.POST or None, initial={"months": hub.consent_months})
    if form.is_valid() and form.does(consent.set_limit, request.person, hub, form.cleaned_data["months"]):
        messages.success(request, _("Saved."))
        return redirect("voices:ask_again" if may(request.person, "work on stories", hub) else "people:hubs")
    return render(request, "voices/limit.html", {"form": form, "hub": hub, "grace": GRACE})

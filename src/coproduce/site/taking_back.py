"""The pages where words are taken back, and where the list of everywhere they went is followed up."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Person
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where
from coproduce.site.recall import carried, take_back
from coproduce.voices import consent
from coproduce.voices.forms import TakeBackForm
from coproduce.voices.models import Carried, Speaker, Use, Voice


@signed_in
def voice(request: PersonRequest, pk: int) -> HttpResponse:
    """Take back one thing somebody said."""
    said = get_object_or_404(Voice.objects.for_reading(request.person).exclude(words=""), pk=pk)
    if not consent.may_take_back(request.person, said):
        raise Http404
    own = said.person_id == request.person.pk
    others = consent.goes_with(said).count()
    return _ask(
        request, own, [said], [], {"voice": said, "others": others, "in_story": said.turn_id is not None}
    )


@signed_in
def story(request: PersonRequest, pk: int) -> HttpResponse:
    """Take back all that somebody said in one story."""
    speaker = get_object_or_404(
        Speaker.objects.filter(withdrawn_at__isnull=True).select_related("story", "person"), pk=pk
    )
    if not consent.may_take_back_story(request.person, speaker):
        raise Http404
    own = speaker.person_id == request.person.pk
    return _ask(request, own, [], [speaker], {"speaker": speaker, "in_story": True})


@signed_in
def everything(request: PersonRequest, pk: int) -> HttpResponse:
    """Take back all that a person ever said here."""
    them = get_object_or_404(Person.objects.visible_to(request.person), pk=pk)
    said = list(Voice.objects.filter(person=them).exclude(words="").select_related("turn__story", "person"))
    speakers = list(
        Speaker.objects.filter(person=them, withdrawn_at__isnull=True).select_related("story", "person")
    )
    return _ask(
        request,
        them == request.person,
        said,
        speakers,
        {"them": them, "number": len(said), "stories": len(speakers), "in_story": bool(speakers)},
    )


def _ask(
    request: PersonRequest, own: bool, said: list[Voice], speakers: list[Speaker], shown: dict[str, object]
) -> HttpResponse:
    form = TakeBackForm(own, request.POST if request.method == "POST" else None)
    if form.is_valid() and form.does(
        take_back, request.person, said, speakers, form.cleaned_data["choice"], form.cleaned_data["hear"]
    ):
        out = form.cleaned_data["choice"] == consent.Choice.TAKE_OUT
        messages.success(
            request,
            _("Done. The words are out, on every page here.")
            if out
            else _("Done. Nobody can see any more who said it."),
        )
        left = Carried.objects.filter(Q(voice__in=form.result) | Q(speaker__in=speakers))
        left = left.exclude(kind__in=consent.OWN_COPIES)
        if number := left.count():
            text = ngettext(
                "It was in %(n)d place outside the group. Whoever keeps what is said here asks them to take it down.",
                "It was in %(n)d places outside the group. Whoever keeps what is said here asks them to take it down.",
                number,
            )
            messages.info(request, text % {"n": number})
        if request.person.pk == getattr(shown.get("them"), "pk", None) or own:
            return redirect("voices:allowed", request.person.pk)
        if "them" in shown:
            return redirect("voices:allowed", shown["them"].pk)  # type: ignore[attr-defined]
        return redirect("to_recall")
    return render(request, "site/take_back.html", {"form": form, "own": own, **shown})


# The recall list


@signed_in
def went(request: PersonRequest, pk: int) -> HttpResponse:
    """Everywhere somebody's words went, for them and for who keeps what is said."""
    said = get_object_or_404(Voice.objects.for_reading(request.person), pk=pk)
    if not consent.may_take_back(request.person, said):
        raise Http404
    carried([said.pk])
    return render(
        request,
        "site/went.html",
        {
            "voice": said,
            "taken_back": said.withdrawn_at,
            "own": said.person_id == request.person.pk,
            "rows": list(said.carried.select_related("asked_by")),
            "own_copies": consent.OWN_COPIES,
            "may_recall": said.withdrawn_at or not said.consents.standing().filter(use=Use.PUBLIC).exists(),
        },
    )


@signed_in
def story_went(request: PersonRequest, pk: int) -> HttpResponse:
    """Everywhere all that somebody said in a story went, beyond its quotes."""
    speaker = get_object_or_404(Speaker.objects.select_related("story__hub", "person"), pk=pk)
    if not consent.may_take_back_story(request.person, speaker):
        raise Http404
    return render(
        request,
        "site/went.html",
        {
            "speaker": speaker,
            "taken_back": speaker.withdrawn_at,
            "own": speaker.person_id == request.person.pk,
            "rows": list(speaker.carried.select_related("asked_by")),
            "own_copies": consent.OWN_COPIES,
            "may_recall": speaker.withdrawn_at
            or not speaker.consents.standing().filter(use=Use.GROUP).exists(),
        },
    )


@require_POST
@signed_in
def asked(request: PersonRequest, pk: int) -> HttpResponse:
    """Tick off that somebody was asked to take it down."""
    of = Carried.objects.select_related("voice__person", "speaker__person", "speaker__story")
    known = get_object_or_404(of, pk=pk)
    if known.voice_id and not Voice.objects.visible_to(request.person).filter(pk=known.voice_id).exists():
        raise NotAllowed("recall")
    done = "undo" not in request.POST
    said = _("Ticked off.") if done else _("The tick is gone.")
    press(request, said, consent.asked_to_take_down, request.person, known, done)
    return redirect("went", known.voice_id) if known.voice_id else redirect("story_went", known.speaker_id)


@signed_in
def to_recall(request: PersonRequest) -> HttpResponse:
    """Words that were taken back and that somebody outside still has."""
    if not hubs_where(request.person, "work on stories"):
        raise NotAllowed("work on stories")
    ids = consent.to_recall(request.person).order_by().values("pk")
    left = Voice.objects.for_reading(request.person).filter(pk__in=ids)
    stories = consent.stories_to_recall(request.person).select_related("story")
    return render(request, "site/to_recall.html", {"page": page_of(request, left), "stories": stories})

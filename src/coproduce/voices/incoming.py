"""A stranger has something to say: the public form, and the queue in which somebody opens what came."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from coproduce.people import limits
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Hub
from coproduce.people.permissions import NotAllowed, hubs_where
from coproduce.voices import actions, forms, sums
from coproduce.voices.models import Incoming
from coproduce.voices.views import page_of, posted

HOUR = 60 * 60
CHECKED_AN_HOUR = 20  # from one address; many people may share one, as in a day centre
UNCHECKED_AN_HOUR = 4
UNCHECKED_IN_ALL = 60  # from everywhere together: a flood of them does not bury the queue
SUMS_AN_HOUR = 200


def have_your_say(request: HttpRequest) -> HttpResponse:
    if not Hub.objects.exists():
        raise Http404
    form = forms.HaveYourSayForm(posted(request))  # type: ignore[arg-type]
    status = 200
    if form.is_valid():
        answer = form.cleaned_data["altcha"]
        checked = bool(answer) and sums.is_done(answer)
        if answer and not checked:
            again = _("That took too long, or was sent twice. Your words are still here: send them again.")
            form.add_error(None, again)
        elif not _has_room(request, checked):
            status = 429
            later = _(
                "A lot is coming in. Your words are still here. Wait a few minutes, then send them again."
            )
            form.add_error(None, later)
        elif form.does(
            actions.receive,
            form.chosen_hub,
            form.cleaned_data["words"],
            form.cleaned_data["name"],
            form.cleaned_data["way"],
            form.uses,
            checked and not form.cleaned_data["website"],
        ):
            return redirect("voices:thank_you")
    return render(request, "voices/have_your_say.html", {"form": form}, status=status)


def _has_room(request: HttpRequest, checked: bool) -> bool:
    who = limits.who_knocks(request)
    if checked:
        return limits.has_room("say", who, CHECKED_AN_HOUR, HOUR)
    return limits.has_room("say-unchecked", who, UNCHECKED_AN_HOUR, HOUR) and limits.has_room(
        "say-unchecked-all", "", UNCHECKED_IN_ALL, HOUR
    )


@require_GET
@never_cache
def new_sum(request: HttpRequest) -> HttpResponse:
    if not limits.has_room("sums", limits.who_knocks(request), SUMS_AN_HOUR, HOUR):
        return JsonResponse({}, status=429)
    return JsonResponse(sums.new())


def thank_you(request: HttpRequest) -> HttpResponse:
    return render(request, "voices/thank_you.html")


# The queue


@signed_in
def queue(request: PersonRequest) -> HttpResponse:
    if not hubs_where(request.person, "take in what strangers say"):
        raise NotAllowed("take in what strangers say")
    here = Incoming.objects.visible_to(request.person).select_related("hub")
    aside = "aside" in request.GET
    return render(
        request,
        "voices/queue.html",
        {
            "page": page_of(request, here.put_aside().order_by("-at") if aside else here.waiting()),
            "aside": aside,
            "number_aside": here.put_aside().count(),
        },
    )


@signed_in
def one(request: PersonRequest, pk: int) -> HttpResponse:
    incoming = _incoming(request, pk)
    form = forms.TakeInForm(request.person, incoming, posted(request))
    if form.is_valid() and form.does(actions.take_in, request.person, incoming, form.cleaned_data["person"]):
        messages.success(request, _("It is a voice now, in their own words."))
        return redirect("voices:voice", form.result.pk)
    return _page_of_one(request, incoming, form, forms.PutAsideForm())


@require_POST
@signed_in
def put_aside(request: PersonRequest, pk: int) -> HttpResponse:
    incoming = _incoming(request, pk)
    form = forms.PutAsideForm(request.POST)
    if form.is_valid() and form.does(actions.put_aside, request.person, incoming, **form.cleaned_data):
        messages.success(request, _("Put aside. You can still find it there."))
        return redirect("voices:queue")
    return _page_of_one(request, incoming, forms.TakeInForm(request.person, incoming), form)


def _incoming(request: PersonRequest, pk: int) -> Incoming:
    here = Incoming.objects.visible_to(request.person).exclude(outcome=Incoming.Outcome.TAKEN_IN)
    return get_object_or_404(here.select_related("hub"), pk=pk)


def _page_of_one(
    request: PersonRequest, incoming: Incoming, form: forms.TakeInForm, aside: forms.PutAsideForm
) -> HttpResponse:
    return render(
        request,
        "voices/incoming.html",
        {"incoming": incoming, "take_in": form, "aside": aside, "form": aside if aside.errors else form},
    )

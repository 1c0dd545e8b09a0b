from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coproduce.changes import actions, thread
from coproduce.changes.forms import ChangeForm, ClauseForm, ReviewForm, StepForm, TieForm
from coproduce.changes.models import Change
from coproduce.changes.wording import compare
from coproduce.people.counts import is_of_the_group
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.permissions import NotAllowed, hubs_where, may, must
from coproduce.themes.models import Theme
from coproduce.voices.models import Voice


def changes(request: PersonRequest) -> HttpResponse:
    known = Change.objects.visible_to(request.person).latest_first().select_related("hub")
    page = Paginator(known, 20).get_page(request.GET.get("page"))
    can_record = bool(hubs_where(request.person, "record a change"))
    return render(request, "changes/changes.html", {"page": page, "can_record": can_record})


def change(request: PersonRequest, pk: int) -> HttpResponse:
    known = Change.objects.visible_to(request.person).with_stage().select_related("hub", "owner", "clause")
    change = get_object_or_404(known, pk=pk)
    clause = getattr(change, "clause", None)
    before, after = compare(clause.before, clause.after) if clause else ([], [])
    return render(
        request,
        "changes/change.html",
        {
            "change": change,
            "clause": clause,
            "before": before,
            "after": after,
            "steps": list(change.steps.all()),
            "can_record": may(request.person, "record a change", change.hub_id),
            "can_tie": may(request.person, "tie the thread", change.hub_id),
        },
    )


def words(request: PersonRequest, pk: int) -> HttpResponse:
    """Everything that was said behind the change, as far as this reader may read it."""
    change = get_object_or_404(Change.objects.visible_to(request.person), pk=pk)
    behind = thread.voices_behind(change)
    said = behind.for_reading(request.person).exclude(words="").order_by("-pk")
    page = Paginator(said, 25).get_page(request.GET.get("page"))
    ahead = thread.ahead_of(voice.pk for voice in page)
    return render(
        request,
        "changes/words.html",
        {
            "change": change,
            "page": page,
            "rows": [(voice, ahead[voice.pk].themes) for voice in page],
            "of_the_group": (of_the_group := is_of_the_group(request.person, change.hub_id)),
            "hidden": behind.exclude(words="").count() - page.paginator.count if of_the_group else 0,
            "taken_out": behind.filter(words="").count() if of_the_group else 0,
            "can_tie": may(request.person, "tie the thread", change.hub_id),
        },
    )


@signed_in
def record(request: PersonRequest) -> HttpResponse:
    if not hubs_where(request.person, "record a change"):
        raise NotAllowed("record a change")
    initial = {"on": timezone.localdate(), "topics": request.GET.getlist("topic")}
    form = ChangeForm(request.POST or None, person=request.person, initial=initial)
    if (
        request.method == "POST"
        and form.is_valid()
        and form.does(actions.record_change, request.person, **form.cleaned_data)
    ):
        if form.result.kind == Change.Kind.CLAUSE:
            return redirect("changes:clause", form.result.pk)
        messages.success(request, _("The change is recorded."))
        return redirect("changes:change", form.result.pk)
    return render(request, "changes/record.html", {"form": form})


@signed_in
def step(request: PersonRequest, pk: int) -> HttpResponse:
    change = get_object_or_404(Change.objects.visible_to(request.person).with_stage(), pk=pk)
    must(request.person, "record a change", change.hub_id)
    form = StepForm(request.POST or None, initial={"on": timezone.localdate()})
    if (
        request.method == "POST"
        and form.is_valid()
        and form.does(actions.take_step, request.person, change, **form.cleaned_data)
    ):
        messages.success(request, _("Recorded. Now tell the people behind it."))
        return redirect("changes:change", change.pk)
    return render(request, "changes/step.html", {"change": change, "form": form})


@signed_in
def review(request: PersonRequest, pk: int) -> HttpResponse:
    """Say what was found when the change was checked again."""
    change = get_object_or_404(Change.objects.visible_to(request.person).with_stage(), pk=pk)
    must(request.person, "record a change", change.hub_id)
    form = ReviewForm(request.POST or None, initial={"on": timezone.localdate()})
    if (
        request.method == "POST"
        and form.is_valid()
        and form.does(actions.review, request.person, change, **form.cleaned_data)
    ):
        messages.success(request, _("Written down. Now tell the people behind it."))
        return redirect("changes:change", change.pk)
    return render(request, "changes/review.html", {"change": change, "form": form})


@signed_in
def clause(request: PersonRequest, pk: int) -> HttpResponse:
    change = get_object_or_404(Change.objects.visible_to(request.person).select_related("clause"), pk=pk)
    must(request.person, "record a change", change.hub_id)
    known = getattr(change, "clause", None)
    initial = (
        {name: getattr(known, name) for name in ("contract", "number", "before", "after")} if known else {}
    )
    form = ClauseForm(request.POST or None, initial=initial)
    if (
        request.method == "POST"
        and form.is_valid()
        and form.does(actions.word_clause, request.person, change, **form.cleaned_data)
    ):
        messages.success(request, _("The words of the clause are kept."))
        return redirect("changes:change", change.pk)
    return render(request, "changes/clause.html", {"change": change, "form": form})


@signed_in
def tie(request: PersonRequest, pk: int) -> HttpResponse:
    """Tie topics and themes to the change, and single voices found by their words."""
    change = get_object_or_404(Change.objects.visible_to(request.person), pk=pk)
    must(request.person, "tie the thread", change.hub_id)
    search = request.GET.get("words", "").strip()
    found = Voice.objects.none()
    if search:
        found = Voice.objects.for_reading(request.person).saying(search).exclude(changes=change)
    form = TieForm(request.POST or None, person=request.person, change=change)
    if request.method == "POST" and form.is_valid():
        voices = Voice.objects.visible_to(request.person).filter(
            pk__in=_numbers(request.POST.getlist("voices"))
        )
        if form.does(actions.tie, request.person, change, voices=voices, **form.cleaned_data):
            messages.success(request, _("Tied."))
            return redirect("changes:change", change.pk)
    return render(
        request,
        "changes/tie.html",
        {
            "change": change,
            "form": form,
            "search": search,
            "found": found[:30],
            "tied": _tied(change, request),
        },
    )


def _tied(change: Change, request: PersonRequest) -> dict[str, object]:
    return {
        "topics": change.topics.all(),
        "themes": Theme.objects.visible_to(request.person).filter(changes=change),
        "voices": Voice.objects.for_reading(request.person).filter(changes=change)[:30],
    }


@require_POST
@signed_in
def untie(request: PersonRequest, pk: int) -> HttpResponse:
    change = get_object_or_404(Change.objects.visible_to(request.person), pk=pk)
    must(request.person, "tie the thread", change.hub_id)
    kinds = {
        "topic": change.topics.all(),
        "theme": Theme.objects.visible_to(request.person).filter(changes=change),
        "voice": Voice.objects.visible_to(request.person).filter(changes=change),
    }
    for kind, known in kinds.items():
        if number := _numbers([request.POST.get(kind, "")]):
            actions.untie(request.person, change, get_object_or_404(known, pk=number[0]))
            messages.success(request, _("Taken off the thread."))
    return redirect("changes:tie", change.pk)


def _numbers(typed: list[str]) -> list[int]:
    return [int(each) for each in typed if each.isascii() and each.isdecimal() and len(each) < 19]

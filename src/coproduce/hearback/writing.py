"""Writing an update: what to tell, how it reads, and how it will look to one of the people, by any way."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coproduce.agenda.models import Topic
from coproduce.changes.models import Change
from coproduce.hearback import actions
from coproduce.hearback.forms import UpdateForm
from coproduce.hearback.models import Update, people_behind_update
from coproduce.hearback.preview import letter_to, preview_for, who_to_look_as
from coproduce.hearback.reading import how_it_reads, names_here
from coproduce.people.counts import is_of_the_group, said_to
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Hub, Way
from coproduce.people.permissions import NotAllowed, hubs_where, may, must

TOLD = ("text", "unchanged", "following", "ask")  # what is read for how it reads


@signed_in
def write(request: PersonRequest, change: int) -> HttpResponse:
    """Write an update about a change: its latest step, a review of it, or that people still wait."""
    known = get_object_or_404(Change.objects.visible_to(request.person).with_stage(), pk=change)
    must(request.person, "write an update", known.hub_id)
    asked = request.GET.get("review", "")
    if "waiting" in request.GET:
        return _write(request, actions.StillWaiting(known))
    if asked:
        return _write(request, get_object_or_404(known.reviews, pk=int(asked) if asked.isdecimal() else 0))
    return _write(request, known)


@signed_in
def write_on_topic(request: PersonRequest, topic: int) -> HttpResponse:
    """Write an update about a topic: what the group decided, or that people still wait."""
    known = get_object_or_404(Topic.objects.visible_to(request.person).with_stage(), pk=topic)
    must(request.person, "write an update", known.hub_id)
    return _write(request, actions.StillWaiting(known) if "waiting" in request.GET else known)


def _write(request: PersonRequest, news: actions.News) -> HttpResponse:
    """First how it will look to one of the people behind it, then tell everybody."""
    draft = actions.draft_update(news)
    form = UpdateForm(draft, request.POST or None)
    ready = request.method == "POST" and form.is_valid()
    if (
        ready
        and "tell" in request.POST
        and form.does(actions.write_update, request.person, news, **form.cleaned_data)
    ):
        messages.success(request, _("Everybody behind it is now owed this. Emails are going out."))
        return redirect("hearback:update", form.result.pk)
    # Outside the group not by which ways: that one way appears in the list would tell that one person came to it.
    inside = is_of_the_group(request.person, draft.hub_id)
    people = people_behind_update(draft)
    looks = None
    if ready:
        _fill_in(draft, form)
        looks = _look(request, draft, form)
        if isinstance(looks, HttpResponse):
            return looks
    behind = f"people behind {'change' if draft.change_id else 'topic'} {draft.about.pk}"
    return render(
        request,
        "hearback/write.html",
        {
            "draft": draft,
            "form": form,
            "looks": looks,
            "reads": how_it_reads(_all_told(request), draft.hub, names_here(draft.hub_id)) if ready else None,
            "ways": _ways_of(people) if inside else [],
            "inside": inside,
            "behind": said_to(request.person, 0 if inside else people.count(), draft.hub_id, behind),
        },
    )


def _fill_in(draft: Update, form: UpdateForm) -> None:
    for name in ("title", "text", "unchanged", "following", "following_on", "ask"):
        setattr(draft, name, form.cleaned_data.get(name) or (None if name == "following_on" else ""))


def _look(request: PersonRequest, draft: Update, form: UpdateForm) -> dict[str, object] | HttpResponse:
    """How it will look: to nobody in particular; or, for who tells people, to one of them by one way."""
    quotes = list(form.cleaned_data.get("quotes") or ())
    looks: dict[str, object] = {"quotes": quotes}
    if not may(request.person, "tell people", draft.hub_id):
        return looks
    people = who_to_look_as(draft, request.person)
    chosen = next((them for them in people if str(them.pk) == request.POST.get("as_person")), None)
    kind = request.POST.get("by_way", "")
    looks |= {"people": people, "ways": Way.Kind.choices, "chosen": chosen, "kind": kind}
    if chosen is None:
        return looks
    if "paper" in request.POST:
        return HttpResponse(letter_to(draft, chosen, quotes), content_type="application/pdf")
    return looks | {"one": preview_for(draft, chosen, kind, quotes)}


@require_POST
@signed_in
def reading(request: PersonRequest) -> HttpResponse:
    """How what is being written reads, for the page to show while somebody types."""
    hubs = hubs_where(request.person, "write an update")
    if not hubs:
        raise NotAllowed("write an update")
    reads = how_it_reads(_all_told(request), Hub.objects.get(pk=min(hubs)), names_here(min(hubs)))
    return render(request, "hearback/_reading.html", {"reads": reads})


def _all_told(request: PersonRequest) -> str:
    return "\n\n".join(filter(None, (request.POST.get(name, "").strip() for name in TOLD)))


def _ways_of(behind: object) -> list[tuple[str, int]]:
    """How many of these people like to hear by each way, and how many nobody knows how to reach."""
    people = behind.filter(erasure__isnull=True).order_by()  # type: ignore[attr-defined]
    counted = dict(
        Way.objects.best()
        .filter(person__in=people.values("pk"))
        .order_by()
        .values_list("kind")
        .annotate(Count("pk"))
    )
    unknown = people.count() - sum(counted.values())
    ways = [
        (str(Way.Kind(kind).label), number)
        for kind, number in sorted(counted.items(), key=lambda row: -row[1])
    ]
    return [*ways, (_("we don't know how to reach them"), unknown)] if unknown else ways

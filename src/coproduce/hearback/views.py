from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from coproduce.hearback import actions, notices
from coproduce.hearback.channels.here import by_hand
from coproduce.hearback.debt import closed_by
from coproduce.hearback.forms import AnswerForm, PassedOnForm, ToldForm
from coproduce.hearback.mine import what_became_of_what_they_said
from coproduce.hearback.models import (
    Feedback,
    FeedbackQuerySet,
    Letters,
    State,
    Update,
    heard_as_said_to,
    latecomers,
    their_words,
    their_words_for,
    went_together_with,
    with_quotes,
    with_their_words,
)
from coproduce.hearback.not_fixed import open_questions
from coproduce.hearback.reply import feedback_of, reply_path, way_of
from coproduce.people import actions as people
from coproduce.people.counts import is_of_the_group
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Hub, Person, Way
from coproduce.people.permissions import NotAllowed, hubs_where, may, must
from coproduce.voices.models import Voice

WITH_UPDATE = ("update__hub", "update__change__owner", "update__topic")

# The person hears


@signed_in
def what_happened(request: PersonRequest) -> HttpResponse:
    """What you said, what happened: everything this person ever said here, and what became of each."""
    page = what_became_of_what_they_said(request.person)
    actions.seen_on_their_page(request.person, [each.feedback for each in page.just_in if each.feedback])
    can_say = bool(hubs_where(request.person, "read what the group may read"))
    written_down = Voice.objects.filter(person=request.person, through__isnull=False).exists()
    return render(
        request,
        "hearback/what_happened.html",
        {
            "mine": page,
            "can_say": can_say,
            "can_raise": bool(hubs_where(request.person, "raise a topic")),
            "written_down": written_down,
        },
    )


@require_POST
@signed_in
def answer(request: PersonRequest, pk: int) -> HttpResponse:
    """A person says, on their own page, whether it answered them."""
    feedback = get_object_or_404(Feedback.objects.filter(person=request.person), pk=pk)
    return _take_answer(request, feedback, redirect("hearback:what_happened"))


def reply(request: PersonRequest, token: str) -> HttpResponse:
    """One piece of feedback, opened from a message without signing in. Looking says nothing; answering is a button."""
    feedback = feedback_of(token)
    if feedback is None:
        raise Http404
    if request.method == "POST":
        return _take_answer(request, feedback, redirect("hearback:reply", token))
    return _reply_page(request, feedback, AnswerForm())


@csrf_exempt  # an inbox presses this button by itself (RFC 8058); the link is the key
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Stop one way of reaching somebody, from inside a message. Looking changes nothing; stopping is a button."""
    way = way_of(token)
    if way is None:
        raise Http404
    if request.method == "POST":
        if "start" in request.POST:
            people.start_way(way.person, way)
        else:
            people.stop_way(way.person, way)
        way.refresh_from_db()
    return render(request, "hearback/stop.html", {"way": way, "sender": settings.SENDER_NAME})


def _take_answer(request: PersonRequest, feedback: Feedback, afterwards: HttpResponse) -> HttpResponse:
    form = AnswerForm(request.POST)
    if form.is_valid() and form.does(actions.answer, feedback.person, feedback, **form.cleaned_data):
        if form.cleaned_data["words"].strip():
            messages.success(request, _("Thank you. The group will read it, and you will hear what happens."))
        else:
            messages.success(request, _("Thank you for telling us."))
        return afterwards
    return _reply_page(request, feedback, form)


def _reply_page(request: PersonRequest, feedback: Feedback, form: AnswerForm) -> HttpResponse:
    return render(
        request,
        "hearback/reply.html",
        {
            "feedback": feedback,
            "voices": their_words(feedback),
            "form": form,
            "given": getattr(feedback, "answer", None),
            "tapped": request.GET.get("answered", ""),
            "together": [(each, reply_path(each)) for each in went_together_with(feedback)],
        },
    )


# Somebody tells them


@signed_in
def update(request: PersonRequest, pk: int) -> HttpResponse:
    """Who has heard one update, and who has not."""
    update = get_object_or_404(
        Update.objects.select_related("hub", "change", "topic", "written_by", "stopped_by"), pk=pk
    )
    must(request.person, "write an update", update.hub_id)
    tells = may(request.person, "tell people", update.hub_id)
    state = request.GET.get("state", "")
    feedback = (
        Feedback.objects.filter(update=update).with_way().named_for(request.person).select_related("person")
    )
    if state in State.values:
        feedback = feedback.filter(state=state)
    return render(
        request,
        "hearback/update.html",
        {
            "update": update,
            "states": State.choices,
            "state": state,
            "tells": tells,
            "page": Paginator(feedback, 50).get_page(request.GET.get("page")) if tells else None,
            "latecomers": latecomers(update),
            "closed": closed_by("update", update=update.pk).get(update.pk) if tells else None,
            "not_gone": update.feedback.filter(state=State.OWED).count() if tells else 0,
        },
    )


@require_POST
@signed_in
def sending(request: PersonRequest, pk: int) -> HttpResponse:
    """Stop what is not gone yet, or start it again."""
    update = get_object_or_404(Update.objects.select_related("change"), pk=pk)
    if "stop" in request.POST:
        actions.stop_sending(request.person, update)
        messages.success(request, _("Stopped. What has not gone yet stays here."))
    else:
        actions.start_again(request.person, update)
        messages.success(request, _("It goes on."))
    return redirect("hearback:update", update.pk)


@require_POST
@signed_in
def wall_notice(request: PersonRequest, pk: int) -> HttpResponse:
    """The notice for a wall, for those behind the change whom nobody can name."""
    update = get_object_or_404(Update.objects.select_related("change__hub"), pk=pk)
    return _pdf(actions.make_wall_notice(request.person, update), f"notice-{update.pk}.pdf")


@require_POST
@signed_in
def card(request: PersonRequest, pk: int) -> HttpResponse:
    """A card to hand over to one person, by who tells them or by who they trust."""
    mine = Q(pk__in=_may_tell(request).values("pk")) | Q(
        pk__in=Feedback.objects.owed_through(request.person).values("pk")
    )
    known = Feedback.objects.filter(mine).named_for(request.person)
    feedback = get_object_or_404(
        known.select_related("update__hub", "update__change", "update__topic", "person"), pk=pk
    )
    return _pdf(actions.make_card(request.person, feedback, feedback.who), f"card-{feedback.pk}.pdf")


def _pdf(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content, "application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )


@require_POST
@signed_in
def tell_latecomers(request: PersonRequest, pk: int) -> HttpResponse:
    update = get_object_or_404(Update.objects.select_related("change"), pk=pk)
    actions.tell_latecomers(request.person, update)
    return redirect("hearback:update", update.pk)


@signed_in
def who_has_heard(request: PersonRequest) -> HttpResponse:
    """Every update, how far it got, and what a person has to do so that it gets further."""
    hubs = hubs_where(request.person, "write an update")
    if not hubs:
        raise NotAllowed("write an update")
    updates = Update.objects.filter(hub__in=hubs).select_related("hub", "change", "topic")
    page = Paginator(updates, 20).get_page(request.GET.get("page"))
    counts: dict[int, dict[str, int]] = {update.pk: {} for update in page}
    for pk, state, number in (
        Feedback.objects.filter(update__in=list(counts))
        .order_by()
        .values_list("update", "state")
        .annotate(Count("pk"))
    ):
        counts[pk][state] = number
    rows = []
    for update in page:
        in_state = counts[update.pk]
        heard, people = in_state.get(State.HEARD, 0), sum(in_state.values())
        inside = is_of_the_group(request.person, update.hub_id)
        said = None if inside else heard_as_said_to(request.person, update, heard)
        rows.append((update, heard, people, people - heard - in_state.get(State.SENT, 0), said))
    return render(
        request,
        "hearback/who_has_heard.html",
        {
            "page": page,
            "rows": rows,
            "work": _work(request),
            "not_put_right": open_questions(hubs_where(request.person, "tell people"), request.person),
            "tells": bool(hubs_where(request.person, "tell people")),
        },
    )


def _work(request: PersonRequest) -> dict[str, int]:
    """What waits for a person, counted."""
    owed = Feedback.objects.filter(update__hub__in=hubs_where(request.person, "tell people"))
    return {
        "calls": owed.owed_by(*by_hand(Way.Kind.PHONE)).due().count(),
        "face_to_face": owed.owed_by(Way.Kind.FACE_TO_FACE).count(),
        "letters": owed.owed_by(*by_hand(Way.Kind.LETTER)).count(),
        "to_settle": owed.filter(state__in=[State.UNCERTAIN, State.UNDELIVERABLE]).count()
        + owed.owed_by_no_way().count(),
    }


@signed_in
def to_tell(request: PersonRequest, way: str) -> HttpResponse:
    """The list of people to ring, or to tell face to face, with what to say."""
    if way not in (Way.Kind.PHONE, Way.Kind.FACE_TO_FACE):
        raise Http404
    phone = way == Way.Kind.PHONE
    everybody = _mine_to_tell(request).owed_by(*by_hand(way)).named_for(request.person)
    everybody = everybody.select_related(
        "person", "update__hub", "update__change", "update__topic", "told_by", "next_way"
    )
    everybody = everybody.prefetch_related("person__ways", "person__mandates__trusted__account")
    now = everybody.due().not_in_quiet_hours() if phone else everybody.due()
    waiting = list(dict.fromkeys(now.order_by("owed_at", "pk").values_list("person", flat=True)))
    page = Paginator(waiting, 10).get_page(request.GET.get("page"))
    cards = _cards(now.filter(person__in=list(page)).order_by("owed_at", "pk"))
    return render(
        request,
        "hearback/to_tell.html",
        {
            "page": page,
            "cards": cards,
            "trusted": notices.to_tell(request.person, way) if page.number == 1 else [],
            "later": everybody.exclude(pk__in=now.values("pk")).order_by("not_before", "pk")[:50],
            "phone": phone,
            "now": timezone.now(),
        },
    )


@dataclass(frozen=True)
class _Card:
    """One person to tell, in one call: all there is for them, what they said, where to find them, how it went."""

    things: list[Feedback]
    form: ToldForm

    @property
    def feedback(self) -> Feedback:
        """What is owed to them the longest. The card goes by its number."""
        return self.things[0]

    @property
    def way(self) -> Way | None:
        return self.feedback.way


def _cards(feedback: Iterable[Feedback]) -> list[_Card]:
    """One card for each person, in the order in which they come."""
    by_person: dict[int, list[Feedback]] = {}
    for each in with_their_words(with_quotes(feedback)):
        by_person.setdefault(each.person_id, []).append(each)
    return [_Card(things, ToldForm(things, prefix=f"f{things[0].pk}")) for things in by_person.values()]


@require_POST
@signed_in
def notice_told(request: PersonRequest, pk: int) -> HttpResponse:
    """A trusted person was told that there is something to pass on; or the letter that says so is printed."""
    if not hubs_where(request.person, "tell people"):
        raise NotAllowed("tell people")
    trusted = get_object_or_404(Person.objects.visible_to(request.person), pk=pk)
    if "letter" in request.POST:
        pdf = notices.print_letter(request.person, trusted)
        return HttpResponse(pdf, content_type="application/pdf")
    notices.told(request.person, trusted)
    messages.success(request, _("%(name)s knows that there is news.") % {"name": trusted.name})
    phone = trusted.preferred_way is not None and trusted.preferred_way.kind in by_hand(Way.Kind.PHONE)
    return redirect("hearback:to_tell", Way.Kind.PHONE if phone else Way.Kind.FACE_TO_FACE)


@require_POST
@signed_in
def told(request: PersonRequest, pk: int) -> HttpResponse:
    """What came of it: they were told, nobody answered, or they can't be reached this way.

    It holds for all that stood on their card, and not for what has come since.
    """
    mine = _mine_to_tell(request).named_for(request.person).select_related(*WITH_UPDATE, "person")
    feedback = get_object_or_404(mine, pk=pk)
    also = [int(each) for each in request.POST.getlist(f"f{pk}-also") if each.isdecimal()][:50]
    things = [
        feedback,
        *mine.filter(pk__in=also, person=feedback.person_id).exclude(pk=pk).order_by("owed_at", "pk"),
    ]
    phone = feedback.way is not None and feedback.way.kind in by_hand(Way.Kind.PHONE)
    back = redirect("hearback:to_tell", Way.Kind.PHONE if phone else Way.Kind.FACE_TO_FACE)
    form = ToldForm(things, request.POST, prefix=f"f{pk}")
    if not form.is_valid():
        return render(request, "hearback/to_tell.html", {"cards": [_Card(things, form)], "phone": phone})
    outcome, words = form.cleaned_data["outcome"], form.cleaned_data["words"].strip()
    if outcome == "told":
        with transaction.atomic():
            for each in things:
                actions.told(request.person, each)
            if words or form.cleaned_data["answered"] is not None:
                actions.answer(
                    request.person,
                    form.about,
                    form.cleaned_data["answered"],
                    words,
                    not_fixed=form.cleaned_data["not_fixed"],
                )
        messages.success(request, _("%(name)s has heard.") % {"name": feedback.who})
    else:
        with transaction.atomic():
            for each in things:
                actions.tried(request.person, each, outcome == "cannot reach", form.again_at)
        messages.success(request, _("Noted. %(name)s is still owed this.") % {"name": feedback.who})
    return back


@signed_in
def to_settle(request: PersonRequest) -> HttpResponse:
    """What nobody but a person can decide: not sure it went, did not arrive, no way to reach them."""
    mine = _mine_to_tell(request)
    unsettled = (
        mine.filter(state__in=[State.UNCERTAIN, State.UNDELIVERABLE])
        .with_way()
        .named_for(request.person)
        .select_related("person", "update__change", "update__topic")
    )
    return render(
        request,
        "hearback/to_settle.html",
        {
            "page": Paginator(unsettled, 20).get_page(request.GET.get("page")),
            "no_way": mine.owed_by_no_way()
            .named_for(request.person)
            .select_related("person", "update__change", "update__topic")[:50],
        },
    )


@require_POST
@signed_in
def settle(request: PersonRequest, pk: int) -> HttpResponse:
    feedback = get_object_or_404(
        _mine_to_tell(request).select_related("update__change", "update__topic"), pk=pk
    )
    actions.settle(request.person, feedback, it_went="it_went" in request.POST)
    messages.success(request, _("Decided."))
    return redirect("hearback:to_settle")


def _mine_to_tell(request: PersonRequest) -> FeedbackQuerySet:
    if not hubs_where(request.person, "tell people"):
        raise NotAllowed("tell people")
    return _may_tell(request)


def _may_tell(request: PersonRequest) -> FeedbackQuerySet:
    return Feedback.objects.filter(update__hub__in=hubs_where(request.person, "tell people"))


# Through a trusted person


@require_POST
@signed_in
def pass_on(request: PersonRequest, pk: int) -> HttpResponse:
    """What came of it: they were told, not yet, or not at all. What they answered is a new voice of theirs."""
    mine = Feedback.objects.owed_through(request.person).named_for(request.person)
    feedback = get_object_or_404(mine.select_related(*WITH_UPDATE, "person"), pk=pk)
    form = PassedOnForm([feedback], request.POST, prefix=f"f{pk}")
    if not form.is_valid():
        voices = their_words_for(request.person, feedback)
        return render(
            request, "hearback/pass_on.html", {"feedback": feedback, "voices": voices, "form": form}
        )
    outcome, words = form.cleaned_data["outcome"], form.cleaned_data["words"].strip()
    if outcome == "told":
        with transaction.atomic():
            actions.passed_on(request.person, feedback)
            if words or form.cleaned_data["answered"] is not None:
                actions.answer(
                    request.person,
                    feedback,
                    form.cleaned_data["answered"],
                    words,
                    through=True,
                    read_back=form.cleaned_data["read_back"],
                    not_fixed=form.cleaned_data["not_fixed"],
                )
        messages.success(request, _("Thank you. %(name)s has heard.") % {"name": feedback.who})
    else:
        actions.could_not_pass_on(request.person, feedback, cannot_reach=outcome == "cannot reach")
        messages.success(request, _("Noted. %(name)s is still owed this.") % {"name": feedback.who})
    return redirect("people:supporting")


# Letters


@signed_in
def letters(request: PersonRequest) -> HttpResponse:
    hubs = hubs_where(request.person, "tell people")
    if not hubs:
        raise NotAllowed("tell people")
    letters = by_hand(Way.Kind.LETTER)
    waiting = {
        hub: number
        for hub in Hub.objects.filter(pk__in=hubs)
        if (number := Feedback.objects.filter(update__hub=hub).owed_by(*letters).count())
    }
    piles = (
        Letters.objects.filter(hub__in=hubs)
        .annotate(number=Count("feedback"))
        .select_related("hub")
        .order_by("-made_at", "-pk")
    )
    page = Paginator(piles, 20).get_page(request.GET.get("page"))
    return render(request, "hearback/letters.html", {"waiting": waiting, "page": page})


@require_POST
@signed_in
def make_letters(request: PersonRequest, hub: int) -> HttpResponse:
    try:
        actions.make_letters(request.person, get_object_or_404(Hub, pk=hub))
    except ValidationError as refused:
        messages.error(request, refused.messages[0])
    return redirect("hearback:letters")


@signed_in
def letters_pdf(request: PersonRequest, pk: int) -> FileResponse:
    pile = get_object_or_404(Letters.objects.filter(hub__in=hubs_where(request.person, "tell people")), pk=pk)
    if not pile.pdf:
        raise Http404
    return FileResponse(pile.pdf.open(), content_type="application/pdf", filename=f"letters-{pile.pk}.pdf")


@require_POST
@signed_in
def post_letters(request: PersonRequest, pk: int) -> HttpResponse:
    pile = get_object_or_404(Letters.objects.filter(hub__in=hubs_where(request.person, "tell people")), pk=pk)
    try:
        if "again" in request.POST:
            actions.make_letters_again(request.person, pile)
        else:
            actions.post_letters(request.person, pile)
            messages.success(request, _("The letters are in the post."))
    except ValidationError as refused:
        messages.error(request, refused.messages[0])
    return redirect("hearback:letters")

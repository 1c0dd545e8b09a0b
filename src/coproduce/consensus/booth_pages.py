"""The pages of those who vote. Their address holds the conversation's link; with it some need no account."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from coproduce.consensus import actions, forms, voting
from coproduce.consensus.booth import Booth, turn_of
from coproduce.consensus.models import Conversation, Reckoned, Statement, Vote, Voter, use_for
from coproduce.consensus.picture import draw
from coproduce.consensus.reckoning import place_of
from coproduce.consensus.telling import LETTERS, told_to
from coproduce.people import limits
from coproduce.people.counts import SMALL
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Mandate, Person
from coproduce.people.pages import press
from coproduce.people.permissions import may, must
from coproduce.people.views import supported_by
from coproduce.voices.allowing import default_uses
from coproduce.voices.models import Use
from coproduce.voices.views import posted

COOKIE = "__Host-voter" if settings.SECURE_SSL else "voter"
KEPT_FOR = 60 * 60 * 24 * 365
HOUR = 60 * 60
NEW_VOTERS_AN_HOUR = 200  # from one address: a day centre's people share one
STATEMENTS_AN_HOUR = 30
WHYS_AN_HOUR = 30


def _reader(request: HttpRequest) -> Person | None:
    person: Person | None = request.person  # type: ignore[attr-defined]
    return person


def _secret(request: HttpRequest) -> str:
    """Of the browser of somebody with no account; "" where there is none, or somebody changed it."""
    return request.get_signed_cookie(COOKIE, default="", salt="consensus") or ""


def _conversation(request: HttpRequest, key: str) -> Conversation:
    """The one with this link. A visitor who may not open it is asked to sign in, there or not."""
    found = Conversation.objects.opened_by_link(_reader(request), key).select_related(
        "topic__hub", "decision"
    )
    return get_object_or_404(found)


def _or_sign_in(request: HttpRequest, key: str) -> Conversation | HttpResponse:
    try:
        return _conversation(request, key)
    except Http404:
        if _reader(request) is None:
            return redirect_to_login(request.get_full_path())
        raise


def _voter(request: HttpRequest, conversation: Conversation) -> Voter | None:
    person = _reader(request)
    return voting.voter_of(conversation, person, "" if person else _secret(request))


def begin(request: HttpRequest, key: str) -> HttpResponse:
    """What it is about, and the one button. Pressing it gives somebody with no account their secret."""
    conversation = _or_sign_in(request, key)
    if isinstance(conversation, HttpResponse):
        return conversation
    person, there = _reader(request), reverse("consensus:vote", args=[key])
    if request.method == "POST" and voting.may_vote(person, conversation):
        answer = redirect(there)
        if person is None and not _secret(request):
            if not limits.has_room("voters", limits.who_knocks(request), NEW_VOTERS_AN_HOUR, HOUR):
                messages.error(
                    request, _("Many people begin here just now. Wait a few minutes, then try again.")
                )
                return redirect("consensus:begin", key)
            answer.set_signed_cookie(
                COOKIE,
                voting.new_secret(),
                salt="consensus",
                max_age=KEPT_FOR,
                httponly=True,
                secure=settings.SECURE_SSL,
                samesite="Lax",
            )
        return answer
    voter = _voter(request, conversation)
    booth = Booth(conversation, voter, person, there, partial(_nobody))
    before = voting.voter_of(conversation, None, _secret(request)) if person else None
    return render(
        request,
        "consensus/begin.html",
        {
            "conversation": conversation,
            "turn": turn_of(booth),
            "voter": voter,
            "may_vote": voting.may_vote(person, conversation),
            "voted_before": before,
            "tools": may(person, "curate statements", conversation.topic.hub_id)
            or may(person, "open a conversation", conversation.topic.hub_id),
        },
    )


def _nobody(_statement: Statement, _choice: int) -> Voter:
    raise AssertionError("nobody votes on a page that is only read")


@never_cache
def vote(request: HttpRequest, key: str) -> HttpResponse:
    conversation = _or_sign_in(request, key)
    if isinstance(conversation, HttpResponse):
        return conversation
    person = _reader(request)
    if not voting.may_vote(person, conversation) or (person is None and not _secret(request)):
        return redirect("consensus:begin", key)
    cast = (
        partial(voting.vote, person, conversation)
        if person
        else partial(voting.vote_by_link, _secret(request), conversation)
    )
    voter = _voter(request, conversation)
    return _in_booth(request, Booth(conversation, voter, person, reverse("consensus:vote", args=[key]), cast))


def _in_booth(request: HttpRequest, booth: Booth) -> HttpResponse:
    """Show a statement, or take a vote: it is kept before this answers. htmx gets the next one in the same answer."""
    asked, after, wrong = request.GET.get("statement", ""), request.GET.get("after", ""), ""
    if request.method == "POST":
        form = forms.VoteForm(request.POST)
        if form.is_valid():
            statement = Statement(pk=form.cleaned_data["statement"], conversation=booth.conversation)
            try:
                voter = booth.cast(statement, form.cast)
            except ValidationError as refused:
                wrong, asked = " ".join(refused.messages), ""
            else:
                booth, asked, after = _with(booth, voter), "", str(statement.pk)
        else:
            wrong = _("Press one of the three buttons.")
            asked = request.POST.get("statement", "")
        if not getattr(request, "htmx", False):
            if wrong:
                messages.error(request, wrong)
            query = {"after": after} if after else {}
            return redirect(f"{booth.url}?{urlencode(query)}" if query else booth.url)
    partly = request.method == "POST"
    shown: dict[str, Any] = {"booth": booth, "conversation": booth.conversation, "wrong": wrong}
    shown |= {"turn": turn_of(booth, asked, after), "partly": partly}
    return render(request, "consensus/_booth.html" if partly else "consensus/vote.html", shown)


def _with(booth: Booth, voter: Voter) -> Booth:
    return Booth(booth.conversation, voter, booth.seen_by, booth.url, booth.cast, booth.name, booth.by_phone)


# What goes with voting


def why(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Why somebody sees it that way: a voice, with what it may be used for."""
    conversation = _or_sign_in(request, key)
    if isinstance(conversation, HttpResponse):
        return conversation
    person = _reader(request)
    seen = Statement.objects.in_sight(use_for(person, conversation.topic.hub_id))
    statement = get_object_or_404(seen, pk=pk, conversation=conversation)
    if not voting.may_vote(person, conversation) or (person is None and not _secret(request)):
        return redirect("consensus:begin", key)
    default = default_uses(person) if person else {}
    initial: dict[str, Any] = dict.fromkeys([Use.GROUP] if default is None else default, True)
    form = forms.WhyForm(posted(request), initial=initial)  # type: ignore[arg-type]
    member = may(person, "read what the group may read", conversation.topic.hub_id)
    if form.is_valid() and _has_room(request, form, "whys", WHYS_AN_HOUR):
        if member:
            done = form.does(
                voting.say_why, person, conversation, statement, form.cleaned_data["words"], form.uses
            )
        else:
            done = form.does(
                voting.say_why_by_link, conversation, statement, form.cleaned_data["words"], form.uses
            )
        if done:
            messages.success(request, _("Thank you. We have it, in your words."))
            return redirect("consensus:vote", key)
    return render(
        request,
        "consensus/why.html",
        {"form": form, "conversation": conversation, "statement": statement, "member": member},
    )


def _has_room(request: HttpRequest, form: forms.ActionForm, what: str, most: int) -> bool:
    if _reader(request) is not None or limits.has_room(what, limits.who_knocks(request), most, HOUR):
        return True
    form.add_error(
        None, _("A lot is coming in. Your words are still here. Wait a few minutes, then send them again.")
    )
    return False


def add(request: HttpRequest, key: str) -> HttpResponse:
    """A statement of one's own, while it runs."""
    conversation = _or_sign_in(request, key)
    if isinstance(conversation, HttpResponse):
        return conversation
    person, voter = _reader(request), _voter(request, conversation)
    member = may(person, "read what the group may read", conversation.topic.hub_id)
    if not voting.may_vote(person, conversation) or not (member or voter):
        messages.info(request, _("Vote on a statement first. Then you can add one of your own."))
        return redirect("consensus:begin", key)
    form = forms.StatementForm(posted(request))  # type: ignore[arg-type]
    if form.is_valid() and _has_room(request, form, "statements", STATEMENTS_AN_HOUR):
        words = form.cleaned_data["words"]
        if member:
            done = form.does(actions.write_statement, person, conversation, words)
        else:
            done = form.does(actions.add_by_link, voter, conversation, words)
        if done:
            waits = form.result.state == Statement.State.WAITING
            messages.success(
                request,
                _("Thank you. Somebody reads it first. Then others vote on it.")
                if waits
                else _("People vote on it now."),
            )
            return redirect("consensus:vote", key)
    return render(request, "consensus/add.html", {"form": form, "conversation": conversation})


@require_GET
@never_cache
def mine(request: HttpRequest, key: str) -> HttpResponse:
    """For oneself only: where one sits, how one voted, what became of the statements one wrote."""
    conversation = _or_sign_in(request, key)
    if isinstance(conversation, HttpResponse):
        return conversation
    person, voter = _reader(request), _voter(request, conversation)
    if voter is None and person is None:
        return redirect("consensus:begin", key)
    written = Statement.objects.filter(conversation=conversation, written_by=person) if person else None
    if person is None:
        written = Statement.objects.filter(writer=voter)
    seen = Statement.objects.in_sight(use_for(person, conversation.topic.hub_id)).order_by().values("pk")
    theirs = Vote.objects.filter(voter=voter).standing().select_related("statement", "recorded_by")
    return render(
        request,
        "consensus/mine.html",
        {
            "conversation": conversation,
            "voter": voter,
            "votes": theirs.filter(statement__in=seen).order_by("statement"),
            "written": written.select_related("joined_to") if written is not None else [],
            "runs": conversation.closed_at is None,
            **_where(voter, conversation),
        },
    )


def _where(voter: Voter | None, conversation: Conversation) -> dict[str, Any]:
    place = place_of(voter) if voter else None
    kept = Reckoned.objects.filter(conversation=conversation).values_list("shown", flat=True).first() or {}
    groups = kept.get("groups") or []
    shown = [number for number, group in enumerate(groups) if group["size"] >= SMALL]
    if place is None or not groups:
        return {"sits": "", "several": bool(groups)}
    if place.group is None:
        return {"sits": "nowhere", "several": True}
    if place.group not in shown:
        return {"sits": "small", "several": True}
    return {
        "sits": LETTERS[place.group],
        "several": True,
        "map": draw(groups, shown, (place.x, place.y)),
    }


@require_POST
def make_mine(request: HttpRequest, key: str) -> HttpResponse:
    conversation = _or_sign_in(request, key)
    if isinstance(conversation, HttpResponse):
        return conversation
    person = _reader(request)
    if person is None:
        return redirect_to_login(reverse("consensus:begin", args=[key]))
    press(request, _("The votes are yours now."), voting.make_mine, person, conversation, _secret(request))
    return redirect("consensus:begin", key)


@require_POST
def take_out_votes(request: HttpRequest, key: str) -> HttpResponse:
    conversation = _or_sign_in(request, key)
    if isinstance(conversation, HttpResponse):
        return conversation
    done = _("Your votes are out. What people see follows soon, with the votes of others.")
    person = _reader(request)
    press(request, done, voting.take_out_votes, person, conversation, "" if person else _secret(request))
    return redirect("consensus:begin", key)


@require_POST
def take_back_statement(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """One's own statement, by who wrote it."""
    conversation = _or_sign_in(request, key)
    if isinstance(conversation, HttpResponse):
        return conversation
    person, voter = _reader(request), _voter(request, conversation)
    one = get_object_or_404(Statement.objects.exclude(words=""), pk=pk, conversation=conversation)
    done = _("Taken back. Its words are gone.")
    press(request, done, actions.take_back_statement, person, one, voter)
    return redirect("consensus:mine", key)


def result(request: HttpRequest, key: str) -> HttpResponse:
    """What people agree on, for who never saw a scatter plot."""
    conversation = _or_sign_in(request, key)
    if isinstance(conversation, HttpResponse):
        return conversation
    person = _reader(request)
    kept = Reckoned.objects.filter(conversation=conversation).defer("votes", "places").first()
    return render(
        request,
        "consensus/result.html",
        {
            "conversation": conversation,
            "told": told_to(person, conversation, kept),
            "at": kept.shown_at if kept else None,
            "voted": _voter(request, conversation) is not None,
            "may_vote": voting.may_vote(person, conversation),
            "may_freeze": conversation.closed_at is None
            and may(person, "decide on a topic", conversation.topic.hub_id),
        },
    )


# For somebody else


@never_cache
@signed_in
def call(request: PersonRequest, pk: int, person: int) -> HttpResponse:
    """Read out one statement after the other to somebody on the phone."""
    conversation = get_object_or_404(
        Conversation.objects.visible_to(request.person).select_related("topic__hub"), pk=pk
    )
    must(request.person, "record votes", conversation.topic.hub_id)
    them = get_object_or_404(voting.who_may_vote(request.person, conversation), pk=person)
    return _in_booth(
        request,
        Booth(
            conversation,
            voting.voter_of(conversation, them),
            request.person,
            reverse("consensus:call", args=[pk, person]),
            partial(voting.record_vote, request.person, conversation, them),
            them.name_for(request.person),
            by_phone=True,
        ),
    )


@never_cache
@signed_in
def for_them(request: PersonRequest, pk: int, conversation: int) -> HttpResponse:
    """A trusted person votes as somebody told them."""
    mandate: Mandate = get_object_or_404(supported_by(request.person).filter(vote=True), pk=pk)
    known = get_object_or_404(voting.conversations_for(mandate.person).running(), pk=conversation)
    return _in_booth(
        request,
        Booth(
            known,
            voting.voter_of(known, mandate.person),
            mandate.person,
            reverse("consensus:for_them", args=[pk, conversation]),
            partial(voting.vote_for, request.person, mandate, known),
            mandate.shown,  # type: ignore[attr-defined]
        ),
    )

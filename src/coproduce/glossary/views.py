"""The words of a group: the list, one word, asking about one, explaining it, and looking over a text before it goes."""

from __future__ import annotations

from itertools import groupby
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coproduce.glossary import actions, forms
from coproduce.glossary import explained as glossary
from coproduce.glossary.models import Question, Term
from coproduce.people import limits
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Hub
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where, may, must

ASKED_AN_HOUR = 30
"""Words that may be asked about from one address."""

MOST_CHECKED = 50_000
"""Characters of a text that is looked over: some 20 pages."""


def words(request: PersonRequest) -> HttpResponse:
    """For everybody: the words that hold in a hub, from A to Z, and where one that is not there is asked about."""
    hub, hubs = _hub_to_show(request)
    query = actions.tidy(request.GET.get("q", ""))[:80]
    found = Term.objects.that_hold_in(hub) if hub else Term.objects.none()
    if query:
        found = found.filter(
            Q(word__icontains=query) | Q(also__icontains=query) | Q(explanation__icontains=query)
        )
    # A hub's own explanation hides that of a hub above.
    once = {term.word.casefold(): term for term in reversed(found)}
    page = page_of(request, sorted(once.values(), key=lambda term: term.word.casefold()), 60)
    return render(
        request,
        "glossary/words.html",
        {
            "hub": hub,
            "hubs": hubs,
            "query": query,
            "place": _place(request),
            "is_explained": bool(query and hub and actions.term_for(hub, query)),
            "page": page,
            "letters": [
                (letter, list(terms)) for letter, terms in groupby(page, lambda term: _letter(term.word))
            ],
            "address": urlencode({"hub": hub.pk, "q": query} if hub else {}),
            "may_explain": bool(hub and may(request.person, "say what a word means", hub)),
            "proposed": Term.objects.visible_to(request.person).proposed().select_related("hub"),
            "sees_asked": bool(hubs_where(request.person, "say what a word means")),
        },
    )


def _hub_to_show(request: PersonRequest) -> tuple[Hub | None, list[Hub]]:
    """The hub that the address asks for, or else one's own, or else the first; and all there are to choose from."""
    hubs = list(Hub.objects.order_by("path"))
    asked = request.GET.get("hub", "")
    own = hubs_where(request.person, "read what the group may read")
    chosen = [hub for hub in hubs if asked.isdecimal() and hub.pk == int(asked)]
    return next(iter(chosen or [hub for hub in hubs if hub.pk in own] or hubs), None), hubs


def _place(request: PersonRequest) -> str:
    place = request.POST.get("from") or request.GET.get("from") or ""
    return place if place in Question.Where.values else Question.Where.WORDS


def _letter(word: str) -> str:
    return word[0].upper() if word[0].isalpha() else "#"


def word(request: PersonRequest, pk: int) -> HttpResponse:
    term = _term(request, pk)
    decides = may(request.person, "explain words", term.hub_id)
    return render(
        request,
        "glossary/word.html",
        {
            "term": term,
            "decides": decides,
            "is_own": request.person is not None and term.written_by_id == request.person.pk,
            "may_propose": not decides and may(request.person, "say what a word means", term.hub_id),
            "stands_now": None
            if term.is_agreed
            else Term.objects.agreed().filter(hub=term.hub_id, word__iexact=term.word).first(),
        },
    )


def picture(request: PersonRequest, pk: int) -> HttpResponseBase:
    term = _term(request, pk)
    if not term.picture:
        raise Http404
    try:
        drawn = term.picture.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    answer = FileResponse(drawn, content_type="image/webp")
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, max-age=3600"
    return answer


@require_POST
def ask(request: PersonRequest) -> HttpResponse:
    """Anybody may ask, signed in or not, and it makes no difference: nobody is told who it was."""
    asked = request.POST.get("hub", "")
    hub = (
        get_object_or_404(Hub, pk=int(asked) if asked.isdecimal() else 0)
        if asked
        else _hub_to_show(request)[0]
    )
    back = redirect(f"{redirect('glossary:words').url}?{urlencode({'hub': hub.pk} if hub else {})}")
    if hub is None:
        return back
    if not limits.has_room("ask-about-a-word", limits.who_knocks(request), ASKED_AN_HOUR, 60 * 60):
        messages.error(request, _("That were many words. Wait a while, then ask about the next."))
        return back
    try:
        answer = actions.ask(hub, request.POST.get("word", ""), _place(request))
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return back
    if isinstance(answer, Term):
        return redirect("glossary:word", answer.pk)
    messages.success(
        request, _("Thank you for asking. The group sees which word it is. Nobody sees who asked.")
    )
    return back


@signed_in
def asked(request: PersonRequest) -> HttpResponse:
    """Words that were asked about and that nobody has explained yet."""
    if not hubs_where(request.person, "say what a word means"):
        raise NotAllowed("say what a word means")
    questions = Question.objects.visible_to(request.person)
    page = page_of(request, questions.by_word(), 30)
    decides = hubs_where(request.person, "explain words")
    first: dict[tuple[int, str], int] = {}
    for pk, hub, word in questions.filter(word__in=[row["word"] for row in page]).values_list(
        "pk", "hub", "word"
    ):
        first.setdefault((hub, word), pk)
    return render(
        request,
        "glossary/asked.html",
        {
            "page": page,
            "rows": [
                row
                | {
                    "pk": first[row["hub"], row["word"]],
                    "decides": row["hub"] in decides,
                    "explain": f"?{urlencode({'word': row['word'], 'hub': row['hub']})}",
                }
                for row in page
            ],
            "names_hub": questions.aggregate(n=Count("hub", distinct=True))["n"] > 1,
        },
    )


@require_POST
@signed_in
def put_aside(request: PersonRequest, pk: int) -> HttpResponse:
    question = get_object_or_404(Question.objects.visible_to(request.person), pk=pk)
    press(request, _("It is off the list."), actions.put_aside, request.person, question)
    return redirect("glossary:asked")


@signed_in
def explain(request: PersonRequest) -> HttpResponse:
    if not hubs_where(request.person, "say what a word means"):
        raise NotAllowed("say what a word means")
    initial = {"word": actions.tidy(request.GET.get("word", ""))[:80]}
    if request.GET.get("hub", "").isdecimal():
        initial["hub"] = request.GET["hub"]
    form = forms.ExplainForm(request.person, request.POST or None, request.FILES or None, initial=initial)
    if form.is_valid() and form.does(actions.explain, request.person, **form.cleaned_data):
        if form.result.is_agreed:
            messages.success(request, _("It is explained wherever it stands now."))
        else:
            messages.success(request, _("Thank you. The group decides if that is how we say it."))
        return redirect("glossary:word", form.result.pk)
    return render(
        request,
        "glossary/explain.html",
        {"form": form, "decides": bool(hubs_where(request.person, "explain words"))},
    )


@signed_in
def change(request: PersonRequest, pk: int) -> HttpResponse:
    term = _term(request, pk)
    must(request.person, "explain words", term.hub_id)
    form = forms.ChangeForm(term, request.POST or None, request.FILES or None)
    if form.is_valid() and form.does(actions.change, request.person, term, **form.cleaned_data):
        messages.success(request, _("It is changed."))
        return redirect("glossary:word", term.pk)
    return render(request, "glossary/change.html", {"form": form, "term": term})


@require_POST
@signed_in
def agree(request: PersonRequest, pk: int) -> HttpResponse:
    term = _term(request, pk)
    press(request, _("It is explained wherever it stands now."), actions.agree, request.person, term)
    return redirect("glossary:word", term.pk)


@require_POST
@signed_in
def remove(request: PersonRequest, pk: int) -> HttpResponse:
    term = _term(request, pk)
    press(request, _("It is taken away."), actions.remove, request.person, term)
    return redirect("glossary:words")


@require_POST
@signed_in
def check(request: PersonRequest) -> HttpResponse:
    """Look over what is being written, before it goes out. Nothing of it is kept."""
    asked = request.GET.get("hub") or request.POST.get("hub") or ""
    hub = Hub.objects.filter(pk=int(asked)).first() if asked.isdecimal() else None
    fields = request.GET.get("of", "").split(",")
    text = "\n\n".join(request.POST.get(name, "") for name in fields)
    shown = {"check": glossary.check(text[:MOST_CHECKED], hub), "hub": hub}
    whole = request.headers.get("HX-Request") != "true"
    return render(request, "glossary/check.html" if whole else "glossary/_check.html", shown)


def _term(request: PersonRequest, pk: int) -> Term:
    return get_object_or_404(Term.objects.visible_to(request.person).select_related("hub"), pk=pk)

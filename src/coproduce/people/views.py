"""The people somebody looks after, how each is reached, their roles, and the tree of hubs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from coproduce.people import actions, forms
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Account, Hub, Mandate, Membership, Person, Way, name_for
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where, may_give, must
from coproduce.people.sign_in import must_be_you, stay

REACHED = {
    Way.Kind.PAGE: gettext_lazy("best here, after signing in"),
    Way.Kind.EMAIL: gettext_lazy("best by email"),
    Way.Kind.TEXT: gettext_lazy("best by text message"),
    Way.Kind.LETTER: gettext_lazy("best by letter"),
    Way.Kind.PHONE: gettext_lazy("best by phone"),
    Way.Kind.FACE_TO_FACE: gettext_lazy("best face to face"),
    Way.Kind.TRUSTED_PERSON: gettext_lazy("best through the person they trust"),
}


# Everybody somebody looks after


@signed_in
def people(request: PersonRequest) -> HttpResponse:
    looked_after = _must_look_after_somebody(request.person)
    query = request.GET.get("q", "").strip()
    unreached = request.GET.get("reach") == "none"
    everybody = Person.objects.visible_to(request.person)
    found = everybody.filter(name__icontains=query) if query else everybody
    if unreached:
        found = found.out_of_reach()
    found = found.named_for(request.person).select_related("organisation", "account")
    page = page_of(request, found.prefetch_related("ways", "mandates__trusted__account"), 25)
    held = Membership.objects.current().filter(person__in=page.object_list, hub__in=looked_after)
    roles: dict[int, dict[str, list[str]]] = {}
    for membership in held.select_related("hub"):
        hubs_of = roles.setdefault(membership.person_id, {})
        hubs_of.setdefault(membership.get_role_display(), []).append(membership.hub.name)
    return render(
        request,
        "people/people.html",
        {
            "page": page,
            "rows": [
                (them, _at_a_glance(them, roles.get(them.pk, {}), len(looked_after) > 1)) for them in page
            ],
            "query": query,
            "unreached": unreached,
            "out_of_reach": everybody.out_of_reach().count(),
            "address": urlencode({"q": query} | ({"reach": "none"} if unreached else {})),
        },
    )


def _at_a_glance(them: Person, roles: dict[str, list[str]], name_hubs: bool) -> str:
    """One line about somebody: "member in Eastmoor and Millbank · Eastmoor Council · best by email"."""
    way = them.preferred_way
    where = [
        _("%(role)s in %(hubs)s") % {"role": role, "hubs": get_text_list(hubs, _("and"))}
        if name_hubs
        else role
        for role, hubs in roles.items()
    ]
    parts = [*where, them.organisation and them.organisation.name, way and REACHED[Way.Kind(way.kind)]]
    return " · ".join(str(part) for part in parts if part)


@signed_in
def add(request: PersonRequest) -> HttpResponse:
    _must_look_after_somebody(request.person)
    if "new_organisation" in request.POST:  # on its way to that page and back, nothing typed is lost
        return _organisation_page(
            request, forms.OrganisationForm(carried=forms.typed_about_person(request.POST))
        )
    form = forms.PersonForm(request.person, request.POST or None)
    if form.is_valid() and form.does(actions.add_person, request.person, **form.cleaned_data):
        messages.success(request, _("%(name)s is added.") % {"name": form.result.name})
        return redirect("people:person", form.result.pk)
    return render(request, "people/add.html", {"form": form})


@signed_in
def add_organisation(request: PersonRequest) -> HttpResponse:
    _must_look_after_somebody(request.person)
    carried = forms.typed_about_person(request.POST, forms.CARRIED)
    if "without" in request.POST:
        return render(request, "people/add.html", {"form": forms.PersonForm(request.person, initial=carried)})
    form = forms.OrganisationForm(request.POST or None, carried=carried)
    if not (form.is_valid() and form.does(actions.add_organisation, request.person, **form.cleaned_data)):
        return _organisation_page(request, form)
    messages.success(request, _("%(name)s is added.") % {"name": form.result.name})
    if not carried:
        return redirect("people:add")
    person_form = forms.PersonForm(request.person, initial={**carried, "organisation": form.result.pk})
    return render(request, "people/add.html", {"form": person_form})


def _organisation_page(request: PersonRequest, form: forms.OrganisationForm) -> HttpResponse:
    return render(request, "people/add_organisation.html", {"form": form})


# One person


@signed_in
def person(request: PersonRequest, pk: int) -> HttpResponse:
    them = get_object_or_404(
        Person.objects.visible_to(request.person)
        .named_for(request.person)
        .select_related("organisation", "account")
        .prefetch_related("ways", "mandates__trusted__account"),
        pk=pk,
    )
    is_self = them == request.person
    looked_after = hubs_where(request.person, "look after people")
    memberships = [
        (membership, is_self or may_give(request.person, membership.role, membership.hub_id))
        for membership in Membership.objects.current().filter(person=them).select_related("hub")
    ]
    account = getattr(them, "account", None)
    may_look_after_account = is_self or (
        all(may for _membership, may in memberships) and not (account and account.is_administrator)
    )
    return render(
        request,
        "people/person.html",
        {
            "them": them,
            "is_self": is_self,
            "memberships": [row for row in memberships if is_self or row[0].hub_id in looked_after],
            "account": account,
            "trusts": Mandate.objects.visible_to(request.person)
            .filter(person=them)
            .select_related("trusted"),
            "hidden": not is_self and them.is_known_only_through,
            "may_give_account": may_look_after_account,
            "has_second_step": may_look_after_account
            and not is_self
            and Authenticator.objects.filter(user__person=them).exists(),
            "may_give_roles": bool(looked_after),
        },
    )


@signed_in
def name(request: PersonRequest, pk: int) -> HttpResponse:
    them = _known(request, pk)
    form = forms.NameForm(request.POST or None, initial={"name": them.name_for(request.person)})
    if them.known_through_id:
        form.fields["name"].help_text = _("From then on the group sees this name.")
    if form.is_valid() and form.does(actions.change_name, request.person, them, **form.cleaned_data):
        messages.success(request, _("The name is changed."))
        return redirect("people:person", them.pk)
    return _form_page(
        request, them, form, _("What do you like to be called?"), _("What do they like to be called?")
    )


@signed_in
def at_most(request: PersonRequest, pk: int) -> HttpResponse:
    """How often somebody wants to hear from us, at most."""
    them = _known(request, pk)
    form = forms.AtMostForm(request.POST or None, initial={"at_most": them.at_most})
    if form.is_valid() and form.does(actions.hear_at_most, request.person, them, **form.cleaned_data):
        messages.success(request, _("Saved."))
        return redirect("people:person", them.pk)
    return _form_page(
        request, them, form, _("How often do you want to hear?"), _("How often do they want to hear?")
    )


@signed_in
def add_way(request: PersonRequest, pk: int) -> HttpResponse:
    them = _known(request, pk)
    form = forms.WayForm(them, request.POST or None)
    if form.is_valid() and form.does(actions.add_way, request.person, them, **form.cleaned_data):
        messages.success(request, _("The way is added."))
        return redirect("people:person", them.pk)
    return _form_page(
        request,
        them,
        form,
        _("Another way to reach you"),
        _("Another way to reach %(name)s") % {"name": them.shown},
    )


@require_POST
@signed_in
def prefer_way(request: PersonRequest, pk: int, way: int) -> HttpResponse:
    them = _visible(request, pk)
    chosen = get_object_or_404(them.ways, pk=way)
    press(request, _("That is the best way from now on."), actions.prefer_way, request.person, chosen)
    return redirect("people:person", them.pk)


@require_POST
@signed_in
def share_way(request: PersonRequest, pk: int, way: int) -> HttpResponse:
    them = _visible(request, pk)
    chosen = get_object_or_404(them.ways, pk=way)
    shared = "shared" in request.POST
    done = _("From now on we write there what it is about.")
    if shared:
        done = _("From now on we only say there that there is news.")
    press(request, done, actions.share_way, request.person, chosen, shared)
    return redirect("people:person", them.pk)


@require_POST
@signed_in
def start_way(request: PersonRequest, pk: int, way: int) -> HttpResponse:
    """Use again what was stopped from inside a message."""
    them = _visible(request, pk)
    chosen = get_object_or_404(them.ways, pk=way)
    press(request, _("From now on we use it again."), actions.start_way, request.person, chosen)
    return redirect("people:person", them.pk)


@signed_in
def quiet(request: PersonRequest, pk: int) -> HttpResponse:
    """When somebody wants no texts and calls."""
    them = _known(request, pk)
    form = forms.QuietForm(
        request.POST or None, initial={"start": them.quiet_from, "end": them.quiet_until}, may_be_empty=True
    )
    if form.is_valid() and form.does(actions.keep_quiet, request.person, them, **form.cleaned_data):
        messages.success(request, _("Saved."))
        return redirect("people:person", them.pk)
    return _form_page(
        request,
        them,
        form,
        _("When do you want no texts and calls?"),
        _("When does %(name)s want no texts and calls?") % {"name": them.shown},
    )


@require_POST
@signed_in
def remove_way(request: PersonRequest, pk: int, way: int) -> HttpResponse:
    them = _visible(request, pk)
    chosen = get_object_or_404(them.ways, pk=way)
    press(request, _("That way is taken away."), actions.remove_way, request.person, chosen)
    return redirect("people:person", them.pk)


@signed_in
def account(request: PersonRequest, pk: int) -> HttpResponse:
    them = _known(request, pk)
    actions.must_look_after_account(request.person, them)
    must_be_you(request)
    known = getattr(them, "account", None)
    form = forms.AccountForm(request.POST or None, initial={"email": known.email if known else ""})
    if form.is_valid() and form.does(actions.give_account, request.person, them, **form.cleaned_data):
        if them == request.person:
            stay(request)
        messages.success(
            request, _("The code to sign in now goes to %(email)s.") % {"email": form.result.email}
        )
        return redirect("people:person", them.pk)
    return _form_page(
        request, them, form, _("How you sign in"), _("How %(name)s signs in") % {"name": them.shown}
    )


@signed_in
def account_away(request: PersonRequest, pk: int) -> HttpResponse:
    them = _visible(request, pk)
    actions.must_look_after_account(request.person, them)
    must_be_you(request)
    get_object_or_404(Account, person=them)
    if request.method == "POST":
        done = _("%(name)s does not sign in any more.") % {"name": them.shown}
        press(request, done, actions.take_account_away, request.person, them)
        return redirect("home" if them == request.person else reverse("people:person", args=[them.pk]))
    return render(request, "people/account_away.html", {"them": them, "is_self": them == request.person})


@require_POST
@signed_in
def second_step_away(request: PersonRequest, pk: int) -> HttpResponse:
    them = _visible(request, pk)
    must_be_you(request)
    done = _("Their second step is taken away. They can sign in with a code by email, and choose a new one.")
    press(request, done, actions.take_second_step_away, request.person, them)
    return redirect("people:person", them.pk)


@signed_in
def join(request: PersonRequest, pk: int) -> HttpResponse:
    them = _visible(request, pk)
    _must_look_after_somebody(request.person)
    form = forms.RoleForm(request.person, request.POST or None)
    if form.is_valid() and form.does(actions.join, request.person, them, **form.cleaned_data):
        messages.success(request, _("The role is added."))
        return redirect("people:person", them.pk)
    return _form_page(
        request, them, form, _("Another role for you"), _("Another role for %(name)s") % {"name": them.shown}
    )


@require_POST
@signed_in
def leave(request: PersonRequest, pk: int, membership: int) -> HttpResponse:
    them = _visible(request, pk)
    held = get_object_or_404(
        Membership.objects.current().select_related("person", "hub"), person=them, pk=membership
    )
    ended = press(request, _("The role has ended."), actions.leave, request.person, held)
    if ended and them == request.person:  # here they stay signed in; on every other device they do not
        stay(request)
    return redirect("people:person", them.pk)


def _visible(request: PersonRequest, pk: int) -> Person:
    known = Person.objects.visible_to(request.person).named_for(request.person)
    return get_object_or_404(known.select_related("account"), pk=pk)


def _known(request: PersonRequest, pk: int) -> Person:
    """Not whom only their trusted person knows: their name and ways are between the two of them."""
    them = _visible(request, pk)
    if them != request.person and them.is_known_only_through:
        raise NotAllowed("know who somebody is")
    return them


def _form_page(
    request: PersonRequest, them: Person, form: forms.ActionForm, to_self: str, to_other: str
) -> HttpResponse:
    title = to_self if them == request.person else to_other
    return render(request, "people/form.html", {"them": them, "form": form, "title": title})


# People somebody trusts


@signed_in
def trust(request: PersonRequest, pk: int) -> HttpResponse:
    """Make a mandate: by the person, or with them present by who looks after them."""
    them = _visible(request, pk)
    form = forms.MandateForm(request.person, them, request.POST or None)
    if form.is_valid() and form.does(actions.make_mandate, request.person, them, **form.cleaned_data):
        messages.success(request, _("It holds from now on."))
        return redirect("people:person", them.pk)
    return _form_page(
        request, them, form, _("Somebody you trust"), _("Somebody %(name)s trusts") % {"name": them.shown}
    )


@signed_in
def change_trust(request: PersonRequest, pk: int, mandate: int) -> HttpResponse:
    them = _visible(request, pk)
    held = _mandate_of(request, them, mandate)
    initial = {"purposes": held.purposes, "until": held.until}
    form = forms.WhatForForm(request.person, them, request.POST or None, initial=initial)
    if form.is_valid() and form.does(actions.change_what_for, request.person, held, **form.cleaned_data):
        messages.success(request, _("It holds from now on."))
        return redirect("people:person", them.pk)
    title = _("What %(name)s does for you") if them == request.person else _("What %(name)s does for them")
    title = title % {"name": held.trusted.name}
    return _form_page(request, them, form, title, title)


@require_POST
@signed_in
def end_trust(request: PersonRequest, pk: int, mandate: int) -> HttpResponse:
    them = _visible(request, pk)
    held = _mandate_of(request, them, mandate)
    present = "with_them_present" in request.POST
    press(request, _("It has ended."), actions.end_mandate, request.person, held, present)
    return redirect("people:person", them.pk)


def _mandate_of(request: PersonRequest, them: Person, pk: int) -> Mandate:
    known = Mandate.objects.visible_to(request.person).select_related("trusted", "person")
    return get_object_or_404(known, person=them, pk=pk)


# People I support


def supported_by(person: Person) -> QuerySet[Any]:
    """The mandates through which this person supports others now, each with `shown`, a name for them."""
    held = Mandate.objects.standing().filter(trusted=person).annotate(shown=name_for(person, "person"))
    return held.select_related("person").order_by("shown", "pk")


@signed_in
def supporting(request: PersonRequest) -> HttpResponse:
    return render(
        request,
        "people/supporting.html",
        {
            "page": page_of(request, supported_by(request.person), 25),
            "may_bring": bool(hubs_where(request.person, "bring somebody in")),
        },
    )


@signed_in
def bring_in(request: PersonRequest) -> HttpResponse:
    if not hubs_where(request.person, "bring somebody in"):
        raise NotAllowed("bring somebody in")
    form = forms.BringInForm(request.person, request.POST or None)
    if form.is_valid() and form.does(actions.bring_in, request.person, **form.cleaned_data):
        messages.success(request, _("%(name)s is added.") % {"name": form.cleaned_data["name"]})
        held = Mandate.objects.standing().get(person=form.result, trusted=request.person)
        return redirect("people:supported", held.pk)
    return render(request, "people/bring_in.html", {"form": form})


@signed_in
def supported(request: PersonRequest, pk: int) -> HttpResponse:
    """One person I support: what waits to be passed on, and what I can do for them."""
    mandate = get_object_or_404(supported_by(request.person), pk=pk)
    return render(request, "people/supported.html", {"mandate": mandate})


@require_POST
@signed_in
def stop_supporting(request: PersonRequest, pk: int) -> HttpResponse:
    mandate = get_object_or_404(supported_by(request.person), pk=pk)
    press(request, _("You don’t do this any more."), actions.end_mandate, request.person, mandate)
    return redirect("people:supporting")


# Hubs


@signed_in
def hubs(request: PersonRequest) -> HttpResponse:
    shaped = hubs_where(request.person, "shape hubs")
    own = {membership.hub_id for membership in Membership.objects.current().filter(person=request.person)}
    return render(
        request,
        "people/hubs.html",
        {
            "tree": [
                (hub, info, hub.pk in own, hub.pk in shaped) for hub, info in Hub.objects.get_annotated_list()
            ],
            "leads": hubs_where(request.person, "look after people"),
        },
    )


@signed_in
def hub_quiet(request: PersonRequest, pk: int) -> HttpResponse:
    """When nobody in a hub gets texts and calls, unless they asked for other times."""
    hub = get_object_or_404(Hub, pk=pk)
    must(request.person, "look after people", hub)
    form = forms.QuietForm(request.POST or None, initial={"start": hub.quiet_from, "end": hub.quiet_until})
    if form.is_valid() and form.does(actions.keep_hub_quiet, request.person, hub, **form.cleaned_data):
        messages.success(request, _("Saved."))
        return redirect("people:hubs")
    return render(request, "people/hub_quiet.html", {"form": form, "hub": hub})


@signed_in
def add_hub(request: PersonRequest, pk: int) -> HttpResponse:
    under = get_object_or_404(Hub, pk=pk)
    must(request.person, "shape hubs", under)
    form = forms.HubForm(request.POST or None)
    if form.is_valid() and form.does(actions.add_hub, request.person, under, **form.cleaned_data):
        messages.success(request, _("%(name)s is added.") % {"name": form.result.name})
        return redirect("people:hubs")
    return render(request, "people/add_hub.html", {"form": form, "under": under})


# What the pages show


def _must_look_after_somebody(by: Person) -> frozenset[int]:
    looked_after = hubs_where(by, "look after people")
    if not looked_after:
        raise NotAllowed("look after people")
    return looked_after

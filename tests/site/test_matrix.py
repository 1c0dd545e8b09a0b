"""Who may open what: every address × method × role × where the thing is, against what is written here by hand.

The addresses come from the URL configuration. One without an expectation fails. What somebody may not see must answer
exactly as what does not exist: the same status and the same bytes as the address of something that never was.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from coproduce.agenda.actions.topics import raise_topic
from coproduce.changes.actions import record_change, tie
from coproduce.engine.exchange import refi
from coproduce.engine.exchange.project import Code, Codebook
from coproduce.engine.quotes import Span
from coproduce.glossary.actions import ask, explain
from coproduce.hearback.actions import write_update
from coproduce.hearback.models import Enclosed, Feedback, Letters, Reply
from coproduce.hearback.reply import reply_path, stop_path
from coproduce.people.models import Hub, Mandate, Membership, Person, Way
from coproduce.themes.actions import make_theme, take_out
from coproduce.themes.bringing import bring
from coproduce.themes.models import Finding, Proposal, ProposedTheme, acts_on
from coproduce.themes.together import agree, plan_session, write_key_message
from coproduce.voices.actions import (
    add_story,
    mark_quote,
    name_speaker,
    receive,
    write_down,
    write_down_for,
)
from coproduce.voices.models import Carried, Use
from tests.conftest import make_person
from tests.glossary.conftest import PICTURE

Role = Membership.Role

# Where the actor holds the role, seen from the thing: in its hub, in the hub above it, in a hub below it, elsewhere.
RELATIONS = ["here", "above", "below", "elsewhere"]

# Who may, as (role, relation). "here" for every role named; "above" only for those whose role reaches down.
KEEPERS = {(Role.CURATOR, "here"), (Role.FACILITATOR, "here")}
LEADS = {(Role.FACILITATOR, "here"), (Role.COORDINATOR, "here"), (Role.COORDINATOR, "above")}
BUYERS = {(Role.COMMISSIONER, "here"), (Role.COMMISSIONER, "above")}
GROUP = (
    KEEPERS | LEADS | {(role, "here") for role in (Role.MEMBER, Role.TRUSTED_PERSON, Role.CHAMPION)}
)  # whoever belongs to the group
SHAPERS = {(Role.COORDINATOR, "here"), (Role.COORDINATOR, "above")}
WORD_KEEPERS = KEEPERS | SHAPERS
WRITERS = KEEPERS | {(Role.TRUSTED_PERSON, "here"), (Role.CHAMPION, "here")}


@dataclass(frozen=True)
class Expect:
    """Who may use an address. For pages of no thing in particular (`anywhere`), where the role is held is all one."""

    who: frozenset[tuple[str, str]] = frozenset()
    own: bool = False  # the person whose thing it is may, too
    everybody: bool = False
    signed_in: bool = False
    anywhere: bool = False
    methods: tuple[str, ...] = ("GET", "POST")
    posts: frozenset[tuple[str, str]] | None = None  # who may also POST, where not everybody who may look

    def allows(self, actor: Actor, method: str) -> bool:
        if method == "POST" and self.posts is not None:
            return (actor.role, actor.relation) in self.posts
        if self.everybody or (self.signed_in and actor.person is not None) or (self.own and actor.owns):
            return True
        if self.anywhere:
            return any(role == actor.role for role, _relation in self.who)
        return (actor.role, actor.relation) in self.who


@dataclass(frozen=True)
class Actor:
    name: str
    person: Person | None
    role: str = ""
    relation: str = ""
    owns: bool = False


def page(*groups: set[tuple[str, str]], **rest: object) -> Expect:
    return Expect(frozenset().union(*groups), **rest)  # type: ignore[arg-type]


GET, POST = ("GET",), ("POST",)
EVERYBODY = Expect(everybody=True)
NOBODY = Expect()

EXPECTED: dict[str, Expect] = {
    "home": Expect(everybody=True, methods=GET),
    "how_this_works": Expect(everybody=True, methods=GET),
    "who_may_do_what": Expect(everybody=True, methods=GET),
    "privacy": Expect(everybody=True, methods=GET),
    "accessibility": Expect(everybody=True, methods=GET),
    "installation": Expect(
        methods=GET
    ),  # for administrators, who hold no role: tests/people/test_accounts.py
    "second_step": Expect(signed_in=True, methods=GET),
    "everything": page(own=True, methods=GET),  # theirs alone, whoever looks after them
    "everything_json": page(own=True, methods=GET),
    "erase": page(LEADS, own=True),
    "take_back_voice": page(KEEPERS, LEADS, own=True),
    "take_back_story": page(KEEPERS, LEADS, own=True),
    "take_back_everything": page(LEADS, own=True),
    "went": page(KEEPERS, LEADS, own=True, methods=GET),
    "to_recall": page(KEEPERS, anywhere=True, methods=GET),
    "asked": page(KEEPERS, LEADS, own=True, methods=POST),
    "voices:allowed": page(LEADS, own=True),
    "voices:my_consent": Expect(signed_in=True, methods=GET),
    "voices:consent_form": Expect(signed_in=True, methods=GET),  # blank
    "voices:consent_form_for": page(LEADS, own=True, methods=GET),
    "voices:mask": page(KEEPERS, own=True),
    "voices:hidden": page(KEEPERS, methods=GET),
    "voices:ask_again": page(KEEPERS, anywhere=True, methods=GET),
    "voices:still_yes": page(KEEPERS, own=True, methods=POST),
    "voices:limit": page(LEADS),
    "people:people": page(LEADS, anywhere=True, methods=GET),
    "people:add": page(LEADS, anywhere=True),
    "people:person": page(LEADS, own=True, methods=GET),
    "people:name": page(LEADS, own=True),
    "people:add_way": page(LEADS, own=True),
    "people:at_most": page(LEADS, own=True),
    "people:prefer_way": page(LEADS, own=True, methods=POST),
    "people:share_way": page(LEADS, own=True, methods=POST),
    "people:start_way": page(LEADS, own=True, methods=POST),
    "people:quiet": page(LEADS, own=True),
    "people:remove_way": page(LEADS, own=True, methods=POST),
    "people:account": page(LEADS, own=True),
    "people:account_away": page(LEADS, own=True),
    "people:second_step_away": page(LEADS, methods=POST),
    "people:join": page(LEADS),
    "people:leave": page(LEADS, own=True, methods=POST),
    "people:trust": page(LEADS, own=True),
    "people:change_trust": page(LEADS, own=True),
    "people:end_trust": page(LEADS, own=True, methods=POST),
    "people:supporting": Expect(signed_in=True, methods=GET),  # empty for who supports nobody
    "people:bring_in": page({(Role.TRUSTED_PERSON, "here"), (Role.CHAMPION, "here")}, anywhere=True),
    "people:supported": page(own=True, methods=GET),  # whom they trust, and nobody else
    "people:stop_supporting": page(own=True, methods=POST),
    "people:add_organisation": page(LEADS, anywhere=True),
    "people:hub_quiet": page(LEADS),
    "people:hubs": Expect(signed_in=True, methods=GET),
    "people:add_hub": page(SHAPERS),
    "glossary:words": Expect(everybody=True, methods=GET),
    "glossary:word": page(WORD_KEEPERS, own=True, methods=GET),  # a proposal; what is agreed is for everybody
    "glossary:picture": page(WORD_KEEPERS, own=True, methods=GET),
    "glossary:explain": page(GROUP, anywhere=True),
    "glossary:change": page(WORD_KEEPERS),
    "glossary:agree": page(WORD_KEEPERS, methods=POST),
    "glossary:remove": page(WORD_KEEPERS, own=True, methods=POST),
    "glossary:ask": Expect(everybody=True, methods=POST),
    "glossary:asked": page(GROUP, anywhere=True, methods=GET),
    "glossary:put_aside": page(WORD_KEEPERS, methods=POST),
    "glossary:check": Expect(signed_in=True, methods=POST),
    "voices:have_your_say": EVERYBODY,
    "voices:sum": Expect(everybody=True, methods=GET),
    "voices:thank_you": Expect(everybody=True, methods=GET),
    "voices:queue": page(KEEPERS, anywhere=True, methods=GET),
    "voices:incoming": page(KEEPERS),
    "voices:put_aside": page(KEEPERS, methods=POST),
    "voices:stories": Expect(signed_in=True, methods=GET),  # one's own, and those one keeps
    "voices:who_has_read": Expect(signed_in=True, methods=GET),  # one's own
    "voices:add_story": page(KEEPERS, anywhere=True),
    "voices:story": page(KEEPERS, own=True, methods=GET),
    "voices:progress": page(KEEPERS, own=True, methods=GET),
    "voices:together": page(KEEPERS, methods=GET),
    "voices:who_told": page(KEEPERS),
    "voices:take_quotes": page(KEEPERS),
    "voices:take_quotes_in_hub": page(KEEPERS),
    "voices:trim": page(KEEPERS, methods=POST),
    "voices:who_speaks": page(KEEPERS, methods=POST),
    "voices:many_turns": page(KEEPERS),
    "voices:add_speaker": page(KEEPERS),
    "voices:story_file": page(KEEPERS, methods=GET),
    "voices:speaker": page(KEEPERS),
    "voices:turn": page(KEEPERS),
    "voices:mend": page(KEEPERS),
    "voices:split": page(KEEPERS),
    "voices:turn_speaker": page(KEEPERS, methods=POST),
    "voices:keep": page(KEEPERS, methods=POST),
    "voices:voices": Expect(everybody=True, methods=GET),
    "voices:add": page(WRITERS, anywhere=True),
    "voices:say": page(GROUP, anywhere=True),
    "voices:voice": page(GROUP, own=True, methods=GET),
    "voices:consent": page(KEEPERS, own=True),
    "voices:write_down_for": page(own=True),
    "voices:said_for_me": Expect(signed_in=True, methods=GET),
    "voices:disown": page(KEEPERS, own=True, methods=POST),
    "voices:remove_quote": page(KEEPERS, methods=POST),
    "themes:themes": Expect(signed_in=True, methods=GET),  # empty for who belongs to no group
    "themes:make": page(KEEPERS, anywhere=True),
    "themes:pool": page(KEEPERS, anywhere=True),
    "themes:theme": page(GROUP, posts=frozenset(KEEPERS)),
    "themes:rename": page(KEEPERS),
    "themes:merge": page(KEEPERS),
    "themes:undo": page(KEEPERS, methods=POST),
    "themes:take_away": page(KEEPERS, anywhere=True),
    "themes:bring": page(KEEPERS, anywhere=True),
    "themes:brought": page(KEEPERS),
    "themes:put_aside": page(KEEPERS, methods=POST),
    "themes:confirm": page(KEEPERS, methods=POST),
    "themes:open_again": page(KEEPERS, methods=POST),
    "themes:discard": page(KEEPERS, methods=POST),
    "themes:undo_discard": page(KEEPERS, methods=POST),
    "themes:undo_move": page(KEEPERS, methods=POST),
    "themes:discarded": page(KEEPERS, anywhere=True, methods=GET),
    "themes:look": page(KEEPERS, methods=POST),
    "themes:finding": page(KEEPERS, methods=GET),
    "themes:proposed": page(KEEPERS, anywhere=True, methods=GET),
    "themes:proposed_theme": page(KEEPERS),
    "themes:refuse_proposed": page(KEEPERS, methods=POST),
    "themes:undo_refusal": page(KEEPERS, methods=POST),
    "themes:placing": page(KEEPERS, anywhere=True, methods=GET),
    "themes:proposals": page(KEEPERS),
    "themes:key_messages": Expect(signed_in=True, methods=GET),  # empty for who belongs to no group
    "themes:write_message": page(KEEPERS),
    "themes:message": page(KEEPERS),
    "themes:agree": page(KEEPERS),
    "themes:open_message": page(KEEPERS, methods=POST),
    "themes:remove_message": page(KEEPERS, methods=POST),
    "themes:sessions": Expect(signed_in=True, methods=GET),
    "themes:plan": page(KEEPERS, anywhere=True),
    "themes:session": page(GROUP, methods=GET),
    "themes:change_session": page(KEEPERS),
    "themes:invite": page(KEEPERS),
    "themes:told": page(KEEPERS, methods=POST),
    "themes:take_off": page(KEEPERS, methods=POST),
    "themes:came": page(KEEPERS, methods=POST),
    "themes:screen": page(KEEPERS, methods=GET),
    "themes:outcome": page(KEEPERS),
    "themes:cards": page(KEEPERS, methods=GET),
    "themes:invitations": page({(Role.FACILITATOR, "here")}, methods=GET),  # with where people live
    "themes:search": Expect(everybody=True, methods=GET),  # only over what one may read
    "agenda:topics": Expect(everybody=True, methods=GET),
    "agenda:raise": page(GROUP, anywhere=True),
    "agenda:raise_from": page(GROUP, methods=POST),
    "agenda:topic": Expect(everybody=True, methods=GET),
    "agenda:decide": page(LEADS),
    "agenda:tie": page(LEADS, own=True),
    "agenda:untie": page(LEADS, own=True, methods=POST),
    "changes:changes": Expect(everybody=True, methods=GET),
    "changes:record": page(LEADS, BUYERS, anywhere=True),
    "changes:change": Expect(everybody=True, methods=GET),
    "changes:words": Expect(everybody=True, methods=GET),
    "changes:step": page(LEADS, BUYERS),
    "changes:clause": page(LEADS, BUYERS),
    "changes:review": page(LEADS, BUYERS),
    "changes:tie": page(LEADS),
    "changes:untie": page(LEADS, methods=POST),
    "hearback:what_happened": Expect(signed_in=True, methods=GET),
    "hearback:answer": page(own=True, methods=POST),
    "hearback:reply": EVERYBODY,  # the link itself is the key
    "hearback:stop": EVERYBODY,  # so it is here
    "hearback:notify_receipt": NOBODY,  # but who shows the token of the far side: see test_receipts.py
    "hearback:text_receipt": NOBODY,
    "hearback:write": page(LEADS, BUYERS),
    "hearback:write_on_topic": page(LEADS, BUYERS),
    "hearback:reading": page(LEADS, BUYERS, methods=POST),
    "hearback:said_and_happened": page(LEADS, own=True, methods=GET),
    "hearback:said_and_happened_pdf": page(LEADS, own=True, methods=GET),
    "hearback:debt": page(LEADS, anywhere=True, methods=GET),
    "hearback:who_waits": page(LEADS, anywhere=True, methods=GET),
    "hearback:every_voice": page(LEADS, anywhere=True, methods=GET),
    "hearback:still_waiting": page(LEADS),
    "hearback:replies": page(LEADS, anywhere=True, methods=GET),
    "hearback:reply_to_match": page(LEADS),
    "hearback:notice_told": page(LEADS, methods=POST),
    "hearback:enclosed": page(LEADS, methods=GET),
    "hearback:enclosed_seen": page(LEADS, methods=POST),
    "hearback:inbound_email": Expect(methods=POST),  # a token opens it: tests/hearback/test_replies.py
    "hearback:inbound_text": Expect(methods=POST),
    "hearback:who_has_heard": page(LEADS, BUYERS, anywhere=True, methods=GET),
    "hearback:update": page(LEADS, BUYERS, methods=GET),
    "hearback:sending": page(LEADS, methods=POST),
    "hearback:wall": page(LEADS, methods=POST),
    "hearback:card": page(LEADS, methods=POST),
    "hearback:tell_latecomers": page(LEADS, methods=POST),
    "hearback:to_tell": page(LEADS, anywhere=True, methods=GET),
    "hearback:told": page(LEADS, methods=POST),
    "hearback:to_settle": page(LEADS, anywhere=True, methods=GET),
    "hearback:settle": page(LEADS, methods=POST),
    "hearback:pass_on": page(own=True, methods=POST),
    "hearback:letters": page(LEADS, anywhere=True, methods=GET),
    "hearback:make_letters": page(LEADS, methods=POST),
    "hearback:letters_pdf": page(LEADS, methods=GET),
    "hearback:post_letters": page(LEADS, methods=POST),
}

# Addresses that are somebody else's to test: those of signing in
# (tests/people/test_accounts.py), and two that a printed key opens.
ELSEWHERE = {"set_up": "tests/site/test_set_up.py", "try_it": "tests/test_cli.py"}


def addresses(resolver: URLResolver | None = None, space: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every named address of the site with the names of its parameters."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space)
        elif isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}", list(pattern.pattern.converters)


def ours() -> dict[str, list[str]]:
    return {
        name: parameters
        for name, parameters in addresses()
        if not name.startswith(("account_", "mfa_")) and name not in ELSEWHERE
    }


def test_every_address_has_an_expectation():
    assert sorted(ours()) == sorted(EXPECTED)


def came_with(hub: Hub) -> Enclosed:
    """A picture that came with an answer."""
    reply = Reply.objects.create(came_by="email", number="2", sender="x@example.org", original="", hub=hub)
    enclosed = Enclosed(reply=reply, kind="image/jpeg", size=3)
    enclosed.file.save("picture.jpg", ContentFile(b"\xff\xd8\xff"))
    return enclosed


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("world")


@pytest.fixture(autouse=True)
def _files_of_their_own(settings, files):
    """One place for all of these tests, as they share one world."""
    settings.VAR, settings.MEDIA_ROOT, settings.EMAIL_FILE_PATH = files, files / "files", files / "mail"


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, files) -> Iterator[World]:
    """Built once. Each try at an address is rolled back, each test as well, and in the end this."""
    with (
        django_db_blocker.unblock(),
        override_settings(VAR=files, MEDIA_ROOT=files / "files", EMAIL_FILE_PATH=files / "mail"),
        transaction.atomic(),
    ):
        yield World()
        transaction.set_rollback(True)


class World:
    """One thing of every kind in the hub `here`, all Lee's, and an actor for each role in each relation to it."""

    def __init__(self) -> None:
        above = Hub.objects.add_root({"name": "County"})
        here = Hub.objects.add_child(above, {"name": "Town"})
        below = Hub.objects.add_child(here, {"name": "Ward"})
        elsewhere = Hub.objects.add_root({"name": "Another county"})
        hubs = {"here": here, "above": above, "below": below, "elsewhere": elsewhere}
        keeper = make_person("Keeper", here, Role.FACILITATOR, Way.Kind.PAGE)
        lee = make_person("Lee", here, Role.MEMBER, Way.Kind.LETTER, "4 Made Up Road")
        # Somebody with more than one lead in the hub, so that taking one away is not refused for being the last.
        second = make_person("Second", here, Role.COORDINATOR)
        story = add_story(
            keeper, here, "A story", dt.date(2026, 1, 5), "s.txt", b"Lee: One word.\n\nKeeper: Two words."
        )
        speaker = story.speakers.get(label="Lee")
        name_speaker(keeper, speaker, lee, [Use.GROUP])
        turn = story.turns.select_related("story", "speaker__person").get(speaker=speaker)
        quote = mark_quote(keeper, turn, Span(0, len(turn.text)))
        voice = write_down(keeper, here, "Just one person to ring", "note", lee, uses=[Use.GROUP])
        theme = make_theme(keeper, here, "One person", voices=[quote, voice])
        finding = Finding.objects.create(hub=here, asked_by=keeper)
        proposed = ProposedTheme.objects.create(hub=here, label="ring, person", terms=["ring"])
        Proposal.objects.create(proposed=proposed, voice=voice, strength=0.9)
        session = plan_session(keeper, here, "Together", dt.date(2026, 1, 9), themes=[theme], stories=[story])
        message = write_key_message(keeper, theme, "Just one person.", Use.GROUP, [voice])
        agree(keeper, message, dt.date(2026, 1, 9))
        topic = raise_topic(lee, here, "Who stays?", themes=[theme])
        change = record_change(keeper, here, "One worker", "You choose.", "service", topics=[topic])
        tie(keeper, change, voices=[voice])
        update = write_update(keeper, change, "News", "You choose.")
        feedback = Feedback.objects.get(update=update, person=lee)
        came = receive(here, "From a stranger", "Mo", "", [], checked=True)
        work = bring(keeper, here, "w.qdc", refi.write_codebook(Codebook((Code(uuid.uuid4(), "Time"),))))
        pile = Letters.objects.create(hub=here, made_by=keeper)
        pile.pdf.save("l.pdf", ContentFile(b"%PDF-1.7"))
        # Mo takes part through Lee, and Lee through Second.
        mo = make_person("Mo", here, Role.MEMBER, Way.Kind.TRUSTED_PERSON)
        for_mo = Mandate.objects.create(person=mo, trusted=lee, speak=True, hear=True)
        for_lee = Mandate.objects.create(person=lee, trusted=second, speak=True)
        through = write_down_for(second, for_lee, here, "They never ring back", read_back=True)
        of_mo = Feedback.objects.create(update=update, person=mo)
        way = lee.ways.get()
        membership = lee.memberships.get()
        self.things = {
            "everything": lee.pk,
            "everything_json": lee.pk,
            "erase": lee.pk,
            "take_back_voice": voice.pk,
            "take_back_story": speaker.pk,
            "take_back_everything": lee.pk,
            "went": voice.pk,
            "asked": Carried.objects.create(voice=voice, kind="page", where="A page", who_has_it="All").pk,
            "voices:allowed": lee.pk,
            "voices:consent_form_for": lee.pk,
            "voices:mask": voice.pk,
            "voices:still_yes": voice.pk,
            "voices:limit": here.pk,
            "voices:take_quotes_in_hub": here.pk,
            "people:person": lee.pk,
            "people:name": lee.pk,
            "people:add_way": lee.pk,
            "people:quiet": lee.pk,
            "people:hub_quiet": here.pk,
            "people:at_most": lee.pk,
            "people:account": lee.pk,
            "people:account_away": lee.pk,
            "people:second_step_away": lee.pk,
            "people:join": lee.pk,
            "people:trust": lee.pk,
            "people:supported": for_mo.pk,
            "people:stop_supporting": for_mo.pk,
            "voices:write_down_for": for_mo.pk,
            "voices:disown": through.pk,
            "hearback:pass_on": of_mo.pk,
            "people:add_hub": here.pk,
            "voices:speaker": speaker.pk,
            "voices:voice": voice.pk,
            "voices:incoming": came.pk,
            "voices:put_aside": came.pk,
            "voices:consent": voice.pk,
            "voices:remove_quote": quote.pk,
            "themes:brought": work.pk,
            "themes:put_aside": work.pk,
            "glossary:put_aside": ask(here, "void").pk,
            "hearback:answer": feedback.pk,
            "hearback:said_and_happened": lee.pk,
            "hearback:said_and_happened_pdf": lee.pk,
            "hearback:still_waiting": here.pk,
            "hearback:reply_to_match": Reply.objects.create(
                came_by="email",
                number="1",
                sender="lee@example.org",
                original="Thanks",
                words="Thanks",
                hub=here,
            ).pk,
            **dict.fromkeys(("hearback:enclosed", "hearback:enclosed_seen"), came_with(here).pk),
            "hearback:notice_told": lee.pk,
            "hearback:told": feedback.pk,
            "hearback:settle": feedback.pk,
            "hearback:update": update.pk,
            "hearback:sending": update.pk,
            "hearback:wall": update.pk,
            "hearback:card": feedback.pk,
            "hearback:tell_latecomers": update.pk,
            "hearback:letters_pdf": pile.pk,
            "hearback:post_letters": pile.pk,
        }
        self.things |= {
            "themes:look": here.pk,
            "themes:finding": finding.pk,
            **dict.fromkeys(
                ("themes:proposed_theme", "themes:refuse_proposed", "themes:undo_refusal"), proposed.pk
            ),
            **dict.fromkeys(
                (
                    "themes:message",
                    "themes:agree",
                    "themes:open_message",
                    "themes:remove_message",
                    "agenda:raise_from",
                ),
                message.pk,
            ),
            **dict.fromkeys(
                (
                    "themes:session",
                    "themes:change_session",
                    "themes:invite",
                    "themes:came",
                    "themes:screen",
                    "themes:cards",
                    "themes:invitations",
                ),
                session.pk,
            ),
            **dict.fromkeys(("themes:told", "themes:take_off"), session.invited.get().pk),
        }
        proposal = explain(
            lee, here, "HRS", "Help to keep your home.", picture=PICTURE, picture_shows="A door"
        )
        self.by_room = {"glossary": proposal.pk, "agenda": topic.pk, "changes": change.pk, "themes": theme.pk}
        self.turns = dict.fromkeys(("turn", "mend", "split", "turn_speaker", "keep"), turn.pk)
        self.story = story.pk
        self.others = {
            "people:prefer_way": {"pk": lee.pk, "way": way.pk},
            "people:share_way": {"pk": lee.pk, "way": way.pk},
            "people:start_way": {"pk": lee.pk, "way": way.pk},
            "people:remove_way": {"pk": lee.pk, "way": way.pk},
            "people:change_trust": {"pk": lee.pk, "mandate": for_lee.pk},
            "people:end_trust": {"pk": lee.pk, "mandate": for_lee.pk},
            "people:leave": {"pk": lee.pk, "membership": membership.pk},
            "hearback:write": {"change": change.pk},
            "themes:outcome": {"pk": session.pk, "theme": theme.pk},
            "hearback:write_on_topic": {"topic": topic.pk},
            "hearback:to_tell": {"way": "phone"},
            "hearback:reading": {"hub": here.pk},
            "hearback:make_letters": {"hub": here.pk},
            "hearback:reply": {"token": reply_path(feedback).split("/")[2]},
            "hearback:stop": {"token": stop_path(way).split("/")[2]},
        }
        # What has to be said for a POST to be about something that is there.
        take_out(keeper, theme, [through])
        self.bodies = {
            "agenda:untie": {"theme": theme.pk},
            "changes:untie": {"voice": voice.pk},
            "themes:undo_move": {"act": acts_on(theme).values_list("pk", flat=True)[0]},
        }
        self.actors = [
            Actor("a visitor", None),
            Actor("Charlie", make_person("Charlie")),
            Actor("Lee", lee, Role.MEMBER, "here", True),
        ]
        for role in Role.values:
            for relation in RELATIONS:
                person = make_person(f"{role} {relation}", hubs[relation], role)
                self.actors.append(Actor(f"a {role} {relation}", person, role, relation))

    def path(self, name: str) -> tuple[str, str | None]:
        """The address of the thing, and that of one that never was (None for pages of no thing in particular)."""
        if name in self.others:
            parameters: dict[str, int | str] = dict(self.others[name])
        elif name in self.things:
            parameters = {"pk": self.things[name]}
        elif "pk" in ours()[name]:
            room, _colon, page = name.partition(":")
            pk = self.turns.get(page, self.story) if room == "voices" else self.by_room[room]
            parameters = {"pk": pk}
        else:
            return reverse(name), None
        nowhere = {key: 10**9 if isinstance(value, int) else value for key, value in parameters.items()}
        return reverse(name, kwargs=parameters), reverse(
            name, kwargs=nowhere
        ) if nowhere != parameters else None


def browser(actor: Actor) -> Client:
    client = Client(raise_request_exception=True)
    if actor.person is not None:
        client.force_login(actor.person.account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def send(client: Client, method: str, path: str, body: dict[str, int]) -> HttpResponse:
    return client.post(path, body) if method == "POST" else client.generic(method, path)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_who_may_open_it(
    name: str, world: World, db: None, full: bool, record_property: Callable[[str, object], None]
):
    """Every method by everybody in the long form. No page takes PUT, so the short form asks that of three only."""
    expected, checks, wrong = EXPECTED[name], 0, []
    path, nowhere = world.path(name)
    for place, actor in enumerate(world.actors):
        client = browser(actor)
        for method in ("GET", "POST", "PUT") if full or place < 3 else ("GET", "POST"):
            with transaction.atomic():
                answer = send(client, method, path, world.bodies.get(name, {}))
                transaction.set_rollback(True)
            checks += 1
            told = f"{actor.name}: {method} {path} answered {answer.status_code}"
            asked_to_sign_in = answer.status_code == 302 and answer.headers["Location"].startswith(
                "/account/"
            )
            if not expected.allows(actor, method):
                if actor.person is None and asked_to_sign_in:
                    pass
                elif nowhere is not None:
                    missing = send(client, method, nowhere, world.bodies.get(name, {}))
                    if (answer.status_code, answer.content) != (missing.status_code, missing.content):
                        wrong.append(f"{told}, but what never was answers {missing.status_code}")
                elif answer.status_code not in (404, 405):
                    wrong.append(told)
                if answer.status_code not in (404, 405) and not (actor.person is None and asked_to_sign_in):
                    wrong.append(f"{told}: they may not")
            elif method == "PUT":  # read as a GET, or refused; nothing here is made that way
                if answer.status_code == 500:
                    wrong.append(told)
            elif method not in expected.methods:
                if (
                    answer.status_code != 405
                    and name != "home"
                    and not _reads_anyway(answer.status_code, method)
                ):
                    wrong.append(f"{told}, and should refuse the method")
            elif answer.status_code in (404, 405, 500) or asked_to_sign_in:
                wrong.append(f"{told}: they may")
    record_property("checks", checks)
    assert not wrong, "\n".join(wrong)
    assert checks == (3 * len(world.actors) if full else 2 * len(world.actors) + 3)


def _reads_anyway(status: int, method: str) -> bool:
    """A page that only reads may answer a POST as it answers a GET: it changes nothing."""
    return method == "POST" and status == 200

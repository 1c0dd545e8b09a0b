"""The statement that everything here stands or falls by: nobody is shown a word that they must not read.

A machine makes up what people do (say, allow, take back, publish, merge, undo, tell, leave, come back, ask for
everything, be erased) in any order. After each step it looks: at the query as every one of the cast, and at a few
surfaces as one of them, in turn; at the end of a run as all of them (in the long form at every surface). What
each may read is kept here a second time, in plain sets. Each thing said has a word of its own, so a page is right
if it holds no other.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    multiple,
    rule,
    run_state_machine_as_test,
)
from pypdf import PdfReader

from coproduce.agenda.actions.topics import raise_topic
from coproduce.changes.actions import record_change, tie
from coproduce.changes.thread import count_behind
from coproduce.engine.quotes import Span
from coproduce.hearback import actions as hearback
from coproduce.hearback import sending
from coproduce.hearback.channels import letter
from coproduce.hearback.channels.email import Smtp
from coproduce.hearback.models import Feedback, State, Update
from coproduce.people.actions import join, leave
from coproduce.people.models import Erasure, Hub, Membership, Person, Way
from coproduce.people.permissions import forget
from coproduce.site import erase, everything
from coproduce.themes import actions as themes
from coproduce.themes import exchange
from coproduce.themes.exchange import Format
from coproduce.themes.models import Theme
from coproduce.voices.actions import add_story, mark_quote, name_speaker, set_consent, write_down
from coproduce.voices.models import Use, Voice
from tests.conftest import make_person

Role = Membership.Role
WORD = re.compile(r"zq\d+x")
SOME = 4  # every fourth surface at a step
USES = st.sets(st.sampled_from([use.value for use in Use]))


@dataclass
class Said:
    """One thing said, as this test knows it."""

    voice: Voice
    word: str
    by: str
    uses: set[str] = field(default_factory=set)
    taken_out: bool = False


class Counted:
    steps = pages = queries = 0
    long = False


class Town(RuleBasedStateMachine):
    said_things = Bundle("said_things")
    merged = Bundle("merged")

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        mail.outbox = []
        self.hub = Hub.objects.add_root({"name": "Eastmoor"})
        self.amina = make_person("Amina", self.hub, Role.FACILITATOR, Way.Kind.PAGE)
        self.people: dict[str, Person] = {"Amina": self.amina}
        self.number = 0
        self.said: list[Said] = []
        self.gone: set[str] = set()  # names of whom is erased
        for who in ("Lee", "Dot", "Sami"):
            self._come(who)
        self.people["Joan"] = make_person(
            "Joan", self.hub, Role.TRUSTED_PERSON, Way.Kind.PHONE, "01632 960111"
        )
        self.people["Marek"] = make_person(
            "Marek", self.hub, Role.COMMISSIONER, Way.Kind.EMAIL, "m@example.org"
        )
        self.people["Charlie"] = make_person("Charlie")
        self.here = {"Lee", "Dot", "Sami", "Joan", "Marek"}  # who holds their role
        self.themes = [themes.make_theme(self.amina, self.hub, f"Theme {n}") for n in range(3)]
        self.topic = raise_topic(self.amina, self.hub, "One person", themes=self.themes[:2])
        self.change = record_change(
            self.amina, self.hub, "One worker", "You choose.", "policy", topics=[self.topic]
        )
        tie(self.amina, self.change, themes=self.themes[2:])
        self.clients: dict[str, Client] = {}
        self.turn_of = 0

    def _come(self, who: str) -> None:
        """A member of this name; somebody new takes the place of somebody erased."""
        way, address = {
            "Lee": (Way.Kind.EMAIL, "lee@example.org"),
            "Dot": (Way.Kind.LETTER, "1 Long Road"),
            "Sami": (Way.Kind.PAGE, ""),
        }[who]
        self.number += 1
        person = make_person(f"{who}{self.number}", self.hub, Role.MEMBER, way, address)
        self.people[who] = person

    def teardown(self) -> None:
        try:
            for reader in [*self.people, "a visitor"]:
                self._look_at_surfaces(reader, some=not Counted.long)
            self._look_at_letters()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # What people do

    @rule(
        target=said_things,
        who=st.sampled_from(["Lee", "Dot", "Sami", "Joan"]),
        uses=USES,
        where=st.integers(0, 4),
    )
    def give(self, who: str, uses: set[str], where: int) -> Said:
        word = self._word()
        voice = write_down(self.amina, self.hub, f"I say {word} here", "note", self.people[who], uses=uses)
        return self._keep(Said(voice, word, who, set(uses)), where)

    @rule(target=said_things, who=st.sampled_from(["Lee", "Sami"]), uses=USES, where=st.integers(0, 4))
    def tell_a_story(self, who: str, uses: set[str], where: int) -> Said:
        word, rest = self._word(), self._word()
        told = (
            f"Ify: Go on.\n\nTeller: It was {word} then. It was {rest} after.\n\nIfy: Yes?\n\nTeller: Yes.\n"
        )
        day = self.change.steps.get().on
        story = add_story(self.amina, self.hub, "A story", day, "s.txt", told.encode())
        speaker = story.speakers.get(label="Teller")
        name_speaker(self.amina, speaker, self.people[who], uses)
        turn = speaker.turns.select_related("story", "speaker__person").first()
        assert turn is not None
        quote = mark_quote(self.amina, turn, Span(0, turn.text.index(".") + 1))
        self.said.append(Said(Voice(), rest, who))  # in no voice: only keepers and the teller ever read it
        return self._keep(Said(quote, word, who, set(uses)), where)

    def _word(self) -> str:
        self.number += 1
        return f"zq{self.number}x"

    def _keep(self, said: Said, where: int) -> Said:
        if where < 3:
            theme = self._standing(self.themes[where])
            themes.place(self.amina, theme, [said.voice])
        else:
            tie(self.amina, self.change, voices=[said.voice])
        self.said.append(said)
        return self._done(said)

    def _standing(self, theme: Theme) -> Theme:
        theme.refresh_from_db()
        while theme.merged_into is not None:
            theme = theme.merged_into
        return theme

    @rule(said=said_things, uses=USES)
    def allow_or_take_back(self, said: Said, uses: set[str]) -> None:
        if not said.taken_out:
            said.voice.refresh_from_db()
            set_consent(self.amina, said.voice, uses)
            said.uses = set(uses)
        self._done()

    @rule(said=said_things)
    def take_back(self, said: Said) -> None:
        self.allow_or_take_back(said, set())

    @rule(said=said_things)
    def publish(self, said: Said) -> None:
        self.allow_or_take_back(said, {"group", "services", "public"})

    @rule(target=merged, one=st.integers(0, 2), other=st.integers(0, 2))
    def merge(self, one: int, other: int) -> object:
        theme, into = self._standing(self.themes[one]), self._standing(self.themes[other])
        if theme.pk == into.pk:
            return multiple()
        themes.merge(self.amina, theme, into)
        self._done()
        return theme.pk

    @rule(pk=consumes(merged))
    def undo(self, pk: int) -> None:
        theme = Theme.objects.get(pk=pk)
        if theme.merged_into_id is not None:
            themes.undo_merge(self.amina, theme)
        self._done()

    @rule()
    def tell_everybody(self) -> None:
        hearback.write_update(self.amina, self.change, "They said yes", "From May on.")
        owed = Feedback.objects.owed_by(Way.Kind.EMAIL).values_list("pk", flat=True)
        sending.send_all(Smtp(), list(owed), "a worker")
        self._done()

    @rule(who=st.sampled_from(["Lee", "Dot", "Sami"]), how=st.sampled_from(list(Erasure.Choice)))
    def erase(self, who: str, how: Erasure.Choice) -> None:
        person = self.people[who]
        behind = count_behind(self.change)
        self._forget(person)
        erase.erase_person(self.amina, person, how.value)
        assert count_behind(self.change) == behind
        self.gone.add(person.name)
        for said in self.said:
            if said.by == who:
                if how == Erasure.Choice.TAKE_OUT:
                    said.taken_out = True
                said.uses.discard("public")
                said.by = f"somebody erased {self.number}"
        mail.outbox = [
            message for message in mail.outbox if "lee@example.org" not in message.to or who != "Lee"
        ]
        self._come(who)
        self.here.add(who)
        self.clients.pop(who, None)
        self._done()

    @rule(who=st.sampled_from(["Lee", "Dot", "Joan", "Marek"]))
    def leave_or_come_back(self, who: str) -> None:
        person = self.people[who]
        role = {"Joan": Role.TRUSTED_PERSON, "Marek": Role.COMMISSIONER}.get(who, Role.MEMBER)
        if who in self.here:
            leave(person, person.memberships.current().get())
            self.here.remove(who)
        else:
            join(self.amina, person, self.hub, role)
            self.here.add(who)
        self._done()

    @rule(who=st.sampled_from(["Amina", "Lee", "Dot", "Sami", "Joan"]))
    def ask_for_everything(self, who: str) -> None:
        page = everything.as_page(everything.export_person(self.people[who]))
        self._only(
            page,
            {said.word for said in self.said if said.by == who and not said.taken_out},
            "everything",
            who,
        )
        theirs = {said.word for said in self.said if said.by == who and not said.taken_out}
        assert theirs <= set(WORD.findall(page)), f"not everything of {who} is there"
        self._done()

    # What each may read

    def _may_read(self, reader: str) -> set[str]:
        return {said.word for said in self.said if not said.taken_out and self._opens(said, reader)}

    def _opens(self, said: Said, reader: str) -> bool:
        if said.by == reader or reader == "Amina":
            return True
        if said.voice.pk is None:
            return False
        if "public" in said.uses:
            return True
        if reader == "Marek":
            return reader in self.here and "services" in said.uses
        return reader in self.here and "group" in said.uses

    def _done(self, result: Said | None = None) -> Said | None:
        Counted.steps += 1
        self._look_at_queries()
        readers = [*self.people, "a visitor"]
        self.turn_of += 1
        self._look_at_surfaces(readers[self.turn_of % len(readers)], some=True)
        for message in mail.outbox:
            bodies = f"{message.body} {message.alternatives[0].content}"
            theirs = {said.word for said in self.said if said.by == "Lee"}
            self._only(bodies, theirs, "an email", "Lee")
        return result

    def _look_at_queries(self) -> None:
        for reader in [*self.people, "a visitor"]:
            Counted.queries += 1
            words = " ".join(Voice.objects.visible_to(self._person(reader)).values_list("words", flat=True))
            voiced = {said.word for said in self.said if said.voice.pk}
            assert set(WORD.findall(words)) == self._may_read(reader) & voiced, reader

    def _person(self, reader: str) -> Person | None:
        person = self.people.get(reader)
        self._forget(person)
        return person

    def _forget(self, person: Person | None) -> None:
        forget(person)

    def _look_at_surfaces(self, reader: str, some: bool = False) -> None:
        may = self._may_read(reader)
        own = {said.word for said in self.said if said.by == reader and not said.taken_out}
        client = self._client(reader)
        newest = self.said[-1].voice.pk if self.said else None
        paths = ["/", "/voices/", "/voices/?q=zq", f"/topics/{self.topic.pk}/", "/themes/", "/themes/pool/"]
        paths += [f"/changes/{self.change.pk}/", f"/changes/{self.change.pk}/words/"]
        paths += [f"/changes/{self.change.pk}/tie/?words=zq", "/who-has-heard/letters/", "/stories/"]
        paths += ["/who-has-heard/to-tell/phone/", "/people/", f"/themes/{self.themes[0].pk}/"]
        paths += ["/search/?q=zq", "/key-messages/", "/who-has-heard/owed/", "/who-has-heard/voices/"]
        paths += [f"/voices/{newest}/"] if newest else []
        if latest := Update.objects.order_by("-pk").first():
            paths.append(f"/who-has-heard/{latest.pk}/")
        surfaces = [(path, may) for path in paths]
        if reader in self.people:
            surfaces += [("/what-happened/", own), (f"/people/{self.people[reader].pk}/everything/", own)]
        if some:  # so that over some steps each reader opens each of them
            surfaces = surfaces[self.turn_of // 8 % SOME :: SOME]
        for path, may in surfaces:
            self._only(self._open(client, path), may, path, reader)

    def _client(self, reader: str) -> Client:
        if reader not in self.clients:
            self.clients[reader] = Client()
            if reader in self.people:
                account = self.people[reader].account
                self.clients[reader].force_login(account, "django.contrib.auth.backends.ModelBackend")
        return self.clients[reader]

    def _open(self, client: Client, path: str) -> str:
        Counted.pages += 1
        answer = client.get(path)
        assert answer.status_code in (200, 302, 404), f"{path} answered {answer.status_code}"
        return answer.content.decode()

    def _look_at_letters(self) -> None:
        """What would be printed for each who waits for a letter holds their own words alone."""
        waits = Feedback.objects.filter(state=State.OWED).owed_by(Way.Kind.LETTER)
        written = [letter.letter(each) for each in waits.select_related("person", "update__change__hub")]
        if written:
            pdf = PdfReader(io.BytesIO(letter.on_paper(written[:5], "Eastmoor")))
            text = "".join(page.extract_text() for page in pdf.pages)
            own = {said.word for said in self.said if said.by == "Dot" and not said.taken_out}
            self._only(text, own, "letters", "Dot")

    @rule(use=st.sampled_from(list(Use)), format=st.sampled_from([Format.CSV, Format.REPORT_PAGE]))
    def take_away(self, use: Use, format: Format) -> None:
        """A file for the group, for services, for everybody: in it is what may go there, and nothing else."""
        try:
            content = exchange.take_away(self._person("Amina"), self.hub, use, format).content
        except ValidationError:  # nothing may go
            content = b""
        may = {
            said.word for said in self.said if said.voice.pk and not said.taken_out and use.value in said.uses
        }
        self._only(content.decode(), may, f"a file for {use.value}", "its readers")
        if format == Format.CSV:
            assert may == set(WORD.findall(content.decode())), f"not everything for {use.value} is there"
        self._done()

    def _only(self, page: str, may: set[str], where: str, reader: str) -> None:
        shown = set(WORD.findall(page))
        assert shown <= may, f"{where} shows {reader} {shown - may}"
        for name in self.gone:
            assert not re.search(rf"\b{name}\b", page), f"{where} shows {reader} the name {name}"


@pytest.mark.django_db
def test_nobody_is_shown_a_word_they_must_not_read(full, record_property):
    Counted.steps = Counted.pages = Counted.queries = 0
    Counted.long, wanted = full, 10_000 if full else 150
    while Counted.steps < wanted:
        run_state_machine_as_test(
            Town,
            settings=settings(
                max_examples=20 if full else 8,
                stateful_step_count=50 if full else 25,
                deadline=None,
                database=None,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )
    record_property(
        "figures",
        f"{Counted.steps:,} steps: {Counted.queries:,} queries and {Counted.pages:,} pages looked at, 0 words shown "
        "to somebody who must not read them",
    )

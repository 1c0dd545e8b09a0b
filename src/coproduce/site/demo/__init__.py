"""The demo town: made up, always the same, and moved in time so that its `today` is the day it is loaded.

town.toml says who and what. It goes in by the same actions that people use, so it can't hold what they could not do.
"""

from __future__ import annotations

import datetime as dt
import random
import tomllib
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from PIL import Image, ImageDraw

from coproduce.agenda.actions import asks
from coproduce.agenda.actions.topics import decide, raise_topic, support
from coproduce.agenda.models import Ask, AskEmail, Topic
from coproduce.changes.actions import record_change, take_step, tie, word_clause
from coproduce.changes.models import Change
from coproduce.consensus import actions as statements
from coproduce.consensus import voting
from coproduce.consensus.filled_in import marks_of
from coproduce.consensus.models import Conversation, Statement, Vote
from coproduce.consensus.reckoning import reckon
from coproduce.engine import quotes
from coproduce.engine.inbox import read_email
from coproduce.glossary.actions import ask, explain
from coproduce.glossary.models import Question, Term
from coproduce.hearback import replies
from coproduce.hearback.actions import write_update
from coproduce.hearback.models import State, Update
from coproduce.people.actions import add_hub, bring_in, make_mandate, record
from coproduce.people.models import Account, Hub, Mandate, Membership, Organisation, Person, Way
from coproduce.people.permissions import may
from coproduce.site.demo import meetings
from coproduce.themes.actions import make_theme, merge
from coproduce.themes.models import SenseMaking, Theme
from coproduce.themes.proposing import Thought, keep_proposals, keep_thoughts
from coproduce.themes.together import (
    agree,
    invite,
    note_who_came,
    plan_session,
    told_about_it,
    write_key_message,
    write_outcome,
)
from coproduce.voices.actions import add_story, mark_quote, name_speaker, write_down, write_down_for
from coproduce.voices.models import Story, Voice

HERE = Path(__file__).parent


@cache
def _told() -> dict[str, Any]:
    return tomllib.loads((HERE / "town.toml").read_text(encoding="utf-8"))


def cast() -> dict[str, str]:
    """Who can sign in: name → a line about them."""
    return {person["name"]: person["about"] for person in _told()["person"] if person.get("sign_in")}


def load_once() -> None:
    """Load the town, unless there is somebody here already."""
    if not Person.objects.exists():
        _Town(_told()).build()


class _Town:
    """The town while it is being built: what each key in town.toml became."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.shift = timezone.localdate() - told["town"]["today"]
        self.hubs: dict[str, Hub] = {}
        self.people: dict[str, Person] = {}
        self.stories: dict[str, Story] = {}
        self.voices: dict[str, Voice] = {}
        self.themes: dict[str, Theme] = {}
        self.topics: dict[str, Topic] = {}
        self.changes: dict[str, Change] = {}

    @transaction.atomic
    def build(self) -> None:
        self.build_people()
        self.build_words()
        self.build_voices()
        self.build_themes()
        self.build_what_was_agreed()
        self.build_topics()
        self.build_asks()
        self.build_changes()
        self.build_updates()
        self.build_conversations()
        self.build_answers()
        meetings.build(self)

    def day(self, told: dt.date) -> dt.date:
        return told + self.shift

    def moment(self, told: dt.date, hour: int = 10) -> dt.datetime:
        return timezone.make_aware(dt.datetime.combine(self.day(told), dt.time(hour)))

    def who_may(self, verb: str, hub: Hub, first: str = "") -> Person:
        """The person named, if they may do this in the hub; otherwise the first of the town who may."""
        people = [self.people[first]] if first else []
        return next(person for person in [*people, *self.people.values()] if may(person, verb, hub))

    def build_people(self) -> None:
        organisations = {
            each["key"]: Organisation.objects.create(
                name=each["name"], kind=each["kind"], about=each["about"]
            )
            for each in self.told["organisation"]
        }
        for told in self.told["person"]:
            if "known_through" in told:
                continue
            self.people[told["key"]] = Person.objects.create(
                name=told["name"], organisation=organisations.get(told.get("organisation", ""))
            )
        coordinator = next(
            key for key, each in self._told_people() if "coordinator" in str(each["memberships"])
        )
        for told in self.told["hub"]:
            if "parent" not in told:
                hub = Hub.objects.add_root({"name": told["name"], "about": told["about"]})
                Membership.objects.create(
                    person=self.people[coordinator], hub=hub, role=Membership.Role.COORDINATOR
                )
            else:
                hub = add_hub(
                    self.people[coordinator], self.hubs[told["parent"]], told["name"], told["about"]
                )
            self.hubs[told["key"]] = hub
        for key, told in self._told_people():
            if "known_through" in told:
                hub = self.hubs[told["memberships"][0]["hub"]]
                self.people[key] = bring_in(
                    self.people[told["known_through"]], hub, told["name"], only_i_know=True
                )
                continue
            person = self.people[key]
            for held in told["memberships"]:
                Membership.objects.get_or_create(person=person, hub=self.hubs[held["hub"]], role=held["role"])
            for place, way in enumerate(told["ways"]):
                Way.objects.create(
                    person=person, kind=way["kind"], address=way.get("address", ""), preferred=place == 0
                )
                if told.get("sign_in") == "email" and way["kind"] == Way.Kind.EMAIL:
                    Account.objects.get_or_create(person=person, defaults={"email": way["address"]})
            record(None, "add", person)
            person.__dict__.pop("_hubs_where", None)

        for told in self.told["mandate"]:
            person = self.people[told["person"]]
            make_mandate(person, person, self.people[told["trusted"]], told["what_for"])

    def _told_people(self) -> list[tuple[str, dict[str, Any]]]:
        return [(told["key"], told) for told in self.told["person"]]

    def build_words(self) -> None:
        for told in self.told["term"]:
            hub = self.hubs[told["hub"]]
            waits = told.get("waits", False)
            by = self.people[told["by"]] if waits else self.who_may("explain words", hub, told["by"])
            term = explain(
                by, hub, told["word"], told["explanation"], told.get("also", ""), told.get("example", "")
            )
            if term.is_agreed == waits:
                raise ValueError(f"town.toml: {told['by']} may not have {told['word']} as it stands there")
            Term.objects.filter(pk=term.pk).update(written_at=self.moment(self.told["town"]["today"]))
        for told in self.told["asked"]:
            for _time in range(told["times"]):
                question = ask(self.hubs[told["hub"]], told["word"], told["where"])
            Question.objects.filter(pk=question.pk).update(day=self.day(told["on"]))

    def build_voices(self) -> None:
        for told in self.told["story"]:
            hub = self.hubs[told["hub"]]
            keeper = self.who_may("work on stories", hub, told["gathered_by"])
            story = add_story(
                keeper,
                hub,
                told["title"],
                self.day(told["gathered_on"]),
                told["file"],
                (HERE / "stories" / told["file"]).read_bytes(),
                self.people[told["gathered_by"]],
            )
            for speaker in told["speakers"]:
                person = self.people.get(speaker.get("person", ""))
                name_speaker(keeper, story.speakers.get(label=speaker["label"]), person, speaker["consent"])
            self.stories[told["key"]] = story
        for told in self.told["quote"]:
            story = self.stories[told["story"]]
            keeper = self.who_may("work on stories", story.hub)
            for turn in story.turns.filter(speaker__label=told["speaker"]).select_related(
                "speaker__person", "story"
            ):
                if span := quotes.find(turn.text, told["words"]):
                    self.voices[told["key"]] = mark_quote(keeper, turn, span)
                    break
            else:
                raise ValueError(f"town.toml: quote {told['key']} does not stand in {told['story']}")
        for told in self.told["voice"]:
            hub = self.hubs[told["hub"]]
            person, by = self.people.get(told.get("person", "")), self.people.get(told.get("taken_by", ""))
            said_on, consent = self.day(told["said_on"]), told["consent"]
            if mandate := Mandate.objects.standing("speak").filter(person=person, trusted=by).first():
                assert by is not None
                voice = write_down_for(by, mandate, hub, told["words"], True, said_on, consent)
            else:
                writer = self.who_may("add words", hub, told.get("taken_by", ""))
                voice = write_down(writer, hub, told["words"], told["came_by"], person, said_on, consent)
            self.voices[told["key"]] = voice

    def keeper_of_all(self) -> Person:
        """Somebody who may read everything said in every hub, to put voices of all hubs into themes."""
        return next(
            person
            for person in self.people.values()
            if all(may(person, "read everything said", hub) for hub in self.hubs.values())
        )

    def build_themes(self) -> None:
        keeper = self.keeper_of_all()
        for told in self.told["theme"]:
            hub = self.hubs[told["hub"]]
            called = told.get("called_before", told["name"])
            theme = make_theme(keeper, hub, called, told["about"], self.those(self.voices, told["voices"]))
            for other in told.get("merged", []):
                merged = make_theme(
                    keeper, hub, other["name"], voices=self.those(self.voices, other["voices"])
                )
                merge(keeper, merged, theme)
            self.themes[told["key"]] = theme

    def build_what_was_agreed(self) -> None:
        """Sessions with what came of them, key messages, and what the machine proposes."""
        keeper = self.keeper_of_all()
        sessions: dict[str, SenseMaking] = {}
        for told in self.told["session"]:
            session = plan_session(
                keeper,
                self.hubs[told["hub"]],
                told["name"],
                self.day(told["on"]),
                told["place"],
                self.those(self.themes, told["themes"]),
                self.those(self.stories, told["stories"]),
            )
            invite(keeper, session, self.those(self.people, told["told"]))
            for invited in session.invited.filter(person__in=self.those(self.people, told["told"])):
                told_about_it(keeper, invited, True)
            note_who_came(
                keeper, session, session.invited.filter(person__in=self.those(self.people, told["came"]))
            )
            for said in told["outcomes"]:
                theme, name = self.themes[said["theme"]], self._told_theme(said["theme"])["name"]
                write_outcome(keeper, session, theme, said["outcome"], name, said["note"])
                session.outcomes.filter(theme=theme).update(recorded_at=self.moment(told["on"]))
                Theme.objects.filter(pk=theme.pk).update(confirmed_at=self.moment(told["on"]))
            session.invited.exclude(told_at=None).update(
                told_at=self.moment(told["on"] - dt.timedelta(days=12))
            )
            sessions[told["key"]] = session
        for told in self.told["key_message"]:
            theme = self.themes[told["theme"]]
            message = write_key_message(
                keeper, theme, told["words"], told["use"], self.those(self.voices, told["voices"])
            )
            if "session" in told:
                session = sessions[told["session"]]
                agree(keeper, message, session.on, session)
        for told in self.told["proposed"]:
            voices = self.those(self.voices, told["voices"])
            strengths = {voice.pk: 0.9 - 0.1 * place for place, voice in enumerate(voices)}
            thought = Thought(", ".join(told["terms"]), told["terms"], told["sureness"], strengths, strengths)
            keep_thoughts(self.hubs[told["hub"]], [thought])
        keep_proposals(
            [
                (self.voices[told["voice"]].pk, self.themes[told["theme"]].pk, told["strength"])
                for told in self.told["proposal"]
            ],
            among=[self.voices[told["voice"]].pk for told in self.told["proposal"]],
        )

    def _told_theme(self, key: str) -> dict[str, Any]:
        return next(told for told in self.told["theme"] if told["key"] == key)

    def build_topics(self) -> None:
        for told in self.told["topic"]:
            hub = self.hubs[told["hub"]]
            lead = self.who_may("decide on a topic", hub)
            topic = raise_topic(
                self.who_may("raise a topic", hub, told["raised_by"]),
                hub,
                told["title"],
                told["why"],
                self.those(self.themes, told["themes"]),
                self.those(self.voices, told["voices"]),
            )
            Topic.objects.filter(pk=topic.pk).update(raised_on=self.day(told["raised_on"]))
            if told["stage"] != "open":
                on = told.get("decided_on", told["raised_on"] + dt.timedelta(days=14))
                decide(lead, topic, told["stage"], told.get("decision", ""), self.day(on))
            for person in self.those(self.people, told.get("wanted_by", [])):
                through = Mandate.objects.standing("speak").filter(person=person).select_related("trusted")
                if person.known_through_id and (held := through.first()):
                    support(held.trusted, topic, person)
                else:
                    support(person, topic)
            self.topics[told["key"]] = topic

    def build_asks(self) -> None:
        """What services ask. Their emails count as sent: nobody reads them."""
        words = ("organisation", "wants", "why", "decided", "pays", "will_do", "name", "email")
        for told in self.told["ask"]:
            hub, on = self.hubs[told["hub"]], self.moment(told["asked_on"])
            by_when = self.day(told["by_when"]) if "by_when" in told else None
            asked = asks.ask(hub, **{name: told[name] for name in words}, by_when=by_when, checked=True)
            asks.confirm(asked)
            if "answer" in told:
                lead = self.who_may("answer an ask", hub)
                answered = self.day(told["answered_on"])
                topic = asks.answer_ask(lead, asked, told["answer"], told["reason"]).topic
                Ask.objects.filter(pk=asked.pk).update(answered_on=answered)
                if topic is not None:
                    Topic.objects.filter(pk=topic.pk).update(raised_on=answered)
            Ask.objects.filter(pk=asked.pk).update(sent_at=on, confirmed_at=on)
            AskEmail.objects.filter(ask=asked).update(owed_at=on, claimed_at=on, sent_at=on)

    @staticmethod
    def those(known: dict[str, Any], keys: list[str]) -> list[Any]:
        return [known[key] for key in keys]

    def build_changes(self) -> None:
        for told in self.told["change"]:
            hub = self.hubs[told["hub"]]
            first, *later = told["steps"]
            clause = told.get("clause", {})
            change = record_change(
                self.who_may("record a change", hub, first["by"]),
                hub,
                told["title"],
                told["summary"],
                told["kind"],
                first["stage"],
                self.day(first["on"]),
                first["note"],
                self.people[told["owner"]],
                self.day(clause["review_on"]) if clause else None,
                self.those(self.topics, told["topics"]),
            )
            for step in later:
                by = self.who_may("record a change", hub, step["by"])
                take_step(by, change, step["stage"], self.day(step["on"]), step["note"])
            if clause:
                by = self.who_may("record a change", hub)
                word_clause(
                    by, change, clause["contract"], clause["number"], clause["before"], clause["after"]
                )
            keeper = self.who_may("tie the thread", hub)
            tie(
                keeper,
                change,
                [],
                self.those(self.themes, told["themes"]),
                self.those(self.voices, told["voices"]),
            )
            self.changes[told["key"]] = change

    def build_updates(self) -> None:
        for told in self.told["update"]:
            change = self.changes[told["change"]]
            by = self.who_may("write an update", change.hub, told["by"])
            update = write_update(by, change, told["title"], told["text"])
            Update.objects.filter(pk=update.pk).update(written_at=self.moment(told["on"]))
            update.feedback.update(owed_at=self.moment(told["on"]))
            gone = self.moment(told["on"], 15)
            for state, keys in (
                (State.HEARD, told["heard"]),
                (State.SENT, told["sent"]),
                (State.UNDELIVERABLE, told["undeliverable"]),
            ):
                for place, key in enumerate(keys):
                    person = self.people[key]
                    way = person.preferred_way
                    update.feedback.filter(person=person).update(
                        state=state,
                        went_by=way.kind if way else None,
                        sent_at=None if state == State.UNDELIVERABLE else gone,
                        heard_at=gone + dt.timedelta(days=1 + 4 * place) if state == State.HEARD else None,
                        problem="" if state != State.UNDELIVERABLE else "The number is not theirs any more.",
                        tries=1,
                    )

    def build_conversations(self) -> None:
        for told in self.told["conversation"]:
            topic = self.topics[told["topic"]]
            lead = self.who_may("open a conversation", topic.hub)
            conversation = statements.open_conversation(lead, topic, told["about"], told["by_link"])
            Conversation.objects.filter(pk=conversation.pk).update(opened_at=self.moment(told["opened_on"]))
            keeper = self.who_may("curate statements", topic.hub)
            asked = [
                statements.write_statement(
                    keeper,
                    conversation,
                    each["words"],
                    self.those(self.voices, [each["voice"]] if "voice" in each else []),
                )
                for each in told["statement"]
            ]
            for each in told["waiting"]:
                statements.write_statement(self.people[each["by"]], conversation, each["words"])
            refused = told["refused"]
            unfit = statements.write_statement(self.people[refused["by"]], conversation, refused["words"])
            statements.refuse(keeper, unfit, refused["reason"])
            self.let_people_vote(told, conversation, asked)
            self.let_strangers_vote(told, conversation, asked)
            reckon(conversation)

    def let_people_vote(
        self, told: dict[str, Any], conversation: Conversation, asked: list[Statement]
    ) -> None:
        for each in told["votes"]:
            person = self.people[each["person"]]
            choices = marks_of(each["votes"], [statement.pk for statement in asked])
            for statement in asked:
                if statement.pk not in choices:
                    continue
                if each["way"] == Vote.Way.PHONE:
                    by = self.people[each["by"]]
                    voting.record_vote(by, conversation, person, statement, choices[statement.pk])
                else:
                    voting.vote(person, conversation, statement, choices[statement.pk])

    def let_strangers_vote(
        self, told: dict[str, Any], conversation: Conversation, asked: list[Statement]
    ) -> None:
        """Some on paper, some by the link; always the same."""
        drawn = random.Random(told["key"])
        keeper = self.who_may("record votes", conversation.topic.hub)
        camps = [camp for camp, number in enumerate(told["camps"]) for _one in range(number)]
        drawn.shuffle(camps)
        for number, camp in enumerate(camps):
            choices = {}
            for statement, each in zip(asked, told["statement"], strict=True):
                if drawn.random() < 0.96:
                    said = 1 if drawn.randrange(100) < each["agree"][camp] else -1
                    choices[statement.pk] = said if drawn.random() < 0.95 else 0
            if number < told["on_paper"]:
                voting.type_in(keeper, conversation, choices, f"demo sheet {number}")
                continue
            for statement in asked:
                if statement.pk in choices:
                    voting.vote_by_link(f"demo {number}", conversation, statement, choices[statement.pk])

    def build_answers(self) -> None:
        """Emails as they come in: from whom, nobody can be sure."""
        for told in self.told["answer"]:
            way = self.people[told["by"]].ways.get(kind=Way.Kind.EMAIL)
            email = EmailMessage()
            email["From"], email["Message-ID"] = way.address, f"<{told['key']}@example.org>"
            email["Date"] = format_datetime(self.moment(told["on"]))
            email.set_content(told["words"])
            email.add_attachment(
                picture_of(told["picture"]), maintype="image", subtype="png", filename="door.png"
            )
            replies.take_email(read_email(email.as_bytes()))


def picture_of(words: str) -> bytes:
    """A notice on a door, with these words on it, as PNG."""
    picture = Image.new("RGB", (640, 400), "#B9A98C")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((120, 60, 520, 340), fill="#FFFFFF", outline="#221E1A", width=3)
    draw.multiline_text((160, 130), words, fill="#221E1A", font_size=44, spacing=16)
    kept = BytesIO()
    picture.save(kept, "PNG")
    return kept.getvalue()

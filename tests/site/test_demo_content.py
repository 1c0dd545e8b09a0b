"""The demo town hangs together: references lead somewhere, quotes are exact, nobody in it is real."""

import datetime
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import coproduce

DEMO = Path(coproduce.__file__).parent / "site" / "demo"
TOWN = tomllib.loads((DEMO / "town.toml").read_text(encoding="utf-8"))

KEYED = [
    "hub",
    "organisation",
    "person",
    "story",
    "quote",
    "voice",
    "theme",
    "topic",
    "change",
    "conversation",
]
BY_KEY = {kind: {row["key"]: row for row in TOWN[kind]} for kind in KEYED}
PEOPLE, HUBS, STORIES = BY_KEY["person"], BY_KEY["hub"], BY_KEY["story"]
THEMES, TOPICS, CHANGES = BY_KEY["theme"], BY_KEY["topic"], BY_KEY["change"]
SAID = BY_KEY["quote"] | BY_KEY["voice"]

ROLES = {
    "member",
    "trusted person",
    "champion",
    "curator",
    "facilitator",
    "commissioner",
    "coordinator",
}
WAYS = {"page", "email", "text", "letter", "phone", "face_to_face", "trusted_person"}
USES = {"group", "services", "public"}
CAME_BY = {"note", "call", "email", "form", "trusted person", "meeting"}
ORGANISATION_KINDS = {"council", "charity", "health", "housing", "other"}
TOPIC_STAGES = {"open", "working", "decided", "put aside"}
CHANGE_KINDS = {"clause", "service", "policy", "building", "website", "training", "other"}
STEP_STAGES = {"planned", "agreed", "made", "proven", "not made"}

# Every postcode area there is; the town's must be none of them.
POSTCODE_AREAS = (
    " AB AL B BA BB BD BF BH BL BN BR BS BT BX CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL "
    "DN DT DY E EC EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY "
    "L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S "
    "SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR "
    "WS WV YO ZE "
)
# Ofcom keeps these for stories: 07700 900000 to 900999, and 01632 960000 to 960999.
FICTIONAL_PHONE = re.compile(r"(07700 900\d{3}|01632 960\d{3})")


def turns(name):
    """The turns of a story file, as (label, words)."""
    text = (DEMO / "stories" / name).read_text(encoding="utf-8")
    if name.endswith(".vtt"):
        assert text.startswith("WEBVTT\n")
        return re.findall(r"^<v ([^>]+)>(.+)$", text, re.MULTILINE)
    found = []
    for paragraph in text.strip().split("\n\n"):
        label, colon, words = paragraph.partition(": ")
        assert colon and "\n" not in paragraph, f"{name}: not one “Name: words” line: {paragraph[:60]!r}"
        found.append((label, words))
    return found


def speaker(quote):
    return next(s for s in STORIES[quote["story"]]["speakers"] if s["label"] == quote["speaker"])


def hub_of(said):
    return said["hub"] if "hub" in said else STORIES[said["story"]]["hub"]


def person_of(said):
    return speaker(said)["person"] if "story" in said else said.get("person")


def consent_of(said):
    return set(speaker(said)["consent"] if "story" in said else said["consent"])


def said_on(said):
    return STORIES[said["story"]]["gathered_on"] if "story" in said else said["said_on"]


def voices_of_theme(theme):
    return theme["voices"] + [key for merged in theme.get("merged", []) for key in merged["voices"]]


def voices_of_topic(topic):
    return topic["voices"] + [key for theme in topic["themes"] for key in voices_of_theme(THEMES[theme])]


def voices_of_change(change):
    through_topics = [key for topic in change["topics"] for key in voices_of_topic(TOPICS[topic])]
    through_themes = [key for theme in change["themes"] for key in voices_of_theme(THEMES[theme])]
    return set(change["voices"] + through_topics + through_themes)


def people_owed(change):
    return {person_of(SAID[key]) for key in voices_of_change(change)} - {None}


def memberships(person):
    return {m["hub"]: m["role"] for m in person["memberships"]}


def at_or_below(hub, top):
    while hub is not None:
        if hub == top:
            return True
        hub = HUBS[hub].get("parent")
    return False


def service_words():
    """All that the software and the services say here, and where; a clause keeps its own wording."""
    for hub in HUBS.values():
        yield f"hub {hub['key']}", hub["about"]
    for organisation in TOWN["organisation"]:
        yield f"organisation {organisation['key']}", organisation["about"]
    for theme in THEMES.values():
        yield f"theme {theme['key']}", f"{theme['name']}. {theme['about']}"
    for topic in TOPICS.values():
        yield f"topic {topic['key']}", f"{topic['title']}. {topic['why']} {topic.get('decision', '')}"
    for ask in TOWN["ask"]:
        asked = " ".join(ask[name] for name in ("why", "decided", "pays", "will_do"))
        yield f"ask of {ask['organisation']}", f"{ask['wants']}. {asked} {ask.get('reason', '')}"
    for change in CHANGES.values():
        notes = " ".join(step["note"] for step in change["steps"])
        yield f"change {change['key']}", f"{change['title']}. {change['summary']} {notes}"
    for update in TOWN["update"]:
        yield f"update on {update['change']}", f"{update['title']}. {update['text']}"
    for conversation in TOWN["conversation"]:
        yield f"conversation {conversation['key']}", conversation["about"]
        for statement in [*conversation["statement"], *conversation["waiting"]]:
            yield f"statement in {conversation['key']}", statement["words"]
    for term in TOWN["term"]:
        yield f"term {term['word']}", f"{term['explanation']} {term.get('example', '')}"


def test_the_town_is_as_large_as_it_should_be():
    assert 14 <= len(TOWN["person"]) <= 16
    assert len(HUBS) == 4 and len([h for h in HUBS.values() if h.get("parent") == "county"]) == 3
    assert len(STORIES) == 6 and {Path(s["file"]).suffix for s in STORIES.values()} == {".txt", ".vtt"}
    assert 45 <= len(SAID) <= 70
    assert 6 <= len(THEMES) <= 7
    assert len(TOPICS) == 8 and {t["stage"] for t in TOPICS.values()} == TOPIC_STAGES
    assert {each.get("answer") for each in TOWN["ask"]} == {"take it on", "five minutes", "not for us", None}
    assert len(CHANGES) == 4
    assert 2 <= len({update["change"] for update in TOWN["update"]}) <= 4
    assert TOWN["town"]["today"] == datetime.date(2026, 11, 17)


def test_keys_are_given_once():
    for kind in KEYED:
        twice = [key for key, n in Counter(row["key"] for row in TOWN[kind]).items() if n > 1]
        assert not twice, f"{kind}: {twice}"
    assert not BY_KEY["quote"].keys() & BY_KEY["voice"].keys()
    everything = [word for rows in BY_KEY.values() for word in rows]
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key) for key in everything)


def test_every_reference_leads_somewhere():
    for hub in HUBS.values():
        assert hub.get("parent") in {None, *HUBS}
    for person in PEOPLE.values():
        assert person.get("organisation") in {None, *BY_KEY["organisation"]}
        assert set(memberships(person)) <= HUBS.keys()
        assert len(memberships(person)) == len(person["memberships"]), f"{person['key']} is in one hub twice"
    for story in STORIES.values():
        assert story["hub"] in HUBS and story["gathered_by"] in PEOPLE
        assert {s["person"] for s in story["speakers"]} <= PEOPLE.keys()
    for quote in TOWN["quote"]:
        assert quote["story"] in STORIES and speaker(quote)
    for voice in TOWN["voice"]:
        assert voice["hub"] in HUBS
        assert {voice.get("person"), voice.get("taken_by")} <= {None, *PEOPLE}
    for theme in THEMES.values():
        assert theme["hub"] in HUBS and set(voices_of_theme(theme)) <= SAID.keys()
    for topic in TOPICS.values():
        assert topic["hub"] in HUBS and topic["raised_by"] in PEOPLE
        assert set(topic["themes"]) <= THEMES.keys() and set(topic["voices"]) <= SAID.keys()
        for wanted_by in topic.get("wanted_by", []):
            assert topic["hub"] in memberships(PEOPLE[wanted_by]) and wanted_by != topic["raised_by"]
    for ask in TOWN["ask"]:
        assert ask["hub"] in HUBS and ("answer" in ask) == ("reason" in ask) == ("answered_on" in ask)
    for change in CHANGES.values():
        assert change["hub"] in HUBS and change["owner"] in PEOPLE
        assert {step["by"] for step in change["steps"]} <= PEOPLE.keys()
        assert set(change["topics"]) <= TOPICS.keys() and set(change["themes"]) <= THEMES.keys()
        assert voices_of_change(change) <= SAID.keys()
    for update in TOWN["update"]:
        assert update["change"] in CHANGES and update["by"] in PEOPLE
    for conversation in TOWN["conversation"]:
        assert conversation["topic"] in TOPICS
        asked = conversation["statement"]
        assert {each["voice"] for each in asked if "voice" in each} <= SAID.keys()
        for each in conversation["votes"]:
            assert {each["person"], each.get("by", each["person"])} <= PEOPLE.keys()
            assert len(each["votes"]) == len(asked)


def test_mandates_are_between_people_and_whoever_they_trust():
    pairs = [(each["person"], each["trusted"]) for each in TOWN["mandate"]]
    assert pairs == [("lee", "joan"), ("magpie", "joan")]
    for person, trusted in pairs:
        shared = memberships(PEOPLE[person]).keys() & memberships(PEOPLE[trusted]).keys()
        assert "trusted person" in {memberships(PEOPLE[trusted])[hub] for hub in shared}
    assert all({*each["what_for"]} <= {"hear", "speak", "vote"} for each in TOWN["mandate"])
    for person in PEOPLE.values():
        through = person.get("known_through")
        assert (through is not None) == (person["ways"][0]["kind"] == "trusted_person"), person["key"]
        assert through is None or (person["key"], through) in pairs


def test_whom_nobody_but_a_trusted_person_knows_is_named_nowhere_else():
    for person in PEOPLE.values():
        if "known_through" in person:
            stories = "".join(path.read_text(encoding="utf-8") for path in (DEMO / "stories").iterdir())
            others = [row["about"] for row in PEOPLE.values() if row is not person]
            told = [f"{update['title']} {update['text']}" for update in TOWN["update"]]
            names = [story["file"] for story in TOWN["story"]] + [story["title"] for story in TOWN["story"]]
            for words in [stories, *others, *told, *names, *(words for _where, words in service_words())]:
                assert person["name"].lower() not in words.lower()


def test_only_words_the_loader_knows():
    for organisation in TOWN["organisation"]:
        assert organisation["kind"] in ORGANISATION_KINDS
    for person in PEOPLE.values():
        assert set(memberships(person).values()) <= ROLES
        assert person["ways"] and {way["kind"] for way in person["ways"]} <= WAYS
        assert person.get("sign_in") in {None, "email"}
    for consent in [consent_of(said) for said in SAID.values()]:
        assert consent <= USES
    for voice in TOWN["voice"]:
        assert voice["came_by"] in CAME_BY
        # A voice that came through a trusted person is taken by one.
        if voice["came_by"] == "trusted person":
            assert memberships(PEOPLE[voice["taken_by"]])[voice["hub"]] == "trusted person"
    for topic in TOPICS.values():
        closed = topic["stage"] in {"decided", "put aside"}
        assert closed == ("decision" in topic) == ("decided_on" in topic), topic["key"]
    for change in CHANGES.values():
        assert change["kind"] in CHANGE_KINDS and {s["stage"] for s in change["steps"]} <= STEP_STAGES
        assert (change["kind"] == "clause") == ("clause" in change)
    for update in TOWN["update"]:
        stages = [step["stage"] for step in CHANGES[update["change"]]["steps"]]
        assert update.get("step", stages[0]) in stages


@pytest.mark.parametrize("story", TOWN["story"], ids=lambda story: story["key"])
def test_a_story_is_a_conversation(story):
    said = turns(story["file"])
    assert 15 <= len(said) <= 40
    assert {label for label, _ in said} == {s["label"] for s in story["speakers"]}
    assert story["gathered_by"] in {s["person"] for s in story["speakers"]}


def test_no_story_file_is_left_over():
    assert {path.name for path in (DEMO / "stories").iterdir()} == {s["file"] for s in STORIES.values()}


def test_the_cues_of_a_vtt_follow_one_another():
    for story in STORIES.values():
        if not story["file"].endswith(".vtt"):
            continue
        text = (DEMO / "stories" / story["file"]).read_text(encoding="utf-8")
        cues = re.findall(r"^(\d\d:\d\d:\d\d\.\d{3}) --> (\d\d:\d\d:\d\d\.\d{3})$", text, re.MULTILINE)
        assert len(cues) == len(turns(story["file"]))
        times = [time for cue in cues for time in cue]
        assert times == sorted(times)


@pytest.mark.parametrize("quote", TOWN["quote"], ids=lambda quote: quote["key"])
def test_a_quote_stands_to_the_letter(quote):
    said = turns(STORIES[quote["story"]]["file"])
    found = sum(words.count(quote["words"]) for label, words in said if label == quote["speaker"])
    assert found == 1


def test_people_speak_in_hubs_they_belong_to():
    for key, said in SAID.items():
        person = person_of(said)
        assert person is None or hub_of(said) in memberships(PEOPLE[person]), key
    for story in STORIES.values():
        for one in story["speakers"]:
            assert story["hub"] in memberships(PEOPLE[one["person"]]), story["key"]
    for topic in TOPICS.values():
        role = memberships(PEOPLE[topic["raised_by"]]).get(topic["hub"])
        # A ward's member may have raised it in the ward.
        assert role == "member" or topic["hub"] == "county", topic["key"]


def test_words_go_no_further_than_they_were_allowed():
    """What is for one hub only stays in that hub's themes and topics; the rest may go up the tree."""
    for group, voices in [(t, voices_of_theme(t)) for t in THEMES.values()] + [
        (t, voices_of_topic(t)) for t in TOPICS.values()
    ]:
        for key in voices:
            assert at_or_below(hub_of(SAID[key]), group["hub"]), f"{key} in {group['key']}"
            if consent_of(SAID[key]) == {"group"}:
                assert hub_of(SAID[key]) == group["hub"], f"{key} in {group['key']}"


def test_a_theme_holds_each_voice_once():
    for theme in THEMES.values():
        own = theme["voices"]
        merged = [key for m in theme.get("merged", []) for key in m["voices"]]
        assert len(own + merged) == len(set(own + merged)), theme["key"]
        people = {person_of(SAID[key]) for key in own + merged}
        assert len(people) >= 2, f"{theme['key']} is one person's"


def test_what_became_of_an_update_is_said_of_people_it_is_owed_to():
    for update in TOWN["update"]:
        told = update["heard"] + update["sent"] + update["undeliverable"]
        change = CHANGES[update["change"]]
        assert len(told) == len(set(told)), update["title"]
        assert set(told) <= people_owed(change), update["title"]
        for person in told:  # nobody is told about what they had not said yet
            theirs = [SAID[key] for key in voices_of_change(change) if person_of(SAID[key]) == person]
            assert min(said_on(said) for said in theirs) <= update["on"], f"{person}: {update['title']}"


def test_somebody_has_heard_somebody_waits_and_somebody_can_not_be_reached():
    heard, waits, lost = set(), set(), set()
    for update in TOWN["update"]:
        owed = people_owed(CHANGES[update["change"]])
        heard |= set(update["heard"])
        lost |= set(update["undeliverable"])
        waits |= owed - set(update["heard"]) - set(update["sent"]) - set(update["undeliverable"])
    assert len(lost) == 1 and len(heard) >= 8 and len(waits) >= 5
    pods = next(update for update in TOWN["update"] if update["change"] == "four-in-a-row")
    assert not pods["heard"] + pods["sent"] + pods["undeliverable"]
    assert {"dot", "ellery"} <= people_owed(CHANGES["four-in-a-row"])
    assert {PEOPLE[key]["ways"][0]["kind"] for key in ("dot", "ellery")} == {"phone"}


def test_things_happen_in_their_order():
    today = TOWN["town"]["today"]
    for key, said in SAID.items():
        assert said_on(said) <= today, key
    for topic in TOPICS.values():
        assert topic["raised_on"] <= topic.get("decided_on", today) <= today, topic["key"]
    for ask in TOWN["ask"]:
        assert (
            ask["asked_on"] <= ask.get("answered_on", today) <= today < ask.get("by_when", datetime.date.max)
        )
    for change in CHANGES.values():
        on = [step["on"] for step in change["steps"]]
        assert on == sorted(on) and on[-1] <= today, change["key"]
        if "clause" in change:
            assert change["clause"]["review_on"] > today
    for update in TOWN["update"]:
        step = next(s for s in CHANGES[update["change"]]["steps"] if s["stage"] == update["step"])
        assert step["on"] <= update["on"] <= today, update["title"]


def test_nobody_can_be_rung_or_written_to():
    assert all(re.fullmatch(r"[a-z]+@example\.org", ask["email"]) for ask in TOWN["ask"])
    for person in PEOPLE.values():
        for way in person["ways"]:
            kind, address = way["kind"], way.get("address")
            if kind == "email":
                assert re.fullmatch(r"[a-z]+@example\.org", address)
            elif kind in ("phone", "text"):
                assert FICTIONAL_PHONE.fullmatch(address)
            elif kind == "letter":
                area = re.search(r"\b([A-Z]{1,2})\d{1,2} \d[A-Z]{2}$", address)
                assert area and f" {area[1]} " not in POSTCODE_AREAS, address
            elif kind == "page":
                assert address is None and person.get("sign_in"), "a page is read by somebody with an account"
        if person.get("sign_in"):
            assert "email" in {way["kind"] for way in person["ways"]}
    everything = "\n".join(path.read_text(encoding="utf-8") for path in DEMO.rglob("*.[tv]*"))
    assert set(re.findall(r"@([\w.-]+)", everything)) == {"example.org"}
    assert not re.search(r"https?:|www\.", everything)
    for number in re.findall(r"\b0\d{3,4}[ -]?\d{3}[ -]?\d{3,4}\b", everything):
        assert FICTIONAL_PHONE.fullmatch(number), number


def test_services_name_no_month_and_no_year():
    """The loader shifts every date, so a month in the words would go wrong."""
    months = (
        r"\b(January|February|March|April|June|July|August|September|October|November|December|\d{4}"
        r"|spring|summer|autumn|winter|Christmas|Easter)\b|\bMay\b"
    )
    for where, words in service_words():
        assert not re.search(months, words), where


def test_services_use_the_fields_own_words_and_name_no_member():
    never = re.compile(r"\b(user|submission|respondent|case|client|data subject)s?\b", re.IGNORECASE)
    members = {p["name"] for p in PEOPLE.values() if "member" in memberships(p).values()}
    for where, words in service_words():
        assert not never.search(words), where
        assert not [name for name in members if re.search(rf"\b{name}\b", words)], where


def test_what_services_see_nameless_holds_no_name():
    members = {p["name"] for p in PEOPLE.values() if "member" in memberships(p).values()}
    for key, said in SAID.items():
        if "services" in consent_of(said):
            assert not [name for name in members if re.search(rf"\b{name}\b", said["words"])], key


def test_the_line_about_a_person_guesses_no_pronoun():
    for person in PEOPLE.values():
        assert not re.search(r"\b(he|him|his|she|her|hers)\b", person["about"], re.IGNORECASE), person["key"]


def test_titles_give_nobody_away():
    telling = r"home|hostel|pod|drug|drink|alcohol|health|recover|support|service|worker|council|hub"
    for update in TOWN["update"]:
        assert not re.search(telling, update["title"], re.IGNORECASE), update["title"]


def syllables(word):
    """About how many: groups of vowels, less a silent e."""
    word = re.sub(r"[^a-z]", "", word.lower())
    groups = len(re.findall(r"[aeiouy]+", word))
    if re.search(r"[^aeiouyl]e$", word) or re.search(r"[^aeioutd]ed$|[^aeiouscxz]es$", word):
        groups -= 1
    return max(groups, 1)


def test_services_speak_so_that_a_child_of_eleven_can_read_it():
    for where, words in service_words():
        sentences = [s for s in re.split(r"(?<=[.!?:])\s+", words.strip()) if s]
        spoken = re.findall(r"[A-Za-z][\w'’-]*", words)
        grade = 0.39 * len(spoken) / len(sentences) + 11.8 * sum(map(syllables, spoken)) / len(spoken) - 15.59
        assert grade <= 6, f"{where}: grade {grade:.1f}, which is about age {grade + 5:.0f}"
        longest = max(sentences, key=lambda s: len(s.split()))
        assert len(longest.split()) <= 20, f"{where}: {longest}"

"""What the machine proposes is kept apart from what people decided, and people say yes or no."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django_tasks_db.models import DBTaskResult

from coproduce.people.models import Membership
from coproduce.people.permissions import NotAllowed
from coproduce.site.erase import erase_person
from coproduce.site.recall import take_back
from coproduce.site.worker import clear_up
from coproduce.themes import actions, meaning, proposing, tasks
from coproduce.themes.models import Finding, Meaning, Placement, Proposal, ProposedTheme, Theme, voices_in
from coproduce.voices.actions import set_consent, write_down
from coproduce.voices.models import Voice
from tests.conftest import make_person

pytestmark = pytest.mark.django_db

NIGHT = [
    "Nobody picks up the phone at night",
    "At night the phone just rings and rings",
    "I rang at night and nobody was there to pick up the phone",
    "The phone line is closed at night when I need it",
    "Phone help at night would have saved me",
    "Why is there no one on the phone at night",
]
DAMP = [
    "There is black mould on the bedroom wall",
    "The flat is damp and the wall is wet",
    "Mould in the bathroom, damp in the bedroom",
    "My child coughs because of the mould and damp",
    "The landlord painted over the damp wall",
    "Damp walls, wet windows, mould everywhere",
]


@pytest.fixture
def ify(town):
    return make_person("Ify", town, Membership.Role.CURATOR)


@pytest.fixture
def say(amina, lee, town):
    return lambda words, uses=("group",), hub=None, by=None: write_down(
        amina, hub or town, words, "note", by or lee, uses=uses
    )


@pytest.fixture
def said(say):
    return [say(words) for words in NIGHT + DAMP]


@pytest.fixture
def proposed(town, said):
    strengths = {voice.pk: 0.9 for voice in said[:6]}
    thought = proposing.Thought("phone, night", ["phone", "night"], 0.8, strengths, list(strengths)[:3])
    proposing.keep_thoughts(town, [thought])
    return ProposedTheme.objects.get()


def needs_model():
    if meaning.embedder() is None:
        pytest.skip("there is no model for the meaning of sentences on this machine")


# The machine looks


def test_the_machine_proposes_and_puts_nothing_anywhere(amina, town, said, work_the_queue):
    needs_model()
    finding = proposing.look_for_themes(amina, town)
    assert proposing.look_for_themes(amina, town) == finding, "while it is looking, that is the answer"
    work_the_queue()
    finding.refresh_from_db()
    assert finding.step == Finding.Step.DONE and finding.is_over
    assert Meaning.objects.count() == 12
    assert not Theme.objects.exists() and not Placement.objects.exists()
    groups = [set(one.proposals.values_list("voice", flat=True)) for one in ProposedTheme.objects.all()]
    night, damp = {voice.pk for voice in said[:6]}, {voice.pk for voice in said[6:]}
    assert groups, "nothing was proposed"
    assert all(len(group & night) == 0 or len(group & damp) == 0 for group in groups)
    before = list(Meaning.objects.order_by("pk").values_list())
    tasks.find_themes_in.func(finding.pk)
    tasks.look(finding)
    assert list(Meaning.objects.order_by("pk").values_list()) == before, "run twice, it changes nothing"
    assert [
        set(one.proposals.values_list("voice", flat=True)) for one in ProposedTheme.objects.all()
    ] == groups


def test_new_voices_are_proposed_into_what_people_decided_which_stays(amina, town, said, say, work_the_queue):
    needs_model()
    night = actions.make_theme(amina, town, "At night", voices=said[:6])
    damp = actions.make_theme(amina, town, "Damp", voices=said[6:])
    for theme in (night, damp):
        actions.confirm(amina, theme)
    kept = (
        list(Placement.objects.order_by("pk").values_list()),
        list(Theme.objects.order_by("pk").values_list()),
    )
    new = say("I rang all night and nobody picked up the phone")
    proposing.look_for_themes(amina, town)
    work_the_queue()
    assert (
        list(Placement.objects.order_by("pk").values_list()),
        list(Theme.objects.order_by("pk").values_list()),
    ) == kept
    assert Proposal.objects.open().filter(voice=new).first().theme == night
    [proposal] = Proposal.objects.open().filter(voice=new, theme=night)
    proposing.refuse(amina, [proposal])
    proposing.look_for_themes(amina, town)
    work_the_queue()
    assert not Proposal.objects.open().filter(voice=new, theme=night).exists(), "it does not ask again"


def test_what_is_said_later_is_proposed_without_anybody_asking(amina, town, said, say, work_the_queue):
    needs_model()
    night = actions.make_theme(amina, town, "At night", voices=said[:6])
    actions.make_theme(amina, town, "Damp", voices=said[6:])
    say("I rang all night and nobody picked up the phone")
    clear_up()
    assert not DBTaskResult.objects.exists(), "nobody has asked the machine to look in this hub yet"
    proposing.look_for_themes(amina, town)
    work_the_queue()
    new = say("All night long the phone rang and nobody picked it up")
    kept_to_herself = say("The phone at night", uses=())
    clear_up()
    clear_up()
    assert DBTaskResult.objects.filter(task_path=tasks.look_at_what_is_new.module_path).count() == 1
    work_the_queue()
    assert Proposal.objects.open().filter(voice=new).first().theme == night
    assert not Meaning.objects.filter(voice=kept_to_herself).exists()
    DBTaskResult.objects.all().delete()
    clear_up()
    assert not DBTaskResult.objects.exists(), "nothing new, nothing to do"


def test_words_that_changed_are_read_again_and_what_nobody_allows_is_forgotten(amina, lee, town, said):
    needs_model()
    finding = Finding.objects.create(hub=town, asked_by=amina)
    tasks.look(finding)
    before = bytes(Meaning.objects.get(pk=said[0].pk).vector)
    Voice.objects.filter(pk=said[0].pk).update(words="My dog is called Biscuit")
    set_consent(lee, said[1], ())
    tasks.look(finding)
    assert bytes(Meaning.objects.get(pk=said[0].pk).vector) != before
    assert not Meaning.objects.filter(pk=said[1].pk).exists()
    assert not Proposal.objects.filter(voice=said[1], proposed__in=ProposedTheme.objects.open()).exists()


def test_a_voice_that_lost_its_words_while_it_was_read_is_not_kept(amina, said):
    made = [Meaning(voice=voice, embedder="m", words_sum="x" * 32, vector=b"") for voice in said[:1]] + [
        meaning.made_of(said[1], "m", np.ones(4, np.float32) / 2)
    ]
    Voice.objects.filter(pk=said[1].pk).update(words="")
    proposing.keep_meanings([*made, meaning.made_of(said[2], "m", np.ones(4, np.float32) / 2)])
    assert list(Meaning.objects.values_list("pk", flat=True)) == [said[2].pk]


def test_a_look_that_fails_says_so(amina, town, said, monkeypatch, signed_in):
    finding = Finding.objects.create(hub=town, asked_by=amina)

    def fail(*_arguments: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(tasks, "look", fail)
    with pytest.raises(RuntimeError):
        tasks.find_themes_in.func(finding.pk)
    page = signed_in(amina).get(reverse("themes:finding", args=[finding.pk])).content.decode()
    assert "It did not work this time" in page and "Try again" in page


def test_only_the_hub_and_those_below_that_the_asker_reads(amina, town, ward, say, ify):
    here, below = say("Here"), say("Below", hub=town)
    Voice.objects.filter(pk=below.pk).update(hub=ward)
    finding = Finding.objects.create(hub=town, asked_by=ify)
    assert set(tasks.to_look_through(finding)) == {here}
    Membership.objects.create(person=amina, hub=ward, role=Membership.Role.FACILITATOR)
    amina.__dict__.pop("_hubs_where", None)
    finding = Finding.objects.create(hub=town, asked_by=amina)
    assert set(tasks.to_look_through(finding)) == {here, below}


# People answer


def test_a_proposed_theme_becomes_a_theme_without_what_does_not_belong(amina, proposed, said):
    theme = proposing.accept_theme(amina, proposed, "After dark", said[:5])
    assert set(voices_in([theme.pk]).values_list("voice", flat=True)) == {voice.pk for voice in said[:5]}
    assert theme.terms == ["phone", "night"] and theme.made_by == amina
    assert not ProposedTheme.objects.open().exists()
    with pytest.raises(ValidationError, match="in the theme ‘After dark’ now"):
        proposing.accept_theme(amina, proposed, "Again", said[:5])


def test_it_may_go_into_a_theme_there_is(amina, town, proposed, said):
    theme = actions.make_theme(amina, town, "At night")
    proposing.accept_into(amina, proposed, theme, said[:6])
    assert theme.voices.count() == 6 and proposed.proposals.count() == 6
    with pytest.raises(ValidationError, match="at least one"):
        proposing.accept_into(amina, ProposedTheme.objects.create(hub=town, label="x"), theme, [])


def test_what_was_refused_is_not_proposed_again(amina, town, proposed, said):
    proposing.refuse_theme(amina, proposed)
    same = proposing.Thought("night", ["night"], 0.9, {voice.pk: 0.9 for voice in said[1:6]})
    other = proposing.Thought("damp", ["damp"], 0.9, {voice.pk: 0.9 for voice in said[6:]})
    assert proposing.keep_thoughts(town, [same, other]) == 1
    assert [one.label for one in ProposedTheme.objects.open()] == ["damp"]
    proposing.undo_refusal(amina, proposed)
    assert ProposedTheme.objects.open().count() == 2


def test_two_curators_answer_at_once(amina, ify, proposed, said):
    stale = ProposedTheme.objects.get(pk=proposed.pk)
    proposing.refuse_theme(ify, proposed)
    with pytest.raises(ValidationError, match="no theme"):
        proposing.accept_theme(amina, stale, "Night", said[:3])
    ProposedTheme.objects.all().delete()
    with pytest.raises(ValidationError, match="looked again"):
        proposing.accept_theme(amina, stale, "Night", said[:3])


def test_singly_or_all(signed_in, amina, town, said):
    theme = actions.make_theme(amina, town, "At night", voices=said[:2])
    proposing.keep_proposals([(voice.pk, theme.pk, 0.8) for voice in said[2:6]], [voice.pk for voice in said])
    client, url = signed_in(amina), reverse("themes:proposals", args=[theme.pk])
    page = client.get(url).content.decode()
    assert page.count(" checked") == 4
    ids = dict(Proposal.objects.values_list("voice", "pk"))
    client.post(url, {"do": "refuse", "proposals": [ids[said[5].pk]]})
    assert "Tick the voices first." in client.post(url, {"do": "accept"}).content.decode()
    answer = client.post(
        url, {"do": "accept", "proposals": [ids[voice.pk] for voice in said[2:5]]}, follow=True
    )
    assert "3 voices are in ‘At night’ now." in answer.content.decode()
    assert theme.voices.count() == 5
    assert "Nothing is waiting" in answer.content.decode()
    page = client.post(url, {"do": "accept", "proposals": [ids[said[5].pk]]}).content.decode()
    assert "Somebody else decided on one of these meanwhile" in page


def test_who_makes_no_sense_here_answers_nothing(lee, marek, proposed, said, town):
    for person in (lee, marek):
        assert not ProposedTheme.objects.visible_to(person).exists()
        assert not Proposal.objects.visible_to(person).exists()
        for act in (
            lambda by: proposing.refuse_theme(by, proposed),
            lambda by: proposing.accept_theme(by, proposed, "X", said[:2]),
            lambda by: proposing.look_for_themes(by, town),
        ):
            with pytest.raises(NotAllowed):
                act(person)


def test_key_terms_show_only_to_who_may_read_all_they_are_made_of(ify, proposed, said, ward):
    assert ProposedTheme.objects.visible_to(ify).exists()
    Voice.objects.filter(pk=said[0].pk).update(hub=ward)
    assert not ProposedTheme.objects.visible_to(ify).exists()


# Out it goes


def test_taking_words_out_takes_what_the_machine_made_of_them(amina, lee, joan, town, say, proposed, said):
    mine = say("My tortoise Gladys sleeps at night", by=joan)
    theme = actions.make_theme(
        amina, town, "Pets", voices=[mine, say("A dog at night")], terms=["gladys", "night"]
    )
    Proposal.objects.create(proposed=proposed, voice=mine, strength=0.5)
    ProposedTheme.objects.filter(pk=proposed.pk).update(terms=["gladys", "phone"], label="gladys, phone")
    Meaning.objects.create(voice=mine, embedder="m", words_sum="x", vector=b"\x01")
    take_back(joan, [mine], [], "take out")
    proposed.refresh_from_db()
    theme.refresh_from_db()
    assert (proposed.terms, proposed.label, theme.terms) == (["phone"], "phone", ["night"])
    assert not Meaning.objects.filter(voice=mine).exists()
    assert not Proposal.objects.filter(voice=mine).exists()
    assert theme.voices.count() == 2, "that something was said stays"


def test_erasing_somebody_does_the_same(amina, joan, town, say, proposed):
    mine = say("My tortoise Gladys", by=joan)
    Proposal.objects.create(proposed=proposed, voice=mine, strength=0.5)
    Meaning.objects.create(voice=mine, embedder="m", words_sum="x", vector=b"\x01")
    ProposedTheme.objects.filter(pk=proposed.pk).update(terms=["gladys"], label="gladys")
    erase_person(joan, joan)
    assert not Meaning.objects.filter(voice=mine).exists()
    assert not ProposedTheme.objects.filter(pk=proposed.pk).exists(), "nothing was left to call it by"


def test_kept_nameless_the_machine_still_reads_them(amina, joan, say):
    mine = say("My tortoise Gladys", by=joan)
    Meaning.objects.create(voice=mine, embedder="m", words_sum="x", vector=b"\x01")
    take_back(joan, [mine], [], "nameless")
    assert Meaning.objects.filter(voice=mine).exists()


# The sums


def test_a_voice_is_proposed_only_into_what_it_is_like():
    dice = np.random.default_rng(1)
    middles = np.eye(8, dtype=np.float32)
    themes = {}
    for at in range(6):
        rows = middles[at] + dice.normal(0, 0.1, (12, 8)).astype(np.float32)
        themes[at + 1] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    new = np.stack([middles[0], middles[5], middles[7]])
    found = tasks.like(new, themes, {})
    assert [thought[0][0] for thought in found[:2]] == [1, 6]
    assert not [theme for theme, strength in found[2] if strength > 0.9], "like none of them"
    assert tasks.like(new, {}, {}) == [[], [], []]
    assert tasks.like(new[:0], themes, {}) == []

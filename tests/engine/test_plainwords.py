"""Jargon is found where it stands, plain words are left alone, and how hard a text is to read is told."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coproduce.engine.plainwords import (
    FEWEST_WORDS,
    YOUNGEST,
    Known,
    Term,
    find_known,
    find_terms,
    reading_age,
    sentences_too_long,
    syllables,
)


def found(text, *known, names=()):
    return [(each.kind, text[each.begins : each.ends]) for each in find_terms(text, known, names)]


def expansions(text):
    return {
        text[each.begins : each.ends]: each.expansion for each in find_terms(text) if each.kind == "acronym"
    }


# What is known


def test_a_known_term_is_found_however_it_is_written():
    for text in (
        "Co-production takes time.",
        "our co production group",
        "true coproduction",
        "CO-PRODUCTION",
    ):
        assert [kind for kind, _ in found(text, "co-production")] == ["known"], text
    assert found("Two care plans.", "care plan") == [("known", "care plans")]
    assert found("One care plan.", "care plans") == [("known", "care plan")]
    assert found("the agencies’ view", Term("agency")) == [("known", "agencies")]


def test_a_term_in_capitals_is_not_the_word_in_small_letters():
    assert found("An apple pip. A PIP form. Two PIPs.", "PIP") == [("known", "PIP"), ("known", "PIPs")]
    assert found("ask the DfE", "DfE") == [("known", "DfE")]


def test_the_longest_known_term_goes_first_and_says_which_it_is():
    board, care = Term("integrated care board", ("ICB",)), Term("care")
    text = "The integrated care board and the ICB pay for care."
    assert [each.term for each in find_known(text, Known([care, board]))] == [board, board, care]


def test_a_known_term_is_not_looked_for_in_web_and_email_addresses():
    assert found("Write to panel@example.org or see www.example.org/panel.", "panel") == []


def test_news_is_not_several_of_new():
    assert found("A new flat, and good news.", "news") == [("known", "news")]


# Acronyms


@pytest.mark.parametrize(
    ("text", "said", "meant"),
    [
        ("The integrated care board (ICB) meets.", "ICB", "integrated care board"),
        ("The ICB (integrated care board) meets.", "ICB", "integrated care board"),
        ("Local “integrated care boards” (ICBs) meet.", "ICBs", "integrated care boards"),
        (
            "a Multi Agency Risk Assessment Conference (MARAC)",
            "MARAC",
            "Multi Agency Risk Assessment Conference",
        ),
        ("the Department for Levelling Up (DLU; since renamed)", "DLU", "Department for Levelling Up"),
    ],
)
def test_what_the_text_spells_out_is_told(text, said, meant):
    assert expansions(text)[said] == meant


def test_the_explanation_holds_wherever_the_acronym_stands():
    text = "Ask the CMHT. The community mental health team (CMHT) is upstairs. Two CMHTs."
    assert expansions(text) == {
        "CMHT": "community mental health team",
        "CMHTs": "community mental health team",
    }


def test_brackets_that_explain_nothing_explain_nothing():
    for text in (
        "We met on Monday (CMHT).",
        "The flat (see the ICB) was cold.",
        "XYZ (which nobody knew) came.",
    ):
        assert set(expansions(text).values()) == {None}, text


def test_words_in_capitals_names_and_what_everybody_knows_are_no_acronyms():
    for text in (
        "PLEASE READ THIS LETTER NOW",
        "You MUST sign it TODAY.",
        "The NHS and the BBC rang my GP on TV.",
        "Mr McKay and Ms O'Neill live at CB1 2AB.",
        "Part II of Henry VIII.",
    ):
        assert found(text) == [], text


# Phrases and rare words


@pytest.mark.parametrize(
    "phrase",
    [
        "multi-agency risk assessment conference",
        "terms of reference",
        "section 21 notice",
        "duty to refer",
        "statutory homelessness duty",
        "quick wins",
    ],
)
def test_jargon_in_several_words_is_found_whole(phrase):
    assert found(f"They wrote about the {phrase} and went home.") == [("phrase", phrase)]


def test_rare_words_are_found_and_plain_ones_are_not():
    assert found("Subsidiarity and desistance were said.") == [
        ("rare", "Subsidiarity"),
        ("rare", "desistance"),
    ]
    assert found("The kettle, a teabag and the launderette: she was knackered, skint and gobsmacked.") == []


def test_names_are_no_jargon():
    assert (
        found("We sat with Oluchi Mbeki-Strand from Wisbech, and then zarnovia came.", names=["Zarnovia"])
        == []
    )


# Reading age


def test_reading_age_is_what_the_formula_says():
    # 10 sentences, 60 words, 60 syllables: 0.39 * 6 + 11.8 * 1 - 15.59 = -1.45, so the youngest there is.
    age = reading_age("The cat sat on the mat. " * 10)
    assert (age.years, age.words, age.sentences, age.syllables) == (YOUNGEST, 60, 10, 60)
    # 3 sentences of 10 words with 20 syllables: 0.39 * 10 + 11.8 * 2 - 15.59 + 5 = 16.91
    age = reading_age("Many happy people often water seven little garden flower tables. " * 3)
    assert (age.years, age.words, age.sentences, age.syllables) == (16.9, 30, 3, 60)


def test_a_short_text_has_no_reading_age():
    assert reading_age("word " * (FEWEST_WORDS - 1)) is None
    assert reading_age("word " * FEWEST_WORDS) is not None
    assert reading_age("") is None


def test_numbers_and_addresses_are_no_words():
    age = reading_age("one two three four five " * 6 + "12 2,000 www.example.org a@example.org")
    assert age.words == 30


# Counted by hand.
COUNTED = """
the 1 made 1 houses 2 tables 2 moved 1 mended 2 handled 2 safely 2 statement 2 management 3 homelessness 3 client 2
patient 2 science 2 diet 2 society 4 create 2 creative 3 really 2 reality 4 area 3 idea 3 evaluate 4 situation 4
individual 5 actual 3 usually 4 serious 3 various 3 religious 3 period 3 violence 3 opinion 3 national 3 social 2
trial 2 diary 3 material 4 marriage 2 appreciate 4 associated 5 employer 3 being 2 didn't 2 don't 1 mechanism 4
every 2 everything 3 business 2 something 2 someone 2 people 2 little 2 language 2 argue 2 guess 1 question 2
equality 4 eyes 1 beyond 2 councillor 3 commissioner 4 safeguarding 3 stakeholder 3 statutory 4 eligibility 6
multidisciplinary 7 accommodation 5 settlement 3 therefore 2 earlier 3 experience 4 audience 3 efficient 3
medium 3 coordinate 4 reinstate 3 theatre 3 rough 1 queue 1 agencies 3 services 3 decided 3 allowance 3 wages 2
arrears 2 universal 4 outreach 2 liberty 3 continuous 4 build 1 lion 2 piano 3 recovery 4 physiotherapy 6 rhythm 2
"""


def test_syllables_are_counted_right_for_nineteen_words_in_twenty():
    words = COUNTED.split()
    wrong = [
        f"{word}: {syllables(word)}, not {there}"
        for word, there in zip(words[::2], map(int, words[1::2]), strict=True)
        if syllables(word) != there
    ]
    print(f"\n{len(words) // 2} words,", "wrong:", *wrong)
    assert len(wrong) <= len(words) / 2 / 20


# Long sentences


def test_long_sentences_are_told_and_a_list_is_not_one():
    long = " ".join(["word"] * 26) + "."
    text = f"Short. {long} Short again."
    (each,) = sentences_too_long(text)
    assert text[each.begins : each.ends] == long and each.words == 26
    assert (
        sentences_too_long(
            "You will need\n" + "\n".join(f"- a thing that is called {at}" for at in "abcdefgh")
        )
        == []
    )
    with pytest.raises(ValueError, match="at least 1 word"):
        sentences_too_long("", 0)


# Whatever comes in

PIECES = st.sampled_from(
    [
        "ICB",
        "(ICB)",
        "integrated care board",
        "section 21",
        "terms of reference",
        "(",
        ")",
        "A&E",
        "MoU",
        "'s",
        "-",
        ". ",
        "procurement",
        "Lee",
        "www.example.org",
        "\n- ",
        "é",
        "ﬁ",
        "İ",
        "ß",
        "\u200d",
        "I",
        "multi-agency panel",
        "the",
        "x@y.org",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(PIECES, max_size=30).map(" ".join),
    st.lists(PIECES, max_size=30).map("".join),
)
TERMS = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=5)


@given(TEXTS, TERMS)
@settings(deadline=None, max_examples=60)
def test_what_is_found_lies_in_the_text_in_order_and_apart(text, known):
    spans = find_terms(text, known)
    assert all(
        0 <= each.begins < each.ends <= len(text) and text[each.begins : each.ends].strip() for each in spans
    )
    assert all(one.ends <= other.begins for one, other in pairwise(spans))
    assert all((each.term is not None) == (each.kind == "known") for each in spans)
    assert all(each.kind == "acronym" or each.expansion is None for each in spans)
    assert find_terms(text, known) == spans
    assert [each for each in spans if each.kind == "known"] == find_known(text, Known(known))


@given(TEXTS)
@settings(deadline=None, max_examples=60)
def test_what_was_found_is_known_once_it_is_explained(text):
    spans = find_terms(text)
    again = find_terms(text, [text[each.begins : each.ends] for each in spans])
    known = {at for each in again if each.kind == "known" for at in range(each.begins, each.ends)}
    assert all(set(range(each.begins, each.ends)) & known for each in spans)


@given(TEXTS)
@settings(deadline=None, max_examples=60)
def test_long_sentences_and_reading_age_take_anything(text):
    long = sentences_too_long(text, 3)
    assert all(0 <= each.begins < each.ends <= len(text) and each.words > 3 for each in long)
    assert all(one.ends <= other.begins for one, other in pairwise(long))
    age = reading_age(text * 5)
    assert age is None or (age.years >= YOUNGEST and age.words >= FEWEST_WORDS)


@pytest.mark.parametrize(
    "hostile",
    [
        "(",
        "((ICB) ",
        "A",
        "A&",
        "ICB-",
        "A-",
        "aA",
        "a.",
        "section 2 ",
        "duty of ",
        "duty of care ",
        "care ",
        "care-",
        "x@",
        "www.",
        "www.a.",
        "'",
        "a'",
        "(a",
        "A(",
        "multi-",
        "un",
        "aeiou",
        "\n- a",
        "\n",
        ".",
        "\u0301",
        "e\u0301",
        "𝒜",
        "http://a ",
        "of ",
    ],
)
def test_time_grows_with_the_text_and_not_faster(hostile):
    def took(size):
        text = hostile * (size // len(hostile))
        began = time.perf_counter()
        find_terms(text, ["duty of care", "co-production", "A&E", "care"])
        reading_age(text)
        sentences_too_long(text)
        return time.perf_counter() - began

    took(1000)
    small, large = took(10_000), took(80_000)
    # Eight times the text: eight times the time, and as much again for a busy machine. A square would be 64.
    assert large < max(16 * small, 0.5), f"{small:.3f} s, then {large:.3f} s"

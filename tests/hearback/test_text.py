"""What a text message says: neutral, and short."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coproduce.hearback.text import GSM, GSM_TWICE, parts, plain, words_of_text
from coproduce.people.sensitive import sensitive_words


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ŵ" * 70, 1),
        ("ŵ" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_how_many_parts_a_text_takes(text, number):
    assert parts(text) == number


@given(st.text(), st.text())
def test_more_text_never_takes_fewer_parts(first, second):
    assert parts(first) <= parts(first + second)


@given(st.text(alphabet=st.sampled_from(sorted(GSM | GSM_TWICE)), max_size=80))
def test_what_gsm_has_stays_as_it_is_and_is_one_part(text):
    assert plain(text) == text
    assert parts(text) <= 1


@given(st.text())
def test_made_plain_it_takes_no_more_parts_and_plain_twice_is_plain_once(text):
    assert parts(plain(text)) <= parts(text) + text.count("…")
    assert plain(plain(text)) == plain(text)


def test_a_welsh_name_and_typographic_quotes_cost_nothing():
    assert plain("Llais y Tŷ – “dŵr”") == 'Llais y Ty - "dwr"'


@pytest.mark.django_db
@pytest.mark.parametrize("shared", [False, True], ids=["their own", "others may read"])
def test_a_text_is_one_part_and_says_nothing(owed, settings, shared):
    settings.ADDRESS, settings.SENDER_NAME = "https://voices.example.org", "Eastmoor voices"
    text = words_of_text(owed(("text", "07700 900123")), shared)
    assert parts(text) == 1
    assert not sensitive_words(text)
    for secret in ("Sami", "They said yes", "Just one", "worker"):
        assert secret not in text
    assert ("/reply/" in text) is not shared

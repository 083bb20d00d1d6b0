"""Words of others are shown harmless, short and without secrets."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.formats.account_set import messages_of
from twinning_pipelines.formats.foreign_words import LONGEST, plain


@given(st.text(max_size=900))
def test_nothing_that_steers_or_marks_up_is_left(text: str) -> None:
    told = plain(text)
    assert len(told) <= LONGEST
    assert not set(told) & set("<>[]`|\n\r\t")
    assert not [each for each in told if unicodedata.category(each).startswith("C")]
    assert plain(told) == told


@given(
    st.from_regex(r"[a-z0-9]{8,30}", fullmatch=True), st.text("ABC <é", max_size=400), st.text("ABC <é", max_size=400)
)
def test_a_secret_is_found_wherever_it_stands(secret: str, before: str, after: str) -> None:
    told = plain(f"{before}{secret}{after}", [secret])
    assert not [
        n for n in range(len(secret) - 3) if secret[n : n + 4] in told.replace("(secret)", "").replace("(secre", "")
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("see https://me:pass@bank.example/x?y=1", "see https://bank.example/x?y=1"),
        ("  a\n\tb  ", "a b"),
        ("x" * 400, "x" * (LONGEST - 1) + "…"),
        ("[a](http://b)", "(a)(http://b)"),
        ("me and my", "me and my"),
    ],
)
def test_words_stay_words(text: str, told: str) -> None:
    assert plain(text, ["me", "my"]) == told


def test_a_secret_at_the_edge_of_what_is_shown_is_not_cut_in_two() -> None:
    secret = "0123456789abcdef"
    told = plain("x" * (LONGEST - 8) + secret, [secret])
    assert "0123" not in told


def test_messages_of_both_versions_come_once() -> None:
    account_set: dict[str, object] = {
        "errors": ["Log in again", "Other", 1, None, []],
        "errlist": [
            {"code": "con.auth", "msg": "Log in again"},
            {"code": "con.auth", "message": "Log in again"},
            {"code": "act."},
            {},
            "bare",
        ],
    }
    assert messages_of(account_set) == ["con.auth: Log in again", "act.", "bare", "Other", "1"]
    assert messages_of({"errors": "none"}) == []
    assert messages_of({"errors": ["no sesame today"]}, ["sesame"]) == ["no (secret) today"]

"""The rulebook: what it may say, what is said about what it may not, and that none can hang a run."""

import textwrap
import time
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinning_pipelines.marts.books import rulebook as described
from twinning_pipelines.marts.books.phrases import Phrase, Stopwatch, Texts, bare, unfolded_size
from twinning_pipelines.marts.books.rule_matching import Told, decide
from twinning_pipelines.marts.books.rulebook import AmountRange, Rulebook, read_rulebook
from twinning_pipelines.marts.books.rulebook_text import Problem, WrongRulebook

EXAMPLE = textwrap.dedent((described.__doc__ or "").partition("\n\n")[2])


def test_the_rulebook_that_the_documentation_shows() -> None:
    book = read_rulebook(EXAMPLE)
    assert (book.currency, book.accounts[0].name, book.accounts[0].same_as[0][:4]) == ("CHF", "Household", "CH93")
    groceries, spotify, savings = book.rules
    assert groceries.when.payee == (Phrase("migros"), Phrase("coop"))
    assert spotify.when.amount == AmountRange(Decimal(-20), Decimal(-10))
    assert (spotify.tags, spotify.payee, list(spotify.when.day or ())) == (("streaming",), "Spotify", [1, 2, 3, 4, 5])
    assert savings.transfer_to == "Savings"
    assert book.lines == (7, 9, 14)
    assert book.budgets[0].monthly == (Decimal(900), "CHF")
    assert book.budgets[0].since == date(2026, 1, 1)
    assert (book.transfers.days, book.transfers.fx_tolerance) == (4, Decimal("0.03"))


@pytest.mark.parametrize("text", ["", "rules:\n", "# nothing yet\n", "---\n", "{}"])
def test_a_rulebook_may_be_empty(text: str) -> None:
    assert read_rulebook(text) == Rulebook()


RULE = "rules:\n  - if: {{{}}}\n    category: A\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RULE.format("paye: x"), "line 2: rules.1.if.paye: is not known here; allowed: text, payee, memo, category, amount, "),
        ("currency: CHF\nrule: []\n", "line 2: rule: is not known here; allowed: currency, accounts, rules, budgets, transfers"),
        ("rules:\n  - if: {text: a}\n    categry: A\n", "line 3: rules.1.categry: is not known here; allowed: if, unless, "),
        ("rules:\n\n  - category: A\n", "line 3: rules.1.if: is missing"),
        (RULE.format(""), "line 2: rules.1.if: says nothing"),
        ("rules:\n  - if: {text: a}\n", "line 2: rules.1: sets nothing"),
        ("rules:\n  - if: {text: a}\n    category: A\n    transfer_to: B\n", "line 2: rules.1: a transfer to an own"),
        (RULE.format("amount: 5..-5"), "line 2: rules.1.if.amount: the smaller end comes first"),
        (RULE.format("amount: cheap"), "rules.1.if.amount: 'cheap' is no amount; write -20..-10, ..-100, 50.., -9.90, in or out"),
        (RULE.format("day: 0..4"), "rules.1.if.day: '0..4' is no day of the month"),
        (RULE.format("since: 31.1.2026"), "rules.1.if.since: '31.1.2026' is no day; write 2026-01-31"),
        (RULE.format("text: '...'"), "rules.1.if.text.1: '...' has neither a letter nor a digit to look for"),
        (RULE.format("text: '/(a/'"), "rules.1.if.text.1: /(a/ is no regular expression of RE2: missing )"),
        (RULE.format("text: []"), "rules.1.if.text: "),
        ("accounts:\n  - name: A\n    kind: giro\n", "line 3: accounts.1.kind: 'giro' is not allowed; allowed: 'checking'"),
        ("accounts:\n  - {name: A}\n  - {name: a}\n", "line 3: accounts.2.name: is here twice"),
        ("budgets:\n  - {name: A, categories: B, monthly: 900}\n", "line 2: budgets.1.monthly: in which currency?"),
        ("budgets:\n  - {name: A, categories: B, monthly: 9 CHF, since: 2026-13}\n", "budgets.1.since: '2026-13' is no month"),
        ("transfers: {fx_tolerance: 3}\n", "transfers.fx_tolerance: '3' is no share; write 3 %"),
        ("transfers: {days: 99}\n", "line 1: transfers.days: "),
        ("currency: francs\n", "line 1: currency: 'francs' is no currency"),
        ('rules:\n  - if: {text: a}\n    category: "A\\0"\n', "line 3: rules.1.category: control characters are not"),
        ('budgets:\n  - {name: A, categories: ["B\\x1fC"], monthly: 9 CHF}\n', "budgets.1.categories.1: control"),
        ("rules: yes\n", "line 1: rules: a list is meant"),
        ("- a\n", "line 1: a rulebook is a map"),
        ("currency: CHF\ncurrency: EUR\n", "line 2: currency: is here twice"),
        ("currency: CHF\nrules:\n  - [\n", "this is no YAML"),
        ("a: &x [1]\nb: *x\n", "line 1: anchors and aliases"),
        ("a: !!python/name:os.system x\n", "line 1: tags (!) are not allowed"),
        ("[" * 5_000, "nested deeper than 10 levels"),
        ("#" * 300_000, "a rulebook has at most 256 KiB"),
        ("a: \x00", "this is no YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_its_key_and_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(WrongRulebook) as wrong:
        read_rulebook(text)
    assert said in str(wrong.value)


def test_every_error_is_told_at_once_in_the_order_of_the_lines() -> None:
    with pytest.raises(WrongRulebook) as wrong:
        read_rulebook("currency: x\nrules:\n  - if: {text: a, day: 40}\n    tgs: b\n    category: A\n")
    assert [(each.line, each.place) for each in wrong.value.problems] == [
        (1, "currency"), (3, "rules.1.if.day"), (4, "rules.1.tgs"),
    ]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.text(alphabet="{}[]:-,&*!|>'\"#\n ab", max_size=300))
def test_any_text_is_a_rulebook_or_a_wrong_one(text: str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        read_rulebook(text)
    except WrongRulebook as wrong:
        problems = wrong.problems
    assert all(each.line >= 1 and each.said for each in problems)


HOSTILE = [
    "(a+)+$", "(a|a)*b", "(.*a){20}x", "([a-h].{0,10}){12}z", "(((a?){3}){3}){3}a{27}", ".*.*.*.*.*=.*", "(x+x+)+y",
    "(a|b|ab)*c(.*)(.*)d", r"\b(\w+\s?)*$",
]  # fmt: skip


@pytest.mark.parametrize("pattern", HOSTILE)
def test_no_regular_expression_hangs_a_run(pattern: str) -> None:
    book = read_rulebook(RULE.format(f"text: ['/{pattern}/']"))
    bookings = [
        Told(date(2026, 1, 1), "A", Decimal(-1), "CHF", "a" * 40 + f" abcdefgh {number}", "ab " * 100, "")
        for number in range(2_000)
    ]
    began = time.monotonic()
    decided = decide(book.rules, bookings, patience=2.0)
    assert time.monotonic() - began < 20
    assert decided.slow in ((), (0,))


def test_what_unfolds_to_too_much_is_refused_before_it_runs() -> None:
    for pattern in ("(a{99}){9}", "((a{12}){12}){12}", "[a-h]{500}z", "(.*[ab]){100}"):
        with pytest.raises(WrongRulebook, match=r"repeats too much|invalid repetition size"):
            read_rulebook(RULE.format(f"text: ['/{pattern}/']"))
    many = "".join(f"  - if: {{text: ['/a{{100}}b{number}/']}}\n    category: A\n" for number in range(40))
    with pytest.raises(WrongRulebook, match="too many or too long regular expressions"):
        read_rulebook("rules:\n" + many)
    assert [unfolded_size(each) for each in ("abc", "a{3}", "(ab){3}c", r"[a\]b]{2}\d{4}", "(a(b){2}){3}")] == [
        3,
        3,
        7,
        6,
        9,
    ]


def test_a_rule_that_takes_too_long_is_left_aside_and_the_others_hold() -> None:
    book = read_rulebook("rules:\n  - if: {text: '/a.*b/'}\n    category: A\n  - if: {text: shop}\n    category: B\n")
    bookings = [Told(date(2026, 1, 1), "A", Decimal(-1), "CHF", "a shop b", "", "")]
    decided = decide(book.rules, bookings, patience=-1.0)
    assert (decided.slow, decided.what.tolist()) == ((0,), [1])


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("coop", "COOP-4711 ZUERICH", True), ("coop", "Cooperative Bank", False), ("ing", "Shopping", False),
        ("zürich", "MIGROS ZUERICH", True), ("zürich", "Migros Zurich", True), ("Café Mueller", "CAFE  MUELLER", True),
        ("amzn*", "AMZNMKTPLACE 12", True), ("*markt", "Supermarkt Nord", True), ("coop pronto", "Coop-Pronto", True),
        ("coop pronto", "Coop City Pronto", False), ("netflix", "NETFLIX.COM", True), ("a1", "A1 Telekom", True),
        ("straße", "STRASSE 5", True), ("7-eleven", "7 Eleven #12", True),
    ],
)  # fmt: skip
def test_words_are_found_whole_without_case_accents_and_punctuation(phrase: str, text: str, found: bool) -> None:
    assert Texts([text, "something else"], Stopwatch(1)).hold([Phrase(phrase)]).tolist() == [found, False]


def test_a_pattern_sees_the_text_as_the_bank_writes_it() -> None:
    texts = Texts(["Übertrag 12/2026", "UEBERTRAG 12.2026"], Stopwatch(1))
    assert texts.hold([Phrase(r"übertrag \d+/\d{4}", is_pattern=True)]).tolist() == [True, False]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_bare_words_are_bare_already(texts: list[str]) -> None:
    once = list(map(bare, texts))
    assert list(map(bare, once)) == once

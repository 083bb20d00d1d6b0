"""Which names are one account."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.formats.iban import is_iban
from twinning_pipelines.marts.books.accounts import OwnAccount, group_names, kind_of, number_of
from twinning_pipelines_tests.marts.books.conftest import Bank, line

IBAN = "DE89370400440532013000"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("37040044 532013000", IBAN),
        ("37040044/0532013000EUR", IBAN),
        ("DE89 3704 0044 0532 0130 00", IBAN),
        ("DE89370400440532013000EUR", IBAN),
        ("0532013000", "37040044/532013000"),
        ("0532013000", IBAN),
        ("CH-4410-2231", "ch 4410 2231"),
        ("Épargne", "E\u0301PARGNE"),
        ("Карта 1", "КАРТА-1"),
    ],
)
def test_names_of_one_account(one: str, other: str) -> None:
    assert len(group_names([one, other])) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("37040045 532013000", IBAN),
        ("0013000", IBAN),
        ("Visa 4711", "Visa 4712"),
        ("1234", "0001234 1234"),
        ("DE89370400440532013000", "DE02120300000000202051"),
        ("12030000 202051", "37040044 202051"),
        ("Visa Card", "Visa Gold"),
        ("unnamed account", "unnamed CCard account"),
        ("Карта 1", "Счёт 1"),
        ("Sparkonto Jörg", "Sparkonto Jürg"),
        ("储蓄卡 1234567", "信用卡 1234567"),
    ],
)
def test_names_of_two_accounts(one: str, other: str) -> None:
    assert len(group_names([one, other])) == 2


def test_a_number_that_fits_two_banks_is_an_account_of_its_own() -> None:
    assert len(group_names(["37040044 5320130001", "50010517 5320130001", "5320130001"])) == 3


def test_the_owners_word_counts_before_numbers() -> None:
    own = [OwnAccount("Household", "checking", (IBAN, "Giro")), OwnAccount("Ben's", "savings", ("37040044 532013000",))]
    groups = {
        group.own.name: group
        for group in group_names([IBAN, "Giro", "37040044 532013000", "0532013000"], own)
        if group.own
    }
    assert groups["Household"].names[:2] == (IBAN, "Giro")
    assert "37040044 532013000" in groups["Ben's"].names


@given(
    st.lists(
        st.sampled_from([IBAN, "37040044 532013000", "0532013000", "Giro", "CH-4410-2231", "CH44102231"]), unique=True
    ),
    st.randoms(),
)
def test_the_order_of_names_does_not_matter(names: list[str], chance: object) -> None:
    turned = list(names)
    chance.shuffle(turned)  # type: ignore[attr-defined]
    assert group_names(turned) == group_names(names)
    assert sorted(name for group in group_names(names) for name in group.names) == sorted(names)


@given(st.text(max_size=40))
def test_any_text_is_a_name(name: str) -> None:
    assert [group.names for group in group_names([name])] == [(name,)]
    number_of(name)


def test_ibans_are_checked() -> None:
    assert is_iban(IBAN)
    assert not is_iban("DE89370400440532013001")


def test_kinds_are_guessed_from_names() -> None:
    assert kind_of(["Visa Card"], traded=False) == "card"
    assert kind_of(["Sparkonto"], traded=False) == "savings"
    assert kind_of([IBAN], traded=False) == "checking"
    assert kind_of(["U1234567"], traded=True) == "brokerage"


def test_an_account_keeps_its_id_and_takes_its_owners_name(bank: Bank) -> None:
    bank.tell("finance.ofx", [line("2026-03-02", "-3", bank_id="1", account="37040044 532013000")])
    before = bank.rows("select id from account")
    bank.tell("finance.camt", [line("2026-03-02", "-3", bank_id="x", account=IBAN)])
    assert bank.rows("select id, name, iban, number from account") == [(before[0][0], IBAN, IBAN, "532013000")]
    bank.do("delete from stale_day")
    bank.described = [OwnAccount("Household", "checking", (IBAN,))]
    bank.settle()
    assert bank.rows("select id, name from account") == [(before[0][0], "Household")]
    assert bank.rows("select count(*) from account_name") == [(2,)]
    assert bank.rows("select min(day)::text from stale_day") == [("2026-03-02",)]

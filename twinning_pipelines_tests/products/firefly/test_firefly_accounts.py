"""Own accounts in Firefly III: found before they are made, never somebody else's, and opened with what they held."""

from datetime import date
from decimal import Decimal

import pytest

from twinning_pipelines.products.firefly.accounts import own_accounts
from twinning_pipelines_tests.far_sides.firefly import FakeFirefly
from twinning_pipelines_tests.far_sides.firefly_books import Account
from twinning_pipelines_tests.far_sides.scripted_server import Fault, HangUp, Instead, Reply, Request
from twinning_pipelines_tests.household import Household
from twinning_pipelines_tests.products.firefly.pusher import Pusher

IBAN = "DE89370400440532013000"


def assets(fake: FakeFirefly) -> list[Account]:
    return [each for each in fake.books.accounts.values() if each.type == "asset"]


def there(fake: FakeFirefly, name: str, **fields: str) -> Account:
    return fake.books.add_account({"name": name, "type": "asset", "account_role": "defaultAsset"} | fields)


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        ("checking", "defaultAsset"),
        ("savings", "savingAsset"),
        ("card", "ccAsset"),
        ("cash", "cashWalletAsset"),
        ("loan", "defaultAsset"),
    ],
)
def test_an_account_is_made_as_what_it_is(pusher: Pusher, kind: str, role: str) -> None:
    account = pusher.household.account("Mine", "CHF", kind=kind, iban="DE89 3704 0044 0532 0130 00", number="532013000")
    pusher.household.book(account, "2026-03-02", "-1", currency="CHF")
    assert pusher.push().account_problems == []
    (made,) = assets(pusher.fake)
    assert (made.name, made.currency, made.role, made.iban, made.number) == ("Mine", "CHF", role, IBAN, "532013000")


@pytest.mark.parametrize("by", ["iban", "account_number", "name"])
def test_an_account_that_is_there_is_found(pusher: Pusher, by: str) -> None:
    home, value = pusher.household, {"iban": IBAN, "account_number": "532013000", "name": "Mine"}[by]
    account = home.account("Mine", iban=IBAN, number="532013000")
    home.book(account, "2026-03-02", "-1")
    there(pusher.fake, "Mine too")
    known = there(pusher.fake, **({"name": "Other"} | {by: value}))
    pusher.push()
    assert len(assets(pusher.fake)) == 2
    ((remote_id, found_by),) = home.rows("select remote_id, found_by from firefly_account")
    assert (remote_id, found_by) == (str(known.id), by.removeprefix("account_"))
    assert known.opening == 0


def test_an_account_of_that_name_in_another_currency_is_another(pusher: Pusher) -> None:
    pusher.household.book(pusher.household.account("Mine"), "2026-03-02", "-1")
    there(pusher.fake, "Mine", currency_code="USD")
    assert pusher.push().acts == {"create": 1}
    assert [each.name for each in assets(pusher.fake)] == ["Mine", "Mine (ada)"]


def test_two_people_in_one_firefly_have_two_accounts_of_one_name(pusher: Pusher) -> None:
    for household in (pusher.household, Household(pusher.household.engine, "bob")):
        household.book(household.account("Giro"), "2026-03-02", "-1")
        Pusher(household, pusher.fake).push()
    assert [each.name for each in assets(pusher.fake)] == ["Giro", "Giro (bob)"]
    assert {each.source.name for each in pusher.fake.books.journals()} == {"Giro", "Giro (bob)"}


@pytest.mark.parametrize("fault", [HangUp(stored=True), HangUp(stored=False), Instead(Reply(500))])
def test_an_account_whose_making_got_lost_is_made_once(pusher: Pusher, fault: HangUp | Instead) -> None:
    pusher.household.book(pusher.household.account("Giro"), "2026-03-02", "-1")
    honest, posts = pusher.fake.meet, list[Request]()

    def meet(request: Request) -> tuple[Reply, Fault | None]:
        if request.method == "POST" and not posts:
            posts.append(request)
            pusher.fake.script.append(fault)
        return honest(request)

    pusher.fake.meet = meet  # type: ignore[method-assign]
    pusher.push()
    pusher.push()
    assert [each.name for each in assets(pusher.fake)] == ["Giro"]
    assert len(pusher.fake.books.living()) == 1


def test_a_server_that_speaks_another_language_is_understood(pusher: Pusher) -> None:
    account = pusher.household.account("Mine", iban=IBAN)
    pusher.household.book(account, "2026-03-02", "-1")
    there(pusher.fake, "Mine", currency_code="USD")
    there(pusher.fake, "Old", currency_code="USD", iban=IBAN)
    honest = pusher.fake.answer

    def in_german(request: Request) -> Reply:
        reply = honest(request)
        said = reply.body.replace(b"is already in use", b"wird bereits verwendet")
        return Reply(reply.status, said, reply.headers)

    pusher.fake.answer = in_german  # type: ignore[method-assign]
    assert pusher.push().account_problems == []
    assert [(each.name, each.currency) for each in assets(pusher.fake)][2:] == [("Mine (ada)", "EUR")]


def test_a_number_that_somebody_elses_account_has_is_left_out(pusher: Pusher) -> None:
    for household in (pusher.household, Household(pusher.household.engine, "bob")):
        household.book(household.account("Joint", iban=IBAN, number="1"), "2026-03-02", "-1")
        Pusher(household, pusher.fake).push()
    assert [(each.name, each.iban, each.number) for each in assets(pusher.fake)] == [
        ("Joint", IBAN, "1"),
        ("Joint (bob)", None, None),
    ]


def test_bookings_in_another_currency_have_an_account_of_their_own(pusher: Pusher) -> None:
    home = pusher.household
    wise = home.account("Wise", iban=IBAN)
    home.book(wise, "2026-03-02", "-1")
    home.book(wise, "2026-03-02", "-2", currency="USD")
    home.state("Wise", "2026-03-31", "8", "USD")
    assert pusher.push().accounts == 2
    assert [(each.name, each.currency, each.iban) for each in assets(pusher.fake)] == [
        ("Wise", "EUR", IBAN),
        ("Wise (USD)", "USD", None),
    ]
    assert [(each.theirs_balance, each.agrees) for each in pusher.drift()] == [(Decimal(-1), True), (Decimal(8), True)]
    before = pusher.writes()
    pusher.push()
    assert pusher.writes() == before


def test_what_an_account_opened_with_follows_from_the_first_statement_and_stays_right(pusher: Pusher) -> None:
    home = pusher.household
    giro = home.account("Giro")
    home.book(giro, "2026-03-02", "-20")
    home.state("Giro", "2026-03-31", "80")
    home.state("Giro", "2026-04-30", "80")
    pusher.push()
    (account,) = assets(pusher.fake)
    assert (account.opening, account.opening_day) == (Decimal(100), date(2026, 3, 1))
    home.book(giro, "2026-02-10", "-5")
    pusher.push()
    assert (account.opening, account.opening_day) == (Decimal(105), date(2026, 2, 9))
    assert all(each.agrees and each.theirs_balance == 80 for each in pusher.drift())
    account.opening = Decimal(111)
    home.book(giro, "2026-02-11", "-5")
    pusher.push()
    assert account.opening == Decimal(111)
    (drift,) = pusher.drift()
    assert {name: each.sum for name, each in drift.differences.items()} == {"another opening balance there": Decimal(1)}
    assert drift.unexplained == 0


def test_an_account_that_was_deleted_there_is_made_again_and_its_bookings_are_not(pusher: Pusher) -> None:
    home = pusher.household
    giro = home.account("Giro")
    home.book(giro, "2026-03-02", "-20")
    pusher.push()
    (account,) = assets(pusher.fake)
    for group in pusher.fake.books.living():
        pusher.fake.user_deletes(group)
    del pusher.fake.books.accounts[account.id]
    home.book(giro, "2026-03-03", "-1")
    assert pusher.push().acts == {"create": 1, "deleted_there": 1}
    assert len(assets(pusher.fake)) == 1
    assert len(pusher.fake.books.living()) == 1


def test_accounts_without_bookings_or_currency_are_not_told(household: Household) -> None:
    household.account("Empty")
    odd = household.account("Odd", "XXX")
    household.book(odd, "2026-03-02", "-1", currency="XXX")
    with household.engine.connect() as connection:
        assert own_accounts(connection, household.person_id) == []

"""A Firefly III that is another one now, new or restored from an older backup: its numbers say nothing of what we know."""

from decimal import Decimal

from twinning_pipelines.products.firefly.push import Manner, foresee, forget_deletions
from twinning_pipelines_tests.far_sides.firefly_books import Account, Books, Numbers, as_sent
from twinning_pipelines_tests.products.firefly.pusher import UNITS, Pusher

IBAN, OTHER_IBAN = "DE89370400440532013000", "DE02120300000000202051"


def reinstall(pusher: Pusher, *accounts: str) -> list[Account]:
    """An empty Firefly III at the same address, where somebody made these accounts."""
    pusher.fake.users[pusher.fake.token] = Books(Numbers())
    like = {"type": "asset", "account_role": "defaultAsset"}
    return [pusher.fake.books.add_account(like | {"name": name}) for name in accounts]


def forget(pusher: Pusher) -> int:
    with pusher.client() as firefly:
        return forget_deletions(pusher.household.engine, firefly, pusher.household.who)


def test_what_a_new_firefly_never_heard_of_is_kept_back_and_sent_on_request(pusher: Pusher) -> None:
    home = pusher.household
    giro = home.account("Giro")
    booking = home.book(giro, "2026-03-02", "-5", memo="bread")
    home.book(giro, "2026-03-03", "-6", memo="rolls")
    pusher.push()
    reinstall(pusher, "Wallet")
    pusher.push()
    assert set(pusher.states().values()) == {"refused"}
    (problem, *_) = [row.problem for row in home.rows("select problem from firefly_outbox")]
    assert "forget-deleted" in problem
    (drift,) = pusher.drift()
    assert {name: each.groups for name, each in drift.differences.items()} == {"refused there": 2}
    assert not drift.agrees
    assert forget(pusher) == 2
    assert pusher.push().acts == {"create": 2}
    assert pusher.fake.group_of(home.key(booking)).living()[0].source.name == "Giro"
    (drift,) = pusher.drift()
    assert (drift.agrees, drift.theirs_balance) == (True, Decimal(-11))
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before


def test_a_transfer_of_two_bookings_that_a_new_firefly_never_heard_of_comes_on_request(pusher: Pusher) -> None:
    home = pusher.household
    legs = home.book(home.account("Giro"), "2026-03-02", "-50"), home.book(home.account("Savings"), "2026-03-03", "50")
    pusher.push()
    reinstall(pusher)
    home.pair(*legs)
    assert pusher.push().acts == {"park": 3}
    assert forget(pusher) == 1
    assert pusher.push().acts == {"create": 1}
    assert [each.type for each in pusher.fake.books.journals()] == ["transfer"]
    assert all(each.agrees for each in pusher.drift())


def test_what_was_adopted_without_our_id_comes_again_only_if_it_is_gone(pusher: Pusher) -> None:
    home = pusher.household
    home.book(home.account("Giro"), "2026-03-02", "-5")
    pusher.push()
    group = pusher.nameless()
    pusher.fake.user_edits(group, notes="mine")
    assert forget(pusher) == 0
    assert pusher.push().acts == {}
    pusher.fake.user_deletes(group)
    assert forget(pusher) == 1


def test_somebody_elses_transaction_that_has_our_number_now_is_left_alone(pusher: Pusher) -> None:
    home = pusher.household
    giro = home.account("Giro")
    changed, gone = home.book(giro, "2026-03-02", "-5", memo="bread"), home.book(giro, "2026-03-02", "-5", memo="rolls")
    pusher.push()
    (account,) = reinstall(pusher, "Giro")
    own = {"type": "withdrawal", "date": "2026-03-02", "amount": "5", "source_id": str(account.id)}
    for memo in ("bread", "rolls"):
        payee = {"destination_name": "Shop", "description": memo, "currency_code": "EUR", "internal_reference": None}
        pusher.fake.books.store({"transactions": [own | payee]})
    home.change(changed, category="Food")
    home.lose(gone)
    done = pusher.push()
    assert (done.acts["update"], done.acts["delete"]) == (0, 0)
    there = [(each.texts["description"], each.texts["category_name"]) for each in pusher.fake.books.journals()]
    assert there == [("bread", None), ("rolls", None)]


def test_accounts_are_found_anew_where_their_numbers_are_others_now(pusher: Pusher) -> None:
    home = pusher.household
    giro, savings = home.account("Giro"), home.account("Savings", kind="savings")
    home.book(giro, "2026-03-02", "-5")
    home.book(savings, "2026-03-02", "7")
    pusher.push()
    there = reinstall(pusher, "Savings", "Giro", "Holidays")
    with pusher.client() as firefly:
        told = list(foresee(home.engine, firefly, home.who, UNITS, Manner()))
    assert [(act, name) for act, name, _ in told][:2] == [("account", "Giro"), ("account", "Savings")]
    forget(pusher)
    pusher.push()
    balances = {each.name: pusher.fake.books.balances(each, pusher.fake.today)["EUR"] for each in there}
    assert balances == {"Savings": Decimal(7), "Giro": Decimal(-5), "Holidays": Decimal(0)}
    assert len([each for each in pusher.fake.books.accounts.values() if each.type == "asset"]) == 3


def test_an_account_that_somebody_renamed_is_still_the_one(pusher: Pusher) -> None:
    home = pusher.household
    giro = home.account("Giro")
    home.book(giro, "2026-03-02", "-5")
    pusher.push()
    (account,) = (each for each in pusher.fake.books.accounts.values() if each.type == "asset")
    account.name, account.notes = "Everyday", "mine"
    pusher.fake.books.add_account({"name": "Giro", "type": "asset", "account_role": "defaultAsset"})
    home.book(giro, "2026-03-03", "-6")
    assert pusher.push().acts == {"create": 1}
    assert pusher.fake.books.balances(account, pusher.fake.today) == {"EUR": Decimal(-11)}


def test_an_account_of_our_name_with_another_iban_is_somebody_elses(pusher: Pusher) -> None:
    home = pusher.household
    home.book(home.account("Giro", iban=IBAN), "2026-03-02", "-5")
    there = {"name": "Giro", "type": "asset", "account_role": "defaultAsset", "iban": OTHER_IBAN}
    other = pusher.fake.books.add_account(there)
    assert pusher.push().acts == {"create": 1}
    assert pusher.fake.books.balances(other, pusher.fake.today) == {"EUR": Decimal(0)}
    made = [(each.name, each.iban) for each in pusher.fake.books.accounts.values() if each.type == "asset"]
    assert made == [("Giro", OTHER_IBAN), ("Giro (ada)", IBAN)]


def test_a_copy_that_somebody_made_there_is_no_double_of_ours(pusher: Pusher) -> None:
    home = pusher.household
    home.book(home.account("Giro"), "2026-03-02", "-5")
    pusher.push()
    (ours,) = pusher.fake.books.living()
    # The server's "clone" takes over the external id and the hash.
    copy = pusher.fake.books.store({"transactions": [{**as_sent(ours.living()[0]), "date": "2026-04-02"}]})
    copy.living()[0].hash = ours.living()[0].hash
    home.do(
        "update firefly_outbox set state = 'sending', remote_id = null, attempts = 2, "
        "written = jsonb_build_object('sending', wanted)"
    )
    pusher.push()
    assert [each.id for each in pusher.fake.books.living()] == [copy.id, ours.id]
    assert [row.remote_id for row in home.rows("select remote_id from firefly_outbox")] == [str(ours.id)]

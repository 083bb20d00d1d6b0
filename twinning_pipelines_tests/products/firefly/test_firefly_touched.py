"""What somebody did with a transaction in Firefly III beside changing it: it is not taken away then."""

import pytest

from twinning_pipelines_tests.products.firefly.pusher import Pusher
from twinning_pipelines_tests.products.firefly.traded import external_ids


@pytest.mark.parametrize("deed", ["reconciled", "has_attachments"])
def test_what_somebody_reconciled_or_attached_a_receipt_to_is_not_taken_away(pusher: Pusher, deed: str) -> None:
    home = pusher.household
    giro = home.account("Giro")
    handled, plain = home.book(giro, "2026-03-02", "-5"), home.book(giro, "2026-03-03", "-5")
    pusher.push()
    pusher.fake.user_edits(pusher.fake.group_of(home.key(handled)), **{deed: True})
    home.lose(handled)
    home.lose(plain)
    assert pusher.push().acts == {"park": 1, "delete": 1}
    assert set(external_ids(pusher.fake)) == {home.key(handled)}


def test_what_somebody_gave_a_budget_is_not_taken_away_but_a_budget_may_be_renamed(pusher: Pusher) -> None:
    home = pusher.household
    pusher.fake.books.budgets.append("Fun")
    giro = home.account("Giro")
    given, renamed = home.book(giro, "2026-03-02", "-5"), home.book(giro, "2026-03-03", "-5", category="Fun")
    home.do(
        "insert into budget (person_id, name, since, categories, amount, currency) "
        "values (:person, 'Fun', '2026-01-01', '{Fun}', 100, 'EUR')",
        person=home.person_id,
    )
    pusher.push()
    assert pusher.fake.group_of(home.key(renamed)).living()[0].texts["budget_name"] == "Fun"
    pusher.fake.user_edits(pusher.fake.group_of(home.key(given)), budget_name="Joy")
    pusher.fake.user_edits(pusher.fake.group_of(home.key(renamed)), budget_name="Joy")
    home.lose(given)
    home.lose(renamed)
    assert pusher.push().acts == {"park": 1, "delete": 1}
    assert set(external_ids(pusher.fake)) == {home.key(given)}

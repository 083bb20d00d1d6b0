"""Bookings in parts: each part is the same there as here, and what somebody changed of one stays."""

import json

from twinning_pipelines_tests.products.firefly.pusher import Pusher


def test_parts_are_sent_changed_and_left_alone_where_somebody_changed_them(pusher: Pusher) -> None:
    home = pusher.household
    giro = home.account("Giro")
    parts = [{"category": "Food", "memo": "a", "amount": "-3"}, {"category": "Food", "memo": "a", "amount": "-3"}]
    booking = home.book(
        giro, "2026-03-02", "-10", memo="shop", told={"splits": [*parts, {"category": "Pets", "amount": "-4"}]}
    )
    pusher.push()

    def there() -> list[tuple[str, str]]:
        group = pusher.fake.group_of(home.key(booking))
        return [(str(each.amount), str(each.texts["category_name"])) for each in group.living()]

    assert there() == [("3", "Food"), ("3", "Food"), ("4", "Pets")]
    assert pusher.fake.group_of(home.key(booking)).title == "shop"
    home.change(booking, transaction_id=None, category="All")
    assert pusher.push().acts == {"update": 1}
    assert there() == [("10", "All")]
    assert pusher.push().acts == {}
    home.lose(booking)
    pusher.push()
    home.lose(booking, gone=False)
    assert pusher.push().acts == {"create": 1}


def test_a_part_that_changes_is_the_part_that_is_changed(pusher: Pusher) -> None:
    home = pusher.household
    parts = [{"category": name, "amount": amount} for name, amount in (("Food", "-1"), ("Pets", "-3"), ("Fun", "-6"))]
    booking = home.book(home.account("Giro"), "2026-03-02", "-10", memo="shop", told={"splits": parts})
    pusher.push()
    parts = [parts[0] | {"category": "Drinks", "amount": "-2"}, parts[1], parts[2] | {"amount": "-5"}]
    home.do("update transaction set splits = cast(:parts as jsonb)", parts=json.dumps(parts))
    assert pusher.push().acts == {"update": 1}
    group = pusher.fake.group_of(home.key(booking))
    there = {(str(each.texts["category_name"]), str(each.amount)) for each in group.living()}
    assert there == {("Drinks", "2"), ("Pets", "3"), ("Fun", "5")}
    assert pusher.push().acts == {}


def test_a_title_that_somebody_changed_stays_and_else_follows_the_files(pusher: Pusher) -> None:
    home = pusher.household
    parts = [{"category": "Food", "amount": "-3"}, {"category": "Pets", "amount": "-7"}]
    giro = home.account("Giro")
    bookings = [home.book(giro, "2026-03-02", "-10", memo=memo, told={"splits": parts}) for memo in ("shop", "mall")]
    pusher.push()
    mine, ours = (pusher.fake.group_of(home.key(each)) for each in bookings)
    mine.title = "Mine"
    for each in bookings:
        home.change(each, memo="market", category="All")
    assert pusher.push().acts == {"update": 2}
    assert (mine.title, ours.title) == ("Mine", "market")
    home.lose(bookings[0])
    home.lose(bookings[1])
    assert pusher.push().acts == {"delete": 1, "park": 1}
    assert [each.title for each in pusher.fake.books.living()] == ["Mine"]

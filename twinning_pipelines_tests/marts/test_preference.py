"""A person's own order of devices, and what kind of device an origin is."""

from datetime import date

import pytest
import sqlalchemy as sa

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.marts.daily_facts import facts_of, refresh_facts
from twinning_pipelines.marts.preference import Preferred, set_order
from twinning_pipelines.stores.postgres.origins import kind_of
from twinning_pipelines_tests.marts.conftest import Rows, Tell

DAY = date(2026, 3, 2)


def _steps(**counts: float) -> Rows:
    """The same hour of a morning, as each device counted it."""
    return [
        ("sample", {
            "metric": "steps", "origin": origin, "started_at": "2026-03-02T10:00:00Z", "ended_at": "2026-03-02T11:00:00Z",
            "value": value,
        })
        for origin, value in counts.items()
    ]  # fmt: skip


def _fact(engine: sa.Engine, name: str, person: str = "ada") -> float:
    with engine.begin() as connection:
        refresh_facts(connection)
        return next(float(fact.value) for fact in facts_of(connection, person, DAY) if fact.fact == name)


def _prefer(engine: sa.Engine, *origins: str, person: str = "ada") -> list[Preferred]:
    with engine.begin() as connection:
        return set_order(connection, person, origins)


def test_the_persons_order_decides_and_can_be_taken_back(tell: Tell, engine: sa.Engine) -> None:
    tell(_steps(Pedometer=3000, Watch=1000, iPhone=2000))
    assert _fact(engine, "steps") == 1000
    assert _prefer(engine, "Pedometer", "iPhone") == [
        Preferred("Pedometer", "other", True), Preferred("iPhone", "phone", True), Preferred("Watch", "watch", False),
    ]  # fmt: skip
    assert _fact(engine, "steps") == 3000
    _prefer(engine, "iPhone")
    assert _fact(engine, "steps") == 2000
    assert [each.origin for each in _prefer(engine)] == ["Watch", "iPhone", "Pedometer"]
    assert _fact(engine, "steps") == 1000


def test_the_order_decides_about_nights_too(tell: Tell, engine: sa.Engine) -> None:
    tell([
        ("sleep_stage", {"stage": stage, "origin": origin, "started_at": "2026-03-01T22:00:00Z", "ended_at": ended})
        for stage, origin, ended in (("core", "Watch", "2026-03-02T05:00:00Z"), ("asleep", "Pillow", "2026-03-02T06:00:00Z"))
    ])  # fmt: skip
    assert _fact(engine, "sleep") == 7
    # An origin that only told of sleep can be preferred as well.
    assert [each.origin for each in _prefer(engine, "Pillow")] == ["Pillow", "Watch"]
    assert _fact(engine, "sleep") == 8
    _prefer(engine)
    assert _fact(engine, "sleep") == 7


def test_one_persons_order_is_not_anothers(tell: Tell, engine: sa.Engine) -> None:
    for person in ("ada", "bea"):
        tell(_steps(Watch=1000, iPhone=2000), person=person)
    _prefer(engine, "iPhone", person="bea")
    assert (_fact(engine, "steps"), _fact(engine, "steps", "bea")) == (1000, 2000)


def test_an_unknown_device_or_person_is_told_and_changes_nothing(tell: Tell, engine: sa.Engine) -> None:
    tell(_steps(Watch=1000, iPhone=2000))
    with pytest.raises(WrongUsage, match=r"'Wacht'; there are 'Watch', 'iPhone'"):
        _prefer(engine, "iPhone", "Wacht")
    with pytest.raises(WrongUsage, match="nobody is called 'zoe'"):
        _prefer(engine, "Watch", person="zoe")
    assert _fact(engine, "steps") == 1000


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Ada's Apple Watch", "watch"), ("Galaxy Watch6", "watch"), ("Ada’s iPhone", "phone"), ("Pixel 8", "phone"),
        ("Galaxy S24", "phone"), ("Headphones of Ada", "other"), ("Withings", "other"), ("", "other"),
    ],
)  # fmt: skip
def test_a_name_tells_what_a_device_is(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_what_a_file_says_of_a_device_is_believed_before_its_name(tell: Tell, engine: sa.Engine) -> None:
    tell(_steps(Ada=1000, iPhone=2000))
    # By their names, a phone before something else.
    assert _fact(engine, "steps") == 2000
    # A file that tells nothing new of the steps tells that Ada is a watch: her days are counted afresh.
    tell(_steps(Ada=1000), devices={"Ada": "watch", "Scale": "other"})
    assert _fact(engine, "steps") == 1000
    # Files that say nothing of devices change nothing.
    tell(_steps(Ada=1001, iPhone=2000))
    assert _fact(engine, "steps") == 1001


def test_a_device_that_two_people_call_alike_is_counted_afresh_for_both(tell: Tell, engine: sa.Engine) -> None:
    for person in ("ada", "bea"):
        tell(_steps(Bracelet=1000, iPhone=2000), person=person)
    assert _fact(engine, "steps", "bea") == 2000
    tell(_steps(Bracelet=1000), devices={"Bracelet": "watch"})
    assert (_fact(engine, "steps"), _fact(engine, "steps", "bea")) == (1000, 1000)

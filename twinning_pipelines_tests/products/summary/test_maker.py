"""Made, stored, shown and proven again, on a real database."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from twinning_pipelines.errors import FarSideUnavailable, WrongUsage
from twinning_pipelines.products.summary.kept import all_kept, keep, kept_of
from twinning_pipelines.products.summary.page import page_of, page_path
from twinning_pipelines.products.summary.quotes import quote_of
from twinning_pipelines.products.summary.summary import Maker
from twinning_pipelines.products.summary.verifying import verify
from twinning_pipelines.products.summary.writing import write
from twinning_pipelines_tests.products.summary.person_days import PersonDays, every_day
from twinning_pipelines_tests.products.summary.told_facts import Answers, reply_of

DAY = date(2026, 3, 12)
SUNDAY = date(2026, 3, 15)


@pytest.fixture
def ada(engine: sa.Engine) -> PersonDays:
    ada = PersonDays(engine)
    ada.tell("sleep", every_day(SUNDAY, [7.0, 7.3, 7.6] * 30 + [4.2, 7, 7, 7]), "h")
    ada.tell("steps", every_day(SUNDAY, [8_000, 9_000, 10_000] * 30 + [9_100] * 4), "count")
    ada.tell("spend", every_day(SUNDAY, [30, 42.5, 20] * 30 + [31.35] * 4), "CHF")
    ada.tell("spend_by_category", {DAY: 30}, "CHF", "<b>Food</b> & {Drink}")
    return ada


def test_a_summary_is_made_once_and_then_shown(ada: PersonDays) -> None:
    made = Maker(ada.engine).summary("ada", "day", DAY)
    assert made.kept.path == "template"
    assert "4 h 12 min" in made.text
    assert str(made.verdict) == f"{len(made.verdict.figures)} of {len(made.verdict.figures)} figures verified"
    assert len(made.verdict.figures) >= 3
    # The second time nobody is asked.
    again = Maker(ada.engine, model=Answers([])).summary("ada", "day", DAY)
    assert again.kept.facts == made.kept.facts
    assert (again.text, again.kept.sentences, again.verdict) == (made.text, made.kept.sentences, made.verdict)


def test_the_document_keeps_the_contract(ada: PersonDays) -> None:
    document = Maker(ada.engine).summary("ada", "day", DAY).document()
    assert {"person", "day", "path", "text", "facts"} <= set(document)
    assert (document["person"], document["day"], document["path"]) == ("ada", "2026-03-12", "template")
    facts = document["facts"]
    assert isinstance(facts, list)
    spend = next(fact for fact in facts if fact["id"] == "spend")
    assert (spend["value"], spend["unit"], spend["rendered"]) == (31.35, "CHF", "31.35 CHF")
    assert spend["explain"] == "twinning explain spend --day 2026-03-12"
    assert spend["baseline"]["days"] == 12
    assert f"{document['figures_verified']} of {document['figures']} figures verified" == document["verified"]


def test_a_model_writes_and_everything_about_it_is_kept(ada: PersonDays) -> None:
    reply = reply_of(("health", [("You had {sleep}.", ["sleep"])]))
    made = Maker(ada.engine, model=Answers(["\0 no", reply])).summary("ada", "day", DAY)
    assert made.kept.path == "retry"
    assert made.text.startswith("You had 4 h 12 min of sleep, the shortest in ")
    row = ada.do("select to_jsonb(s) from summary s")
    assert (row["engine"], row["model"], row["model_digest"]) == ("memory", "parrot", "sha256:abc")
    assert row["replies"] == ["\ufffd no", reply]
    assert "sleep | " in row["prompt"]
    assert row["faults"][1] == []
    assert row["faults"][0][0].startswith("not the JSON")


def test_an_engine_that_breaks_costs_nothing(ada: PersonDays) -> None:
    made = Maker(ada.engine, model=Answers([FarSideUnavailable("gone")])).summary("ada", "day", DAY)
    assert (made.kept.path, made.verdict.is_sound) == ("template", True)


def test_written_again_it_replaces_the_old_one(ada: PersonDays) -> None:
    maker = Maker(ada.engine)
    maker.summary("ada", "day", DAY)
    ada.do("update daily_fact set value = 40 where fact = 'spend' and day = :day", day=DAY)
    stale = maker.summary("ada", "day", DAY)
    assert stale.verdict.restated == ("spend",)
    assert str(stale.verdict).endswith("1 restated since")
    assert "31.35 CHF" in stale.text
    fresh = maker.summary("ada", "day", DAY, again=True)
    assert "40.00 CHF" in fresh.text
    assert fresh.verdict.restated == ()
    assert ada.do("select count(*) from summary") == 1


def test_a_fact_that_is_gone_is_restated(ada: PersonDays) -> None:
    maker = Maker(ada.engine)
    maker.summary("ada", "day", DAY)
    ada.do("delete from daily_fact where fact = 'spend'")
    assert maker.summary("ada", "day", DAY).verdict.restated == ("spend",)


@pytest.mark.parametrize(
    "damage",
    [
        "update summary set text = replace(text, '4 h 12', '8 h 12')",
        "update summary set headline = headline || ' of 99'",
        "update summary set sentences = replace(sentences::text, '4 h', '8 h')::jsonb, text = replace(text, '4 h', '8 h')",
        "update summary set sentences = replace(sentences::text, '{sleep', '{naps')::jsonb",
    ],
)
def test_a_text_that_was_tampered_with_is_found(ada: PersonDays, damage: str) -> None:
    maker = Maker(ada.engine)
    maker.summary("ada", "day", DAY)
    ada.do(damage)
    assert not maker.summary("ada", "day", DAY).verdict.is_sound


def test_a_week_and_a_month_are_stored_beside_the_day(ada: PersonDays) -> None:
    maker = Maker(ada.engine)
    week = maker.summary("ada", "week", SUNDAY)
    assert week.title == "Week of Monday 9 March 2026"
    assert week.verdict.verified == len(week.verdict.figures) > 0
    assert "a night" in week.text
    month = maker.summary("ada", "month", date(2026, 3, 31))
    assert month.title == "March 2026"
    with ada.engine.connect() as connection:
        assert [each.kind for each in all_kept(connection, "week")] == ["week"]
        kept = next(all_kept(connection, "month"))
        assert verify(connection, kept).is_sound


def test_nothing_known_and_days_that_are_not_over_are_not_stored(ada: PersonDays) -> None:
    maker = Maker(ada.engine)
    nothing = maker.summary("ada", "day", date(2020, 1, 1))
    assert (nothing.text, nothing.kept.headline) == ("", "Nothing is known of this day")
    assert page_of(nothing)
    today = ada.do("select local_day(:id, now())", id=ada.id)
    ada.tell("steps", {today: 120}, "count")
    maker.summary("ada", "day", today)
    assert ada.do("select count(*) from summary") == 0
    with pytest.raises(WrongUsage, match="nobody is called 'eve'"):
        maker.summary("eve", "day", DAY)


def test_one_sentence_of_the_journal_may_stand_there(ada: PersonDays) -> None:
    ada.say(DAY, "Slept badly. The neighbours were moving their piano all night long! At 3 I gave up.")
    maker = Maker(ada.engine)
    made = maker.summary("ada", "day", DAY)
    quote = "The neighbours were moving their piano all night long!"
    assert made.text.endswith(f"\nYou said: “{quote}”")
    assert made.verdict.is_sound
    ada.do("update journal_entry set text = 'It was quiet.' where day = :day", day=DAY)
    assert not maker.summary("ada", "day", DAY).verdict.is_sound


@pytest.mark.parametrize(
    ("note", "quote"),
    [
        ("I walked 12 km along the river today.", None),
        ("Too short.", None),
        ("See https://evil.example for all of it.", None),
        ("Click <a>here</a> to see all of it now.", None),
        ("Use {sleep} for all of the nights here.", None),
        ("A long and quiet walk along the river. It was ok.", "A long and quiet walk along the river."),
        ("Ein langer, ruhiger Gang den Fluss entlang", "Ein langer, ruhiger Gang den Fluss entlang"),
        ("It was a \u202egnol and quiet walk today.", None),
        ("Word " * 60, None),
    ],
)
def test_a_quote_is_plain_or_none(note: str, quote: str | None) -> None:
    assert quote_of([note]) == quote
    assert quote is None or quote in note


def test_the_page_escapes_and_needs_nothing_from_elsewhere(ada: PersonDays, tmp_path: Path) -> None:
    made = Maker(ada.engine).summary("ada", "day", DAY)
    page = page_of(made)
    assert "<b>Food" not in page
    assert "<script" not in page
    for word in ("http://", "https://", "src=", "href=", "url(", "@import"):
        assert word not in page
    assert "default-src 'none'" in page
    assert page.count('<div class="figure">') == len(made.kept.facts)
    assert "twinning explain sleep --day 2026-03-12 --person ada" in page
    evil = replace(made, kept=replace(made.kept, headline="<script>alert(1)</script>", person="<i>"))
    assert "<script" not in page_of(evil)
    assert page_path(tmp_path, "ada", "day", DAY) == tmp_path / "summary" / "ada" / "2026-03-12.html"
    for name in ("..", "", "a/b"):
        with pytest.raises(WrongUsage):
            page_path(tmp_path, name, "day", DAY)


def test_half_a_surrogate_pair_is_no_trouble(ada: PersonDays) -> None:
    maker = Maker(ada.engine)
    made = maker.summary("ada", "day", DAY)
    odd = write(made.kept.facts, [], Answers(["\ud800 {", "\udfff"]))
    with ada.engine.begin() as connection:
        keep(connection, made.kept, odd)
        stored = kept_of(connection, "ada", "day", DAY)
    assert stored is not None
    assert stored.text == made.text
    assert made.kept.day - timedelta(days=0) == stored.day

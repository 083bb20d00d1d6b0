"""HubSpot's deals: columns picked by hand, stages by label and by id, renamed pipelines, currencies."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.business.hubspot import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, assert_golden, notices, reasons, rows, samples
from twinning_pipelines_tests.shared import corpus

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", samples(HERE, ".csv"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)


def test_stages_by_label_and_by_id() -> None:
    found = {row["deal_id"]: row for row in rows(SOURCE, HERE / "picked_columns.csv")}
    assert {key: (row["status"], row.get("probability")) for key, row in found.items()} == {
        "9001": ("open", 0.4),
        "9002": ("open", 0.9),
        "9003": ("won", 1.0),
        "9004": ("lost", 0.0),
        "9005": ("won", 1.0),
        "9006": ("open", None),
    }
    assert "expected_on" in found["9001"]
    assert "closed_on" not in found["9001"]
    assert "closed_on" in found["9003"]
    assert "expected_on" not in found["9003"]


def test_what_the_portal_says_of_won_and_lost_comes_before_its_stage_ids() -> None:
    found = rows(SOURCE, HERE / "currency_in_heading.csv")
    assert [row["status"] for row in found] == ["lost", "won", "open", "open"]
    assert [row["probability"] for row in found] == [0.0, 1.0, 0.35, 0.35]
    assert {row["currency"] for row in found} == {"GBP"}


def test_without_a_currency_the_persons_own_is_stored_and_told() -> None:
    path = corpus("work", "crm", "hubspot_deals.csv")
    assert {row["currency"] for row in rows(SOURCE, path)} == {"XXX"}
    clock = Clock.fixed(ZoneInfo("Europe/Berlin"), currency="EUR")
    assert {row["currency"] for row in rows(SOURCE, path, clock)} == {"EUR"}
    assert notices(SOURCE, path, clock) == ["no currency in this export, EUR is stored; add the column Currency to it"]


def test_a_blank_amount_is_unknown_and_not_nothing() -> None:
    found = {row["deal_id"]: row for row in rows(SOURCE, corpus("work", "crm", "hubspot_deals.csv"))}
    assert "amount" not in found["9002"]
    assert reasons(SOURCE, corpus("work", "crm", "hubspot_deals.csv")) == []


def test_an_export_without_the_create_date_says_what_to_add(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("Record ID,Deal Name,Deal Stage\n1,A,closedwon\n")
    assert SOURCE.recognises(Original.at(path))
    with pytest.raises(UnreadableFile, match="no column 'Create Date'; add it to the export"):
        list(SOURCE.parse(Original.at(path), BERLIN))


def test_other_crms_are_not_claimed() -> None:
    claimed = [path.name for path in corpus("work", "crm").iterdir() if SOURCE.recognises(Original.at(path))]
    assert claimed == ["hubspot_deals.csv"]

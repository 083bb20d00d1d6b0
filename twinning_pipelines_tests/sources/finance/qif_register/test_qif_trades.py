"""What trades of a QIF register add to the cash of their own account."""

from decimal import Decimal
from pathlib import Path

import pytest

from twinning_pipelines.sources.finance.qif_register import SOURCE
from twinning_pipelines_tests.goldens import rows


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        ("NBuy\nT1000", -1000),
        ("NBuyX\nT1000\nL[Checking]\n$1000", None),
        ("NBuyX\nT1000\nL[Checking]", None),
        ("NBuyX\nT1010\nL[Checking]\n$1000", -10),
        ("NSellX\nT500\nL[Checking]\n$490", 10),
        ("NCvrShrtX\nT500\nL[Checking]\n$520", 20),
        ("NDivX\nT0.75\nL[Checking]\n$0.75", None),
        ("NMargIntX\nT3\nL[Checking]\n$3", None),
        ("NReinvDiv\nT7", None),
        ("NXIn\nT5000\nL[Checking]\n$5000", 5000),
        ("NXOut\nT50\nL[Checking]\n$50", -50),
        ("NContribX\nT20\nL[Checking]\n$20", 20),
        ("NWithdrwX\nT20\nL[Checking]\n$20", -20),
    ],
)
def test_money_of_another_account_moves_no_cash_of_its_own(lines: str, total: int | None, tmp_path: Path) -> None:
    path = tmp_path / "broker.qif"
    path.write_text(f"!Account\nNBroker\nTInvst\n^\n!Type:Invst\nD2/20/2026\nYApfel\nI10\nQ100\n{lines}\n^\n")
    (row,) = (each for each in rows(SOURCE, path) if "traded_on" in each)
    assert row.get("total") == (None if total is None else Decimal(total))

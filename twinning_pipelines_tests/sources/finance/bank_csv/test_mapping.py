"""A mapping as a value and as YAML: what is written is read back equal, and what is wrong is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.sources.finance.bank_csv.mapping import Mapping
from twinning_pipelines.sources.finance.bank_csv.profiles import shipped
from twinning_pipelines.sources.finance.bank_csv.written import read, read_folder, written

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=12)
BY_POSITION = """
name: my-bank
recognised_by:
  cells: ['\\d+', '.*', '.*']
columns:
  booked_on: 1
  memo: 2
  amount: 3
sign: money out
"""


@st.composite
def mappings(draw: st.DrawFn) -> Mapping:
    by_heading = draw(st.booleans())
    place = TEXT if by_heading else st.integers(1, 6)
    pair = draw(st.booleans())
    money = ("debit", "credit") if pair else ("amount", "direction")
    texts = draw(st.sets(st.sampled_from(["payee", "memo", "reference", "kind"])))
    columns: dict[str, object] = {field: draw(place) for field in ("booked_on", *money)}
    columns |= {field: draw(st.lists(place, min_size=1, max_size=3)) for field in texts}
    header = {
        "header": draw(st.lists(TEXT, min_size=1, max_size=3)),
        "first_row": draw(st.dictionaries(TEXT, st.just(".*"), max_size=2)),
    }
    recognition = header if by_heading else {"cells": [".*"] * 6, "lines_above": draw(st.integers(0, 3))}
    return Mapping.model_validate(
        {
            "name": draw(TEXT),
            "recognised_by": recognition,
            "columns": columns,
            "encoding": draw(st.sampled_from(["?", "cp1252", "utf-8"])),
            "delimiter": draw(st.sampled_from([",", ";", "\t", "|", "?"])),
            "dates": draw(st.sampled_from(["?", "DMY", "%d.%m.%Y"])),
            "decimal": draw(st.sampled_from([".", ",", "?"])),
            "sign": draw(st.sampled_from(["columns", "?"] if pair else ["signed", "money out", "words", "?"])),
            "out": draw(st.lists(TEXT, max_size=2)),
            "account": draw(TEXT),
            "currency": draw(st.sampled_from(["?", "EUR", "NOK"])),
            "leave_out": draw(st.dictionaries(TEXT | st.integers(1, 6), st.just("x|y"), max_size=2)),
            "surplus": draw(st.sampled_from(["reject", "memo"])),
            "why": draw(st.dictionaries(TEXT, TEXT, max_size=2)),
        }
    )


@given(mapping=mappings())
def test_what_is_written_is_read_back_equal(mapping: Mapping) -> None:
    assert read(written(mapping), "x.yaml") == mapping


def test_every_shipped_mapping_is_read_back_equal_and_named_like_its_file() -> None:
    folder = Path(__file__).parents[4] / "twinning_pipelines" / "sources" / "finance" / "bank_csv" / "profiles"
    assert [mapping.name for mapping in shipped()] == [path.stem for path in sorted(folder.glob("*.yaml"))]
    assert all(read(written(mapping), "x.yaml") == mapping for mapping in shipped())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("sign: money out", "sign: negative"), r"my\.yaml: sign: 'negative'; allowed: 'signed'"),
        (("sign: money out", "sgin: money out"), r"my\.yaml: sgin: no such key; allowed: name, recognised_by, columns"),
        (("booked_on: 1", "payee: 1"), r"my\.yaml: columns: booked_on is missing"),
        (("amount: 3", "debit: 3"), r"my\.yaml: columns: amount is missing, or debit and credit"),
        (("amount: 3", "amount: 4"), r"columns\.amount: position 4; allowed: 1 to 3"),
        (("amount: 3", "amount: Betrag"), r"columns\.amount: a file without a header has positions, 1 to 3"),
        (("booked_on: 1", "boked_on: 1"), r"columns\.boked_on: 'boked_on'; allowed: 'booked_on'"),
        (("sign: money out", "dates: DDMM"), r"dates: 'DDMM'; allowed: \?, DMY, MDY, YMD or a pattern"),
        (("sign: money out", "encoding: klingon"), r"encoding: 'klingon' is no encoding; allowed:"),
        (("sign: money out", "currency: euro"), r"currency: 'euro'; allowed: \? or an ISO 4217 code"),
        (("sign: money out", "sign: words"), r"sign: words: columns\.direction is missing"),
        (("sign: money out", "sign: columns"), r"sign: 'columns' does not go with these columns; allowed:"),
        (("'.*', '.*'", "'(', '.*'"), r"recognised_by\.cells\.1: '\(' is no pattern"),
        (("name: my-bank", "name: [my"), r"my\.yaml: not YAML"),
        (("name: my-bank", "name: 2026-13-01"), r"my\.yaml: not YAML: month must be in 1"),
        (("name: my-bank", ""), r"my\.yaml: name: missing"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_says_which_file_which_key_and_what_is_allowed(change: tuple[str, str], said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        read(BY_POSITION.replace(*change), "mappings/my.yaml")


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.yaml").write_text(BY_POSITION.replace("my-bank", name), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a mapping", encoding="utf-8")
    assert [mapping.name for mapping in read_folder(tmp_path) if isinstance(mapping, Mapping)] == ["a", "b"]
    assert read_folder(tmp_path / "nothing") == ()

"""Numbers: one locale for a file, with evidence; every figure exact."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.formats import numbers
from twinning_pipelines.formats.numbers import Mark, NumberStyle


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1'234.56", "1234.56"),
        ("1’234.56", "1234.56"),
        ("1\u00a0234,56", "1234.56"),
        ("1\u202f234,56", "1234.56"),
        ("12,34,567.50", "1234567.50"),
        ("1.234.567", "1234567"),
        ("(12.00)", "-12.00"),
        ("(1.234,50)", "-1234.50"),
        ("-12,50", "-12.50"),
        ("\u221212,50", "-12.50"),
        ("12,50-", "-12.50"),
        ("12-", "-12"),
        ("+123", "123"),
        ("- 7.10", "-7.10"),
        ("$-3.00", "-3.00"),
        ("-$3.00", "-3.00"),
        ("12,00 €", "12.00"),
        (".5", "0.5"),
        ("5.", "5"),
        ("0,125", "0.125"),
        ("0", "0"),
        ("  8.50\u00a0", "8.50"),
    ],
)
def test_a_text_that_proves_its_locale_is_read(written: str, value: str) -> None:
    style = numbers.decide([written])
    assert str(style.read(written)) in {value, value.removeprefix("0"), f"{value}."}
    assert style.read(written) == Decimal(value)
    assert not style.ambiguous


@pytest.mark.parametrize(
    "written",
    [
        "12,3,4",
        "",
        "-",
        "--1",
        "(-1)",
        "1.2.3",
        "1 23",
        "12e3",
        "NaN",
        "Infinity",
        "0x1f",
        "١٢",
        "1_000",
        "abc",
        "CHF 12",
        "9" * 60,
    ],
)
def test_what_is_no_number_says_so(written: str) -> None:
    with pytest.raises(ValueError, match="not a number: "):
        numbers.decide([written]).read(written)


def test_the_reason_shows_the_text() -> None:
    with pytest.raises(ValueError, match=r"^not a number: '12,3,4'$"):
        NumberStyle().read("12,3,4")


@pytest.mark.parametrize("mark", [".", ","])
@pytest.mark.parametrize("written", ["8:31e999", "1x23y456", "12-34-567"])
def test_only_marks_group_digits_by_two_as_in_india(written: str, mark: Mark) -> None:
    with pytest.raises(ValueError, match="not a number: "):
        NumberStyle(mark).read(written)


def test_the_locale_is_decided_once_for_the_file() -> None:
    style = numbers.decide(["1,234", "12,50", "7"])
    assert style == NumberStyle(",", evidence="12,50")
    assert style.read("1,234") == Decimal("1.234")
    assert numbers.decide(["1,234", "12.50"]).read("1,234") == Decimal(1234)


def test_texts_are_not_read_across_their_ends() -> None:
    assert numbers.decide(["1.00", "", "-2.50"], ",") == NumberStyle(".", evidence="1.00")
    assert numbers.decide(["1.00\n2.00"], ",") == NumberStyle(",")


def test_one_file_does_not_change_its_locale_between_rows() -> None:
    style = numbers.decide(["1,50", "2,50", "3.50"])
    assert (style.decimal, style.contrary) == (",", "3.50")
    with pytest.raises(ValueError, match=r"not a number: '3\.50'"):
        style.read("3.50")


@pytest.mark.parametrize("default", [".", ","])
def test_a_file_that_proves_nothing_says_so_and_takes_the_default(default: Mark) -> None:
    style = numbers.decide(["1,234", "-2,500", "12"], default)
    assert (style.ambiguous, style.decimal, style.evidence) == (True, default, "")
    assert style.read("1,234") == (Decimal(1234) if default == "." else Decimal("1.234"))


def test_whole_numbers_are_not_ambiguous() -> None:
    assert numbers.decide(["12", "-7", "", "n/a"]) == NumberStyle()


def test_a_tie_takes_the_default() -> None:
    assert numbers.decide(["1,50", "2.50"], ",").decimal == ","


amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=2)


def in_style(value: Decimal, mark: str, group: str) -> str:
    return f"{value:,.2f}".replace(",", "_").replace(".", mark).replace("_", group)


@given(
    amounts, st.sampled_from([(".", ","), (".", "'"), (".", " "), (".", ""), (",", "."), (",", "\u202f"), (",", "")])
)
def test_every_amount_comes_back_exactly(value: Decimal, style: tuple[str, str]) -> None:
    written = in_style(value, *style)
    found = numbers.decide([written])
    assert found.decimal == style[0]
    assert found.read(written) == value


@given(st.lists(amounts, min_size=1), st.sampled_from([(".", ","), (",", ".")]))
def test_a_file_in_one_locale_proves_it(values: list[Decimal], style: tuple[str, str]) -> None:
    written = [in_style(value, *style) for value in values]
    found = numbers.decide(written)
    assert not found.ambiguous
    assert not found.contrary
    assert [found.read(each) for each in written] == values


@given(st.lists(st.sampled_from(["1.00", "-2.50", "12.345", "1,00", "0,5", "1.0", "7", "1.234.567,00"]), max_size=6))
def test_each_text_is_a_proof_of_its_own(texts: list[str]) -> None:
    dots = [text for text in texts if text in ("1.00", "-2.50", "1.0")]
    commas = [text for text in texts if "," in text]
    style = numbers.decide(texts)
    assert style.decimal == ("," if len(commas) > len(dots) else ".")
    proofs, others = (commas, dots) if style.decimal == "," else (dots, commas)
    assert (style.evidence, style.contrary) == (next(iter(proofs), ""), next(iter(others), ""))


@given(st.text(alphabet="0123456789.,'-+() \u202f$", max_size=14), st.sampled_from([".", ","]))
def test_anything_else_is_a_number_or_a_value_error(written: str, mark: Mark) -> None:
    try:
        outcome: object = NumberStyle(mark).read(written)
    except ValueError as reason:
        outcome = str(reason)
    assert str(outcome).startswith("not a number: ") or Decimal(str(outcome)).is_finite()

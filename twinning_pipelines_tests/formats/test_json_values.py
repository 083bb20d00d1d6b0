"""Decoded JSON to numbers, texts and the JSON that is stored."""

import json

import pytest

from twinning_pipelines.formats.json_values import (
    detail_of,
    json_of,
    list_of,
    number_of,
    object_of,
    optional_number,
    shown,
    text_of,
)


@pytest.mark.parametrize(("value", "wanted"), [(1, 1.0), (2.5, 2.5), ("3.5", 3.5), ("-1e3", -1000.0)])
def test_numbers_and_numbers_in_quotes(value: object, wanted: float) -> None:
    assert number_of("qty", value) == wanted


@pytest.mark.parametrize("value", [None, "", "x", True, [], {}, float("inf"), float("nan"), "inf", 10**400, "1,5"])
def test_what_is_no_number_names_its_field(value: object) -> None:
    with pytest.raises(ValueError, match=r"qty: (missing|not a number)"):
        number_of("qty", value)


def test_nothing_is_no_number_where_that_may_be() -> None:
    assert optional_number("qty", None) is optional_number("qty", "") is None
    with pytest.raises(ValueError, match="qty"):
        optional_number("qty", "x")


def test_texts_lists_and_objects_out_of_anything() -> None:
    anything: list[object] = [" a ", 1, 1.5, True, None, []]
    assert [text_of(value) for value in anything] == ["a", "1", "1.5", "", "", ""]
    assert list_of([1]) == [1]
    assert list_of("x") == []
    assert object_of("a", {"b": 1}) == {"b": 1}
    with pytest.raises(ValueError, match="a: missing"):
        object_of("a", None)
    with pytest.raises(ValueError, match="a: not an object: '12'"):
        object_of("a", 12)
    assert len(shown("x" * 500)) < 70


def test_details_are_sorted_say_something_and_are_json_in_any_case() -> None:
    assert detail_of({"b": 1, "a": "é", "c": None, "d": "", "e": [], "f": {}, "g": 0, "h": False}) == (
        '{"a":"é","b":1,"g":0,"h":false}'
    )
    assert detail_of({"a": None}) is None
    strange = json_of({"a": [float("inf"), {"b": float("nan")}]})
    assert json.loads(strange, parse_constant=pytest.fail) == {"a": ["inf", {"b": "nan"}]}

"""The templates, and the page that explains them."""

import csv
import os
from pathlib import Path

import pytest

from twinning_pipelines.original import Original
from twinning_pipelines.sources.catalogue import FOLDER, TEMPLATES, Template, columns_page
from twinning_pipelines_tests.goldens import notices, read, reasons

PAGE = Path(__file__).parents[2] / "docs" / "templates.md"
NAMES = [template.source.template for template in TEMPLATES]


def test_the_page_on_disk_is_the_one_the_code_writes() -> None:
    if os.environ.get("TWINNING_WRITE_GOLDENS") == "1":
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(columns_page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == columns_page()


def test_every_file_has_a_source_and_every_source_a_file() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.csv")) == sorted(filter(None, NAMES))


@pytest.mark.parametrize("template", TEMPLATES, ids=NAMES)
def test_a_template_reads_without_a_word(template: Template) -> None:
    assert template.source.recognises(Original.at(template.path))
    assert reasons(template.source, template.path) == []
    assert notices(template.source, template.path) == []
    assert len(read(template.source, template.path)) == 3


@pytest.mark.parametrize("template", TEMPLATES, ids=NAMES)
def test_headings_are_those_of_the_columns(template: Template) -> None:
    with template.path.open(encoding="utf-8", newline="") as stream:
        headings = next(csv.reader(stream))
    named = [column.headings[0] for column in template.table.columns]
    others = [heading for heading in headings if heading not in named]
    assert [heading for heading in headings if heading in named] == [name for name in named if name in headings]
    assert others == [] or template.table.rest is not None
    assert {column.headings[0] for column in template.table.columns if column.required} <= set(headings)

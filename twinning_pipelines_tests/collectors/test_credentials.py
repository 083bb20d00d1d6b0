"""The file of secrets: who may read it, what is wrong in it, and that no error quotes it."""

from datetime import date
from pathlib import Path

import pytest

from twinning_pipelines.collectors import credentials
from twinning_pipelines.collectors.credentials import FLEX_ADDRESS, Entry
from twinning_pipelines.errors import WrongUsage

SECRET = "S3CRET-0f-Ada"
URL = f"https://ada:{SECRET}@bridge.example/simplefin"


def file_of(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "collectors.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_home_without_the_file_has_no_entries(tmp_path: Path) -> None:
    assert credentials.read(tmp_path / "collectors.yaml") == []
    assert credentials.read(file_of(tmp_path, "# nobody yet\n")) == []


def test_entries_are_read_and_digits_stay_texts(tmp_path: Path) -> None:
    text = (
        f"- person: ada\n  simplefin: {{access_url: '{URL}', since: 2026-01-01, overlap_days: 7, pending: false}}\n"
        "- person: Ben O\n  name: trades\n  ibkr_flex:\n    token: 0123456789\n    query: 0042\n"
    )
    ada, ben = credentials.read(file_of(tmp_path, text))
    assert ada.simplefin is not None
    assert ada.simplefin.access_url.get_secret_value() == URL
    assert (ada.simplefin.since, ada.simplefin.overlap_days, ada.simplefin.pending) == (date(2026, 1, 1), 7, False)
    assert ben.ibkr_flex is not None
    assert (ben.ibkr_flex.token.get_secret_value(), ben.ibkr_flex.query) == ("0123456789", "0042")
    assert (ben.name, ben.kinds, ben.ibkr_flex.address) == ("trades", ("ibkr_flex",), FLEX_ADDRESS)
    assert SECRET not in repr(ada)
    assert SECRET not in str(ada)
    assert SECRET not in ada.model_dump_json()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620, 0o777])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = file_of(tmp_path, f"- person: ada\n  simplefin: {{access_url: '{URL}'}}\n", mode)
    with pytest.raises(WrongUsage, match=rf"collectors.yaml holds secrets.*mode {mode:04o}.*chmod 600"):
        credentials.read(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"- person: ada\n  simplefin: {{access_url: '{URL}', x: 1}}\n", r"entry 1.simplefin.x: Extra"),
        (f"- person: ada\n  simplefin: {{acess_url: '{URL}'}}\n", r"simplefin.access_url: Field required"),
        (f"- person: ada\n  simplefin:\n    {SECRET}: 1\n", r"simplefin.\(a key\): Extra inputs"),
        (f"- person: ada\n  simplefin: {SECRET}\n", r"entry 1.simplefin: "),
        (f"- person: ada\n  simplefin: {{access_url: '{SECRET}'}}\n", "must read https://name:password@host/path"),
        (
            f"- person: ada\n  simplefin: {{access_url: 'http://a:{SECRET}@far.example/x'}}\n",
            "must begin with https://",
        ),
        (f"- person: ada\n  simplefin: {{access_url: 'https://a:{SECRET}@[bad/x'}}\n", "must read"),
        (f"- person: ada\n  simplefin: {{access_url: '{URL}', overlap_days: {SECRET}}}\n", "overlap_days: "),
        (f"- person: ../{SECRET}\n  simplefin: {{access_url: '{URL}'}}\n", "entry 1.person: "),
        (f"- person: .ada\n  simplefin: {{access_url: '{URL}'}}\n", "entry 1.person: "),
        ("- person: ada\n", "names no provider"),
        (f"- person: ben\n  ibkr_flex: {{token: {SECRET}}}\n", "ibkr_flex.query: Field required"),
        (f"- person: ben\n  ibkr_flex: {{token: {SECRET}, query: {SECRET}}}\n", "ibkr_flex.query: "),
        (
            f"- person: ben\n  ibkr_flex: {{token: abc, query: 1, address: 'https://x.example/?t={SECRET}'}}\n",
            "token: ",
        ),
        (f"person: ada\nsimplefin: {{access_url: '{URL}'}}\n", "must be a YAML list"),
        (f"- {SECRET}\n", "must be a YAML list"),
        (f"- person: ada\n  simplefin: {{access_url: {URL}: x}}\n - {SECRET}", r"line \d"),
        (f"- person: ada\n  simplefin: {{access_url: '{SECRET}\n", r"line \d"),
        (f"- person: ada\n  simplefin: *{SECRET}\n", r"line 2"),
        (f"- !!python/object/apply:os.system ['{SECRET}']\n", r"line 1"),
        (f"- &a {{person: ada, simplefin: {{access_url: '{URL}'}}}}\n- *a\n", "ada has simplefin twice"),
    ],
)
def test_what_is_wrong_is_told_by_its_place_and_never_quoted(tmp_path: Path, text: str, said: str) -> None:
    path = file_of(tmp_path, text)
    with pytest.raises(WrongUsage, match=said) as wrong:
        credentials.read(path)
    assert SECRET not in str(wrong.value)
    assert wrong.value.__context__ is None


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    path = file_of(tmp_path, "")
    path.write_bytes(b"- person: \xff\xfe")
    with pytest.raises(WrongUsage, match="not UTF-8"):
        credentials.read(path)


def test_what_is_added_stands_beside_what_is_there_and_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "home" / "collectors.yaml"
    credentials.add(path, "ada", "", "simplefin", {"access_url": URL})
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(f"# mine\n{path.read_text()}")
    credentials.add(path, "ada", "", "ibkr_flex", {"token": "0123456789", "query": "7"})
    credentials.add(path, "ada", "trades", "ibkr_flex", {"token": "9876543210", "query": "8"})
    assert path.read_text().startswith("# mine\n")
    assert [(entry.person, entry.name, entry.kinds) for entry in credentials.read(path)] == [
        ("ada", "", ("simplefin",)),
        ("ada", "", ("ibkr_flex",)),
        ("ada", "trades", ("ibkr_flex",)),
    ]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_there_is_replaced_only_when_asked_and_keeps_its_options(tmp_path: Path) -> None:
    path = file_of(tmp_path, f"- person: ada\n  simplefin: {{access_url: '{URL}', overlap_days: 7}}\n")
    newer = URL.replace(SECRET, "newer")
    with pytest.raises(WrongUsage, match="--replace"):
        credentials.add(path, "ada", "", "simplefin", {"access_url": newer})
    credentials.add(path, "ada", "", "simplefin", {"access_url": newer}, replace=True)
    (entry,) = credentials.read(path)
    assert entry.simplefin is not None
    assert (entry.simplefin.access_url.get_secret_value(), entry.simplefin.overlap_days) == (newer, 7)
    assert SECRET not in path.read_text()


def test_a_list_in_one_line_can_be_added_to_as_well(tmp_path: Path) -> None:
    path = file_of(tmp_path, f"[{{person: ada, simplefin: {{access_url: '{URL}'}}}}]\n")
    credentials.add(path, "ben", "", "ibkr_flex", {"token": "0123456789", "query": "7"})
    assert [entry.person for entry in credentials.read(path)] == ["ada", "ben"]


def test_the_rehearsal_falls_over_what_the_writing_would(tmp_path: Path) -> None:
    path = file_of(tmp_path, f"- person: ada\n  simplefin: {{access_url: '{URL}'}}\n")
    with pytest.raises(WrongUsage, match="--replace"):
        credentials.rehearse(path, "ada", "", "simplefin", replace=False)
    with pytest.raises(WrongUsage, match="person"):
        credentials.rehearse(path, "../ben", "", "simplefin", replace=False)
    credentials.rehearse(path, "ben", "", "simplefin", replace=False)
    path.chmod(0o644)
    with pytest.raises(WrongUsage, match="chmod"):
        credentials.rehearse(path, "ben", "", "simplefin", replace=False)
    assert list(tmp_path.iterdir()) == [path]


def test_an_entry_may_have_both_providers() -> None:
    entry = Entry.model_validate(
        {"person": "ada", "simplefin": {"access_url": URL}, "ibkr_flex": {"token": "12345678", "query": "1"}}
    )
    assert entry.kinds == ("simplefin", "ibkr_flex")

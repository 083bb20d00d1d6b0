"""Exports as nobody would want them: Apple's layout, bent in every way that XML allows and in some that it does not."""

from collections.abc import Callable
from random import Random

KINDS = (
    ("HKQuantityTypeIdentifierHeartRate", "count/min"), ("HKQuantityTypeIdentifierStepCount", "count"),
    ("HKQuantityTypeIdentifierBodyMass", "lb"), ("HKQuantityTypeIdentifierFoo", "x"),
    ("HKQuantityTypeIdentifierHeartRateVariabilitySDNN", "ms"), ("HKCategoryTypeIdentifierSleepAnalysis", None),
    ("HKCategoryTypeIdentifierAppleStandHour", None), ("HKCategoryTypeIdentifierMindfulSession", None),
    ("HKDataTypeBar", None), ("HKQuantityTypeIdentifierBodyMass", "stone"),
)  # fmt: skip
NUMBERS = ("1", "72", "0.97", "1e3", "+2", "1,5", "-0", "1234567890.123456789", "", "abc", "nan", "9" * 70)
WORDS = (
    "HKCategoryValueSleepAnalysisInBed", "HKCategoryValueSleepAnalysisAsleepREM", "HKCategoryValueAppleStandHourIdle", "0",
    "HKCategoryValueNotApplicable", "", "soft", "Zé 👍", "a&amp;b", "&quot;", "&#10;", "&#x27;", "a>b", "w" * 200,
    'x" y="z', "a&b", "<", "a\tb", "\x0b7",
)  # fmt: skip
NAMES = (
    "Watch",
    "Robin’s iPhone",
    "Scale &amp; Co",
    "&lt;x&gt;",
    " Cafe\u0301 ",
    "&#x27;",
    "W" * 150,
    "",
    "A&b",
    "\x1f",
)
MODELS = (
    "name:Watch, model:Watch, hardware:Watch7,4",
    "model:iPhone, hardware:iPhone15,2",
    "name:Apple Watch, model:iPad",
)
MOMENTS = (
    "2024-03-31 03:00:00 +0200", "2024-03-31 02:59:59 +0200", "2024-02-29 23:59:59 -0930", "1999-12-31 00:00:00 +1245",
)  # fmt: skip
BAD_MOMENTS = ("2024-02-30 10:00:00 +0200", "2024-03-31T03:00:00 +0200", "", "0001-01-01 00:00:00 +0100", "2024-03-31")
BEATS = """  <HeartRateVariabilityMetadataList>
   <InstantaneousBeatsPerMinute bpm="57" time="1:00:03.86\u202fAM"/>
   <InstantaneousBeatsPerMinute bpm="58,5" time="00:20:37,80"/>
  </HeartRateVariabilityMetadataList>
"""
ENTRIES = (
    '  <MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="1"/>\n',
    '  <MetadataEntry key="HKTimeZone" value="Europe/Zurich"/>\n', '  <MetadataEntry key="HKTimeZone" value="Mars/X"/>\n',
    "  <MetadataEntry key='a &amp; b' value='&#10;'/>\n",
    '  <MetadataEntry key="a" value="1"/><MetadataEntry key="a" value="2"/>\n', BEATS,
    '  <Foo bar="1">\n   <Baz/>\n  </Foo>\n', "  <!-- <MetadataEntry/> -->\n", "\n", "  words\n", "  <![CDATA[ </Record> ]]>\n",
    " <MetadataEntry key='one' value='blank'/>\n", "</Record><Record>", "  <MetadataEntry key=\n", "\t<Me/>\r\n",
)  # fmt: skip
OTHERS = (
    ' <ExportDate value="2024-07-02 21:14:09 +0200"/>\n', "\n", " <!-- told -->\n", " <?told by nobody?>\n", " words\n",
    ' <Workout workoutActivityType="X" sourceName="W">\n  <MetadataEntry key="HKTimeZone" value="Europe/Rome"/>\n </Workout>\n',
    ' <Correlation type="X">\n  <Record type="HKQuantityTypeIdentifierStepCount"/>\n </Correlation>\n', " <![CDATA[ x ]]>\n",
    ' <Correlation type="X">\n <Record type="HKQuantityTypeIdentifierStepCount"/>\n </Correlation>\n', "<Me/>", " <Recorder/>\n",
    " <Record/>\n", " <Record>\n </Record>\n", "\t<Record\ttype='x'/>\n", "    <ActivitySummary/>\n",
    " <Workout>\n", " </Record>\n",
)  # fmt: skip
# The last ones make XML that no parser takes: rare, or nothing else would be seen.
_BROKEN_OTHERS = 2


def export(rng: Random) -> bytes:
    """One export; the same dice make the same."""
    broken = rng.random() < 0.3
    parts = [
        rng.choice(
            ('<HealthData locale="en_CH">\n', "<HealthData\n>\n", "<HealthData>", "<HealthData\n locale='>' >\n ")
        )
    ]
    if rng.random() < 0.2:
        parts.insert(0, '<?xml version="1.0"?>\n<!DOCTYPE HealthData [\n<!ATTLIST broken >>\n]>\n')
    oddness = rng.choice((0.0, 0.05, 0.3))
    head = _head(rng)
    for _ in range(rng.randrange(40)):
        if rng.random() < 0.3:
            head = _head(rng)
        record = _record(rng, head, oddness)
        if rng.random() < oddness:
            record = rng.choice(BENDS)(record, rng)
        parts.append(record)
        if rng.random() < max(oddness, 0.05):
            parts.append(rng.choice(OTHERS if broken else OTHERS[:-_BROKEN_OTHERS]))
    text = "".join([*parts, rng.choice(("</HealthData>\n", "</HealthData>", "\n</HealthData >\n\n"))]).encode()
    if rng.random() < 0.05:
        text = text.replace(b"\n", b"\r\n")
    return _damaged(text, rng) if broken else text


def _head(rng: Random) -> list[tuple[str, str]]:
    kind, unit = rng.choice(KINDS)
    head = [
        ("type", kind),
        ("sourceName", rng.choice(NAMES[:5] if rng.random() < 0.9 else NAMES)),
        ("sourceVersion", "10.5"),
    ]
    if rng.random() < 0.5:
        pointer = f"0x{rng.randrange(0x300000000, 0x3000000FF):x}"
        head.append(("device", f"&lt;&lt;HKDevice: {pointer}&gt;, {rng.choice(MODELS)}, software:10.5&gt;"))
    return head if unit is None else [*head, ("unit", unit)]


def _record(rng: Random, head: list[tuple[str, str]], oddness: float) -> str:
    kind = head[0][1]
    values = NUMBERS if "Quantity" in kind else WORDS
    value = rng.choice(values) if rng.random() < max(oddness, 0.1) else values[0]
    dates = [rng.choice(BAD_MOMENTS) if rng.random() < oddness / 4 else rng.choice(MOMENTS) for _ in range(3)]
    tail = [*zip(("creationDate", "startDate", "endDate"), dates, strict=True), ("value", value)]
    text = " <Record " + " ".join(f'{name}="{given}"' for name, given in [*head, *tail])
    if rng.random() < 0.6:
        return text + "/>\n"
    count = rng.randrange(3)
    entries = rng.choices(ENTRIES[:7] if rng.random() < 0.9 else ENTRIES, k=count)
    return text + ">\n" + "".join(entries) + " </Record>\n"


def _shuffled(record: str, rng: Random) -> str:
    tag, end, rest = record.partition('"/>' if '"/>' in record.split("\n", maxsplit=1)[0] else '">')
    attributes = (tag.removeprefix(" <Record ") + '"').split('" ')
    attributes = [each if each.endswith('"') else each + '"' for each in attributes]
    rng.shuffle(attributes)
    return " <Record " + " ".join(attributes) + end[1:] + rest


def _without_one(record: str, rng: Random) -> str:
    name = rng.choice(("type", "sourceName", "unit", "creationDate", "startDate", "endDate", "value", "device"))
    before, found, rest = record.partition(f' {name}="')
    return before + rest.partition('"')[2] if found else record


def _broken_line(record: str, rng: Random) -> str:
    blanks = [place for place, letter in enumerate(record) if letter == " "]
    place = rng.choice(blanks)
    return record[:place] + rng.choice(("\n", "\n    ", "\t", "\r\n", "  ")) + record[place + 1 :]


BENDS: tuple[Callable[[str, Random], str], ...] = (
    _shuffled, _without_one, _broken_line,
    lambda record, _: record.replace('"', "'"),
    lambda record, _: record.replace("\n", "\r\n"),
    lambda record, _: record.replace("\n", ""),
    lambda record, _: record.replace(" <Record", "<Record", 1),
    lambda record, _: record.replace(" <Record", "    <Record", 1),
    lambda record, _: record.replace(' value="', ' foo="bar" value="', 1),
    lambda record, _: record.replace(' value="', ' endDate="2024-03-31 03:00:00 +0200" value="', 1),
    lambda record, _: record.replace(' type="', ' value="7" type="', 1),
    lambda record, _: record.replace(' type="', ' note="a\n b" type="', 1),
    lambda record, _: record.replace(' type="', ' note="> creationDate=" type="', 1),
    lambda record, _: record.replace('"/>', '" />', 1),
    lambda record, _: record.replace("/>", "></Record>", 1),
    lambda record, _: record.replace(" ", "\x00 ", 2),
    lambda record, _: record.replace("e", "\x0be", 3),
    lambda record, _: f" <!--\n{record.replace('--', '')}-->\n",
    lambda record, _: f" <!-- one -->{record}<!-- two -->",
    lambda record, _: f" <Box>\n{record} </Box>\n",
    lambda record, _: f" <![CDATA[\n{record}]]>\n",
    lambda record, _: record.rstrip("\n") + record,
    lambda record, _: record.rstrip("\n") + "  \n",
    lambda record, _: record + "\n",
    lambda record, _: record.replace("<Record", "<Recórd"),
    lambda record, _: record.replace(" </Record>", "</Record>").replace("   <", " <"),
)  # fmt: skip


def _damaged(text: bytes, rng: Random) -> bytes:
    place = rng.randrange(len(text))
    how = rng.randrange(5)
    if how == 0:
        return text[:place]
    if how == 1:
        return text[:place] + bytes([rng.randrange(256)]) + text[place + 1 :]
    if how == 2:
        return (
            text[:place]
            + rng.choice((b"<", b">", b'"', b"&", b"\0", b"\n", b"</Record>", b"<!--", b"\xff"))
            + text[place:]
        )
    if how == 3:
        return text[:place] + text[place + rng.randrange(1, 60) :]
    return text

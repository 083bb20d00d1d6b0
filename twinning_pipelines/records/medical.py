"""What a doctor would ask for: electrocardiograms, hearing and eye tests, doses, moods, traits, documents, lab results."""

from twinning_pipelines.records.record import COUNT, DAY, INSTANT, JSON, NUMBER, TEXT, Field, Record
from twinning_pipelines.records.rules import NOT_BLANK, PLAUSIBLE_DAY, PLAUSIBLE_INSTANT, between, one_of
from twinning_pipelines.records.sessions import DETAIL, ENDED, ORIGIN, STARTED

_AT = Field("told_at", INSTANT, "when, UTC", required=True, rules=(PLAUSIBLE_INSTANT,))

ELECTROCARDIOGRAM = Record(
    name="electrocardiogram",
    domain="health",
    meaning="one electrocardiogram with its whole curve",
    fields=(
        ORIGIN,
        STARTED,
        Field("classification", TEXT, "what the device made of it, in its words"),
        Field("symptoms", TEXT, "what the person noted"),
        Field("lead", TEXT, "the lead, as printed"),
        Field("rate_hz", NUMBER, "voltages a second", rules=(between(1, 10_000),)),
        Field("n", COUNT, "how many voltages", required=True, rules=(between(1, 10_000_000),)),
        Field("microvolts", JSON, "the voltages in order, microvolts, a JSON list", required=True),
        DETAIL,
    ),
    identity=("origin", "started_at"),
    window="started_at",
)

CORRELATION = Record(
    name="correlation",
    domain="health",
    meaning="samples that belong together: the two values of a blood pressure, the nutrients of a food",
    fields=(
        Field("kind", TEXT, "blood_pressure, food, …", required=True, rules=(NOT_BLANK,)),
        ORIGIN,
        STARTED,
        ENDED,
        Field(
            "members", JSON, "a JSON list of [metric, started_at, value]; each is a sample of its own", required=True
        ),
        DETAIL,
    ),
    identity=("kind", "origin", "started_at"),
    window="started_at",
    scope=("origin",),
)

HEARING = Record(
    name="hearing_threshold",
    domain="health",
    meaning="one frequency of a hearing test",
    fields=(
        ORIGIN,
        _AT,
        Field("frequency_hz", NUMBER, "hertz", required=True, rules=(between(1, 100_000),)),
        Field("left_db", NUMBER, "the left ear's threshold, dB HL", rules=(between(-50, 200),)),
        Field("right_db", NUMBER, "the right ear's threshold, dB HL", rules=(between(-50, 200),)),
        DETAIL,
    ),
    identity=("origin", "told_at", "frequency_hz"),
    window="told_at",
)

PRESCRIPTION = Record(
    name="vision_prescription",
    domain="health",
    meaning="one prescription of glasses or contact lenses",
    fields=(
        Field("kind", TEXT, "glasses or contacts", required=True, rules=(NOT_BLANK,)),
        Field("issued_on", DAY, "the day of issue", required=True, rules=(PLAUSIBLE_DAY,)),
        Field("expires_on", DAY, "the day it ends"),
        Field("brand", TEXT, "the brand of the lenses"),
        Field("right_eye", JSON, "the values of the right eye, a JSON object"),
        Field("left_eye", JSON, "the values of the left eye, a JSON object"),
        DETAIL,
    ),
    identity=("kind", "issued_on"),
    window="issued_on",
)

MOOD = Record(
    name="mood",
    domain="health",
    meaning="a state of mind that a person logged",
    fields=(
        ORIGIN,
        _AT,
        Field("kind", TEXT, "momentary_emotion or daily_mood", required=True, rules=(NOT_BLANK,)),
        Field("valence", NUMBER, "from -1, very unpleasant, to 1, very pleasant", rules=(between(-1, 1),)),
        Field("labels", TEXT, "the feelings, separated by commas"),
        Field("associations", TEXT, "what it has to do with, separated by commas"),
        DETAIL,
    ),
    identity=("origin", "told_at", "kind"),
    window="told_at",
)

DOSE = Record(
    name="medication_dose",
    domain="health",
    meaning="a dose of a medication: taken, skipped or missed",
    fields=(
        ORIGIN,
        _AT,
        Field("medication", TEXT, "its name", required=True, rules=(NOT_BLANK,)),
        Field("status", TEXT, "taken, skipped, … in the source's words, lower case"),
        Field("amount", NUMBER, "how much"),
        Field("unit", TEXT, "of what: tablet, mg, …"),
        DETAIL,
    ),
    identity=("origin", "told_at", "medication"),
    window="told_at",
)

TRAIT = Record(
    name="personal_trait",
    domain="health",
    meaning="what hardly changes about a person: birth date, sex, blood type, skin type",
    fields=(
        Field("trait", TEXT, "its name", required=True, rules=(NOT_BLANK,)),
        Field("value", TEXT, "its value", required=True),
    ),
    identity=("trait",),
    window=None,
)

DOCUMENT = Record(
    name="clinical_document",
    domain="health",
    meaning="a document of a health record, kept in the archived original and listed here",
    fields=(
        Field("kind", TEXT, "allergy, condition, immunization, …", required=True, rules=(NOT_BLANK,)),
        Field("identifier", TEXT, "its identifier at the institution", required=True),
        ORIGIN,
        Field("received_at", INSTANT, "when it was received, UTC", rules=(PLAUSIBLE_INSTANT,)),
        Field("fhir_version", TEXT, "the version of FHIR it is written in"),
        Field("path", TEXT, "where it stands in the original"),
        Field("bytes", COUNT, "its size; null when the file is missing from the original"),
        Field("sha256", TEXT, "its digest"),
        DETAIL,
    ),
    identity=("kind", "identifier", "origin"),
    window=None,
)

LAB_RESULT = Record(
    name="lab_result",
    domain="health",
    meaning="one value of a laboratory report",
    fields=(
        Field("day", DAY, "the day the specimen was taken", required=True, rules=(PLAUSIBLE_DAY,)),
        Field("analyte", TEXT, "what was measured", required=True, rules=(NOT_BLANK,)),
        Field("value", NUMBER, "the value, in its unit"),
        Field("text", TEXT, "the result where it is no number: negative, < 0.5"),
        Field("unit", TEXT, "the unit as printed"),
        Field("low", NUMBER, "the lower end of the reference range"),
        Field("high", NUMBER, "the upper end of the reference range"),
        Field("flag", TEXT, "low, normal or high", rules=(one_of(("low", "normal", "high")),)),
        Field("laboratory", TEXT, "who measured it", required=True),
        Field("note", TEXT, "a remark"),
    ),
    identity=("day", "analyte", "laboratory"),
    window="day",
)

RECORDS = (ELECTROCARDIOGRAM, CORRELATION, HEARING, PRESCRIPTION, MOOD, DOSE, TRAIT, DOCUMENT, LAB_RESULT)

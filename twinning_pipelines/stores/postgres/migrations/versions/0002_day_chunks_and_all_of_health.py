"""Samples by the day, and everything else that health exports hold."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the new tables, moves the samples into chunks of a day, and shows them one by one again."""
    op.create_table(
        "sample_chunk",
        sa.Column("person_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("metric_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("origin_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("started_at", postgresql.ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.Column("ended_at", postgresql.ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.Column("value", postgresql.ARRAY(sa.DOUBLE_PRECISION()), nullable=False),
        sa.Column("label", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("detail", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("at", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("file_ids", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.PrimaryKeyConstraint("person_id", "metric_id", "day", "origin_id", name=op.f("sample_chunk_pkey")),
    )
    op.create_table(
        "night",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="the local day on which one wakes"),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_bed_min", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("asleep_min", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("core_min", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("deep_min", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("rem_min", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("awake_min", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind in ('night', 'nap')", name=op.f("night_kind_check")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("night_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", "day", "number", name=op.f("night_pkey")),
    )
    op.create_table(
        "origin_preference",
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("origin_preference_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", "place", name=op.f("origin_preference_pkey")),
    )
    op.create_table(
        "clinical_document",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False, comment="allergy, condition, immunization, …"),
        sa.Column("identifier", sa.Text(), nullable=False, comment="its identifier at the institution"),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="the device or app that recorded it, as it calls itself"
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True, comment="when it was received, UTC"),
        sa.Column("fhir_version", sa.Text(), nullable=True, comment="the version of FHIR it is written in"),
        sa.Column("path", sa.Text(), nullable=True, comment="where it stands in the original"),
        sa.Column(
            "bytes", sa.BigInteger(), nullable=True, comment="its size; null when the file is missing from the original"
        ),
        sa.Column("sha256", sa.Text(), nullable=True, comment="its digest"),
        sa.Column(
            "detail",
            postgresql.JSONB(),
            nullable=True,
            comment="what else the source says of it, as one JSON object with sorted keys",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("clinical_document_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("clinical_document_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("clinical_document_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "kind", "identifier", "origin", "occurrence", name="clinical_document_identity_key"
        ),
        comment="a document of a health record, kept in the archived original and listed here",
    )
    op.create_index(op.f("clinical_document_file_id_idx"), "clinical_document", ["file_id"], unique=False)
    op.create_table(
        "correlation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False, comment="blood_pressure, food, …"),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="the device or app that recorded it, as it calls itself"
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="when it began, UTC"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False, comment="when it ended, UTC"),
        sa.Column(
            "members",
            postgresql.JSONB(),
            nullable=False,
            comment="a JSON list of [metric, started_at, value]; each is a sample of its own",
        ),
        sa.Column(
            "detail",
            postgresql.JSONB(),
            nullable=True,
            comment="what else the source says of it, as one JSON object with sorted keys",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("correlation_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("correlation_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("correlation_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "kind", "origin", "started_at", "occurrence", name="correlation_identity_key"
        ),
        comment="samples that belong together: the two values of a blood pressure, the nutrients of a food",
    )
    op.create_index(op.f("correlation_file_id_idx"), "correlation", ["file_id"], unique=False)
    op.create_index(
        op.f("correlation_person_id_started_at_idx"), "correlation", ["person_id", "started_at"], unique=False
    )
    op.create_table(
        "electrocardiogram",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="the device or app that recorded it, as it calls itself"
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="when it began, UTC"),
        sa.Column("classification", sa.Text(), nullable=True, comment="what the device made of it, in its words"),
        sa.Column("symptoms", sa.Text(), nullable=True, comment="what the person noted"),
        sa.Column("lead", sa.Text(), nullable=True, comment="the lead, as printed"),
        sa.Column("rate_hz", sa.DOUBLE_PRECISION(), nullable=True, comment="voltages a second"),
        sa.Column("n", sa.BigInteger(), nullable=False, comment="how many voltages"),
        sa.Column(
            "microvolts", postgresql.JSONB(), nullable=False, comment="the voltages in order, microvolts, a JSON list"
        ),
        sa.Column(
            "detail",
            postgresql.JSONB(),
            nullable=True,
            comment="what else the source says of it, as one JSON object with sorted keys",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("electrocardiogram_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("electrocardiogram_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("electrocardiogram_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "origin", "started_at", "occurrence", name="electrocardiogram_identity_key"
        ),
        comment="one electrocardiogram with its whole curve",
    )
    op.create_index(op.f("electrocardiogram_file_id_idx"), "electrocardiogram", ["file_id"], unique=False)
    op.create_index(
        op.f("electrocardiogram_person_id_started_at_idx"),
        "electrocardiogram",
        ["person_id", "started_at"],
        unique=False,
    )
    op.create_table(
        "hearing_threshold",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="the device or app that recorded it, as it calls itself"
        ),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False, comment="when, UTC"),
        sa.Column("frequency_hz", sa.DOUBLE_PRECISION(), nullable=False, comment="hertz"),
        sa.Column("left_db", sa.DOUBLE_PRECISION(), nullable=True, comment="the left ear's threshold, dB HL"),
        sa.Column("right_db", sa.DOUBLE_PRECISION(), nullable=True, comment="the right ear's threshold, dB HL"),
        sa.Column(
            "detail",
            postgresql.JSONB(),
            nullable=True,
            comment="what else the source says of it, as one JSON object with sorted keys",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("hearing_threshold_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("hearing_threshold_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("hearing_threshold_pkey")),
        sa.UniqueConstraint(
            "person_id",
            "source",
            "origin",
            "told_at",
            "frequency_hz",
            "occurrence",
            name="hearing_threshold_identity_key",
        ),
        comment="one frequency of a hearing test",
    )
    op.create_index(op.f("hearing_threshold_file_id_idx"), "hearing_threshold", ["file_id"], unique=False)
    op.create_index(
        op.f("hearing_threshold_person_id_told_at_idx"), "hearing_threshold", ["person_id", "told_at"], unique=False
    )
    op.create_table(
        "lab_result",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("day", sa.Date(), nullable=False, comment="the day the specimen was taken"),
        sa.Column("analyte", sa.Text(), nullable=False, comment="what was measured"),
        sa.Column("value", sa.DOUBLE_PRECISION(), nullable=True, comment="the value, in its unit"),
        sa.Column("text", sa.Text(), nullable=True, comment="the result where it is no number: negative, < 0.5"),
        sa.Column("unit", sa.Text(), nullable=True, comment="the unit as printed"),
        sa.Column("low", sa.DOUBLE_PRECISION(), nullable=True, comment="the lower end of the reference range"),
        sa.Column("high", sa.DOUBLE_PRECISION(), nullable=True, comment="the upper end of the reference range"),
        sa.Column("flag", sa.Text(), nullable=True, comment="low, normal or high"),
        sa.Column("laboratory", sa.Text(), nullable=False, comment="who measured it"),
        sa.Column("note", sa.Text(), nullable=True, comment="a remark"),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("lab_result_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("lab_result_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("lab_result_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "day", "analyte", "laboratory", "occurrence", name="lab_result_identity_key"
        ),
        comment="one value of a laboratory report",
    )
    op.create_index(op.f("lab_result_file_id_idx"), "lab_result", ["file_id"], unique=False)
    op.create_index(op.f("lab_result_person_id_day_idx"), "lab_result", ["person_id", "day"], unique=False)
    op.create_table(
        "medication_dose",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="the device or app that recorded it, as it calls itself"
        ),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False, comment="when, UTC"),
        sa.Column("medication", sa.Text(), nullable=False, comment="its name"),
        sa.Column("status", sa.Text(), nullable=True, comment="taken, skipped, … in the source's words, lower case"),
        sa.Column("amount", sa.DOUBLE_PRECISION(), nullable=True, comment="how much"),
        sa.Column("unit", sa.Text(), nullable=True, comment="of what: tablet, mg, …"),
        sa.Column(
            "detail",
            postgresql.JSONB(),
            nullable=True,
            comment="what else the source says of it, as one JSON object with sorted keys",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("medication_dose_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("medication_dose_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("medication_dose_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "origin", "told_at", "medication", "occurrence", name="medication_dose_identity_key"
        ),
        comment="a dose of a medication: taken, skipped or missed",
    )
    op.create_index(op.f("medication_dose_file_id_idx"), "medication_dose", ["file_id"], unique=False)
    op.create_index(
        op.f("medication_dose_person_id_told_at_idx"), "medication_dose", ["person_id", "told_at"], unique=False
    )
    op.create_table(
        "mood",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="the device or app that recorded it, as it calls itself"
        ),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False, comment="when, UTC"),
        sa.Column("kind", sa.Text(), nullable=False, comment="momentary_emotion or daily_mood"),
        sa.Column(
            "valence", sa.DOUBLE_PRECISION(), nullable=True, comment="from -1, very unpleasant, to 1, very pleasant"
        ),
        sa.Column("labels", sa.Text(), nullable=True, comment="the feelings, separated by commas"),
        sa.Column("associations", sa.Text(), nullable=True, comment="what it has to do with, separated by commas"),
        sa.Column(
            "detail",
            postgresql.JSONB(),
            nullable=True,
            comment="what else the source says of it, as one JSON object with sorted keys",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("mood_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("mood_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("mood_pkey")),
        sa.UniqueConstraint("person_id", "source", "origin", "told_at", "kind", "occurrence", name="mood_identity_key"),
        comment="a state of mind that a person logged",
    )
    op.create_index(op.f("mood_file_id_idx"), "mood", ["file_id"], unique=False)
    op.create_index(op.f("mood_person_id_told_at_idx"), "mood", ["person_id", "told_at"], unique=False)
    op.create_table(
        "personal_trait",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trait", sa.Text(), nullable=False, comment="its name"),
        sa.Column("value", sa.Text(), nullable=False, comment="its value"),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("personal_trait_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("personal_trait_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("personal_trait_pkey")),
        sa.UniqueConstraint("person_id", "source", "trait", "occurrence", name="personal_trait_identity_key"),
        comment="what hardly changes about a person: birth date, sex, blood type, skin type",
    )
    op.create_index(op.f("personal_trait_file_id_idx"), "personal_trait", ["file_id"], unique=False)
    op.create_table(
        "route",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("name", sa.Text(), nullable=False, comment="the file it stands in, or its own name"),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="the device or app that recorded it, as it calls itself"
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="when it began, UTC"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False, comment="when it ended, UTC"),
        sa.Column(
            "workout_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when its workout began, UTC, where one is known",
        ),
        sa.Column("points", sa.BigInteger(), nullable=False, comment="how many points it has"),
        sa.Column("distance_m", sa.DOUBLE_PRECISION(), nullable=True, comment="metres along the points"),
        sa.Column("ascent_m", sa.DOUBLE_PRECISION(), nullable=True, comment="metres up, of all rises between points"),
        sa.Column(
            "track",
            postgresql.JSONB(),
            nullable=False,
            comment="the points in order, each [seconds since started_at, latitude, longitude, elevation in m, speed in m/s, course in degrees, horizontal accuracy in m, vertical accuracy in m]; null for what is not given",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("route_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("route_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("route_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "name", "origin", "started_at", "occurrence", name="route_identity_key"
        ),
        comment="one recorded track: where a workout led",
    )
    op.create_index(op.f("route_file_id_idx"), "route", ["file_id"], unique=False)
    op.create_index(op.f("route_person_id_started_at_idx"), "route", ["person_id", "started_at"], unique=False)
    op.create_table(
        "series_coverage",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("metric_id", sa.SmallInteger(), nullable=False),
        sa.Column("origin_id", sa.Integer(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["intake_file.id"], name=op.f("series_coverage_file_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["metric_id"], ["metric.id"], name=op.f("series_coverage_metric_id_fkey")),
        sa.ForeignKeyConstraint(["origin_id"], ["origin.id"], name=op.f("series_coverage_origin_id_fkey")),
        sa.PrimaryKeyConstraint("file_id", "metric_id", "origin_id", name=op.f("series_coverage_pkey")),
    )
    op.create_table(
        "sleep_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="the device or app that recorded it, as it calls itself"
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="when it began, UTC"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False, comment="when it ended, UTC"),
        sa.Column("nap", sa.Text(), nullable=True, comment="'nap' or 'night', where the source tells them apart"),
        sa.Column("in_bed_min", sa.DOUBLE_PRECISION(), nullable=True, comment="minutes in bed"),
        sa.Column("asleep_min", sa.DOUBLE_PRECISION(), nullable=True, comment="minutes asleep"),
        sa.Column("awake_min", sa.DOUBLE_PRECISION(), nullable=True, comment="minutes awake"),
        sa.Column("core_min", sa.DOUBLE_PRECISION(), nullable=True, comment="minutes of light (core) sleep"),
        sa.Column("deep_min", sa.DOUBLE_PRECISION(), nullable=True, comment="minutes of deep sleep"),
        sa.Column("rem_min", sa.DOUBLE_PRECISION(), nullable=True, comment="minutes of REM sleep"),
        sa.Column("quality", sa.DOUBLE_PRECISION(), nullable=True, comment="the source's own score, 0 to 1"),
        sa.Column("zone", sa.Text(), nullable=True, comment="the IANA zone where it happened, when the source says so"),
        sa.Column(
            "detail",
            postgresql.JSONB(),
            nullable=True,
            comment="what else the source says of it, as one JSON object with sorted keys",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("sleep_session_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("sleep_session_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("sleep_session_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "origin", "started_at", "occurrence", name="sleep_session_identity_key"
        ),
        comment="one sleep as its source sums it up: a night or a nap",
    )
    op.create_index(op.f("sleep_session_file_id_idx"), "sleep_session", ["file_id"], unique=False)
    op.create_index(
        op.f("sleep_session_person_id_started_at_idx"), "sleep_session", ["person_id", "started_at"], unique=False
    )
    op.create_table(
        "telling",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("telling_file_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "record", name=op.f("telling_pkey")),
    )
    op.create_table(
        "vision_prescription",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False, comment="glasses or contacts"),
        sa.Column("issued_on", sa.Date(), nullable=False, comment="the day of issue"),
        sa.Column("expires_on", sa.Date(), nullable=True, comment="the day it ends"),
        sa.Column("brand", sa.Text(), nullable=True, comment="the brand of the lenses"),
        sa.Column("right_eye", postgresql.JSONB(), nullable=True, comment="the values of the right eye, a JSON object"),
        sa.Column("left_eye", postgresql.JSONB(), nullable=True, comment="the values of the left eye, a JSON object"),
        sa.Column(
            "detail",
            postgresql.JSONB(),
            nullable=True,
            comment="what else the source says of it, as one JSON object with sorted keys",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("vision_prescription_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("vision_prescription_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("vision_prescription_pkey")),
        sa.UniqueConstraint(
            "person_id", "source", "kind", "issued_on", "occurrence", name="vision_prescription_identity_key"
        ),
        comment="one prescription of glasses or contact lenses",
    )
    op.create_index(op.f("vision_prescription_file_id_idx"), "vision_prescription", ["file_id"], unique=False)
    op.create_index(
        op.f("vision_prescription_person_id_issued_on_idx"),
        "vision_prescription",
        ["person_id", "issued_on"],
        unique=False,
    )
    op.create_table(
        "workout_part",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("part", sa.Text(), nullable=False, comment="activity, lap, event or statistic"),
        sa.Column(
            "name", sa.Text(), nullable=False, comment="the activity, the kind of event, or the metric of the statistic"
        ),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="the device or app that recorded it, as it calls itself"
        ),
        sa.Column("workout_at", sa.DateTime(timezone=True), nullable=False, comment="when its workout began, UTC"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="when it began, UTC"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="when it ended, UTC"),
        sa.Column("duration_min", sa.DOUBLE_PRECISION(), nullable=True, comment="minutes"),
        sa.Column("total", sa.DOUBLE_PRECISION(), nullable=True, comment="the sum of a statistic, in its unit"),
        sa.Column("mean", sa.DOUBLE_PRECISION(), nullable=True, comment="the average of a statistic, in its unit"),
        sa.Column(
            "low", sa.DOUBLE_PRECISION(), nullable=True, comment="the smallest value of a statistic, in its unit"
        ),
        sa.Column(
            "high", sa.DOUBLE_PRECISION(), nullable=True, comment="the largest value of a statistic, in its unit"
        ),
        sa.Column(
            "unit",
            sa.Text(),
            nullable=True,
            comment="the unit of a statistic: the canonical one of its metric where that is registered",
        ),
        sa.Column(
            "detail",
            postgresql.JSONB(),
            nullable=True,
            comment="what else the source says of it, as one JSON object with sorted keys",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["intake_file.id"], name=op.f("workout_part_file_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("workout_part_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("workout_part_pkey")),
        sa.UniqueConstraint(
            "person_id",
            "source",
            "part",
            "name",
            "origin",
            "workout_at",
            "started_at",
            "occurrence",
            name="workout_part_identity_key",
        ),
        comment="what a workout is made of: its activities, laps, events and statistics",
    )
    op.create_index(op.f("workout_part_file_id_idx"), "workout_part", ["file_id"], unique=False)
    op.create_index(
        op.f("workout_part_person_id_workout_at_idx"), "workout_part", ["person_id", "workout_at"], unique=False
    )
    op.drop_index(op.f("daily_rollup_metric_id_day_idx"), table_name="daily_rollup")
    op.drop_constraint(op.f("daily_rollup_origin_id_fkey"), "daily_rollup", type_="foreignkey")
    op.drop_constraint(op.f("daily_rollup_metric_id_fkey"), "daily_rollup", type_="foreignkey")
    op.drop_constraint(op.f("daily_rollup_person_id_fkey"), "daily_rollup", type_="foreignkey")
    op.add_column("origin", sa.Column("device", sa.Text(), server_default="other", nullable=False))
    op.add_column("workout", sa.Column("ascent_m", sa.DOUBLE_PRECISION(), nullable=True, comment="metres climbed"))
    op.add_column(
        "workout",
        sa.Column("heart_rate_mean", sa.DOUBLE_PRECISION(), nullable=True, comment="mean heart rate, beats a minute"),
    )
    op.add_column(
        "workout",
        sa.Column("heart_rate_max", sa.DOUBLE_PRECISION(), nullable=True, comment="highest heart rate, beats a minute"),
    )
    op.add_column(
        "workout",
        sa.Column(
            "detail",
            postgresql.JSONB(),
            nullable=True,
            comment="what else the source says of it, as one JSON object with sorted keys",
        ),
    )
    op.create_check_constraint(op.f("origin_device_check"), "origin", "device in ('watch', 'phone', 'other')")
    for statement in _CHUNKS:
        op.execute(statement)


_CHUNKS = (
    *(
        f"alter table sample_chunk alter {name} set storage external"
        for name in ("started_at", "ended_at", "value", "at")
    ),
    """insert into sample_chunk (person_id, metric_id, day, origin_id, n, digest, file_id, started_at, ended_at, value,
            label, detail, at, file_ids)
        select person_id, metric_id, (started_at at time zone 'UTC')::date, origin_id, count(*), 0, max(file_id),
            array_agg(started_at order by started_at, ended_at, occurrence),
            array_agg(ended_at order by started_at, ended_at, occurrence),
            array_agg(value order by started_at, ended_at, occurrence),
            case when count(label) > 0 then array_agg(label order by started_at, ended_at, occurrence) end,
            null,
            array_agg(at order by started_at, ended_at, occurrence),
            case when min(file_id) <> max(file_id) then array_agg(file_id order by started_at, ended_at, occurrence) end
        from sample group by 1, 2, 3, 4""",
    """insert into series_coverage (file_id, metric_id, origin_id, first, last)
        select c.file_id, m.id, o.id, c.first::date, c.last::date
        from coverage c join intake_file f on f.id = c.file_id
        join metric m on m.name = split_part(c.scope, chr(31), 1)
        join origin o on o.name = split_part(c.scope, chr(31), 2) and o.source = f.source
        where c.record = 'sample'""",
    """insert into metric (name, unit, total, registered)
        select 'sleep_stage', 'min', 'none', true from sleep_stage limit 1""",
    """insert into origin (source, name) select distinct source, origin from sleep_stage on conflict do nothing""",
    """insert into sample_chunk (person_id, metric_id, day, origin_id, n, digest, file_id, started_at, ended_at, value,
            label, detail, at, file_ids)
        select s.person_id, m.id, (s.started_at at time zone 'UTC')::date, o.id, count(*), 0, max(s.file_id),
            array_agg(s.started_at order by s.started_at, s.ended_at, s.id),
            array_agg(s.ended_at order by s.started_at, s.ended_at, s.id),
            array_agg((extract(epoch from s.ended_at - s.started_at) / 60)::double precision
                order by s.started_at, s.ended_at, s.id),
            array_agg(s.stage order by s.started_at, s.ended_at, s.id),
            case when count(s.zone) > 0 then array_agg(case when s.zone is not null
                then '{"zone":' || to_json(s.zone)::text || '}' end order by s.started_at, s.ended_at, s.id) end,
            array_agg(s.at order by s.started_at, s.ended_at, s.id),
            array_agg(s.file_id order by s.started_at, s.ended_at, s.id)
        from sleep_stage s join metric m on m.name = 'sleep_stage'
        join origin o on o.source = s.source and o.name = s.origin
        where s.absent_since is null group by 1, 2, 3, 4""",
    """insert into series_coverage (file_id, metric_id, origin_id, first, last)
        select c.file_id, m.id, o.id, c.first::date, c.last::date
        from coverage c join intake_file f on f.id = c.file_id
        join metric m on m.name = 'sleep_stage' join origin o on o.name = c.scope and o.source = f.source
        where c.record = 'sleep_stage'""",
    "delete from coverage where record in ('sample', 'sleep_stage')",
    """insert into stale_day (person_id, day)
        select distinct person_id, ended_at::date + shift from sleep_stage, generate_series(-1, 1) as shift
        on conflict do nothing""",
    "drop table sleep_stage, sample, sample_block, influx_outbox, stale_rollup",
    """create table stale_rollup (
        person_id smallint not null constraint stale_rollup_person_id_fkey references person,
        metric_id smallint not null constraint stale_rollup_metric_id_fkey references metric,
        first date not null, last date not null)""",
    """create table influx_outbox (
        id bigint generated always as identity constraint influx_outbox_pkey primary key,
        person_id smallint not null constraint influx_outbox_person_id_fkey references person,
        metric_id smallint not null constraint influx_outbox_metric_id_fkey references metric,
        first date not null, last date not null, purge boolean not null)""",
    """update origin set device = case when name ilike '%watch%' then 'watch' else 'phone' end
        where name ~* 'watch|(?<!head)(?<!ear)phone|pixel|galaxy'""",
    # Days are totalled in another way now, and what InfluxDB holds is written again.
    """insert into stale_rollup (person_id, metric_id, first, last)
        select person_id, metric_id, min(day) - 1, max(day) + 1 from sample_chunk group by 1, 2""",
    """insert into stale_day (person_id, day)
        select distinct person_id, generate_series(first, last, interval '1 day')::date from stale_rollup
        on conflict do nothing""",
    """insert into influx_outbox (person_id, metric_id, first, last, purge)
        select c.person_id, c.metric_id, min(c.day), max(c.day), true
        from sample_chunk c join metric m on m.id = c.metric_id and m.total <> 'none' group by 1, 2""",
    """create view sample as
        select c.person_id, c.metric_id, c.origin_id, c.day, r.started_at, r.ended_at, r.value, r.label,
            r.detail::jsonb as detail, coalesce(r.file_id::integer, c.file_id) as file_id, r.at, r.place
        from sample_chunk c
        cross join lateral unnest(c.started_at, c.ended_at, c.value, c.label, c.detail, c.at, c.file_ids)
            with ordinality as r (started_at, ended_at, value, label, detail, at, file_id, place)
        where c.metric_id is distinct from (select id from metric where name = 'sleep_stage')""",
    """create view sleep_stage as
        select c.person_id, o.source, c.day, r.stage, o.name as origin, r.started_at, r.ended_at,
            r.detail::jsonb->>'zone' as zone, coalesce(r.file_id::integer, c.file_id) as file_id, r.at
        from sample_chunk c join origin o on o.id = c.origin_id
        cross join lateral unnest(c.started_at, c.ended_at, c.label, c.detail, c.at, c.file_ids)
            as r (started_at, ended_at, stage, detail, at, file_id)
        where c.metric_id = (select id from metric where name = 'sleep_stage')""",
)

"""Every source, one line each. The list is explicit: a source that fails to import stops whoever needs all of them, Dagster
and `twinning sources`; half-loaded is worse. Who looks for the source of one file loads those that are likely to claim it.

Adding one: write its module, add its line here, put a sample and its golden beside the tests. See CONTRIBUTING.
Words say who is asked first, and save the import of the others: every file of a kind holds one of them, in any case of
letters. Without words a source is asked about every file, which is right, and slower.
"""

from collections.abc import Sequence
from pathlib import Path

from twinning_pipelines.source import Listed, Registry, Source, registered

__all__ = ["MAPPINGS", "SOURCES", "registered", "sources_of_home", "wrong_mappings_of_home"]

# The folder of a home where a person keeps mappings of their own.
MAPPINGS = "mappings"


def _listed(name: str, *words: str, last_resort: bool = False) -> Listed:
    return Listed(f"{__name__}.{name}", words, last_resort)


SOURCES = Registry(
    _listed("health.apple_health", "healthdata"),
    _listed("health.gpx_file", "gpx"),
    _listed("health.tcx_file", "trainingcenterdatabase"),
    _listed("health.fit_file", ".fit"),
    _listed("health.health_auto_export", '"data"'),
    _listed("health.google_fit", '"data ', '"fitnessactivity"', "date", "start"),
    _listed("health.fitbit", "date", "time", "logid", "activity", "body", "food", "activities", "sleep"),
    _listed(
        "health.oura",
        "bedtime",
        "steps",
        "score",
        "contributors",
        "spo2",
        "stress",
        "vascular",
        "vo2",
        "bpm",
        "date",
        "daily",
    ),
    _listed("health.whoop", "cycle"),
    _listed("health.sleep_cycle", "quality"),
    _listed("health.sleep_as_android", "sched"),
    _listed("health.body_measurements", "metric"),
    _listed("health.lab_results", "analyte"),
    _listed("nutrition.template", "food"),
    _listed("nutrition.cronometer", "food"),
    _listed("nutrition.myfitnesspal", "meal", "exercise", "weight"),
    _listed("nutrition.macrofactor", "serving", "expenditure"),
    _listed("nutrition.lose_it", "date"),
    _listed("finance.ofx_statement", "<ofx", "ofxheader", "<ofc"),
    _listed("finance.mt940_statement", ":2", ":6", ":86:", ":ns:"),
    _listed("finance.ibkr_flex", "flex"),
    _listed("finance.camt_statement", "bktocstmr"),
    _listed("finance.qif_register", "!", "^"),
    _listed("finance.portfolio_performance", "portfolio", "client", "date", "datum"),
    _listed("finance.ghostfolio", '"meta"', '"unitprice"', "datasource", "code"),
    _listed("finance.ecb_rates", "envelope", "date"),
    _listed("finance.exchange_rates", "base"),
    _listed("finance.prices", "security"),
    _listed("finance.cash_book", "own"),
    _listed("finance.simplefin", '"accounts"'),
    _listed("time.template", "billable"),
    _listed("time.toggl", "description"),
    _listed("time.timewarrior", '"start"', "inc "),
    _listed("business.deals", "deal"),
    _listed("business.hubspot", "deal"),
    _listed("business.invoices", "issued"),
    _listed("business.expenses", "vendor"),
    # What is no text holds the mark of broken UTF-8: so do frames of MPEG.
    _listed("journal.voice_note", "ftyp", "\x1ae", "wave", "oggs", "id3", "\ufffd"),
    _listed("finance.bank_csv", last_resort=True),
)


def sources_of_home(home: Path) -> Sequence[Source]:
    """The sources, with the mappings that a person keeps in the home for banks' CSV."""
    folder = home / MAPPINGS
    if not folder.is_dir():
        return SOURCES
    from twinning_pipelines.sources.finance.bank_csv import with_mappings_of  # noqa: PLC0415  (few keep any)

    return with_mappings_of(folder, SOURCES)


def wrong_mappings_of_home(home: Path) -> list[str]:
    """Each of those mappings that can't be used: its file, and why. What may be for it waits."""
    folder = home / MAPPINGS
    if not folder.is_dir():
        return []
    from twinning_pipelines.sources.finance.bank_csv import wrong_mappings  # noqa: PLC0415

    return wrong_mappings(folder)

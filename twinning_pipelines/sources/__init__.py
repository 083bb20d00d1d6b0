"""Every source, one line each. The list is explicit: a source that fails to import stops everything, half-loaded is worse.

Adding one: write its module, add its line here, put a sample and its golden beside the tests. See CONTRIBUTING.
"""

from twinning_pipelines.source import Source
from twinning_pipelines.sources.business import deals, expenses, hubspot, invoices
from twinning_pipelines.sources.finance import (
    bank_csv,
    camt_statement,
    cash_book,
    ecb_rates,
    exchange_rates,
    ghostfolio,
    ibkr_flex,
    mt940_statement,
    ofx_statement,
    portfolio_performance,
    prices,
    qif_register,
    simplefin,
)
from twinning_pipelines.sources.health import (
    apple_health,
    body_measurements,
    fit_file,
    fitbit,
    google_fit,
    gpx_file,
    health_auto_export,
    lab_results,
    oura,
    sleep_as_android,
    sleep_cycle,
    tcx_file,
    whoop,
)
from twinning_pipelines.sources.journal import voice_note
from twinning_pipelines.sources.nutrition import cronometer, lose_it, macrofactor, myfitnesspal
from twinning_pipelines.sources.nutrition import template as nutrition_template
from twinning_pipelines.sources.time import template as time_template
from twinning_pipelines.sources.time import timewarrior, toggl


def registered(*sources: Source) -> tuple[Source, ...]:
    """The sources in their order. Raises ValueError when two share a name."""
    names = [source.name for source in sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two sources are called {', '.join(twice)}")
    return sources


SOURCES: tuple[Source, ...] = registered(
    apple_health.SOURCE,
    gpx_file.SOURCE,
    tcx_file.SOURCE,
    fit_file.SOURCE,
    health_auto_export.SOURCE,
    google_fit.SOURCE,
    fitbit.SOURCE,
    oura.SOURCE,
    whoop.SOURCE,
    sleep_cycle.SOURCE,
    sleep_as_android.SOURCE,
    body_measurements.SOURCE,
    lab_results.SOURCE,
    nutrition_template.SOURCE,
    cronometer.SOURCE,
    myfitnesspal.SOURCE,
    macrofactor.SOURCE,
    lose_it.SOURCE,
    ofx_statement.SOURCE,
    mt940_statement.SOURCE,
    ibkr_flex.SOURCE,
    camt_statement.SOURCE,
    qif_register.SOURCE,
    portfolio_performance.SOURCE,
    ghostfolio.SOURCE,
    ecb_rates.SOURCE,
    exchange_rates.SOURCE,
    prices.SOURCE,
    cash_book.SOURCE,
    simplefin.SOURCE,
    time_template.SOURCE,
    toggl.SOURCE,
    timewarrior.SOURCE,
    deals.SOURCE,
    hubspot.SOURCE,
    invoices.SOURCE,
    expenses.SOURCE,
    voice_note.SOURCE,
    bank_csv.SOURCE,
)

"""Every dashboard, in the order in which a person would open them."""

from twinning_pipelines.products.dashboards.business import business
from twinning_pipelines.products.dashboards.health import health
from twinning_pipelines.products.dashboards.money import money
from twinning_pipelines.products.dashboards.operations import operations
from twinning_pipelines.products.dashboards.portfolio import portfolio
from twinning_pipelines.products.dashboards.quality import quality
from twinning_pipelines.products.dashboards.sleep import sleep
from twinning_pipelines.products.dashboards.time import time
from twinning_pipelines.products.dashboards.today import today
from twinning_pipelines.products.dashboards.vocabulary import Dashboard, Installation

MAKERS = (today, health, sleep, money, portfolio, time, business, quality, operations)


def every_dashboard(installation: Installation) -> tuple[Dashboard, ...]:
    """All of them, for one installation."""
    return tuple(make(installation) for make in MAKERS)

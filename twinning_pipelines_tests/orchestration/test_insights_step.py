"""The asset `insights` under Dagster: counts only, and its Sunday clock."""

from datetime import UTC, datetime

import dagster as dg
import numpy as np

from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.orchestration.insights import (
    INSIGHTS,
    WEEKLY_INSIGHTS,
    insights_asset,
    insights_job,
    insights_schedule,
)
from twinning_pipelines.orchestration.run_home import home_resource
from twinning_pipelines_tests.days_of_facts import PersonWithDays
from twinning_pipelines_tests.orchestration.drops import figures


def test_everybody_s_days_are_tested_once_a_week(home: Home, opened: OpenHome, instance: dg.DagsterInstance) -> None:
    rng = np.random.default_rng(4)
    for name in ("zacharias", "ben"):
        person = PersonWithDays(opened.engine, name, datetime.now(UTC).date())
        person.tell("sleep", "h", list(7 + rng.standard_normal(100)))
        person.tell("spend", "EUR", list(50 + rng.standard_normal(100)))
    defs = dg.Definitions(
        assets=[insights_asset([])],
        jobs=[insights_job()],
        schedules=[insights_schedule(home.settings.zone)],
        resources={"home": home_resource(lambda: home)},
        executor=dg.in_process_executor,
    )
    result = defs.resolve_job_def(WEEKLY_INSIGHTS).execute_in_process(instance=instance)
    told = figures(result, INSIGHTS)
    assert (told["people"], told["tested"]) == (2, 14)
    assert "zacharias" not in "\n".join(str(entry) for entry in instance.all_logs(result.run_id))
    (schedule,) = defs.get_repository_def().schedule_defs
    assert (schedule.execution_timezone, schedule.job_name) == (home.settings.zone, WEEKLY_INSIGHTS)
    assert schedule.cron_schedule == "35 5 * * 0"

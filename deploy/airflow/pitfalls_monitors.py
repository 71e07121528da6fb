"""An Airflow DAG that runs each monitor every hour: a task for each config, which fails when its run failed.

Copy it into Airflow's folder of DAGs. The variable ``PITFALLS_CONFIGS`` of the environment names a folder of configs,
and ``pitfalls`` is on the workers' PATH. Or use a KubernetesPodOperator with the monitor's image and these arguments.
"""

from __future__ import annotations

import os
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

CONFIGS = Path(os.environ.get("PITFALLS_CONFIGS", "/etc/pitfalls"))

with DAG(
    dag_id="pitfalls_monitors",
    description="Evaluates the due windows of every monitor",
    schedule="@hourly",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    # A run judges every window that is due, so that missed runs need not be repeated.
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5), "execution_timeout": timedelta(hours=6)},
) as dag:
    for config in sorted({*CONFIGS.glob("*.toml"), *CONFIGS.glob("*/monitor.toml")}):
        BashOperator(
            task_id=config.parent.name if config.name == "monitor.toml" and config.parent != CONFIGS else config.stem,
            # An open page is no failure of the task: the monitor notifies people itself.
            bash_command=f"pitfalls monitor run --config {shlex.quote(str(config))} --exit-code none",
        )

"""The stages, each from files to a file, all of them in one process, and the record of what a run used."""

from flarecast.chain.parts import check_parts
from flarecast.chain.stages import (
    config_of,
    open_pair,
    record,
    run_all,
    run_audit,
    run_audit_run,
    run_calibrate,
    run_evaluate,
    run_forecast,
    run_ingest,
    run_read_forecasts,
    run_split,
    run_train,
    windows_of,
)
from flarecast.run_folder import RunFolder

__all__ = [
    "RunFolder",
    "check_parts",
    "config_of",
    "open_pair",
    "record",
    "run_all",
    "run_audit",
    "run_audit_run",
    "run_calibrate",
    "run_evaluate",
    "run_forecast",
    "run_ingest",
    "run_read_forecasts",
    "run_split",
    "run_train",
    "windows_of",
]

"""The audit: is anything of one role known in another, and do the roles resemble each other.

A leak makes scores worthless: a shared row or region, overlapping history or outcome, a window under two
names, a row from after the issue or the peak, a column or an hour of day that gives the outcome away. A
warning makes them hard to read: roles that differ in base rate, classes, scale, cadence, features or dates.
docs/audit.md lists them all.
"""

from flarecast.audit.events import check_same_windows, require_events, roles_of
from flarecast.audit.findings import Audit, Finding, collect
from flarecast.audit.roles import audit, audit_for
from flarecast.audit.runs import audit_run, check_run
from flarecast.audit.table_reading import read_table, read_tables
from flarecast.audit.tables import audit_tables

__all__ = [
    "Audit",
    "Finding",
    "audit",
    "audit_for",
    "audit_run",
    "audit_tables",
    "check_run",
    "check_same_windows",
    "collect",
    "read_table",
    "read_tables",
    "require_events",
    "roles_of",
]

"""The audit: is anything of one role known in another, and do the roles resemble each other.

A leak is a shared row, a shared region (the disk exempt), or history or outcome of one region that overlaps
between roles. Warnings are differences that make scores hard to compare: base rate, flux scale, few event
blocks.
"""

from flarecast.audit.events import check_same_windows, require_events, roles_of
from flarecast.audit.findings import Audit, Finding
from flarecast.audit.roles import audit
from flarecast.audit.tables import audit_tables, read_table

__all__ = [
    "Audit",
    "Finding",
    "audit",
    "audit_tables",
    "check_same_windows",
    "read_table",
    "require_events",
    "roles_of",
]

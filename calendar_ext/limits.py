"""Every bound, named, with its default. `config.py` may override each by `CALENDAR_EXT_LIMITS`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts, bytes and seconds. The comment names the rule that asks for it."""

    # sign-in (trust.md T-01)
    attempt_seconds: int = 600
    next_length: int = 512

    # outgoing requests (T-28, R-09)
    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    total_seconds: float = 60.0
    quick_retries: int = 2
    gzip_ratio: int = 100
    page_bytes: int = 64 * 2**20
    pages_per_listing: int = 10_000
    write_attempts: int = 8
    backoff_base_seconds: float = 2.0
    backoff_cap_seconds: float = 900.0
    retry_after_cap_seconds: float = 3_600.0
    breaker_failures: int = 5
    breaker_open_seconds: int = 60
    breaker_open_cap_seconds: int = 1_800

    # leases (R-12, host-contract.md 9)
    lease_seconds: int = 60
    leader_lease_seconds: int = 15
    run_budget_seconds: int = 60
    poll_seconds: int = 300
    open_page_wake_seconds: int = 30
    runs_at_once: int = 2

    # writing (data-model.md L10)
    sqlite_chunk_rows: int = 500
    sqlite_rest_factor: float = 3.0
    postgresql_chunk_rows: int = 2_500
    page_rows: int = 2_500

    # occurrences and recurrence (performance.md 4, T-30)
    window_past_days: int = 90
    window_future_days: int = 400
    recurrence_instances: int = 2_000
    recurrence_interval: int = 1_000
    recurrence_count: int = 5_000
    recurrence_hourly: int = 1_000
    recurrence_dates: int = 2_000
    recurrence_times_a_day: int = 24

    # foreign text (T-30, T-38)
    ics_upload_bytes: int = 5 * 2**20
    ics_demo_bytes: int = 20 * 2**20
    ics_object_bytes: int = 2**20
    ics_line_bytes: int = 64 * 2**10
    ics_nesting: int = 8
    attendees: int = 500
    title_length: int = 1_024
    description_length: int = 8_192
    location_length: int = 1_024
    url_length: int = 2_048

    # first synchronization (decisions.md 15)
    first_sync_past_days: int = 365
    first_sync_future_days: int = 365
    first_sync_alarm_seconds: int = 1_800

    # safety (decisions.md 8, R-03, R-06)
    notified_per_run: int = 20
    deletions_floor: int = 5
    deletions_share: float = 0.20
    deletions_most: int = 50
    approval_seconds: int = 3_600
    missing_confirm_seconds: int = 300
    bin_days: int = 30
    writes_per_event: int = 6
    writes_window_seconds: int = 600
    reconnect_keep_days: int = 30

    # pages
    changes_events: int = 500
    list_days: int = 42
    journal_days: int = 90

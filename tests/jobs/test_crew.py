"""A few threads: at most so many, never in the way of an end."""

from __future__ import annotations

import threading

import pytest

from calendar_ext.jobs.crew import Crew


def test_no_more_than_its_size_work_at_a_time_and_nothing_is_queued() -> None:
    crew, go = Crew(2, "crew"), threading.Event()
    assert [crew.offer(go.wait) for _ in range(3)] == [True, True, False]
    assert not crew.wait(0.05)
    go.set()
    assert crew.wait(5) and crew.offer(lambda: None)


def test_what_breaks_frees_its_place(caplog: pytest.LogCaptureFixture) -> None:
    crew = Crew(1, "crew")

    def break_down() -> None:
        raise ZeroDivisionError

    assert crew.offer(break_down) and crew.wait(5)
    assert crew.offer(lambda: None) and crew.wait(5)
    assert "broke" in caplog.text


def test_its_threads_do_not_keep_a_process_alive() -> None:
    crew, seen = Crew(1, "crew"), []
    crew.offer(lambda: seen.append(threading.current_thread().daemon))
    assert crew.wait(5) and seen == [True]

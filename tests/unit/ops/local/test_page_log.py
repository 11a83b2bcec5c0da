"""What is read a second time is counted, over executions and processes, run by run."""

from pathlib import Path

from ops.embedded.scan_layers import ScanRequest
from ops.local.page_log import PageLog
from ops.runs.execution import PagesRead


def page(segment: int, after: str | None) -> ScanRequest:
    start_key = None if after is None else {"trip_id": {"S": after}}
    return ScanRequest(table_name="trips", segment=segment, start_key=start_key)


def test_a_page_that_an_earlier_process_has_read_is_read_again(tmp_path: Path) -> None:
    killed = PageLog(tmp_path)
    killed.begin("r")
    for one in (page(0, None), page(0, "a"), page(1, None)):
        killed.note(one)
    assert killed.pages() == PagesRead(read=3, again=0)

    again = PageLog(tmp_path)
    again.begin("r")
    for one in (page(0, "a"), page(0, "b"), page(1, "a")):
        again.note(one)
    assert again.pages() == PagesRead(read=3, again=1)


def test_a_page_that_is_read_twice_in_one_execution_counts_too() -> None:
    log = PageLog(None)
    log.begin("r")
    log.note(page(0, None))
    log.note(page(0, None))
    assert log.pages() == PagesRead(read=2, again=1)


def test_another_run_reads_the_table_for_the_first_time(tmp_path: Path) -> None:
    log = PageLog(tmp_path)
    for run_id in ("r", "s"):
        log.begin(run_id)
        log.note(page(0, None))
    assert log.pages() == PagesRead(read=1, again=0)

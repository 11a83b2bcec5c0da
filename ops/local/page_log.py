"""Records which pages of the table each run has read, over all its executions and processes."""

import json
import threading
from pathlib import Path

from ops.embedded.scan_layers import ScanRequest
from ops.runs.execution import PagesRead


class PageLog:
    """Receives every page that the table returns; writes them to `directory`, if there is one.

    A page that a worker has appended is never asked for a second time, by whichever worker. So what
    is asked for a second time was lost before it was appended.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._run_id = ""
        self._seen: dict[str, set[str]] = {}
        self._read = self._again = 0

    def begin(self, run_id: str) -> None:
        """Begins an execution of that run: the pages that are read from now on belong to it."""
        with self._lock:
            self._run_id = run_id
            self._read = self._again = 0
            seen = self._seen.setdefault(run_id, set())
            if (file := self._file()) is not None and file.is_file():
                seen.update(file.read_text(errors="replace").splitlines())

    def note(self, scan: ScanRequest) -> None:
        page = json.dumps([scan.segment, scan.start_key], sort_keys=True)
        with self._lock:
            seen = self._seen.setdefault(self._run_id, set())
            self._read += 1
            self._again += page in seen
            seen.add(page)
            if (file := self._file()) is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                # One line, one write: a process that dies has written it or not.
                with file.open("ab", buffering=0) as log:
                    log.write(f"{page}\n".encode())

    def pages(self) -> PagesRead:
        """Returns the pages of the execution that began last, until now."""
        with self._lock:
            return PagesRead(read=self._read, again=self._again)

    def _file(self) -> Path | None:
        if self._directory is None or not self._run_id:
            return None
        return self._directory / f"{self._run_id}.jsonl"

"""One seed's story in the slow form: through the real state machine, template and processes.

One embedded cloud serves many schedules; each is a run of its own over the same table.
"""

import hashlib
import json
import random
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

from ops.local.run import execute
from tests.faults.runs import NAMED_ERRORS
from tests.faults.script import Script
from tests.faults.slow_cloud import SlowCloud
from tests.faults.totals import Totals
from tests.faults.trips import Truth

_MOST_EXECUTIONS = 3
"""the last of them without faults"""


def play_slowly(cloud: SlowCloud, script: Script) -> Totals:
    """Plays the schedule of the script's seed; the script then has what was injected."""
    seed = script.seed
    rng = random.Random(f"slow {seed}")
    base = f"slow-{seed}-{uuid.uuid4().hex[:4]}"
    wrong: list[str] = []
    failures: list[str] = []
    asked: dict[str, Any] = {"total_segments": rng.randint(1, 5)}
    of_export: dict[str, Any] = {}
    if seed % 2:
        of_export = rng.choice(({"source": "export"}, {"export_arn": cloud.export_arn}))
    asked |= of_export
    cloud.empty("kpis/")
    cloud.empty("runs/")
    cloud.empty("lease/")
    cloud.server.counts.clear()
    cloud.server.written.clear()
    pages_before, invocations_before = cloud.server.pages, cloud.deliveries.invocations
    merges_before = cloud.deliveries.merges
    summary = None
    for attempt in range(_MOST_EXECUTIONS):
        is_last = attempt == _MOST_EXECUTIONS - 1
        if not is_last:
            cloud.server.begin(script, script.begin(attempt), of_export=bool(of_export))
            cloud.deliveries.begin(script)
        name = f"{base}-{attempt}"
        if "run_id" not in asked:
            run_id = name
        # What is written later is in no export.
        with cloud.later() if "export_arn" in of_export else nullcontext():
            outcome = execute(cloud.local, asked, name=name)
        script.end()
        cloud.server.end()
        cloud.deliveries.end()
        published = cloud.objects("kpis/")
        wrong += _wrong_among(published, cloud.truth.objects(), is_whole=outcome.succeeded)
        wrong += _wrong_in_manifest(cloud, run_id, is_there=outcome.succeeded)
        if outcome.succeeded:
            summary = outcome.output
            break
        error = outcome.failed_segments[0].error if outcome.failed_segments else outcome.error
        failures.append(str(error))
        if cloud.deliveries.merges == merges_before and (published or cloud.objects("runs/")):
            wrong.append(f"{name} failed before it merged, and published {sorted(published)}")
        if error not in NAMED_ERRORS or is_last:
            wrong.append(f"execution {name} failed with {error}: {outcome.cause}")
        if outcome.is_planned:
            asked = {"run_id": run_id}
    cloud.server.let_through()
    wrong += _wrong_among(cloud.objects("kpis/"), cloud.truth.objects(), is_whole=True)
    wrong += [
        f"{key} was written {times} times"
        for key, times in cloud.server.written.items()
        if times > 1 and "/segment=" in key and "/staging/" in key
    ]
    if summary is not None:
        wrong += _wrong_in_summary(summary, cloud.truth)
    pages = cloud.server.pages - pages_before
    return Totals(
        schedules=1,
        of_exports=bool(of_export),
        invocations=cloud.deliveries.invocations - invocations_before,
        faults=Counter({str(fault): n for fault, n in cloud.server.counts.items()}),
        failed_and_continued=len(failures),
        errors=Counter(failures),
        pages=pages,
        pages_scanned_twice=pages - summary["pages"] if summary and not of_export else 0,
        differences={seed: wrong} if wrong else {},
    )


def _wrong_among(
    published: Mapping[str, bytes], wanted: Mapping[str, bytes], *, is_whole: bool
) -> Iterator[str]:
    for key in sorted(published.keys() | (wanted.keys() if is_whole else set())):
        if published.get(key) != wanted.get(key):
            yield f"{key} is {published.get(key)!r}, not {wanted.get(key)!r}"


def _wrong_in_manifest(cloud: SlowCloud, run_id: str, *, is_there: bool) -> Iterator[str]:
    """It may be there though the execution failed: then all that it names is there, and was before
    it."""
    key = f"runs/run={run_id}/manifest.json"
    found = cloud.objects("runs/").get(key)
    if found is None:
        if is_there:
            yield f"{run_id} has finished and has no manifest"
        return
    published = cloud.objects("kpis/")
    for day in json.loads(found)["days"]:
        body = published.get(f"kpis/date={day['date']}/kpi.json")
        if body is None or hashlib.sha256(body).hexdigest() != day["sha256"]:
            yield f"the manifest of {run_id} names {day}, but there is {body!r}"
    written = [path.lstrip("/").partition("/")[2] for path in cloud.server.written]
    late = [one for one in written[written.index(key) :] if one.startswith("kpis/")]
    if late:
        yield f"{late} was written after the manifest of {run_id}"


def _wrong_in_summary(summary: Mapping[str, Any], truth: Truth) -> Iterator[str]:
    counts = summary["scanned"], summary["incomplete"], summary["counted"]
    if counts != (truth.scanned, truth.incomplete, truth.counted):
        yield f"the summary counts {counts}, not as the truth"
    if summary["rejected"] != dict(Counter(truth.rejected.values())):
        yield f"the summary counts as rejected {summary['rejected']}"

"""The functions write and read just the objects that docs/architecture.md says they do."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import plan_run
from tests.integration.pipeline import BUCKET_NAME, Context, Pipeline, hook
from tests.samples import trip
from tests.unit.test_architecture_page import (
    Arrow,
    first_cells,
    readers_of_the_table,
    reported,
    section,
)
from trip_kpis.aws.settings import DEFINITIONS
from trip_kpis.core.errors import NoProgressError

PLACEHOLDERS = {
    "<yyyy-mm-dd>": r"\d{4}-\d\d-\d\d",
    "<name>": r"[a-z_]+",
    "<run_id>": r"[\w-]+",
    "<00007>": r"\d{5}",
    "<00003>": r"\d{5}",
    "<00001>": r"\d{5}",
    "…": r".+",
}


def form(key: str) -> re.Pattern[str]:
    """The keys that a key of the page stands for."""
    pattern = re.escape(key)
    for placeholder, meaning in PLACEHOLDERS.items():
        pattern = pattern.replace(re.escape(placeholder), meaning)
    return re.compile(pattern)


FORMS = {key: form(key) for key in first_cells(section("What is written where"))}


class Seen:
    """Notes every object that a request to S3 is about, and every Scan."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.arrows: set[Arrow] = set()
        self._function = ""
        hook(pipeline.s3, "before-send.s3", self._note)
        hook(pipeline.dynamodb, "before-send.dynamodb.Scan", self._note_scan)

    @contextmanager
    def by(self, function: str) -> Iterator[None]:
        self._function = function
        yield
        self._function = ""

    def _note_scan(self, **_: Any) -> None:
        self.arrows.add(("table", self._function))

    def _note(self, *, request: Any, **_: Any) -> None:
        url = urlsplit(request.url)
        key = unquote(url.path).removeprefix(f"/{BUCKET_NAME}").removeprefix("/")
        if key and self._function:
            (known_as,) = (
                key_form for key_form, pattern in FORMS.items() if pattern.fullmatch(key)
            )
            pair = (self._function, known_as)
            is_write = {"GET": False, "HEAD": False, "PUT": True, "DELETE": True}[request.method]
            self.arrows.add(pair if is_write else pair[::-1])


EXPORT_ID = "01693685827463-2d8752fd"
EXPORT = f"exports/run=run-2/AWSDynamoDB/{EXPORT_ID}"
SUMMARY_KEY = f"{EXPORT}/manifest-summary.json"


def put_export(pipeline: Pipeline, items: list[dict[str, Any]]) -> None:
    """Of the table of run-1, as DynamoDB writes it, with one data file.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
    """
    plan = json.loads(pipeline.objects("staging/run=run-1/plan.json").popitem()[1])
    lines = "".join(json.dumps({"Item": item}) + "\n" for item in items)
    data = gzip.compress(lines.encode())
    file = {
        "itemCount": len(items),
        "md5Checksum": md5(data),
        "etag": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "dataFileS3Key": f"{EXPORT}/data/a.json.gz",
    }
    summary = {
        "version": "2020-06-30",
        "exportArn": f"{plan['table_arn']}/export/{EXPORT_ID}",
        "startTime": "2024-06-01T02:15:00.000Z",
        "endTime": "2024-06-01T02:20:00.000Z",
        "tableArn": plan["table_arn"],
        "tableId": plan["table_id"],
        "exportTime": "2024-06-01T02:15:00.000Z",
        "s3Bucket": BUCKET_NAME,
        "s3Prefix": "exports/run=run-2",
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"{EXPORT}/manifest-files.json",
        "billedSizeBytes": 1000,
        "itemCount": len(items),
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
    }
    objects = {"data/a.json.gz": data}
    for name, document in (("manifest-files", file), ("manifest-summary", summary)):
        body = json.dumps(document).encode()
        objects |= {f"{name}.json": body, f"{name}.md5": md5(body).encode()}
    for name, body in objects.items():
        pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=f"{EXPORT}/{name}", Body=body)


def md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def test_every_function_touches_what_the_page_says_and_nothing_else(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken_down = tmp_path / "broken_down.toml"
    default = (DEFINITIONS / "trips.toml").read_text(encoding="utf-8")
    broken_down.write_text(default + '[breakdowns]\nquote = ["estimated_fare_amount"]\n')
    monkeypatch.setenv("KPI_DEFINITION", str(broken_down))
    monkeypatch.setenv("MAX_REJECTED_SHARE", "1")
    monkeypatch.setenv("VANISHED_DAYS", "remove")
    pipeline.make_table([trip("a"), trip("b", fare_amount={"S": "twelve"})])
    seen = Seen(pipeline)
    with seen.by("PlanRun"):
        pipeline.plan(total_segments=1)
        pipeline.plan("again", run_id="run-1", max_concurrency=1)
        pipeline.plan("once-more", run_id="run-1")
        pipeline.plan("estimate", estimate_only=True)
    with seen.by("ScanSegment"):
        pipeline.scan(remaining_ms=0)
        with pytest.raises(NoProgressError):
            pipeline.scan(remaining_ms=0)
        assert pipeline.scan()["finished"]
        assert pipeline.scan()["finished"]
    with seen.by("MergePartials"):
        pipeline.merge()
        pipeline.merge()  # of a run that has a manifest since its plan
    put_export(pipeline, [trip("a")])
    with seen.by("PlanRun"):
        of_export = pipeline.plan("run-2", export_manifest=f"s3://{BUCKET_NAME}/{SUMMARY_KEY}")
        assert of_export["source"] == {"step": "plan", "arn": None}
        names = ("run_id", "plan_sha256", "max_concurrency", "empty_table_confirmed")
        to_plan = {name: of_export[name] for name in names} | {"export_arn": None}
        planned = plan_run.handler(to_plan, Context())
        pipeline.plan_sha256["run-2"] = planned["plan_sha256"]
    with seen.by("ScanSegment"):
        assert pipeline.scan(planned["segments"][0], run_id="run-2")["finished"]
    with seen.by("MergePartials"):
        pipeline.merge("run-2")
    assert seen.arrows == reported() | readers_of_the_table()

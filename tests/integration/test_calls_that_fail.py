"""What S3 and DynamoDB may answer besides what was asked for, and where it is tried again."""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from tests.integration.pipeline import BUCKET_NAME, Pipeline, hook
from tests.samples import trip
from trip_kpis.aws import clients
from trip_kpis.core.errors import InputError, PlanMismatchError, TransientError

PLAN = "staging/run=run-1/plan.json"
CONFLICT = b"<?xml version='1.0'?><Error><Code>ConditionalRequestConflict</Code><Message/></Error>"


class Body:
    """As urllib3's response, as far as botocore asks; it breaks in the middle."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()

    def read(self, amount: int | None = None) -> bytes:
        taken = self._left if amount is None else self._left[:amount]
        self._left = self._left[len(taken) :]
        return taken


def answer(status: int, body: bytes, *, length: int | None = None) -> AWSResponse:
    headers = {"Content-Length": str(len(body) if length is None else length)}
    return AWSResponse("https://bucket", status, headers, Body(body))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.random, "uniform", lambda *_: 0.0)


def in_stead(
    client: Any, event: str, answers: Iterator[AWSResponse | None], *, of: str = ""
) -> list[str]:
    """The server's answers to requests whose URL ends in `of`; None is its own. Gives the URLs."""
    asked: list[str] = []

    def answered(request: Any, **_: Any) -> AWSResponse | None:
        if not request.url.endswith(of):
            return None
        asked.append(request.url)
        return next(answers, None)

    hook(client, event, answered)
    return asked


def planned(pipeline: Pipeline) -> None:
    pipeline.make_table([trip()])
    pipeline.plan(total_segments=1)


# Conflicts of conditional writes


@pytest.mark.parametrize("conflicts", [1, 5, 9])
def test_a_conflict_is_tried_again_in_place(pipeline: Pipeline, conflicts: int) -> None:
    planned(pipeline)
    asked = in_stead(
        pipeline.s3,
        "before-send.s3.PutObject",
        iter([answer(409, CONFLICT)] * conflicts),
        of=".parquet",
    )
    assert pipeline.scan()["finished"]
    assert len(asked) == conflicts + 1


def test_a_conflict_that_lasts_is_left_to_a_later_attempt(pipeline: Pipeline) -> None:
    planned(pipeline)
    endless = iter(lambda: answer(409, CONFLICT), None)
    asked = in_stead(pipeline.s3, "before-send.s3.PutObject", endless, of=".parquet")
    with pytest.raises(TransientError, match="ConditionalRequestConflict"):
        pipeline.scan()
    assert len(asked) == 10


# Bodies that break while they are read


def every_tenth_broken(pipeline: Pipeline, sent: Callable[[str], bytes]) -> list[str]:
    """Answers of S3 to GETs, of which every tenth is cut in its middle."""
    broken: list[str] = []
    count = [0]

    def cut(request: Any, **_: Any) -> AWSResponse | None:
        count[0] += 1
        if request.method != "GET" or count[0] % 10 or "list-type" in request.url:
            return None
        broken.append(request.url)
        body = sent(request.url)
        return answer(200, body[: len(body) // 2], length=len(body))

    hook(pipeline.s3, "before-send.s3.GetObject", cut)
    return broken


def test_a_merge_of_many_days_survives_bodies_of_which_a_tenth_is_cut(pipeline: Pipeline) -> None:
    """Days that another program has published, so that the merge reads their bodies."""
    days = [f"20{n:02d}-{month:02d}-01" for n in range(10, 20) for month in range(1, 11)]
    pipeline.make_table(
        trip(f"t-{n}", pickup_datetime={"S": f"{day} 10:00:00"}) for n, day in enumerate(days)
    )
    pipeline.plan(total_segments=1)
    pipeline.scan()
    for day in days:
        key = f"kpis/date={day}/kpi.json"
        pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=key, Body=b'{"trip_count": 1}')
    broken = every_tenth_broken(pipeline, lambda _: b'{"trip_count": 1}')
    summary = pipeline.merge()
    assert len(broken) >= 10
    assert summary["days_not_yet"] + summary["days_published"] == len(days)


@pytest.mark.parametrize("breaks", [1, 5])
def test_a_plan_that_breaks_on_its_way_is_read_again(pipeline: Pipeline, breaks: int) -> None:
    planned(pipeline)
    cut = [answer(200, b'{"schema', length=500)] * breaks
    asked = in_stead(pipeline.s3, "before-send.s3.GetObject", iter(cut), of="plan.json")
    assert pipeline.scan()["finished"]
    assert len(asked) == breaks + 1


def test_an_object_that_always_breaks_is_left_to_a_later_attempt(pipeline: Pipeline) -> None:
    planned(pipeline)
    endless = iter(lambda: answer(200, b"{", length=500), None)
    asked = in_stead(pipeline.s3, "before-send.s3.GetObject", endless, of="plan.json")
    with pytest.raises(TransientError):
        pipeline.scan()
    assert len(asked) == 6


def of_part(content: bytes, **headers: str) -> AWSResponse:
    """An answer with other bytes than the part has."""
    return AWSResponse(
        "https://bucket", 200, {"Content-Length": str(len(content)), **headers}, Body(content)
    )


@pytest.mark.parametrize(
    "broken",
    [
        lambda: answer(200, b"PAR1", length=500),
        lambda: of_part(b"PAR1", **{"x-amz-checksum-crc32": "AAAAAA=="}),
        lambda: answer(503, b""),
    ],
    ids=["cut short", "wrong checksum", "unavailable"],
)
def test_a_part_that_breaks_on_its_way_to_the_merge_is_read_again(
    pipeline: Pipeline, broken: Callable[[], AWSResponse]
) -> None:
    planned(pipeline)
    pipeline.scan()
    asked = in_stead(
        pipeline.s3, "before-send.s3.GetObject", iter([broken()]), of="part-00000.parquet"
    )
    assert pipeline.merge()["parts"] == 1
    assert len(asked) == 2


# Answers without what every answer of their kind has


def test_a_listing_without_a_body_is_not_an_empty_bucket(pipeline: Pipeline) -> None:
    planned(pipeline)
    pipeline.scan()
    hook(pipeline.s3, "before-send.s3.ListObjectsV2", lambda **_: answer(200, b""))
    with pytest.raises(TransientError, match="IsTruncated"):
        pipeline.merge()


def test_a_description_without_a_table_is_tried_again(pipeline: Pipeline) -> None:
    pipeline.make_table([trip()])
    hook(pipeline.dynamodb, "before-send.dynamodb.DescribeTable", lambda **_: answer(200, b"{}"))
    with pytest.raises(TransientError, match="the answer has no Table"):
        pipeline.plan()


# Encryption


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", {"ServerSideEncryption": "AES256", "SSEKMSKeyId": None}),
        (
            "arn:aws:kms:us-east-1:123456789012:key/1",
            {
                "ServerSideEncryption": "aws:kms",
                "SSEKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/1",
            },
        ),
    ],
)
def test_every_write_names_its_encryption(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, key: str, said: dict[str, str]
) -> None:
    monkeypatch.setenv("BUCKET_KMS_KEY_ARN", key)
    monkeypatch.setenv("MAX_REJECTED_SHARE", "1")
    written: dict[str, dict[str, Any]] = {}

    def note(params: dict[str, Any], **_: Any) -> None:
        written[params["Key"].partition("/")[0]] = {name: params.get(name) for name in said}

    hook(pipeline.s3, "provide-client-params.s3.PutObject", note)
    pipeline.make_table([trip("a"), trip("b", fare_amount={"S": "twelve"})])
    pipeline.run(total_segments=1)
    assert written == dict.fromkeys(("staging", "quarantine", "kpis", "runs", "lease"), said)


# A plan that was changed


def test_a_plan_that_was_changed_after_planrun_is_not_followed(pipeline: Pipeline) -> None:
    planned(pipeline)
    document = json.loads(pipeline.objects(PLAN)[PLAN]) | {"time_zone": "Asia/Tokyo"}
    pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=PLAN, Body=json.dumps(document).encode())
    with pytest.raises(PlanMismatchError, match="not the plan that this execution began with"):
        pipeline.scan()
    with pytest.raises(PlanMismatchError, match="not the plan that this execution began with"):
        pipeline.merge()


def test_another_runs_plan_is_not_followed(pipeline: Pipeline) -> None:
    planned(pipeline)
    other = pipeline.plan("other", total_segments=1)
    body = pipeline.objects("staging/run=other/")["staging/run=other/plan.json"]
    pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=PLAN, Body=body)
    pipeline.plan_sha256["run-1"] = other["plan_sha256"]
    with pytest.raises(PlanMismatchError, match="is the plan of the run 'other'"):
        pipeline.scan()


@pytest.mark.parametrize("digest", ["", "abc", 5, "A" * 64])
def test_an_event_with_another_digest_than_one_is_refused(pipeline: Pipeline, digest: Any) -> None:
    planned(pipeline)
    pipeline.plan_sha256["run-1"] = digest
    with pytest.raises(InputError, match="plan_sha256"):
        pipeline.scan()


def test_an_invocation_by_hand_may_leave_the_digest_out(pipeline: Pipeline) -> None:
    planned(pipeline)
    del pipeline.plan_sha256["run-1"]
    assert pipeline.scan()["finished"]


def test_planrun_returns_the_digest_of_the_stored_plan(pipeline: Pipeline) -> None:
    planned(pipeline)
    again = pipeline.plan("again", run_id="run-1")
    stored = pipeline.objects(PLAN)[PLAN]
    assert again["plan_sha256"] == hashlib.sha256(stored).hexdigest()
    assert again["plan_sha256"] == pipeline.plan_sha256["run-1"]

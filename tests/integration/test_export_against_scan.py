"""The same table by a scan and by an export, through the whole stack on this machine, whose roles
are enforced: the same objects."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ops.embedded.export_patches import ExportBehavior
from ops.local.local_stack import LocalStack, Where
from ops.local.run import execute
from tests.definitions.test_real_tables import CASES
from tests.samples import trip
from tests.stacks import objects_in, stack_of

ONLY_OF_ITS_SOURCE = {
    "as_of", "cost_usd", "export_arn", "invocations", "limited_by", "max_concurrency", "pages",
    "parts", "read_units", "run_id", "seconds", "segments", "segments_by_invocations", "source",
    "warnings",
}  # fmt: skip
"""members of a summary in which two runs over the same items may differ"""

ODD_VALUES: list[dict[str, Any]] = [
    {"fare_amount": {"S": "12.50"}, "note": {"S": 'Zürich \u2028 😀 \\ " \n'}},
    {"fare_amount": {"N": "0.000000000000000001"}},
    {"fare_amount": {"N": "-0"}},
    {"fare_amount": {"N": "1.5E+2"}},
    {"fare_amount": {"N": "12345678901234567890123456789012345678"}},
    {"fare_amount": {"N": "1E-130"}},
    {"fare_amount": {"S": "free"}},
    {"fare_amount": {"NULL": True}},
    {"fare_amount": {"BOOL": True}},
    {"fare_amount": {"B": b"\x00\xff"}},
    {"fare_amount": None},
    {"pickup_datetime": None},
    {"pickup_datetime": {"N": "1716643140"}},
    {"pickup_datetime": {"S": "yesterday"}},
    {"pickup_datetime": {"L": [{"S": "2024-05-25"}]}},
    {"estimated_fare_amount": None},
    {"tags": {"SS": ["a", "b"]}, "codes": {"BS": [b"\x01"]}, "parts": {"NS": ["1", "2.5"]}},
    {"nested": {"M": {"fare_amount": {"N": "7"}, "list": {"L": [{"M": {}}, {"NULL": True}]}}}},
]


def items() -> list[dict[str, Any]]:
    """Ordinary trips over nine days, and each odd value."""
    ordinary = [
        trip(
            f"t-{n:04d}",
            fare_amount={"N": f"{n}.{'0362694629486497'[n % 7 :]}"},
            pickup_datetime={"S": f"2024-05-2{n % 9} 0{n % 10}:19:00"},
        )
        for n in range(300)
    ]
    return ordinary + [trip(f"odd \u2028 {n}", **odd) for n, odd in enumerate(ODD_VALUES)]


DEFINITIONS = ["cents in three currencies", "cancelled trips by flag", "words that mean absent"]


@pytest.fixture(scope="module")
def local(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStack]:
    """With the default definition, or with the one that the test names, and its table."""
    table, parameters = items(), {"MaxRejectedShare": "1"}
    if name := getattr(request, "param", None):
        table, toml = CASES[name]
        file = tmp_path_factory.mktemp("definitions") / "chosen.toml"
        file.write_text(toml)
        parameters["KpiDefinition"] = str(file)
    with stack_of(table, where=Where(), **parameters) as up:
        turn_recovery_on(up)
        yield up


def turn_recovery_on(local: LocalStack) -> None:
    local.client("dynamodb").update_continuous_backups(
        TableName="trips", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def ran(local: LocalStack, name: str, **asked: Any) -> dict[str, Any]:
    """The summary of a run, over which there are no days that were published before."""
    s3 = local.client("s3")
    for prefix in ("kpis/", "breakdowns/", "runs/"):
        for key in objects_in(local, prefix):
            s3.delete_object(Bucket=local.bucket_name, Key=key)
    ended = execute(local, asked, name=name)
    assert ended.succeeded, (ended.error, ended.cause)
    assert ended.output is not None
    assert ended.output["source"] == asked.get("source", "scan")
    return dict(ended.output)


def figures(local: LocalStack) -> dict[str, bytes]:
    return objects_in(local, "kpis/") | objects_in(local, "breakdowns/")


def rejected(local: LocalStack, run_id: str) -> list[bytes]:
    bodies = objects_in(local, f"quarantine/run={run_id}/").values()
    return sorted(line for body in bodies for line in body.splitlines())


def alike(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: of for name, of in summary.items() if name not in ONLY_OF_ITS_SOURCE}


@pytest.mark.parametrize(("files", "segments"), [(1, None), (8, None), (8, 3), (40, None)])
def test_the_objects_the_rejected_items_and_the_counts_are_the_same(
    local: LocalStack, files: int, segments: int | None
) -> None:
    """However many files the export has; some are empty with 40 of them."""
    name = f"{files}-{segments}"
    by_scan = ran(local, f"scan-{name}", total_segments=segments)
    objects = figures(local)
    local.cloud.exports = ExportBehavior(files=files)
    by_export = ran(local, f"export-{name}", source="export", total_segments=segments)
    assert figures(local) == objects
    assert len(objects) == 9
    assert alike(by_export) == alike(by_scan)
    assert by_scan["scanned"] == len(items())
    assert by_scan["rejected"]
    assert rejected(local, f"export-{name}") == rejected(local, f"scan-{name}")
    assert by_export["segments"] == min(files, by_scan["segments"])
    assert by_export["read_units"] == 0


def test_a_runs_manifest_balances_as_a_scans_does(local: LocalStack) -> None:
    ran(local, "balanced", source="export")
    (body,) = objects_in(local, "runs/run=balanced/").values()
    manifest = json.loads(body)
    for counts in (manifest, *manifest["by_segment"]):
        became = counts["excluded"] + counts["incomplete"] + sum(counts["rejected"].values())
        assert counts["scanned"] == became + counts["counted"]
    assert sum(one["scanned"] for one in manifest["by_segment"]) == len(items())
    assert manifest["plan_sha256"]


def test_an_exports_figures_are_those_of_its_instant_and_a_scans_those_of_its_time(
    local: LocalStack,
) -> None:
    """Trips are added, changed and removed between the export and the run that reads it."""
    before = ran(local, "before")
    at_instant = figures(local)
    dynamodb = local.client("dynamodb")
    description = dynamodb.export_table_to_point_in_time(
        TableArn=dynamodb.describe_table(TableName="trips")["Table"]["TableArn"],
        S3Bucket=local.bucket_name,
        S3Prefix="exports/by-hand",
    )["ExportDescription"]
    day = {"pickup_datetime": {"S": "2024-05-20 12:00:00"}}
    try:
        dynamodb.put_item(TableName="trips", Item=trip("new", **day))
        dynamodb.put_item(TableName="trips", Item=trip("t-0009", fare_amount={"N": "5"}, **day))
        dynamodb.delete_item(TableName="trips", Key={"trip_id": {"S": "t-0018"}})
        arn = description["ExportArn"]
        ended = execute(local, {"export_arn": arn}, name="of-the-instant")
        assert ended.succeeded, ended.cause
        assert ended.output is not None
        assert ended.output["days_superseded"] == 0
        found = {**ended.output, "days_published": before["days_published"], "days_unchanged": 0}
        assert ended.output["days_unchanged"] == before["days_published"]
        assert alike(found) == alike(before)
        assert figures(local) == at_instant
        assert ended.output["export_arn"] == arn
        now = ran(local, "now")
        assert now["scanned"] == before["scanned"]  # one more, one less
        changed = {key for key, body in figures(local).items() if at_instant[key] != body}
        assert changed == {"kpis/date=2024-05-20/kpi.json"}
        assert now["as_of"] > ended.output["as_of"] > before["as_of"]
        again = execute(local, {"export_arn": arn}, name="of-the-instant-again")
        assert again.output is not None
        # The scan's figures are newer, also those that are the same.
        assert again.output["days_superseded"] == 9
    finally:
        dynamodb.delete_item(TableName="trips", Key={"trip_id": {"S": "new"}})
        for item in items():
            if item["trip_id"]["S"] in ("t-0009", "t-0018"):
                dynamodb.put_item(TableName="trips", Item=item)


@pytest.mark.parametrize("local", DEFINITIONS, indirect=True)
def test_other_definitions_give_the_same_groups_and_exclusions(local: LocalStack) -> None:
    by_scan = ran(local, "by-scan")
    objects = figures(local)
    by_export = ran(local, "by-export", source="export")
    assert objects
    assert figures(local) == objects
    assert alike(by_export) == alike(by_scan)

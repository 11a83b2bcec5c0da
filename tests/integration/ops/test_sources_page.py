"""The commands and figures of docs/sources.md."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jmespath
import pytest
from botocore import xform_name
from botocore.session import Session

from tests.integration.ops.conftest import kpis_of_trips, trip
from tests.ops_commands import kpis, ops, summary
from tests.samples import DEFAULTS, PLANNED_AT, TABLE, request
from tests.stacks import stack_of
from trip_kpis.core.estimate.comparison import Comparison
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.prices import recovery_usd_a_month, usd_text

PAGE = (Path(__file__).parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
TRIPS = 40


def commands(text: str) -> Iterator[list[str]]:
    """Of the blocks of a shell, one after the other."""
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            yield shlex.split(line)


def parameters(words: list[str], model: Any) -> dict[str, Any]:
    """What the aws CLI makes of the options of `aws dynamodb …` for the service, which has no other
    ones."""
    names = {xform_name(name, "-"): name for name in model.input_shape.members}
    given = dict(zip(words[3::2], words[4::2], strict=True))
    for of_the_cli in ("--query", "--output"):
        given.pop(of_the_cli, None)
    shorthand = {
        option: {name: value == "true" for name, value in [text.split("=")]}
        for option, text in given.items()
        if model.input_shape.members[names[option.removeprefix("--")]].type_name == "structure"
    }
    return {names[one.removeprefix("--")]: of for one, of in (given | shorthand).items()}


DYNAMODB = Session().get_service_model("dynamodb")
OPERATIONS = {xform_name(name, "-"): name for name in DYNAMODB.operation_names}
ASKED = [words for words in commands(PAGE) if words[:2] == ["aws", "dynamodb"]]


@pytest.mark.parametrize("words", ASKED, ids=lambda words: " ".join(words[:5]))
def test_dynamodb_has_what_the_page_asks_it_for(words: list[str]) -> None:
    model = DYNAMODB.operation_model(OPERATIONS[words[2]])
    given = parameters(words, model)
    assert set(model.input_shape.required_members) <= given.keys()
    for name, value in given.items():
        possible = model.input_shape.members[name].metadata.get("enum")
        assert possible is None or value in possible, name


def test_the_page_asks_for_exports_into_other_accounts_too() -> None:
    assert [words[2] for words in ASKED] == [
        "update-continuous-backups",
        "export-table-to-point-in-time",
        "export-table-to-point-in-time",
        "describe-export",
    ]


def test_from_a_table_to_kpis_on_a_laptop_with_the_commands_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    laptop = PAGE.partition("## On a laptop\n")[2].partition("\n### ")[0]
    (turn_on,) = (words for words in ASKED if words[2] == "update-continuous-backups")
    export, describe, sync, run = commands(laptop)
    with stack_of([trip(n) for n in range(TRIPS)]) as local:
        dynamodb, s3 = local.client("dynamodb"), local.client("s3")

        def asked(words: list[str], **others: str) -> Any:
            model = DYNAMODB.operation_model(OPERATIONS[words[2]])
            call = getattr(dynamodb, xform_name(model.name))
            answer = call(**parameters(words, model) | others)
            return jmespath.search(words[words.index("--query") + 1], answer)

        turn_on += ["--query", "ContinuousBackupsDescription.PointInTimeRecoveryDescription"]
        assert asked(turn_on)["PointInTimeRecoveryStatus"] == "ENABLED"
        s3.create_bucket(Bucket="my-exports")
        table_arn = dynamodb.describe_table(TableName="trips")["Table"]["TableArn"]
        arn = asked(export, TableArn=table_arn)
        status, manifest = asked(describe, ExportArn=arn)
        assert status == "COMPLETED"
        _, _, _, source, directory = sync
        bucket, _, prefix = source.removeprefix("s3://").partition("/")
        prefix = prefix.replace("EXPORT_ID", arn.rpartition("/")[2]) + "/"
        assert manifest == f"{prefix}manifest-summary.json"
        for one in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
            file = Path(directory, one["Key"].removeprefix(prefix))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read())
    done = ops(*run[1:], "--json")
    assert done.returncode == 0, done.stderr
    assert kpis(tmp_path / "out") == kpis_of_trips(TRIPS)
    assert summary(done)["counted"] == TRIPS


def test_the_figures_of_a_terabyte_are_those_of_an_estimate() -> None:
    terms = EstimateTerms()
    old = PLANNED_AT - timedelta(days=300)
    both = Comparison.of(
        request(),
        DEFAULTS,
        replace(TABLE, size_bytes=10**12, item_count=3 * 10**9, created_at=old),
        recovery=True,
        now=PLANNED_AT,
        terms=terms,
        lambda_limit=1_000,
    ).compared(terms, rejected_trips=0)
    rows = {
        name: (scan, export)
        for name, scan, export in re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    }
    scan, export = both["scan"], both["export"]
    cost, duration = rows["Cost of a run over 1 TB"], rows["Duration for 1 TB"]
    assert cost[0].startswith(f"{usd_text(scan.usd)} USD on demand")
    assert cost[1].startswith(
        f"{usd_text(export.usd)} USD, and {usd_text(recovery_usd_a_month(10**12))} USD a month"
    )
    assert f"about {scan.seconds_at_least / 60:.0f} min" in duration[0]
    assert duration[1].startswith(export.waits)
    assert f"then about {-(-export.seconds_at_least // 60)} min" in duration[1]
    assert f"{scan.read_units / 10**6:.0f} million read units" in rows["Load on the table"][0]
    assert round(export.usd / scan.usd) == 6  # "a sixth"

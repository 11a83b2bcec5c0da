"""`ops init`: a first KPI definition from columns, and the command that uses it."""

import json
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from ops.cli.main import main
from tests.exports_on_disk import leave_export

CSV = """Order Id,Status,Stadt,Preis,Bestellt am,Trinkgeld_cents
1,completed,Berlin,12.50,25.05.2024 10:00,100
2,completed,Berlin,7.25,25.05.2024 11:00,0
3,cancelled,Hamburg,5.00,26.05.2024 11:00,50
4,completed,Hamburg,N/A,26.05.2024 12:00,50
"""


def init(directory: Path, *arguments: str, text: str = CSV, name: str = "orders.csv") -> Result:
    (directory / name).write_text(text)
    output = ["--output", str(directory / "orders.toml")]
    return CliRunner().invoke(main, ["init", "--trips", str(directory / name), *output, *arguments])


def written(directory: Path) -> dict[str, Any]:
    return tomllib.loads((directory / "orders.toml").read_text())


def test_columns_of_other_names_are_recognized(tmp_path: Path) -> None:
    result = init(tmp_path)
    assert result.exit_code == 0, result.output
    document = written(tmp_path)
    assert document["item"] == {
        "day": "Bestellt am",
        "null_values": ["N/A"],
        "where": {"Status": "completed"},
    }
    assert document["kpis"]["total_preis"] == {"sum": "Preis"}
    assert document["breakdowns"] == {"stadt": ["Stadt"]}
    assert "of 4 items: 2 count, 1 excluded, 1 incomplete" in result.output


def test_it_prints_the_command_that_runs_it(tmp_path: Path) -> None:
    last = shlex.split(init(tmp_path).output.splitlines()[-1])
    assert last[-1] == "TimeFormats=%d.%m.%Y %H:%M"
    arguments = last[last.index("run") :]
    assert arguments[arguments.index("--key") + 1] == "Order Id"
    assert arguments[arguments.index("--definition") + 1] == str(tmp_path / "orders.toml")


def test_all_words_of_a_status_are_in_a_comment(tmp_path: Path) -> None:
    init(tmp_path)
    text = (tmp_path / "orders.toml").read_text()
    assert '# Status has: "completed" 3, "cancelled" 1' in text


def test_cents_are_scaled(tmp_path: Path) -> None:
    text = "id,at,amount_cents\n1,2024-05-25,1250\n2,2024-05-25,300\n"
    assert init(tmp_path, text=text).exit_code == 0
    kpi = written(tmp_path)["kpis"]["total_amount_cents"]
    assert kpi == {"sum": "amount_cents", "scale": "0.01"}


def test_a_file_without_an_id_is_numbered_by_rows(tmp_path: Path) -> None:
    result = init(tmp_path, text="at,price\n2024-05-25,1.5\n2024-05-25,1.5\n")
    assert "--key row" in result.output


def test_a_key_may_have_a_comma_in_its_name(tmp_path: Path) -> None:
    result = init(tmp_path, text='at,"Stadt, Fahrt id",price\n2024-05-25,a,1\n2024-05-25,b,1\n')
    assert "--key 'Stadt, Fahrt id'" in result.output


def test_nested_items_with_two_keys_are_read(tmp_path: Path) -> None:
    def line(sk: str) -> str:
        item = {
            "PK": {"S": "u1"},
            "SK": {"S": sk},
            "trip": {"M": {"fare": {"N": "2.5"}, "startedAt": {"N": "1716631200"}}},
        }
        return json.dumps({"Item": item}) + "\n"

    result = init(tmp_path, text=line("a") + line("b"), name="items.jsonl")
    assert result.exit_code == 0, result.output
    assert "--key PK --sort-key SK" in result.output
    assert written(tmp_path)["item"]["day"] == "trip.startedAt"
    assert written(tmp_path)["kpis"]["total_trip_fare"] == {"sum": "trip.fare"}


def ride(number: int) -> dict[str, Any]:
    return {
        "vendor": {"N": str(number % 2)},
        "rideId": {"S": f"r{number}"},
        "total": {"N": f"{number}.5"},
        "startedAt": {"S": "25.05.2024 10:00"},
    }


def of_export(directory: Path, place: Path, *arguments: str) -> Result:
    output = ["--output", str(directory / "orders.toml")]
    return CliRunner().invoke(main, ["init", "--export", str(place), *output, *arguments])


def test_the_sample_of_an_export_is_looked_at_and_its_key_is_found(tmp_path: Path) -> None:
    rides = [ride(number) for number in range(1_000)]
    synced = leave_export(tmp_path / "rides", [rides[:500], [], rides[500:]])
    result = of_export(tmp_path, tmp_path / "rides")
    assert result.exit_code == 0, result.output
    assert written(tmp_path)["item"]["day"] == "startedAt"
    assert "1,000 items in 3 files, as of 2026-05-25T02:15:00Z, exactly" in result.output
    assert "from 400 items of the export rides" in result.output
    assert "rideId: taken as the table's key" in result.output
    last = shlex.split(result.output.splitlines()[-1])
    assert last[last.index("run") :] == [
        *("run", "--export", str(tmp_path / "rides"), "--key", "rideId", "--out", "out"),
        *("--definition", str(tmp_path / "orders.toml")),
        *("--parameter", "TimeFormats=%d.%m.%Y %H:%M"),
    ]
    assert of_export(tmp_path, synced.data[0], "--force").exit_code == 0


def test_the_key_of_an_export_may_be_named(tmp_path: Path) -> None:
    leave_export(tmp_path / "rides", [[ride(number) for number in range(3)]])
    named = ("--key", "vendor", "--sort-key", "rideId")
    result = of_export(tmp_path, tmp_path / "rides", *named)
    assert "--key vendor --sort-key rideId --out out" in result.output
    assert "taken as the table's key" not in result.output


def test_the_two_keys_of_an_export_are_found(tmp_path: Path) -> None:
    rides = [
        {**ride(number // 2), "rideId": {"S": f"r{number // 2}"}, "stop": {"N": f"{number % 2}"}}
        for number in range(40)
    ]
    leave_export(tmp_path / "rides", [rides])
    for named in ((), ("--sort-key", "stop", "--force")):
        result = of_export(tmp_path, tmp_path / "rides", *named)
        assert "rideId and stop: taken as the table's key" in result.output
        assert "--key rideId --sort-key stop --out out" in result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--same-key", "last"), "--same-key cannot be combined with --export"),
        (("--encoding", "latin-1"), "--encoding cannot be combined with --export"),
        (("--region", "us-east-1"), "--region cannot be combined with --export"),
        (("--table", "rides"), "say what to look at"),
        (("--key", "row"), "has no attribute 'row' for the table's key"),
        (("--key", "rides"), "has no attribute 'rides' for the table's key"),
        (("--sort-key", "began"), "has no attribute 'began' for the table's key"),
        (("--key", "rideId", "--sort-key", "began"), "has no attribute 'began'"),
        (("--key", "rideId", "--sort-key", "tags"), "the key attribute 'tags'"),
        (("--sort-key", "tags"), "the key attribute 'tags'"),
    ],
)
def test_what_does_not_fit_an_export_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    leave_export(tmp_path / "rides", [[{**ride(1), "tags": {"SS": ["a"]}}]])
    result = of_export(tmp_path, tmp_path / "rides", *arguments)
    assert (result.exit_code, says in result.output) == (2, True), result.output
    assert "trip_id" not in result.output
    assert not (tmp_path / "orders.toml").exists()


def test_an_export_without_items_is_refused(tmp_path: Path) -> None:
    leave_export(tmp_path / "rides", [[]])
    result = of_export(tmp_path, tmp_path / "rides")
    assert (result.exit_code, "rides has no items to look at" in result.output) == (2, True)


def test_a_file_is_overwritten_only_with_force(tmp_path: Path) -> None:
    (tmp_path / "orders.toml").write_text("mine")
    assert init(tmp_path).exit_code == 2
    assert (tmp_path / "orders.toml").read_text() == "mine"
    assert init(tmp_path, "--force").exit_code == 0


def test_without_any_time_it_says_what_is_missing(tmp_path: Path) -> None:
    result = init(tmp_path, text="id,price\n1,2.5\n")
    assert result.exit_code == 2
    assert "has times in a known form" in result.output


def of_times(directory: Path, *times: dict[str, str]) -> Result:
    rides = [{**ride(number), "startedAt": time} for number, time in enumerate(times)]
    leave_export(directory / "rides", [rides])
    return of_export(directory, directory / "rides")


def test_times_in_several_forms_are_recognized(tmp_path: Path) -> None:
    times = [{"S": "25.05.2024 10:00"}, {"S": "2024-05-25"}, {"N": "1716631200"}]
    result = of_times(tmp_path, *times, {"S": "26/05/2024"}, {"S": "27/05/2024"})
    assert result.exit_code == 0, result.output
    assert written(tmp_path)["item"]["day"] == "startedAt"
    last = shlex.split(result.output.splitlines()[-1])
    assert last[-1] == "TimeFormats=%d/%m/%Y|%d.%m.%Y %H:%M"
    assert "of 5 items: 5 count, 0 excluded, 0 incomplete." in result.output


def test_times_that_cannot_be_read_are_named_with_their_forms(tmp_path: Path) -> None:
    times = [{"S": "2024-05-25"}, {"S": "2024-05-26"}, {"S": "soon"}, {"N": "20240525"}]
    result = of_times(tmp_path, *times)
    assert result.exit_code == 2
    forms = "startedAt (2 date alone, 1 String aaaa, 1 date as a number)"
    assert forms in " ".join(result.output.split())


@pytest.mark.parametrize("arguments", [[], ["--table", "a", "--stack", "b"]])
def test_it_looks_at_one_thing(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, ["init", *arguments]).exit_code == 2


def test_a_rare_word_among_few_different_times_does_not_hide_them(tmp_path: Path) -> None:
    """The first items of an export may all be of one day."""
    rows = "".join(f"{n},{'25.05.2024' if n else 'soon'},{n}.5\n" for n in range(20))
    assert init(tmp_path, text=f"id,at,price\n{rows}").exit_code == 0
    assert written(tmp_path)["item"]["day"] == "at"


def test_codes_are_groups_and_no_amounts(tmp_path: Path) -> None:
    rows = "".join(f"{n},2024-05-25,{n}.5,{n % 2}\n" for n in range(8))
    assert init(tmp_path, text=f"id,at,price,payment_type\n{rows}").exit_code == 0
    assert written(tmp_path)["breakdowns"] == {"payment_type": ["payment_type"]}
    assert "total_payment_type" not in (tmp_path / "orders.toml").read_text()


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A table of two kinds of items in an account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        names = ("PK", "SK")
        client.create_table(
            TableName="orders",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": name, "KeyType": kind}
                for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        )
        for n in range(20):
            client.put_item(
                TableName="orders",
                Item={
                    "PK": {"S": str(n)},
                    "SK": {"S": "order"},
                    "state": {"S": "paid" if n % 2 else "open"},
                    "total": {"N": f"{n}.5"},
                    "createdAt": {"N": str(1716631200 + n)},
                },
            )
        yield client


@pytest.mark.usefixtures("table")
def test_a_table_is_sampled(tmp_path: Path) -> None:
    output = tmp_path / "orders.toml"
    arguments = ["--table", "orders", "--region", "us-east-1", "--output", str(output)]
    result = CliRunner().invoke(main, ["init", *arguments])
    assert result.exit_code == 0, result.output
    assert written(tmp_path)["item"] == {"day": "createdAt", "where": {"state": "paid"}}
    assert "of 20 items: 10 count, 10 excluded, 0 incomplete" in result.output
    assert f"estimate --table orders --region us-east-1 --definition {output}" in result.output
    assert "KpiDefinition=orders" in result.output


@pytest.mark.usefixtures("table")
def test_a_table_that_is_not_there_ends_with_exit_status_2(tmp_path: Path) -> None:
    output = str(tmp_path / "orders.toml")
    arguments = ["--table", "none", "--region", "us-east-1", "--output", output]
    result = CliRunner().invoke(main, ["init", *arguments])
    assert (result.exit_code, "for a sample of the table none" in result.output) == (2, True)

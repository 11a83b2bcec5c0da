"""docs/from-one-lambda.md: its old function and its comparison run, and say what the page says."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.integration.pipeline import BUCKET_NAME, TABLE_NAME, Pipeline
from tests.samples import trip

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "from-one-lambda.md").read_text(encoding="utf-8")
(OLD_FUNCTION,) = re.findall(r"^```python\n(.+?)^```", PAGE, re.DOTALL | re.MULTILINE)
(PRINTED,) = re.findall(r"^```text\n(.+?)^```", PAGE, re.DOTALL | re.MULTILINE)


def on(day: str, *fares: str, time: str = " 13:19:00") -> list[dict[str, Any]]:
    """Trips of a day; a fare with a dot is a String, another one a Number."""
    return [
        trip(
            f"{day}-{n}",
            fare_amount={"N" if fare.isdecimal() else "S": fare},
            pickup_datetime={"S": day + time},
        )
        for n, fare in enumerate(fares)
    ]


TRAPS = [
    *on("2024-05-20", "12.5", "7.25", "-3.0", "100"),
    trip("absent", estimated_fare_amount=None, pickup_datetime={"S": "2024-05-20"}),
    trip("null", fare_amount={"NULL": True}, pickup_datetime={"S": "2024-05-20"}),
    *on("2024-05-21", "0.1", "0.2"),
    *on("2024-05-22", "1", "0", "0"),
    *on("2024-05-23", "20", "NaN"),
    *on("2024-05-24", "30", time="T23:30:00-05:00"),
]


@pytest.fixture
def table(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setenv("MAX_REJECTED_SHARE", "1")
    pipeline.make_table(TRAPS)
    return pipeline


def old_function(monkeypatch: pytest.MonkeyPatch, bucket_name: str) -> None:
    """Calls the page's old function once."""
    monkeypatch.setenv("TABLE_NAME", TABLE_NAME)
    monkeypatch.setenv("BUCKET_NAME", bucket_name)
    module: dict[str, Any] = {}
    exec(OLD_FUNCTION, module)  # it is the documented program that is tried here
    module["handler"]({}, None)


def copy(pipeline: Pipeline, folder: Path) -> Path:
    """The bucket's `kpis/`, as `aws s3 sync` leaves it."""
    for key, body in pipeline.objects("kpis/").items():
        file = folder / key.removeprefix("kpis/")
        file.parent.mkdir(parents=True)
        file.write_bytes(body)
    return folder


def compared(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The page's comparison, called as the page calls it, where the copies are."""
    return subprocess.run(
        [sys.executable, ROOT / "docs" / "compare.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def made_up(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


KEY = "date=2024-05-25/kpi.json"


def figures(average: str = "5", **others: str) -> str:
    """A day of two trips; `others` replaces or adds, as JSON."""
    texts = {
        "trip_count": "2", "total_fare": "10", "average_fare": average, "max_fare": "7",
        "min_fare": "3", **others,
    }  # fmt: skip
    return "{" + ",\n".join(f'"{name}": {text}' for name, text in texts.items()) + "}"


def test_old_and_new_agree_where_they_must_and_differ_where_the_page_says_so(
    table: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_function(monkeypatch, BUCKET_NAME)
    copy(table, tmp_path / "old")
    table.remove("kpis/")
    table.run(total_segments=3)
    copy(table, tmp_path / "new")
    done = compared(tmp_path, "old", "new")
    assert (done.stdout, done.stderr, done.returncode) == (PRINTED, "", 0)

    total = re.compile(r'"total_fare": ?([^,]+)')
    texts = [
        (tmp_path / which / "date=2024-05-21" / "kpi.json").read_text() for which in ("old", "new")
    ]
    assert [total.findall(text) for text in texts] == [["0.30000000000000004"], ["0.3"]]
    assert "0.1 + 0.2 is 0.30000000000000004" in PAGE


def test_the_old_function_fails_on_an_empty_text_and_here_it_is_no_fare(
    table: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.put([trip("empty", fare_amount={"S": ""})])
    with pytest.raises(ValueError, match="could not convert string to float"):
        old_function(monkeypatch, BUCKET_NAME)
    assert table.run(total_segments=1)["incomplete"] == 3


def test_the_fare_alone_can_be_asked_for(table: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTIMATED_FARE_ATTRIBUTE", "fare_amount")
    summary = table.run(total_segments=1)
    assert (summary["counted"], summary["incomplete"]) == (12, 1)
    projected = table.scans[-1]["ProjectionExpression"].split(", ")
    assert len(set(projected)) == len(projected) == 3, "DynamoDB refuses a path that is there twice"


def test_in_the_old_bucket_a_run_replaces_every_day_and_keeps_what_it_does_not_find(
    table: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_function(monkeypatch, BUCKET_NAME)
    gone, of_another_name = "kpis/date=2020-01-01/kpi.json", "kpis/date=2024-05-20/part-0.json"
    for key in (gone, of_another_name):
        table.s3.put_object(Bucket=BUCKET_NAME, Key=key, Body=b"{}")
    old = table.objects("kpis/")
    summary = table.run(total_segments=1)
    assert (summary["days_published"], summary["days_vanished"]) == (5, 2)
    same = {key for key, body in table.objects("kpis/").items() if body == old.get(key)}
    assert same == {gone, of_another_name, "kpis/date=2024-05-24/kpi.json"}


def test_the_old_function_overwrites_without_looking_and_the_next_run_fixes_that(
    table: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.run("run-1", total_segments=1)
    ours = table.objects("kpis/")
    old_function(monkeypatch, BUCKET_NAME)
    left = {key for key, body in table.objects("kpis/").items() if body == ours.get(key)}
    assert left == {"kpis/date=2024-05-25/kpi.json"}, "the old one knows no such day"
    table.run("run-2", total_segments=1)
    assert table.objects("kpis/").items() >= ours.items()


def test_an_object_is_one_line_and_has_no_further_fields(table: Pipeline) -> None:
    table.run(total_segments=1)
    for body in table.objects("kpis/").values():
        assert body.count(b"\n") == 1
        assert json.loads(body).keys() == {"date", *json.loads(figures())}


def test_the_parameters_are_the_stacks() -> None:
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    deployed = re.findall(r"--parameter-overrides (.+)", PAGE)
    assert len(deployed) == 2
    for parameter in " ".join(deployed).split():
        assert parameter.partition("=")[0] in template["Parameters"]


def test_the_first_runs_budget_takes_as_long_as_the_page_says() -> None:
    prose = " ".join(PAGE.split())
    (units,) = re.findall(r"with (\d+), the load on your table", prose)
    assert f"--read-units-per-second {units}" in prose
    assert "a terabyte takes three days" in prose
    pages_of_4_kb = 10**12 / 4096
    assert round(pages_of_4_kb / 2 / int(units) / 86_400) == 3


@pytest.mark.parametrize(
    ("old", "arguments", "says"),
    [
        (figures(), [], "the same"),
        (figures(city='"Berlin"'), [], "the same"),
        (figures(total_fare='"10.00"'), [], "the same"),
        (figures("5.0000004"), [], "the same, but for rounding"),
        (figures("5.004"), [], "average_fare 5.004 -> 5"),
        (figures("5.004"), ["0.005"], "the same, but for rounding"),
        (figures("NaN"), [], "average_fare NaN -> 5"),
        (figures("null", max_fare="9"), [], "average_fare NaN -> 5, max_fare 9 -> 7"),
        (figures(total_fare="10.01"), [], "total_fare 10.01 -> 10"),
        (figures(max_fare='"n/a"'), [], "max_fare NaN -> 7"),
    ],
)
def test_the_comparison_names_every_difference(
    tmp_path: Path, old: str, arguments: list[str], says: str
) -> None:
    made_up(tmp_path / "old", {KEY: old})
    made_up(tmp_path / "new", {KEY: figures()})
    done = compared(tmp_path, "old", "new", *arguments)
    agree = 1 if "the same" in says else 0
    assert done.stdout == f"2024-05-25 {says}\n{agree} of 1 agree\n"


OTHER_NAMES = (
    """{"count_trips": 2, "sum_fare": 10.0, "avg_fare": 5.0, "maximum_fare": 7, "fare_min": 3}"""
)
TOTALS = '"TotalTrips": "2", "Fare Amount Sum": 10, "mean_fare": 5, "MaxFare": 7, "lowest_fare": 3'
DATED = figures(date='"2024-05-25"')
AT_MIDNIGHT = figures(pickup_datetime='"2024-05-25T00:00:00.000Z"')


@pytest.mark.parametrize(
    "files",
    [
        {"date=2024-05-25/kpi.json": OTHER_NAMES},
        {"2024-05-25.json": OTHER_NAMES},
        {"kpi_2024-05-25.json": OTHER_NAMES},
        {"daily_20240525.json": OTHER_NAMES},
        {"2024/05/25/kpi.json": OTHER_NAMES},
        {"year=2024/month=5/day=25/kpis.json": OTHER_NAMES},
        {"date=2024-05-25%2000%3A00%3A00/part-00000-20249912.json": OTHER_NAMES},
        {"kpi.json": f'{{"trip_date": "2024-05-25", {TOTALS}}}'},
        {"kpi.json": AT_MIDNIGHT},
        {"kpi.json": figures(day="1716595200000")},
        {"kpi.json": f"[{DATED}]"},
        {"kpi.json": f'{{"2024-05-25": {OTHER_NAMES}}}'},
        {"kpi.json": f'{{"date": "2024-05-25", "kpis": {OTHER_NAMES}}}'},
        {"kpi.jsonl": DATED.replace("\n", "") + "\n\n"},
        {"kpi.csv": "pickup_date,trip_count,total_fare,avg_fare,max_fare,min_fare\n"
                    "2024-05-25,2,10.0,5.0,7.0,3.0\n"},
        # The path has the day of the run, the content that of the trips.
        {"2024/05/26/2024-05-26-02-15-00-daily_trip_kpis.json":
            '{"metadata": {"report_date": "2024-05-26", "record_count": 2, "total_trips": 2}, '
            f'"daily_kpis": [{DATED}]}}'},
        # The last run counts.
        {"2024/05/26/kpi.json": figures("6", date='"2024-05-25"'), "2024/05/27/kpi.json": DATED},
    ],
)  # fmt: skip
def test_the_comparison_reads_what_single_functions_write(
    tmp_path: Path, files: dict[str, str]
) -> None:
    made_up(tmp_path / "old", files)
    made_up(tmp_path / "new", {KEY: figures()})
    done = compared(tmp_path, "old", "new")
    assert done.stderr == ""
    assert done.stdout.splitlines()[-2:] == ["2024-05-25 the same", "1 of 1 agree"]
    again = "old: days that several files have: 1; the last by name is compared"
    assert (again in done.stdout) == (len(files) > 1)


@pytest.mark.parametrize(
    ("files", "groups", "trips"),
    [
        ({"date=2024-05-25/kpi.json": '{"date": "2024-05-25 13:19:00", "count_trips": 1, '
          '"total_fare": 3}'}, 1, 1),
        ({"date=2024-05-25 13:18:00/kpi.json": '{"count_trips": 1, "total_fare": 7}',
          "date=2024-05-25 13:19:00/kpi.json": '{"count_trips": 1, "total_fare": 3}'}, 2, 2),
        ({"kpi.json": '[{"pickup_datetime": "2024-05-25 00:00:00", "trips": 1, "sum_fare": 7}, '
          '{"pickup_datetime": "2024-05-25 13:19:00", "trips": 1, "sum_fare": 3}]'}, 2, 2),
    ],
)  # fmt: skip
def test_groups_by_the_whole_timestamp_are_recognized(
    tmp_path: Path, files: dict[str, str], groups: int, trips: int
) -> None:
    made_up(tmp_path / "old", files)
    made_up(tmp_path / "new", {KEY: figures()})
    said = (
        f"2024-05-25 grouped by time in the old, not by day: 13:19:00 is one of {groups} groups, "
        f"which have {trips} of 2 trips"
    )
    assert compared(tmp_path, "old", "new").stdout.splitlines()[0] == said
    assert "*grouped by time in the old, not by day*" in PAGE


def test_a_figure_that_the_old_one_never_has_is_not_compared(tmp_path: Path) -> None:
    made_up(tmp_path / "old", {KEY: '{"count_trips": 2, "total_fare": 10, "average_fare": 5}'})
    made_up(tmp_path / "new", {KEY: figures()})
    assert compared(tmp_path, "old", "new").stdout.splitlines() == [
        "2024-05-25 the same",
        "not in the old, so not compared: max_fare, min_fare",
        "1 of 1 agree",
    ]


def test_a_file_without_figures_of_a_day_is_named(tmp_path: Path) -> None:
    made_up(tmp_path / "old", {KEY: figures(), "latest.json": figures(), "run.json": "{}"})
    made_up(tmp_path / "new", {KEY: figures()})
    assert compared(tmp_path, "old", "new").stderr.splitlines() == [
        f"{Path('old', name)}: no figures of a day, left out"
        for name in ("latest.json", "run.json")
    ]


def test_a_folder_without_days_is_named(tmp_path: Path) -> None:
    made_up(tmp_path / "old", {KEY: figures()})
    done = compared(tmp_path, "old", "nowhere")
    assert done.returncode == 1
    assert done.stderr == (
        "no figures of any day, such as date=2024-05-25/kpi.json, are below nowhere\n"
    )

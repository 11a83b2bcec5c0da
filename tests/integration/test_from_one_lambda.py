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
OLD_FUNCTION, COMPARISON = re.findall(r"^```python\n(.+?)^```", PAGE, re.DOTALL | re.MULTILINE)
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
    (folder / "compare.py").write_text(COMPARISON, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "compare.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def made_up(folder: Path, days: dict[str, str]) -> None:
    for day, text in days.items():
        file = folder / f"date={day}" / "kpi.json"
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")


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
    (units,) = re.findall(r"with (\d+) your table's users", prose)
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
        (figures().replace("trip_count", "trips"), [], "trip_count NaN -> 2"),
    ],
)
def test_the_comparison_takes_other_layouts_and_names_every_difference(
    tmp_path: Path, old: str, arguments: list[str], says: str
) -> None:
    made_up(tmp_path / "old", {"2024-05-25": old})
    made_up(tmp_path / "new", {"2024-05-25": figures()})
    done = compared(tmp_path, "old", "new", *arguments)
    agree = 1 if "the same" in says else 0
    assert done.stdout == f"2024-05-25 {says}\n{agree} of 1 agree\n"


def test_a_folder_without_days_is_named(tmp_path: Path) -> None:
    made_up(tmp_path / "old", {"2024-05-25": figures()})
    done = compared(tmp_path, "old", "nowhere")
    assert done.returncode == 1
    assert done.stderr == "nothing like date=2024-05-25/kpi.json is below nowhere\n"

"""Tables as people have them, by the handlers over a table of moto's: each exact."""

import random
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.definitions.oracle import Settings, expected
from tests.integration.pipeline import Pipeline
from tests.samples import trip
from trip_kpis.aws.settings import DEFINITIONS
from trip_kpis.core.errors import PlanMismatchError

Table = list[dict[str, Any]]


def number(value: object) -> dict[str, str]:
    return {"N": str(value)}


def completed(n: int, **more: Any) -> dict[str, Any]:
    """One of many trips over three days, with fares that a sum of floats would round."""
    day = f"2024-05-{25 + n % 3}T0{n % 10}:19:00Z"
    return {
        "trip_id": {"S": f"t-{n}"},
        "fare_amount": number(f"{n}.{'0362694629486497'[n % 7 :]}"),
        "pickup_datetime": {"S": day},
        **more,
    }


def single_table() -> Table:
    """RAW items and COMPLETED items of the same trips under one partition key."""
    items: Table = []
    for n in range(60):
        time = f"2024-05-{25 + n % 3}T0{n % 10}:19:00Z"
        pk = {"S": f"TRIP#{n}"}
        items.append({"PK": pk, "SK": {"S": f"RAW#{time}"}, "fare": number(n)})
        if n % 4:
            items.append({"PK": pk, "SK": {"S": f"COMPLETED#{time}"}, "fare": number(n)})
    return items


def stored_twice() -> Table:
    """Every trip under its own key and again under its driver's."""
    return [
        {"PK": {"S": f"{owner}#{n}"}, "SK": {"S": f"TRIP#{n}"}}
        | {name: value for name, value in completed(n).items() if name != "trip_id"}
        for n in range(40)
        for owner in ("TRIP", "DRIVER")
    ]


def pending() -> Table:
    """Pending trips have fare 0."""
    return [
        completed(n, fare_amount=number(0 if n % 3 == 0 else f"{n}.50"))
        | {"status": {"S": "pending" if n % 3 == 0 else "completed"}}
        for n in range(60)
    ]


def cancelled() -> Table:
    """Cancelled trips have a fare, in a flag or in a word of any spelling."""
    return [
        completed(
            n,
            status={"S": ["completed", "Completed", "cancelled", "no_show"][n % 4]},
            cancelled={"BOOL": n % 4 == 2},
        )
        for n in range(60)
    ]


def cents() -> Table:
    """Amounts in cents, in three currencies; some lack the currency."""
    currencies: list[Any] = [{"S": "EUR"}, {"S": "USD"}, {"S": "CHF"}, {"NULL": True}]
    return [
        completed(n, amount_cents=number(100 * n + n % 97), currency=currencies[n % 4])
        for n in range(90)
    ]


def null_words() -> Table:
    """Words in the place of a number that nobody has."""
    words: list[Any] = [{"S": "null"}, {"S": "N/A"}, {"S": ""}, {"NULL": True}, number("0.1")]
    return [completed(n, tip=words[n % 5], fare_amount={"S": f"{n}"}) for n in range(60)] + [
        completed(60, fare_amount={"S": "N/A"})
    ]


def charges() -> Table:
    """A list of charges, whose second element not all trips have."""
    return [
        completed(
            n,
            charges={
                "L": [
                    {"M": {"amount": number(f"{n}.25"), "kind": {"S": "fare"}}},
                    {"M": {"amount": number("1.5"), "kind": {"S": "toll"}}},
                ][: 1 + n % 2]
            },
        )
        for n in range(60)
    ]


def two_attributes() -> Table:
    """The date in one attribute, the time in another one."""
    items = [completed(n, time={"S": f"0{n % 10}:19"}) for n in range(30)]
    return [item | {"date": {"S": item["pickup_datetime"]["S"][:10]}} for item in items]


KPIS = """
    [kpis]
    trips = { count = true }
    revenue = { sum = "fare_amount" }
    average = { average = "fare_amount" }
    """
CASES: dict[str, tuple[Table, str]] = {
    "a single-table design": (
        single_table(),
        """
        [item]
        day = { path = "SK", after = "COMPLETED#" }
        [item.where]
        SK = { begins_with = "COMPLETED#" }
        [kpis]
        trips = { count = true }
        revenue = { sum = "fare" }
        highest = { max = "fare" }
        """,
    ),
    "every trip stored twice": (
        stored_twice(),
        '[item]\nday = "pickup_datetime"\n[item.where]\nPK = { begins_with = "TRIP#" }\n' + KPIS,
    ),
    "pending trips with fare 0": (
        pending(),
        '[item]\nday = "pickup_datetime"\n[item.where]\nfare_amount = { above = 0 }\n' + KPIS,
    ),
    "cancelled trips by status": (
        cancelled(),
        '[item]\nday = "pickup_datetime"\n[item.where]\nstatus = ["completed", "Completed"]\n'
        + KPIS,
    ),
    "cancelled trips by flag": (
        cancelled(),
        '[item]\nday = "pickup_datetime"\n[item.where]\ncancelled = { not = true }\n' + KPIS,
    ),
    "cents in three currencies": (
        cents(),
        """
        [item]
        day = "pickup_datetime"
        [kpis]
        trips = { count = true }
        revenue = { sum = "amount_cents", scale = "0.01" }
        average = { average = "amount_cents", scale = "0.01" }
        [breakdowns]
        currency = ["currency"]
        """,
    ),
    "words that mean absent": (
        null_words(),
        """
        [item]
        day = "pickup_datetime"
        null_values = ["null", "N/A"]
        [kpis]
        trips = { count = true }
        revenue = { sum = ["fare_amount", "tip"], missing = 0 }
        tips = { sum = "tip", missing = 0 }
        """,
    ),
    "elements of a list": (
        charges(),
        """
        [item]
        day = "pickup_datetime"
        [kpis]
        fares = { sum = "charges[0].amount" }
        tolls = { sum = "charges[1].amount", missing = 0 }
        [breakdowns]
        first = ["charges[0].kind", "charges[1].kind"]
        """,
    ),
    "a day from two attributes": (
        two_attributes(),
        '[item]\nday = { date = "date", time = "time" }\n' + KPIS,
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("source", ["scan", "export"])
def test_each_is_exact(
    exporting: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, source: str
) -> None:
    pipeline = exporting
    items, toml = CASES[name]
    choose(toml, tmp_path, monkeypatch)
    keys = ("PK", "SK") if "PK" in items[0] else ("trip_id",)
    pipeline.make_table(keys=tuple((key, "S") for key in keys))
    random.Random(name).shuffle(items)
    pipeline.put(items)
    pipeline.turn_recovery(True)
    summary = pipeline.run(total_segments=3, source=source)
    assert (summary["source"], bool(pipeline.scans)) == (source, source == "scan")
    document = tomllib.loads(toml, parse_float=Decimal)
    right = expected(document, items, settings=Settings())
    assert pipeline.objects("kpis/") | pipeline.objects("breakdowns/") == right.objects
    counts = right.counts
    assert (summary["excluded"], summary["incomplete"], summary["counted"]) == (
        counts.excluded,
        counts.incomplete,
        counts.counted,
    )
    assert counts.counted
    assert summary["rejected"] == counts.rejected == {}


def test_a_kpi_more_is_a_line_more_in_the_definition(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    default = (DEFINITIONS / "trips.toml").read_text()
    choose(default + 'distance = { sum = "distance" }\n', tmp_path, monkeypatch)
    pipeline.make_table([trip("a", distance={"N": "7.25"}), trip("b", distance={"N": "0.75"})])
    pipeline.run()
    (body,) = pipeline.objects("kpis/").values()
    assert body.endswith(b',"min_fare":12.5,"distance":8}\n')


def test_a_run_is_resumed_by_its_own_definition_or_refused(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    toml = '[item]\nday = "pickup_datetime"\n' + KPIS
    choose(toml, tmp_path, monkeypatch)
    pipeline.make_table([trip()])
    pipeline.plan("run-1")
    choose("# A comment decides nothing.\n" + toml, tmp_path, monkeypatch)
    pipeline.plan("run-2", run_id="run-1")
    choose(toml + 'least = { min = "fare_amount" }\n', tmp_path, monkeypatch)
    with pytest.raises(PlanMismatchError, match="kpi_definition was 'chosen'"):
        pipeline.plan("run-3", run_id="run-1")


def choose(toml: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "chosen.toml"
    file.write_text(toml)
    monkeypatch.setenv("KPI_DEFINITION", str(file))

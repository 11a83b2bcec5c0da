"""The report that a real run leaves, over the embedded AWS."""

import json
from pathlib import Path

from tests.ops_commands import ops


def test_a_run_that_fails_leaves_none_and_its_continuation_does(tmp_path: Path) -> None:
    trips = tmp_path / "trips.jsonl"
    items = [
        {
            "trip_id": {"S": f"t{n}"},
            "pickup_datetime": {"S": f"2024-05-0{1 + n % 3} 10:00:00"},
            "fare_amount": {"S": "ten" if n == 4 else f"{n}.000000000000000001"},
            "estimated_fare_amount": {"N": "3"},
        }
        for n in range(9)
    ]
    trips.write_text("".join(json.dumps({"Item": item}) + "\n" for item in items))
    out = tmp_path / "out"
    report = out / "report.html"

    failed = ops("run", "--trips", trips, "--out", out, "--segments", "3")
    assert failed.returncode == 1, failed.stderr
    assert "The report" not in failed.stdout
    assert not report.exists()
    none = ops("report", "--out", out)
    assert (none.returncode, none.stderr.count("\n")) == (2, 1)
    assert f"python -m ops runs --out {out}" in none.stderr

    continued = ops("rerun", "--out", out, "--parameter", "MaxRejectedShare=0.5")
    assert continued.returncode == 0, continued.stderr
    assert continued.stdout.splitlines()[-1] == f"The report: {report}"
    page = report.read_text(encoding="utf-8")
    assert "The run was continued: 2 executions, " in page
    assert "Who read which segment when" in page
    assert '<code>fare_not_a_number</code></th><td class="number" rowspan="1">1</td>' in page
    assert "cost on AWS, estimated" in page
    for file in sorted(out.glob("kpis/date=*/kpi.json")):
        kpi = json.loads(file.read_bytes(), parse_float=str)
        assert f">{kpi['total_fare']}</td>" in page

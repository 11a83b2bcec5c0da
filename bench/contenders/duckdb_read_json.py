"""What a user would ask DuckDB: the same figures by a query over an export's files.

`python -m bench.contenders.duckdb_read_json DIRECTORY [SAMPLE_SIZE]`, with one thread. The columns
have types, so that nothing else is decoded and no digit is lost. Of several files DuckDB samples
each all the same, 20,480 lines unless it is told otherwise.
"""

import sys

import duckdb

from bench.result_line import tell
from bench.trips import DAY, ESTIMATE, FARE

_NUMBER = "struct(N decimal(38, 18))"
_QUERY = f"""
select
    substr(Item.{DAY}.S, 1, 10) as day,
    count(*) as trip_count,
    sum(Item.{FARE}.N) as total_fare,
    max(Item.{FARE}.N) as max_fare,
    min(Item.{FARE}.N) as min_fare
from read_json(
    $files,
    format = 'newline_delimited',
    sample_size = $sample_size,
    columns = {{Item: 'struct({DAY} struct(S varchar), {FARE} {_NUMBER}, {ESTIMATE} {_NUMBER})'}}
)
where Item.{FARE}.N is not null and Item.{ESTIMATE}.N is not null
group by day
"""


def main(directory: str, sample_size: str = "20480") -> None:
    asked = {"files": f"{directory}/**/*.json.gz", "sample_size": int(sample_size)}
    with duckdb.connect(config={"threads": 1}) as connection:
        days = connection.execute(_QUERY, asked).fetchall()
    names = ("trip_count", "total_fare", "max_fare", "min_fare")
    tell({day: dict(zip(names, map(str, figures), strict=True)) for day, *figures in days})


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The statements that create the Athena tables of a KPI definition (docs/athena.md).

https://docs.aws.amazon.com/athena/latest/ug/create-table.html
"""

import re
from collections.abc import Iterator, Mapping

from trip_kpis.core.definition.model import Breakdown, Definition, Function
from trip_kpis.core.layout import DayObjects

_COLUMN = re.compile("[a-z_][a-z0-9_]*")


def statements(definition: Definition, *, bucket: str, earliest_day: str) -> tuple[str, ...]:
    """Returns a table and a view with decimals, for the days and for every breakdown."""
    found = [*_statements(definition, None, bucket, earliest_day)]
    for breakdown in definition.breakdowns:
        found += _statements(definition, breakdown, bucket, earliest_day)
    return tuple(found)


def columns(definition: Definition, breakdown: Breakdown | None = None) -> Mapping[str, str]:
    """Returns the attributes of an object's lines except `date`, and their types in Athena. A
    figure is the text of the number: a cast of it to a decimal is exact."""
    groups = dict.fromkeys(breakdown.attributes if breakdown else (), "string")
    return groups | {
        kpi.name: "bigint" if kpi.function is Function.COUNT else "string"
        for kpi in definition.kpis
    }


def _statements(
    definition: Definition, breakdown: Breakdown | None, bucket: str, earliest_day: str
) -> Iterator[str]:
    table = f"kpis_by_{breakdown.name}" if breakdown else "kpis"
    there = columns(definition, breakdown)
    readable = {name: kind for name, kind in there.items() if _column(name) not in (None, "date")}
    remark = "".join(
        f"-- Athena cannot have a column {name}: it is left out.\n"
        for name in there.keys() - readable.keys()
    )
    listed = ",\n".join(f"  `{_column(name)}` {kind}" for name, kind in readable.items())
    prefix = DayObjects(breakdown.name if breakdown else None).prefix
    place = f"s3://{bucket}/{prefix}".removesuffix("date=")
    yield f"""{remark}CREATE EXTERNAL TABLE {table} (
{listed})
PARTITIONED BY (`date` date)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
LOCATION '{place}'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = '{earliest_day},NOW+1YEARS',
  'storage.location.template' = '{place}date=${{date}}/')"""
    kpis = {kpi.name: kpi.function for kpi in definition.kpis}
    selected = ['"date"']
    for name in readable:
        column = f'"{_column(name)}"'
        is_figure = kpis.get(name, Function.COUNT) is not Function.COUNT
        selected.append(f"CAST({column} AS decimal(38,18)) AS {column}" if is_figure else column)
    yield f"CREATE OR REPLACE VIEW daily_{table} AS\nSELECT {', '.join(selected)}\nFROM {table}"


def _column(attribute: str) -> str | None:
    """Returns the name in Athena: lower case, because its JSON SerDe compares names in lower case;
    None if it cannot be a name there."""
    name = attribute.lower()
    return name if _COLUMN.fullmatch(name) else None

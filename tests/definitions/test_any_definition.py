"""Any definition, any items, any cut: the oracle's bytes, counts and rejected items, by a scan and
by an export."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.definitions.filter_judge import passes, passes_in_moto
from tests.definitions.oracle import Item, expected, is_excluded, is_incomplete
from tests.definitions.strategies import Case, Segments, cases, cuts, toml_text
from tests.samples import export_page, header, page, rules
from trip_kpis.core.definition.filter_expression import is_exact, request
from trip_kpis.core.definition.parsing import DefinitionFile
from trip_kpis.core.items.attributes import parse_path
from trip_kpis.core.items.pages import Page
from trip_kpis.core.items.zones import time_zone
from trip_kpis.core.layout import DayObjects
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.part_builder import PartBuilder, Position
from trip_kpis.core.log.parts import decode, encode
from trip_kpis.core.reading.read_item import ReadingRules
from trip_kpis.core.run.totals import Totals, published


def rules_of(case: Case) -> ReadingRules:
    settings = case.settings
    return rules(
        fare=parse_path(settings.fare_attribute, setting="FareAttribute"),
        estimated_fare=parse_path(settings.estimated_fare_attribute, setting="Estimated"),
        day=parse_path(settings.day_attribute, setting="DayAttribute"),
        definition=DefinitionFile(name="any", text=toml_text(case.document)),
        time_zone=time_zone(settings.time_zone),
        time_formats=settings.time_formats,
        earliest_day=settings.earliest_day,
    )


def scanned_page(items: list[Item], rules: ReadingRules) -> Page:
    """A page of a scan, which DynamoDB filters."""
    asked = request(rules.definition, rules.key_attributes)
    passing = [item for item, is_sent in zip(items, passes(asked, items), strict=True) if is_sent]
    return page(passing, rules=rules, filtered=len(items) - len(passing))


def exported_page(items: list[Item], rules: ReadingRules) -> Page:
    return export_page(items, rules=rules)


def objects_of(
    segments: Segments,
    rules: ReadingRules,
    page_of: Callable[[list[Item], ReadingRules], Page] = scanned_page,
) -> tuple[dict[str, bytes], Counts, bytes]:
    """What a run publishes that reads these pages, a part a page or a part a segment."""
    totals, counts, quarantine = Totals(rules.definition), Counts(), b""
    for number, segment in enumerate(segments):
        builder = PartBuilder(position=Position(), rules=rules)
        for items in segment:
            builder.add(page_of(items, rules))
        body = encode(header(segment=number, counts=builder.counts), builder.partials.table())
        part, table = decode(body, key="part", columns=builder.partials.columns)
        totals.add(table)
        counts += part.counts
        quarantine += builder.quarantine
    found = published(totals.table(), rules.definition, counted=counts.counted)
    objects = {DayObjects().key(day.day): day.to_bytes() for day in found.days}
    for name, days in found.breakdowns.items():
        objects |= {DayObjects(name).key(day.day): day.to_bytes() for day in days}
    return objects, counts, quarantine


def keyed(case: Case) -> Case:
    """With a key for every item, which the quarantine names."""
    items: list[Item] = [{**item, "trip_id": {"S": f"t-{n}"}} for n, item in enumerate(case.items)]
    return Case(document=case.document, settings=case.settings, items=items)


@given(cases(), st.data())
def test_any_definition_and_any_cut_give_the_oracles_bytes(case: Case, data: st.DataObject) -> None:
    case = keyed(case)
    right = expected(case.document, case.items, settings=case.settings)
    segments, rules = data.draw(cuts(case.items)), rules_of(case)
    objects, counts, quarantine = objects_of(segments, rules)
    assert objects == right.objects
    assert (counts.scanned, counts.counted) == (len(case.items), right.counts.counted)
    assert (counts.excluded, counts.incomplete) == (
        right.counts.excluded,
        right.counts.incomplete,
    )
    assert {str(reason): n for reason, n in counts.rejected.items()} == right.counts.rejected
    lines = [msgspec.json.decode(line) for line in quarantine.splitlines()]
    assert Counter(
        (line["key"]["trip_id"]["S"], line["reason"], line["attribute"]) for line in lines
    ) == Counter((one.item["trip_id"]["S"], one.reason, one.attribute) for one in right.rejected)
    assert counts.balances
    by_export = objects_of(segments, rules, exported_page)
    assert by_export == (objects, replace(counts, read_units=0), quarantine)


@given(cases())
def test_the_filter_drops_nothing_that_counts(case: Case) -> None:
    case, rules = keyed(case), rules_of(case)
    asked = request(rules.definition, rules.key_attributes)
    drops_nothing_else = is_excluded if rules.definition.where else is_incomplete
    decides_alone = bool(rules.definition.where) and all(map(is_exact, rules.definition.where))
    for is_sent, in_moto, item in zip(
        passes(asked, case.items), passes_in_moto(asked, case.items), case.items, strict=True
    ):
        is_out = drops_nothing_else(case.document, item, settings=case.settings)
        assert is_sent or is_out
        assert in_moto or is_out
        if decides_alone:
            assert is_sent is not is_out

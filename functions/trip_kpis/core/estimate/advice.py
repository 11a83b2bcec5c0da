"""Advice before a run, derived from an estimate."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from trip_kpis.core.capacity import page_units
from trip_kpis.core.estimate.forecast import PAGE_BYTES
from trip_kpis.core.estimate.plan_notes import Advice
from trip_kpis.core.estimate.sample import SampledItems
from trip_kpis.core.items.attributes import dotted_path
from trip_kpis.core.items.epochs import DATE_AS_A_NUMBER, SERIAL_DAY
from trip_kpis.core.reading.forms import ABSENT
from trip_kpis.core.run.plan import SCAN

ONE_LAMBDA_SECONDS = 180
"""seconds of Lambda's 900: the rest is a reserve for the growth of the table"""
ONE_LAMBDA_MS_PER_PAGE = 290
"""of one processor, for boto3's Table resource and pandas (docs/performance.md)"""

_LARGE_COLLECTION_SHARE = 0.5
_ITEMS_TO_JUDGE_BY = 100
_PAGES_OF_A_LONG_SEGMENT = 8
_NAMES_TOLD = 12


def advice(sample: SampledItems, *, source: str, max_rejected_share: Decimal) -> tuple[Advice, ...]:
    """Lists what is wrong, then what could be better, for a run with this source."""
    return (
        *_of_what_was_read(sample),
        *_of_attributes(sample),
        *_of_numbers(sample),
        *_of_rejected(sample, max_rejected_share),
        *(_of_skew(sample) if source == SCAN else ()),
        *_of_one_lambda(sample),
    )


def _of_what_was_read(sample: SampledItems) -> Iterator[Advice]:
    plan, items = sample.plan, sample.items
    if not sample.census.counts.pages:
        yield Advice(
            code="no_sample",
            text=f"There is no census: a page, of {page_units(plan.consistent_read)} read units, "
            f"takes longer at {plan.read_units_per_second:,} read units a second than an estimate "
            "has time. Give the estimate a larger read_units_per_second.",
        )
    elif sample.is_whole_table and not items:
        yield Advice(
            code="empty_table",
            text=f"The table {plan.table_name} is empty: a run would publish nothing.",
        )
    elif sample.size_is_stale:
        yield Advice(
            code="stale_size",
            text=f"DynamoDB says that the table {plan.table_name} has "
            f"{plan.estimate.item_count:,} items, and the sample alone has {items:,}. DynamoDB "
            "renews size and count about every six hours: until then read units, cost and minutes "
            "are too low, and a run has no more segments than max_concurrency asks for. Ask "
            "again later, or give total_segments.",
        )


def _of_attributes(sample: SampledItems) -> Iterator[Advice]:
    plan, census = sample.plan, sample.census
    if not sample.items:
        return
    by_frequency = sorted(census.names, key=lambda name: (-census.names[name], name))
    names = [dotted_path((name,)) for name in by_frequency]
    more = f" and {len(names) - _NAMES_TOLD} more" if len(names) > _NAMES_TOLD else ""
    any_absent = False
    for named in plan.named_paths:
        if census.forms[named.path][ABSENT] == sample.items:
            any_absent = True
            first, *rest = named.path
            inside = f" ({first} is there, but not what is in it)" if first in census.names else ""
            flat = ".".join(map(str, named.path))
            better = dotted_path((flat,)) if rest and flat in census.names else "another value"
            yield Advice(
                code="attribute_absent",
                text=f"No item of the sample has {dotted_path(named.path)}{inside}, which "
                f"{named.named_by} names. The items have {', '.join(names[:_NAMES_TOLD])}{more}. "
                f"Give {named.named_by} {better}.",
            )
    needed = plan.definition.needed
    if not any_absent and needed and census.counts.incomplete == sample.items:
        all_of = " and ".join(map(dotted_path, needed))
        yield Advice(
            code="nothing_complete",
            text=f"No item of the sample has {'both ' if len(needed) == 2 else ''}{all_of}: none "
            "would count. Do FareAttribute and EstimatedFareAttribute, or the KPI definition, name "
            "attributes of the same items?",
        )
    if census.counts.excluded == sample.items:
        yield Advice(
            code="all_excluded",
            text="The conditions of the KPI definition exclude every item of the sample: none "
            "would count. Compare [item.where] with what the items have; a String and a Number of "
            "the same digits are two values where a String is asked for.",
        )


def _of_numbers(sample: SampledItems) -> Iterator[Advice]:
    path = sample.plan.definition.day.paths[0]
    times = sample.census.forms.get(path, Counter())
    found = [f"{times[one]:,} {one}" for one in (DATE_AS_A_NUMBER, SERIAL_DAY) if times[one]]
    if found:
        yield Advice(
            code="numbers_not_epochs",
            text=f"Some Numbers of {dotted_path(path)} do not look like epochs "
            f"({', '.join(found)}, of {sample.items:,} items). Numbers are read as epoch seconds, "
            "milliseconds or microseconds, so a run rejects these as time_out_of_range. Write such "
            "times as Strings (the format %Y%m%d in TimeFormats reads 20240525), or let "
            "DayAttribute name another attribute.",
        )


def _of_rejected(sample: SampledItems, max_rejected_share: Decimal) -> Iterator[Advice]:
    counts = sample.census.counts
    if counts.rejects_more_than(max_rejected_share):
        completed = counts.rejected_in_all + counts.counted
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(counts.rejected.items()))
        yield Advice(
            code="too_many_rejected",
            text=f"{counts.rejected_in_all:,} of {completed:,} completed trips of the sample would "
            f"be rejected ({reasons}), more than the share of {max_rejected_share} that "
            "MaxRejectedShare tolerates: such a run fails before it publishes. Look at "
            "what the values look like; fix them, name another attribute, "
            "add a format to TimeFormats, or raise MaxRejectedShare.",
        )


def _of_skew(sample: SampledItems) -> Iterator[Advice]:
    plan = sample.plan
    for number, segment in sorted(sample.segments.items()):
        share = segment.largest_collection_share
        if share >= _LARGE_COLLECTION_SHARE and segment.items >= _ITEMS_TO_JUDGE_BY:
            yield Advice(
                code="large_collection",
                text=f"In segment {number}, {share:.0%} of a page's items have one value of "
                f"{plan.key_attributes[0]}. Items of one hash key are within one segment, whatever "
                "the number of segments: one worker reads them all, and a run takes as long as "
                "that.",
            )
            break
    pages = plan.estimate.table_bytes / PAGE_BYTES / plan.total_segments
    ended = sum(segment.ended for segment in sample.segments.values())
    if pages >= _PAGES_OF_A_LONG_SEGMENT and ended:
        yield Advice(
            code="uneven_segments",
            text=f"{ended} of {len(sample.segments)} sampled segments ended within the sample, "
            f"where an average one has {pages:,.0f} pages: others are longer. More total_segments "
            "even that out, unless single hash keys have most of the items.",
        )


def _of_one_lambda(sample: SampledItems) -> Iterator[Advice]:
    size = sample.plan.estimate.table_bytes
    alone_seconds = max(
        size / PAGE_BYTES * ONE_LAMBDA_MS_PER_PAGE / 1000,
        sample.plan.estimate.seconds_at_least,
    )
    if sample.size_is_known and alone_seconds <= ONE_LAMBDA_SECONDS:
        yield Advice(
            code="one_lambda",
            text="This table is small enough for one Lambda: a scan page by page takes about "
            f"{max(1, round(alone_seconds))} s of its 900 s. The advantages of a run are that its "
            "figures are exact, proved, and the same when it is repeated.",
        )

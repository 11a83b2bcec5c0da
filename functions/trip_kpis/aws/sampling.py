"""Reads a sample of the table, within the run's read budget and the time that there is."""

from collections.abc import Callable
from typing import Any

from trip_kpis.aws.read_budget import Pacer
from trip_kpis.aws.scan import unfiltered_page
from trip_kpis.core.capacity import page_units
from trip_kpis.core.estimate.sample import Sample
from trip_kpis.core.run.plan import Plan

GENTLE_UNITS_PER_SECOND = 512
"""if the run has no budget: about a hundredth of an on-demand table's default quota"""
_RESERVE_MS = 15_000
"""time that must be left when a page is requested"""


def sampling_pacer(plan: Plan) -> Pacer:
    """Returns a pacer for one reader that has the whole budget of the run."""
    return Pacer(
        units_per_second=plan.read_units_per_second or GENTLE_UNITS_PER_SECOND,
        page_units=page_units(plan.consistent_read),
    )


def take_sample(
    client: Any, plan: Plan, *, remaining_ms: Callable[[], int], pacer: Pacer | None = None
) -> Sample:
    """Reads as much of the sample that the plan wants as there is time for; perhaps nothing.

    The client leaves the answers undecoded (`raw_scan_parser.UndecodedScans`). Raises what
    `aws_call` raises.
    """
    sample, pacer = Sample(plan=plan), pacer or sampling_pacer(plan)
    for segment, start_key in sample.wanted():
        if not pacer.wait(at_most_ms=remaining_ms() - _RESERVE_MS):
            break
        page = unfiltered_page(client, plan, segment, start_key=start_key)
        pacer.consumed(page.read_units)
        sample.add(segment, page)
        del page  # it would be in memory beside the next one
    return sample

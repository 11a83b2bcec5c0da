"""The answer to `estimate_only`: what a run would cost and take, a census, and advice."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from trip_kpis.core.estimate.advice import advice
from trip_kpis.core.estimate.census import Census
from trip_kpis.core.estimate.comparison import Comparison
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.estimate.plan_notes import plan_notes
from trip_kpis.core.estimate.planning import forecast
from trip_kpis.core.estimate.sample import SampledItems
from trip_kpis.core.items.attributes import dotted_path

_NAMES_TOLD = 30
_LONGEST_NAME = 80
_SHAPES_SHOWN = 5
_UNKNOWN = (
    "A sample contains nothing about pages that it did not read: how long a segment is that did "
    "not end within it, whether an item collection elsewhere is large, whether older trips have "
    "other forms."
)


def estimate_document(
    plans: Comparison, sample: SampledItems, terms: EstimateTerms
) -> dict[str, Any]:
    """Returns the estimate of the requested run, its comparison with the other source, the census
    and the advice."""
    plan, rejected_trips = plans.asked, _rejected_trips(sample)
    expected = forecast(plan, terms, rejected_trips=rejected_trips)
    compared = plans.compared(terms, rejected_trips=rejected_trips)
    all_advice = (
        *plan_notes(plan, forecast(plan, terms), terms),
        *advice(sample, source=plan.source, max_rejected_share=terms.max_rejected_share),
        *((plans.which_fits(compared),) if sample.size_is_known else ()),
    )
    return {
        "table": plan.table_name,
        "source": plan.source,
        **asdict(plan.estimate),
        "parts": expected.parts,
        "merge_seconds": expected.merge_seconds,
        "segments": plan.total_segments,
        "max_concurrency": plan.max_concurrency,
        "limited_by": plan.limited_by,
        "lambda_limit": plan.lambda_limit,
        "checkpoint_seconds": plan.checkpoint_seconds,
        "cost_usd": expected.cost(usd_per_read_unit=plan.estimate.usd_per_read_unit).to_json(),
        "minutes": max(1, math.ceil(expected.seconds / 60)),
        "point_in_time_recovery": plans.recovery,
        "sources": {name: asdict(one) for name, one in compared.items()},
        "census": _census(sample),
        "advice": [asdict(one) for one in all_advice],
    }


def _rejected_trips(sample: SampledItems) -> float:
    """Scales the rejected trips of the sample to the table."""
    counts = sample.census.counts
    if not counts.scanned:
        return 0.0
    return counts.rejected_in_all / counts.scanned * sample.items_in_table


def _census(sample: SampledItems) -> dict[str, Any]:
    plan, census, counts = sample.plan, sample.census, sample.census.counts
    of_table = _Scaled(sample=counts.scanned, table=sample.items_in_table)
    return {
        "pages": counts.pages,
        "items": counts.scanned,
        "read_units": counts.read_units,
        "share_of_table": of_table.sampled_share,
        "is_whole_table": sample.is_whole_table,
        "is_cut_short": sample.is_cut_short,
        "trips": {
            "counted": of_table.extrapolated(counts.counted),
            "excluded": of_table.extrapolated(counts.excluded),
            "incomplete": of_table.extrapolated(counts.incomplete),
            "rejected": of_table.extrapolated(counts.rejected_in_all),
        },
        "rejected_by_reason": {
            str(reason): {
                **of_table.extrapolated(number),
                "looks_like": _most(census.shapes[reason], _SHAPES_SHOWN),
            }
            for reason, number in sorted(counts.rejected.items())
        },
        "attributes": {
            named.role: _forms(dotted_path(named.path), census.forms.get(named.path, Counter()))
            for named in plan.named_paths
        },
        "top_level_attributes": _most(census.names, _NAMES_TOLD),
        "days": _days(census),
        "segments": [
            {
                "segment": number,
                "pages": segment.pages,
                "items": segment.items,
                "ended": segment.ended,
                "largest_collection_share": round(segment.largest_collection_share, 4),
            }
            for number, segment in sorted(sample.segments.items())
        ],
        "unknown": "" if sample.is_whole_table else _UNKNOWN,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scaled:
    """Counts of a sample, as shares of it, and scaled to the table."""

    sample: int
    table: int

    @property
    def sampled_share(self) -> float:
        return round(self.sample / self.table, 6) if self.table else 1.0

    def extrapolated(self, number: int) -> dict[str, Any]:
        share = number / self.sample if self.sample else 0.0
        return {
            "in_sample": number,
            "share": round(share, 6),
            "in_table": round(share * self.table),
        }


def _forms(path: str, counts: Counter[str]) -> dict[str, Any]:
    return {"path": path, "forms": _most(counts)}


def _days(census: Census) -> dict[str, Any] | None:
    if not census.days:
        return None
    return {
        "days": len(census.days),
        "first": min(census.days).isoformat(),
        "last": max(census.days).isoformat(),
    }


def _most(counts: Counter[str], most: int | None = None) -> Mapping[str, int]:
    """Returns the most frequent first; equally frequent ones are in alphabetical order."""
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return {name[:_LONGEST_NAME]: number for name, number in ranked[:most]}

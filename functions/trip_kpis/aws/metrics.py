"""CloudWatch metrics, as lines of the log (EMF): no call to AWS, and no permission for it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html
"""

from collections.abc import Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.run.run_metrics import Measure

NAMESPACE = "TripKpis"
_UNITS = {Measure.SCAN_SECONDS: MetricUnit.Seconds, Measure.COST_USD: MetricUnit.NoUnit}


def emit(
    measured: Mapping[Measure, float],
    *,
    stack_name: str,
    rejected: Mapping[Reason, int] | None = None,
) -> None:
    """Writes the measures with the single dimension StackName, and rejected trips by Reason,
    too."""
    _write(measured, StackName=stack_name)
    for reason, trips in sorted((rejected or {}).items()):
        _write({Measure.TRIPS_REJECTED: trips}, StackName=stack_name, Reason=str(reason))


def _write(measured: Mapping[Measure, float], **dimensions: str) -> None:
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    for name, value in dimensions.items():
        metrics.add_dimension(name, value)
    for measure, figure in measured.items():
        metrics.add_metric(str(measure), _UNITS.get(measure, MetricUnit.Count), figure)
    metrics.flush_metrics()

"""The default definition: what it publishes, to the byte."""

from tests.integration.pipeline import Pipeline
from tests.samples import trip


def test_the_default_definition_publishes_the_five_figures(pipeline: Pipeline) -> None:
    pipeline.make_table(
        [
            trip("a", fare_amount={"S": "12.50"}, trip_distance={"N": "7.25"}),
            trip("b", fare_amount={"N": "-0.000000000000000001"}),
            trip("c", fare_amount={"NULL": True}),
        ]
    )
    pipeline.run()
    assert pipeline.objects("kpis/") == {
        "kpis/date=2024-05-25/kpi.json": b'{"date":"2024-05-25","trip_count":2'
        b',"total_fare":12.499999999999999999,"average_fare":6.25,"max_fare":12.5'
        b',"min_fare":-0.000000000000000001}\n'
    }
    assert pipeline.objects("breakdowns/") == {}

"""Who loads many trips into the emulated table learns of the faster way."""

from ops.local.run_source import MANY_TRIPS, remark_on_size


def test_more_trips_than_the_table_is_good_for_have_a_remark_with_the_option() -> None:
    assert remark_on_size(MANY_TRIPS) is None
    says = remark_on_size(60_000)
    assert says is not None
    assert says.startswith("60,000 trips")
    assert "--source export" in says

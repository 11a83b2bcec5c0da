"""What every test needs: hypothesis without a clock."""

from hypothesis import settings

# A deadline is an assertion on a clock: it fails on a busy machine and says nothing of the code.
settings.register_profile("trip-kpis", deadline=None, print_blob=True)
settings.load_profile("trip-kpis")

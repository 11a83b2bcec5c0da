"""The functions' environment, as the template gives it with its defaults."""

from trip_kpis.core.settings import default_environment

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    **default_environment(),
    "DYNAMODB_TABLE_NAME": "trips",
    "ATHENA_BUCKET_NAME": "trip-kpis",
}

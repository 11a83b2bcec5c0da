"""The one logger: a JSON object a line, as CloudWatch Logs Insights reads it."""

from aws_lambda_powertools import Logger

logger = Logger(service="trip-kpis")

"""The AWS in this process, as for the integration tests."""

from tests.integration.conftest import _clients_of_our_own as _clients_of_our_own
from tests.integration.conftest import exporting as exporting
from tests.integration.conftest import pipeline as pipeline

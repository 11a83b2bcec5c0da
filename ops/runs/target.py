"""What runs are executed in: a deployed stack, wherever it is."""

from typing import Any, Protocol


class Target(Protocol):
    """A stack's state machine and bucket, and the clients that reach them."""

    @property
    def state_machine_arn(self) -> str: ...

    @property
    def bucket_name(self) -> str: ...

    def client(self, service: str) -> Any: ...

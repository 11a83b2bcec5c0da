"""The errors of the embedded cloud itself, in contrast to those of a run inside it.

EmbeddedCloudError
├── CloudStartError        it cannot be started: the port is taken, one is running already
├── MotoMismatchError      moto is not the version whose behaviour the patches know
├── DeploymentError        the template, a parameter or a file it names is wrong
└── LambdaEndpointError    the other Lambda endpoint cannot be reached, or does not answer as one

Every message is for the person at the keyboard: it names the value and the next step, and needs no
traceback.
"""

from __future__ import annotations


class EmbeddedCloudError(Exception):
    """Base of all of them; catch it to print its message and exit."""


class CloudStartError(EmbeddedCloudError):
    """The embedded cloud cannot be started."""


class MotoMismatchError(EmbeddedCloudError):
    """The installed moto has not the internals that the patches were written for."""


class DeploymentError(EmbeddedCloudError):
    """The stack cannot be created from this template with these parameters."""


class LambdaEndpointError(EmbeddedCloudError):
    """The Lambda endpoint that was asked for cannot be used."""

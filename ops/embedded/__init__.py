"""The embedded AWS: moto, with patches wherever a run of this program could notice a difference
from AWS."""

from ops.embedded.isolation import isolated_from_aws

# moto makes a boto3 session while it is imported, which a profile in the environment that is not
# there would break. Nothing is asked for yet, at this or any other address.
with isolated_from_aws("http://127.0.0.1"):
    import moto.ec2.models  # noqa: F401

"""A deployed stack, in an AWS account or in an emulator of AWS."""

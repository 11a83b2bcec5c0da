"""A deployed stack, in an AWS account or in anything that answers like one."""

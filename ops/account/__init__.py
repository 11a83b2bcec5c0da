"""A stack that was deployed, in an AWS account or in anything that answers like one."""

"""The program's errors.

    TripKpisError
    ├── PermanentError              would fail again with the same input; never retried
    │   ├── WrongPackageError       a function's package is built for another processor or Python
    │   ├── SettingError            a stack parameter or environment variable is missing or wrong
    │   ├── DefinitionError         a KPI definition is wrong
    │   ├── InputError              the execution's input is wrong
    │   ├── TableNotFoundError      the trips table is not there
    │   ├── BucketNotFoundError     the bucket is not there
    │   ├── AccessDeniedError       a role lacks a permission
    │   ├── RefusedError            AWS refuses a request, and would refuse it again
    │   ├── PlanNotFoundError       the run has no plan
    │   ├── PointInTimeRecoveryError   the table cannot be exported
    │   ├── ExportFailedError       DynamoDB says that the export failed
    │   ├── ExportNotFoundError     an export, or an object of it, is not there
    │   ├── CorruptExportError      an export is not what DynamoDB says it is
    │   ├── PlanMismatchError       the run's plan is not the one that is asked for now
    │   ├── NoProgressError         a segment's workers run out of time with nothing to show for it
    │   ├── MissingSegmentError     a segment was not read to its end
    │   ├── BrokenChainError        a segment's parts do not follow one another
    │   ├── ForeignPartError        a part belongs to another plan, segment or place
    │   ├── CorruptPartError        a part is not what was written
    │   ├── UnbalancedCountsError   counts do not add up
    │   ├── TooManyRejectedError    the quality gate `MaxRejectedShare`
    │   ├── NothingCountedError     no item counts, or every published day would be removed
    │   ├── TooManyTripsError       more trips than a sum can hold exactly
    │   ├── TooManyGroupsError      more groups in a breakdown than it can have
    │   └── TooManyPartsError       more parts than one merge has time for
    └── TransientError              may succeed when tried again; the state machine does

A state machine sees the name of an exception's own class and nothing of its bases
(https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html), so what is to be retried
is raised as `TransientError` itself: it has no subclasses.
"""


class TripKpisError(Exception):
    """Whatever the program raises on purpose. The message names the value and the next step."""


class PermanentError(TripKpisError):
    """An error that would occur again with the same input; the state machine does not retry it."""


class WrongPackageError(PermanentError):
    """A function's package is built for another processor or another Python."""


class SettingError(PermanentError):
    """A stack parameter, seen by a function as an environment variable, is missing or wrong."""


class DefinitionError(PermanentError):
    """A KPI definition is wrong; the message names file, key and value, and what is possible."""


class InputError(PermanentError):
    """The execution's input (or a direct invocation's event) is wrong."""


class TableNotFoundError(PermanentError):
    """The trips table does not exist."""


class BucketNotFoundError(PermanentError):
    """The bucket does not exist."""


class AccessDeniedError(PermanentError):
    """A role lacks a permission for what it was asked to do."""


class RefusedError(PermanentError):
    """AWS refuses a request for a reason that trying again does not fix."""


class PlanNotFoundError(PermanentError):
    """A worker or the merge was called for a run that has no plan."""


class PointInTimeRecoveryError(PermanentError):
    """The table's point-in-time recovery is off, so that it cannot be exported."""


class ExportFailedError(PermanentError):
    """DynamoDB says that the export failed."""


class ExportNotFoundError(PermanentError):
    """An export, its manifest or one of its data files does not exist (any more)."""


class CorruptExportError(PermanentError):
    """A manifest or a data file is not what its checksum or DynamoDB's item count says."""


class PlanMismatchError(PermanentError):
    """A run is resumed with other settings than those of its plan."""


class NoProgressError(PermanentError):
    """Two invocations in a row ran out of time before they had a page of a segment."""


class MissingSegmentError(PermanentError):
    """At least one segment has not been read to its end."""


class BrokenChainError(PermanentError):
    """The parts of a segment leave a gap or overlap."""


class ForeignPartError(PermanentError):
    """A part does not belong where it is: another plan, run, segment or number."""


class CorruptPartError(PermanentError):
    """A part cannot be read, or is not what was written."""


class UnbalancedCountsError(PermanentError):
    """Counts do not add up: scanned is not excluded + incomplete + rejected + counted, or rows
    differ."""


class TooManyRejectedError(PermanentError):
    """A larger share of the trips was rejected than `MaxRejectedShare` tolerates."""


class NothingCountedError(PermanentError):
    """No item of the table counts; or there is none, and every published day would be removed."""


class TooManyTripsError(PermanentError):
    """More trips than decimal128(38, 18) is sure to sum exactly."""


class TooManyGroupsError(PermanentError):
    """A breakdown has more groups on one day, or all have more in a run, than there may be."""


class TooManyPartsError(PermanentError):
    """More parts than one merge has time for, or than a segment's log has numbers for."""


class TransientError(TripKpisError):
    """An error that may not occur again: throttling, a server's error, a broken connection."""

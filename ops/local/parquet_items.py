"""Reads items from Parquet files: every value exactly as DynamoDB would store it."""

import base64
from collections.abc import Callable, Iterator
from typing import Any


class ParquetError(Exception):
    """The file cannot be read, or DynamoDB has no type for its content."""


def read_parquet(body: bytes) -> tuple[list[str], Iterator[dict[str, Any]]]:
    """Returns the names of the columns, and yields each row as an item in DynamoDB JSON, read in
    batches.

    Text and times are Strings (ISO 8601), numbers are Numbers: a float as the shortest text that
    reads back as the same float of its width. A value that is null is an absent attribute; within
    a list it is NULL. Raises ParquetError, also while the rows are read.
    """
    # pyarrow is slow to import, and only this needs it
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(pa.BufferReader(body))
    except (pa.ArrowException, OSError) as error:
        raise _not_whole(error) from error
    schema = file.schema_arrow

    def rows() -> Iterator[dict[str, Any]]:
        converters = {field.name: _converter(field.type, field.name) for field in schema}
        try:
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    yield _present(converters, row)
        except (pa.ArrowException, OSError) as error:
            raise _not_whole(error) from error
        except (ValueError, OverflowError) as error:
            raise ParquetError(f"has a value that cannot be read ({error})") from error

    return schema.names, rows()


def _not_whole(error: Exception) -> ParquetError:
    return ParquetError(f"is not a complete Parquet file ({error}): fetch it again")


_Converter = Callable[[Any], dict[str, Any]]


def _present(converters: dict[str, _Converter], values: dict[str, Any]) -> dict[str, Any]:
    return {name: converters[name](value) for name, value in values.items() if value is not None}


def _converter(kind: Any, column: str) -> _Converter:
    """Returns a function from a value that is not null, as pyarrow returns it in Python, to
    DynamoDB JSON."""
    from pyarrow import types

    if types.is_dictionary(kind):
        return _converter(kind.value_type, column)
    if types.is_boolean(kind):
        return lambda value: {"BOOL": value}
    if types.is_integer(kind) or types.is_decimal(kind):
        return lambda value: {"N": str(value)}
    if types.is_floating(kind):
        of_its_width = kind.to_pandas_dtype()
        return lambda value: {"N": str(of_its_width(value))}
    if types.is_string(kind) or types.is_large_string(kind) or types.is_null(kind):
        return lambda value: {"S": value}
    if types.is_date(kind) or types.is_time(kind) or types.is_timestamp(kind):
        return lambda value: {"S": value.isoformat()}
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return lambda value: {"B": base64.b64encode(value).decode()}
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        element = _converter(kind.value_type, column)
        return lambda value: {
            "L": [{"NULL": True} if one is None else element(one) for one in value]
        }
    if types.is_struct(kind):
        fields = {field.name: _converter(field.type, column) for field in kind}
        return lambda value: {"M": _present(fields, value)}
    if types.is_map(kind) and types.is_string(kind.key_type):
        of_entry = _converter(kind.item_type, column)

        def of_map(value: list[tuple[str, Any]]) -> dict[str, Any]:
            if len(dict(value)) < len(value):
                raise ParquetError(f"column {column} has a map with a key twice: remove one")
            return {"M": {key: of_entry(one) for key, one in value if one is not None}}

        return of_map
    raise ParquetError(
        f"column {column} has the type {kind}, which DynamoDB does not have: leave the column out, "
        "or write it as text"
    )

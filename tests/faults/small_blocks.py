"""ScanSegment in the slow form: it reads exports in pieces and blocks of a few items, so that what
happens can happen inside a file."""

import scan_segment
from trip_kpis.aws import export
from trip_kpis.core.export import lines

export.PIECE_BYTES = 150
lines.BLOCK_BYTES = 500

handler = scan_segment.handler

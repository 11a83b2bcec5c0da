"""ScanSegment in the slow form: it reads exports in pieces and blocks of a few items, so that what
happens can happen inside a file."""

import scan_segment
from trip_kpis.aws import export_files
from trip_kpis.core.export import lines

export_files.PIECE_BYTES = 150
lines.BLOCK_BYTES = 500

handler = scan_segment.handler

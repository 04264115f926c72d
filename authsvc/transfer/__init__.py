"""Auth's data in and out of a file: JSON Lines, one entity a line, in any order."""

from authsvc.transfer.exporting import export_lines
from authsvc.transfer.importing import Counts, ImportReport, RejectedLine, import_lines
from authsvc.transfer.lines import LINE_BYTES_MAX, format_line, parse_line

__all__ = [
    "import_lines",
    "export_lines",
    "ImportReport",
    "Counts",
    "RejectedLine",
    "parse_line",
    "format_line",
    "LINE_BYTES_MAX",
]

"""An evaluation as one HTML page that needs no network.

`write_report` writes it; ``python -m medaug.report --real DIR --synthetic DIR`` evaluates images of
any origin and writes it for them.
"""

from ._page import write_report

__all__ = ["write_report"]

"""An evaluation as one HTML page that needs no network.

`write_report` writes it of images, `write_cine_report` of sequences; ``python -m medaug.report
--real DIR --synthetic DIR`` evaluates images of any origin and writes it for them.
"""

from ._cine_page import write_cine_report
from ._page import write_report

__all__ = ["write_cine_report", "write_report"]

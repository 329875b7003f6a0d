"""The reader study: can radiologists tell generated sequences from real ones?

``python -m medaug.study.readers page --real DIR --synthetic DIR`` makes a blinded page that needs
no network and shows sequences one by one; readers rate them and save a CSV file each.
``python -m medaug.study.readers read --key key.json CSV ...`` says what they found.
`write_page` and `read_answers` do so from Python; `krippendorff_alpha` says how far readers agree.
"""

from ._agreement import krippendorff_alpha
from ._answers import Answers, Key, read_answers, read_key
from ._cases import Written, write_page
from ._clips import KINDS
from ._found import Found, Rated, Told, judge

__all__ = [
    "KINDS",
    "Answers",
    "Found",
    "Key",
    "Rated",
    "Told",
    "Written",
    "judge",
    "krippendorff_alpha",
    "read_answers",
    "read_key",
    "write_page",
]

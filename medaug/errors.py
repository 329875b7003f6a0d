"""The errors that medaug raises on purpose.

    ValueError
    └── UserError                    a person can mend it; bundles print it as one line
        ├── ConfigError              a configuration key or its value
        ├── DataError                a data folder, list or split
        │   └── UnreadableImageError one or several image files
        ├── CheckpointError          a model file that is missing or does not fit
        └── TrainingDivergedError    a loss that is no longer a finite number

Messages say what must be, what was given, and in which file, tag or key.
"""

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "TrainingDivergedError",
    "UnreadableImageError",
    "UserError",
]


class UserError(ValueError):
    """Something that the person who started the program can mend."""


class ConfigError(UserError):
    """A configuration key is unknown, or its value is of the wrong kind or out of range."""


class DataError(UserError):
    """A data folder, list or split cannot be used."""


class UnreadableImageError(DataError):
    """An image file cannot be turned into correct pixels."""


class CheckpointError(UserError):
    """A model file is missing, damaged, or belongs to another network."""


class TrainingDivergedError(UserError):
    """A loss became NaN or infinite."""

"""What can be wrong with an index.

FingerprintError
├── IndexDamagedError     a file is missing, cut, altered or not ours
├── ParamsMismatchError   it was made with other engine parameters
└── IndexBusyError        another writer kept the lock for too long
"""


class FingerprintError(Exception):
    """Any error that the engine raises on purpose, apart from ValueError for unusable arguments."""


class IndexDamagedError(FingerprintError):
    """A file of the index is missing, cut, altered or not ours; the recordings have to be enrolled again."""


class ParamsMismatchError(FingerprintError):
    """The index was made with other engine parameters than those asked for; answers would silently be worse."""


class IndexBusyError(FingerprintError):
    """Another writer kept the lock for longer than this one was willing to wait."""

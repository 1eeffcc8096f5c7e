"""Model files on an object store or a shared folder, addressed by URL: s3://bucket/models, file:///mnt/models."""

from typing import cast

from mnistweb.config import ConfigError
from mnistweb.recognition.model_card import ModelFileError


def check(url: str) -> None:
    """Check that files at this URL can be reached. Raises ConfigError if a package is missing for it."""
    try:
        import fsspec

        fsspec.get_filesystem_class(url.partition("://")[0])
    except (ImportError, ValueError) as error:
        raise ConfigError(
            f'MODEL_STORE needs a package that is not installed ({error}): install "mnistweb[store]", and for'
            " an object store its own package, such as s3fs."
        ) from None


def write(folder: str, name: str, version: str, file: bytes) -> str:
    """Write the file of a version into a folder, and return its URL. Raises ModelFileError."""
    url = f"{folder.rstrip('/')}/{name}/{version}.pt"
    try:
        import fsspec

        filesystem, path = fsspec.core.url_to_fs(url)
        filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
        filesystem.pipe_file(path, file)
    except Exception as error:  # each kind of store has its own
        raise ModelFileError(f"{url}: cannot be written ({_in_short(error)})") from error
    return url


def read(url: str) -> bytes:
    """Read a file. Raises ModelFileError."""
    try:
        import fsspec

        filesystem, path = fsspec.core.url_to_fs(url)
        return cast(bytes, filesystem.cat_file(path))
    except Exception as error:
        raise ModelFileError(f"{url}: cannot be read ({_in_short(error)})") from error


def _in_short(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0]

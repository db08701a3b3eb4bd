"""Every backend that can run here."""

import pytest

from vidgen.engines import backend_names, choose_backend
from vidgen.errors import BackendError


@pytest.fixture(scope="module", params=backend_names())
def backend(request):
    """Each in turn; the first one, the reference, must be here."""
    try:
        return choose_backend(request.param)
    except BackendError as error:
        if request.param == backend_names()[0]:
            raise
        pytest.skip(str(error))

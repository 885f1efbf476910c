"""What the tests of the flows share with those of the Prefect surface."""

from tests.prefect.conftest import events as events

from pathlib import Path
import pytest
from twinning_pipelines.sources.health.apple_health import SOURCE
from twinning_pipelines_tests.goldens import assert_golden, samples
HERE = Path(__file__).parent
@pytest.mark.parametrize("sample", samples(HERE, ".xml"), ids=lambda path: path.name)
def test_golden(sample: Path) -> None:
    assert_golden(SOURCE, sample)

"""What is known beforehand: fingerprints (`fingerprints/*.yaml`, tests inside) and word lists (`vocabulary/*.txt`)."""

from sensor.knowledge.fingerprints import Fingerprints, Hit
from sensor.knowledge.words import vocabulary

__all__ = ["Fingerprints", "Hit", "vocabulary"]

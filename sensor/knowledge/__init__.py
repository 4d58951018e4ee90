"""What is known beforehand: fingerprints (`fingerprints/*.yaml`) and word lists (`vocabulary/*.txt`), each with its tests inside."""

from sensor.knowledge.fingerprints import Fingerprints, Hit
from sensor.knowledge.words import vocabulary

__all__ = ["Fingerprints", "Hit", "vocabulary"]

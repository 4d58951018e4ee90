from cpython.bytes cimport PyBytes_FromStringAndSize

from sensor.engine.days cimport Folded
from sensor.engine.layout cimport *
from sensor.engine.records cimport Records
from sensor.engine.window cimport PREFETCH

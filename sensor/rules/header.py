"""The header of a rule: the YAML in the comment that its file begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sensor.knowledge.yamlfile import load, problems_of
from sensor.rules.errors import RuleError
from sensor.rules.severity import Severity

Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mappings(_Part):
    """Where the weakness stands in other catalogues; their own identifiers."""

    owasp_nhi: tuple[Annotated[str, Field(pattern=r"^NHI([1-9]|10):2025$")], ...] = ()
    nist_csf: tuple[Annotated[str, Field(pattern=r"^(GV|ID|PR|DE|RS|RC)\.[A-Z]{2}-\d{2}$")], ...] = ()
    maestro: tuple[Annotated[str, Field(pattern=r"^L[1-7]$")], ...] = ()
    cwe: tuple[Annotated[int, Field(gt=0)], ...] = ()
    attack: tuple[Annotated[str, Field(pattern=r"^T\d{4}(\.\d{3})?$")], ...] = ()
    hipaa: tuple[Annotated[str, Field(pattern=r"^164\.\d{3}(\([0-9A-Za-z]+\))+$")], ...] = ()
    iec_62443: tuple[Annotated[str, Field(pattern=r"^(CR|NDR|EDR|HDR|SAR) \d+\.\d+$")], ...] = ()
    fda: tuple[Literal["AuthN", "AuthZ", "Crypto", "Integ", "Conf", "Log", "Resil", "Updt"], ...] = ()


class Resolves(_Part):
    """When a finding ends: `seen` facts of its device (and port) went on for `after_days`, and it was not among them.

    Only facts of whole conversations count. Where such facts do not turn up it could not have been seen, and the
    finding stays open.
    """

    seen: Literal["attribute", "channel", "certificate", "authentication", "conversation", "traffic"]
    after_days: Annotated[float, Field(gt=0)] = 1.0


class Case(_Part):
    """Facts or a capture, and what the rule has to say of them. Notation: README.md."""

    what: Text
    rows: tuple[dict[str, Any], ...] = ()
    capture: str | None = None
    now: str | None = None
    severity: Severity | None = None
    count: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Case:
        if bool(self.rows) == bool(self.capture):
            raise ValueError("a case has either rows or a capture")
        return self


class Cases(_Part):
    """Where the rule must fire, and where it must stay silent."""

    fire: Annotated[tuple[Case, ...], Field(min_length=1)]
    silent: Annotated[tuple[Case, ...], Field(min_length=1)]


class Header(_Part):
    """What a rule says of itself. `why` and `remedy` are for a hospital engineer."""

    id: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*-\d{3}$")]
    title: Annotated[str, Field(min_length=1, max_length=100)]
    severity: Severity
    confidence: Literal["certain", "probable", "weak"]
    why: Text
    remedy: Text
    references: Annotated[tuple[Text, ...], Field(min_length=1)]
    resolves: Resolves
    mappings: Mappings
    cases: Cases


def read_header(path: Path, text: str) -> Header:
    """The header that stands in the file `path` from its second line on.

    Raises:
        RuleError: it is not YAML, or does not say what a header must say.
    """
    try:
        return Header.model_validate(load(text))
    except (yaml.YAMLError, ValidationError) as error:
        raise RuleError(problems_of(path, text, error, offset=1)) from error

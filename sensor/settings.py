"""Settings: environment variables named SPANWARD_*, with defaults that work without any."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What can be set for every command. An option on the command line wins over its variable."""

    model_config = SettingsConfigDict(env_prefix="SPANWARD_", extra="ignore", env_ignore_empty=True)

    store: Path = Field(Path("spanward.duckdb"), description="the DuckDB file")
    site: Path | None = Field(None, description="site file (site.toml): networks, scopes, privacy")
    site_key: Path | None = Field(None, description="file of the key that digests secrets; lies outside the store")
    rules: Path | None = Field(None, description="folder of the site's own rules, beside the ones that come along")
    captures: Path | None = Field(None, description="folder of captures for `demo`; default: pcaps/ of the checkout")
    listen: str = Field("127.0.0.1:8470", description="ADDRESS:PORT of the API")
    # The floors forbid sensor to import api. The front door therefore opens it by name: "module:function".
    api: str = Field("api.app:serve", description="what serves the store")
    request_timeout_s: Annotated[float, Field(gt=0, le=600)] = Field(
        10.0, description="a request's queries end after this"
    )
    wide_queries: Annotated[int, Field(ge=1, le=64)] = Field(4, description="lists that are computed at the same time")

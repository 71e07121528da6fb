"""The section `[traffic]`: where the traffic is, its columns, and its slices."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from monitoring.config.addresses import bounded_query, is_database_url, place, redacted
from monitoring.config.invalid_setting import reject_setting
from monitoring.config.section import (
    UNCOUNTED,
    CountedAs,
    Horizon,
    LocalPath,
    Name,
    Names,
    NameSet,
    Section,
    check_one_way,
)
from monitoring.config.table_section import OutputSection, TableSection, columns_named
from monitoring.config.values import distinct
from monitoring.errors import BadInput

ClassSlices = Annotated[
    tuple[Literal["label", "predicted"], ...], Field(strict=False), AfterValidator(distinct), CountedAs(sorted)
]
Place = Annotated[Path | str, BeforeValidator(place)]
Query = Annotated[str, AfterValidator(bounded_query)]

EXAMPLE_QUERY = "SELECT * FROM predictions WHERE event_time >= :start AND event_time < :end ORDER BY event_time"
EXAMPLE_LABELS_QUERY = (
    "SELECT prediction_id, label, label_time FROM labels WHERE label_time >= :start AND label_time < :end"
)


_OF_DATABASES = ("query", "labels_query", "password_file", "password_env")


class RowsSection(Section):
    """Where rows are: files, or a database and its queries."""

    path: Annotated[Place | None, UNCOUNTED] = Field(default=None, examples=["traffic"])
    log: Name | None = Field(default=None, examples=["sagemaker"])
    log_columns: Names = Field(default=(), examples=[["income", "branch"]])
    query: Annotated[Query | None, UNCOUNTED] = Field(default=None, examples=[EXAMPLE_QUERY])
    labels_query: Annotated[Query | None, UNCOUNTED] = Field(default=None, examples=[EXAMPLE_LABELS_QUERY])
    query_timeout: Annotated[Horizon, UNCOUNTED] = Field(
        default=timedelta(minutes=15), validate_default=False, examples=["15m"]
    )
    password_file: Annotated[LocalPath | None, UNCOUNTED] = Field(default=None, examples=["secrets/scores-password"])
    password_env: Annotated[Name | None, UNCOUNTED] = Field(default=None, examples=["SCORES_PASSWORD"])
    labels: Annotated[Place | None, UNCOUNTED] = Field(default=None, examples=["labels/*.csv"])
    label_log: Annotated[LocalPath, UNCOUNTED] = Field(default=Path("label-log"), examples=["label-log"])


class TrafficSection(TableSection, RowsSection):
    """Where the traffic is, and which slices are watched.

    The columns are those of a user's table; a traffic log has fixed columns, and its own labels. With a `query`, the
    path is the URL of a database, and the table is what the query gives. With `log`, the path has files that another
    server wrote in that format; `log_columns` are the names of inputs that its bodies do not have.
    """

    outputs: dict[Name, OutputSection] = Field(
        default={}, examples=[{"price": {"predicted": "price", "label": "paid"}}]
    )
    slices: NameSet = Field(default=(), examples=[["origin"]])
    class_slices: ClassSlices = Field(default=(), examples=[["label", "predicted"]])
    selection_groups: NameSet = Field(default=(), examples=[["origin"]])
    exclude_callers: NameSet = Field(default=(), examples=[["load-test", "10.0.0.7"]])
    _declared: TrafficSection | None = PrivateAttr(default=None)

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are named here, those of each output, too."""
        sections = (self, *self.outputs.values())
        return frozenset(name for section in sections for _, name, _ in columns_named(section))

    @property
    def declared(self) -> TrafficSection:
        """The section as the config file has it, whatever the command line names."""
        return self if self._declared is None else self._declared

    def with_path(self, path: Place) -> TrafficSection:
        """The section with other traffic, as the command line names it; without the queries, if those are files."""
        other = {} if isinstance(path, str) and is_database_url(path) else dict.fromkeys(_OF_DATABASES)
        section = self.model_copy(update={"path": path, **other})
        section._declared = self.declared  # noqa: SLF001 - a copy of this section
        return section

    def check_table(self) -> None:
        """Check that no callers are to be excluded from a table, which does not know them."""
        if self.exclude_callers:
            raise BadInput(
                "Callers are known in a traffic log only.",
                got=f"a table, and exclude_callers {', '.join(self.exclude_callers)}",
                expected="the folder that a server was given with --traffic",
                fix="Leave their rows out of the table, and remove `exclude_callers` or --exclude-caller.",
            )

    @field_validator("predicted")
    @classmethod
    def _scores_or_answers(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("scores"):
            reject_setting(
                "scores and predicted are both set; the predicted class follows from the scores.",
                got=value,
                expected="either scores or predicted",
                fix="Remove one of them.",
            )
        return value

    @field_validator("selection_groups")
    @classmethod
    def _groups_among_slices(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        slices = info.data.get("slices", ())
        if others := [column for column in value if column not in slices]:
            reject_setting(
                "selection rates are compared between slices.",
                got=others,
                expected=f"some of {', '.join(slices) or 'slices, of which there are none'}",
                fix=f"Add {', '.join(others)} to slices, or remove it from selection_groups.",
            )
        return value

    @model_validator(mode="after")
    def _one_output_or_several(self) -> TrafficSection:
        if self.outputs and (self.scores or self.predicted is not None or self.label_columns):
            reject_setting(
                "outputs and columns of one output are both set.",
                got=", ".join((*self.scores, *filter(None, (self.predicted,)), *self.label_columns)),
                expected="outputs, or scores, predicted and label_columns",
                fix="Remove one of them.",
            )
        return self

    @model_validator(mode="after")
    def _names_of_a_log(self) -> TrafficSection:
        if self.log is None and self.log_columns:
            reject_setting(
                "log_columns go with a log of another server.",
                got=self.log_columns,
                expected="log, its format",
                fix='Write, for example, log = "sagemaker".',
            )
        if self.log is not None and (self.query is not None or self.labels is not None):
            reject_setting(
                "a log of another server is no database, and has its labels in its files.",
                got="query" if self.query is not None else "labels",
                expected="path, the folder of the log",
                fix="Remove it; labels of another table are added by `pitfalls labels add`.",
            )
        return self

    @model_validator(mode="after")
    def _files_or_database(self) -> TrafficSection:
        check_one_way(self, "password", whose="the database", needed=False)
        if self.query is None:
            self._check_files()
        else:
            self._check_database()
        return self

    def _check_files(self) -> None:
        """Refuse what belongs to a query where there is none."""
        if isinstance(self.path, str) and is_database_url(self.path):
            reject_setting(
                "path is the URL of a database, and there is no query.",
                got=redacted(self.path),
                expected="the query that gives the rows",
                fix=f'Write, for example, query = "{EXAMPLE_QUERY}".',
            )
        stray = [name for name in _OF_DATABASES if getattr(self, name) is not None]
        if stray:
            reject_setting(
                f"{stray[0]} goes with a query, and there is none.",
                got=", ".join(stray),
                expected="path, the URL of a database, and query",
                fix="Write a query, or remove it.",
            )

    def _check_database(self) -> None:
        """Refuse a query without a database, and labels of files beside one."""
        if not isinstance(self.path, str) or not is_database_url(self.path):
            reject_setting(
                "query needs the URL of a database in path.",
                got=None if self.path is None else redacted(str(self.path)),
                expected="a URL of SQLAlchemy, such as postgresql+psycopg://reader@host/scores",
                fix="Write it, or remove the query.",
            )
        if self.labels is not None:
            reject_setting(
                "labels names files, and the rows come from a database.",
                got=str(self.labels),
                expected="labels_query, which gives the labels of the same database",
                fix="Write it, or give the labels with the rows, in the column label.",
            )

"""The reference of a model that answers ids: with its answers, and what is known of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.tasks.id_codes import id_codes
from monitoring.traffic.ranked_ids import check_relevant, listed_ids, often_first, ranked_answers
from monitoring.traffic.tables.answers import as_list_column
from serving.export.answers.model_answers import listed_answers
from serving.export.outputs.probabilities import PROBABILITIES
from serving.export.reference_labels import LABEL

if TYPE_CHECKING:
    from monitoring.tasks.ranking import Ranking
    from serving.export.keras_model import KerasModel
    from serving.export.outputs.rankings import RankedOutput

_FIX: Final = (
    "Name the column of relevant ids with --label, as the model answers them: text as text, whole numbers as whole "
    "numbers, and ids of the catalogue rather than places in a table of vectors."
)


def with_rankings(reference: pa.Table, model: KerasModel, ranked: RankedOutput) -> tuple[pa.Table, Ranking]:
    """Run the model on every row."""
    answers = listed_answers(reference, model, ranked.outputs)
    ids, *scores = (answers[name].combine_chunks() for name in ranked.outputs)
    words = listed_ids(ids)
    task = replace(ranked.task, first=often_first([words]))
    if LABEL in reference.column_names:
        labels = pc.unique(reference[LABEL]).drop_null().to_pylist()
        check_relevant(labels, np.unique(id_codes(words[0])), task, fix=_FIX)
    values = ranked_answers(ids, scores[0] if scores else None, task)
    columns = [name for name in reference.column_names if name != PROBABILITIES]
    return reference.select(columns).append_column(PROBABILITIES, as_list_column(values)), task

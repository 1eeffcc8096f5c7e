"""Recipes: epochs shared among the stages."""

import pytest

from mnistweb.training.recipes import RECIPES


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("epochs", [1, 2, 3, 10, 52, 500])
def test_epochs_are_shared_by_the_stages(name: str, epochs: int) -> None:
    recipe = RECIPES[name].with_epochs(epochs)
    last = recipe.finish.epochs if recipe.finish else 0
    assert recipe.config.epochs + last == epochs
    assert recipe.config.epochs > 0
    if recipe.finish and recipe.finish.teacher:
        assert recipe.finish.teacher.epochs > 0


def test_a_single_epoch_has_no_last_stage() -> None:
    assert RECIPES["cnn"].with_epochs(1).finish is None
    assert RECIPES["cnn"].with_epochs(2).finish is not None
